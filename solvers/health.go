package solvers

import "fmt"

// Tolerance says how long a preconditioner may go on with old inverses.
type Tolerance struct {
	// Failures is the number of refreshes in a row that may fail in a block; 0 means
	// 3, a negative number none.
	Failures int
	// Staleness is the number of steps that a block may be out of date; 0 means any.
	Staleness int
}

// Health keeps the record of the blocks of a preconditioner: a refresh either succeeds or leaves
// the last good state in force, how often in a row it failed and how old that state is
// are reported, and both are bounded. What is in force before the first success is for
// the method to say (the identity, the graft).
//
// A Refresh calls Succeeded or Failed for each block that it tried, and returns
// what Check says.
type Health struct {
	limit  Tolerance
	blocks []blockHealth
}

type blockHealth struct {
	name     string
	failures int // in a row
	since    int // step of the statistics in force
	err      error
}

// NewHealth returns the record of blocks of the given names.
func NewHealth(names []string, limit Tolerance) *Health {
	if limit.Failures == 0 {
		limit.Failures = 3
	}
	h := &Health{limit: limit, blocks: make([]blockHealth, len(names))}
	for i, n := range names {
		h.blocks[i].name = n
	}
	return h
}

// Succeeded records a refresh from the statistics of step since, which is earlier
// than r.Step if the work was done in the background. The condition is an estimate, or 0.
func (h *Health) Succeeded(block, since int, condition float64, r *Report) {
	b := &h.blocks[block]
	b.failures, b.since, b.err = 0, since, nil
	r.Blocks = append(r.Blocks, Block{Name: b.name, Refreshed: true, Condition: condition, Staleness: r.Step - since})
}

// Failed records a refresh that failed, so that the last good state stays in force.
func (h *Health) Failed(block int, err error, r *Report) {
	b := &h.blocks[block]
	b.failures++
	b.err = err
	r.Blocks = append(r.Blocks, Block{Name: b.name, Staleness: r.Step - b.since, Failures: b.failures, Err: err})
}

// Check returns a *RefreshError for the first block that is beyond what is tolerated at this step.
func (h *Health) Check(step int) error {
	for i := range h.blocks {
		b := &h.blocks[i]
		if b.failures > max(0, h.limit.Failures) || h.limit.Staleness > 0 && step-b.since > h.limit.Staleness {
			return h.Error(i, step)
		}
	}
	return nil
}

// Error returns the *RefreshError of a block at this step, whatever is tolerated: for a method
// that cannot do without the block.
func (h *Health) Error(block, step int) error {
	b := &h.blocks[block]
	return &RefreshError{Block: b.name, Failures: b.failures, Staleness: step - b.since, Err: b.err}
}

// State names the counters. Of a failure before a checkpoint the error is not known any more.
func (h *Health) State(s *State) {
	for i := range h.blocks {
		b := &h.blocks[i]
		s.Int("failures "+b.name, &b.failures)
		s.Int("since "+b.name, &b.since)
		if s.restoring {
			b.err = nil // that of another run
		}
	}
}

// RefreshError says that a block could not be refreshed for longer than is tolerated. The last
// good state of all blocks is still in force.
type RefreshError struct {
	Block     string
	Failures  int   // refreshes in a row that failed
	Staleness int   // steps since the statistics of the state in force
	Err       error // the last failure, nil if there was none
}

func (e *RefreshError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("solvers: %s has not been refreshed for %d steps", e.Block, e.Staleness)
	}
	return fmt.Sprintf("solvers: %s: %d refreshes in a row failed, %d steps since the last good one: %v", e.Block, e.Failures, e.Staleness, e.Err)
}

// Unwrap returns the last failure.
func (e *RefreshError) Unwrap() error { return e.Err }
