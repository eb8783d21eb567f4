package dense

import (
	"fmt"
	"unsafe"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/internal/par"
	"gonum.org/v1/gonum/blas"
)

// Syrk computes one triangle of C = alpha·A·Aᵀ + beta·C, or with trans of
// C = alpha·Aᵀ·A + beta·C; the other triangle is neither read nor written.
//
// Shapes: a is n×k (k×n with trans), c is n×n and must not overlap a.
// Cost: n²k flops. Workspace: SyrkWork(trans, n, k, threads).
// Each element has the bits that Gemm gives it for the same alpha and beta.
func Syrk[T Float](uplo blas.Uplo, trans blas.Transpose, alpha T, a Matrix[T], beta T, c Matrix[T], o *Opts[T]) {
	const op = "Syrk"
	tri := triangleOf(op, uplo)
	n, k, taken := a.Rows, a.Cols, transposed(op, trans)
	if taken {
		n, k = k, n
	}
	a.check(op, "a")
	c.check(op, "c")
	if c.Rows != n || c.Cols != n {
		panic(fmt.Sprintf("dense: Syrk: a is %s, c is %dx%d", shapeOf(a, taken), c.Rows, c.Cols))
	}
	checkApart(op, &c, "c", &a, "a")
	g := product[T]{
		m: n, n: n, k: k, alpha: alpha, beta: beta, tri: tri,
		a: operandOf(&a, taken), b: operandOf(&a, !taken),
		c: unsafe.SliceData(c.Data), ldc: c.Stride,
	}
	g.run(op, o)
}

// SyrkWork returns the length of the workspace of Syrk for an n×n result with
// inner dimension k on the given number of threads.
func SyrkWork[T Float](trans blas.Transpose, n, k, threads int) int {
	g := product[T]{kern: asm.For[T](), m: n, n: n, k: k, tri: lowerTriangle}
	rows, cols := operand[T]{cs: 1}, operand[T]{rs: 1}
	g.a, g.b = rows, cols
	if transposed("SyrkWork", trans) {
		g.a, g.b = cols, rows
	}
	g.plan(par.Threads(threads))
	return g.workspace()
}

func triangleOf(op string, u blas.Uplo) triangle {
	if lower(op, u) {
		return lowerTriangle
	}
	return upperTriangle
}
