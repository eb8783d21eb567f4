package kfac

import (
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/solvers"
)

// slow makes the background work of an estimator take its time.
func slow[T dense.Float](e *Estimator[T], delay time.Duration) {
	e.background = solvers.NewBackground(e.o.Lag, func() error {
		time.Sleep(delay)
		e.refresh.run(e.base)
		return nil
	})
}

// TestBackgroundSteps compares with an estimator that computes in the step itself: what is in
// force is what that one had Lag steps before.
func TestBackgroundSteps(t *testing.T) {
	both(t, testBackgroundSteps[float32], testBackgroundSteps[float64])
}

func testBackgroundSteps[T dense.Float](t *testing.T) {
	// Inverses follow the observations of steps 0, 3 and 6 at once, and those of 12, 18, ... with the lag.
	const observe, every, steps = 3, 6, 34
	m := newNet(50, 9, false, false, 5, 4, 3)
	for _, form := range forms {
		for _, lag := range []int{1, 3, every} {
			e := New(weights[T](m), Options{Form: form, StatisticsEvery: observe, InverseEvery: every, Lag: lag, Damping: 0.1})
			now := New(weights[T](m), Options{Form: form, StatisticsEvery: observe, InverseEvery: every, Damping: 0.1})
			var history []dense.Matrix[float64]
			look := func(e *Estimator[T]) dense.Matrix[float64] {
				if f, ok := e.form.(*eigenForm[T]); ok { // EKFAC's moments are of every step
					return wide(f.now(1)[inputs].vectors)
				}
				return e.Dense(1)
			}
			for n := range steps {
				ev := evidence[T](m, solvers.NeedSampledLayers, uint64(n))
				reports := [2]solvers.Report{{Step: n}, {Step: n}}
				for i, e := range []*Estimator[T]{e, now} {
					if err := e.Observe(n, ev); err != nil {
						t.Fatal(err)
					}
					if err := e.Refresh(n, &reports[i]); err != nil {
						t.Fatal(err)
					}
				}
				history = append(history, look(now))
				from := n / observe * observe // the step whose inverse is in force
				if n > 2*observe {
					from = max(2*observe, (n-lag)/every*every)
				}
				if got := look(e); !slices.Equal(got.Data, history[from].Data) {
					t.Fatalf("form %d, lag %d: step %d: not the inverse of step %d", form, lag, n, from)
				}
				b := reports[0].Blocks
				if refreshed := n%observe == 0 && n <= 2*observe || n-lag >= 2*every && (n-lag)%every == 0; refreshed != (len(b) == 2) {
					t.Errorf("form %d, lag %d: step %d: %d blocks in the report", form, lag, n, len(b))
				} else if refreshed && (!b[1].Refreshed || b[1].Staleness != n-from || !(b[1].Condition >= 1) || b[1].Name != "b") {
					t.Errorf("form %d, lag %d: step %d: report %+v", form, lag, n, b[1])
				}
			}
			e.Close()
			if slices.Equal(history[12].Data, history[18].Data) {
				t.Error("the statistics do not change: the test shows nothing")
			}
		}
	}
}

// weights returns tensors of the names and shapes of the net's.
func weights[T dense.Float](m *net) (ts []solvers.Tensor[T]) {
	for _, w := range m.weights {
		ts = append(ts, solvers.NewTensor[T](w.Name, w.Shape...))
	}
	return ts
}

// TestBackgroundBits: the bits depend neither on the time that the work takes nor on the number of
// threads, also where a policy tries other dampings meanwhile.
func TestBackgroundBits(t *testing.T) {
	both(t, testBackgroundBits[float32], testBackgroundBits[float64])
}

func testBackgroundBits[T dense.Float](t *testing.T) {
	for _, form := range forms {
		for name, make := range setups[T]() {
			var want []solvers.Tensor[T]
			for threads := 1; threads <= 3; threads++ {
				var e *Estimator[T]
				r := newRunner(1, Options{Form: form, StatisticsEvery: 2, InverseEvery: 4, Lag: 3, Threads: threads}, func(p []solvers.Tensor[T], k *Estimator[T]) (solvers.Preconditioner[T], solvers.Policy[T]) {
					e = k
					return make(p, k)
				})
				slow(e, time.Duration(threads-1)*time.Millisecond)
				for range 14 {
					if _, err := r.step(); err != nil {
						t.Fatal(err)
					}
				}
				r.opt.Close()
				if threads == 1 {
					want = r.params
				} else if !equal(r.params, want) {
					t.Errorf("form %d, %s: other bits with %d threads and slower work", form, name, threads)
				}
			}
		}
	}
}

// TestBackgroundSuperseded: what a policy has put in force is not replaced by what was under
// way before.
func TestBackgroundSuperseded(t *testing.T) {
	m := newNet(51, 9, false, false, 5, 4, 3)
	for _, form := range []Form{Cholesky, Tridiagonal} {
		e := New(m.weights, Options{Form: form, StatisticsEvery: 10, InverseEvery: 10, Lag: 4})
		dst := solvers.Like(m.weights)
		for n := range 16 {
			ev := evidence[float64](m, solvers.NeedSampledLayers, uint64(n))
			r := solvers.Report{Step: n}
			if e.Observe(n, ev) != nil || e.Refresh(n, &r) != nil {
				t.Fatal("an error")
			}
			if n == 12 {
				if err := e.try(0.5, ev.Grads, dst); err != nil {
					t.Fatal(err)
				}
				e.adopt(n, 0.5, &r)
				if len(r.Blocks) != 2 || !r.Blocks[0].Refreshed || r.Blocks[0].Staleness != 0 || !(r.Blocks[0].Condition > 1) {
					t.Errorf("form %d: report of another damping: %+v", form, r.Blocks)
				}
			}
			if n == 14 && len(r.Blocks) != 0 {
				t.Errorf("form %d: what has been superseded is reported: %+v", form, r.Blocks)
			}
			if n >= 12 {
				now := solvers.Like(m.weights)
				g := evidence[float64](m, solvers.NeedSampledLayers, 12).Grads
				if err := e.Apply(n, g, now); err != nil || !equal(now, dst) {
					t.Errorf("form %d: step %d: what has been put in force is not (%v)", form, n, err)
				}
			}
		}
		if e.background.Pending() {
			t.Error("the work that was superseded is still pending")
		}
	}
}

