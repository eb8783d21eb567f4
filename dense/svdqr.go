package dense

import (
	"math"
	"unsafe"

	"github.com/precond-go/precond/asm"
)

// This file holds the implicit QR iteration for the singular values of a small
// bidiagonal matrix (Golub and Reinsch 1970; with the zero-shift sweep of Demmel
// and Kahan 1990), the leaf of the divide and conquer in svdtree.go.

// bidiagonalQR is a small upper bidiagonal matrix B with diagonal d and
// superdiagonal e, and the matrices whose rows take part in its rotations: as B
// becomes L·B·Rᵀ, the rows of ut become those of L·ut, and the rows of vt those of
// R·vt. Where ut has no rows, it is left out.
type bidiagonalQR[T Float] struct {
	kern   *asm.Kernels[T]
	d, e   []T
	ut, vt Matrix[T]
}

// sweepsPerValue bounds the iteration: so many sweeps for each singular value on
// average. Two or three are usual; but within a cluster rounding errors may keep an e
// just above what is negligible, so each time patience is exhausted that is doubled, from
// ε of the norm to 16·ε at most.
const (
	sweepsPerValue = 30
	patience       = 6
)

// run diagonalises B. If e is as long as d, B has one column more than rows, and
// vt one row more, which becomes the null vector. On return d ≥ 0 holds the
// singular values in no order. The result is false if the iteration does not
// converge; then d, ut and vt are still a factorisation with the remaining e.
func (q *bidiagonalQR[T]) run() bool {
	n := len(q.d)
	if len(q.e) == n {
		q.square()
	}
	var norm T
	for i, v := range q.d {
		norm = max(norm, magnitude(v))
		if i < n-1 {
			norm = max(norm, magnitude(q.e[i]))
		}
	}
	tiny := max(T(norm*T(2*roundoff[T]())), T(rootTiny[T]()*rootTiny[T]()))
	hi := n - 1
	for sweeps := sweepsPerValue * n; hi > 0; {
		// B[lo…hi, lo…hi] is the last block without a negligible e.
		lo := hi
		for lo > 0 && !(magnitude(q.e[lo-1]) <= tiny) {
			lo--
		}
		if lo > 0 {
			q.e[lo-1] = 0
		}
		if lo == hi {
			hi--
			continue
		}
		if sweeps--; sweeps == 0 {
			return false
		}
		if sweeps%(patience*n) == 0 {
			tiny = T(2 * tiny)
		}
		if q.least(lo, hi) <= tiny {
			q.sweepZero(lo, hi) // makes e[hi-1] negligible, soon if not at once
		} else {
			q.sweep(lo, hi)
		}
	}
	for i, v := range q.d {
		if v < 0 {
			q.d[i] = -v
			q.kern.Scal(-1, q.vt.Row(i))
		}
	}
	return true
}

// square removes the last column of B: rotations from the right make B lower
// bidiagonal and push what was in the last column out, and rotations from the
// left make it upper bidiagonal again.
func (q *bidiagonalQR[T]) square() {
	n := len(q.d)
	for i := range n {
		c, s, r := rotation(q.d[i], q.e[i])
		q.d[i] = r
		if i < n-1 {
			q.e[i] = T(s * q.d[i+1]) // below the diagonal
			q.d[i+1] = T(c * q.d[i+1])
		}
		q.kern.Rot(c, s, q.vt.Row(i), q.vt.Row(i+1))
	}
	q.e = q.e[:n-1]
	for i := range n - 1 {
		c, s, r := rotation(q.d[i], q.e[i])
		q.d[i] = r
		q.e[i] = T(s * q.d[i+1])
		q.d[i+1] = T(c * q.d[i+1])
		q.rotateLeft(i, c, s)
	}
}

func (q *bidiagonalQR[T]) rotateLeft(i int, c, s T) {
	if q.ut.Rows > 0 {
		q.kern.Rot(c, s, q.ut.Row(i), q.ut.Row(i+1))
	}
}

// least returns a lower bound of the least singular value of B[lo…hi, lo…hi], but for a
// factor of √(hi−lo+1) (Demmel and Kahan 1990, section 4). A shifted sweep is of no use
// where it is negligible: a tiny d hides what stands after it.
func (q *bidiagonalQR[T]) least(lo, hi int) T {
	mu := magnitude(q.d[lo])
	least := mu
	for i := lo; i < hi && least > 0; i++ {
		mu = T(magnitude(q.d[i+1]) * T(mu/(mu+magnitude(q.e[i]))))
		least = min(least, mu)
	}
	return least
}

