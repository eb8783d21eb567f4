package shampoo

import (
	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/space"
	"github.com/precond-go/precond/solvers"
	"github.com/precond-go/precond/solvers/internal/crew"
	"gonum.org/v1/gonum/blas"
)

// Shampoo is Shampoo's preconditioner and those of its relatives that differ in statistics and
// exponents. It must not be used by several goroutines at once.
type Shampoo[T dense.Float] struct {
	core    *core[T]
	applier *crew.Crew[T]
	dst     []solvers.Tensor[T] // of the Apply under way
}

// New returns Shampoo for the tensors of a model, of any shapes. It panics on impossible
// options.
func New[T dense.Float](params []solvers.Tensor[T], o Options) *Shampoo[T] {
	c := newCore("New", params, o)
	c.start(c.rootRoom, c.root, c.use)
	s := &Shampoo[T]{core: c}
	s.applier = c.perBlock(func(w *space.Arena[T], b *block[T], threads int) { s.reserve(w, b, threads) }, s.apply)
	return s
}

// Needs returns 0: gradients are enough.
func (s *Shampoo[T]) Needs(int) solvers.Needs { return 0 }

// Observe takes the gradients into the statistics, at steps that are multiples of
// StatisticsEvery and at the first.
//
// Cost: with N elements in a block, N·Σn flops for its dimensions n; with Likelihood k times the cost of Apply
// in addition. Errors: *dense.NonFiniteError, which names the tensor, if a gradient is
// not finite or its squares may overflow in the statistics; nothing has changed then.
func (s *Shampoo[T]) Observe(step int, e *solvers.Evidence[T]) error { return s.core.take(step, e) }

// Check returns the error that Observe would return now.
func (s *Shampoo[T]) Check(step int, e *solvers.Evidence[T]) error { return s.core.verify(step, e) }

// Refresh computes the roots that are due. A factor whose root fails keeps its last good one; the
// report has an entry for each factor that was tried.
//
// Errors: *solvers.RefreshError if a factor is beyond what Tolerance allows.
func (s *Shampoo[T]) Refresh(step int, r *solvers.Report) error { return s.core.bring(step, r) }

// Apply sets dst to the directions. A tensor some of whose factors have no roots yet has its
// gradient as direction.
//
// Cost: with N elements in a block, 2N·Σn flops for its dimensions n.
func (s *Shampoo[T]) Apply(_ int, grads, dst []solvers.Tensor[T]) error {
	solvers.CheckLike("shampoo: Apply", "the model", s.core.params, "grads", grads)
	solvers.CheckLike("shampoo: Apply", "the model", s.core.params, "dst", dst)
	s.core.grads, s.dst = grads, dst
	s.applier.Run()
	s.core.grads, s.dst = nil, nil
	return nil
}

// reserve takes the workspace of apply from w.
func (s *Shampoo[T]) reserve(w *space.Arena[T], b *block[T], threads int) (x []T, o dense.Opts[T]) {
	return w.Take(b.room()), s.core.applyOpts(w, b, threads)
}

// apply does block i of Apply.
func (s *Shampoo[T]) apply(i int, o *dense.Opts[T]) {
	b := &s.core.blocks[i]
	w := space.Over(space.Aligned(o.Work, len(o.Work)-space.Line[T]()))
	room, inner := s.reserve(&w, b, o.Threads)
	x, dst := b.gather(s.core.grads[b.tensor].Data, room), s.dst[b.tensor].Data
	y := x
	if b.whole {
		y = dst
	}
	s.core.apply(b, blas.NoTrans, x, y, -1, &inner)
	b.scatter(y, dst)
}

// Close waits for a refresh in the background. Steps may go on.
func (s *Shampoo[T]) Close() { s.core.job.Close() }

// Dense returns the matrix P of the tensor at index param, its elements in row-major
// order. It is for tests.
func (s *Shampoo[T]) Dense(param int) dense.Matrix[float64] {
	return materialise(s.core.params, param, func(grads, dst []solvers.Tensor[T]) { s.Apply(0, grads, dst) })
}

// materialise returns the matrix of a linear map of the tensor at index param, one column a call
// of it.
func materialise[T dense.Float](params []solvers.Tensor[T], param int, apply func(grads, dst []solvers.Tensor[T])) dense.Matrix[float64] {
	grads, dst := solvers.Like(params), solvers.Like(params)
	n := len(params[param].Data)
	p := dense.NewMatrix[float64](n, n)
	for j := range n {
		grads[param].Data[j] = 1
		apply(grads, dst)
		grads[param].Data[j] = 0
		for i, x := range dst[param].Data {
			p.Data[i*n+j] = float64(x)
		}
	}
	return p
}

// State names the statistics, the roots in force and the counters.
func (s *Shampoo[T]) State(v *solvers.State) { s.core.state(v) }
