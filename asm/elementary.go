package asm

import (
	"math"
	"unsafe"
)

// This file holds the generic twins of the elementary functions exp, log, tanh
// and the logistic sigmoid, and the constants that all targets share: assembly
// reads the same tables.
//
// The error is at most 1 unit in the last place of the exact result, for all
// arguments, with subnormal results included (elementary_test.go has the largest
// errors that were seen).
//
// There are no branches that depend on the data but selections: a vector of
// arguments takes the same time whatever is in it. The functions are built as
// follows (Muller, Elementary Functions, 3rd ed., chapters 3, 11 and 13).
//
// Reduction. exp(y) = 2ⁿ·exp(r) with n = y/ln2 rounded to nearest and
// |r| ≤ ln2/2 and a little. n comes from adding and subtracting a large number
// that has the last place 1, which leaves n in the last bits of the sum. With ln2
// as the sum of two numbers of full length, y − n·ln2Hi is exact as a fused
// multiply-add (Boldo, Daumas and Li, Formally verified argument reduction with
// a fused multiply-add, 2009), so that r has little more than one rounding.
//
// Polynomial. exp(r) = 1 + r + r²·q(r). What is asked of q is that r + r²·q has a
// small error relative to exp(r) − 1. Its coefficients, and those of log, are
// minimax and come from gen/minimax, which prints the errors:
//
//	exp float32: degree 5 on ±0.34661, 2^−28.2
//	exp float64: degree 10 on ±0.34658, 2^−61.2
//	log float32: degree 2 on [0, 0.04], 2^−28.4
//	log float64: degree 6 on [0, 0.04], 2^−55.9
//
// Leading and trailing parts. tanh and sigmoid are quotients of sums; to stay
// below one unit they carry numerator and denominator as sums of two numbers,
// made by Fast2Sum, and correct the quotient once by its remainder.

// Indices of the constants of exp, tanh and sigmoid.
const (
	kExpLo  = iota // exp rounds to 0 here and below
	kExpHi         // exp overflows here and above
	kTanhHi        // tanh rounds to 1 here and above
	kLog2E         // 1/ln2
	kMagic         // 1.5·2^(p−1) + 2·bias: adding it to n leaves n + 2·bias in the last bits
	kLn2Hi         // ln2 = ln2Hi + ln2Lo
	kLn2Lo
	kOne
	kTwo
	kSign // −0: the sign bit
	kBias // as an integer: the bias of exponents
	kQ    // coefficients of q, highest power first, to the end
)

var expTable32 = [...]float32{
	kExpLo: -104, kExpHi: 89, kTanhHi: 10,
	kLog2E: 0x1.715476p+0, kMagic: 0x1.8p23 + 254, kLn2Hi: 0x1.62e43p-1, kLn2Lo: -0x1.05c61p-29,
	kOne: 1, kTwo: 2, kSign: float32(math.Copysign(0, -1)), kBias: math.Float32frombits(127),
	kQ: 0x1.3d2d72p-13, 0x1.6d27e4p-10, 0x1.115392p-07, 0x1.555506p-05, 0x1.55552ep-03, 0.5,
}

var expTable64 = [...]float64{
	kExpLo: -746, kExpHi: 710, kTanhHi: 20,
	kLog2E: 0x1.71547652b82fep+0, kMagic: 0x1.8p52 + 2046, kLn2Hi: 0x1.62e42fefa39efp-1, kLn2Lo: 0x1.abc9e3b39803fp-56,
	kOne: 1, kTwo: 2, kSign: math.Copysign(0, -1), kBias: math.Float64frombits(1023),
	kQ: 0x1.1fac279ea8caap-29, 0x1.af65e786fd8a8p-26, 0x1.27e4bb8d4102cp-22, 0x1.71ddf4aed65c6p-19,
	0x1.a01a01b1f1713p-16, 0x1.a01a01b113ef4p-13, 0x1.6c16c16c14fa4p-10, 0x1.111111110f4bp-07,
	0x1.5555555555556p-05, 0x1.5555555555559p-03, 0.5,
}

// Indices of the constants of log.
const (
	lOne = iota
	lTwo
	lHalf
	lHi        // ln2 = lHi + lLo; lHi is short enough that any exponent times it is exact
	lLo        //
	lInf       // +Inf
	lMinusInf  // −Inf
	lMinNormal // smallest normal number
	lUp        // 2^(p−1): brings a subnormal number into the normal range
	lUpExp     // p−1
	lBottom    // 3/4, the lower end of the significands
	lOffset    // bits of 1 minus bits of 3/4
	lMantissa  // mask of the explicit bits of the significand
	lToFloat   // 2^(p−1): or-ing it to a small integer makes it a number
	lToFloat2  // 2^(p−1) + bias
	lL         // coefficients of l, highest power first, to the end
)

