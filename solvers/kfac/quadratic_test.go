package kfac

import (
	"errors"
	"math"
	"testing"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/solvers"
	"gonum.org/v1/gonum/mat"
)

// curvature is a net's, by its dense Gauss–Newton matrix.
type curvature struct {
	m    *net
	loss func() (float64, error) // in place of the net's
}

func (c *curvature) Loss() (float64, error) {
	if c.loss != nil {
		return c.loss()
	}
	return c.m.loss(), nil
}

func (c *curvature) GaussNewton(_, _ []solvers.Tensor[float64]) error { panic("not used") }
func (c *curvature) Hessian(_, _ []solvers.Tensor[float64]) error     { panic("not used") }

func (c *curvature) GaussNewtonForm(v [][]solvers.Tensor[float64], form dense.Matrix[float64]) error {
	g := dense.ToDense(c.m.gaussNewton())
	for i := range v {
		for j := range v {
			form.Set(i, j, mat.Inner(flat(v[i]), g, flat(v[j])))
		}
	}
	return nil
}

// flat returns tensors as one vector.
func flat(ts []solvers.Tensor[float64]) *mat.VecDense {
	var x []float64
	for _, t := range ts {
		x = append(x, t.Data...)
	}
	return mat.NewVecDense(len(x), x)
}

// combine returns a·x + b·y.
func combine(a float64, x mat.Vector, b float64, y mat.Vector) *mat.VecDense {
	var s, t mat.VecDense
	s.ScaleVec(a, x)
	t.ScaleVec(b, y)
	s.AddVec(&s, &t)
	return &s
}

// train makes steps with a Quadratic policy on the whole batch and calls look after each.
func train(t *testing.T, m *net, o Options, qo QuadraticOptions, steps int, look func(step int, e *Estimator[float64], q *Quadratic[float64], grads []solvers.Tensor[float64], r *solvers.Report)) {
	t.Helper()
	e := New(m.weights, o)
	q := NewQuadratic(m.weights, e, qo)
	opt := solvers.NewOptimizer(m.weights, e, q)
	opt.L2 = solvers.Constant(qo.L2)
	for step := range steps {
		if opt.Needs() != o.Statistics.needs()|solvers.NeedCurvature {
			t.Fatalf("Needs() = %v", opt.Needs())
		}
		ev := evidence[float64](m, o.Statistics.needs(), uint64(step))
		ev.Curvature = &curvature{m: m}
		r, err := opt.Step(ev)
		if err != nil {
			t.Fatal(err)
		}
		for i := range ev.Grads { // what Optimizer has made of it
			dense.Axpy(qo.L2, q.lastBefore(m, i), ev.Grads[i].Data, nil)
		}
		look(step, e, q, ev.Grads, r)
	}
}

// lastBefore returns tensor i before the step that was just made.
func (q *Quadratic[T]) lastBefore(m *net, i int) []float64 {
	x := append([]float64(nil), m.weights[i].Data...)
	for j, d := range q.last[i].Data {
		x[j] -= float64(d)
	}
	return x
}

