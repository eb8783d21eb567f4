// Package measure times functions against each other: they take turns within one
// process, in batches long enough for the clock, and what counts is the median
// over the rounds. A disturbance of the machine then hits all of them alike, or
// is dropped.
package measure

import (
	"math"
	"slices"
	"time"
)

// A Run is one function to be timed. Each call does the work reps times.
type Run struct {
	Do func(reps int)
	// Before, if not nil, is called before each batch, outside the time.
	Before func()
}

// Plan says how long a measurement takes.
type Plan struct {
	Batch  time.Duration // least duration of one batch
	Budget time.Duration // duration of all rounds together, about
	Rounds int           // most rounds; 0 means 25
}

// leastRounds is the number of rounds that are made whatever the budget says,
// unless a single call of a function is longer than the budget and ten batches.
const leastRounds = 3

// Times holds the seconds per call of each function in each round. A function
// that is too slow for the budget has fewer rounds than the others.
type Times [][]float64

// Median returns the median time per call of function i in seconds.
func (t Times) Median(i int) float64 { return median(slices.Clone(t[i])) }

// Ratio returns how much longer function i takes than function j: the median over
// the rounds that both have of the ratio within one round.
func (t Times) Ratio(i, j int) float64 {
	n := min(len(t[i]), len(t[j]))
	r := make([]float64, n)
	for k := range r {
		r[k] = t[i][k] / t[j][k]
	}
	return median(r)
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	slices.Sort(v)
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// Alternate times the functions in turns. The order turns by one each round, so
// that none always follows the same other.
func Alternate(p Plan, runs ...Run) Times {
	if p.Rounds == 0 {
		p.Rounds = 25
	}
	times := make(Times, len(runs))
	reps := make([]int, len(runs))
	once := make([]bool, len(runs)) // one call exceeds the budget
	var round time.Duration         // of all functions together
	for i, r := range runs {
		var d time.Duration
		reps[i], d = calibrate(r, p.Batch)
		if once[i] = reps[i] == 1 && d > max(p.Budget, 10*p.Batch); once[i] {
			times[i] = []float64{d.Seconds()}
			continue
		}
		round += max(d, p.Batch)
	}
	rounds := p.Rounds
	if round > 0 {
		rounds = min(rounds, max(leastRounds, int(p.Budget/round)))
	}
	for k := range rounds {
		for j := range runs {
			i := (j + k) % len(runs)
			if !once[i] {
				times[i] = append(times[i], batch(runs[i], reps[i]).Seconds()/float64(reps[i]))
			}
		}
	}
	return times
}

// calibrate returns a number of repetitions that takes at least the given
// duration, and how long it took.
func calibrate(r Run, least time.Duration) (reps int, d time.Duration) {
	// The first call finds cold caches and unallocated workspaces; that does not
	// matter to a long one.
	if d = batch(r, 1); d > 20*least {
		return 1, d
	}
	for reps = 1; ; {
		d = batch(r, reps)
		if d >= least {
			return reps, d
		}
		grow := 1.2 * float64(least) / float64(max(d, 1))
		reps = int(math.Ceil(float64(reps) * min(100, max(1.2, grow))))
	}
}

func batch(r Run, reps int) time.Duration {
	if r.Before != nil {
		r.Before()
	}
	start := time.Now()
	r.Do(reps)
	return time.Since(start)
}
