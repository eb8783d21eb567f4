package gonumblas

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
)

// gonums is what the banded and packed routines are forwarded to.
var gonums gonum.Implementation

// Dgbmv computes y = alpha·op(A)·x + beta·y for a banded A.
func (Implementation) Dgbmv(tA blas.Transpose, m, n, kL, kU int, alpha float64, a []float64, lda int, x []float64, incX int, beta float64, y []float64, incY int) {
	gonums.Dgbmv(tA, m, n, kL, kU, alpha, a, lda, x, incX, beta, y, incY)
}

// Dsbmv computes y = alpha·A·x + beta·y for a symmetric banded A.
func (Implementation) Dsbmv(ul blas.Uplo, n, k int, alpha float64, a []float64, lda int, x []float64, incX int, beta float64, y []float64, incY int) {
	gonums.Dsbmv(ul, n, k, alpha, a, lda, x, incX, beta, y, incY)
}

// Dtbmv computes x = op(A)·x for a triangular banded A.
func (Implementation) Dtbmv(ul blas.Uplo, tA blas.Transpose, d blas.Diag, n, k int, a []float64, lda int, x []float64, incX int) {
	gonums.Dtbmv(ul, tA, d, n, k, a, lda, x, incX)
}

// Dtbsv solves op(A)·x = b in place for a triangular banded A.
func (Implementation) Dtbsv(ul blas.Uplo, tA blas.Transpose, d blas.Diag, n, k int, a []float64, lda int, x []float64, incX int) {
	gonums.Dtbsv(ul, tA, d, n, k, a, lda, x, incX)
}

// Dspmv computes y = alpha·A·x + beta·y for a symmetric packed A.
func (Implementation) Dspmv(ul blas.Uplo, n int, alpha float64, ap []float64, x []float64, incX int, beta float64, y []float64, incY int) {
	gonums.Dspmv(ul, n, alpha, ap, x, incX, beta, y, incY)
}

// Dspr adds alpha·x·xᵀ to a symmetric packed A.
func (Implementation) Dspr(ul blas.Uplo, n int, alpha float64, x []float64, incX int, ap []float64) {
	gonums.Dspr(ul, n, alpha, x, incX, ap)
}

// Dspr2 adds alpha·x·yᵀ + alpha·y·xᵀ to a symmetric packed A.
func (Implementation) Dspr2(ul blas.Uplo, n int, alpha float64, x []float64, incX int, y []float64, incY int, ap []float64) {
	gonums.Dspr2(ul, n, alpha, x, incX, y, incY, ap)
}

// Dtpmv computes x = op(A)·x for a triangular packed A.
func (Implementation) Dtpmv(ul blas.Uplo, tA blas.Transpose, d blas.Diag, n int, ap []float64, x []float64, incX int) {
	gonums.Dtpmv(ul, tA, d, n, ap, x, incX)
}

// Dtpsv solves op(A)·x = b in place for a triangular packed A.
func (Implementation) Dtpsv(ul blas.Uplo, tA blas.Transpose, d blas.Diag, n int, ap []float64, x []float64, incX int) {
	gonums.Dtpsv(ul, tA, d, n, ap, x, incX)
}

// Sgbmv computes y = alpha·op(A)·x + beta·y for a banded A.
func (Implementation) Sgbmv(tA blas.Transpose, m, n, kL, kU int, alpha float32, a []float32, lda int, x []float32, incX int, beta float32, y []float32, incY int) {
	gonums.Sgbmv(tA, m, n, kL, kU, alpha, a, lda, x, incX, beta, y, incY)
}

// Ssbmv computes y = alpha·A·x + beta·y for a symmetric banded A.
func (Implementation) Ssbmv(ul blas.Uplo, n, k int, alpha float32, a []float32, lda int, x []float32, incX int, beta float32, y []float32, incY int) {
	gonums.Ssbmv(ul, n, k, alpha, a, lda, x, incX, beta, y, incY)
}

// Stbmv computes x = op(A)·x for a triangular banded A.
func (Implementation) Stbmv(ul blas.Uplo, tA blas.Transpose, d blas.Diag, n, k int, a []float32, lda int, x []float32, incX int) {
	gonums.Stbmv(ul, tA, d, n, k, a, lda, x, incX)
}

// Stbsv solves op(A)·x = b in place for a triangular banded A.
func (Implementation) Stbsv(ul blas.Uplo, tA blas.Transpose, d blas.Diag, n, k int, a []float32, lda int, x []float32, incX int) {
	gonums.Stbsv(ul, tA, d, n, k, a, lda, x, incX)
}

// Sspmv computes y = alpha·A·x + beta·y for a symmetric packed A.
func (Implementation) Sspmv(ul blas.Uplo, n int, alpha float32, ap []float32, x []float32, incX int, beta float32, y []float32, incY int) {
	gonums.Sspmv(ul, n, alpha, ap, x, incX, beta, y, incY)
}

// Sspr adds alpha·x·xᵀ to a symmetric packed A.
func (Implementation) Sspr(ul blas.Uplo, n int, alpha float32, x []float32, incX int, ap []float32) {
	gonums.Sspr(ul, n, alpha, x, incX, ap)
}

// Sspr2 adds alpha·x·yᵀ + alpha·y·xᵀ to a symmetric packed A.
func (Implementation) Sspr2(ul blas.Uplo, n int, alpha float32, x []float32, incX int, y []float32, incY int, ap []float32) {
	gonums.Sspr2(ul, n, alpha, x, incX, y, incY, ap)
}

// Stpmv computes x = op(A)·x for a triangular packed A.
func (Implementation) Stpmv(ul blas.Uplo, tA blas.Transpose, d blas.Diag, n int, ap []float32, x []float32, incX int) {
	gonums.Stpmv(ul, tA, d, n, ap, x, incX)
}

// Stpsv solves op(A)·x = b in place for a triangular packed A.
func (Implementation) Stpsv(ul blas.Uplo, tA blas.Transpose, d blas.Diag, n int, ap []float32, x []float32, incX int) {
	gonums.Stpsv(ul, tA, d, n, ap, x, incX)
}
