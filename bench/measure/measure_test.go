package measure

import (
	"math"
	"testing"
	"testing/synctest"
	"time"
)

func TestMedianAndRatio(t *testing.T) {
	x := Times{{4, 1, 100}, {2, 1}, {3}}
	for i, want := range []float64{4, 1.5, 3} {
		if got := x.Median(i); got != want {
			t.Errorf("Median(%d) = %v, want %v", i, got, want)
		}
	}
	if x[0][0] != 4 {
		t.Error("Median reorders the rounds")
	}
	// Rounds 4/2 and 1/1, not the third, which only one has.
	if got := x.Ratio(0, 1); got != 1.5 {
		t.Errorf("Ratio = %v, want 1.5", got)
	}
	if got := (Times{{}}).Median(0); !math.IsNaN(got) {
		t.Errorf("median of nothing = %v", got)
	}
}

// The tests of Alternate run on a clock that only sleeping moves.
func TestAlternate(t *testing.T) { synctest.Test(t, testAlternate) }

func testAlternate(t *testing.T) {
	var order []int
	last := make([]int, 2)
	befores := 0
	run := func(i int, each time.Duration) Run {
		return Run{
			Do: func(reps int) {
				order = append(order, i)
				last[i] = reps
				time.Sleep(time.Duration(reps) * each)
			},
			Before: func() { befores++ },
		}
	}
	got := Alternate(Plan{Batch: time.Millisecond, Budget: 40 * time.Millisecond, Rounds: 5},
		run(0, 10*time.Microsecond), run(1, 3*time.Millisecond))
	if len(got[0]) != 5 || len(got[1]) != 5 {
		t.Fatalf("%d and %d rounds, want 5", len(got[0]), len(got[1]))
	}
	if last[0] < 20 || last[1] != 1 {
		t.Errorf("batches of %d and %d repetitions", last[0], last[1])
	}
	if befores != len(order) {
		t.Errorf("Before was called %d times for %d batches", befores, len(order))
	}
	// Turns alternate and the order of a round turns.
	tail := order[len(order)-10:]
	for k := range 5 {
		if tail[2*k] != k%2 || tail[2*k+1] != (k+1)%2 {
			t.Fatalf("order of the batches: %v", tail)
		}
	}
	if r := got.Ratio(1, 0); !(r > 299 && r < 301) {
		t.Errorf("ratio %v of functions of 3 ms and 10 µs", r)
	}
}

func TestAlternateSlow(t *testing.T) { synctest.Test(t, testAlternateSlow) }

func testAlternateSlow(t *testing.T) {
	calls := 0
	slow := Run{Do: func(reps int) { calls += reps; time.Sleep(time.Duration(reps) * 30 * time.Millisecond) }}
	fast := Run{Do: func(reps int) { time.Sleep(time.Duration(reps) * time.Millisecond) }}
	got := Alternate(Plan{Batch: time.Millisecond, Budget: 20 * time.Millisecond}, slow, fast)
	if len(got[0]) != 1 || calls > 2 {
		t.Errorf("a call longer than the budget was made %d times, with %d rounds", calls, len(got[0]))
	}
	if len(got[1]) < leastRounds {
		t.Errorf("%d rounds of the fast function", len(got[1]))
	}
	if r := got.Ratio(0, 1); !(r > 29 && r < 31) {
		t.Errorf("ratio %v of functions of 30 ms and 1 ms", r)
	}
}
