package crew

import (
	"sync/atomic"
	"testing"

	"github.com/precond-go/precond/dense"
)

// TestRun does every piece once a run, on the workspace that was asked for, the largest piece
// first if there is one worker.
func TestRun(t *testing.T) {
	costs := []float64{1, 7, 3, 7, 0}
	for threads := 1; threads <= 9; threads++ {
		var done [5]atomic.Int32
		var order []int
		c := New(costs, threads, func(inner int) int { return 10 * inner }, func(i int, o *dense.Opts[float32]) {
			done[i].Add(1)
			if want := max(1, threads/5); o.Threads != want || len(o.Work) != 10*want {
				t.Errorf("%d threads: a piece has %d threads and %d elements", threads, o.Threads, len(o.Work))
			}
			if threads == 1 {
				order = append(order, i)
			}
		})
		for range 3 {
			c.Run()
		}
		for i := range done {
			if n := done[i].Load(); n != 3 {
				t.Errorf("%d threads: piece %d was done %d times in 3 runs", threads, i, n)
			}
		}
		for k, want := range []int{1, 3, 2, 0, 4} {
			if threads == 1 && order[k] != want {
				t.Errorf("order %v", order[:5])
			}
		}
	}
	New(nil, 2, func(int) int { return 0 }, func(int, *dense.Opts[float64]) { t.Error("a piece of none") }).Run()
}
