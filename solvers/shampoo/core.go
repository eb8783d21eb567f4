package shampoo

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/par"
	"github.com/precond-go/precond/internal/space"
	"github.com/precond-go/precond/invroot"
	"github.com/precond-go/precond/kron"
	"github.com/precond-go/precond/solvers"
	"github.com/precond-go/precond/solvers/internal/crew"
	"gonum.org/v1/gonum/blas"
)

// A factor is the statistic of one mode of a block, and what is made of it.
type factor[T dense.Float] struct {
	name        string
	block, mode int
	n           int
	diagonal    bool // the matrices have one row, the diagonal
	exponent    invroot.Exponent
	slot        int             // of the refresh interval
	stat        dense.Matrix[T] // lower triangle
	snap        dense.Matrix[T] // what the refresh under way works on
	// out are two halves: the root (or basis) in force and a spare one, in which the
	// next is made; so a failure leaves the factor as it was.
	out       [2]dense.Matrix[T]
	half      int
	ready     bool
	norm      float64 // of what is in force
	condition float64 // of the refresh under way
	err       error
}

// trace returns the trace of the statistic.
func (f *factor[T]) trace() (sum float64) {
	step := f.stat.Stride + 1
	if f.diagonal {
		step = 1
	}
	for i := range f.n {
		sum += float64(f.stat.Data[i*step])
	}
	return sum
}

// current returns what is in force.
func (f *factor[T]) current() dense.Matrix[T] { return f.out[f.half] }

// core is what the methods of this package share: blocks and factors, statistics, and refreshes
// that are transactions. What a refresh makes of a statistic and how it takes effect is
// theirs.
type core[T dense.Float] struct {
	o       Options
	params  []solvers.Tensor[T] // for names and shapes
	blocks  []block[T]
	factors []factor[T]
	waiting []int // factors of each tensor that nothing is in force for
	checked bool  // the gradients of all steps are checked, not only of those that are observed

	seen     int       // observations
	prod     float64   // product of the weights of old values: 1 minus the bias correction
	total    []float64 // sums: of the squared norms of the gradients
	observer *crew.Crew[T]
	grads    []solvers.Tensor[T] // of the call under way
	alpha    T
	beta     T

	begun     bool // there has been a refresh
	slot      int  // of the refresh under way
	refresher *crew.Crew[T]
	job       *solvers.Background
	health    *solvers.Health
	renew     func(f *factor[T], o *dense.Opts[T]) (condition float64, err error)
	commit    func(f *factor[T])

	one   [1]float64    // room for power
	plain dense.Opts[T] // of operations without a workspace
}

// newCore returns the common part for params.
func newCore[T dense.Float](op string, params []solvers.Tensor[T], o Options) *core[T] {
	o = o.resolve(op)
	c := &core[T]{o: o, params: params, prod: 1, waiting: make([]int, len(params)), plain: dense.Opts[T]{Threads: o.Threads}}
	if o.Decay == 1 {
		c.total = make([]float64, len(params))
	}
	for i := range params {
		p := &params[i]
		if len(p.Data) == 0 {
			continue
		}
		shape := mergedShape(p.Shape, o.Merge)
		if len(shape) > maxOrder {
			panic(fmt.Sprintf("shampoo: %s: %s has shape %v, of order more than %d", op, p.Name, p.Shape, maxOrder))
		}
		for _, b := range newBlocks[T](i, p.Name, shape, o.BlockSize, o.DiagonalAbove) {
			for mode := range shape {
				c.addFactor(op, &b, mode)
			}
			c.blocks = append(c.blocks, b)
		}
	}
	return c
}

