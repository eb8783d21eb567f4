package solvers

import (
	"fmt"
	"math"
)

// Schedule is a hyper-parameter as a function of the step, which counts from 0. The
// functions below make and combine the usual ones; any other function of the step will
// do, as long as it has the same bits everywhere and no memory: a checkpoint holds
// the step and not the schedule. A nil Schedule is zero at every step, which turns
// off what it governs.
type Schedule func(step int) float64

// At returns the value at a step, 0 if s is nil.
func (s Schedule) At(step int) float64 {
	if s == nil {
		return 0
	}
	return s(step)
}

// Constant is v at every step.
func Constant(v float64) Schedule { return func(int) float64 { return v } }

// Piecewise is values[i] from step starts[i] on, and values[0] before. starts
// increases strictly.
func Piecewise(starts []int, values []float64) Schedule {
	if len(starts) != len(values) || len(starts) == 0 {
		panic(fmt.Sprintf("solvers: Piecewise: %d starts, %d values", len(starts), len(values)))
	}
	for i := 1; i < len(starts); i++ {
		if starts[i] <= starts[i-1] {
			panic(fmt.Sprintf("solvers: Piecewise: start %d after %d", starts[i], starts[i-1]))
		}
	}
	starts, values = append([]int(nil), starts...), append([]float64(nil), values...)
	return func(step int) float64 {
		i := len(starts) - 1
		for i > 0 && step < starts[i] {
			i--
		}
		return values[i]
	}
}

// Linear goes from one value at step 0 to another at the given step, and stays there.
func Linear(from, to float64, steps int) Schedule {
	checkSteps("Linear", steps)
	return func(step int) float64 {
		return math.FMA(to-from, fraction(step, steps), from)
	}
}

// Cosine goes from one value at step 0 to another at the given step along half a wave,
// and stays there (Loshchilov and Hutter, SGDR, ICLR 2017, eq. 5, without restarts).
func Cosine(from, to float64, steps int) Schedule {
	checkSteps("Cosine", steps)
	return func(step int) float64 {
		return math.FMA(float64(0.5*(from-to)), 1+cosPi(fraction(step, steps)), to)
	}
}

// Exponential is v·factor^⌊step/every⌋: with every == 1 a smooth decay, else a
// staircase. The power is computed by repeated squaring.
func Exponential(v, factor float64, every int) Schedule {
	checkSteps("Exponential", every)
	return func(step int) float64 { return float64(v * power(factor, step/every)) }
}

// InverseTime is v / (1 + decay·step).
func InverseTime(v, decay float64) Schedule {
	return func(step int) float64 { return v / math.FMA(decay, float64(step), 1) }
}

// InverseSqrt is v / √(1 + decay·step).
func InverseSqrt(v, decay float64) Schedule {
	return func(step int) float64 { return v / math.Sqrt(math.FMA(decay, float64(step), 1)) }
}

// Warmup multiplies s by (step+1)/steps in the first steps.
func Warmup(steps int, s Schedule) Schedule {
	checkSteps("Warmup", steps)
	return func(step int) float64 { return float64(s.At(step) * fraction(step+1, steps)) }
}

// Product multiplies schedules.
func Product(s ...Schedule) Schedule {
	return func(step int) float64 {
		v := 1.0
		for _, f := range s {
			v = float64(v * f.At(step))
		}
		return v
	}
}

// Then is first in the given number of steps and next afterwards; next counts its
// steps from there.
func Then(first Schedule, steps int, next Schedule) Schedule {
	return func(step int) float64 {
		if step < steps {
			return first.At(step)
		}
		return next.At(step - steps)
	}
}

// Cycle repeats the first steps of s, as in warm restarts.
func Cycle(s Schedule, steps int) Schedule {
	checkSteps("Cycle", steps)
	return func(step int) float64 { return s.At(step % steps) }
}

func checkSteps(name string, steps int) {
	if steps < 1 {
		panic(fmt.Sprintf("solvers: %s: %d steps", name, steps))
	}
}

// fraction returns step/steps, at most 1.
func fraction(step, steps int) float64 { return min(1, float64(step)/float64(steps)) }

// power returns x to the power n ≥ 0 by repeated squaring.
func power(x float64, n int) float64 {
	y := 1.0
	for ; n > 0; n >>= 1 {
		if n&1 != 0 {
			y = float64(y * x)
		}
		x = float64(x * x)
	}
	return y
}

// cosPi returns cos(π·x) for 0 ≤ x ≤ 1 with an error below 3e-16, with the same bits everywhere.
func cosPi(x float64) float64 {
	switch {
	case x > 0.5:
		return -cosPi(1 - x)
	case x > 0.25: // sin π(1/2 − x)
		y := float64(math.Pi * (0.5 - x))
		return float64(y * series(float64(y*y), 3))
	}
	y := float64(math.Pi * x)
	return series(float64(y*y), 2)
}

// series sums the Taylor series 1 − z/(k(k−1)) + z²/((k+2)(k+1)k(k−1)) − …, of the
// cosine for k = 2 and of sin(y)/y for k = 3, where z = y² ≤ (π/4)².
func series(z float64, k int) float64 {
	s := 1.0
	for n := k + 14; n >= k; n -= 2 {
		s = math.FMA(-float64(s*z), 1/float64(n*(n-1)), 1)
	}
	return s
}
