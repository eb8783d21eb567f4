package invroot

import (
	"math"
	"math/bits"

	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/blas"
)

// newtonSchulz computes the root for P = 2^k: k times the square root and the inverse one, of
// the root before. With h_i a polynomial of degree 1 or 2,
//
//	M = Z·Y,  Y ← Y·h(M),  Z ← h(M)·Z,  Y₀ = A/upper,  Z₀ = I,
//
// keeps Y = A·Z, and M tends to I. In this order of the factors rounding errors do
// not grow, as they do in that of a single iterate. On x, the root of an eigenvalue of M,
// a step acts as the odd polynomial x·h(x²), and that is the closest one to 1 on the interval of all x,
// with room for rounding errors. For P = 1 the inverse square root is squared.
// Source: Amsel, Persson, Musco and Gower, The Polar Express, 2025, for the polynomials;
// Higham, Functions of Matrices, 2008, theorem 6.11 and section 6.4, for the order.
func (c *call[T]) newtonSchulz() error {
	var r rootPair[T]
	r.z, r.y, r.m, r.h, r.u, r.last = c.buf[0], c.buf[1], c.buf[2], c.buf[3], c.buf[4], c.buf[5]
	c.start(1/c.upper, r.y)
	r.floor = max(float64(0.5*c.ridge)/c.upper, float64(4*epsilon[T]()))
	r.left = c.s.MaxIterations
	stages := max(1, bits.TrailingZeros(uint(c.e.P)))
	for k := range stages {
		if err := c.squareRoot(&r, k == stages-1); err != nil {
			return err
		}
		if c.cert.Stagnated {
			break // what there is has not converged, which accept will find
		}
		if k < stages-1 {
			symmetrize(r.y, r.y)
			r.floor = math.Sqrt(r.floor)
		}
	}
	if c.e.P == 1 {
		symmetrize(r.z, r.z)
		c.square(r.z, r.u)
		r.z = r.u
	}
	c.root(r.z, power(c.upper, Inverse(c.e.P)))
	return nil
}

// A rootPair is a square root and an inverse one in the making, and what else they need.
type rootPair[T dense.Float] struct {
	y, z, m, h, u dense.Matrix[T]
	last          dense.Matrix[T] // z one step before
	floor         float64         // the eigenvalues of y are no less, in the beginning
	left          int             // iterations
}

// squareRoot brings r.y to its square root and r.z to the inverse of that. Of the last
// stage only z is wanted.
//
// The interval [lo, hi] of x is known at its upper end. The lower end is an estimate
// by Lanczos. What is below grows too, though slower, and sure is a bound from below for it: where M
// is farther from I than the interval has it, or where the step is to be the last one, Lanczos looks again. Near the
// end the distance itself bounds the interval.
func (c *call[T]) squareRoot(r *rootPair[T], last bool) error {
	eps, root := epsilon[T](), math.Sqrt(float64(c.n))
	target := max(float64(4*eps), 0x1p-47) // ranges are known up to some 2^−49
	sure, hi := math.Sqrt(r.floor), 1.
	lo, err := c.lowest(r.y, 1, sure)
	if err != nil {
		return err
	}
	r.z.Fill(0)
	addDiagonal(r.z, 1)
	before := math.Inf(1)
	for first := true; r.left > 0; first = false {
		m := r.y
		if !first {
			c.multiply(r.z, r.y, r.m)
			m = r.m
		}
		dense.Scale(-1, m, r.h, &c.plain)
		addDiagonal(r.h, 1)
		off := float64(dense.NormFrobenius(r.h, &c.plain))
		most := float64(root * max(1, float64(hi*hi)-1)) // of off, for a semidefinite matrix
		rises := !(off <= float64(1.1*most)) || before < 0.5 && off > float64(1.05*before)
		if rises {
			c.cert.Stagnated = !(before < 0.01)
			if !first {
				r.z = r.last
			}
			return nil
		}
		if off <= float64(float64(2*eps)*float64(c.n)) || before < 0.01 && off > float64(0.5*before) {
			break
		}
		before = off
		proved := off < 0.5
		if proved {
			hi = min(hi, math.Sqrt(1+off))
			bound := math.Sqrt(1 - off)
			sure = max(sure, bound)
			if proved = lo <= sure; proved {
				lo = sure
			}
		}
		lo = min(lo, hi)
		coef, least, largest := step(lo, hi, target)
		ends := max(1-least, largest-1) <= target
		apart := off > float64(float64(1.1*root)*max(1-float64(lo*lo), float64(hi*hi)-1))
		if !first && !proved && (ends || apart) {
			if apart && off > 0.5 && lo <= sure { // no positive definite matrix is so far away
				c.cert.Stagnated = true
				break
			}
			low, err := c.lowest(m, float64(hi*hi), sure)
			if err != nil {
				return err
			}
			if low < lo {
				lo = low
				coef, least, largest = step(lo, hi, target)
				ends = max(1-least, largest-1) <= target
			}
		}
		c.cert.Iterations++
		r.left--
		c.advance(r, m, coef, first, last && ends)
		if ends {
			return nil
		}
		if sure < lo {
			square := float64(sure * sure)
			sure = min(least, float64(sure*math.FMA(math.FMA(coef[2], square, coef[1]), square, coef[0])))
		} else {
			sure = least
		}
		lo, hi = least, largest
	}
	if r.left == 0 && !(before < 0.01) {
		c.cert.Stagnated = true
	}
	return nil
}

// step returns the polynomial for [lo, hi], with room above, and its range: of degree 3 if that
// brings all within target of 1.
func step(lo, hi, target float64) (coef [3]float64, least, largest float64) {
	hi += float64(0x1p-7 * (hi - lo))
	coef, least, largest = dense.BestOdd(lo, hi, 3)
	if max(1-least, largest-1) > target {
		coef, least, largest = dense.BestOdd(lo, hi, 5)
	}
	return coef, least, largest
}

// advance does one step of z, and of y unless it is the end, with M in m, which is y if
// it is the first one: z is I then.
func (c *call[T]) advance(r *rootPair[T], m dense.Matrix[T], coef [3]float64, first, end bool) {
	if coef[2] == 0 {
		dense.Scale(T(coef[1]), m, r.h, &c.plain)
	} else {
		r.h.Copy(m)
		dense.Gemm(blas.NoTrans, blas.NoTrans, T(coef[2]), m, m, T(coef[1]), r.h, &c.inner)
		c.cert.Products++
	}
	addDiagonal(r.h, coef[0])
	if !end {
		c.multiply(r.y, r.h, r.u)
		r.y, r.u = r.u, r.y
	}
	if first {
		r.last, r.z, r.h = r.z, r.h, r.last
		return
	}
	c.multiply(r.h, r.z, r.m)
	r.last, r.z, r.m = r.z, r.m, r.last
}

// lowest estimates the root of the smallest eigenvalue of m, whose largest is at most top, but
// no less than sure. Lanczos errs to the side of large values; the estimate is a quarter
// farther from 1.
func (c *call[T]) lowest(m dense.Matrix[T], top, sure float64) (float64, error) {
	c.low, c.top = m, top
	norm, _, err := dense.LanczosNorm(c.below, c.n, lanczosOpts, &c.lanczos)
	if err != nil {
		return 0, err
	}
	x := math.Sqrt(max(0, top-float64(norm)))
	x = min(1, float64(x*(1-float64(0.25*(1-min(1, x))))))
	return max(sure, x), nil
}
