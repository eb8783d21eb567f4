package dense

import (
	"fmt"
	"math"

	"github.com/precond-go/precond/asm"
	"gonum.org/v1/gonum/blas"
)

// CholeskyUpdate replaces the factor that [Cholesky] left in the triangle uplo of a by that
// of A + X·Xᵀ. The other triangle is neither read nor written, nor is x written.
//
// Shapes: a is n×n, x is n×k and must not overlap a. Cost: 3n²k flops, one pass over the
// triangle, two more if it is the lower. It runs on one thread.
// Workspace: CholeskyUpdateWork(n, k).
// Order: row by row of U, one plane rotation for each column of x, the first column first.
// Accuracy: the result is that of a factor perturbed by c·k·n·ε·‖A + XXᵀ‖ (Stewart 1979).
func CholeskyUpdate[T Float](uplo blas.Uplo, a, x Matrix[T], o *Opts[T]) {
	t, buf := newFactorChange("CholeskyUpdate", uplo, &a, &x, o)
	for i := range t.n {
		row := t.u.Row(i)
		for c := range x.Cols {
			v := t.x.Row(c)
			cs, sn, r := planeRotation(row[i], v[i])
			row[i] = r
			eachChunk(i+1, t.n, func(lo, hi int) { t.kern.Rot(cs, sn, row[lo:hi], v[lo:hi]) })
		}
	}
	t.end(a, buf)
}

// CholeskyUpdateWork returns the length of the workspace of CholeskyUpdate and
// CholeskyDowndate for a matrix of order n and k columns.
func CholeskyUpdateWork[T Float](n, k int) int {
	return roundUp((k+1)*n, alignSlack[T]()) + n*n + alignSlack[T]()
}

// CholeskyDowndate replaces the factor that [Cholesky] left in the triangle uplo of a by
// that of A − X·Xᵀ, one column of x after the other. The other triangle is neither read nor
// written, nor is x written.
//
// Shapes: a is n×n, x is n×k and must not overlap a. Cost: 4n²k flops. It runs on one
// thread. Workspace: CholeskyUpdateWork(n, k).
// Errors: *NotPositiveDefiniteError, whose Pivot is the column of x with which the
// matrix would cease to be definite. a then holds the factor with the columns before it
// taken away; with one column it is unchanged.
// Accuracy: as good as the downdated matrix is conditioned (Stewart 1979).
// Source: LINPACK's xCHDD (Dongarra et al. 1979, chapter 10).
func CholeskyDowndate[T Float](uplo blas.Uplo, a, x Matrix[T], o *Opts[T]) error {
	t, buf := newFactorChange("CholeskyDowndate", uplo, &a, &x, o)
	for c := range x.Cols {
		q := t.x.Row(c)
		Trsv(blas.Upper, blas.Trans, blas.NonUnit, t.u, q, nil)
		norm := Nrm2(q, nil)
		left := T((1 - norm) * (1 + norm)) // 1 − ‖q‖², the share of the determinant that is left
		if !(left > 0) {
			t.end(a, buf)
			return &NotPositiveDefiniteError{Pivot: c}
		}
		alpha := T(math.Sqrt(float64(left)))
		clear(t.z)
		for i := t.n - 1; i >= 0; i-- {
			var cs, sn T
			cs, sn, alpha = planeRotation(alpha, q[i])
			row := t.u.Row(i)
			eachChunk(i, t.n, func(lo, hi int) { t.kern.Rot(cs, sn, t.z[lo:hi], row[lo:hi]) })
		}
	}
	t.end(a, buf)
	return nil
}

// factorChange is one call of CholeskyUpdate or CholeskyDowndate, on an upper triangle.
type factorChange[T Float] struct {
	kern  *asm.Kernels[T]
	n     int
	lower bool
	u     Matrix[T]
	x     Matrix[T] // the columns of x in rows
	z     []T
}

func newFactorChange[T Float](op string, uplo blas.Uplo, a, x *Matrix[T], o *Opts[T]) (factorChange[T], *buffer[T]) {
	t := factorChange[T]{kern: asm.For[T](), n: a.Rows, lower: lower(op, uplo), u: *a}
	checkSquare(op, "a", a)
	x.check(op, "x")
	if x.Rows != a.Rows {
		panic(fmt.Sprintf("dense: %s: a is %dx%d, x is %dx%d", op, a.Rows, a.Cols, x.Rows, x.Cols))
	}
	checkApart(op, x, "x", a, "a")
	n, k := t.n, x.Cols
	w, buf := scratch(o, op, CholeskyUpdateWork[T](n, k)-alignSlack[T]())
	rows, square := cut(w, (k+1)*n)
	t.x = Matrix[T]{Rows: k, Cols: n, Stride: max(1, n), Data: rows[:k*n]}
	t.z = rows[k*n : (k+1)*n]
	if n > 0 && k > 0 {
		transposeTiles(t.kern, *x, t.x)
		if t.lower {
			t.u = Matrix[T]{Rows: n, Cols: n, Stride: n, Data: square[:n*n]}
			moveLower(t.kern, *a, t.u, true)
		}
	}
	return t, buf
}

// end writes a lower triangle back and gives the workspace back.
func (t *factorChange[T]) end(a Matrix[T], buf *buffer[T]) {
	if t.lower && t.n > 0 && t.x.Rows > 0 {
		moveLower(t.kern, a, t.u, false)
	}
	release(buf)
}

// planeRotation returns c, s and r with c·x + s·y = r = √(x² + y²), without overflow on the
// way. It is the identity for x = y = 0.
func planeRotation[T Float](x, y T) (c, s, r T) {
	larger, smaller := magnitude(x), magnitude(y)
	if smaller > larger {
		larger, smaller = smaller, larger
	}
	if larger == 0 {
		return 1, 0, 0
	}
	q := smaller / larger
	r = T(larger * T(math.Sqrt(float64(1+T(q*q)))))
	return x / r, y / r, r
}
