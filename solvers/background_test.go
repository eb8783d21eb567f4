package solvers_test

import (
	"errors"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/precond-go/precond/solvers"
)

// TestBackgroundTiming makes the work slow or not: the step at which it takes effect is
// the same, and so are the bits.
func TestBackgroundTiming(t *testing.T) {
	run := func(delay time.Duration, lag int) []uint64 {
		p := small[float64](1)
		d := newDelayed(p, lag)
		work := 0
		d.b = NewBackground(lag, func() error {
			time.Sleep(delay)
			d.result[0] = 2 + d.snapshot[0]*d.snapshot[0]
			work++
			return nil
		})
		o := NewOptimizer(p, d, NewMomentum(p, MomentumConfig{Rate: Constant(0.1)}))
		grads := small[float64](0)
		for k := range 12 {
			fill(grads, 3, uint64(k))
			r, err := o.Step(evidence(grads))
			if err != nil {
				t.Fatal(err)
			}
			if refreshed := len(r.Blocks) > 0; refreshed != (k%4 == lag%4 && k >= lag) {
				t.Errorf("lag %d: step %d: refreshed %v", lag, k, refreshed)
			} else if refreshed && r.Blocks[0].Staleness != lag {
				t.Errorf("lag %d: staleness %d", lag, r.Blocks[0].Staleness)
			}
		}
		o.Close()
		return bits(p)
	}
	for lag := range 4 {
		if !slices.Equal(run(0, lag), run(3*time.Millisecond, lag)) {
			t.Errorf("lag %d: the bits depend on the time that the work takes", lag)
		}
	}
	if slices.Equal(run(0, 0), run(0, 3)) {
		t.Error("the lag has no effect: the test shows nothing")
	}
}

func TestBackgroundFailures(t *testing.T) {
	before := runtime.NumGoroutine()
	boom := errors.New("boom")
	for _, lag := range []int{0, 2} {
		b := NewBackground(lag, func() error { return boom })
		b.Start(5)
		mustPanic(t, "a second Start", "solvers: Background: Start at step 6", func() { b.Start(6) })
		if b.Due(5) != (lag == 0) || !b.Due(5+lag) || b.Started() != 5 {
			t.Errorf("lag %d: due at the wrong step", lag)
		}
		if err := b.Finish(); err != boom || b.Pending() {
			t.Errorf("lag %d: %v", lag, err)
		}
		mustPanic(t, "a second Finish", "solvers: Background: Finish without", func() { b.Finish() })

		p := NewBackground(lag, func() error { panic("lost") })
		p.Start(0)
		mustPanic(t, "a panic of the work", "solvers: Background: lost", func() { p.Finish() })
		p.Start(1)
		p.Close()
		if !p.Pending() {
			t.Error("Close ends the pending job")
		}
		mustPanic(t, "a panic found by Close", "solvers: Background: lost", func() { p.Finish() })

		exit := NewBackground(2, func() error { runtime.Goexit(); return nil })
		exit.Start(0)
		mustPanic(t, "Goexit in the work", "solvers: Background", func() { exit.Finish() })
	}
	mustPanic(t, "negative lag", "solvers: NewBackground: lag -1", func() { NewBackground(-1, nil) })
	for i := 0; runtime.NumGoroutine() > before; i++ {
		if i > 100 {
			t.Fatalf("%d goroutines before, %d after", before, runtime.NumGoroutine())
		}
		time.Sleep(time.Millisecond)
	}
}

// TestHealth fails refreshes until they are too many in a row.
func TestHealth(t *testing.T) {
	p := small[float64](1)
	d := newDelayed(p, 0)
	o := NewOptimizer(p, d, NewMomentum(p, MomentumConfig{Rate: Constant(0.1)}))
	grads := small[float64](0)
	boom := errors.New("boom")
	step := func(k int) (*Report, error) {
		fill(grads, 3, uint64(k))
		return o.Step(evidence(grads))
	}
	if _, err := step(0); err != nil {
		t.Fatal(err)
	}
	scale := d.scale[0]
	d.fail = boom
	for k := 1; k < 16; k++ { // refreshes at 4, 8 and 12 fail
		r, err := step(k)
		if err != nil || d.scale[0] != scale {
			t.Fatalf("step %d: %v, scale %v, was %v", k, err, d.scale[0], scale)
		}
		if k%4 == 0 && (len(r.Blocks) != 1 || r.Blocks[0].Refreshed || r.Blocks[0].Failures != k/4 || r.Blocks[0].Err != boom || r.Blocks[0].Staleness != k) {
			t.Errorf("step %d: %+v", k, r.Blocks)
		}
	}
	before := bits(p)
	_, err := step(16)
	var e *RefreshError
	if !errors.As(err, &e) || !errors.Is(err, boom) || e.Block != "first" || e.Failures != 4 || !strings.Contains(err.Error(), "first") {
		t.Fatalf("after four failures: %v", err)
	}
	if !slices.Equal(bits(p), before) || o.Steps() != 16 {
		t.Error("the failed step has moved the parameters or counted")
	}
	d.fail = nil
	if _, err := step(16); err != nil || d.scale[0] == scale {
		t.Errorf("the step after: %v", err)
	}

	h := NewHealth([]string{"a", "b"}, Tolerance{Failures: -1, Staleness: 3})
	r := &Report{Step: 2}
	h.Succeeded(0, 1, 7, r)
	h.Succeeded(1, 2, 0, r)
	if r.Blocks[0].Condition != 7 || r.Blocks[0].Staleness != 1 {
		t.Errorf("%+v", r.Blocks)
	}
	if err := h.Check(4); err != nil {
		t.Error(err)
	}
	if err := h.Check(5); !errors.As(err, &e) || e.Block != "a" || e.Staleness != 4 || e.Err != nil {
		t.Errorf("staleness 4: %v", err)
	}
	h.Failed(1, boom, r)
	h.Succeeded(0, 4, 0, r)
	if err := h.Check(4); !errors.As(err, &e) || e.Block != "b" {
		t.Errorf("no failure tolerated: %v", err)
	}

	// A failure that a checkpoint does not know of is forgotten with the counters.
	path := filepath.Join(t.TempDir(), "checkpoint")
	h.Succeeded(1, 4, 0, r)
	if err := o.Save(path, h); err != nil {
		t.Fatal(err)
	}
	h.Failed(0, boom, r)
	if err := o.Load(path, h); err != nil {
		t.Fatal(err)
	}
	if err := h.Check(8); !errors.As(err, &e) || e.Failures != 0 || e.Err != nil {
		t.Errorf("after a checkpoint: %v", err)
	}
}
