package asm

import (
	"math"
	"math/big"
)

// Elementary functions in 300-bit arithmetic, by methods that have nothing in
// common with those of the kernels, and the distance of a result from them.

const oraclePrec = 300

func bigOf(x float64) *big.Float { return new(big.Float).SetPrec(oraclePrec).SetFloat64(x) }

// bigLn2 is Σ 1/(k·2ᵏ).
var bigLn2 = func() *big.Float {
	sum := bigOf(0)
	for k := 1; k < oraclePrec+20; k++ {
		t := bigOf(1)
		t.SetMantExp(t, -k)
		sum.Add(sum, t.Quo(t, bigOf(float64(k))))
	}
	return sum
}()

// bigExp halves the reduced argument until the Taylor series converges fast, and
// squares as often. Arguments far out count as ±4000, which is far out too.
func bigExp(x *big.Float) *big.Float {
	const halvings = 12
	f, _ := x.Float64()
	if math.Abs(f) > 4000 {
		f = math.Copysign(4000, f)
		x = bigOf(f)
	}
	n := math.RoundToEven(f / math.Ln2)
	r := new(big.Float).Mul(bigOf(n), bigLn2)
	r.Sub(x, r)
	r.SetMantExp(r, -halvings)
	sum, term := bigOf(1), bigOf(1)
	for k := 1; k < 24; k++ {
		term.Mul(term, r)
		term.Quo(term, bigOf(float64(k)))
		sum.Add(sum, term)
	}
	for range halvings {
		sum.Mul(sum, sum)
	}
	return sum.SetMantExp(sum, int(n))
}

// bigLog makes one step of Halley's method, which triples the digits of math.Log,
// for the significand of x in [√2/2, √2).
func bigLog(x float64) *big.Float {
	m, e := math.Frexp(x)
	if m < math.Sqrt2/2 {
		m, e = 2*m, e-1 // so that nothing cancels
	}
	y := bigOf(math.Log(m))
	f := bigExp(y)
	d, s := new(big.Float).Sub(bigOf(m), f), new(big.Float).Add(bigOf(m), f)
	d.Quo(d, s)
	y.Add(y, d.SetMantExp(d, 1))
	return y.Add(y, s.Mul(bigLn2, bigOf(float64(e))))
}

func bigTanh(x float64) *big.Float {
	if math.Abs(x) < 0x1p-30 { // x − x³/3 + 2·x⁵/15
		b := bigOf(x)
		b2 := new(big.Float).Mul(b, b)
		s := bigOf(2)
		s.Quo(s, bigOf(15)).Mul(s, b2)
		third := bigOf(1)
		s.Sub(s, third.Quo(third, bigOf(3))).Mul(s, b2)
		return s.Add(s, bigOf(1)).Mul(s, b)
	}
	e := bigExp(bigOf(2 * x))
	return new(big.Float).Quo(new(big.Float).Sub(e, bigOf(1)), new(big.Float).Add(e, bigOf(1)))
}

func bigSigmoid(x float64) *big.Float {
	e := bigExp(bigOf(-x))
	return new(big.Float).Quo(bigOf(1), e.Add(e, bigOf(1)))
}

// ulps returns the error of got in units in the last place of the finite exact
// result want: the distance between the numbers of type T around want, of which
// the smallest is that of subnormal numbers. +Inf stands for the number that
// would follow the largest one, and is exact beyond it.
func ulps[T Float](got T, want *big.Float) float64 {
	digits, minExp, maxExp := 53, -1021, 1024
	if is32[T]() {
		digits, minExp, maxExp = 24, -125, 128
	}
	g := float64(got)
	if g != g {
		return math.Inf(1)
	}
	e := max(want.MantExp(nil), minExp)
	b := new(big.Float).SetPrec(oraclePrec)
	if math.IsInf(g, 0) {
		if want.Sign() != int(math.Copysign(1, g)) {
			return math.Inf(1)
		}
		if e > maxExp {
			return 0
		}
		b.SetMantExp(bigOf(math.Copysign(1, g)), maxExp)
	} else {
		b.SetFloat64(g)
	}
	b.Sub(b, want)
	b.SetMantExp(b, digits-e)
	f, _ := b.Float64()
	return math.Abs(f)
}
