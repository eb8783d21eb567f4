package invroot

import (
	"errors"
	"fmt"
	"math"
	"sync"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/par"
	"github.com/precond-go/precond/internal/space"
	"gonum.org/v1/gonum/blas"
)

// Root computes x = A^(−Q/P) of a symmetric positive semidefinite matrix, with the ridge
// and so on of opt, and certifies it. Of a, the lower triangle and the diagonal
// are read; both triangles of x are written, and are equal.
//
// Shapes: a and x are n×n and do not overlap.
// Cost: that of the method; see the table of the package. Workspace:
// RootWork[T](n, threads), about 14n² float32 or 8n² float64.
// Errors: *dense.NonFiniteError if a has a NaN or an infinity; *SpectrumError if it is not
// positive definite to the working precision of the decomposition in float64, and there
// is no cutoff; *RangeError if x is out of the range of T; *dense.NoConvergenceError if
// Options.Single forbids the methods that would succeed. After an error x holds nothing of
// use, and the flag of the certificate is Failed.
// Accuracy: see Certificate.Error, which no error exceeds by more than a factor 10 on the
// matrices of internal/hard (tested).
func Root[T dense.Float](a dense.Matrix[T], e Exponent, x dense.Matrix[T], opt *Options, o *dense.Opts[T]) (Certificate, error) {
	const op = "Root"
	checkOptions(op, e, opt)
	checkMatrices(op, &a, &x)
	c := callOf[T]()
	c.threads = threadsOf(o)
	c.s = settingsOf[T](opt)
	c.e, c.a, c.x = e.reduced(), a, x
	cert, err := c.run(op, o)
	c.free()
	return cert, err
}

// RootWork returns the length of the workspace of Root for an n×n matrix on the given
// number of threads; all methods have the same.
func RootWork[T dense.Float](n, threads int) int {
	var c call[T]
	c.threads = par.Threads(threads)
	var w space.Arena[T]
	c.reserve(&w, n)
	return w.Used() + space.Line[T]()
}

// checkMatrices panics unless a and x are square, of the same order, and apart.
func checkMatrices[T dense.Float](op string, a, x *dense.Matrix[T]) {
	if a.Rows != a.Cols || x.Rows != x.Cols || a.Rows != x.Rows {
		panic(fmt.Sprintf("invroot: %s: a is %dx%d, x is %dx%d", op, a.Rows, a.Cols, x.Rows, x.Cols))
	}
	// which reads and writes nothing, but checks strides, lengths and overlap
	dense.Syrk(blas.Lower, blas.NoTrans, 0, *a, 1, *x, nil)
}

// threadsOf returns the number of threads that o grants.
func threadsOf[T dense.Float](o *dense.Opts[T]) int {
	if o == nil {
		return par.Threads(0)
	}
	return par.Threads(o.Threads)
}

// A call is one call of Root. It works on b, the matrix times 2^shift, whose largest
// element is near 1, and scales the result in the end.
type call[T dense.Float] struct {
	s       settings
	e       Exponent
	threads int
	a, x    dense.Matrix[T]

	n       int
	kern    *asm.Kernels[T]
	b       dense.Matrix[T] // both triangles
	shift   int
	ridge   float64 // what is added to the diagonal of b: shift and ridge
	cert    Certificate
	upper   float64 // bound of the eigenvalues of b with its ridge
	ritz    float64 // the largest of them by Lanczos, from below
	factor  float64 // by which x has still to be multiplied, scaling of b apart
	values  []float64
	scratch []float64
	narrow  []T
	probe   probe
	state   *State[T]     // or nil
	nearby  bool          // whether it may do
	plain   dense.Opts[T] // of operations without a workspace, on one thread

	vectors dense.Matrix[T]    // for decompositions
	wide    dense.Opts[T]      // their workspace
	buf     [6]dense.Matrix[T] // for iterations; x is one of them
	inner   dense.Opts[T]      // their workspace
	lanczos dense.Opts[T]
	symv    func(x, y []T)  // product with b, for Lanczos
	low     dense.Matrix[T] // for lowest
	top     float64
	below   func(x, y []T) // product with top·I − low, for Lanczos

	quarter, sums, ones []T // for updates
	weights             []float64
}

