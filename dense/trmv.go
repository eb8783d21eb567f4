package dense

import (
	"fmt"

	"github.com/precond-go/precond/asm"
	"gonum.org/v1/gonum/blas"
)

// Trmv computes x = op(A)·x for the triangular matrix A that is given by the
// triangle uplo of a, with ones on its diagonal if diag says so. The other
// triangle is not read, nor is a unit diagonal.
//
// Shapes: a is n×n, x has n elements and must not overlap a. It runs on one thread
// and does not use Opts. Cost: n² flops, one pass over the triangle.
// Order: without a transpose, x_i = fma(a_ii, x_i, Dot) where Dot is over the rest
// of row i; with one, row by row x_j takes fma(x_i, a_ij, x_j).
func Trmv[T Float](uplo blas.Uplo, trans blas.Transpose, diag blas.Diag, a Matrix[T], x []T, _ *Opts[T]) {
	t, step := newTriangularRow("Trmv", uplo, trans, diag, &a, x)
	n := len(x)
	// Rows are taken such that what a row needs of x has not been overwritten.
	if step < 0 {
		for i := n - 1; i >= 0; i-- {
			t.multiply(i)
		}
		return
	}
	for i := range n {
		t.multiply(i)
	}
}

// Trsv solves op(A)·x = b in place of b, for the triangular matrix A that is given
// by the triangle uplo of a, with ones on its diagonal if diag says so. The other
// triangle is not read, nor is a unit diagonal. There is no test for singularity:
// a zero on the diagonal gives Inf or NaN.
//
// Shapes: a is n×n, x has n elements and must not overlap a. It runs on one thread
// and does not use Opts. Cost: n² flops, one pass over the triangle.
// Order: without a transpose, x_i = (x_i − Dot)/a_ii where Dot is over the rest of
// row i; with one, x_i = x_i/a_ii, and then x_j takes fma(−x_i, a_ij, x_j).
// Accuracy: the computed x solves a system whose matrix differs from A by at most
// (n + 2)·ε·|A|, element by element, to first order (Higham 2002, theorem 8.5).
func Trsv[T Float](uplo blas.Uplo, trans blas.Transpose, diag blas.Diag, a Matrix[T], x []T, _ *Opts[T]) {
	t, step := newTriangularRow("Trsv", uplo, trans, diag, &a, x)
	n := len(x)
	if step > 0 { // the reverse of a product
		for i := n - 1; i >= 0; i-- {
			t.solve(i)
		}
		return
	}
	for i := range n {
		t.solve(i)
	}
}

// triangularRow is a row step of a product with, or solution by, a triangle. Rows
// are not cut into chunks: they only get long in matrices of many gigabytes.
type triangularRow[T Float] struct {
	k                  *asm.Kernels[T]
	a                  Matrix[T]
	x                  []T
	lower, trans, unit bool
}

// newTriangularRow checks the arguments of Trmv and Trsv. It returns their row step, and
// whether a product takes the rows up (1) or down (−1).
func newTriangularRow[T Float](op string, uplo blas.Uplo, trans blas.Transpose, diag blas.Diag, a *Matrix[T], x []T) (triangularRow[T], int) {
	t := triangularRow[T]{asm.For[T](), *a, x, lower(op, uplo), transposed(op, trans), unit(op, diag)}
	a.check(op, "a")
	if a.Rows != a.Cols || len(x) != a.Rows {
		panic(fmt.Sprintf("dense: %s: a is %dx%d, x has %d elements", op, a.Rows, a.Cols, len(x)))
	}
	xm := rowVector(x)
	checkApart(op, &xm, "x", a, "a")
	if t.lower == t.trans {
		return t, 1
	}
	return t, -1
}

// row returns the diagonal element of row i, the elements of its triangle beside
// that, and the elements of x that these meet.
func (t *triangularRow[T]) row(i int) (d T, row, x []T) {
	r := t.a.Data[i*t.a.Stride : i*t.a.Stride+len(t.x)]
	if t.lower {
		row, x = r[:i], t.x[:i]
	} else {
		row, x = r[i+1:], t.x[i+1:]
	}
	if t.unit {
		return 1, row, x
	}
	return r[i], row, x
}

func (t *triangularRow[T]) multiply(i int) {
	d, row, x := t.row(i)
	if t.trans {
		t.k.Axpy(t.x[i], row, x)
		t.x[i] = T(d * t.x[i])
		return
	}
	t.x[i] = asm.FMA(d, t.x[i], t.k.Dot(row, x))
}

func (t *triangularRow[T]) solve(i int) {
	d, row, x := t.row(i)
	if t.trans {
		v := t.x[i] / d
		t.x[i] = v
		t.k.Axpy(-v, row, x)
		return
	}
	t.x[i] = (t.x[i] - t.k.Dot(row, x)) / d
}
