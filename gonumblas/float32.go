package gonumblas

import "gonum.org/v1/gonum/blas"

// Sdsdot returns alpha + Σ x_i·y_i, summed in double precision and rounded before alpha
// is added, as gonum does; 0 if n is 0.
func (Implementation) Sdsdot(n int, alpha float32, x []float32, incX int, y []float32, incY int) float32 {
	if n == 0 && incX != 0 && incY != 0 {
		return 0
	}
	return alpha + float32(dotDouble(n, x, incX, y, incY))
}

// Dsdot returns Σ x_i·y_i, summed in double precision.
func (Implementation) Dsdot(n int, x []float32, incX int, y []float32, incY int) float64 {
	return dotDouble(n, x, incX, y, incY)
}

// Sdot returns Σ x_i·y_i.
func (Implementation) Sdot(n int, x []float32, incX int, y []float32, incY int) float32 {
	return dot(n, x, incX, y, incY)
}

// Snrm2 returns √Σ x_i², without undue overflow or underflow; 0 if incX < 0.
func (Implementation) Snrm2(n int, x []float32, incX int) float32 {
	return nrm2(n, x, incX)
}

// Sasum returns Σ |x_i|; 0 if incX < 0.
func (Implementation) Sasum(n int, x []float32, incX int) float32 {
	return asum(n, x, incX)
}

// Isamax returns the first index of the largest |x_i|; −1 if n is 0 or incX < 0.
func (Implementation) Isamax(n int, x []float32, incX int) int {
	return iamax(n, x, incX)
}

// Sswap exchanges x and y.
func (Implementation) Sswap(n int, x []float32, incX int, y []float32, incY int) {
	swap(n, x, incX, y, incY)
}

// Scopy copies x to y.
func (Implementation) Scopy(n int, x []float32, incX int, y []float32, incY int) {
	copyVector(n, x, incX, y, incY)
}

// Saxpy adds alpha·x to y.
func (Implementation) Saxpy(n int, alpha float32, x []float32, incX int, y []float32, incY int) {
	axpy(n, alpha, x, incX, y, incY)
}

// Srotg computes a Givens rotation.
func (Implementation) Srotg(a, b float32) (c, s, r, z float32) {
	return rotg(a, b)
}

// Srotmg computes a modified Givens transformation.
func (Implementation) Srotmg(d1, d2, x1, y1 float32) (p blas.SrotmParams, rd1, rd2, rx1 float32) {
	q, rd1, rd2, rx1 := rotmg(d1, d2, x1, y1)
	return blas.SrotmParams{Flag: q.flag, H: q.h}, rd1, rd2, rx1
}

// Srot applies the rotation x, y = c·x + s·y, c·y − s·x.
func (Implementation) Srot(n int, x []float32, incX int, y []float32, incY int, c, s float32) {
	rot(n, x, incX, y, incY, c, s)
}

// Srotm applies a modified Givens transformation to x and y.
func (Implementation) Srotm(n int, x []float32, incX int, y []float32, incY int, p blas.SrotmParams) {
	rotm(n, x, incX, y, incY, modified[float32]{p.Flag, p.H})
}

// Sscal multiplies x by alpha; nothing happens if incX < 0.
func (Implementation) Sscal(n int, alpha float32, x []float32, incX int) {
	scal(n, alpha, x, incX)
}

// Sgemv computes y = alpha·op(A)·x + beta·y.
func (Implementation) Sgemv(tA blas.Transpose, m, n int, alpha float32, a []float32, lda int, x []float32, incX int, beta float32, y []float32, incY int) {
	gemv(tA, m, n, alpha, a, lda, x, incX, beta, y, incY)
}

// Sger adds alpha·x·yᵀ to A.
func (Implementation) Sger(m, n int, alpha float32, x []float32, incX int, y []float32, incY int, a []float32, lda int) {
	ger(m, n, alpha, x, incX, y, incY, a, lda)
}

// Ssymv computes y = alpha·A·x + beta·y for a symmetric A.
func (Implementation) Ssymv(ul blas.Uplo, n int, alpha float32, a []float32, lda int, x []float32, incX int, beta float32, y []float32, incY int) {
	symv(ul, n, alpha, a, lda, x, incX, beta, y, incY)
}

// Ssyr adds alpha·x·xᵀ to a triangle of A.
func (Implementation) Ssyr(ul blas.Uplo, n int, alpha float32, x []float32, incX int, a []float32, lda int) {
	syr(ul, n, alpha, x, incX, a, lda)
}

// Ssyr2 adds alpha·x·yᵀ + alpha·y·xᵀ to a triangle of A.
func (Implementation) Ssyr2(ul blas.Uplo, n int, alpha float32, x []float32, incX int, y []float32, incY int, a []float32, lda int) {
	syr2(ul, n, alpha, x, incX, y, incY, a, lda)
}

// Strmv computes x = op(A)·x for a triangular A.
func (Implementation) Strmv(ul blas.Uplo, tA blas.Transpose, d blas.Diag, n int, a []float32, lda int, x []float32, incX int) {
	trmv(ul, tA, d, n, a, lda, x, incX)
}

// Strsv solves op(A)·x = b in place for a triangular A.
func (Implementation) Strsv(ul blas.Uplo, tA blas.Transpose, d blas.Diag, n int, a []float32, lda int, x []float32, incX int) {
	trsv(ul, tA, d, n, a, lda, x, incX)
}

// Sgemm computes C = alpha·op(A)·op(B) + beta·C.
func (Implementation) Sgemm(tA, tB blas.Transpose, m, n, k int, alpha float32, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int) {
	gemm(tA, tB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
}

// Ssymm computes C = alpha·A·B + beta·C or alpha·B·A + beta·C for a symmetric A.
func (Implementation) Ssymm(s blas.Side, ul blas.Uplo, m, n int, alpha float32, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int) {
	symm(s, ul, m, n, alpha, a, lda, b, ldb, beta, c, ldc)
}

// Ssyrk computes a triangle of C = alpha·A·Aᵀ + beta·C or alpha·Aᵀ·A + beta·C.
func (Implementation) Ssyrk(ul blas.Uplo, tA blas.Transpose, n, k int, alpha float32, a []float32, lda int, beta float32, c []float32, ldc int) {
	syrk(ul, tA, n, k, alpha, a, lda, beta, c, ldc)
}

// Ssyr2k computes a triangle of C = alpha·(A·Bᵀ + B·Aᵀ) + beta·C or
// alpha·(Aᵀ·B + Bᵀ·A) + beta·C.
func (Implementation) Ssyr2k(ul blas.Uplo, tA blas.Transpose, n, k int, alpha float32, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int) {
	syr2k(ul, tA, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
}

// Strmm computes B = alpha·op(A)·B or alpha·B·op(A) for a triangular A.
func (Implementation) Strmm(s blas.Side, ul blas.Uplo, tA blas.Transpose, d blas.Diag, m, n int, alpha float32, a []float32, lda int, b []float32, ldb int) {
	trmm(s, ul, tA, d, m, n, alpha, a, lda, b, ldb)
}

// Strsm solves op(A)·X = alpha·B or X·op(A) = alpha·B in place of B for a
// triangular A.
func (Implementation) Strsm(s blas.Side, ul blas.Uplo, tA blas.Transpose, d blas.Diag, m, n int, alpha float32, a []float32, lda int, b []float32, ldb int) {
	trsm(s, ul, tA, d, m, n, alpha, a, lda, b, ldb)
}
