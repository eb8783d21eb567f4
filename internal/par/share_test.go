package par

import (
	"sync"
	"testing"
)

// sumJob adds up the squares of its range into one place per worker.
type sumJob struct {
	n    int
	sums *[4]int
}

func (j *sumJob) Work(t *Team, w int) {
	lo, hi := Range(j.n, t.Workers(), w, 1)
	j.sums[w] = 0
	for i := lo; i < hi; i++ {
		j.sums[w] += i * i
	}
}

func TestShare(t *testing.T) {
	var pool sync.Pool
	var sums [4]int
	for workers := 1; workers <= 4; workers++ {
		sums = [4]int{}
		Share(&pool, workers, &sumJob{100, &sums})
		if s := sums[0] + sums[1] + sums[2] + sums[3]; s != 328350 {
			t.Errorf("%d workers: the sum is %d, want 328350", workers, s)
		}
	}
	if n := testing.AllocsPerRun(10, func() { j := sumJob{100, &sums}; Share(&pool, 3, &j) }); n != 0 && !underRace {
		t.Errorf("%v allocations", n)
	}
}
