package gonumblas

import (
	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/blas"
)

// Dgetrf factors an m×n matrix A = P·L·U in place: row i was exchanged with row
// ipiv[i]. It returns false if the diagonal of U has a zero; the factorisation is
// complete all the same.
func (Lapack) Dgetrf(m, n int, a []float64, lda int, ipiv []int) (ok bool) {
	must(m >= 0, lapackMLT0)
	must(n >= 0, lapackNLT0)
	must(lda >= max(1, n), lapackBadLdA)
	k := min(m, n)
	if k == 0 {
		return true
	}
	must(fits(len(a), m, n, lda), lapackShortA)
	must(len(ipiv) == k, lapackBadLenIpiv)
	if dense.LU(general(m, n, a, lda), ipiv, nil) == nil {
		return true
	}
	for i := range k { // a NaN is an error too
		if a[i*lda+i] == 0 {
			return false
		}
	}
	return true
}

// Dgetrs solves op(A)·X = B in place of B with what Dgetrf left.
func (Lapack) Dgetrs(trans blas.Transpose, n, nrhs int, a []float64, lda int, ipiv []int, b []float64, ldb int) {
	must(trans == blas.NoTrans || trans == blas.Trans || trans == blas.ConjTrans, lapackBadTrans)
	must(n >= 0, lapackNLT0)
	must(nrhs >= 0, lapackNrhsLT0)
	must(lda >= max(1, n), lapackBadLdA)
	must(ldb >= max(1, nrhs), lapackBadLdB)
	if n == 0 || nrhs == 0 {
		return
	}
	must(fits(len(a), n, n, lda), lapackShortA)
	must(fits(len(b), n, nrhs, ldb), lapackShortB)
	must(len(ipiv) == n, lapackBadLenIpiv)
	dense.LUSolve(trans, square(n, a, lda), ipiv, general(n, nrhs, b, ldb), nil)
}

// Dgetri replaces what Dgetrf left by the inverse of the matrix. It returns false, and
// leaves a as it is, if the diagonal of U has a zero.
func (l Lapack) Dgetri(n int, a []float64, lda int, ipiv []int, work []float64, lwork int) (ok bool) {
	must(n >= 0, lapackNLT0)
	must(lda >= max(1, n), lapackBadLdA)
	checkWork(n, work, lwork)
	ok = true
	if n > 0 && lwork != query {
		must(fits(len(a), n, n, lda), lapackShortA)
		must(len(ipiv) == n, lapackBadLenIpiv)
		ok = dense.LUInverse(square(n, a, lda), ipiv, nil) == nil
	}
	l.Implementation.Dgetri(n, a, lda, ipiv, work, query) // sets work[0]
	return ok
}
