package invroot

import (
	"fmt"

	"github.com/precond-go/precond/dense"
)

// An Exponent Q/P stands for the function A^(−Q/P). Q and P are from 1 to [MaxExponent].
type Exponent struct{ Q, P int }

// MaxExponent is the largest numerator and denominator of an exponent.
const MaxExponent = 64

// Inverse returns the exponent of the inverse p-th root, A^(−1/p).
func Inverse(p int) Exponent { return Exponent{1, p} }

// String returns the exponent as "-1/4".
func (e Exponent) String() string { return fmt.Sprintf("-%d/%d", e.Q, e.P) }

// reduced returns the exponent in lowest terms.
func (e Exponent) reduced() Exponent {
	a, b := e.Q, e.P
	for b != 0 {
		a, b = b, a%b
	}
	return Exponent{e.Q / a, e.P / a}
}

// A Method computes an inverse root.
type Method int8

// The methods. All but the decompositions work by matrix products in the element type, and
// are as accurate as the condition number lets them be.
const (
	// Auto is Eigen, which is as accurate as float64 allows at every condition number, and
	// needs less time than the iterations unless matrices are well-conditioned.
	Auto Method = iota
	// Eigen is the eigendecomposition whose eigenvalues are accurate to float64: by
	// [dense.EigenSymMixed] for float32, by [dense.EigenSym] for float64.
	Eigen
	// EigenWorking is the eigendecomposition in the element type.
	EigenWorking
	// CoupledNewton is the coupled Newton iteration.
	CoupledNewton
	// HigherOrder is the coupled iteration of Options.Order, from the binomial series.
	HigherOrder
	// EigenUpdate is what a [State] has for matrices close to one that it has decomposed. It
	// cannot be asked for.
	EigenUpdate
	// BinomialUpdate is the series by which a [Binomial] follows a moving average. It cannot
	// be asked for.
	BinomialUpdate
	// NewtonSchulz is the product form of the Denman–Beavers iteration with the best odd
	// polynomials of degree 3 or 5, for exponents whose denominator is a power of two in
	// lowest terms. At others the ladder goes on.
	NewtonSchulz
	// Chebyshev is the Chebyshev series of x^(−1/P) on the interval of the spectrum, of the
	// degree that the tolerance asks for: some √κ/2·ln(1/tolerance). It is refused without work where
	// that is above 255 or Options.MaxIterations.
	Chebyshev
	numMethods
)

var methodNames = [numMethods]string{
	"auto", "eigen", "eigen-working", "coupled-newton", "higher-order", "eigen-update",
	"binomial-update", "newton-schulz", "chebyshev",
}

// String returns the name of the method.
func (m Method) String() string {
	if m < 0 || m >= numMethods {
		return fmt.Sprintf("method %d", int8(m))
	}
	return methodNames[m]
}

// RidgeKind says what a ridge is relative to.
type RidgeKind int8

// The kinds of ridges: what is added to every eigenvalue is Options.Ridge times this.
const (
	Absolute        RidgeKind = iota // 1
	RelativeToMax                    // the largest eigenvalue
	RelativeToTrace                  // the mean eigenvalue, trace/n
)

// Options say which root is computed and how. The zero value and nil are the default.
type Options struct {
	// Method is the method to begin with. If its result is not accurate enough, those
	// of the ladder follow.
	Method Method
	// Order is the order of HigherOrder, from 2 to 6; 0 means 3.
	Order int
	// Ridge is added to every eigenvalue, in units of Kind. The largest eigenvalue
	// that RelativeToMax refers to is an estimate by Lanczos, from below by less than 1%,
	// for methods that do not compute it.
	Ridge float64
	Kind  RidgeKind
	// Shift raises the spectrum by its negative part before the ridge is added: if the
	// smallest eigenvalue is l < 0, −l is added to all. It is for a semidefinite matrix that
	// rounding has made slightly indefinite. It takes an eigendecomposition.
	Shift bool
	// Cutoff > 0 asks for the pseudo-inverse: eigenvalues of at most Cutoff times the
	// largest, after shift and ridge, count as zero, and their part of the root is zero,
	// that of negative ones too. It takes an eigendecomposition.
	Cutoff float64
	// Tolerance is the relative error, in the Frobenius norm, up to which a result is
	// accepted; 0 means 1e-5 for float32 and 1e-10 for float64. Where the
	// decomposition in float64 itself is less accurate, its result comes with
	// the flag Inaccurate.
	Tolerance float64
	// MaxIterations bounds the iterations of a method; 0 means 100.
	MaxIterations int
	// Single asks for Method alone, without the ladder: a result that is not accurate
	// enough is an error.
	Single bool
}

// A Flag says how a result came about.
type Flag int8

