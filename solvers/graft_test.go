package solvers_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/precond-go/precond/dense"
	. "github.com/precond-go/precond/solvers"
	"github.com/precond-go/precond/solvers/firstorder"
)

func TestGraft(t *testing.T) { both(t, testGraft[float32], testGraft[float64]) }

// testGraft compares with each method of a magnitude alone: before the start bit for bit,
// from then on in norm, with the direction of the other.
func testGraft[T dense.Float](t *testing.T) {
	const start, steps = 4, 8
	for name, magnitude := range map[string]func(p []Tensor[T]) Preconditioner[T]{
		"SGD":        func(p []Tensor[T]) Preconditioner[T] { return NewIdentity(p) },
		"normalised": func(p []Tensor[T]) Preconditioner[T] { return firstorder.NewNormalized(p, 1) },
		"AdaGrad":    func(p []Tensor[T]) Preconditioner[T] { return firstorder.NewAdaGrad(p, firstorder.Config{}) },
		"RMSProp":    func(p []Tensor[T]) Preconditioner[T] { return firstorder.NewRMSProp(p, firstorder.Config{}) },
		"Adam":       func(p []Tensor[T]) Preconditioner[T] { return firstorder.NewAdam(p, firstorder.Config{}) },
	} {
		p := model[T](1)
		for _, threads := range []int{1, 3} {
			alone, direction := magnitude(p), Preconditioner[T](firstorder.NewRMSProp(p, firstorder.Config{}))
			g := NewGraft(p, magnitude(p), Preconditioner[T](firstorder.NewRMSProp(p, firstorder.Config{})), start, threads)
			grads, got, size, dir := model[T](0), Like(p), Like(p), Like(p)
			for k := range steps {
				fill(grads, 8, uint64(k))
				direct(t, g, k, grads, got)
				direct(t, alone, k, grads, size)
				if k >= start { // these methods move their moments when they are applied
					direct(t, direction, k, grads, dir)
				}
				if k < start {
					if !slices.Equal(bits(got), bits(size)) {
						t.Errorf("%s: step %d: not the bits of the grafted method", name, k)
					}
					continue
				}
				for i := range got {
					var nn, dd, dot, want float64
					for j, v := range got[i].Data {
						x, y, z := float64(v), float64(dir[i].Data[j]), float64(size[i].Data[j])
						nn += x * x
						dd += y * y
						dot += x * y
						want += z * z
					}
					if len(got[i].Data) == 0 {
						continue
					}
					tol := 200 * eps[T]()
					if !(math.Abs(math.Sqrt(nn/want)-1) <= tol) || !(dot/math.Sqrt(nn*dd) >= 1-tol) {
						t.Errorf("%s: step %d, %s: norm %g of %g, cosine %g", name, k, got[i].Name, math.Sqrt(nn), math.Sqrt(want), dot/math.Sqrt(nn*dd))
					}
				}
			}
			if m := g.Dense(3); m.Rows != 1 || !(math.Abs(m.At(0, 0)*float64(grads[3].Data[0])/float64(got[3].Data[0])-1) <= 20*eps[T]()) {
				t.Errorf("%s: Dense does not apply as Apply does", name)
			}
		}
	}
}

