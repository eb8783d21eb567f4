package invroot

import (
	"fmt"
	"math"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/space"
	"gonum.org/v1/gonum/blas"
)

// BinomialOptions say how a [Binomial] is updated. The zero value and nil are the default.
type BinomialOptions struct {
	// Beta is the least weight of the old statistic, less than 1. It is raised where the
	// series would not converge. 0 leaves the weight to the series, as the paper does.
	Beta float64
	// Radius bounds the Frobenius norm of the argument of the series; 0 means 1, the paper's,
	// and is the largest.
	Radius float64
	// Terms is the number of terms of the series after the first, from 1 to 5; 0 means 2, the
	// paper's.
	Terms int
	// Tolerance is the error up to which an update is accepted, as in
	// Options; 0 means 0.1: the series is coarse.
	Tolerance float64
	// Single asks for the series alone: what is not accurate enough is an error.
	Single bool
}

// A Binomial follows a moving average L of symmetric semidefinite statistics S, and
// approximations X of L^(−1/p) by matrix products only:
//
//	L ← β·L + (1−β)·S,  X ← β^(−1/p)·X·Σ_{j≤m} c_j·E^j,  E = (1−β)/β·X^p·S,
//
// with the coefficients c_j of (1 + x)^(−1/p): for p = 4 and m = 2 that is
// I − E/4 + 5/32·E². The weight β is such that ‖E‖_F is at most Options.Radius. X is the
// symmetric part of what the series gives. Where L and S commute, the relative error of
// an eigenvalue is no more than |c_{m+1}|·Radius^(m+1) in one update, over (1+Radius)^(−1/p),
// and errors of former updates fade as L does. Where they do not, the series is
// right to first order only for a multiple of the identity, so that every update is measured
// against L, and makes way for an eigendecomposition of L if it is not accurate enough.
// Nor is the series stable by itself: as in Newton's iteration without coupling, an error that
// does not commute with L is multiplied in each update, near L = S and with u the fourth root of
// the condition number, for p = 4 and m = 1, by about 1 − (1−β)/β·Σ (u^j+u^−j)/8 over j = 1…4, so a
// condition number κ wants a (1−β)/β of less than about 10/κ.
//
// Source: Singh, Sating and Bhatele, Jorge: Approximate Preconditioning for GPU-efficient
// Second-order Optimization (arXiv 2310.12298).
//
// A Binomial is for one goroutine at a time; NewBinomial makes one.
type Binomial[T dense.Float] struct {
	p          int
	l, x       dense.Matrix[T] // both triangles
	nextL, nxt dense.Matrix[T] // of the update that is not yet accepted
	settings   Options         // of the eigendecomposition
}

// NewBinomial returns a Binomial of order n for the inverse p-th root, which begins with the
// statistic L = scale·I.
func NewBinomial[T dense.Float](n, p int, scale float64) *Binomial[T] {
	checkOptions("NewBinomial", Inverse(p), nil)
	root := T(0)
	if scale > 0 && scale-scale == 0 {
		root = T(power(scale, Inverse(p)))
	}
	if n < 0 || !(T(scale) > 0) || root-root != 0 || !(root > 0) || T(scale)-T(scale) != 0 {
		panic(fmt.Sprintf("invroot: NewBinomial: order %d, scale %g", n, scale))
	}
	b := &Binomial[T]{p: p}
	for _, m := range []*dense.Matrix[T]{&b.l, &b.x, &b.nextL, &b.nxt} {
		*m = dense.NewMatrix[T](n, n)
	}
	addDiagonal(b.l, scale)
	addDiagonal(b.x, float64(root))
	return b
}

// Root returns X, for reading until the next update.
func (b *Binomial[T]) Root() dense.Matrix[T] { return b.x }

// Statistic returns L, for reading until the next update.
func (b *Binomial[T]) Statistic() dense.Matrix[T] { return b.l }

// Update takes in the statistic s, such as G·Gᵀ, whose lower triangle is read, and returns β.
// Nothing happens, and β is 1, for s = 0 with Options.Beta = 0.
//
// Shapes: s is n×n.
// Cost: for p a power of two, (log₂p)/2 + 1 + Terms products, of 2n³ flops; see
// Certificate.Products. Workspace: RootWork[T](n, threads).
// Errors: *dense.NonFiniteError; *dense.NoConvergenceError with Single; those of Root from the
// eigendecomposition. After an error L and X are what they were before.
// Accuracy: as Certificate.Error says, which estimates the error of X against the root of
// L as it estimates that of the iterations; the method is BinomialUpdate, or Eigen with the
// flag Fallback.
func (b *Binomial[T]) Update(s dense.Matrix[T], opt *BinomialOptions, o *dense.Opts[T]) (beta float64, cert Certificate, err error) {
	const op = "Binomial.Update"
	var opts BinomialOptions
	if opt != nil {
		opts = *opt
	}
	if !(opts.Beta >= 0 && opts.Beta < 1) || !(opts.Radius >= 0 && opts.Radius <= 1) || opts.Terms < 0 || opts.Terms >= maxOrder || !(opts.Tolerance >= 0) {
		panic(fmt.Sprintf("invroot: %s: beta %g, radius %g, %d terms, tolerance %g", op, opts.Beta, opts.Radius, opts.Terms, opts.Tolerance))
	}
	checkMatrices(op, &s, &b.x)
	if opts.Radius == 0 {
		opts.Radius = 1
	}
	if opts.Terms == 0 {
		opts.Terms = 2
	}
	if opts.Tolerance == 0 {
		opts.Tolerance = 0.1
	}
	c := callOf[T]()
	c.threads = threadsOf(o)
	b.settings = Options{Tolerance: opts.Tolerance}
	c.s = settingsOf[T](&b.settings)
	c.e, c.a, c.x = Inverse(b.p), s, b.nxt
	beta, err = c.follow(op, b, &opts, o)
	cert = c.cert
	c.free()
	if err == errPrecision {
		err = &dense.NoConvergenceError{Iterations: 1, Residual: cert.Error}
		if !opts.Single {
			spent := cert.Products
			cert, err = Root(b.nextL, Inverse(b.p), b.nxt, &b.settings, o)
			cert.Products += spent
			if err == nil && cert.Flag == OK {
				cert.Flag = Fallback
			}
		}
	}
	if err != nil {
		cert.Flag = Failed
		return 0, cert, err
	}
	b.l, b.nextL = b.nextL, b.l
	b.x, b.nxt = b.nxt, b.x
	return beta, cert, nil
}

