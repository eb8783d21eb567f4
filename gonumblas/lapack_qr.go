package gonumblas

import (
	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/blas"
)

// Dgeqrf factors A = Q·R: R in the upper triangle of a, the vectors of the
// reflectors below it, their factors in tau.
func (l Lapack) Dgeqrf(m, n int, a []float64, lda int, tau, work []float64, lwork int) {
	must(m >= 0, lapackMLT0)
	must(n >= 0, lapackNLT0)
	must(lda >= max(1, n), lapackBadLdA)
	checkWork(n, work, lwork)
	if k := min(m, n); k > 0 && lwork != query {
		must(fits(len(a), m, n, lda), lapackShortA)
		must(len(tau) == k, lapackBadLenTau)
		dense.QR(general(m, n, a, lda), tau, nil)
	}
	l.Implementation.Dgeqrf(m, n, a, lda, tau, work, query) // sets work[0]
}

// Dorgqr replaces the first k reflectors that Dgeqrf left in a by the first n columns
// of their product.
func (l Lapack) Dorgqr(m, n, k int, a []float64, lda int, tau, work []float64, lwork int) {
	must(m >= 0, lapackMLT0)
	must(n >= 0, lapackNLT0)
	must(n <= m, lapackNGTM)
	must(k >= 0, lapackKLT0)
	must(k <= n, lapackKGTN)
	must(lda >= max(1, n) || lwork == query, lapackBadLdA)
	checkWork(n, work, lwork)
	if n > 0 && lwork != query {
		must(fits(len(a), m, n, lda), lapackShortA)
		must(len(tau) == k, lapackBadLenTau)
		q := general(m, n, a, lda)
		dense.QRForm(q, tau, q, nil)
	}
	l.Implementation.Dorgqr(m, n, k, a, lda, tau, work, query) // sets work[0]
}

// Dormqr multiplies C by Q or its transpose from either side, where Q is the product
// of the k reflectors that Dgeqrf left in a and tau. C must not overlap the
// first k columns of a.
func (l Lapack) Dormqr(side blas.Side, trans blas.Transpose, m, n, k int, a []float64, lda int, tau, c []float64, ldc int, work []float64, lwork int) {
	must(side == blas.Left || side == blas.Right, lapackBadSide)
	must(trans == blas.NoTrans || trans == blas.Trans, lapackBadTrans)
	order, other, tooMany := m, n, lapackKGTM
	if side == blas.Right {
		order, other, tooMany = n, m, lapackKGTN
	}
	must(m >= 0, lapackMLT0)
	must(n >= 0, lapackNLT0)
	must(k >= 0, lapackKLT0)
	must(k <= order, tooMany)
	must(lda >= max(1, k), lapackBadLdA)
	must(ldc >= max(1, n), lapackBadLdC)
	checkWork(other, work, lwork)
	if m > 0 && n > 0 && k > 0 && lwork != query {
		must(fits(len(a), order, k, lda), lapackShortA)
		must(len(tau) == k, lapackBadLenTau)
		must(fits(len(c), m, n, ldc), lapackShortC)
		dense.QRApply(side, trans, general(order, k, a, lda), tau, general(m, n, c, ldc), nil)
	}
	l.Implementation.Dormqr(side, trans, m, n, k, a, lda, tau, c, ldc, work, query) // sets work[0]
}