var calls32, calls64 sync.Pool

func callOf[T dense.Float]() *call[T] {
	pool := &calls64
	if isSingle[T]() {
		pool = &calls32
	}
	c, _ := pool.Get().(*call[T])
	if c == nil {
		c = newCall[T]()
	}
	return c
}

func newCall[T dense.Float]() *call[T] {
	c := new(call[T])
	c.symv = func(x, y []T) { dense.Symv(blas.Lower, 1, c.b, x, 0, y, &c.inner) }
	c.below = func(x, y []T) {
		copy(y, x)
		dense.Symv(blas.Lower, -1, c.low, x, T(c.top), y, &c.inner)
	}
	return c
}

// clear keeps nothing of the caller's alive.
func (c *call[T]) clear() { *c = call[T]{symv: c.symv, below: c.below} }

// free gives the call back.
func (c *call[T]) free() {
	c.clear()
	if isSingle[T]() {
		calls32.Put(c)
	} else {
		calls64.Put(c)
	}
}

// matrix takes the next rows×cols matrix.
func matrix[T dense.Float](w *space.Arena[T], rows, cols int) dense.Matrix[T] {
	stride, data := w.Rows(rows, cols)
	return dense.Matrix[T]{Rows: rows, Cols: cols, Stride: stride, Data: data}
}

// reserve takes the workspace for order n from w. Decompositions and iterations use
// the same room.
func (c *call[T]) reserve(w *space.Arena[T], n int) {
	c.n = n
	c.b = matrix(w, n, n)
	c.values, c.scratch, c.narrow = w.Doubles(n), w.Doubles(n), w.Take(n)
	reserveProbe(&c.probe, w, n)
	eigen, iterate := *w, *w
	c.vectors = matrix(&eigen, n, n)
	c.wide = dense.Opts[T]{Threads: c.threads, Work: eigen.Take(eigenWork[T](n, c.threads))}
	for i := 1; i < len(c.buf); i++ {
		c.buf[i] = matrix(&iterate, n, n)
	}
	c.inner = dense.Opts[T]{Threads: c.threads, Work: iterate.Take(iterationWork[T](n, c.threads))}
	c.quarter, c.sums, c.ones, c.weights = iterate.Take(n), iterate.Take(n), iterate.Take(n), iterate.Doubles(n)
	c.lanczos = dense.Opts[T]{Threads: c.threads, Work: iterate.Take(dense.LanczosDensityWork[T](n, lanczosOpts))}
	if eigen.Used() > iterate.Used() {
		*w = eigen
	} else {
		*w = iterate
	}
}

// iterationWork returns the workspace of the operations of iterations.
func iterationWork[T dense.Float](n, threads int) int {
	return max(dense.GemmWork[T](blas.NoTrans, blas.NoTrans, n, n, n, threads),
		dense.SyrkWork[T](blas.NoTrans, n, n, threads), dense.SymvWork[T](n, threads),
		dense.CholeskyWork[T](n, threads), dense.TrsmWork[T](blas.Right, n, n, threads),
		dense.TrmmWork[T](blas.Left, n, n, threads), dense.Syr2kWork[T](blas.Trans, n, n, threads))
}

// run takes the workspace and goes down the ladder.
func (c *call[T]) run(op string, o *dense.Opts[T]) (Certificate, error) {
	n := c.a.Rows
	c.kern = asm.For[T]()
	c.plain.Threads = 1
	var work []T
	if o != nil {
		work = o.Work
	}
	room, pooled := space.Get("invroot", op, work, RootWork[T](n, c.threads)-space.Line[T]())
	defer space.Put(pooled)
	if n == 0 {
		return Certificate{Method: Eigen, Condition: 1}, nil
	}
	w := space.Over(room)
	c.reserve(&w, n)
	c.buf[0] = c.x
	err := c.load()
	if err == nil {
		err = c.ladder()
	}
	if err != nil {
		c.cert.Flag = Failed
		return c.cert, err
	}
	return c.cert, nil
}

