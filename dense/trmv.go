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
	const op = "Trmv"
	isLower, taken, isUnit := lower(op, uplo), transposed(op, trans), unit(op, diag)
	checkTriangular(op, &a, x)
	asm.Trmv(asm.For[T](), isLower, taken, isUnit, len(x), a.Data, a.Stride, x)
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
	const op = "Trsv"
	isLower, taken, isUnit := lower(op, uplo), transposed(op, trans), unit(op, diag)
	checkTriangular(op, &a, x)
	asm.Trsv(asm.For[T](), isLower, taken, isUnit, len(x), a.Data, a.Stride, x)
}

// checkTriangular checks the arguments of Trmv and Trsv.
func checkTriangular[T Float](op string, a *Matrix[T], x []T) {
	a.check(op, "a")
	if a.Rows != a.Cols || len(x) != a.Rows {
		panic(fmt.Sprintf("dense: %s: a is %dx%d, x has %d elements", op, a.Rows, a.Cols, len(x)))
	}
	xm := rowVector(x)
	checkApart(op, &xm, "x", a, "a")
}