// follow does an update: it sets b.nextL and c.x, and measures them.
func (c *call[T]) follow(op string, b *Binomial[T], opts *BinomialOptions, o *dense.Opts[T]) (float64, error) {
	n := c.a.Rows
	c.cert.Method = BinomialUpdate
	var work []T
	if o != nil {
		work = o.Work
	}
	room, pooled := space.Get("invroot", op, work, RootWork[T](n, c.threads)-space.Line[T]())
	defer space.Put(pooled)
	w := space.Over(room)
	c.kern = asm.For[T]()
	c.plain.Threads = 1
	c.reserve(&w, n)
	if n == 0 {
		return 1, nil
	}
	if err := c.load(); err != nil { // s, scaled, in c.b
		return 0, err
	}
	e, from, to := c.buf[1], c.buf[2], c.buf[3]
	// X^p·S, with X scaled to elements near 1
	var largest T
	for i := range n {
		largest = max(largest, c.kern.MaxAbs(b.x.Row(i)))
	}
	_, exp := math.Frexp(float64(largest))
	dense.Scale(T(math.Ldexp(1, -exp)), b.x, from, &c.plain)
	e.Copy(c.b)
	for k := b.p; ; {
		if k&1 != 0 {
			c.multiply(from, e, c.buf[4])
			e, c.buf[4] = c.buf[4], e
		}
		if k >>= 1; k == 0 {
			break
		}
		c.square(from, to)
		from, to = to, from
	}
	norm := math.Ldexp(float64(dense.NormFrobenius(e, &c.plain)), exp*b.p-c.shift)
	if norm-norm != 0 {
		return 0, &RangeError{c.unscaled(1), c.e}
	}
	beta := max(opts.Beta, norm/(norm+opts.Radius))
	if beta == 0 { // s is 0
		beta = 1
	}
	ratio := math.Ldexp((1-beta)/beta, exp*b.p-c.shift)
	if beta == 1 {
		// what s adds is below the rounding of 1 − β
		ratio = 0
	}
	dense.Scale(T(-ratio), e, e, &c.plain)
	var coefs [maxOrder]float64
	binomials(coefs[:], b.p)
	sum, other := c.polynomial(coefs[:opts.Terms+1], e, from, to)
	c.multiply(b.x, sum, other)
	c.root(other, 1)
	dense.Scale(T(power(beta, c.e)), c.x, c.x, &c.plain)
	c.average(b, beta)
	return beta, c.acceptUpdate(b)
}

// average sets b.nextL to β·L + (1−β)·S.
func (c *call[T]) average(b *Binomial[T], beta float64) {
	for i := range c.n {
		to := b.nextL.Row(i)[:i+1]
		c.kern.ScalTo(T(beta), b.l.Row(i)[:i+1], to)
		c.kern.Axpy(T(1-beta), c.a.Row(i)[:i+1], to)
	}
	dense.Mirror(blas.Lower, b.nextL)
}

// acceptUpdate measures x against the root of b.nextL.
func (c *call[T]) acceptUpdate(b *Binomial[T]) error {
	c.a = b.nextL
	if err := c.load(); err != nil {
		return err
	}
	scale, exp := scaling(-c.shift, c.e)
	c.factor = math.Ldexp(scale, exp)
	if err := c.setRidge(); err != nil {
		return err
	}
	residual, weighted := c.measure(c.e)
	c.cert.Residual, c.cert.Error = residual, float64(weighted/float64(c.e.P))+float64(2*epsilon[T]())
	norm := 0.
	for i := range c.n {
		norm = max(norm, float64(c.factor*float64(c.x.Data[i*c.x.Stride+i])))
	}
	least := 1 / whole(norm, c.e.P)
	c.cert.Smallest, c.cert.Condition = c.unscaled(least), c.upper/least
	if !(c.cert.Error <= c.s.Tolerance) {
		if c.cert.Error != c.cert.Error {
			c.cert.Error = math.Inf(1)
		}
		return errPrecision
	}
	return nil
}
