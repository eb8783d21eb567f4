package kfac

import (
	"fmt"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/par"
	"github.com/precond-go/precond/solvers"
	"github.com/precond-go/precond/solvers/internal/crew"
)

// The roles of a block's slots: what Apply uses, what the next refresh is made in, and what a
// policy tries another damping in. The last two are one slot where they cannot be busy at
// the same time.
type role int

const (
	inForce role = iota
	upcoming
	trial
	roles
)

// attempts is the number of times that a block is tried, each with ten times the
// damping.
const attempts = 4

// A refit computes what is in the slots of a role from the statistics. It has a workspace of
// its own, so that one refit may be at work in the background while steps go on.
type refit[T dense.Float] struct {
	role   role
	blocks []block[T]
	form   form[T]
	tri    *tridiagonalForm[T] // form, if it is that
	errs   [][2]error          // by block and side
	due    []bool              // blocks that the crew works on
	crew   *crew.Crew[T]
	opts   dense.Opts[T] // for what follows the crew
}

func newRefit[T dense.Float](e *Estimator[T], r role) *refit[T] {
	n := len(e.blocks)
	f := &refit[T]{role: r, blocks: e.blocks, form: e.form, tri: e.tri, errs: make([][2]error, n), due: make([]bool, n)}
	costs := make([]float64, 2*n)
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
	f.crew = crew.New(costs, e.o.Threads, work, func(i int, o *dense.Opts[T]) {
		b, side := i/2, i%2
		if !f.due[b] || f.errs[b][side] != nil {
			return
		}
		if err := f.form.factorise(b, side, f.role, o); err != nil {
			f.errs[b][side] = fmt.Errorf("factor %s: %w", sideNames[side], err)
		}
	})
	f.opts.Threads = e.o.Threads
	if f.tri != nil {
		f.opts.Work = make([]T, f.tri.coupleWork(par.Threads(e.o.Threads)))
	}
	return f
}

// run computes all blocks. One that cannot be factored is tried again with 10, 100 and 1000
// times the damping, where that matters.
func (f *refit[T]) run(damping float64) {
	for i := range f.due {
		f.due[i] = true
	}
	for range attempts {
		f.once(damping)
		again := false
		for i := range f.due {
			f.due[i] = f.failure(i) != nil
			again = again || f.due[i]
		}
		if !again || !f.form.damped() {
			return
		}
		damping = float64(10 * damping)
	}
}

// try computes all blocks with this damping and returns the first error.
func (f *refit[T]) try(damping float64) error {
	for i := range f.due {
		f.due[i] = true
	}
	f.once(damping)
	for i := range f.blocks {
		if err := f.failure(i); err != nil {
			return fmt.Errorf("kfac: layer %s: %w", f.blocks[i].name, err)
		}
	}
	return nil
}

// once computes the blocks that are due.
func (f *refit[T]) once(damping float64) {
	for i, due := range f.due {
		if due {
			err := f.form.load(i, f.role, damping)
			f.errs[i] = [2]error{err, err}
		}
	}
	f.crew.Run()
	if f.tri != nil {
		f.couple()
	}
}

// couple goes on where the blocks hang together: if one fails, all do.
func (f *refit[T]) couple() {
	var err error
	for i := range f.blocks {
		if err = f.failure(i); err != nil {
			err = fmt.Errorf("%s: %w", f.blocks[i].name, err)
			break
		}
	}
	if err == nil {
		err = f.tri.couple(f.role, &f.opts)
	}
	for i := range f.errs {
		f.errs[i] = [2]error{err, err}
	}
}

// failure returns what went wrong with block i, if anything did.
func (f *refit[T]) failure(i int) error {
	if err := f.errs[i][inputs]; err != nil {
		return err
	}
	return f.errs[i][outputs]
}

