package gonumblas

import (
	"math"
	"unsafe"

	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/blas"
)

// rotg computes the Givens rotation with c·a + s·b = r and −s·a + c·b = 0, and z,
// from which c and s can be recovered. r has the sign of the larger of a and b;
// scaling by that keeps the squares from overflow and underflow.
//
// Source: Anderson, Algorithm 978: Safe scaling in the level 1 BLAS, ACM TOMS 44
// (2017); z as in Lawson, Hanson, Kincaid and Krogh, ACM TOMS 5 (1979).
func rotg[T dense.Float](a, b T) (c, s, r, z T) {
	switch {
	case b == 0:
		return 1, 0, a, 0
	case a == 0:
		return 0, 1, b, 1
	}
	smallest := 0x1p-1022
	if unsafe.Sizeof(a) == 4 {
		smallest = 0x1p-126
	}
	absA, absB := max(a, -a), max(b, -b)
	scale := min(max(T(smallest), absA, absB), T(1/smallest))
	u, v := a/scale, b/scale
	r = T(scale * T(math.Sqrt(float64(T(u*u)+T(v*v)))))
	if absA > absB && a < 0 || absA <= absB && b < 0 {
		r = -r
	}
	c, s = a/r, b/r
	switch {
	case absA > absB:
		z = s
	case c != 0:
		z = 1 / c
	default:
		z = 1
	}
	return c, s, r, z
}

// modified is a modified Givens transformation: the elements of H, column by
// column, of which the flag says which are not implied.
type modified[T dense.Float] struct {
	flag blas.Flag
	h    [4]T
}

// rotmg computes the modified Givens transformation that makes the second of
// √d1·x1 and √d2·y1 zero, and the new d1, d2 and x1. d1 and d2 are kept between
// 2⁻²⁴ and 2²⁴ by rescaling; a transformation that does not exist (d1 < 0, or a
// negative square) is given as the zero matrix with zero d1, d2 and x1.
//
// Source: Hopkins, Restructuring the BLAS Level 1 routine for computing the
// modified Givens transformation, ACM SIGNUM 32 (1997).
func rotmg[T dense.Float](d1, d2, x1, y1 T) (p modified[T], rd1, rd2, rx1 T) {
	const (
		scale = 4096
		upper = scale * scale
		lower = 1.0 / upper
	)
	none := modified[T]{flag: blas.Rescaling}
	if d1 < 0 {
		return none, 0, 0, 0
	}
	if d2 == 0 || y1 == 0 {
		return modified[T]{flag: blas.Identity}, d1, d2, x1
	}
	var h11, h21, h12, h22 T
	p1, p2 := T(d1*x1), T(d2*y1)
	q1, q2 := T(p1*x1), T(p2*y1)
	switch {
	case (d1 == 0 || x1 == 0) && d2 > 0: // exchange
		p.flag = blas.Diagonal
		h12, h21 = 1, -1
		d1, d2, x1 = d2, d1, y1
	case max(q1, -q1) > max(q2, -q2):
		p.flag = blas.OffDiagonal
		h11, h22 = 1, 1
		h21, h12 = -y1/x1, p2/p1
		u := 1 - T(h12*h21)
		if u <= 0 {
			return none, 0, 0, 0
		}
		d1, d2, x1 = d1/u, d2/u, T(x1*u)
	case q2 < 0:
		return none, 0, 0, 0
	default:
		p.flag = blas.Diagonal
		h12, h21 = 1, -1
		h11, h22 = p1/p2, x1/y1
		u := 1 + T(h11*h22)
		d1, d2, x1 = d2/u, d1/u, T(y1*u)
	}
	for d1 != 0 && d1 <= lower {
		p.flag = blas.Rescaling
		d1 = T(T(d1*scale) * scale)
		x1, h11, h12 = x1/scale, h11/scale, h12/scale
	}
	for d1 > upper {
		p.flag = blas.Rescaling
		d1 = d1 / scale / scale
		x1, h11, h12 = T(x1*scale), T(h11*scale), T(h12*scale)
	}
	for d2 != 0 && max(d2, -d2) <= lower {
		p.flag = blas.Rescaling
		d2 = T(T(d2*scale) * scale)
		h21, h22 = h21/scale, h22/scale
	}
	for max(d2, -d2) > upper {
		p.flag = blas.Rescaling
		d2 = d2 / scale / scale
		h21, h22 = T(h21*scale), T(h22*scale)
	}
	switch p.flag {
	case blas.Diagonal:
		p.h = [4]T{0: h11, 3: h22}
	case blas.OffDiagonal:
		p.h = [4]T{1: h21, 2: h12}
	default:
		p.h = [4]T{h11, h21, h12, h22}
	}
	return p, d1, d2, x1
}

// rotm applies a modified Givens transformation.
func rotm[T dense.Float](n int, x []T, incX int, y []T, incY int, p modified[T]) {
	if !checkPair(n, len(x), incX, len(y), incY) {
		return
	}
	h := p.h
	switch p.flag {
	case blas.Identity:
		return
	case blas.Rescaling:
	case blas.OffDiagonal:
		h[0], h[3] = 1, 1
	case blas.Diagonal:
		h[1], h[2] = -1, 1
	default:
		panic(badFlag)
	}
	ix, iy := first(n, incX), first(n, incY)
	for range n {
		u, v := x[ix], y[iy]
		x[ix] = T(h[0]*u) + T(h[2]*v)
		y[iy] = T(h[1]*u) + T(h[3]*v)
		ix += incX
		iy += incY
	}
}