// load scales the matrix to b and fills both triangles.
func (c *call[T]) load() error {
	var largest T
	for i := range c.n {
		m := c.kern.MaxAbs(c.a.Row(i)[:i+1])
		if m-m != 0 {
			return &dense.NonFiniteError{Where: fmt.Sprintf("row %d of a", i)}
		}
		largest = max(largest, m)
	}
	_, exp := math.Frexp(float64(largest))
	limit := 1022
	if isSingle[T]() {
		limit = 126
	}
	c.shift = max(-limit, min(limit, -exp))
	most := maxShift(c.s)
	c.shift = min(c.shift, most)
	if c.nearby = c.state.near(c, exp) && c.state.shift <= most; c.nearby {
		c.shift = c.state.shift
	}
	scale := T(math.Ldexp(1, c.shift))
	for i := range c.n {
		c.kern.ScalTo(scale, c.a.Row(i)[:i+1], c.b.Row(i)[:i+1])
	}
	dense.Mirror(blas.Lower, c.b)
	return nil
}

// maxShift returns the largest shift that leaves an absolute ridge in a range where its powers are
// finite. Beside it a matrix that wants more is zero.
func maxShift(s settings) int {
	if s.Kind != Absolute || s.Ridge == 0 {
		return math.MaxInt
	}
	return 100 - math.Ilogb(s.Ridge)
}

// errPrecision says that the result of a method is not accurate enough, though the
// method went as far as it goes.
var errPrecision = errors.New("invroot: not accurate enough")

// ladder computes the root by the method that is asked for and, where that fails, by
// those that are slower and safer.
func (c *call[T]) ladder() error {
	first := c.s.Method
	if first == Auto {
		first = Eigen
	}
	if (c.s.Shift || c.s.Cutoff > 0) && first != EigenWorking {
		first = Eigen
	}
	if c.nearby {
		first = EigenUpdate
	}
	for m := first; ; {
		c.cert.Method = m
		err := c.try(m)
		if err == nil {
			if m != first {
				c.cert.Flag = Fallback
			}
			if c.cert.Error > c.s.Tolerance {
				c.cert.Flag = Inaccurate
			}
			return nil
		}
		switch err.(type) { // errors.As would allocate
		case *RangeError:
			return err
		case *SpectrumError:
			if c.s.Single {
				return err
			}
		}
		switch {
		case m == EigenUpdate:
			m = Eigen
		case m == Eigen:
			return err
		case c.s.Single:
			return &dense.NoConvergenceError{Iterations: c.cert.Iterations, Residual: c.cert.Error}
		default:
			m = Eigen
		}
	}
}

// try computes the root by one method.
func (c *call[T]) try(m Method) error {
	switch m {
	case Eigen, EigenWorking:
		return c.decompose(m)
	case EigenUpdate:
		return c.update()
	}
	if m == NewtonSchulz && c.e.P&(c.e.P-1) != 0 {
		c.cert.Error = math.Inf(1)
		return errPrecision
	}
	if err := c.setRidge(); err != nil {
		return err
	}
	switch m {
	case CoupledNewton:
		c.coupled(2)
	case HigherOrder:
		c.coupled(c.s.Order)
	case NewtonSchulz:
		if err := c.newtonSchulz(); err != nil {
			return err
		}
	case Chebyshev:
		if err := c.chebyshev(); err != nil {
			return err
		}
	}
	return c.accept()
}

// scale multiplies x by factor and by what scaling b has left out. It returns
// false if that is out of range.
func (c *call[T]) scale(factor float64) bool {
	m, k := scaling(c.shift, c.e)
	frac, exp := math.Frexp(float64(factor * m))
	exp += k
	limit := 1022
	if isSingle[T]() {
		limit = 126
	}
	if !(frac > 0) || exp > limit || exp < -limit {
		return false
	}
	f := T(math.Ldexp(frac, exp))
	var largest T
	for i := range c.n {
		row := c.x.Row(i)
		c.kern.Scal(f, row)
		largest = max(largest, c.kern.MaxAbs(row))
	}
	return largest-largest == 0
}

// unscaled returns what an eigenvalue of b is for the matrix.
func (c *call[T]) unscaled(v float64) float64 { return math.Ldexp(v, -c.shift) }