var logTable32 = [...]float32{
	lOne: 1, lTwo: 2, lHalf: 0.5, lHi: 0x1.62e4p-1, lLo: 0x1.7f7d1cp-20,
	lInf: float32(math.Inf(1)), lMinusInf: float32(math.Inf(-1)), lMinNormal: 0x1p-126, lUp: 0x1p23, lUpExp: 23, lBottom: 0.75,
	lOffset: math.Float32frombits(1 << 22), lMantissa: math.Float32frombits(1<<23 - 1),
	lToFloat: 0x1p23, lToFloat2: 0x1p23 + 127,
	lL: 0x1.36ec6ap-02, 0x1.992aaap-02, 0x1.5555b4p-01,
}

var logTable64 = [...]float64{
	lOne: 1, lTwo: 2, lHalf: 0.5, lHi: 0x1.62e42fefa38p-1, lLo: 0x1.ef35793c7673p-45,
	lInf: math.Inf(1), lMinusInf: math.Inf(-1), lMinNormal: 0x1p-1022, lUp: 0x1p52, lUpExp: 52, lBottom: 0.75,
	lOffset: math.Float64frombits(1 << 51), lMantissa: math.Float64frombits(1<<52 - 1),
	lToFloat: 0x1p52, lToFloat2: 0x1p52 + 1023,
	lL: 0x1.3abe5d8e2c47cp-03, 0x1.3852cec4c0d48p-03, 0x1.7474e33773373p-03, 0x1.c71c0160d049dp-03,
	0x1.249249b228c42p-02, 0x1.99999998f0b7fp-02, 0x1.5555555555776p-01,
}

func expTable[T Float]() []T { return ofType[T](expTable32[:], expTable64[:]) }
func logTable[T Float]() []T { return ofType[T](logTable32[:], logTable64[:]) }

// ofType returns the one of two slices that has elements of type T.
func ofType[T Float](a []float32, b []float64) []T {
	if is32[T]() {
		return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(a))), len(a))
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b))
}

// horner returns the polynomial with the coefficients c, highest power first.
func horner[T Float](c []T, x T) T {
	p := c[0]
	for _, c := range c[1:] {
		p = fma(p, x, c)
	}
	return p
}

// expTo is the generic twin of Kernels.ExpTo: dst = exp(x). Results that are too
// large are +Inf; exp(−Inf) = 0, exp(NaN) = NaN. dst may be x.
func expTo[T Float](x, dst []T) {
	k := expTable[T]()
	for i, x := range x {
		if x < k[kExpLo] {
			x = k[kExpLo]
		}
		if x > k[kExpHi] {
			x = k[kExpHi]
		}
		t, r, _, q := expReduce(k, x)
		s1, s2 := powers(t)
		dst[i] = T(T(fma(fma(q, r, 1), r, 1)*s1) * s2)
	}
}

// expReduce returns r and q(r) such that exp(y) = 2ⁿ·(1 + r + r²·q(r)), what the
// rounding of r has lost, and n within t = n + kMagic.
func expReduce[T Float](k []T, y T) (t, r, rl, q T) {
	t = fma(y, k[kLog2E], k[kMagic])
	n := T(t - k[kMagic])
	rh := fma(-n, k[kLn2Hi], y)
	r = fma(-n, k[kLn2Lo], rh)
	rl = fma(-n, k[kLn2Lo], T(rh-r))
	return t, r, rl, horner(k[kQ:], r)
}

// powers returns two powers of two, both normal, whose product is 2ⁿ, for
// t = n + kMagic. Multiplying a number by one and then by the other rounds once.
func powers[T Float](t T) (s1, s2 T) {
	if is32[T]() {
		i := math.Float32bits(float32(t)) // ends in n + 2·bias
		j := i >> 1
		return T(math.Float32frombits(j << 23)), T(math.Float32frombits((i - j) << 23))
	}
	i := math.Float64bits(float64(t))
	j := i >> 1
	return T(math.Float64frombits(j << 52)), T(math.Float64frombits((i - j) << 52))
}

// expm1Parts returns exp(r + rl) − 1 in two parts: h + l = r + r²·q + rl·exp(r).
func expm1Parts[T Float](r, rl, q T) (h, l T) {
	r2 := T(r * r)
	h = fma(r2, q, r)
	l = T(fma(r2, q, T(r-h)) + rl)
	return h, fma(rl, h, l)
}

