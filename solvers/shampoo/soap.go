package shampoo

import (
	"fmt"
	"math"
	"slices"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/space"
	"github.com/precond-go/precond/invroot"
	"github.com/precond-go/precond/kron"
	"github.com/precond-go/precond/solvers"
	"github.com/precond-go/precond/solvers/internal/crew"
	"gonum.org/v1/gonum/blas"
)

// Basis says how SOAP finds the next eigenbasis of a statistic.
type Basis int

const (
	// Eigenvectors decomposes the statistic.
	Eigenvectors Basis = iota
	// PowerStep makes one step of orthogonal iteration: the QR decomposition of the statistic times
	// the basis in force, its columns by decreasing Rayleigh quotients. The first basis
	// is that of Eigenvectors.
	PowerStep
)

// SOAPOptions are the parameters of SOAP.
type SOAPOptions struct {
	// Options are those of the statistics and refreshes; Statistic is Gram. Of exponents only
	// counts which modes have none. Dimensions above DiagonalAbove keep their own basis.
	Options
	Basis Basis
	Beta1 solvers.Schedule // weight of the old first moment, in [0, 1); nil means 0.95
	Beta2 solvers.Schedule // weight of the old second moment, in [0, 1); nil means 0.95
	Eps   solvers.Schedule // added to the root of the second moment, in the unit of the gradient; nil means 1e-8
}

// SOAP is Adam in the eigenbasis of Shampoo's statistics (Vyas and others, SOAP: Improving and
// stabilizing Shampoo using Adam, ICLR 2025). It must not be used by several goroutines at once.
//
// The moments are those of the gradient in the basis in force. When a basis Q of one mode gives
// way to Q', with R = QᵀQ' the first moment is multiplied by Rᵀ in this mode, which is exact. The second one is
// multiplied by (R∘R)ᵀ: it stays the diagonal of the same matrix, if that was diagonal in
// the old basis. Changes of sign and order, as different refreshes make them, change nothing.
//
// The first basis is that of one gradient, which has no part along some of its vectors; rounding
// errors there are small as Eps is large. With a Lag the first steps are Adam's.
type SOAP[T dense.Float] struct {
	core    *core[T]
	o       SOAPOptions
	moments []moments[T]
	prod1   float64         // product of all β1 so far: 1 minus the bias correction
	prod2   float64         // the same for β2
	h       *[asm.AdamLen]T // scalars of the last Apply
	applier *crew.Crew[T]
	linear  bool                // apply leaves the moments alone, see Dense
	dst     []solvers.Tensor[T] // of the Apply under way
	carrier dense.Opts[T]
}

// moments are those of a block, in the basis in force.
type moments[T dense.Float] struct{ first, second []T }

// NewSOAP returns SOAP for the tensors of a model, of any shapes. It panics on impossible options.
func NewSOAP[T dense.Float](params []solvers.Tensor[T], o SOAPOptions) *SOAP[T] {
	if o.Statistic != Gram || o.TraceScaled || o.Basis < Eigenvectors || o.Basis > PowerStep {
		panic(fmt.Sprintf("shampoo: NewSOAP: statistic %d, TraceScaled %v, basis %d", o.Statistic, o.TraceScaled, o.Basis))
	}
	for _, s := range []struct {
		s       *solvers.Schedule
		initial float64
	}{{&o.Beta1, 0.95}, {&o.Beta2, 0.95}, {&o.Eps, 1e-8}} {
		if *s.s == nil {
			*s.s = solvers.Constant(s.initial)
		}
	}
	all, long := o.Exponent, o.DiagonalAbove
	o.Exponent = func(tensor int, shape []int, mode int) (e invroot.Exponent) {
		if long > 0 && shape[mode] > long {
			return invroot.Exponent{Q: 0, P: 1}
		}
		if all != nil {
			e = all(tensor, shape, mode)
		}
		return e
	}
	c := newCore("NewSOAP", params, o.Options)
	s := &SOAP[T]{core: c, o: o, prod1: 1, prod2: 1, h: new([asm.AdamLen]T), moments: make([]moments[T], len(c.blocks))}
	c.checked = true // all gradients go into the moments
	c.start(s.room, s.renew, s.commit)
	for i := range c.blocks {
		size := c.blocks[i].size
		s.moments[i] = moments[T]{make([]T, size), make([]T, size)}
	}
	s.applier = c.perBlock(func(w *space.Arena[T], b *block[T], threads int) { s.reserve(w, b, threads) }, s.apply)
	s.carrier = dense.Opts[T]{Threads: c.o.Threads, Work: make([]T, s.carryRoom())}
	s.scalars(0)
	return s
}

// Needs returns 0: gradients are enough.
func (s *SOAP[T]) Needs(int) solvers.Needs { return 0 }