// The flags.
const (
	OK         Flag = iota // by the method that was asked for
	Fallback               // that one failed, and another one of the ladder was taken
	Inaccurate             // the estimated error exceeds the tolerance
	Failed                 // there is no result
)

// String returns the name of the flag.
func (f Flag) String() string { return [...]string{"ok", "fallback", "inaccurate", "failed"}[f] }

// A Certificate says what a result is worth. A, here, has shift and ridge in it.
type Certificate struct {
	// Method is the one that the result is from.
	Method Method
	Flag   Flag
	// Iterations is the number of iterations, of all methods that were tried.
	Iterations int
	// Stagnated says that an iteration stopped because rounding, or a matrix that is not
	// positive definite, kept its residual from falling below 0.01.
	Stagnated bool
	// Products is the work of all methods that were tried, in products of two matrices of
	// this order: 2n³ flops each.
	Products float64
	// Residual estimates ‖I − A^Q·X^P‖_F/√n from eight random vectors, in float64; for an
	// iteration, that of A^(−1/P), of which X is a power. The rounding of X to T alone makes
	// it some ε·κ^Q, so for ill-conditioned matrices it says little about the error of X.
	Residual float64
	// Error estimates the relative error of X in the Frobenius norm. For
	// decompositions it is derived from the accuracy of the eigenvalues. For iterations it
	// is Q/P·‖Y·(I − A·Y^P)‖_F/‖Y‖_F for Y = A^(−1/P), with the same vectors, which
	// is too large for errors that do not commute with A, by up to κ^(1−1/P).
	Error float64
	// Largest and Smallest are the eigenvalues at the ends of the spectrum,
	// Condition their ratio. If no decomposition was done, Largest is a bound from
	// above, and Condition is estimated from below by the norm of X.
	Largest, Smallest, Condition float64
	// Shift and Ridge are what was added to the eigenvalues.
	Shift, Ridge float64
	// Rank is the number of eigenvalues above the cutoff, the order without one.
	Rank int
}

// SpectrumError says that a matrix, with its shift and ridge, is not positive
// definite to working precision, so that it has no inverse root.
type SpectrumError struct {
	// Smallest and Largest are the ends of the spectrum; eigenvalues up to Limit cannot be
	// told from zero.
	Smallest, Largest, Limit float64
}

func (e *SpectrumError) Error() string {
	return fmt.Sprintf("invroot: matrix is not positive definite: eigenvalues from %g to %g, of which those up to %g count as zero",
		e.Smallest, e.Largest, e.Limit)
}

// RangeError says that elements of the root exceed the range of the element type.
type RangeError struct {
	Smallest float64 // the smallest eigenvalue
	Exponent Exponent
}

func (e *RangeError) Error() string {
	return fmt.Sprintf("invroot: %g to the power %v is out of range", e.Smallest, e.Exponent)
}

// checkOptions panics unless the options make sense for the exponent.
func checkOptions(op string, e Exponent, opt *Options) {
	if e.Q < 1 || e.P < 1 || e.Q > MaxExponent || e.P > MaxExponent {
		panic(fmt.Sprintf("invroot: %s: exponent is %v, want numbers from 1 to %d", op, e, MaxExponent))
	}
	if opt == nil {
		return
	}
	switch {
	case opt.Method < 0 || opt.Method >= numMethods || opt.Method == EigenUpdate || opt.Method == BinomialUpdate:
		panic(fmt.Sprintf("invroot: %s: unknown method %d", op, opt.Method))
	case opt.Order != 0 && (opt.Order < 2 || opt.Order > maxOrder):
		panic(fmt.Sprintf("invroot: %s: order is %d, want 2 to %d", op, opt.Order, maxOrder))
	case opt.Kind < Absolute || opt.Kind > RelativeToTrace:
		panic(fmt.Sprintf("invroot: %s: unknown kind of ridge %d", op, opt.Kind))
	case !(opt.Ridge >= 0) || !(opt.Cutoff >= 0) || !(opt.Cutoff < 1) || !(opt.Tolerance >= 0) || opt.MaxIterations < 0 || opt.Ridge-opt.Ridge != 0:
		panic(fmt.Sprintf("invroot: %s: ridge %g, cutoff %g, tolerance %g, %d iterations", op, opt.Ridge, opt.Cutoff, opt.Tolerance, opt.MaxIterations))
	}
}

// settings are options without zeros.
type settings struct{ Options }

func settingsOf[T dense.Float](opt *Options) settings {
	s := settings{}
	if opt != nil {
		s.Options = *opt
	}
	if s.Order == 0 {
		s.Order = 3
	}
	if s.Tolerance == 0 {
		s.Tolerance = 1e-10
		if isSingle[T]() {
			s.Tolerance = 1e-5
		}
	}
	if s.MaxIterations == 0 {
		s.MaxIterations = 100
	}
	return s
}
