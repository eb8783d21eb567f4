package solvers

import (
	"fmt"
	"math"
)

// LevenbergMarquardt adapts the damping λ of a quadratic model to how well the model
// predicts: with the reduction ratio ρ of the loss that was seen to that of the model,
// λ ← ω^Every·λ if ρ > High and λ ← λ/ω^Every if ρ < Low (Martens and Grosse, K-FAC, ICML
// 2015, §6.5; Martens, Deep learning via Hessian-free optimization, ICML 2010, §4.1, with
// ω = 2/3 and Every = 1).
type LevenbergMarquardt struct {
	Lambda    float64 // the damping now, absolute: it is added to the curvature
	Omega     float64 // per step, in (0, 1); 0 means 19/20
	Every     int     // steps between adaptations; 0 means 5
	Low, High float64 // 0 means 1/4 and 3/4
	Min, Max  float64 // bounds of λ; 0 means no bound
}

// Due returns whether λ is to be adapted after this step, so that ρ has to be measured.
func (l *LevenbergMarquardt) Due(step int) bool { return (step+1)%l.every() == 0 }

// Update adapts λ to a reduction ratio. A ratio that is not a number, because the
// loss was none or because the model promised nothing, counts as a bad one.
func (l *LevenbergMarquardt) Update(rho float64) {
	omega, low, high := orElse(l.Omega, 0.95), orElse(l.Low, 0.25), orElse(l.High, 0.75)
	if !(omega > 0 && omega < 1 && low <= high && l.Lambda >= 0 && l.Min >= 0 && (l.Max == 0 || l.Max >= l.Min)) {
		panic(fmt.Sprintf("solvers: LevenbergMarquardt: impossible parameters %+v", *l))
	}
	factor := power(omega, l.every())
	switch {
	case rho > high:
		l.Lambda = max(l.Min, float64(l.Lambda*factor))
	case !(rho >= low):
		l.Lambda /= factor
		if l.Max > 0 {
			l.Lambda = min(l.Max, l.Lambda)
		}
		l.Lambda = min(math.MaxFloat64, l.Lambda)
	}
}

func (l *LevenbergMarquardt) every() int {
	if l.Every == 0 {
		return 5
	}
	return l.Every
}

func orElse(x, initial float64) float64 {
	if x == 0 {
		return initial
	}
	return x
}

// State names λ.
func (l *LevenbergMarquardt) State(s *State) { s.Float("lambda", &l.Lambda) }

// ReductionRatio returns (after − before)/predicted, where predicted is the change of
// the loss by the quadratic model, which is negative. NaN if the model predicts no decrease.
func ReductionRatio(before, after, predicted float64) float64 {
	if !(predicted < 0) {
		return math.NaN()
	}
	return (after - before) / predicted
}
