package solvers_test

import (
	"fmt"
	"testing"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/random"
	. "github.com/precond-go/precond/solvers"
	"github.com/precond-go/precond/solvers/firstorder"
	"github.com/precond-go/precond/solvers/kfac"
)

// bowl is the curvature of ½‖θ‖².
type bowl[T dense.Float] struct{ params []Tensor[T] }

func (b *bowl[T]) Loss() (float64, error) { return Inner(b.params, b.params, nil) / 2, nil }

func (b *bowl[T]) GaussNewton(v, out []Tensor[T]) error {
	for i := range v {
		copy(out[i].Data, v[i].Data)
	}
	return nil
}

func (b *bowl[T]) Hessian(v, out []Tensor[T]) error { return b.GaussNewton(v, out) }

func (b *bowl[T]) GaussNewtonForm(v [][]Tensor[T], form dense.Matrix[float64]) error {
	for i := range v {
		for j := range v {
			form.Set(i, j, Inner(v[i], v[j], nil))
		}
	}
	return nil
}

// layered returns evidence of everything that a method may need, of two layers.
func layered[T dense.Float]() *Evidence[T] {
	const n = 30
	e := &Evidence[T]{Loss: 1, Examples: n, Layers: make([][]Layer[T], 1)}
	for l, s := range [][2]int{{20, 12}, {12, 7}} {
		w := NewTensor[T](fmt.Sprint("w", l), s[1], s[0]+1)
		e.Grads = append(e.Grads, w)
		e.Layers[0] = append(e.Layers[0], Layer[T]{Name: w.Name, Param: l, Bias: true, Examples: n, Positions: 1,
			Inputs: dense.NewMatrix[T](n, s[0]), Grads: dense.NewMatrix[T](n, s[1])})
		random.Normal(random.New(3, uint64(l), 0), 0, e.Layers[0][l].Inputs.Data)
		random.Normal(random.New(3, uint64(l), 1), 0, e.Layers[0][l].Grads.Data)
	}
	fill(e.Grads, 4, 4)
	return e
}

// TestAllocations: a step of any method with any policy allocates nothing after the first few, also
// those that refresh, in the step or in the background, and those that adapt the damping.
func TestAllocations(t *testing.T) { both(t, testAllocations[float32], testAllocations[float64]) }

func testAllocations[T dense.Float](t *testing.T) {
	e := layered[T]()
	params := Like(e.Grads)
	methods := map[string]func() Preconditioner[T]{
		"identity":   func() Preconditioner[T] { return NewIdentity(params) },
		"normalised": func() Preconditioner[T] { return firstorder.NewNormalized(params, 2) },
		"Adam":       func() Preconditioner[T] { return firstorder.NewAdam(params, firstorder.Config{Threads: 2}) },
		"AdaMax":     func() Preconditioner[T] { return firstorder.NewAdaMax(params, firstorder.Config{Normalize: true}) },
		"RMSProp":    func() Preconditioner[T] { return firstorder.NewRMSProp(params, firstorder.Config{}) },
		"AdaGrad":    func() Preconditioner[T] { return firstorder.NewAdaGrad(params, firstorder.Config{Normalize: true}) },
		"graft": func() Preconditioner[T] {
			return NewGraft[T](params, firstorder.NewAdam(params, firstorder.Config{}), firstorder.NewRMSProp(params, firstorder.Config{}), 1, 2)
		},
	}
	for _, form := range []kfac.Form{kfac.Cholesky, kfac.Eigen, kfac.Corrected, kfac.Tridiagonal} {
		for _, lag := range []int{0, 1} {
			methods[fmt.Sprint("K-FAC ", form, " ", lag)] = func() Preconditioner[T] {
				return kfac.New(params, kfac.Options{Form: form, StatisticsEvery: 2, InverseEvery: 2, Lag: lag, Threads: 2})
			}
		}
	}
	momentum := MomentumConfig{Rate: Constant(0.01), Momentum: Constant(0.9), Nesterov: true, Decay: Constant(0.1), ClipNorm: Constant(1), ClipKL: Constant(0.1), Threads: 2}
	policies := map[string]func(p Preconditioner[T]) Policy[T]{
		"rate":     func(Preconditioner[T]) Policy[T] { return NewMomentum(params, MomentumConfig{Rate: Constant(0.01)}) },
		"momentum": func(Preconditioner[T]) Policy[T] { return NewMomentum(params, momentum) },
		"average": func(Preconditioner[T]) Policy[T] {
			return NewAverage[T](params, NewMomentum(params, momentum), 0, Constant(0.9), 2)
		},
		"quadratic": func(p Preconditioner[T]) Policy[T] {
			k, ok := p.(*kfac.Estimator[T])
			if !ok {
				return nil
			}
			return kfac.NewQuadratic(params, k, kfac.QuadraticOptions{Lambda: 1, LambdaEvery: 2, GammaEvery: 3, Threads: 2})
		},
	}
	for method, make := range methods {
		for policy, join := range policies {
			p := make()
			q := join(p)
			if q == nil {
				continue
			}
			o := NewOptimizer(params, p, q)
			o.L2, o.ClipNorm, o.Threads = Constant(0.01), Constant(3), 2
			fill(params, 2, 2)
			e.Curvature = &bowl[T]{params}
			step := func() {
				if _, err := o.Step(e); err != nil {
					t.Fatalf("%s, %s: %v", method, policy, err)
				}
			}
			for range 12 {
				step()
			}
			if n := testing.AllocsPerRun(24, step); n != 0 {
				t.Errorf("%s, %s: a step allocates %v times", method, policy, n)
			}
			o.Close()
		}
	}
}
