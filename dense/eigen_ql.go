package dense

import (
	"math"
	"unsafe"

	"github.com/precond-go/precond/asm"
)

// qlSweeps bounds the number of QL sweeps, as a multiple of the order.
const qlSweeps = 30

// qlPatience is the number of sweeps for one eigenvalue after which it is taken as it is
// if its error is small beside the norm.
const qlPatience = 8

// implicitQL computes the eigenvalues of a small tridiagonal matrix, diagonal d and
// off-diagonal e of at most about 1, by the implicit QL algorithm with Wilkinson's shift. d is
// overwritten by them, in no particular order; e is destroyed and has an element more
// than are used. The rows of q take the rotations: if they were those of the identity
// they become the eigenvectors.
//
// It works in float64 for either type: eigenvalues are in error by a few ε times
// the root of the number of rotations, which is more than all other steps of a
// decomposition have. It returns whether qlSweeps·n sweeps were enough.
// Source: Bowdler, Martin, Reinsch, Wilkinson, Numer. Math. 11 (1968).
func implicitQL[T Float](k *asm.Kernels[T], d, e []float64, q Matrix[T]) bool {
	n := len(d)
	e[n-1] = 0
	norm := 0.
	for i := range n {
		norm = max(norm, math.Abs(d[i]), math.Abs(e[i]))
	}
	sweeps := 0
	for l := range n {
		for tries := 0; ; tries++ {
			// Elements that are small beside their neighbours on the diagonal end the
			// search, which is good for graded matrices; those that will not become so are
			// compared with the norm.
			least := 0.
			if tries >= qlPatience {
				least = 0x1p-53 * norm // exact
			}
			m := l
			for m < n-1 && math.Abs(e[m]) > least && !negligible(e[m], d[m], d[m+1]) {
				m++
			}
			if m == l {
				break
			}
			if sweeps == qlSweeps*n {
				return false
			}
			sweeps++
			qlSweep(k, d, e, q, l, m)
		}
	}
	return true
}

// negligible returns whether an off-diagonal element between two diagonal ones can
// be set to zero: e² ≤ u²·|d0|·|d1|. Elements are at most about 1, so that an e whose
// square underflows is negligible in any case.
func negligible(e, d0, d1 float64) bool {
	return float64(e*e) <= float64(float64(0x1p-106*math.Abs(d0))*math.Abs(d1))
}

// qlSweep does one implicit QL step on rows l to m.
func qlSweep[T Float](k *asm.Kernels[T], d, e []float64, q Matrix[T], l, m int) {
	g := (d[l+1] - d[l]) / float64(2*e[l])
	r := hypotenuse(g, 1)
	g = d[m] - d[l] + e[l]/(g+math.Copysign(r, g))
	s, c, p := 1., 1., 0.
	for i := m - 1; i >= l; i-- {
		f, b := float64(s*e[i]), float64(c*e[i])
		if square := float64(f*f) + float64(g*g); square > 0x1p-900 {
			r = math.Sqrt(square)
		} else {
			r = hypotenuse(f, g)
		}
		e[i+1] = r
		if r == 0 { // the matrix splits
			d[i+1] -= p
			e[m] = 0
			return
		}
		s, c = f/r, g/r
		g = d[i+1] - p
		t := float64((d[i]-g)*s) + float64(float64(2*c)*b)
		p = float64(s * t)
		d[i+1] = g + p
		g = float64(c*t) - b
		lower, upper := i*q.Stride, (i+1)*q.Stride
		k.Rot(T(c), T(s), q.Data[upper:upper+q.Cols], q.Data[lower:lower+q.Cols])
	}
	d[l] -= p
	e[l] = g
	e[m] = 0
}

// hypotenuse returns √(x² + y²) without overflow or underflow of the squares.
func hypotenuse(x, y float64) float64 {
	if s := float64(x*x) + float64(y*y); s > 0x1p-900 && s < 0x1p1000 {
		return math.Sqrt(s)
	}
	scale := toUnit(max(math.Abs(x), math.Abs(y)))
	x, y = float64(x*scale), float64(y*scale)
	return math.Sqrt(float64(x*x)+float64(y*y)) / scale
}

// unitRoundoff returns half the distance from 1 to the next larger number.
func unitRoundoff[T Float]() T {
	if unsafe.Sizeof(T(0)) == 4 {
		return 0x1p-24
	}
	return 0x1p-53
}