// addFactor makes the factor of a mode of the coming block.
func (c *core[T]) addFactor(op string, b *block[T], mode int) {
	e := c.o.exponent(op, b.tensor, b.outer, mode)
	b.factors[mode] = -1
	if e.Q == 0 {
		return
	}
	b.factors[mode] = len(c.factors)
	b.order++
	f := factor[T]{name: fmt.Sprint(b.name, " mode ", mode), block: len(c.blocks), mode: mode, n: b.shape[mode], exponent: e}
	rows := f.n
	if f.diagonal = c.o.DiagonalAbove > 0 && f.n > c.o.DiagonalAbove; f.diagonal {
		rows = 1
	}
	for _, m := range []*dense.Matrix[T]{&f.stat, &f.snap, &f.out[0], &f.out[1]} {
		*m = dense.NewMatrix[T](rows, f.n)
	}
	c.factors = append(c.factors, f)
	c.waiting[b.tensor]++
}

// cost is the work of a refresh.
func (f *factor[T]) cost() float64 {
	n := float64(f.n)
	if f.diagonal {
		return float64(100 * n)
	}
	return float64(n * float64(n*n))
}

// start sets what is made of a snapshot in the spare half, which takes room elements of
// workspace, and how it takes effect.
func (c *core[T]) start(room func(f *factor[T], threads int) int, renew func(f *factor[T], o *dense.Opts[T]) (float64, error), commit func(f *factor[T])) {
	c.renew, c.commit = renew, commit
	observe, refresh, names := make([]float64, len(c.factors)), make([]float64, len(c.factors)), make([]string, len(c.factors))
	for i := range c.factors {
		f := &c.factors[i]
		names[i], refresh[i] = f.name, f.cost()
		observe[i] = float64(float64(f.n) * float64(c.blocks[f.block].size))
	}
	c.assign(refresh)
	c.health = solvers.NewHealth(names, c.o.Tolerance)
	c.observer = crew.New(observe, c.o.Threads, func(threads int) (n int) {
		for i := range c.factors {
			var w space.Arena[T]
			c.reserveObserve(&w, &c.factors[i], threads)
			n = max(n, w.Used())
		}
		return n + space.Line[T]()
	}, c.observe)
	c.refresher = crew.New(refresh, c.o.Threads, func(threads int) (n int) {
		for i := range c.factors {
			n = max(n, room(&c.factors[i], threads))
		}
		return n + space.Line[T]()
	}, func(i int, o *dense.Opts[T]) {
		if f := &c.factors[i]; f.slot == c.slot {
			f.condition, f.err = c.renew(f, o)
		}
	})
	c.job = solvers.NewBackground(c.o.Lag, func() error { c.refresher.Run(); return nil })
}

// slots returns the number of parts of a refresh, and the number of steps between two.
func (c *core[T]) slots() (n, stride int) {
	if !c.o.Spread {
		return 1, c.o.RefreshEvery
	}
	stride = max(1, c.o.Lag)
	return c.o.RefreshEvery / stride, stride
}

// assign gives each factor its slot: the largest first, each to the slot that has least to do so
// far.
func (c *core[T]) assign(cost []float64) {
	n, _ := c.slots()
	load, order := make([]float64, n), make([]int, len(cost))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(cost[j], cost[i]) })
	for _, i := range order {
		least := 0
		for s := range load {
			if load[s] < load[least] {
				least = s
			}
		}
		c.factors[i].slot = least
		load[least] += cost[i]
	}
}

// due returns the slot of a step; false if nothing is to be refreshed.
func (c *core[T]) due(step int) (slot int, ok bool) {
	n, stride := c.slots()
	if !c.o.Spread {
		return 0, !c.begun || step%stride == 0
	}
	at := step % c.o.RefreshEvery
	return at / stride, at%stride == 0 && at/stride < n
}

