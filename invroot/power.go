package invroot

import (
	"math"
	"unsafe"

	"github.com/precond-go/precond/dense"
)

// isSingle returns whether T is float32.
func isSingle[T dense.Float]() bool { return unsafe.Sizeof(T(0)) == 4 }

// epsilon returns the distance from 1 to the next number of T.
func epsilon[T dense.Float]() float64 {
	if isSingle[T]() {
		return 0x1p-23
	}
	return 0x1p-52
}

// one is the options of operations on few elements, which do not allocate.
var one = dense.Opts[float64]{Threads: 1}

// powers replaces each x > 0 by x^(−q/p), to an error of (p+q) ε or less; other x give zero.
// The exponential of the logarithm takes a step of Newton's method, but where x^q is
// out of range: the error is then some |ln x|·ε·q/p. scratch is as long as x.
func powers(x, scratch []float64, e Exponent) {
	copy(scratch, x)
	for i, v := range x {
		if !(v > 0) {
			x[i] = 1
		}
	}
	dense.Log(x, x, &one)
	r := float64(e.Q) / float64(e.P)
	for i := range x {
		x[i] = float64(-r * x[i])
	}
	dense.Exp(x, x, &one)
	for i, v := range scratch {
		if !(v > 0) {
			x[i] = 0
			continue
		}
		a, b := whole(v, e.Q), whole(x[i], e.P)
		if d := math.FMA(-a, b, 1); math.Abs(d) < 1e-8 {
			x[i] = math.FMA(x[i], d/float64(e.P), x[i])
		}
	}
}

// whole returns x^k.
func whole(x float64, k int) float64 {
	y := 1.
	for ; k > 0; k >>= 1 {
		if k&1 != 0 {
			y = float64(y * x)
		}
		x = float64(x * x)
	}
	return y
}

// scaling returns the power of two m·2^k that multiplies the root when the matrix was
// multiplied by 2^s: (2^s)^(q/p), as a mantissa in [1, 2) and an exponent.
func scaling(s int, e Exponent) (m float64, k int) {
	k = s * e.Q / e.P
	rest := s*e.Q - k*e.P
	if rest < 0 {
		k, rest = k-1, rest+e.P
	}
	if rest == 0 {
		return 1, k
	}
	// Newton's method for y^p = 2^rest from above: 2^t ≤ 1 + t for t in [0, 1].
	target := math.Ldexp(1, rest)
	m = 1 + float64(rest)/float64(e.P)
	for range 64 {
		step := (m - target/whole(m, e.P-1)) / float64(e.P)
		if !(step > float64(0x1p-53*m)) {
			break
		}
		m -= step
	}
	return m, k
}

// binomials fills c with the coefficients of the series of (1 − x)^(−1/p).
func binomials(c []float64, p int) {
	v := 1.
	for j := range c {
		c[j] = v
		v = float64(v*float64(1+j*p)) / float64((j+1)*p)
	}
}