// Observe takes the gradients into the statistics; see Shampoo.Observe. It checks those of all
// steps, since their squares go into the moments.
func (s *SOAP[T]) Observe(step int, e *solvers.Evidence[T]) error { return s.core.take(step, e) }

// Check returns the error that Observe would return now.
func (s *SOAP[T]) Check(step int, e *solvers.Evidence[T]) error { return s.core.verify(step, e) }

// Refresh computes the bases that are due, and carries the moments into them; see
// Shampoo.Refresh.
//
// Cost: with Eigenvectors 14n³/3 flops for each factor, with PowerStep 14n³/3 that are
// products for the most part; and in the step in which it takes effect 2n³ + 4N·n for a block of N
// elements.
func (s *SOAP[T]) Refresh(step int, r *solvers.Report) error { return s.core.bring(step, r) }

// room is the workspace of renew without alignment.
func (s *SOAP[T]) room(f *factor[T], threads int) int {
	var w space.Arena[T]
	s.reserveRenew(&w, f, threads)
	return w.Used() + space.Line[T]()
}

// renewSpace is the workspace of renew.
type renewSpace[T dense.Float] struct {
	values, sorted []T
	order          []int32
	o              dense.Opts[T]
}

func (s *SOAP[T]) reserveRenew(w *space.Arena[T], f *factor[T], threads int) (r renewSpace[T]) {
	n := dense.EigenSymWork[T](f.n, threads)
	r.values = w.Take(f.n)
	if s.o.Basis == PowerStep {
		r.order, r.sorted = w.Indices(f.n), w.Take(f.n*f.n)
		n = max(n, dense.RayleighQuotientsWork[T](f.n, threads), dense.SymmWork[T](blas.Left, f.n, f.n, threads), dense.QRThinWork[T](f.n, f.n, threads))
	}
	r.o = dense.Opts[T]{Threads: threads, Work: w.Take(n)}
	return r
}

// renew computes the next basis of factor f into the spare half. The condition number is not known
// after a PowerStep.
func (s *SOAP[T]) renew(f *factor[T], o *dense.Opts[T]) (condition float64, err error) {
	w := space.Over(space.Aligned(o.Work, len(o.Work)-space.Line[T]()))
	r := s.reserveRenew(&w, f, o.Threads)
	q := f.out[1-f.half]
	if s.o.Basis == Eigenvectors || !f.ready {
		if err := dense.EigenSym(blas.Lower, f.snap, r.values, q, &r.o); err != nil {
			return 0, err
		}
		if condition = float64(r.values[f.n-1]) / float64(r.values[0]); !(condition > 0) {
			condition = 0 // not known: of zero, or with an eigenvalue that is zero but for rounding
		}
		return condition, nil
	}
	old, sorted := f.current(), dense.MatrixOf(f.n, f.n, r.sorted)
	if _, err := dense.RayleighQuotients(blas.Lower, f.snap, old, r.values, &r.o); err != nil {
		return 0, err
	}
	for i := range r.order {
		r.order[i] = int32(i)
	}
	slices.SortStableFunc(r.order, func(i, j int32) int {
		switch {
		case r.values[i] > r.values[j]:
			return -1
		case r.values[i] < r.values[j]:
			return 1
		}
		return 0
	})
	for i := range f.n {
		row := old.Row(i)
		for j, k := range r.order {
			sorted.Data[i*f.n+j] = row[k]
		}
	}
	dense.Symm(blas.Left, blas.Lower, 1, f.snap, sorted, 0, q, &r.o)
	dense.QRThin(q, dense.Matrix[T]{}, &r.o)
	if x := dense.NormMax(q, &r.o); x-x != 0 {
		return 0, &dense.NonFiniteError{Where: "basis"}
	}
	return 0, nil
}

// carryRoom is the workspace of commit.
func (s *SOAP[T]) carryRoom() (n int) {
	threads := s.core.plainThreads()
	for i := range s.core.factors {
		f := &s.core.factors[i]
		var ops [maxOrder]dense.Matrix[T]
		ops[f.mode] = f.snap
		b := &s.core.blocks[f.block]
		n = max(n, dense.GemmWork[T](blas.Trans, blas.NoTrans, f.n, f.n, f.n, threads),
			kron.ApplyTensorWork(blas.Trans, ops[:len(b.shape)], b.shape, threads))
	}
	return n
}

// commit puts the next basis of factor f in force and turns the moments into it. The snapshot has
// served; it takes R.
func (s *SOAP[T]) commit(f *factor[T]) {
	next, r, b, m := f.out[1-f.half], f.snap, &s.core.blocks[f.block], &s.moments[f.block]
	if f.ready {
		dense.Gemm(blas.Trans, blas.NoTrans, 1, f.current(), next, 0, r, &s.carrier)
	} else {
		r.Copy(next)
	}
	b.turn[f.mode] = r
	kron.ApplyTensor(blas.Trans, b.turn, b.shape, m.first, m.first, &s.carrier)
	dense.MulTo(r.Data, r.Data, r.Data, &s.carrier)
	kron.ApplyTensor(blas.Trans, b.turn, b.shape, m.second, m.second, &s.carrier)
	b.turn[f.mode] = dense.Matrix[T]{}
	s.core.use(f)
}

