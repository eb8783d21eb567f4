package kfac

import (
	"fmt"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/par"
	"github.com/precond-go/precond/solvers"
	"gonum.org/v1/gonum/blas"
)

// Estimator is the K-FAC or EKFAC estimate of a model's curvature, a
// solvers.Preconditioner. It must not be used by several goroutines at once.
type Estimator[T dense.Float] struct {
	o       Options
	damping float64
	spare   float64 // damping of the spare halves, after try
	seen    int     // observations so far
	ready   bool
	blocks  []block[T] // made by the first observation
	form    form[T]
	crew    *crew[T]
	errs    [][2]error // of a refresh, by block and side
	due     []bool     // blocks that the crew works on
	opts    dense.Opts[T]
	ones    []T
	batch   [][]solvers.Layer[T] // what Observe was given, until Refresh has seen it
	rotated rotated[T]
}

// New returns an estimator with the given options. It panics on impossible ones. The
// layers need not be named: the first observation shows them.
func New[T dense.Float](o Options) *Estimator[T] {
	o = o.resolve()
	return &Estimator[T]{o: o, damping: o.Damping, opts: dense.Opts[T]{Threads: o.Threads}}
}

// Damping returns γ².
func (e *Estimator[T]) Damping() float64 { return e.damping }

// SetDamping sets γ², from the next refresh on with Cholesky and at once with the
// other forms. It panics unless damping is positive and finite.
func (e *Estimator[T]) SetDamping(damping float64) {
	checkDamping("SetDamping", damping)
	e.damping = damping
}

// Needs asks for layer statistics at steps that are multiples of StatisticsEvery.
func (e *Estimator[T]) Needs(step int) solvers.Needs {
	if step%e.o.StatisticsEvery != 0 {
		return 0
	}
	return e.o.Statistics.needs()
}

// Observe moves the averages of the factors towards those of the batch. The first
// observation fixes the layers; every tensor of the model must be the weight of one.
// With Corrected, the matrices of the layers have to stay as they are until Refresh.
//
// Cost: rows·(in² + out²) flops for each layer with rows = Examples·Positions.
// Errors: *dense.NonFiniteError, wrapped with the layer, where a statistic is not
// finite; nothing has changed then.
func (e *Estimator[T]) Observe(step int, ev *solvers.Evidence[T]) error {
	e.batch = nil
	if e.Needs(step) == 0 {
		return nil
	}
	if len(ev.Layers) == 0 {
		panic(fmt.Sprintf("kfac: Observe: step %d has no layer statistics", step))
	}
	blocks := e.blocks
	if blocks == nil {
		blocks = blocksOf(ev)
	}
	rows := 0
	for _, set := range ev.Layers {
		if len(set) != len(blocks) {
			panic(fmt.Sprintf("kfac: Observe: %d layers, want %d", len(set), len(blocks)))
		}
		for l := range set {
			blocks[l].check(&set[l])
			rows = max(rows, set[l].Inputs.Rows)
		}
	}
	for s, set := range ev.Layers {
		for l := range set {
			if s == 0 {
				if err := finite(set[l].Inputs, "Inputs", &e.opts); err != nil {
					return fmt.Errorf("kfac: layer %s: %w", set[l].Name, err)
				}
			}
			if err := finite(set[l].Grads, "Grads", &e.opts); err != nil {
				return fmt.Errorf("kfac: layer %s: %w", set[l].Name, err)
			}
		}
	}
	if e.blocks == nil {
		e.build(blocks)
	}
	for len(e.ones) < rows {
		e.ones = append(e.ones, 1)
	}
	e.reserve(e.observeWork(rows))
	e.seen++
	keep := keepWeight(e.seen, e.o.Decay)
	for l := range e.blocks {
		e.blocks[l].observe(ev.Layers, l, keep, e.ones, &e.opts)
	}
	e.batch = ev.Layers
	return nil
}