// TestQuadraticModel compares α, μ and λ of each step with the dense model, and ρ with
// the dense objective.
func TestQuadraticModel(t *testing.T) {
	const l2 = 0.03
	m := newNet(31, 9, false, false, 5, 4, 3)
	var last *mat.VecDense
	before, lambda := flat(m.weights), 2.0
	f := dense.ToDense(m.gaussNewton())
	objective := func() float64 {
		w := flat(m.weights)
		return m.loss() + l2/2*mat.Dot(w, w)
	}
	h := objective()
	train(t, m, Options{InverseEvery: 1}, QuadraticOptions{Lambda: lambda, L2: l2, LambdaEvery: 2, GammaEvery: -1}, 12,
		func(step int, e *Estimator[float64], q *Quadratic[float64], grads []solvers.Tensor[float64], r *solvers.Report) {
			if want := min(lambda+l2, 1); step > 0 && !(math.Abs(e.Damping()-min(q.Lambda()+l2, 1)) <= 1e-14) || r.Damping != lambda {
				t.Errorf("step %d: damping %v and λ %v, want %v and %v", step, e.Damping(), r.Damping, want, lambda)
			}
			// P is what it was in the step: the statistics have not been refreshed since.
			dirs := solvers.Like(grads)
			if err := e.Apply(step, grads, dirs); err != nil {
				t.Fatal(err)
			}
			c, g := damped(f, lambda+l2), flat(grads)
			vs := []*mat.VecDense{combine(-1, flat(dirs), 0, flat(dirs))}
			if last != nil {
				vs = append(vs, last)
			}
			q2, b := mat.NewDense(len(vs), len(vs), nil), mat.NewVecDense(len(vs), nil)
			for i := range vs {
				b.SetVec(i, -mat.Dot(g, vs[i]))
				for j := range vs {
					q2.Set(i, j, mat.Inner(vs[i], c, vs[j]))
				}
			}
			var x mat.VecDense
			if err := x.SolveVec(q2, b); err != nil {
				t.Fatal(err)
			}
			mu := 0.0
			delta := combine(x.AtVec(0), vs[0], 0, vs[0])
			if last != nil {
				mu = x.AtVec(1)
				delta = combine(1, delta, mu, last)
			}
			if !(math.Abs(r.Rate-x.AtVec(0)) <= 1e-9*math.Abs(r.Rate)) || !(math.Abs(r.Momentum-mu) <= 1e-9) {
				t.Errorf("step %d: α = %v, μ = %v, want %v and %v", step, r.Rate, r.Momentum, x.AtVec(0), mu)
			}
			after := flat(m.weights)
			if moved := combine(1, after, -1, before); !(mat.Norm(combine(1, moved, -1, delta), 2) <= 1e-9*mat.Norm(delta, 2)) {
				t.Errorf("step %d: another step", step)
			}
			change := mat.Inner(delta, c, delta)/2 + mat.Dot(g, delta)
			rho := (objective() - h) / change
			if step%2 == 1 {
				if !(math.Abs(r.Reduction-rho) <= 1e-8*math.Abs(rho)) {
					t.Errorf("step %d: ρ = %v, want %v", step, r.Reduction, rho)
				}
				switch {
				case rho > 0.75:
					lambda *= 0.95 * 0.95
				case rho < 0.25:
					lambda /= 0.95 * 0.95
				}
			} else if r.Reduction != 0 {
				t.Errorf("step %d: ρ = %v", step, r.Reduction)
			}
			if !(math.Abs(q.Lambda()-lambda) <= 1e-14) {
				t.Errorf("step %d: λ = %v, want %v", step, q.Lambda(), lambda)
			}
			lambda = q.Lambda()
			last, before, h, f = delta, after, objective(), dense.ToDense(m.gaussNewton())
		})
}

// TestConjugateGradients: on a quadratic objective with a preconditioner that stays, the
// steps are those of preconditioned conjugate gradients.
func TestConjugateGradients(t *testing.T) {
	m := newNet(32, 20, true, false, 6, 2)
	// The bias of a linear layer: enough to make the curvature that of one layer, 14×14.
	f := m.gaussNewton()
	x := flat(m.weights)
	ev := evidence[float64](m, solvers.NeedLayers, 0)
	r := combine(-1, flat(ev.Grads), 0, x)
	var p *mat.VecDense
	var rz float64
	var want []*mat.VecDense
	e := observed(t, Options{Statistics: Empirical, Damping: 0.3}, ev)
	pre := dense.ToDense(e.Dense(0))
	for range 10 {
		var z, fp mat.VecDense
		z.MulVec(pre, r)
		next := mat.Dot(r, &z)
		if p == nil {
			p = &z
		} else {
			p = combine(1, &z, next/rz, p)
		}
		rz = next
		fp.MulVec(dense.ToDense(f), p)
		a := rz / mat.Dot(p, &fp)
		x, r = combine(1, x, a, p), combine(1, r, -a, &fp)
		want = append(want, x)
	}
	q := NewQuadratic(m.weights, e, QuadraticOptions{Lambda: 1e-30, LambdaMin: 1e-30, LambdaEvery: -1, GammaEvery: -1})
	for step := range want {
		ev := evidence[float64](m, solvers.NeedLayers, 0)
		ev.Curvature = &curvature{m: m}
		dirs := solvers.Like(ev.Grads)
		if err := e.Apply(step, ev.Grads, dirs); err != nil {
			t.Fatal(err)
		}
		if err := q.Update(step, m.weights, dirs, ev, new(solvers.Report)); err != nil {
			t.Fatal(err)
		}
		if d := combine(1, flat(m.weights), -1, want[step]); !(mat.Norm(d, 2) <= 1e-7*mat.Norm(want[step], 2)) {
			t.Errorf("step %d: %.2g from conjugate gradients", step, mat.Norm(d, 2))
		}
	}
}