// direct drives a preconditioner by hand.
func direct[T dense.Float](t *testing.T, p Preconditioner[T], step int, grads, dst []Tensor[T]) {
	t.Helper()
	r := &Report{Step: step}
	e := evidence(grads)
	for _, err := range []error{p.Observe(step, e), p.Refresh(step, r), p.Apply(step, grads, dst)} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// tally is a preconditioner that counts its observations and fails when told to.
type tally struct {
	*Identity[float64]
	n    int
	fail error
}

func (c *tally) Observe(int, *Evidence[float64]) error {
	if c.fail == nil {
		c.n++
	}
	return c.fail
}

// checked is a tally that is a Checker.
type checked struct{ *tally }

func (c checked) Check(int, *Evidence[float64]) error { return c.fail }

// unchecked hides the Check of the identity.
type unchecked struct{ Preconditioner[float64] }

// TestGraftObserve lets one part fail: neither has observed then, in whatever order they come.
func TestGraftObserve(t *testing.T) {
	p := small[float64](1)
	boom := errors.New("boom")
	for name, wrap := range map[string][2]func(*tally) Preconditioner[float64]{
		"magnitude checks": {func(c *tally) Preconditioner[float64] { return checked{c} }, func(c *tally) Preconditioner[float64] { return unchecked{c} }},
		"direction checks": {func(c *tally) Preconditioner[float64] { return unchecked{c} }, func(c *tally) Preconditioner[float64] { return checked{c} }},
		"both check":       {func(c *tally) Preconditioner[float64] { return checked{c} }, func(c *tally) Preconditioner[float64] { return checked{c} }},
	} {
		for failing := range 2 {
			parts := [2]*tally{{Identity: NewIdentity(p)}, {Identity: NewIdentity(p)}}
			g := NewGraft(p, wrap[0](parts[0]), wrap[1](parts[1]), 0, 1)
			parts[failing].fail = boom
			if err := g.Observe(0, evidence(p)); !errors.Is(err, boom) || strings.HasPrefix(err.Error(), "magnitude") != (failing == 0) {
				t.Errorf("%s: part %d fails: %v", name, failing, err)
			}
			if parts[0].n != 0 || parts[1].n != 0 {
				t.Errorf("%s: part %d fails: %d and %d observations", name, failing, parts[0].n, parts[1].n)
			}
			parts[failing].fail = nil
			if err := g.Observe(0, evidence(p)); err != nil || parts[0].n != 1 || parts[1].n != 1 {
				t.Errorf("%s: %v, %d and %d observations", name, err, parts[0].n, parts[1].n)
			}
		}
	}
	// A gradient whose squares overflow is Adam's to refuse, whatever the direction would say.
	c := &tally{Identity: NewIdentity(p)}
	g := NewGraft(p, Preconditioner[float64](firstorder.NewAdam(p, firstorder.Config{})), Preconditioner[float64](c), 0, 1)
	p[0].Data[0] = 1e200
	var nf *dense.NonFiniteError
	if err := g.Observe(0, evidence(p)); !errors.As(err, &nf) || c.n != 0 {
		t.Errorf("squares that overflow: %v, %d observations", err, c.n)
	}
}

func TestGraftScale(t *testing.T) {
	for _, c := range []struct {
		magnitude, direction []float32
		want                 float32
	}{
		{[]float32{3, 4}, []float32{0, 2}, 2.5},
		{[]float32{3, 4}, []float32{0, 0}, 0},
		{[]float32{0}, []float32{5}, 0},
		{nil, nil, 0},
		{[]float32{1e30}, []float32{1e-30}, math.MaxFloat32},
	} {
		if got := GraftScale(c.magnitude, c.direction, nil); got != c.want {
			t.Errorf("GraftScale(%v, %v) = %v, want %v", c.magnitude, c.direction, got, c.want)
		}
	}
}

// TestAverage compares with means and moving averages computed one by one.
func TestAverage(t *testing.T) {
	for name, beta := range map[string]Schedule{"mean": nil, "moving": Constant(0.5)} {
		p := small[float64](1)
		const start, steps = 3, 10
		a := NewAverage(p, Policy[float64](NewMomentum(p, MomentumConfig{Rate: Constant(0.1), Momentum: Constant(0.9)})), start, beta, 1)
		o := NewOptimizer(p, NewIdentity(p), a)
		if !slices.Equal(bits(a.Averaged()), bits(p)) {
			t.Errorf("%s: before the first step the average is not the parameters", name)
		}
		grads, want := small[float64](0), 0.0
		for k := range steps {
			fill(grads, 4, uint64(k))
			if _, err := o.Step(evidence(grads)); err != nil {
				t.Fatal(err)
			}
			n := float64(k - start + 1)
			switch x := p[0].Data[7]; {
			case k < start:
			case beta == nil:
				want += (x - want) / n
			case n <= 2:
				want = want*(1-1/n) + x/n
			default:
				want = (want + x) / 2
			}
		}
		if got := a.Averaged()[0].Data[7]; !(math.Abs(got-want) <= 1e-14*math.Abs(want)+1e-15) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
		before, mean := bits(p), bits(a.Averaged())
		a.Swap()
		if !slices.Equal(bits(p), mean) {
			t.Errorf("%s: Swap does not put the averages in place", name)
		}
		mustPanic(t, "a step while swapped", "solvers: Average: a step", func() { o.Step(evidence(grads)) })
		a.Swap()
		if !slices.Equal(bits(p), before) {
			t.Errorf("%s: two Swaps do not restore the parameters", name)
		}
	}
}

func TestLevenbergMarquardt(t *testing.T) {
	l := LevenbergMarquardt{Lambda: 150, Min: 100, Max: 200}
	factor := 1.0
	for range 5 {
		factor *= 0.95
	}
	for i, c := range []struct{ rho, want float64 }{
		{0.5, 150}, {0.25, 150}, {0.75, 150}, {0.76, 150 * factor}, {2, 100}, {0.2, 100 / factor},
		{math.NaN(), 100 / factor / factor}, {math.Inf(-1), 200}, {-1, 200},
	} {
		if l.Update(c.rho); !(math.Abs(l.Lambda-c.want) <= 1e-12*c.want) {
			t.Errorf("%d: ρ = %v: λ = %v, want %v", i, c.rho, l.Lambda, c.want)
		}
	}
	due := 0
	for k := range 20 {
		if l.Due(k) {
			due++
		}
	}
	if due != 4 || l.Due(0) || !l.Due(4) {
		t.Errorf("due %d times in 20 steps", due)
	}
	zero := LevenbergMarquardt{}
	zero.Update(math.NaN())
	if zero.Lambda != 0 {
		t.Errorf("λ = 0 becomes %v", zero.Lambda)
	}
	mustPanic(t, "ω = 2", "solvers: LevenbergMarquardt: impossible", func() { (&LevenbergMarquardt{Omega: 2}).Update(1) })
	if r := ReductionRatio(5, 4, -2); r != 0.5 {
		t.Errorf("ratio %v", r)
	}
	if r := ReductionRatio(5, 4, 0); !math.IsNaN(r) {
		t.Errorf("ratio %v without a promise", r)
	}
}