// blocksOf returns the blocks of the layers of a batch.
func blocksOf[T dense.Float](ev *solvers.Evidence[T]) []block[T] {
	var blocks []block[T]
	owned := make([]bool, len(ev.Grads))
	for i := range ev.Layers[0] {
		l := &ev.Layers[0][i]
		b := blockOf(l)
		if l.Param < 0 || l.Param >= len(ev.Grads) {
			panic(fmt.Sprintf("kfac: Observe: layer %s has tensor %d of %d", l.Name, l.Param, len(ev.Grads)))
		}
		w := ev.Grads[l.Param].Matrix()
		if w.Rows != b.out || w.Cols != b.in {
			panic(fmt.Sprintf("kfac: Observe: layer %s has a tensor of %dx%d, want %dx%d", l.Name, w.Rows, w.Cols, b.out, b.in))
		}
		if owned[l.Param] {
			panic(fmt.Sprintf("kfac: Observe: layer %s shares a tensor with another", l.Name))
		}
		owned[l.Param] = true
		blocks = append(blocks, b)
	}
	for i, ok := range owned {
		if !ok {
			panic(fmt.Sprintf("kfac: Observe: tensor %d (%s) has no layer", i, ev.Grads[i].Name))
		}
	}
	return blocks
}

// build makes everything that depends on the layers.
func (e *Estimator[T]) build(blocks []block[T]) {
	e.blocks = blocks
	switch e.o.Form {
	case Cholesky:
		e.form = newCholeskyForm(blocks)
	case Eigen, Corrected:
		e.form = newEigenForm(blocks, e.o.Form == Corrected)
	}
	e.errs, e.due = make([][2]error, len(blocks)), make([]bool, len(blocks))
	costs := make([]float64, 2*len(blocks))
	for i := range costs {
		n := float64(blocks[i/2].dim(i % 2))
		costs[i] = n * n * n // exact: compared only
	}
	work := func(threads int) (n int) {
		for i := range blocks {
			n = max(n, e.form.work(i, threads))
		}
		return n
	}
	e.crew = newCrew(costs, e.o.Threads, work, func(i int, o *dense.Opts[T]) {
		if b, side := i/2, i%2; e.due[b] {
			e.errs[b][side] = e.form.factorise(b, side, o)
		}
	})
	e.reserve(e.form.stepWork(0, par.Threads(e.o.Threads)))
}

// observeWork returns the workspace of statistics over a number of rows.
func (e *Estimator[T]) observeWork(rows int) (n int) {
	threads := par.Threads(e.o.Threads)
	for i := range e.blocks {
		for side := range 2 {
			n = max(n, dense.SyrkWork[T](blas.Trans, e.blocks[i].dim(side), rows, threads))
		}
	}
	return max(n, e.form.stepWork(rows, threads))
}

// reserve makes the workspace at least n elements long.
func (e *Estimator[T]) reserve(n int) {
	if len(e.opts.Work) < n {
		e.opts.Work = make([]T, n)
	}
}

// Refresh computes inverses at steps that are multiples of InverseEvery, and after each of
// the first three observations; with Corrected it also takes in the second moments of
// the step's batch. A block that cannot be factored is tried again with 10, 100 and 1000
// times the damping; if that fails too, it keeps what it had.
//
// Errors: that of the first block that failed more than MaxFailures times in a
// row or that never had an inverse, wrapped with its layer; the others have been refreshed.
func (e *Estimator[T]) Refresh(step int, r *solvers.Report) error {
	if e.blocks == nil {
		panic("kfac: Refresh: nothing has been observed")
	}
	var err error
	if step%e.o.InverseEvery == 0 || e.seen <= 3 && e.batch != nil || !e.ready {
		err = e.invert(r)
	} else {
		for i := range e.blocks {
			e.blocks[i].staleness++
		}
	}
	if f, ok := e.form.(*eigenForm[T]); ok && f.moments != nil && e.ready && e.batch != nil {
		for l := range e.blocks {
			f.observe(e.batch, l, e.o.Decay, &e.rotated, &e.opts)
		}
	}
	e.batch = nil
	return err
}

// attempts is the number of times that a block is tried, each with ten times the
// damping.
const attempts = 4

// invert brings the inverses of all blocks up to date.
func (e *Estimator[T]) invert(r *solvers.Report) error {
	for i := range e.due {
		e.due[i] = true
	}
	damping := e.damping
	for try := range attempts {
		if !e.factorise(damping) {
			break
		}
		for i := range e.blocks {
			if !e.due[i] {
				continue
			}
			err := e.failure(i)
			if err == nil || try == attempts-1 {
				e.conclude(i, damping, err, r)
			}
			e.due[i] = err != nil
		}
		damping = float64(10 * damping)
	}
	for i := range e.blocks {
		if b := &e.blocks[i]; e.due[i] && (!e.ready || b.failures > e.o.MaxFailures) {
			return fmt.Errorf("kfac: layer %s: %w", b.name, e.failure(i))
		}
	}
	e.ready = true
	return nil
}