// take checks the gradients of a step and takes them into the statistics. After an error
// nothing has changed.
func (c *core[T]) take(step int, e *solvers.Evidence[T]) error {
	if err := c.verify(step, e); err != nil || !c.observes(step) {
		return err
	}
	keep := c.o.Decay
	c.alpha, c.beta = T(1-keep), T(keep)
	if keep == 1 {
		c.alpha = 1
		for i := range c.total {
			n := e.Norm(i)
			c.total[i] += float64(n * n)
		}
	}
	c.grads = e.Grads
	c.observer.Run()
	c.grads = nil
	c.seen++
	c.prod = float64(c.prod * keep)
	return nil
}

// observes returns whether the gradients of a step go into the statistics.
func (c *core[T]) observes(step int) bool { return step%c.o.StatisticsEvery == 0 || c.seen == 0 }

// verify returns the error that take would return.
func (c *core[T]) verify(step int, e *solvers.Evidence[T]) error {
	solvers.CheckLike("shampoo: Observe", "the model", c.params, "the gradient", e.Grads)
	if !c.checked && !c.observes(step) {
		return nil
	}
	return c.check(e)
}

// check returns an error if a gradient is not finite or its statistics may not be.
func (c *core[T]) check(e *solvers.Evidence[T]) error {
	limit := solvers.Greatest[T]() / 4
	for i := range c.params {
		n := e.Norm(i)
		if n-n != 0 {
			return &dense.NonFiniteError{Where: "gradient of " + c.params[i].Name}
		}
		square := float64(n * n)
		if c.total != nil {
			square += c.total[i]
		}
		if !(square <= limit) {
			return &dense.NonFiniteError{Where: "squares of the gradient of " + c.params[i].Name}
		}
	}
	if c.o.Statistic != Likelihood {
		return nil
	}
	for i := range c.factors {
		f := &c.factors[i]
		b := &c.blocks[f.block]
		n := e.Norm(b.tensor)
		for mode, k := range b.factors {
			if mode != f.mode && k >= 0 && c.waiting[b.tensor] == 0 {
				n = float64(n * max(1, c.factors[k].norm))
			}
		}
		if !(float64(n*n) <= limit) {
			return &dense.NonFiniteError{Where: "squares of the whitened gradient of " + c.params[b.tensor].Name}
		}
	}
	return nil
}

// observeSpace is the workspace of observe.
type observeSpace[T dense.Float] struct {
	x, y  []T       // elements of the block, as they are and whitened
	one   []float64 // room for power
	white dense.Opts[T]
	gram  gramSpace[T]
}

func (c *core[T]) reserveObserve(w *space.Arena[T], f *factor[T], threads int) (s observeSpace[T]) {
	b := &c.blocks[f.block]
	left, n, right := b.sides(f.mode)
	s.x = w.Take(b.room())
	if c.o.Statistic == Likelihood {
		s.y, s.one = w.Take(b.size), w.Doubles(1)
		s.white = c.applyOpts(w, b, threads)
	}
	s.gram = reserveGram[T](w, left, n, right, f.diagonal, threads)
	return s
}

// applyOpts takes the workspace of apply from w.
func (c *core[T]) applyOpts(w *space.Arena[T], b *block[T], threads int) dense.Opts[T] {
	var ops [maxOrder]dense.Matrix[T]
	for mode, k := range b.factors {
		if k >= 0 && !c.factors[k].diagonal {
			ops[mode] = c.factors[k].out[0]
		}
	}
	n := kron.ApplyTensorWork(blas.NoTrans, ops[:len(b.shape)], b.shape, threads)
	n = max(n, kron.ApplyTensorWork(blas.Trans, ops[:len(b.shape)], b.shape, threads))
	return dense.Opts[T]{Threads: threads, Work: w.Take(n)}
}

