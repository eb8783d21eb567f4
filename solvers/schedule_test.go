package solvers_test

import (
	"math"
	"testing"

	. "github.com/precond-go/precond/solvers"
)

// TestSchedules compares with the formulas, by package math.
func TestSchedules(t *testing.T) {
	for _, c := range []struct {
		name string
		s    Schedule
		want func(k float64) float64
	}{
		{"nil", nil, func(float64) float64 { return 0 }},
		{"constant", Constant(3), func(float64) float64 { return 3 }},
		{"piecewise", Piecewise([]int{0, 10, 40}, []float64{1, 2, 3}), func(k float64) float64 {
			return 1 + b2f(k >= 10) + b2f(k >= 40)
		}},
		{"linear", Linear(2, 5, 30), func(k float64) float64 { return 2 + 3*min(1, k/30) }},
		{"cosine", Cosine(2, 0.5, 60), func(k float64) float64 {
			return 0.5 + 0.75*(1+math.Cos(math.Pi*min(1, k/60)))
		}},
		{"exponential", Exponential(2, 0.97, 1), func(k float64) float64 { return 2 * math.Pow(0.97, k) }},
		{"staircase", Exponential(2, 0.5, 7), func(k float64) float64 { return 2 * math.Pow(0.5, math.Floor(k/7)) }},
		{"inverse time", InverseTime(2, 0.1), func(k float64) float64 { return 2 / (1 + 0.1*k) }},
		{"inverse root", InverseSqrt(2, 0.1), func(k float64) float64 { return 2 / math.Sqrt(1+0.1*k) }},
		{"warmup", Warmup(20, InverseTime(2, 0.1)), func(k float64) float64 { return 2 / (1 + 0.1*k) * min(1, (k+1)/20) }},
		{"product", Product(Constant(3), Linear(0, 1, 10)), func(k float64) float64 { return 3 * min(1, k/10) }},
		{"then", Then(Constant(3), 20, Linear(3, 0, 10)), func(k float64) float64 { return 3 * (1 - max(0, min(1, (k-20)/10))) }},
		{"cycle", Cycle(Linear(1, 0, 10), 10), func(k float64) float64 { return 1 - math.Mod(k, 10)/10 }},
	} {
		for k := range 100 {
			got, want := c.s.At(k), c.want(float64(k))
			if !(math.Abs(got-want) <= 1e-14*math.Abs(want)+1e-16) {
				t.Errorf("%s: step %d: %.17g, want %.17g", c.name, k, got, want)
			}
		}
	}
	const n = 100000
	s := Cosine(1, -1, n)
	for k := range n + 1 {
		if got, want := s.At(k), math.Cos(math.Pi*float64(k)/n); !(math.Abs(got-want) <= 7e-16) { // the argument of math.Cos is rounded
			t.Fatalf("cosine of %d/%d·π: %.17g, want %.17g", k, n, got, want)
		}
	}
}

func b2f(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func TestScheduleMisuse(t *testing.T) {
	for name, f := range map[string]func(){
		"lengths": func() { Piecewise([]int{0}, nil) },
		"empty":   func() { Piecewise(nil, nil) },
		"order":   func() { Piecewise([]int{5, 5}, []float64{1, 2}) },
		"steps":   func() { Cosine(1, 0, 0) },
		"warmup":  func() { Warmup(0, nil) },
		"every":   func() { Exponential(1, 1, -1) },
		"cycle":   func() { Cycle(nil, 0) },
		"linear":  func() { Linear(0, 1, 0) },
	} {
		mustPanic(t, name, "solvers: ", f)
	}
}
