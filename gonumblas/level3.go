package gonumblas

import (
	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/blas"
)

// matrix returns the r×c matrix in a, c×r if it is transposed.
func matrix[T dense.Float](trans blas.Transpose, r, c int, a []T, lda int) dense.Matrix[T] {
	if trans != blas.NoTrans {
		r, c = c, r
	}
	return dense.Matrix[T]{Rows: r, Cols: c, Stride: lda, Data: a}
}

func gemm[T dense.Float](tA, tB blas.Transpose, m, n, k int, alpha T, a []T, lda int, b []T, ldb int, beta T, c []T, ldc int) {
	checkTrans(tA)
	checkTrans(tB)
	must(m >= 0, mLT0)
	must(n >= 0, nLT0)
	must(k >= 0, kLT0)
	am, bm := matrix(tA, m, k, a, lda), matrix(tB, k, n, b, ldb)
	must(lda >= max(1, am.Cols), badLdA)
	must(ldb >= max(1, bm.Cols), badLdB)
	must(ldc >= max(1, n), badLdC)
	if m == 0 || n == 0 {
		return
	}
	must(fits(len(a), am.Rows, am.Cols, lda), shortA)
	must(fits(len(b), bm.Rows, bm.Cols, ldb), shortB)
	must(fits(len(c), m, n, ldc), shortC)
	if (alpha == 0 || k == 0) && beta == 1 {
		return
	}
	dense.Gemm(tA, tB, alpha, am, bm, beta, matrix(blas.NoTrans, m, n, c, ldc), nil)
}

func syrk[T dense.Float](ul blas.Uplo, tA blas.Transpose, n, k int, alpha T, a []T, lda int, beta T, c []T, ldc int) {
	checkUplo(ul)
	checkTrans(tA)
	must(n >= 0, nLT0)
	must(k >= 0, kLT0)
	am := matrix(tA, n, k, a, lda)
	must(lda >= max(1, am.Cols), badLdA)
	must(ldc >= max(1, n), badLdC)
	if n == 0 {
		return
	}
	must(fits(len(a), am.Rows, am.Cols, lda), shortA)
	must(fits(len(c), n, n, ldc), shortC)
	dense.Syrk(ul, tA, alpha, am, beta, square(n, c, ldc), nil)
}
