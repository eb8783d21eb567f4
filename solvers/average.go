package solvers

import (
	"github.com/precond-go/precond/dense"
)

// Average is a policy that also averages the iterates of another: after the n-th
// averaged step
//
//	average ← w·average + (1−w)·parameters, w = min(1 − 1/n, β).
//
// With β = 1 that is the mean of all iterates (Polyak and Juditsky, 1992), with less a
// moving average that starts without bias (Martens and Grosse, K-FAC, §8, β = 0.99).
type Average[T dense.Float] struct {
	policy  Policy[T]
	params  []Tensor[T]
	average []Tensor[T]
	beta    Schedule
	start   int
	n       int // iterates in the average
	swapped bool
	opts    dense.Opts[T]
}

// NewAverage returns a policy that steps as policy does, and averages from step start on.
// A nil beta means 1; 0 threads mean GOMAXPROCS.
func NewAverage[T dense.Float](params []Tensor[T], policy Policy[T], start int, beta Schedule, threads int) *Average[T] {
	if beta == nil {
		beta = Constant(1)
	}
	return &Average[T]{policy: policy, params: params, average: Like(params), beta: beta, start: start, opts: dense.Opts[T]{Threads: threads}}
}

// Needs returns what the policy needs.
func (a *Average[T]) Needs(step int) Needs { return a.policy.Needs(step) }

// Update makes the step and takes it into the average.
func (a *Average[T]) Update(step int, params, dirs []Tensor[T], e *Evidence[T], r *Report) error {
	if a.swapped {
		panic("solvers: Average: a step while the average is swapped in")
	}
	if err := a.policy.Update(step, params, dirs, e, r); err != nil || step < a.start {
		return err
	}
	a.n++
	w := min(1-1/float64(a.n), a.beta.At(step))
	for i, p := range params {
		dense.Axpby(T(1-w), p.Data, T(w), a.average[i].Data, &a.opts)
	}
	return nil
}

// Averaged returns the averages, which the next step changes; before the first, the
// parameters.
func (a *Average[T]) Averaged() []Tensor[T] {
	if a.n == 0 {
		return a.params
	}
	return a.average
}

// Swap exchanges the parameters and their averages, so that the model can be judged with the
// averages. Another call exchanges them back, which has to be before the next step or checkpoint.
func (a *Average[T]) Swap() {
	a.swapped = !a.swapped
	if a.n == 0 {
		return
	}
	for i, p := range a.params {
		dense.Swap(p.Data, a.average[i].Data, &a.opts)
	}
}

// State names the averages and what the policy names.
func (a *Average[T]) State(s *State) {
	if a.swapped {
		panic("solvers: Average: a checkpoint while the average is swapped in")
	}
	a.policy.State(s)
	s.Int("averaged steps", &a.n)
	for _, t := range a.average {
		Floats(s, "average "+t.Name, t.Data)
	}
}

// Close closes the policy.
func (a *Average[T]) Close() { closePart(a.policy) }