// Refresh computes inverses (or bases) at steps that are multiples of InverseEvery, in the
// beginning more often (see there); with Corrected it also takes in the second moments of
// the step's batch. A block that cannot be factored is tried again with 10, 100 and 1000
// times the damping; if that fails too, it keeps what it had.
//
// With a Lag, what a refresh computes from the statistics of this step takes effect Lag steps
// later, and another goroutine computes it until then. In the beginning refreshes are computed
// at once, and so is one without which a block would be beyond Tolerance.
//
// Errors: *solvers.RefreshError for the first block that is beyond Tolerance or that never had an
// inverse; the others have been refreshed. The next step tries again.
func (e *Estimator[T]) Refresh(step int, r *solvers.Report) error {
	if e.seen == 0 {
		panic("kfac: Refresh: nothing has been observed")
	}
	if e.background.Due(step) || e.background.Pending() && e.health.Check(step) != nil {
		e.finish(r)
	}
	regular, beyond := step%e.o.InverseEvery == 0, !e.ready || e.health.Check(step) != nil
	early, over := e.early()
	switch {
	case e.background.Pending():
	case beyond || e.fresh && early || regular && !over:
		e.snapshot()
		e.refresh.run(e.base)
		e.conclude(step, r)
	case regular:
		e.snapshot()
		e.background.Start(step)
		if e.background.Due(step) {
			e.finish(r)
		}
	}
	if f, ok := e.form.(*eigenForm[T]); ok && f.moments != nil && e.ready && e.fresh {
		for l := range e.blocks {
			f.observe(e.sets, l, e.o.Decay, &e.rotated, &e.opts)
		}
	}
	e.fresh = false
	if !e.ready {
		for i := range e.blocks {
			if e.refresh.failure(i) != nil {
				return e.health.Error(i, step)
			}
		}
	}
	return e.health.Check(step)
}

// early returns whether inverses follow the last observation because it is one of the first, and
// whether those are over. They move the averages by much more than a later one. The gaps between those
// that inverses follow are one more than a third of the observations before.
func (e *Estimator[T]) early() (now, over bool) {
	next, gap := 1, 1
	for next < e.seen && gap*e.o.StatisticsEvery < e.o.InverseEvery {
		gap = 1 + next/3
		next += gap
	}
	over = gap*e.o.StatisticsEvery >= e.o.InverseEvery
	return next == e.seen && !over, over
}

// snapshot takes down what a refresh is to be computed from.
func (e *Estimator[T]) snapshot() {
	e.base, e.superseded = e.damping, false
	if e.o.Lag == 0 {
		return
	}
	for i := range e.blocks {
		for side, f := range e.blocks[i].factor {
			e.blocks[i].source[side].Copy(f)
		}
	}
	if e.tri != nil {
		e.tri.snapshot()
	}
}

// finish takes over what has been computed in the background, unless a policy has put something
// newer in force meanwhile.
func (e *Estimator[T]) finish(r *solvers.Report) {
	if err := e.background.Finish(); err != nil {
		panic(err) // errors are those of the blocks
	}
	if !e.superseded {
		e.conclude(e.background.Started(), r)
	}
	e.superseded = false
}

// conclude puts in force the blocks that have been computed from the statistics of step since,
// and reports.
func (e *Estimator[T]) conclude(since int, r *solvers.Report) {
	ready := true
	for i := range e.blocks {
		if err := e.refresh.failure(i); err != nil {
			e.health.Failed(i, err, r)
			ready = false
			continue
		}
		e.health.Succeeded(i, since, e.form.commit(i, upcoming, e.damping, &e.opts), r)
	}
	e.ready = e.ready || ready
}

// try sets dst to P·grads with another damping and the statistics of this step, and leaves the
// estimator as it is. Errors: where a block cannot be factored.
func (e *Estimator[T]) try(damping float64, grads, dst []solvers.Tensor[T]) error {
	if !e.form.damped() {
		e.form.apply(damping, grads, dst, &e.opts)
		return nil
	}
	e.tried = damping
	if err := e.trial.try(damping); err != nil {
		return err
	}
	e.exchange(trial)
	e.form.apply(damping, grads, dst, &e.opts)
	e.exchange(trial)
	return nil
}

// adopt puts another damping in force, one that try has returned no error for in this step.
// A refresh that is under way comes to nothing: it would be of older statistics.
func (e *Estimator[T]) adopt(step int, damping float64, r *solvers.Report) {
	e.damping = damping
	if !e.form.damped() {
		return
	}
	if damping != e.tried {
		e.tried = damping
		if err := e.trial.try(damping); err != nil {
			panic(fmt.Sprintf("kfac: a damping of %v failed that had succeeded: %v", damping, err))
		}
	}
	for i := range e.blocks {
		e.health.Succeeded(i, step, e.form.commit(i, trial, damping, &e.opts), r)
	}
	e.superseded = e.background.Pending()
}

// exchange exchanges what is in force with what is in the slots of a role.
func (e *Estimator[T]) exchange(r role) {
	for i := range e.blocks {
		e.blocks[i].exchange(r)
	}
}

// Close waits until nothing is under way in the background. Steps may go on afterwards, with
// the same bits.
func (e *Estimator[T]) Close() { e.background.Close() }
