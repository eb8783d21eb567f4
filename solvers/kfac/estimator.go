package kfac

import (
	"fmt"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/par"
	"github.com/precond-go/precond/solvers"
)

// Estimator is the K-FAC or EKFAC estimate of a model's curvature, a
// solvers.Preconditioner. It must not be used by several goroutines at once.
type Estimator[T dense.Float] struct {
	o       Options
	damping float64
	seen    int   // observations so far
	ready   bool  // every block has an inverse
	sizes   []int // elements of the tensors
	groups  []int // of the tensors
	layers  []int // index of a tensor's layer
	blocks  []block[T]
	form    form[T]
	tri     *tridiagonalForm[T] // form, if it is that
	opts    dense.Opts[T]
	sets    [][]solvers.Layer[T] // what Observe was given, by set and block
	fresh   bool                 // Refresh has not seen sets yet
	reduced *reduced[T]          // nil with Expand
	rotated rotated[T]

	refresh    *refit[T] // of the slots that come next
	base       float64   // its damping
	background *solvers.Background
	superseded bool      // the pending refresh is to come to nothing
	trial      *refit[T] // of another damping; refresh itself without a lag
	tried      float64   // the damping in the trial slots
	health     *solvers.Health
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
		e.blocks = append(e.blocks, newBlocks(i, t, groups, o.Lag > 0)...)
	}
	var names []string
	for i := range e.blocks {
		names = append(names, e.blocks[i].name)
	}
	e.health = solvers.NewHealth(names, o.Tolerance)
	slots := 2
	if o.Lag > 0 && o.Form != Eigen && o.Form != Corrected {
		slots = 3
	}
	for i := range e.blocks {
		e.blocks[i].slot = [roles]int{inForce: 0, upcoming: 1, trial: slots - 1}
	}
	switch o.Form {
	case Cholesky:
		e.form = newCholeskyForm(e.blocks, slots)
	case Eigen, Corrected:
		e.form = newEigenForm(e.blocks, o.Form == Corrected)
	case Tridiagonal:
		e.tri = newTridiagonalForm(e.blocks, slots, o.Lag > 0)
		e.form = e.tri
	}
	if o.Sharing == Reduce {
		e.reduced = newReduced[T](len(e.blocks))
	}
	e.refresh = newRefit(e, upcoming)
	if e.trial = e.refresh; slots > 2 {
		e.trial = newRefit(e, trial)
	}
	e.background = solvers.NewBackground(o.Lag, func() error {
		e.refresh.run(e.base)
		return nil
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
// finite or may not be; nothing has changed then.
func (e *Estimator[T]) Observe(step int, ev *solvers.Evidence[T]) error {
	e.fresh = false
	if e.Needs(step) == 0 {
		return nil
	}
	if len(ev.Layers) == 0 {
		panic(fmt.Sprintf("kfac: Observe: step %d has no layer statistics", step))
	}
	e.take(ev.Layers)
	if err := e.finite(e.sets); err != nil {
		return err
	}
	sets := e.sets // of the factors
	if e.reduced != nil {
		sets = e.reduced.of(e.sets, e.blocks, &e.opts)
		if err := e.finite(sets); err != nil {
			return err
		}
	}
	threads, batch := par.Threads(e.o.Threads), e.sets[0]
	if e.tri != nil {
		e.tri.check(sets[0])
		batch = sets[0]
	}
	n := e.form.stepWork(batch, threads)
	for i := range e.blocks {
		n = max(n, e.blocks[i].observeWork(&sets[0][i], threads))
	}
	e.reserve(n)
	e.seen++
	keep := keepWeight(e.seen, e.o.Decay)
	for i := range e.blocks {
		e.blocks[i].observe(sets, i, keep, &e.opts)
	}
	if e.tri != nil {
		e.tri.observe(sets, keep, &e.opts)
	}
	e.fresh = true
	return nil
}

// finite returns an error that names the layer and the factor of what in the sets is not finite,
// or has no finite squares; with Corrected also where the squares of an example's gradients may
// overflow, which would stay in their moments.
func (e *Estimator[T]) finite(sets [][]solvers.Layer[T]) error {
	f, _ := e.form.(*eigenForm[T])
	squares := 0.0 // of the inputs of a layer
	for i := range e.blocks {
		name := sets[0][i].Name
		if l := &sets[0][i]; e.blocks[i].group == 0 || e.reduced != nil {
			sum, err := finite(l.Inputs, "Inputs", &e.opts)
			if err != nil {
				return fmt.Errorf("kfac: layer %s: factor A: %w", name, err)
			}
			if l.Conv != nil { // an element is in no more patches
				sum = float64(sum * float64(l.Conv.Patch()))
			}
			squares = sum + float64(l.Examples*l.Positions) // with the 1 of the bias
		}
		grads := 0.0
		for _, set := range sets {
			sum, err := finite(set[i].Grads, "Grads", &e.opts)
			if err != nil {
				return fmt.Errorf("kfac: layer %s: factor G: %w", name, err)
			}
			grads += sum
		}
		if f != nil && f.moments != nil && !(float64(squares*grads) <= solvers.Greatest[T]()/4) {
			return fmt.Errorf("kfac: layer %s: %w", name, &dense.NonFiniteError{Where: "squares of the gradients"})
		}
	}
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
		if _, err := finite(b.rows(&grads[b.param]), "gradient", &e.opts); err != nil {
			return fmt.Errorf("kfac: layer %s: %w", b.name, err)
		}
	}
	e.form.apply(e.damping, grads, dst, &e.opts)
	return nil
}
