package main

import (
	"encoding/json"
	"math"
	"slices"
)

// number is a figure that may be missing: NaN, which JSON writes as null.
type number float64

// MarshalJSON writes what is not finite as null.
func (v number) MarshalJSON() ([]byte, error) {
	if v-v != 0 {
		return []byte("null"), nil
	}
	return json.Marshal(float64(v))
}

// point is an evaluation of the images of the curve.
type point struct {
	Steps   int     `json:"steps"`
	Seconds float64 `json:"seconds"`
	Loss    float64 `json:"test_loss"`
	Error   float64 `json:"test_error"`
}

// result is what a run has come to. The JSON names are those of the file of -json.
type result struct {
	Solver          string  `json:"solver"`
	Seed            uint64  `json:"seed"`
	Steps           int     `json:"steps"`
	Seconds         float64 `json:"seconds"`
	MSPerStep       number  `json:"ms_per_step"`
	TrainLoss       number  `json:"train_loss"`
	TestLoss        number  `json:"test_loss"`
	TestError       number  `json:"test_error"`
	SecondsToAdam   number  `json:"seconds_to_adam"` // null if it was not reached, or without Adam
	StepsToAdam     number  `json:"steps_to_adam"`
	SecondsToTarget number  `json:"seconds_to_target"` // null without -target, too
	StepsToTarget   number  `json:"steps_to_target"`
	WeightsDigest   string  `json:"weights_digest"`
	CurvatureShare  number  `json:"curvature_share"` // of the time, in the optimizer's step
	DivergedAt      *int    `json:"diverged_at"`     // the steps made before; null if the run did not diverge
	Stopped         string  `json:"stopped"`         // what ended the run early, or empty
	Curve           []point `json:"curve"`           // on some of the test set

	err     error // what ended the run early
	partial bool  // losses and error are those of the last point of the curve
	// SecondsToAdam and StepsToAdam as shares of all of Adam's.
	shareOfSeconds, shareOfSteps number
}

// last returns the last point of the curve; there is one at least unless the first
// evaluation failed.
func (r *result) last() point {
	if len(r.Curve) == 0 {
		nan := math.NaN()
		return point{Loss: nan, Error: nan}
	}
	return r.Curve[len(r.Curve)-1]
}

// reach returns the seconds and steps after which a run first had a test error of at most
// bound, NaN if it had not or was cut short.
func (r *result) reach(bound float64) (seconds, steps number) {
	if r.err == nil {
		for _, p := range r.Curve {
			if p.Error <= bound {
				return number(p.Seconds), number(p.Steps)
			}
		}
	}
	return number(math.NaN()), number(math.NaN())
}

// compare fills in when each run came to the test error that Adam ended at, with the same
// seed, and to the target; 0 is none.
func compare(results []*result, target float64) {
	if target == 0 {
		target = math.NaN()
	}
	adam := map[uint64]*result{}
	for _, r := range results {
		if r.Solver == "adam" && r.err == nil {
			adam[r.Seed] = r
		}
	}
	for _, r := range results {
		r.SecondsToTarget, r.StepsToTarget = r.reach(target)
		a := adam[r.Seed]
		if a == nil {
			a = new(result) // whose error is NaN
		}
		r.SecondsToAdam, r.StepsToAdam = r.reach(a.last().Error)
		r.shareOfSeconds, r.shareOfSteps = r.SecondsToAdam/number(a.Seconds), r.StepsToAdam/number(a.Steps)
	}
}

// median returns the median of the figures; those that are missing are greater than all others. It
// is NaN if it is one of them.
func median(list []float64) float64 {
	sorted := slices.Clone(list)
	for i, v := range sorted {
		if v != v {
			sorted[i] = math.Inf(1)
		}
	}
	slices.Sort(sorted)
	n := len(sorted)
	m := sorted[n/2]
	if n%2 == 0 {
		m = (m + sorted[n/2-1]) / 2
	}
	if math.IsInf(m, 0) {
		return math.NaN()
	}
	return m
}