// scalars sets s.h for a step.
func (s *SOAP[T]) scalars(step int) {
	beta1, beta2, eps := s.o.Beta1.At(step), s.o.Beta2.At(step), s.o.Eps.At(step)
	if !(beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1 && eps >= 0) {
		panic(fmt.Sprintf("shampoo: SOAP: step %d: β1 = %g, β2 = %g, ε = %g", step, beta1, beta2, eps))
	}
	*s.h = [asm.AdamLen]T{asm.AdamBeta1: T(beta1), asm.AdamBeta2: T(beta2), asm.AdamEps: T(eps), asm.AdamScale: 1,
		// The kernel's last line, p − Rate·d − Decay·p, is to be d with its bias
		// correction for p = 0.
		asm.AdamRate: T(-1 / (1 - float64(s.prod1*beta1))),
		asm.AdamRoot: T(1 / math.Sqrt(1-float64(s.prod2*beta2))),
	}
}

// Apply takes the gradients into the moments and sets dst to the directions.
//
// Cost: with N elements in a block, 4N·Σn flops for its dimensions n.
func (s *SOAP[T]) Apply(step int, grads, dst []solvers.Tensor[T]) error {
	solvers.CheckLike("shampoo: Apply", "the model", s.core.params, "grads", grads)
	solvers.CheckLike("shampoo: Apply", "the model", s.core.params, "dst", dst)
	s.scalars(step)
	s.run(grads, dst)
	s.prod1 = float64(s.prod1 * s.o.Beta1.At(step))
	s.prod2 = float64(s.prod2 * s.o.Beta2.At(step))
	return nil
}

func (s *SOAP[T]) run(grads, dst []solvers.Tensor[T]) {
	s.core.grads, s.dst = grads, dst
	s.applier.Run()
	s.core.grads, s.dst = nil, nil
}

// reserve takes the workspace of apply from w.
func (s *SOAP[T]) reserve(w *space.Arena[T], b *block[T], threads int) (x, y []T, o dense.Opts[T]) {
	return w.Take(b.size), w.Take(b.size), s.core.applyOpts(w, b, threads)
}

// apply does block i of Apply: there and back.
func (s *SOAP[T]) apply(i int, o *dense.Opts[T]) {
	b, m := &s.core.blocks[i], &s.moments[i]
	w := space.Over(space.Aligned(o.Work, len(o.Work)-space.Line[T]()))
	x, y, inner := s.reserve(&w, b, o.Threads)
	kron.ApplyTensor(blas.Trans, b.ops, b.shape, b.gather(s.core.grads[b.tensor].Data, x), y, &inner)
	if s.linear {
		s.divide(y, m.second, x)
	} else {
		clear(x)
		dense.Adam(s.h, y, m.first, m.second, x, &inner)
	}
	to := y
	if b.whole {
		to = s.dst[b.tensor].Data
	}
	kron.ApplyTensor(blas.NoTrans, b.ops, b.shape, x, to, &inner)
	b.scatter(to, s.dst[b.tensor].Data)
}

// divide sets x = g/(√v̂ + ε) over 1 minus the bias correction of the first moment: what the last
// Apply did to the first moment.
func (s *SOAP[T]) divide(g, v, x []T) {
	for i := range x {
		d := math.FMA(math.Sqrt(float64(v[i])), float64(s.h[asm.AdamRoot]), float64(s.h[asm.AdamEps]))
		x[i] = T(float64(-float64(s.h[asm.AdamRate])*float64(g[i])) / d)
	}
}

// Close waits for a refresh in the background. Steps may go on.
func (s *SOAP[T]) Close() { s.core.job.Close() }

// Dense returns the matrix that the last Apply multiplied the first moment with, which is
// kept in the basis in force. It is for tests.
func (s *SOAP[T]) Dense(param int) dense.Matrix[float64] {
	s.linear = true
	defer func() { s.linear = false }()
	return materialise(s.core.params, param, s.run)
}

// State names the statistics, the bases, the moments and the counters.
func (s *SOAP[T]) State(v *solvers.State) {
	s.core.state(v)
	v.Float("beta1 product", &s.prod1)
	v.Float("beta2 product", &s.prod2)
	solvers.Floats(v, "scalars", s.h[:])
	for i := range s.moments {
		name := s.core.blocks[i].name
		solvers.Floats(v, "first moment "+name, s.moments[i].first)
		solvers.Floats(v, "second moment "+name, s.moments[i].second)
	}
}
