package gonumblas

import (
	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/lapack"
)

// Dsyev computes the eigenvalues of the symmetric matrix in the triangle ul of a, in
// increasing order, and with lapack.EVCompute the eigenvectors in the columns of a.
// Without, a is left as it is. If the matrix has a NaN or an infinity, or the
// method does not converge, it returns false, and w and the vectors are NaN.
func (l Lapack) Dsyev(jobz lapack.EVJob, ul blas.Uplo, n int, a []float64, lda int, w, work []float64, lwork int) (ok bool) {
	must(jobz == lapack.EVNone || jobz == lapack.EVCompute, lapackBadEVJob)
	checkLapackUplo(ul)
	must(n >= 0, lapackNLT0)
	must(lda >= max(1, n), lapackBadLdA)
	checkWork(3*n-1, work, lwork)
	if n == 0 {
		return true
	}
	if lwork != query {
		must(fits(len(a), n, n, lda), lapackShortA)
		must(len(w) >= n, lapackShortW)
		ok = syev(jobz == lapack.EVCompute, ul, square(n, a, lda), w[:n])
	}
	l.Implementation.Dsyev(jobz, ul, n, a, lda, w, work, query) // sets work[0]
	return ok
}

func syev(withVectors bool, ul blas.Uplo, a dense.Matrix[float64], w []float64) bool {
	values := general(1, len(w), w, len(w))
	if !withVectors {
		if dense.EigenSymValues(ul, a, w, nil) != nil {
			noNumber(values)
			return false
		}
		return true
	}
	vectors, pooled := borrowMatrix(a.Rows, a.Cols)
	defer pooled.giveBack()
	if dense.EigenSym(ul, a, w, vectors, nil) != nil {
		noNumber(values, a)
		return false
	}
	a.Copy(vectors)
	return true
}
