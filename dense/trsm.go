package dense

import "gonum.org/v1/gonum/blas"

// Trsm solves op(A)·X = alpha·B (side Left) or X·op(A) = alpha·B (side Right) for
// X, which overwrites b. a is triangular: only the triangle uplo is read, with
// diag Unit not even its diagonal, which is then taken to be ones.
//
// Shapes: b is m×n, a is m×m (Left) or n×n (Right). b must not overlap a.
// Cost: m²n or mn² flops. Workspace: TrsmWork(side, m, n, threads).
// With alpha == 0, b becomes zero and neither is read.
// Singularity is not tested for: a zero on the diagonal gives infinities and NaN,
// as a division does.
// Accuracy: each column (row) x of X is the solution for a triangle perturbed by
// no more than k·ε·|A|, k the order, to first order (Higham 2002, theorem 8.5,
// with one more rounding for the reciprocals of the diagonal).
func Trsm[T Float](side blas.Side, uplo blas.Uplo, trans blas.Transpose, diag blas.Diag, alpha T, a, b Matrix[T], o *Opts[T]) {
	const op = "Trsm"
	t := newTriangular(op, side, uplo, trans, diag, alpha, &a, &b)
	t.solve = true
	t.run(op, o)
}

// TrsmWork returns the length of the workspace of Trsm for an m×n matrix b on
// the given number of threads.
func TrsmWork[T Float](side blas.Side, m, n, threads int) int {
	return triangularWork[T]("TrsmWork", side, m, n, threads)
}