// observe moves the statistic of factor i towards that of the gradient.
func (c *core[T]) observe(i int, o *dense.Opts[T]) {
	f := &c.factors[i]
	b := &c.blocks[f.block]
	w := space.Over(space.Aligned(o.Work, len(o.Work)-space.Line[T]()))
	s := c.reserveObserve(&w, f, o.Threads)
	x := b.gather(c.grads[b.tensor].Data, s.x)
	alpha := c.alpha
	left, n, right := b.sides(f.mode)
	if c.o.Statistic == Likelihood {
		a := float64(alpha) / float64(b.size/n)
		if c.white(b) {
			c.apply(b, blas.NoTrans, x, s.y, f.mode, &s.white)
		} else {
			copy(s.y, x)
			if k := b.order; k > 1 {
				a = float64(a * spherical(s.y, k, s.one, &s.white))
			}
		}
		x, alpha = s.y, T(a)
	}
	gram(alpha, x, left, n, right, c.beta, f.stat, &s.gram)
}

// white returns whether there are roots that a block's gradients can be whitened with. Those of a
// block whose gradients were zero are zero, and would keep its statistics so.
func (c *core[T]) white(b *block[T]) bool {
	for _, k := range b.factors {
		if k >= 0 && c.factors[k].norm == 0 {
			return false
		}
	}
	return c.waiting[b.tensor] == 0
}

// spherical returns the weight of X·Xᵀ for the elements x of a block with k > 1 factors that has no
// roots: the other modes are taken for multiples of the identity, such that the product of all
// has the scale of the gradient's second moment. Where squares might underflow it multiplies x by a
// power of two, which is in the weight. one is room for one element.
func spherical[T dense.Float](x []T, k int, one []float64, o *dense.Opts[T]) float64 {
	small, most := -400, 900
	if solvers.Greatest[T]() == math.MaxFloat32 {
		small, most = -40, 100
	}
	norm, weight := float64(dense.Nrm2(x, o)), 1.0
	if _, exp := math.Frexp(norm); norm > 0 && exp < small {
		shift := min(-exp, most)
		dense.Scal(T(math.Ldexp(1, shift)), x, o)
		norm = math.Ldexp(norm, shift)
		weight = power(math.Ldexp(1, -shift), 2/float64(k), one)
	}
	if square := float64(norm*norm) / float64(len(x)); square > 0 {
		weight = float64(weight * power(square, float64(1-k)/float64(k), one))
	}
	return weight
}

// apply sets y to what the matrices in force make of the elements x of a block, in all modes but
// one; −1 excepts none. y may be x.
func (c *core[T]) apply(b *block[T], trans blas.Transpose, x, y []T, except int, o *dense.Opts[T]) {
	if c.waiting[b.tensor] > 0 {
		copy(y, x)
		return
	}
	ops := b.ops
	var others [maxOrder]dense.Matrix[T]
	if except >= 0 {
		copy(others[:], ops)
		others[except] = dense.Matrix[T]{}
		ops = others[:len(ops)]
	}
	kron.ApplyTensor(trans, ops, b.shape, x, y, o)
	for mode, k := range b.factors {
		if k >= 0 && mode != except && c.factors[k].diagonal {
			left, _, right := b.sides(mode)
			scaleMode(c.factors[k].current().Data, y, left, right, o)
		}
	}
}

// bring does the refreshes of a step. Where a factor is beyond Tolerance, it does all of them at
// once: the step is not counted until they succeed, so that nothing would fall due.
func (c *core[T]) bring(step int, r *solvers.Report) error {
	if c.seen == 0 {
		panic("shampoo: Refresh: nothing has been observed")
	}
	if c.job.Due(step) || c.job.Pending() && c.health.Check(step) != nil {
		c.finish(r)
	}
	switch slot, ok := c.due(step); {
	case c.job.Pending():
	case c.health.Check(step) != nil:
		n, _ := c.slots()
		for slot := range n {
			c.begin(step, slot)
			c.finish(r)
		}
	case ok:
		c.begin(step, slot)
		if c.job.Due(step) {
			c.finish(r)
		}
	}
	return c.health.Check(step)
}

// begin starts the refresh of the factors of a slot.
func (c *core[T]) begin(step, slot int) {
	c.begun, c.slot = true, slot
	for i := range c.factors {
		if f := &c.factors[i]; f.slot == slot {
			c.snapshot(f)
		}
	}
	c.job.Start(step)
}

