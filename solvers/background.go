package solvers

import (
	"fmt"
	"runtime/debug"
)

// Background does a preconditioner's expensive work on another goroutine while steps go
// on with the last result. Results do not depend on timing: what starts at step s from a
// snapshot of the statistics takes effect at step s + lag exactly, and is waited for if
// it is not done.
//
// The order in a Refresh is
//
//	if b.Due(step) {
//		err := b.Finish()
//		// On success exchange results and what is in force; Health's since is b.Started().
//	}
//	if step%interval == 0 && !b.Pending() {
//		// Copy the statistics into the snapshot.
//		b.Start(step)
//	}
//	if b.Due(step) { … } // with a lag of 0, finish in the same step
//
// so that at most one job is under way. The work reads the snapshot and writes results that
// nothing else touches until Finish. It does not change the snapshot, which a checkpoint may be
// reading.
type Background struct {
	lag     int
	work    func() error
	job     func() // what the goroutine does
	ended   chan struct{}
	pending bool
	started int  // step of the snapshot
	running bool // the goroutine has not been joined
	done    bool // the work of the pending job has been done: err and failure say how
	err     error
	failure *panicked
}

// panicked is a panic on its way to the caller.
type panicked struct {
	value any
	stack []byte
}

// NewBackground returns a Background that takes effect after lag ≥ 0 steps. With a lag of
// 0 the work is done by Finish itself.
func NewBackground(lag int, work func() error) *Background {
	if lag < 0 {
		panic(fmt.Sprintf("solvers: NewBackground: lag %d", lag))
	}
	b := &Background{lag: lag, work: work, ended: make(chan struct{}, 1)}
	b.job = func() {
		defer func() { b.ended <- struct{}{} }() // also if the work ends the goroutine
		b.do()
	}
	return b
}

// Pending returns whether a job has been started and not finished.
func (b *Background) Pending() bool { return b.pending }

// Started returns the step at which the last job was started.
func (b *Background) Started() int { return b.started }

// Due returns whether a job takes effect at this step.
func (b *Background) Due(step int) bool { return b.pending && step >= b.started+b.lag }

// Start starts a job from the snapshot of this step. It panics if one is pending.
func (b *Background) Start(step int) {
	if b.pending {
		panic(fmt.Sprintf("solvers: Background: Start at step %d while the job of step %d is pending", step, b.started))
	}
	b.pending, b.started, b.done = true, step, false
	if b.lag > 0 {
		b.running = true
		go b.job()
	}
}

// Finish waits for the pending job and returns its error. A panic of the work becomes one
// of the caller.
func (b *Background) Finish() error {
	if !b.pending {
		panic("solvers: Background: Finish without a job")
	}
	b.join()
	if !b.done {
		b.do()
	}
	b.pending = false
	if f := b.failure; f != nil {
		b.failure = nil
		panic(fmt.Sprintf("solvers: Background: %v\n\n%s", f.value, f.stack))
	}
	return b.err
}

// do does the work. Its outcome is in err and failure, also if it panics or exits the goroutine.
func (b *Background) do() {
	returned := false
	defer func() {
		b.done = true
		if r := recover(); !returned {
			b.failure = &panicked{r, debug.Stack()}
		}
	}()
	b.err = b.work()
	returned = true
}

// join waits until no goroutine is running.
func (b *Background) join() {
	if b.running {
		<-b.ended
		b.running = false
	}
}

// Close waits until no goroutine is running. A pending job stays pending: steps may go on.
func (b *Background) Close() { b.join() }

// State names the pending job. The snapshot is named by the method. A job that a
// checkpoint found pending is done when it is due.
func (b *Background) State(s *State) {
	if s.reading {
		b.join() // the snapshot is about to change
	}
	s.Bool("pending", &b.pending)
	s.Int("started", &b.started)
	if s.restoring {
		b.done, b.err, b.failure = false, nil, nil
	}
}
