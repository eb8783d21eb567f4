package kron

import (
	"math"
	"sync"
	"unsafe"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/random"
	"github.com/precond-go/precond/internal/space"
)

// NearestMethod is a way to the nearest Kronecker products.
type NearestMethod int8

// The methods.
const (
	// Power is power iteration for one term after the other, the terms before being
	// deflated. With Warm and few steps it follows a matrix that changes slowly.
	Power NearestMethod = iota
	// Lanczos takes fewer products where singular values are close, and finds all terms
	// at once. It keeps a basis of as many vectors of order pm + qn as it takes steps.
	Lanczos
)

// NearestOpts are the options of Nearest. The zero value is the default.
type NearestOpts struct {
	Method NearestMethod
	// Steps is the largest number of steps, for each term with Power; each takes a product
	// with R and one with its transpose. 0 means 1000 with Power, 20·k + 100 with Lanczos.
	Steps int
	// Tolerance is the residual of a term that has converged, relative to the largest
	// singular value. 0 means 100 ε.
	Tolerance float64
	// Warm says that Power begins with the terms in b, where they are not zero.
	Warm bool
	// Seed selects random start vectors.
	Seed uint64
}

// NearestCertificate says what Nearest has reached.
type NearestCertificate struct {
	Steps    int     // products with R, and as many with its transpose
	Residual float64 // largest ‖R·v − σ·u‖ or ‖Rᵀ·u − σ·v‖ of a term, relative to the largest σ
}

// Nearest computes the nearest sum of k Kronecker products in the Frobenius norm,
// M ≈ A₁⊗B₁ + … + A_k⊗B_k: the first k terms of the singular value decomposition of the
// rearranged M, in decreasing order, with ‖A_i‖ = ‖B_i‖ = √σ_i. M is not rearranged, and with
// [PerExample] not even formed.
//
// Signs are such that the trace of B_i (the sum of its diagonal, where it is not square) is
// not negative. If M is positive semidefinite, so are A₁ and B₁ up to rounding. Terms beyond the
// rank of R are zero.
//
// Shapes: a and b are k matrices each, of the shapes that r says, k ≤ min(pm, qn).
// Cost: two products with R a step. Workspace: NearestWork(r, k, n); products with R use pooled
// space. With Lanczos a call makes a few small allocations.
// Errors: *dense.NonFiniteError if a product with R is not finite, where a and b are of no use;
// *dense.NoConvergenceError if a residual is above the tolerance after all steps, where a and b
// hold the best terms and the certificate says how good.
// Source: Van Loan and Pitsianis 1993; for Fisher matrices Koroko et al., Efficient
// approximations of the Fisher matrix in neural networks using Kronecker product singular
// value decomposition, 2022.
func Nearest[T dense.Float](r Rearranged[T], a, b []dense.Matrix[T], n NearestOpts, o *dense.Opts[T]) (NearestCertificate, error) {
	const op = "Nearest"
	pool := &nearests32
	if unsafe.Sizeof(T(0)) == 8 {
		pool = &nearests64
	}
	c, _ := pool.Get().(*nearest[T])
	if c == nil {
		c = new(nearest[T])
	}
	*c = newNearest(op, r, n, len(a))
	defer func() { *c = nearest[T]{}; pool.Put(c) }()
	if len(b) != len(a) {
		misuse(op, "%d a, %d b", len(a), len(b))
	}
	for i := range a {
		if a[i].Rows != c.p || a[i].Cols != c.m || b[i].Rows != c.q || b[i].Cols != c.n {
			misuse(op, "term %d is %s and %s, want %dx%d and %dx%d", i, shape(a[i]), shape(b[i]), c.p, c.m, c.q, c.n)
		}
	}
	w, buf := scratch(o, op, c.reserve(new(arena[T])))
	defer space.Put(buf)
	c.reserve(&w)
	c.o = dense.Opts[T]{Threads: threads(o)}
	if len(a) == 0 {
		return NearestCertificate{}, nil
	}
	if n.Method == Lanczos {
		return c.lanczos(a, b)
	}
	var cert NearestCertificate
	var largest float64
	for i := range a {
		if err := c.power(i, a, b, &largest, &cert); err != nil {
			return cert, err
		}
	}
	if cert.Residual > c.tolerance {
		return cert, &dense.NoConvergenceError{Iterations: cert.Steps, Residual: cert.Residual}
	}
	return cert, nil
}

