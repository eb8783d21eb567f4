package par

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

func TestRangeCovers(t *testing.T) {
	for _, n := range []int{0, 1, 2, 7, 16, 17, 100} {
		for workers := 1; workers <= 9; workers++ {
			for _, align := range []int{1, 4, 32} {
				next := 0
				for w := range workers {
					lo, hi := Range(n, workers, w, align)
					if lo != next || hi < lo || (lo%align != 0 && lo != n) {
						t.Fatalf("Range(%d,%d,%d,%d) = %d,%d after %d", n, workers, w, align, lo, hi, next)
					}
					next = hi
				}
				if next != n {
					t.Fatalf("n=%d workers=%d align=%d: covered %d", n, workers, align, next)
				}
			}
		}
	}
}

func TestSplitStaysInBudget(t *testing.T) {
	for threads := 1; threads <= 9; threads++ {
		for n := 0; n <= 12; n++ {
			outer, inner := Split(threads, n)
			if outer < 1 || inner < 1 || outer*inner > threads || outer > max(1, n) {
				t.Errorf("Split(%d,%d) = %d,%d", threads, n, outer, inner)
			}
		}
	}
}

func TestRunBarrier(t *testing.T) {
	for workers := 1; workers <= 5; workers++ {
		var a [5]int
		Run(workers, func(tm *Team, w int) {
			for round := 1; round <= 50; round++ {
				a[w] = round
				tm.Wait()
				for v := range tm.Workers() {
					if a[v] != round {
						t.Errorf("worker %d sees %d in round %d", w, a[v], round)
					}
				}
				tm.Wait()
			}
		})
	}
}

func TestPanicReachesCallerAndNothingIsLeft(t *testing.T) {
	before := runtime.NumGoroutine()
	for bad := range 4 {
		func() {
			defer func() {
				if r := recover(); r != "boom" {
					t.Errorf("worker %d: recovered %v, want boom", bad, r)
				}
			}()
			Run(4, func(tm *Team, w int) {
				if w == bad {
					panic("boom")
				}
				tm.Wait() // the others wait for a worker that never comes
			})
			t.Error("Run returned after a panic")
		}()
		var n atomic.Int32
		Run(4, func(tm *Team, w int) { n.Add(1); tm.Wait() })
		if n.Load() != 4 {
			t.Fatalf("team is damaged after a panic: %d workers ran", n.Load())
		}
	}
	for i := 0; runtime.NumGoroutine() > before; i++ {
		if i > 100 {
			t.Fatalf("%d goroutines before, %d after", before, runtime.NumGoroutine())
		}
		time.Sleep(time.Millisecond)
	}
}

func TestGoexitInWorkerDoesNotHang(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("want a panic when a worker calls Goexit")
		}
	}()
	Run(2, func(tm *Team, w int) {
		if w == 1 {
			runtime.Goexit()
		}
	})
}

func TestForVisitsOnce(t *testing.T) {
	for _, n := range []int{0, 1, 5, 64} {
		seen := make([]atomic.Int32, n)
		For(3, n, func(i int) { seen[i].Add(1) })
		for i := range seen {
			if seen[i].Load() != 1 {
				t.Errorf("n=%d: index %d visited %d times", n, i, seen[i].Load())
			}
		}
	}
}

func TestRunAllocatesNothing(t *testing.T) {
	f := func(tm *Team, w int) { tm.Wait() }
	if a := testing.AllocsPerRun(100, func() { Run(2, f) }); a != 0 && !underRace {
		t.Errorf("%v allocations per Run, want 0", a)
	}
}