// TestBackgroundFailure makes refreshes fail in the background: the last good inverses stay, the
// report says so at the step at which they should have taken effect, and beyond what is
// tolerated there is an error, until one succeeds.
func TestBackgroundFailure(t *testing.T) {
	m := newNet(9, 6, false, true, 40, 4)
	for _, form := range []Form{Cholesky, Tridiagonal} {
		ev := evidence[float32](m, solvers.NeedSampledLayers, 1)
		e := New(ev.Grads, Options{Form: form, StatisticsEvery: 5, InverseEvery: 5, Lag: 2, Damping: 1e-3, Tolerance: solvers.Tolerance{Failures: 1}})
		before := step(t, e, 0, ev)
		x := ev.Layers[0][0].Inputs
		for i := range x.Rows {
			for j := range x.Cols {
				x.Set(i, j, float32(1e4)+float32(j)/7)
			}
		}
		e.SetDamping(1e-30)
		refresh := func(n int) (solvers.Report, error) {
			t.Helper()
			r := solvers.Report{Step: n}
			if err := e.Observe(n, ev); err != nil {
				t.Fatal(err)
			}
			err := e.Refresh(n, &r)
			dst := solvers.Like(ev.Grads)
			if err := e.Apply(n, ev.Grads, dst); err != nil {
				t.Fatal(err)
			}
			if e.Damping() == 1e-30 && !equal(dst, before) {
				t.Errorf("form %d: step %d: the last good inverse is not in force", form, n)
			}
			return r, err
		}
		for n := 1; n < 12; n++ {
			r, err := refresh(n)
			if err != nil {
				t.Fatalf("form %d: step %d: %v", form, n, err)
			}
			if n != 7 {
				if len(r.Blocks) != 0 {
					t.Errorf("form %d: step %d: %+v", form, n, r.Blocks)
				}
				continue
			}
			var npd *dense.NotPositiveDefiniteError
			if b := r.Blocks[0]; b.Refreshed || b.Staleness != 7 || b.Failures != 1 || !errors.As(b.Err, &npd) {
				t.Errorf("form %d: report of a failure: %+v", form, b)
			}
		}
		for k := range 2 { // the second time at once
			r, err := refresh(12)
			var re *solvers.RefreshError
			// At step 12 what was begun at 10 fails, and so does what is tried without delay.
			if !errors.As(err, &re) || re.Block != "a" || re.Failures != 3+k || re.Staleness != 12 || len(r.Blocks) != 2-k {
				t.Fatalf("form %d: beyond the tolerance: %v, %+v", form, err, r.Blocks)
			}
		}
		e.SetDamping(0.3)
		if r, err := refresh(12); err != nil || !r.Blocks[0].Refreshed || r.Blocks[0].Staleness != 0 {
			t.Errorf("form %d: with a greater damping: %v, %+v", form, err, r.Blocks)
		}
	}
}

// TestBackgroundStaleness: inverses that would get too old are waited for, or computed at once.
func TestBackgroundStaleness(t *testing.T) {
	m := newNet(52, 9, false, false, 5, 4, 3)
	e := New(m.weights, Options{StatisticsEvery: 10, InverseEvery: 10, Lag: 8, Tolerance: solvers.Tolerance{Staleness: 12}})
	last := 0
	for n := range 60 {
		ev := evidence[float64](m, solvers.NeedSampledLayers, uint64(n))
		r := solvers.Report{Step: n}
		if err := e.Observe(n, ev); err != nil {
			t.Fatal(err)
		}
		if err := e.Refresh(n, &r); err != nil {
			t.Fatalf("step %d: %v", n, err)
		}
		if len(r.Blocks) > 0 {
			last = n - r.Blocks[0].Staleness
		}
		if n-last > 12 {
			t.Errorf("step %d: the inverse is of step %d", n, last)
		}
	}
}

// TestBackgroundClose: Close waits, and the steps after it have the same bits.
func TestBackgroundClose(t *testing.T) {
	var want []solvers.Tensor[float64]
	for _, stop := range []bool{false, true} {
		var e *Estimator[float64]
		r := newRunner(1, Options{StatisticsEvery: 2, InverseEvery: 4, Lag: 3}, func(p []solvers.Tensor[float64], k *Estimator[float64]) (solvers.Preconditioner[float64], solvers.Policy[float64]) {
			e = k
			return setups[float64]()["momentum"](p, k)
		})
		var working atomic.Bool
		e.background = solvers.NewBackground(3, func() error {
			working.Store(true)
			time.Sleep(5 * time.Millisecond)
			e.refresh.run(e.base)
			working.Store(false)
			return nil
		})
		for range 12 {
			if _, err := r.step(); err != nil {
				t.Fatal(err)
			}
			if stop {
				r.opt.Close()
				if working.Load() {
					t.Error("Close has not waited")
				}
			}
		}
		r.opt.Close()
		if want == nil {
			want = r.params
		} else if !equal(r.params, want) {
			t.Error("Close has changed the bits of the steps after it")
		}
	}
}