// NearestWork returns the length of the workspace of Nearest for k terms. It does not depend
// on the number of threads.
func NearestWork[T dense.Float](r Rearranged[T], k int, n NearestOpts) int {
	c := newNearest("NearestWork", r, n, k)
	return room[T](c.reserve(new(arena[T])))
}

// Pools of *nearest: its options, which interface methods are given, would move it to the heap.
var nearests32, nearests64 sync.Pool

// nearest is one call of Nearest.
type nearest[T dense.Float] struct {
	r          Rearranged[T]
	opts       NearestOpts
	k          int
	p, m, q, n int
	tolerance  float64
	u, v, next dense.Matrix[T] // p×m, q×n, q×n
	vectors    dense.Matrix[T] // of Lanczos, (pm + qn)×k
	values     []T
	residuals  []T
	work       []T
	o          dense.Opts[T]
}

func newNearest[T dense.Float](op string, r Rearranged[T], n NearestOpts, k int) nearest[T] {
	c := nearest[T]{r: r, opts: n, k: k, tolerance: n.Tolerance}
	c.p, c.m, c.q, c.n = r.Shapes()
	if k < 0 || k > min(c.p*c.m, c.q*c.n) || n.Method != Power && n.Method != Lanczos {
		misuse(op, "method %d, %d terms of %dx%d and %dx%d", n.Method, k, c.p, c.m, c.q, c.n)
	}
	if c.tolerance == 0 {
		c.tolerance = 100 * 0x1p-52 // exact
		if unsafe.Sizeof(T(0)) == 4 {
			c.tolerance = 100 * 0x1p-23 // exact
		}
	}
	return c
}

// reserve takes the workspace from w and returns its length. Vectors have no gaps.
func (c *nearest[T]) reserve(w *arena[T]) int {
	if c.opts.Method == Lanczos && c.k > 0 {
		c.vectors = w.matrix(c.p*c.m+c.q*c.n, c.k)
		c.values, c.residuals = w.Take(c.k), w.Take(c.k)
		c.work = w.Take(dense.LanczosEigenWork[T](c.vectors.Rows, c.k, c.lanczosOpts()))
		return w.Used()
	}
	for _, f := range []struct {
		m          *dense.Matrix[T]
		rows, cols int
	}{{&c.u, c.p, c.m}, {&c.v, c.q, c.n}, {&c.next, c.q, c.n}} {
		*f.m = dense.Matrix[T]{Rows: f.rows, Cols: f.cols, Stride: max(1, f.cols), Data: w.Take(f.rows * f.cols)}
	}
	return w.Used()
}

