package solvers_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/precond-go/precond/dense"
	. "github.com/precond-go/precond/solvers"
)

// TestMomentum compares every form with the formulas of MomentumConfig in float64.
func TestMomentum(t *testing.T) { both(t, testMomentum[float32], testMomentum[float64]) }

func testMomentum[T dense.Float](t *testing.T) {
	rate, mu, decay := InverseTime(0.3, 0.1), Linear(0.5, 0.9, 7), Constant(0.02)
	for _, c := range []MomentumConfig{
		{},
		{Decay: decay, Undecayed: []int{2}},
		{Momentum: mu},
		{Momentum: mu, Nesterov: true, Decay: decay},
		{Momentum: mu, EMA: true},
		{Momentum: mu, EMA: true, Nesterov: true, Decay: decay, Undecayed: []int{0, 4}},
		{Momentum: mu, ClipNorm: Constant(4)},
		{ClipKL: Constant(0.5), Decay: decay},
		{Momentum: mu, ClipKL: Constant(0.5), ClipNorm: Constant(20)},
		{ClipKL: Constant(1e9), ClipNorm: Constant(1e9)},
	} {
		c.Rate = rate
		name := fmt.Sprintf("momentum %v, EMA %v, Nesterov %v, decay %v, clip %v, KL %v", c.Momentum != nil, c.EMA, c.Nesterov, c.Decay != nil, c.ClipNorm != nil, c.ClipKL != nil)
		params, dirs, grads := small[T](1), small[T](2), small[T](3)
		want, m := small[float64](1), Like(small[float64](1))
		for i, p := range params {
			for j, v := range p.Data {
				want[i].Data[j] = float64(v)
			}
		}
		s := NewMomentum(params, c)
		for k := range 12 {
			fill(dirs, 2, uint64(k))
			fill(grads, 3, uint64(k))
			r := Report{Clip: 1}
			if err := s.Update(k, params, dirs, evidence(grads), &r); err != nil {
				t.Fatal(err)
			}
			eta, mu, clip := rate(k), c.Momentum.At(k), 1.0
			var norm, dot float64
			for i, d := range dirs {
				for j, v := range d.Data {
					norm += float64(v) * float64(v)
					dot += float64(v) * float64(grads[i].Data[j])
				}
			}
			if c.ClipNorm != nil {
				clip = min(clip, c.ClipNorm(k)/math.Sqrt(norm))
			}
			if c.ClipKL != nil {
				clip = min(clip, math.Sqrt(c.ClipKL(k)/(eta*eta*math.Abs(dot))))
			}
			if !(math.Abs(r.Clip-clip) <= 1000*eps[T]()*clip) || r.Rate != eta || r.Momentum != mu {
				t.Errorf("%s: report %+v, want clip %g, rate %g, momentum %g", name, r, clip, eta, mu)
			}
			for i, d := range dirs {
				decay := c.Decay.At(k)
				for _, u := range c.Undecayed {
					if u == i {
						decay = 0
					}
				}
				for j, v := range d.Data {
					x, p := clip*float64(v), &want[i].Data[j]
					u := x
					if c.Momentum != nil {
						gain := 1.0
						if c.EMA {
							gain = 1 - mu
						}
						m[i].Data[j] = mu*m[i].Data[j] + gain*x
						u = m[i].Data[j]
						if c.Nesterov {
							u = mu*u + gain*x
						}
					}
					*p -= eta*decay**p + eta*u
				}
			}
		}
		for i, p := range params {
			for j, v := range p.Data {
				if w := want[i].Data[j]; !(math.Abs(float64(v)-w) <= 1000*eps[T]()*(1+math.Abs(w))) {
					t.Fatalf("%s: %s[%d] = %g, want %g", name, p.Name, j, v, w)
				}
			}
		}
	}
}

// TestHeavyBallQuadratic compares 200 steps on ½·h·x² with the powers of the
// iteration matrix's eigenvalues.
func TestHeavyBallQuadratic(t *testing.T) {
	const eta, mu = 0.1, 0.8
	h := []float64{0.01, 0.5, 3, 10}
	params := []Tensor[float64]{NewTensor[float64]("x", len(h))}
	grads := Like(params)
	for i := range h {
		params[0].Data[i] = 1
	}
	o := NewOptimizer(params, NewIdentity(params), NewMomentum(params, MomentumConfig{Rate: Constant(eta), Momentum: Constant(mu)}))
	for k := range 200 {
		for i, x := range params[0].Data {
			grads[0].Data[i] = h[i] * x
		}
		if _, err := o.Step(evidence(grads)); err != nil {
			t.Fatal(err)
		}
		for i, x := range params[0].Data {
			// x_{k+1} = (1+μ−ηh)·x_k − μ·x_{k−1}, x_0 = x_{−1} = 1.
			b := 1 + mu - eta*h[i]
			root := complexSqrt(b*b - 4*mu)
			r1, r2 := (complex(b, 0)+root)/2, (complex(b, 0)-root)/2
			// c1 + c2 = 1 and c1/r1 + c2/r2 = 1.
			c1 := (1 - 1/r2) / (1/r1 - 1/r2)
			want := real(c1*pow(r1, k+1) + (1-c1)*pow(r2, k+1))
			if !(math.Abs(x-want) <= 1e-11) {
				t.Fatalf("h = %g, step %d: %g, want %g", h[i], k, x, want)
			}
		}
	}
}

func complexSqrt(x float64) complex128 {
	if x < 0 {
		return complex(0, math.Sqrt(-x))
	}
	return complex(math.Sqrt(x), 0)
}

func pow(x complex128, n int) complex128 {
	y := complex128(1)
	for range n {
		y *= x
	}
	return y
}

func TestMomentumMisuse(t *testing.T) {
	params := small[float32](1)
	nan := func(int) float64 { return math.NaN() }
	mustPanic(t, "no rate", "solvers: NewMomentum", func() { NewMomentum(params, MomentumConfig{}) })
	mustPanic(t, "Nesterov", "solvers: NewMomentum", func() { NewMomentum(params, MomentumConfig{Rate: nan, Nesterov: true}) })
	mustPanic(t, "index", "solvers: NewMomentum", func() { NewMomentum(params, MomentumConfig{Rate: nan, Undecayed: []int{5}}) })
	mustPanic(t, "NaN rate", "solvers: Momentum", func() {
		NewMomentum(params, MomentumConfig{Rate: nan}).Update(0, params, params, evidence(params), new(Report))
	})
}

// TestClipZero checks that a zero direction is not clipped into NaN, nor a rate of zero.
func TestClipZero(t *testing.T) {
	for _, rate := range []float64{0, 0.1} {
		params, zero := small[float32](1), Like(small[float32](1))
		before := bits(params)
		s := NewMomentum(params, MomentumConfig{Rate: Constant(rate), ClipNorm: Constant(1), ClipKL: Constant(1)})
		r := Report{Clip: 1}
		if err := s.Update(0, params, zero, evidence(zero), &r); err != nil || r.Clip != 1 {
			t.Errorf("clip %g, error %v", r.Clip, err)
		}
		if after := bits(params); fmt.Sprint(before) != fmt.Sprint(after) {
			t.Error("a zero step changed the parameters")
		}
	}
}