// tanhTo is the generic twin of Kernels.TanhTo: dst = tanh(x). tanh(±0) = ±0,
// tanh(±Inf) = ±1, tanh(NaN) = NaN. dst may be x.
//
// With w = exp(−2|x|) − 1 it is −w/(2 + w), with the sign of x.
func tanhTo[T Float](x, dst []T) {
	k := expTable[T]()
	for i, x := range x {
		a := abs(x)
		if a > k[kTanhHi] {
			a = k[kTanhHi]
		}
		t, r, rl, q := expReduce(k, T(-2*a))
		h, l := expm1Parts(r, rl, q)
		s1, s2 := powers(t)
		s := T(s1 * s2)
		u := T(s - 1)
		ul := T(s - T(u+1)) // what is lost of s if it is tiny
		w := fma(s, h, u)
		wl := fma(s, l, fma(s, h, T(T(u-w)+ul)))
		d := T(2 + w)
		dl := T(T(T(2-d)+w) + wl)
		dst[i] = T(math.Copysign(float64(quotient(w, wl, d, dl)), float64(x)))
	}
}

// sigmoidTo is the generic twin of Kernels.SigmoidTo: dst = 1/(1 + exp(−x)).
// It is 0 at −Inf, 1 at +Inf and NaN at NaN. dst may be x.
//
// With e = exp(−|x|) it is 1/(1 + e) for x ≥ 0 and e/(1 + e) for x < 0, so that
// small results have a small relative error; their scale 2ⁿ is applied last.
func sigmoidTo[T Float](x, dst []T) {
	k := expTable[T]()
	for i, x := range x {
		y := -abs(x)
		if y < k[kExpLo] {
			y = k[kExpLo]
		}
		t, r, rl, q := expReduce(k, y)
		h, l := expm1Parts(r, rl, q)
		s1, s2 := powers(t)
		s := T(s1 * s2)
		e := T(1 + h)
		el := T(T(T(1-e)+h) + l)
		d := fma(s, e, 1)
		dl := fma(s, el, fma(s, e, T(1-d)))
		if x < 0 {
			dst[i] = T(T(quotient(e, el, d, dl)*s1) * s2)
		} else {
			dst[i] = quotient(1, 0, d, dl)
		}
	}
}

// quotient returns (n + nl)/(d + dl).
func quotient[T Float](n, nl, d, dl T) T {
	y := T(1 / d)
	q := T(n * y)
	rem := fma(-q, dl, T(fma(-q, d, n)+nl))
	return fma(rem, y, q)
}

// logTo is the generic twin of Kernels.LogTo: dst = log(x), natural. log(±0) =
// −Inf, log(+Inf) = +Inf, and NaN for negative x and NaN. dst may be x.
//
// With x = 2ᵉ·(1 + f), 3/4 ≤ 1 + f < 3/2, s = f/(2 + f), log(1 + f) is
// 2·atanh(s) = f − (f²/2 − s·(f²/2 + s²·l(s²))), as in FreeBSD's msun; f and e·ln2Hi
// are added first, in two parts.
func logTo[T Float](x, dst []T) {
	k := logTable[T]()
	for i, x := range x {
		m, e := split(k, x)
		f := T(m - 1)
		s := T(f / T(2+f))
		z := T(s * s)
		g := T(0.5 * f)
		w := fma(s, fma(z, horner(k[lL:], z), T(g*f)), T(e*k[lLo]))
		c := T(e * k[lHi])
		a := T(c + f)
		al := T(T(c-a) + f)
		v := T(a + T(al+fma(-g, f, w)))
		switch {
		case x == 0:
			v = k[lMinusInf]
		case x == k[lInf]:
			v = x
		case !(x > 0):
			v = T(math.NaN())
		}
		dst[i] = v
	}
}

// split returns m in [3/4, 3/2) and an integer e with x = m·2ᵉ, for positive
// finite x; other x give some m and e.
func split[T Float](k []T, x T) (m, e T) {
	up := T(0)
	if x < k[lMinNormal] {
		x = T(x * k[lUp])
		up = k[lUpExp]
	}
	if is32[T]() {
		i := math.Float32bits(float32(x)) + 1<<22
		m = T(math.Float32frombits(i&(1<<23-1) + 0x3f400000))
		e = T(math.Float32frombits(i>>23 | 0x4b000000))
	} else {
		i := math.Float64bits(float64(x)) + 1<<51
		m = T(math.Float64frombits(i&(1<<52-1) + 0x3fe8000000000000))
		e = T(math.Float64frombits(i>>52 | 0x4330000000000000))
	}
	return m, T(T(e-k[lToFloat2]) - up)
}
