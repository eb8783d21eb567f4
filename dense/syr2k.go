package dense

import (
	"fmt"
	"unsafe"

	"gonum.org/v1/gonum/blas"
)

// Syr2k computes one triangle of C = alpha·(A·Bᵀ + B·Aᵀ) + beta·C, or with trans of
// C = alpha·(Aᵀ·B + Bᵀ·A) + beta·C; the other triangle is neither read nor written.
//
// Shapes: a and b are n×k (k×n with trans), c is n×n and must not overlap them.
// Cost: 2n²k flops. Workspace: Syr2kWork(trans, n, k, threads).
// With beta == 0 c is not read; with alpha == 0, a and b are not read.
// Each element has the bits of two calls of Gemm: the first product with beta,
// then the second one with 1.
func Syr2k[T Float](uplo blas.Uplo, trans blas.Transpose, alpha T, a, b Matrix[T], beta T, c Matrix[T], o *Opts[T]) {
	const op = "Syr2k"
	tri := triangleOf(op, uplo)
	n, k, taken := a.Rows, a.Cols, transposed(op, trans)
	if taken {
		n, k = k, n
	}
	a.check(op, "a")
	b.check(op, "b")
	c.check(op, "c")
	if b.Rows != a.Rows || b.Cols != a.Cols || c.Rows != n || c.Cols != n {
		panic(fmt.Sprintf("dense: Syr2k: a is %s, b is %s, c is %dx%d", shapeOf(a, taken), shapeOf(b, taken), c.Rows, c.Cols))
	}
	checkApart(op, &c, "c", &a, "a")
	checkApart(op, &c, "c", &b, "b")
	g := product[T]{
		m: n, n: n, k: k, alpha: alpha, beta: beta, tri: tri,
		a: operandOf(&a, taken), b: operandOf(&b, !taken),
		c: unsafe.SliceData(c.Data), ldc: c.Stride,
	}
	g.run(op, o)
	if alpha == 0 || k == 0 {
		return
	}
	g.beta = 1
	g.a, g.b = operandOf(&b, taken), operandOf(&a, !taken)
	g.run(op, o)
}

// Syr2kWork returns the length of the workspace of Syr2k for an n×n result with
// inner dimension k on the given number of threads.
func Syr2kWork[T Float](trans blas.Transpose, n, k, threads int) int {
	return SyrkWork[T](trans, n, k, threads)
}
