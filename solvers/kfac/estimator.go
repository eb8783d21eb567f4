package kfac

import (
	"fmt"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/par"
	"github.com/precond-go/precond/solvers"
	"github.com/precond-go/precond/solvers/internal/crew"
)

// Estimator is the K-FAC or EKFAC estimate of a model's curvature, a
// solvers.Preconditioner. It must not be used by several goroutines at once.
type Estimator[T dense.Float] struct {
	o       Options
	damping float64
	spare   float64 // damping of the spare halves, after try
	seen    int     // observations so far
	ready   bool
	sizes   []int // elements of the tensors
	groups  []int // of the tensors
	layers  []int // index of a tensor's layer
	blocks  []block[T]
	form    form[T]
	tri     *tridiagonalForm[T] // form, if it is that
	crew    *crew.Crew[T]
	errs    [][2]error // of a refresh, by block and side
	due     []bool     // blocks that the crew works on
	opts    dense.Opts[T]
	sets    [][]solvers.Layer[T] // what Observe was given, by set and block
	fresh   bool                 // Refresh has not seen sets yet
	rotated rotated[T]
}

// New returns an estimator for the tensors of a model, each of which is the weight of
// one layer. It panics on impossible options.
func New[T dense.Float](params []solvers.Tensor[T], o Options) *Estimator[T] {
	o = o.resolve()
	if o.Groups != nil && len(o.Groups) != len(params) {
		panic(fmt.Sprintf("kfac: New: Groups has %d elements, there are %d tensors", len(o.Groups), len(params)))
	}
	e := &Estimator[T]{o: o, damping: o.Damping, opts: dense.Opts[T]{Threads: o.Threads}, layers: make([]int, len(params))}
	for i, t := range params {
		groups := 1
		if o.Groups != nil {
			groups = o.Groups[i]
		}
		e.sizes, e.groups = append(e.sizes, len(t.Data)), append(e.groups, groups)
		e.blocks = append(e.blocks, newBlocks(i, t, groups)...)
	}
	switch o.Form {
	case Cholesky:
		e.form = newCholeskyForm(e.blocks)
	case Eigen, Corrected:
		e.form = newEigenForm(e.blocks, o.Form == Corrected)
	case Tridiagonal:
		e.tri = newTridiagonalForm(e.blocks)
		e.form = e.tri
	}
	e.errs, e.due = make([][2]error, len(e.blocks)), make([]bool, len(e.blocks))
	costs := make([]float64, 2*len(e.blocks))
	for i := range costs {
		n := float64(e.blocks[i/2].dim(i % 2))
		costs[i] = n * n * n // exact: compared only
	}
	work := func(threads int) (n int) {
		for i := range e.blocks {
			n = max(n, e.form.work(i, threads))
		}
		return n
	}
	e.crew = crew.New(costs, o.Threads, work, func(i int, o *dense.Opts[T]) {
		if b, side := i/2, i%2; e.due[b] && e.errs[b][side] == nil {
			e.errs[b][side] = e.form.factorise(b, side, o)
		}
	})
	e.reserve(e.form.stepWork(nil, par.Threads(o.Threads)))
	return e
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

// Observe moves the averages of the factors towards those of the batch. Every tensor must be
// the weight of one layer. With Corrected, the matrices of the layers have to stay as they
// are until Refresh.
//
// Cost: rows·(in² + out²) flops for each layer with rows = Share·Examples·Positions.
// Errors: *dense.NonFiniteError, wrapped with the layer, where a statistic is not
// finite; nothing has changed then.
func (e *Estimator[T]) Observe(step int, ev *solvers.Evidence[T]) error {
	e.fresh = false
	if e.Needs(step) == 0 {
		return nil
	}
	if len(ev.Layers) == 0 {
		panic(fmt.Sprintf("kfac: Observe: step %d has no layer statistics", step))
	}
	e.take(ev.Layers)
	if e.tri != nil {
		e.tri.check(e.sets[0])
	}
	for s, set := range e.sets {
		for i := range set {
			if s == 0 && e.blocks[i].group == 0 {
				if err := finite(set[i].Inputs, "Inputs", &e.opts); err != nil {
					return fmt.Errorf("kfac: layer %s: %w", set[i].Name, err)
				}
			}
			if err := finite(set[i].Grads, "Grads", &e.opts); err != nil {
				return fmt.Errorf("kfac: layer %s: %w", set[i].Name, err)
			}
		}
	}
	threads := par.Threads(e.o.Threads)
	n := e.form.stepWork(e.sets[0], threads)
	for i := range e.blocks {
		n = max(n, e.blocks[i].observeWork(&e.sets[0][i], threads))
	}
	e.reserve(n)
	e.seen++
	keep := keepWeight(e.seen, e.o.Decay)
	for i := range e.blocks {
		e.blocks[i].observe(e.sets, i, keep, &e.opts)
	}
	if e.tri != nil {
		e.tri.observe(e.sets, keep, &e.opts)
	}
	e.fresh = true
	return nil
}

// take sets e.sets to the parts of the layers that concern each block.
func (e *Estimator[T]) take(layers [][]solvers.Layer[T]) {
	for len(e.sets) < len(layers) {
		e.sets = append(e.sets, make([]solvers.Layer[T], len(e.blocks)))
	}
	e.sets = e.sets[:len(layers)]
	for s, set := range layers {
		for i := range e.layers {
			e.layers[i] = -1
		}
		for l := range set {
			p := set[l].Param
			if p < 0 || p >= len(e.layers) || e.layers[p] >= 0 {
				panic(fmt.Sprintf("kfac: Observe: layer %s has tensor %d of %d, or shares it with another layer", set[l].Name, p, len(e.layers)))
			}
			e.layers[p] = l
		}
		for i := range e.blocks {
			b := &e.blocks[i]
			l := e.layers[b.param]
			if l < 0 {
				panic(fmt.Sprintf("kfac: Observe: tensor %d (%s) has no layer", b.param, b.name))
			}
			e.sets[s][i] = b.part(&set[l], e.o.Share, e.groups[b.param])
		}
	}
}

// reserve makes the workspace at least n elements long.
func (e *Estimator[T]) reserve(n int) {
	if len(e.opts.Work) < n {
		e.opts.Work = make([]T, n)
	}
}

// Refresh computes inverses at steps that are multiples of InverseEvery, in the beginning
// more often (see there); with Corrected it also takes in the second moments of
// the step's batch. A block that cannot be factored is tried again with 10, 100 and 1000
// times the damping; if that fails too, it keeps what it had.
//
// Errors: that of the first block that failed more than MaxFailures times in a
// row or that never had an inverse, wrapped with its layer; the others have been refreshed.
func (e *Estimator[T]) Refresh(step int, r *solvers.Report) error {
	if e.seen == 0 {
		panic("kfac: Refresh: nothing has been observed")
	}
	var err error
	if step%e.o.InverseEvery == 0 || e.fresh && e.early() || !e.ready {
		err = e.invert(r)
	} else {
		for i := range e.blocks {
			e.blocks[i].staleness++
		}
	}
	if f, ok := e.form.(*eigenForm[T]); ok && f.moments != nil && e.ready && e.fresh {
		for l := range e.blocks {
			f.observe(e.sets, l, e.o.Decay, &e.rotated, &e.opts)
		}
	}
	e.fresh = false
	return err
}

// early returns whether inverses follow the last observation because it is one of the first: these
// move the averages by much more than a later one. The gaps between those that they follow are one
// more than a third of the observations before.
func (e *Estimator[T]) early() bool {
	next, gap := 1, 1
	for next < e.seen && gap*e.o.StatisticsEvery < e.o.InverseEvery {
		gap = 1 + next/3
		next += gap
	}
	return next == e.seen && gap*e.o.StatisticsEvery < e.o.InverseEvery
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
			err := e.form.load(i, damping)
			e.errs[i] = [2]error{err, err}
			any = true
		}
	}
	if any {
		e.crew.Run()
	}
	if any && e.tri != nil {
		e.couple()
	}
	return any
}

// couple goes on where the blocks hang together: if one fails, all do.
func (e *Estimator[T]) couple() {
	var err error
	for i := range e.blocks {
		if err == nil {
			err = e.failure(i)
		}
	}
	if err == nil {
		err = e.tri.couple(&e.opts)
	}
	for i := range e.errs {
		e.errs[i] = [2]error{err, err}
	}
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
	if len(grads) != len(e.sizes) || len(dst) != len(e.sizes) {
		panic(fmt.Sprintf("kfac: Apply: %d gradients, %d destinations for %d tensors", len(grads), len(dst), len(e.sizes)))
	}
	for i, n := range e.sizes {
		if len(grads[i].Data) != n || len(dst[i].Data) != n {
			panic(fmt.Sprintf("kfac: Apply: tensor %d: gradient has %d elements, destination %d, want %d", i, len(grads[i].Data), len(dst[i].Data), n))
		}
	}
	for i := range e.blocks {
		b := &e.blocks[i]
		if err := finite(b.rows(&grads[b.param]), "gradient", &e.opts); err != nil {
			return fmt.Errorf("kfac: layer %s: %w", b.name, err)
		}
	}
	e.form.apply(e.damping, grads, dst, &e.opts)
	return nil
}