// snapshot copies the statistic of a factor, with bias correction and the scale by the trace.
func (c *core[T]) snapshot(f *factor[T]) {
	scale := 1.0
	if c.o.Decay < 1 && !c.o.Uncorrected {
		scale = 1 / (1 - c.prod)
	}
	if k := c.blocks[f.block].order; c.o.TraceScaled && k > 1 {
		if trace := float64(scale * f.trace()); trace > 0 {
			scale = float64(scale * power(trace, float64(1-k)/float64(k), c.one[:]))
		}
	}
	dense.Scale(T(scale), f.stat, f.snap, &c.plain)
}

// finish puts in force what the job has made, factor by factor.
func (c *core[T]) finish(r *solvers.Report) {
	if err := c.job.Finish(); err != nil {
		panic(err) // the job keeps its errors in the factors
	}
	for i := range c.factors {
		f := &c.factors[i]
		if f.slot != c.slot {
			continue
		}
		if f.err != nil {
			c.health.Failed(i, f.err, r)
			f.err = nil
			continue
		}
		c.commit(f)
		if !f.ready {
			f.ready = true
			c.waiting[c.blocks[f.block].tensor]--
		}
		c.health.Succeeded(i, c.job.Started(), f.condition, r)
	}
}

// use makes the spare half of a factor the one in force.
func (c *core[T]) use(f *factor[T]) {
	f.half = 1 - f.half
	c.derive(f)
}

// derive sets what depends on what is in force.
func (c *core[T]) derive(f *factor[T]) {
	if !f.diagonal {
		c.blocks[f.block].ops[f.mode] = f.current()
	}
	f.norm = float64(dense.NormFrobenius(f.current(), &c.plain))
}

// state names statistics, what is in force and the counters.
func (c *core[T]) state(v *solvers.State) {
	c.job.State(v)
	v.Int("seen", &c.seen)
	v.Float("weight of the start", &c.prod)
	v.Bool("begun", &c.begun)
	v.Int("slot", &c.slot)
	solvers.Floats(v, "squared norms", c.total)
	for i := range c.factors {
		f := &c.factors[i]
		solvers.Floats(v, "statistic of "+f.name, f.stat.Data)
		solvers.Floats(v, "in force for "+f.name, f.current().Data)
		v.Bool("ready "+f.name, &f.ready)
		if c.o.Lag > 0 {
			solvers.Floats(v, "snapshot of "+f.name, f.snap.Data)
		}
	}
	c.health.State(v)
	if !v.Restoring() {
		return
	}
	clear(c.waiting)
	for i := range c.factors {
		if f := &c.factors[i]; f.ready {
			c.derive(f)
		} else {
			c.blocks[f.block].ops[f.mode] = dense.Matrix[T]{}
			c.waiting[c.blocks[f.block].tensor]++
		}
	}
}

// plainThreads returns the number of threads of operations on all of them.
func (c *core[T]) plainThreads() int { return par.Threads(c.o.Threads) }

// perBlock returns the workers of what is done to each block in all of its modes; reserve takes
// the workspace of one.
func (c *core[T]) perBlock(reserve func(w *space.Arena[T], b *block[T], threads int), work func(i int, o *dense.Opts[T])) *crew.Crew[T] {
	costs := make([]float64, len(c.blocks))
	for i := range c.blocks {
		b := &c.blocks[i]
		for _, d := range b.shape {
			costs[i] += float64(float64(b.size) * float64(d))
		}
	}
	return crew.New(costs, c.o.Threads, func(threads int) (n int) {
		for i := range c.blocks {
			var w space.Arena[T]
			reserve(&w, &c.blocks[i], threads)
			n = max(n, w.Used())
		}
		return n + space.Line[T]()
	}, work)
}
