package gonumblas

import (
	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/lapack"
)

// Dgesvd computes the singular value decomposition A = U·diag(s)·Vᵀ of an m×n matrix,
// with the values in decreasing order. The jobs say what becomes of U and Vᵀ: all of
// it, the first min(m, n) columns of U or rows of Vᵀ, these in place of a
// (lapack.SVDOverwrite, which gonum's own does not have, for one of them), or nothing.
// In the other cases a is left as it is. If A has a NaN or an infinity, or the
// method does not converge, it returns false, and the outputs are NaN.
func (l Lapack) Dgesvd(jobU, jobVT lapack.SVDJob, m, n int, a []float64, lda int, s, u []float64, ldu int, vt []float64, ldvt int, work []float64, lwork int) (ok bool) {
	checkSVDJob(jobU)
	checkSVDJob(jobVT)
	must(jobU != lapack.SVDOverwrite || jobVT != lapack.SVDOverwrite, lapackBothSVDOver)
	must(m >= 0, lapackMLT0)
	must(n >= 0, lapackNLT0)
	k := min(m, n)
	rowsVT, colsU := sizeOf(jobVT, n, k), sizeOf(jobU, m, k)
	must(lda >= max(1, n), lapackBadLdA)
	must(ldu >= max(1, colsU), lapackBadLdU)
	must(ldvt >= 1 && (ldvt >= n || !stored(jobVT)), lapackBadLdVT)
	least := 1
	if k > 0 {
		least = max(3*k+max(m, n), 5*k)
	}
	checkWork(least, work, lwork)
	if k == 0 {
		work[0] = 1
		return true
	}
	ok = true
	if lwork != query {
		must(fits(len(a), m, n, lda), lapackShortA)
		must(len(s) >= k, lapackShortS)
		must(fits(len(u), m, colsU, ldu) || !stored(jobU), lapackShortU)
		must(fits(len(vt), rowsVT, n, ldvt) || !stored(jobVT), lapackShortVT)
		d := svd{a: general(m, n, a, lda), s: s[:k], u: general(m, colsU, u, ldu), vt: general(rowsVT, n, vt, ldvt)}
		ok = d.run(jobU, jobVT)
	}
	// A query sets work[0]; gonum's does not know about the job to overwrite.
	like := func(j lapack.SVDJob) lapack.SVDJob {
		if j == lapack.SVDOverwrite {
			return lapack.SVDStore
		}
		return j
	}
	l.Implementation.Dgesvd(like(jobU), like(jobVT), m, n, a, lda, s, u, max(ldu, k), vt, max(ldvt, n), work, query)
	return ok
}

func checkSVDJob(j lapack.SVDJob) {
	must(stored(j) || j == lapack.SVDOverwrite || j == lapack.SVDNone, lapackBadSVDJob)
}

// stored returns whether the result of a job goes to a matrix of its own.
func stored(j lapack.SVDJob) bool { return j == lapack.SVDAll || j == lapack.SVDStore }

// sizeOf returns how many singular vectors a job stores, of all or of k.
func sizeOf(j lapack.SVDJob, all, k int) int {
	switch j {
	case lapack.SVDAll:
		return all
	case lapack.SVDStore:
		return k
	}
	return 0
}

// svd is one call of Dgesvd. Of u and vt, what is not stored is empty.
type svd struct {
	a, u, vt dense.Matrix[float64]
	s        []float64
}

func (d *svd) run(jobU, jobVT lapack.SVDJob) bool {
	m, n, k := d.a.Rows, d.a.Cols, len(d.s)
	values := general(1, k, d.s, k)
	if jobU == lapack.SVDNone && jobVT == lapack.SVDNone {
		if dense.SingularValues(d.a, d.s, nil) != nil {
			noNumber(values)
			return false
		}
		return true
	}
	var thinU, thinVT dense.Matrix[float64]
	var pooled *buffer[float64]
	if stored(jobU) {
		thinU = d.u.View(0, 0, m, k)
	} else {
		thinU, pooled = borrowMatrix(m, k)
		defer pooled.giveBack()
	}
	if stored(jobVT) {
		thinVT = d.vt.View(0, 0, k, n)
	} else {
		thinVT, pooled = borrowMatrix(k, n)
		defer pooled.giveBack()
	}
	ok := dense.SVD(d.a, thinU, d.s, thinVT, nil) == nil
	if !ok {
		noNumber(values, thinU, thinVT, d.u, d.vt)
	}
	switch lapack.SVDOverwrite {
	case jobU:
		d.a.View(0, 0, m, k).Copy(thinU)
	case jobVT:
		d.a.View(0, 0, k, n).Copy(thinVT)
	}
	if ok && d.u.Cols > k {
		d.completeU()
	}
	if ok && d.vt.Rows > k {
		d.completeVT()
	}
	return ok
}

// completeU fills u to an orthogonal matrix from its first columns: Q of their QR
// factorisation has these as its first columns, but for signs, and its others are
// what is missing.
func (d *svd) completeU() {
	m, k := d.a.Rows, len(d.s)
	q, pooled := borrowMatrix(m+1, k)
	defer pooled.giveBack()
	q, tau := q.View(0, 0, m, k), q.Row(m)
	q.Copy(d.u.View(0, 0, m, k))
	dense.QR(q, tau, nil)
	rest := d.u.View(0, k, m, m-k)
	rest.Fill(0)
	for i := range m - k {
		rest.Set(k+i, i, 1)
	}
	dense.QRApply(blas.Left, blas.NoTrans, q, tau, rest, nil)
}

// completeVT fills vt to an orthogonal matrix from its first rows, in the same way.
func (d *svd) completeVT() {
	n, k := d.a.Cols, len(d.s)
	q, pooled := borrowMatrix(n+1, k)
	defer pooled.giveBack()
	q, tau := q.View(0, 0, n, k), q.Row(n)
	dense.Transpose(d.vt.View(0, 0, k, n), q, nil)
	dense.QR(q, tau, nil)
	rest := d.vt.View(k, 0, n-k, n)
	rest.Fill(0)
	for i := range n - k {
		rest.Set(i, k+i, 1)
	}
	dense.QRApply(blas.Right, blas.Trans, q, tau, rest, nil)
}
