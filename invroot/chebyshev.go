package invroot

import (
	"math"

	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/blas"
)

// maxDegree is the largest degree of Chebyshev. More would be slower than a
// decomposition, by far.
const maxDegree = 255

// chebyshev computes the root A^(−1/P) by a Chebyshev series of x^(−s), s = 1/P, on [l, 1],
//
//	x^(−s) = c₀/2 + Σ c_j·T_j(t),  x = (1+l)/2 + t·(1−l)/2,
//
// truncated where the rest is below an eighth of the tolerance, relative to the norm
// of the root, by Clenshaw's recurrence
//
//	B_j = c_j·I + 2·S·B_{j+1} − B_{j+2},  X = c₀/2·I + S·B₁ − B₂,
//
// in S, A/λmax moved to [−1, 1]: a product for each degree but one. A series of x^(−Q/P)
// would save the power, but no residual could tell how accurate it is: that of
// A^Q·X^P is some ε·κ^Q.
// Source: Clenshaw, A note on the summation of Chebyshev series, Math. Comp. 9 (1955).
func (c *call[T]) chebyshev() error {
	s, b, prior := c.buf[1], c.buf[2], c.buf[3]
	top := min(c.upper, float64(1.05*c.ritz)) // close above it the series is as good
	c.start(1/top, s)
	mean := 0.
	for i := range c.n {
		mean += float64(s.Data[i*s.Stride+i]) / float64(c.n)
	}
	l, err := c.lowerEnd(s)
	if err != nil {
		return err
	}
	e, least := Inverse(c.e.P), 1. // which is at most ‖X‖_F/√n, by Jensen's inequality
	if mean > l && mean < 1 {
		least = power(mean, e)
	}
	var coefs [maxDegree + 1]float64
	degree, ok := chebyshevSeries(coefs[:min(maxDegree, c.s.MaxIterations)+1], l, e, float64(float64(0.125*c.s.Tolerance)*least)/float64(c.e.Q))
	if !ok {
		c.cert.Error = math.Inf(1)
		return errPrecision
	}
	addDiagonal(s, -0.5*(1+l)) // exact: half of a number
	dense.Scale(T(2/(1-l)), s, s, &c.plain)
	prior.Fill(0)
	b.Fill(0)
	addDiagonal(b, coefs[degree])
	for j := degree - 1; j >= 0; j-- {
		// prior ← 2·S·B − prior + c_j·I, where the last one has half of S·B
		twice := 2.
		if j == 0 {
			twice = 1
		}
		if j == degree-1 { // B is a multiple of I, and prior zero
			dense.Scale(T(float64(twice*coefs[degree])), s, prior, &c.plain)
		} else {
			dense.Gemm(blas.NoTrans, blas.NoTrans, T(twice), s, b, -1, prior, &c.inner)
			c.cert.Products++
		}
		addDiagonal(prior, float64(float64(0.5*twice)*coefs[j]))
		b, prior = prior, b
		c.cert.Iterations++
	}
	c.root(b, power(top, e))
	return nil
}

// lowerEnd returns a lower end of the spectrum of m, whose upper one is 1: that which the ridge makes
// or, if that is more, what Lanczos finds, less a tenth, since it errs to the side of large
// values. It is below 1.
func (c *call[T]) lowerEnd(m dense.Matrix[T]) (float64, error) {
	c.low, c.top = m, 1
	norm, _, err := dense.LanczosNorm(c.below, c.n, lanczosOpts, &c.lanczos)
	if err != nil {
		return 0, err
	}
	l := max(float64(0.9*(1-float64(norm))), c.ridge/c.upper, epsilon[T]())
	return min(l, 0.9), nil
}

// chebyshevSeries fills coefs with the Chebyshev coefficients of x^(−Q/P) on [l, 1] and returns the
// degree up to which they are needed for the given absolute error. It
// returns false if there is not room for so many.
//
// All c_j·(−1)^j are positive, so what is left out is largest at x = l, and the sum there is
// l^(−s). From (a + b·t)·f′ = −s·b·f and c′_{j−1} − c′_{j+1} = 2j·c_j follows, for
// e_j = (−1)^j·c_j and g = (1+l)/(1−l),
//
//	(j−1+s)·e_{j−1} = 2j·g·e_j − (j+1−s)·e_{j+1}.
//
// Forward the recurrence is unstable, as the e_j are its decaying solution; Miller's
// algorithm goes backward from zero far out.
// Source: Gautschi, Computational aspects of three-term recurrence relations, SIAM Rev. 9 (1967).
func chebyshevSeries(coefs []float64, l float64, e Exponent, most float64) (degree int, ok bool) {
	s := float64(e.Q) / float64(e.P)
	root := math.Sqrt(l)
	ratio := (1 - root) / (1 + root) // of coefficients far out
	far := len(coefs)
	for w := 1.; w > 0x1p-60; far++ {
		if far > 64*maxDegree {
			return 0, false // so many are not needed to see that there are too many
		}
		w = float64(w * ratio)
	}
	g := (1 + l) / (1 - l)
	next, this := 0., 0x1p-400 // e_{j+1} and e_j
	var sum, rest float64      // of those from j on, and of those that have no room
	for j := far; ; j-- {
		if j < len(coefs) {
			coefs[j] = this
		}
		if j == 0 {
			sum += float64(0.5 * this)
			break
		}
		sum += this
		if j == len(coefs) {
			rest = sum
		}
		before := math.FMA(float64(float64(2*float64(j))*g), this, -float64((float64(j+1)-s)*next)) / (float64(j-1) + s)
		next, this = this, before
	}
	scale := power(l, e) / sum
	rest = float64(rest * scale)
	if !(rest <= most) {
		return 0, false
	}
	for degree = len(coefs) - 1; degree > 1; degree-- {
		rest += float64(coefs[degree] * scale)
		if rest > most {
			break
		}
	}
	sign := 1.
	for j := range coefs {
		coefs[j] = float64(float64(sign*coefs[j]) * scale)
		sign = -sign
	}
	return degree, true
}
