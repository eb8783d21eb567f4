package dense

import "gonum.org/v1/gonum/blas"

// Trmm computes B = alpha·op(A)·B (side Left) or B = alpha·B·op(A) (side Right) in
// place. a is triangular: only the triangle uplo is read, with diag Unit not
// even its diagonal, which is then taken to be ones.
//
// Shapes: b is m×n, a is m×m (Left) or n×n (Right). b must not overlap a.
// Cost: m²n or mn² flops. Workspace: TrmmWork(side, m, n, threads).
// With alpha == 0, b becomes zero and neither is read.
// Accuracy: as Gemm, with the sums that the triangle has.
func Trmm[T Float](side blas.Side, uplo blas.Uplo, trans blas.Transpose, diag blas.Diag, alpha T, a, b Matrix[T], o *Opts[T]) {
	const op = "Trmm"
	t := newTriangular(op, side, uplo, trans, diag, alpha, &a, &b)
	t.run(op, o)
}

// TrmmWork returns the length of the workspace of Trmm for an m×n matrix b on
// the given number of threads.
func TrmmWork[T Float](side blas.Side, m, n, threads int) int {
	return triangularWork[T]("TrmmWork", side, m, n, threads)
}