// TestGamma looks at the steps in which γ is adapted: the damping is the one of the three with
// the least model.
func TestGamma(t *testing.T) {
	for _, form := range []Form{Cholesky, Eigen} {
		moves := 0
		m := newNet(33, 12, false, false, 6, 5, 3)
		e := New(m.weights, Options{Form: form, InverseEvery: 2})
		q := NewQuadratic(m.weights, e, QuadraticOptions{Lambda: 0.5, GammaEvery: 2, NoMomentum: true})
		for step := range 14 {
			ev := evidence[float64](m, solvers.NeedSampledLayers, uint64(step))
			ev.Curvature = &curvature{m: m}
			dirs := solvers.Like(ev.Grads)
			if e.Observe(step, ev) != nil || e.Refresh(step, new(solvers.Report)) != nil {
				t.Fatal("an error")
			}
			now := e.Damping()
			best, bestDamping := math.Inf(1), 0.0
			if step > 0 && step%2 == 0 {
				for _, d := range []float64{now * 0.95 * 0.95, now, min(now/0.95/0.95, 1)} {
					twin := New(m.weights, Options{Form: form, InverseEvery: 1, Damping: d})
					twin.copyStatistics(e)
					if twin.Refresh(0, new(solvers.Report)) != nil || twin.Apply(0, ev.Grads, dirs) != nil {
						t.Fatal("an error")
					}
					p, err := q.propose(dirs, ev)
					if err != nil {
						t.Fatal(err)
					}
					if p.change < best {
						best, bestDamping = p.change, d
					}
				}
				if bestDamping != now {
					moves++
				}
			} else {
				bestDamping = now
			}
			if err := e.Apply(step, ev.Grads, dirs); err != nil {
				t.Fatal(err)
			}
			if err := q.Update(step, m.weights, dirs, ev, new(solvers.Report)); err != nil {
				t.Fatal(err)
			}
			if !(math.Abs(e.Damping()/bestDamping-1) <= 1e-12) {
				t.Errorf("step %d: γ² = %v from %v, want %v", step, e.Damping(), now, bestDamping)
			}
			// What Apply uses now is of that damping.
			if form == Cholesky && step%2 == 0 && step > 0 {
				twin := New(m.weights, Options{InverseEvery: 1, Damping: e.Damping()})
				twin.copyStatistics(e)
				if err := twin.Refresh(0, new(solvers.Report)); err != nil {
					t.Fatal(err)
				}
				near(t, "P", e.Dense(1), dense.ToDense(twin.Dense(1)), 1e-12)
			}
		}
		if moves < 2 {
			t.Errorf("form %d: γ moved %d times", form, moves)
		}
	}
}

// TestQuadraticTrains fits a small network far better than gradient descent could in as
// many steps.
func TestQuadraticTrains(t *testing.T) {
	for _, form := range forms {
		m := newNet(34, 40, false, false, 8, 12, 4, 3)
		first := m.loss()
		train(t, m, Options{Form: form, InverseEvery: 5}, QuadraticOptions{Lambda: 10, L2: 1e-5}, 120,
			func(int, *Estimator[float64], *Quadratic[float64], []solvers.Tensor[float64], *solvers.Report) {})
		if last := m.loss(); !(last < first/8) {
			t.Errorf("form %d: loss %v from %v", form, last, first)
		}
	}
}

