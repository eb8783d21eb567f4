package gonumblas

import (
	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/blas"
)

// checkLapackSquare checks the arguments after the flags of a routine over a square
// matrix, and returns whether there is anything to do.
func checkLapackSquare(n int, a []float64, lda int) bool {
	must(n >= 0, lapackNLT0)
	must(lda >= max(1, n), lapackBadLdA)
	must(fits(len(a), n, n, lda), lapackShortA)
	return n > 0
}

func checkLapackUplo(ul blas.Uplo) { must(ul == blas.Lower || ul == blas.Upper, lapackBadUplo) }

// Dpotrf factors a symmetric positive definite matrix A = Uᵀ·U or L·Lᵀ in the triangle
// ul of a, and leaves the other one alone. It returns false if A is not positive
// definite, or not finite.
func (Lapack) Dpotrf(ul blas.Uplo, n int, a []float64, lda int) (ok bool) {
	checkLapackUplo(ul)
	return !checkLapackSquare(n, a, lda) || dense.Cholesky(ul, square(n, a, lda), nil) == nil
}

// Dpotri replaces a factor that Dpotrf left by the same triangle of the inverse of the
// matrix. It returns false, and leaves a as it is, if the diagonal of the factor
// has a zero.
func (Lapack) Dpotri(ul blas.Uplo, n int, a []float64, lda int) (ok bool) {
	checkLapackUplo(ul)
	return !checkLapackSquare(n, a, lda) || dense.CholeskyInverse(ul, square(n, a, lda), nil) == nil
}

// Dpotrs solves A·X = B in place of B with a factor that Dpotrf left.
func (Lapack) Dpotrs(ul blas.Uplo, n, nrhs int, a []float64, lda int, b []float64, ldb int) {
	checkLapackUplo(ul)
	must(n >= 0, lapackNLT0)
	must(nrhs >= 0, lapackNrhsLT0)
	must(lda >= max(1, n), lapackBadLdA)
	must(ldb >= max(1, nrhs), lapackBadLdB)
	if n == 0 || nrhs == 0 {
		return
	}
	must(fits(len(a), n, n, lda), lapackShortA)
	must(fits(len(b), n, nrhs, ldb), lapackShortB)
	dense.CholeskySolve(ul, square(n, a, lda), general(n, nrhs, b, ldb), nil)
}

// Dpocon estimates the reciprocal of the condition number of the matrix A whose factor
// Dpotrf left and whose 1-norm is anorm. It does not need its workspaces.
func (Lapack) Dpocon(ul blas.Uplo, n int, a []float64, lda int, anorm float64, work []float64, iwork []int) float64 {
	checkLapackUplo(ul)
	must(n >= 0, lapackNLT0)
	must(lda >= max(1, n), lapackBadLdA)
	must(!(anorm < 0), lapackNegANorm)
	if n == 0 {
		return 1
	}
	must(fits(len(a), n, n, lda), lapackShortA)
	must(len(work) >= 3*n, lapackShortWork)
	must(len(iwork) >= n, lapackShortIWork)
	if anorm != anorm {
		return anorm
	}
	return dense.CholeskyCondition(ul, square(n, a, lda), anorm, nil)
}

// Dtrtri inverts a triangle of a in place. It returns false, and leaves a as it is, if
// its diagonal has a zero.
func (Lapack) Dtrtri(ul blas.Uplo, diag blas.Diag, n int, a []float64, lda int) (ok bool) {
	checkLapackUplo(ul)
	must(diag == blas.NonUnit || diag == blas.Unit, lapackBadDiag)
	return !checkLapackSquare(n, a, lda) || dense.TriangularInverse(ul, diag, square(n, a, lda), nil) == nil
}
