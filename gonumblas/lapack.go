package gonumblas

import (
	"math"

	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/lapack"
	gonumlapack "gonum.org/v1/gonum/lapack/gonum"
)

// Lapack is the implementation of LAPACK. The routines that it has itself are
// listed in the documentation of the package; the others are those of gonum's
// own implementation, which it embeds. It has no state, and its methods may be
// called from any number of goroutines.
type Lapack struct{ gonumlapack.Implementation }

var _ lapack.Float64 = Lapack{}

// Texts of the panics over arguments, as those of gonum's own implementation.
const (
	lapackBadUplo     = "lapack: bad Uplo"
	lapackBadDiag     = "lapack: bad Diag"
	lapackBadSide     = "lapack: bad Side"
	lapackBadTrans    = "lapack: bad Trans"
	lapackBadEVJob    = "lapack: bad EVJob"
	lapackBadSVDJob   = "lapack: bad SVDJob"
	lapackBothSVDOver = "lapack: both jobU and jobVT are lapack.SVDOverwrite"

	lapackMLT0    = "lapack: m < 0"
	lapackNLT0    = "lapack: n < 0"
	lapackKLT0    = "lapack: k < 0"
	lapackKGTM    = "lapack: k > m"
	lapackKGTN    = "lapack: k > n"
	lapackNGTM    = "lapack: n > m"
	lapackNrhsLT0 = "lapack: nrhs < 0"

	lapackBadLdA     = "lapack: bad leading dimension of A"
	lapackBadLdB     = "lapack: bad leading dimension of B"
	lapackBadLdC     = "lapack: bad leading dimension of C"
	lapackBadLdU     = "lapack: bad leading dimension of U"
	lapackBadLdVT    = "lapack: bad leading dimension of VT"
	lapackBadLWork   = "lapack: insufficient declared workspace length"
	lapackBadLenTau  = "lapack: bad length of tau"
	lapackBadLenIpiv = "lapack: bad length of ipiv"
	lapackNegANorm   = "lapack: anorm < 0"

	lapackShortA     = "lapack: insufficient length of a"
	lapackShortB     = "lapack: insufficient length of b"
	lapackShortC     = "lapack: insufficient length of c"
	lapackShortS     = "lapack: insufficient length of s"
	lapackShortU     = "lapack: insufficient length of u"
	lapackShortVT    = "lapack: insufficient length of vt"
	lapackShortW     = "lapack: insufficient length of w"
	lapackShortWork  = "lapack: insufficient length of work"
	lapackShortIWork = "lapack: insufficient length of iwork"
)

// query is the length of a workspace that asks for the optimal one.
const query = -1

// checkWork checks a workspace of which the routine needs least elements. The
// routines of this file take their own from a pool and leave it alone, but for its first
// element.
func checkWork(least int, work []float64, lwork int) {
	must(lwork >= max(1, least) || lwork == query, lapackBadLWork)
	must(len(work) >= max(1, lwork), lapackShortWork)
}

// general returns the m×n matrix in a.
func general(m, n int, a []float64, lda int) dense.Matrix[float64] {
	return dense.Matrix[float64]{Rows: m, Cols: n, Stride: lda, Data: a}
}

// borrowMatrix returns an m×n matrix in pooled memory, to be given back.
func borrowMatrix(m, n int) (dense.Matrix[float64], *buffer[float64]) {
	b := borrow[float64](m * n)
	return general(m, n, b.data[:m*n], max(1, n)), b
}

// noNumber fills matrices with NaN.
func noNumber(list ...dense.Matrix[float64]) {
	for _, m := range list {
		m.Fill(math.NaN())
	}
}