// power computes term i, the terms before it being done.
func (c *nearest[T]) power(i int, a, b []dense.Matrix[T], largest *float64, cert *NearestCertificate) error {
	steps := c.opts.Steps
	if steps <= 0 {
		steps = 1000
	}
	c.v.Copy(b[i])
	norm := dense.NormFrobenius(c.v, &c.o)
	if !c.opts.Warm || !(norm > 0) || norm-norm != 0 {
		random.Normal(random.New(c.opts.Seed, uint64(i), 0), 0, c.v.Data)
		norm = dense.NormFrobenius(c.v, &c.o)
	}
	dense.Scal(1/norm, c.v.Data, &c.o)
	residual, sigma := 0., T(0)
	for range steps {
		cert.Steps++
		c.r.MulR(c.v, c.u, &c.o)
		for j := range i { // deflation: R less the terms before
			dense.Accumulate(-T(inner(&b[j], &c.v)), a[j], 1, c.u, &c.o)
		}
		sigma = dense.NormFrobenius(c.u, &c.o)
		if sigma-sigma != 0 {
			return &dense.NonFiniteError{Where: "a product with the rearranged matrix"}
		}
		*largest = max(*largest, float64(sigma))
		if !(float64(sigma) > float64(c.tolerance*(*largest))) { // nothing is left
			a[i].Fill(0)
			b[i].Fill(0)
			return nil
		}
		dense.Scal(1/sigma, c.u.Data, &c.o)
		c.r.MulRTrans(c.u, c.next, &c.o)
		for j := range i {
			dense.Accumulate(-T(inner(&a[j], &c.u)), b[j], 1, c.next, &c.o)
		}
		norm = dense.NormFrobenius(c.next, &c.o)
		if norm-norm != 0 || norm == 0 {
			return &dense.NonFiniteError{Where: "a product with the transpose of the rearranged matrix"}
		}
		dense.Accumulate(1, c.next, -sigma, c.v, &c.o) // Rᵀu − σv
		residual = float64(dense.NormFrobenius(c.v, &c.o)) / *largest
		dense.ScalTo(1/norm, c.next.Data, c.v.Data, &c.o)
		if residual <= c.tolerance {
			break
		}
	}
	cert.Residual = max(cert.Residual, residual)
	c.store(sigma, c.u.Data, c.v.Data, &a[i], &b[i])
	return nil
}

// store writes √σ times two unit vectors to a and b.
func (c *nearest[T]) store(sigma T, u, v []T, a, b *dense.Matrix[T]) {
	trace := 0.
	for i := range min(c.q, c.n) {
		trace += float64(v[i*c.n+i])
	}
	root := T(math.Sqrt(float64(sigma)))
	if trace < 0 {
		root = -root
	}
	dense.Scale(root, dense.MatrixOf(c.p, c.m, u), *a, &c.o)
	dense.Scale(root, dense.MatrixOf(c.q, c.n, v), *b, &c.o)
}

func (c *nearest[T]) lanczosOpts() dense.LanczosOpts {
	return dense.LanczosOpts{Steps: c.opts.Steps, Tolerance: c.tolerance, Seed: c.opts.Seed}
}

// lanczos takes the largest eigenpairs of the symmetric matrix of R and Rᵀ, whose eigenvalues
// are ±σ with eigenvectors (u, ±v)/√2: the singular values are not squared on the way.
func (c *nearest[T]) lanczos(a, b []dense.Matrix[T]) (NearestCertificate, error) {
	split := func(x []T) (u, v dense.Matrix[T]) {
		return dense.MatrixOf(c.p, c.m, x[:c.p*c.m]), dense.MatrixOf(c.q, c.n, x[c.p*c.m:])
	}
	steps, err := dense.LanczosEigen(func(x, y []T) {
		u, v := split(x)
		nextU, nextV := split(y)
		c.r.MulR(v, nextU, &c.o)
		c.r.MulRTrans(u, nextV, &c.o)
	}, c.vectors.Rows, dense.Largest, c.values, c.vectors, c.residuals, c.lanczosOpts(), &dense.Opts[T]{Threads: c.o.Threads, Work: c.work})
	cert := NearestCertificate{Steps: steps}
	if _, ok := err.(*dense.NonFiniteError); ok {
		return cert, err
	}
	largest := float64(c.values[0])
	for i := range a {
		sigma := float64(c.values[i])
		if !(sigma > float64(c.tolerance*largest)) {
			a[i].Fill(0)
			b[i].Fill(0)
			continue
		}
		// The rounding errors of a pair are in both halves; each is made a unit vector.
		x := c.work[:c.vectors.Rows]
		for j := range x {
			x[j] = c.vectors.Data[j*c.vectors.Stride+i]
		}
		u, v := x[:c.p*c.m], x[c.p*c.m:]
		dense.Scal(1/dense.Nrm2(u, &c.o), u, &c.o)
		dense.Scal(1/dense.Nrm2(v, &c.o), v, &c.o)
		c.store(c.values[i], u, v, &a[i], &b[i])
		cert.Residual = max(cert.Residual, float64(c.residuals[i])/largest)
	}
	return cert, err
}