// TestQuadraticFloor: λ and γ² fall to their bounds on a problem that would have them fall
// further, and no lower.
func TestQuadraticFloor(t *testing.T) {
	const least, l2 = 0.02, 1e-3
	run := func(least float64) (lambda, damping float64) {
		m := newNet(37, 40, false, false, 8, 12, 4, 3)
		lambda, damping = 1, 1
		train(t, m, Options{InverseEvery: 5}, QuadraticOptions{Lambda: 0.1, LambdaMin: least, L2: l2, GammaEvery: 4}, 100,
			func(_ int, e *Estimator[float64], q *Quadratic[float64], _ []solvers.Tensor[float64], _ *solvers.Report) {
				lambda, damping = min(lambda, q.Lambda()), min(damping, e.Damping())
			})
		return lambda, damping
	}
	if lambda, damping := run(1e-8); !(lambda < least/2 && damping < least/2) {
		t.Fatalf("without a floor λ falls to %v, γ² to %v: the problem shows nothing", lambda, damping)
	}
	if lambda, damping := run(least); lambda != least || damping != least+l2 {
		t.Errorf("λ falls to %v, γ² to %v, want %v and %v", lambda, damping, least, least+l2)
	}
}

// TestQuadraticErrors: after an error of the curvature the parameters, λ and the last
// step are as they were.
func TestQuadraticErrors(t *testing.T) {
	m := newNet(35, 9, false, false, 5, 4, 3)
	e := New(m.weights, Options{InverseEvery: 1})
	q := NewQuadratic(m.weights, e, QuadraticOptions{Lambda: 1, LambdaEvery: 2, GammaEvery: 3})
	for step := range 8 {
		ev := evidence[float64](m, solvers.NeedSampledLayers, uint64(step))
		dirs := solvers.Like(ev.Grads)
		if e.Observe(step, ev) != nil || e.Refresh(step, new(solvers.Report)) != nil || e.Apply(step, ev.Grads, dirs) != nil {
			t.Fatal("an error")
		}
		if step%2 == 1 {
			mine := errors.New("mine")
			for _, loss := range []func() (float64, error){
				func() (float64, error) { return math.NaN(), nil },
				func() (float64, error) { return 0, mine },
			} {
				params, lambda, last, damping := flat(m.weights), q.Lambda(), flat(q.last), e.Damping()
				ev.Curvature = &curvature{m, loss}
				err := q.Update(step, m.weights, dirs, ev, new(solvers.Report))
				var nf *dense.NonFiniteError
				if !errors.As(err, &nf) && !errors.Is(err, mine) {
					t.Errorf("step %d: error %v", step, err)
				}
				if !mat.Equal(params, flat(m.weights)) || lambda != q.Lambda() || !mat.Equal(last, flat(q.last)) || damping != e.Damping() {
					t.Errorf("step %d: an error has left a trace", step)
				}
			}
		}
		ev.Curvature = &curvature{m: m}
		if err := q.Update(step, m.weights, dirs, ev, new(solvers.Report)); err != nil {
			t.Fatal(err)
		}
	}
	zero := solvers.Like(m.weights)
	ev := &solvers.Evidence[float64]{Grads: zero, Curvature: &curvature{m: m}}
	q = NewQuadratic(m.weights, e, QuadraticOptions{LambdaEvery: 1, GammaEvery: -1})
	before := flat(m.weights)
	if err := q.Update(0, m.weights, solvers.Like(zero), ev, new(solvers.Report)); err != nil || !mat.Equal(before, flat(m.weights)) {
		t.Errorf("a zero gradient: %v", err)
	}
}

// TestMinimise has directions that are parallel or without curvature.
func TestMinimise(t *testing.T) {
	for _, c := range []struct {
		b1, b2, c11, c12, c22 float64
		want                  proposal
	}{
		{-2, 0, 4, 0, 0, proposal{0.5, 0, -0.5}},
		{-2, -4, 4, 8, 16, proposal{0.5, 0, -0.5}},
		{0, 3, 0, 0, 2, proposal{0, -1.5, -2.25}},
		{0, 0, 0, 0, 0, proposal{}},
		{-1, -1, 2, 1, 2, proposal{1. / 3, 1. / 3, -1. / 3}},
	} {
		got := minimise(c.b1, c.b2, c.c11, c.c12, c.c22, 1e-12)
		if !(math.Abs(got.alpha-c.want.alpha)+math.Abs(got.mu-c.want.mu)+math.Abs(got.change-c.want.change) <= 1e-14) {
			t.Errorf("%+v: %+v", c, got)
		}
	}
}

// copyStatistics gives e the statistics of another estimator.
func (e *Estimator[T]) copyStatistics(other *Estimator[T]) {
	e.seen = other.seen
	for i := range e.blocks {
		for side, f := range other.blocks[i].factor {
			e.blocks[i].factor[side].Copy(f)
		}
	}
}
