package gonumblas

import "gonum.org/v1/gonum/blas"

// Ddot returns Σ x_i·y_i.
func (Implementation) Ddot(n int, x []float64, incX int, y []float64, incY int) float64 {
	return dot(n, x, incX, y, incY)
}

// Dnrm2 returns √Σ x_i², without undue overflow or underflow; 0 if incX < 0.
func (Implementation) Dnrm2(n int, x []float64, incX int) float64 {
	return nrm2(n, x, incX)
}

// Dasum returns Σ |x_i|; 0 if incX < 0.
func (Implementation) Dasum(n int, x []float64, incX int) float64 {
	return asum(n, x, incX)
}

// Idamax returns the first index of the largest |x_i|; −1 if n is 0 or incX < 0.
func (Implementation) Idamax(n int, x []float64, incX int) int {
	return iamax(n, x, incX)
}

// Dswap exchanges x and y.
func (Implementation) Dswap(n int, x []float64, incX int, y []float64, incY int) {
	swap(n, x, incX, y, incY)
}

// Dcopy copies x to y.
func (Implementation) Dcopy(n int, x []float64, incX int, y []float64, incY int) {
	copyVector(n, x, incX, y, incY)
}

// Daxpy adds alpha·x to y.
func (Implementation) Daxpy(n int, alpha float64, x []float64, incX int, y []float64, incY int) {
	axpy(n, alpha, x, incX, y, incY)
}

// Drotg computes a Givens rotation.
func (Implementation) Drotg(a, b float64) (c, s, r, z float64) {
	return rotg(a, b)
}

// Drotmg computes a modified Givens transformation.
func (Implementation) Drotmg(d1, d2, x1, y1 float64) (p blas.DrotmParams, rd1, rd2, rx1 float64) {
	q, rd1, rd2, rx1 := rotmg(d1, d2, x1, y1)
	return blas.DrotmParams{Flag: q.flag, H: q.h}, rd1, rd2, rx1
}

// Drot applies the rotation x, y = c·x + s·y, c·y − s·x.
func (Implementation) Drot(n int, x []float64, incX int, y []float64, incY int, c, s float64) {
	rot(n, x, incX, y, incY, c, s)
}

// Drotm applies a modified Givens transformation to x and y.
func (Implementation) Drotm(n int, x []float64, incX int, y []float64, incY int, p blas.DrotmParams) {
	rotm(n, x, incX, y, incY, modified[float64]{p.Flag, p.H})
}

// Dscal multiplies x by alpha; nothing happens if incX < 0.
func (Implementation) Dscal(n int, alpha float64, x []float64, incX int) {
	scal(n, alpha, x, incX)
}

// Dgemv computes y = alpha·op(A)·x + beta·y.
func (Implementation) Dgemv(tA blas.Transpose, m, n int, alpha float64, a []float64, lda int, x []float64, incX int, beta float64, y []float64, incY int) {
	gemv(tA, m, n, alpha, a, lda, x, incX, beta, y, incY)
}

// Dger adds alpha·x·yᵀ to A.
func (Implementation) Dger(m, n int, alpha float64, x []float64, incX int, y []float64, incY int, a []float64, lda int) {
	ger(m, n, alpha, x, incX, y, incY, a, lda)
}

// Dsymv computes y = alpha·A·x + beta·y for a symmetric A.
func (Implementation) Dsymv(ul blas.Uplo, n int, alpha float64, a []float64, lda int, x []float64, incX int, beta float64, y []float64, incY int) {
	symv(ul, n, alpha, a, lda, x, incX, beta, y, incY)
}

// Dsyr adds alpha·x·xᵀ to a triangle of A.
func (Implementation) Dsyr(ul blas.Uplo, n int, alpha float64, x []float64, incX int, a []float64, lda int) {
	syr(ul, n, alpha, x, incX, a, lda)
}

// Dsyr2 adds alpha·x·yᵀ + alpha·y·xᵀ to a triangle of A.
func (Implementation) Dsyr2(ul blas.Uplo, n int, alpha float64, x []float64, incX int, y []float64, incY int, a []float64, lda int) {
	syr2(ul, n, alpha, x, incX, y, incY, a, lda)
}

// Dtrmv computes x = op(A)·x for a triangular A.
func (Implementation) Dtrmv(ul blas.Uplo, tA blas.Transpose, d blas.Diag, n int, a []float64, lda int, x []float64, incX int) {
	trmv(ul, tA, d, n, a, lda, x, incX)
}

// Dtrsv solves op(A)·x = b in place for a triangular A.
func (Implementation) Dtrsv(ul blas.Uplo, tA blas.Transpose, d blas.Diag, n int, a []float64, lda int, x []float64, incX int) {
	trsv(ul, tA, d, n, a, lda, x, incX)
}

// Dgemm computes C = alpha·op(A)·op(B) + beta·C.
func (Implementation) Dgemm(tA, tB blas.Transpose, m, n, k int, alpha float64, a []float64, lda int, b []float64, ldb int, beta float64, c []float64, ldc int) {
	gemm(tA, tB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
}

// Dsymm computes C = alpha·A·B + beta·C or alpha·B·A + beta·C for a symmetric A.
func (Implementation) Dsymm(s blas.Side, ul blas.Uplo, m, n int, alpha float64, a []float64, lda int, b []float64, ldb int, beta float64, c []float64, ldc int) {
	symm(s, ul, m, n, alpha, a, lda, b, ldb, beta, c, ldc)
}

// Dsyrk computes a triangle of C = alpha·A·Aᵀ + beta·C or alpha·Aᵀ·A + beta·C.
func (Implementation) Dsyrk(ul blas.Uplo, tA blas.Transpose, n, k int, alpha float64, a []float64, lda int, beta float64, c []float64, ldc int) {
	syrk(ul, tA, n, k, alpha, a, lda, beta, c, ldc)
}

// Dsyr2k computes a triangle of C = alpha·(A·Bᵀ + B·Aᵀ) + beta·C or
// alpha·(Aᵀ·B + Bᵀ·A) + beta·C.
func (Implementation) Dsyr2k(ul blas.Uplo, tA blas.Transpose, n, k int, alpha float64, a []float64, lda int, b []float64, ldb int, beta float64, c []float64, ldc int) {
	syr2k(ul, tA, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
}

// Dtrmm computes B = alpha·op(A)·B or alpha·B·op(A) for a triangular A.
func (Implementation) Dtrmm(s blas.Side, ul blas.Uplo, tA blas.Transpose, d blas.Diag, m, n int, alpha float64, a []float64, lda int, b []float64, ldb int) {
	trmm(s, ul, tA, d, m, n, alpha, a, lda, b, ldb)
}

// Dtrsm solves op(A)·X = alpha·B or X·op(A) = alpha·B in place of B for a
// triangular A.
func (Implementation) Dtrsm(s blas.Side, ul blas.Uplo, tA blas.Transpose, d blas.Diag, m, n int, alpha float64, a []float64, lda int, b []float64, ldb int) {
	trsm(s, ul, tA, d, m, n, alpha, a, lda, b, ldb)
}