// factorise computes the spare halves of the blocks that are due; it returns whether
// there is one.
func (e *Estimator[T]) factorise(damping float64) bool {
	any := false
	for i, due := range e.due {
		if due {
			e.form.load(i, damping)
			e.errs[i] = [2]error{}
			any = true
		}
	}
	if any {
		e.crew.run()
	}
	return any
}

// failure returns what went wrong with block i, if anything did.
func (e *Estimator[T]) failure(i int) error {
	if err := e.errs[i][inputs]; err != nil {
		return err
	}
	return e.errs[i][outputs]
}

// try sets dst to P·grads with another damping and leaves the estimator as it is. Errors: as
// Refresh.
func (e *Estimator[T]) try(damping float64, grads, dst []solvers.Tensor[T]) error {
	if err := e.refit(damping); err != nil {
		return err
	}
	e.form.flip()
	e.form.apply(damping, grads, dst, &e.opts)
	e.form.flip()
	return nil
}

// adopt puts another damping in force, one that try has returned no error for in this step.
func (e *Estimator[T]) adopt(damping float64) {
	if damping != e.spare {
		if err := e.refit(damping); err != nil {
			panic(fmt.Sprintf("kfac: a damping of %v failed that had succeeded: %v", damping, err))
		}
	}
	e.form.flip()
	e.damping = damping
	for i := range e.blocks {
		if e.form.damped() {
			e.blocks[i].staleness = 0
		}
	}
}

// refit computes the spare halves for a damping, if the form depends on it.
func (e *Estimator[T]) refit(damping float64) error {
	e.spare = damping
	if !e.form.damped() {
		return nil
	}
	for i := range e.due {
		e.due[i] = true
	}
	e.factorise(damping)
	for i := range e.due {
		if err := e.failure(i); err != nil {
			return fmt.Errorf("kfac: layer %s: %w", e.blocks[i].name, err)
		}
	}
	return nil
}

// conclude commits block i, or counts its failure, and reports.
func (e *Estimator[T]) conclude(i int, damping float64, err error, r *solvers.Report) {
	b := &e.blocks[i]
	entry := solvers.Block{Name: b.name, Err: err}
	if err == nil {
		entry.Refreshed = true
		entry.Condition = e.form.commit(i, damping, &e.opts)
		b.staleness, b.failures = 0, 0
	} else {
		b.staleness++
		b.failures++
	}
	entry.Staleness, entry.Failures = b.staleness, b.failures
	r.Blocks = append(r.Blocks, entry)
}

// Apply sets dst = P·grads.
//
// Cost: 2·out·in·(in + out) flops for each layer, twice that with Eigen and Corrected.
// Errors: *dense.NonFiniteError, wrapped with the tensor, where a gradient is not
// finite; dst is as it was then.
func (e *Estimator[T]) Apply(step int, grads, dst []solvers.Tensor[T]) error {
	if !e.ready {
		panic("kfac: Apply: there is no inverse yet")
	}
	if len(grads) != len(e.blocks) || len(dst) != len(e.blocks) {
		panic(fmt.Sprintf("kfac: Apply: %d gradients, %d destinations for %d tensors", len(grads), len(dst), len(e.blocks)))
	}
	for i := range e.blocks {
		b := &e.blocks[i]
		if g, d := grads[b.param], dst[b.param]; len(g.Data) != b.in*b.out || len(d.Data) != b.in*b.out {
			panic(fmt.Sprintf("kfac: Apply: layer %s: gradient has %d elements, destination %d, want %d", b.name, len(g.Data), len(d.Data), b.in*b.out))
		}
		if err := finite(grads[b.param].Matrix(), "gradient", &e.opts); err != nil {
			return fmt.Errorf("kfac: layer %s: %w", b.name, err)
		}
	}
	e.form.apply(e.damping, grads, dst, &e.opts)
	return nil
}
