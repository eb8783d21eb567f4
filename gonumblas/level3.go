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

func syr2k[T dense.Float](ul blas.Uplo, tA blas.Transpose, n, k int, alpha T, a []T, lda int, b []T, ldb int, beta T, c []T, ldc int) {
	checkUplo(ul)
	checkTrans(tA)
	must(n >= 0, nLT0)
	must(k >= 0, kLT0)
	am, bm := matrix(tA, n, k, a, lda), matrix(tA, n, k, b, ldb)
	must(lda >= max(1, am.Cols), badLdA)
	must(ldb >= max(1, bm.Cols), badLdB)
	must(ldc >= max(1, n), badLdC)
	if n == 0 {
		return
	}
	must(fits(len(a), am.Rows, am.Cols, lda), shortA)
	must(fits(len(b), bm.Rows, bm.Cols, ldb), shortB)
	must(fits(len(c), n, n, ldc), shortC)
	dense.Syr2k(ul, tA, alpha, am, bm, beta, square(n, c, ldc), nil)
}

// order returns the order of the square factor on side s of an m×n matrix.
func order(s blas.Side, m, n int) int {
	if s == blas.Left {
		return m
	}
	return n
}

func symm[T dense.Float](s blas.Side, ul blas.Uplo, m, n int, alpha T, a []T, lda int, b []T, ldb int, beta T, c []T, ldc int) {
	checkSide(s)
	checkUplo(ul)
	must(m >= 0, mLT0)
	must(n >= 0, nLT0)
	k := order(s, m, n)
	must(lda >= max(1, k), badLdA)
	must(ldb >= max(1, n), badLdB)
	must(ldc >= max(1, n), badLdC)
	if m == 0 || n == 0 {
		return
	}
	must(fits(len(a), k, k, lda), shortA)
	must(fits(len(b), m, n, ldb), shortB)
	must(fits(len(c), m, n, ldc), shortC)
	if alpha == 0 && beta == 1 {
		return
	}
	bm, cm := matrix(blas.NoTrans, m, n, b, ldb), matrix(blas.NoTrans, m, n, c, ldc)
	dense.Symm(s, ul, alpha, square(k, a, lda), bm, beta, cm, nil)
}

// checkTriangularMatrix checks the arguments of trmm and trsm, and returns the
// order of a, 0 if there is nothing to do.
func checkTriangularMatrix(s blas.Side, ul blas.Uplo, tA blas.Transpose, d blas.Diag, m, n, lenA, lda, lenB, ldb int) int {
	checkSide(s)
	checkUplo(ul)
	checkTrans(tA)
	checkDiag(d)
	must(m >= 0, mLT0)
	must(n >= 0, nLT0)
	k := order(s, m, n)
	must(lda >= max(1, k), badLdA)
	must(ldb >= max(1, n), badLdB)
	if m == 0 || n == 0 {
		return 0
	}
	must(fits(lenA, k, k, lda), shortA)
	must(fits(lenB, m, n, ldb), shortB)
	return k
}

func trmm[T dense.Float](s blas.Side, ul blas.Uplo, tA blas.Transpose, d blas.Diag, m, n int, alpha T, a []T, lda int, b []T, ldb int) {
	if k := checkTriangularMatrix(s, ul, tA, d, m, n, len(a), lda, len(b), ldb); k > 0 {
		dense.Trmm(s, ul, tA, d, alpha, square(k, a, lda), matrix(blas.NoTrans, m, n, b, ldb), nil)
	}
}

func trsm[T dense.Float](s blas.Side, ul blas.Uplo, tA blas.Transpose, d blas.Diag, m, n int, alpha T, a []T, lda int, b []T, ldb int) {
	if k := checkTriangularMatrix(s, ul, tA, d, m, n, len(a), lda, len(b), ldb); k > 0 {
		dense.Trsm(s, ul, tA, d, alpha, square(k, a, lda), matrix(blas.NoTrans, m, n, b, ldb), nil)
	}
}
