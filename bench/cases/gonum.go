package cases

import (
	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
)

// gonumBLAS names gonum's routines for one element type.
type gonumBLAS[T dense.Float] struct {
	dot   func(n int, x []T, incX int, y []T, incY int) T
	asum  func(n int, x []T, incX int) T
	iamax func(n int, x []T, incX int) int
	axpy  func(n int, alpha T, x []T, incX int, y []T, incY int)
	scal  func(n int, alpha T, x []T, incX int)
	gemv  func(tA blas.Transpose, m, n int, alpha T, a []T, lda int, x []T, incX int, beta T, y []T, incY int)
	ger   func(m, n int, alpha T, x []T, incX int, y []T, incY int, a []T, lda int)
	symv  func(ul blas.Uplo, n int, alpha T, a []T, lda int, x []T, incX int, beta T, y []T, incY int)
	gemm  func(tA, tB blas.Transpose, m, n, k int, alpha T, a []T, lda int, b []T, ldb int, beta T, c []T, ldc int)
	syrk  func(ul blas.Uplo, tA blas.Transpose, n, k int, alpha T, a []T, lda int, beta T, c []T, ldc int)
	syr2k func(ul blas.Uplo, tA blas.Transpose, n, k int, alpha T, a []T, lda int, b []T, ldb int, beta T, c []T, ldc int)
	symm  func(s blas.Side, ul blas.Uplo, m, n int, alpha T, a []T, lda int, b []T, ldb int, beta T, c []T, ldc int)
	trmm  func(s blas.Side, ul blas.Uplo, tA blas.Transpose, d blas.Diag, m, n int, alpha T, a []T, lda int, b []T, ldb int)
	trsm  func(s blas.Side, ul blas.Uplo, tA blas.Transpose, d blas.Diag, m, n int, alpha T, a []T, lda int, b []T, ldb int)
}

var impl gonum.Implementation

var gonum32 = gonumBLAS[float32]{
	impl.Sdot, impl.Sasum, impl.Isamax, impl.Saxpy, impl.Sscal,
	impl.Sgemv, impl.Sger, impl.Ssymv,
	impl.Sgemm, impl.Ssyrk, impl.Ssyr2k, impl.Ssymm, impl.Strmm, impl.Strsm,
}

var gonum64 = gonumBLAS[float64]{
	impl.Ddot, impl.Dasum, impl.Idamax, impl.Daxpy, impl.Dscal,
	impl.Dgemv, impl.Dger, impl.Dsymv,
	impl.Dgemm, impl.Dsyrk, impl.Dsyr2k, impl.Dsymm, impl.Dtrmm, impl.Dtrsm,
}

func gonumOf[T dense.Float]() *gonumBLAS[T] {
	if g, ok := any(&gonum32).(*gonumBLAS[T]); ok {
		return g
	}
	return any(&gonum64).(*gonumBLAS[T])
}