// sweep does one step of the QR iteration on B[lo…hi, lo…hi], all of whose singular
// values matter.
func (q *bidiagonalQR[T]) sweep(lo, hi int) {
	d, e := q.d, q.e
	shift := leastSingular(d[hi-1], e[hi-1], d[hi])
	first := magnitude(d[lo])
	if ratio := T(shift / first); !(T(ratio*ratio) > roundoff[T]()) {
		q.sweepZero(lo, hi)
		return
	}
	sign := T(1)
	if d[lo] < 0 {
		sign = -1
	}
	f, g := T((first-shift)*(sign+T(shift/d[lo]))), e[lo]
	for i := lo; i < hi; i++ {
		c, s, r := rotation(f, g)
		if i > lo {
			e[i-1] = r
		}
		f = asm.FMA(c, d[i], T(s*e[i]))
		e[i] = asm.FMA(c, e[i], -T(s*d[i]))
		g = T(s * d[i+1])
		d[i+1] = T(c * d[i+1])
		q.kern.Rot(c, s, q.vt.Row(i), q.vt.Row(i+1))

		c, s, d[i] = rotation(f, g)
		f = asm.FMA(c, e[i], T(s*d[i+1]))
		d[i+1] = asm.FMA(c, d[i+1], -T(s*e[i]))
		if i < hi-1 {
			g = T(s * e[i+1])
			e[i+1] = T(c * e[i+1])
		}
		q.rotateLeft(i, c, s)
	}
	e[hi-1] = f
}

// sweepZero is sweep with a shift of zero. It also serves a zero on the diagonal,
// from which it makes one at the end, with a zero beside it.
func (q *bidiagonalQR[T]) sweepZero(lo, hi int) {
	d, e := q.d, q.e
	c, oldC, oldS := T(1), T(1), T(0)
	for i := lo; i < hi; i++ {
		var s, r T
		c, s, r = rotation(T(d[i]*c), e[i])
		if i > lo {
			e[i-1] = T(oldS * r)
		}
		q.kern.Rot(c, s, q.vt.Row(i), q.vt.Row(i+1))
		oldC, oldS, d[i] = rotation(T(oldC*r), T(d[i+1]*s))
		q.rotateLeft(i, oldC, oldS)
	}
	h := T(d[hi] * c)
	d[hi] = T(h * oldC)
	e[hi-1] = T(h * oldS)
}

// rotation returns c and s with c² + s² = 1 and r such that c·f + s·g = r and
// c·g − s·f = 0.
func rotation[T Float](f, g T) (c, s, r T) {
	if g == 0 {
		return 1, 0, f
	}
	if f == 0 {
		return 0, 1, g
	}
	scale := T(1)
	for m := max(magnitude(f), magnitude(g)); m < rootTiny[T](); m = T(m * (1 / rootTiny[T]())) {
		f, g = T(f*(1/rootTiny[T]())), T(g*(1/rootTiny[T]()))
		scale = T(scale * rootTiny[T]())
	}
	r = root(asm.FMA(f, f, T(g*g)))
	return f / r, g / r, T(r * scale)
}

// leastSingular returns the smaller singular value of the triangle f g; 0 h,
// without overflow or underflow on the way (LAPACK's las2).
func leastSingular[T Float](f, g, h T) T {
	f, g, h = magnitude(f), magnitude(g), magnitude(h)
	low, high := min(f, h), max(f, h)
	if low == 0 {
		return 0
	}
	sum, diff := 1+T(low/high), T((high-low)/high)
	if g < high {
		q := T(g / high)
		q = T(q * q)
		return T(low * T(2/(root(asm.FMA(sum, sum, q))+root(asm.FMA(diff, diff, q)))))
	}
	q := T(high / g)
	if q == 0 {
		return T(T(low*high) / g)
	}
	sum, diff = T(sum*q), T(diff*q)
	return T(2 * T(T(low*T(1/(root(asm.FMA(sum, sum, 1))+root(asm.FMA(diff, diff, 1)))))*q))
}

// roundoff returns ε/2, the unit roundoff.
func roundoff[T Float]() T {
	if unsafe.Sizeof(T(0)) == 4 {
		return 0x1p-24
	}
	return T(0x1p-53)
}

// rootTiny returns a power of two whose square is normal, with room below for
// what is lost when squares of smaller numbers are added to it.
func rootTiny[T Float]() T {
	x := 0x1p-500
	if unsafe.Sizeof(T(0)) == 4 {
		x = 0x1p-50
	}
	return T(x)
}

func magnitude[T Float](x T) T { return T(math.Abs(float64(x))) }

func root[T Float](x T) T { return T(math.Sqrt(float64(x))) } // float32: exact, 53 ≥ 2·24+2
