package kfac

import (
	"fmt"
	"math"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/solvers"
)

// QuadraticOptions are the parameters of a Quadratic policy. The zero value of each is
// its default, that of Martens & Grosse 2015.
type QuadraticOptions struct {
	// Lambda is the first value of λ, the Tikhonov damping of the quadratic model, in
	// units of the curvature of the mean loss. Default 150.
	Lambda float64
	// L2 is η, the weight of the penalty η/2·‖θ‖² in the objective. The gradients
	// have to contain its gradient, so Optimizer.L2 must be the same. Default 0.
	L2 float64
	// NoMomentum leaves the last step out of the model.
	NoMomentum bool
	// LambdaEvery is T₁, the interval in steps at which λ is adapted, by the factor
	// (19/20)^T₁ up or down. Default 5, negative for never.
	LambdaEvery int
	// GammaEvery is T₂, the interval in steps at which the estimator's damping γ² is
	// adapted, of which γ·ω, γ and γ/ω with ω = (19/20)^(T₂/2) are tried. Default
	// 20. If it is negative, γ² = λ + η all the time.
	GammaEvery int
	// LambdaMin and LambdaMax bound λ, and LambdaMin + η bounds γ² from below. Defaults 1e-8
	// and 1e8. With a model of few examples λ falls as long as it predicts well, and then some
	// step leaves the region where it does: a floor, in units of the curvature, keeps it there.
	LambdaMin, LambdaMax float64
	// GammaMax bounds γ from above. Default 1.
	GammaMax float64
	// Threads is the number of threads to use, 0 for GOMAXPROCS.
	Threads int
}

func (o QuadraticOptions) resolve() QuadraticOptions {
	for _, d := range []struct {
		p    *float64
		deft float64
	}{{&o.Lambda, 150}, {&o.LambdaMin, 1e-8}, {&o.LambdaMax, 1e8}, {&o.GammaMax, 1}} {
		if *d.p == 0 {
			*d.p = d.deft
		}
		checkDamping("NewQuadratic", *d.p)
	}
	if o.LambdaEvery == 0 {
		o.LambdaEvery = 5
	}
	if o.GammaEvery == 0 {
		o.GammaEvery = 20
	}
	if !(o.L2 >= 0) || math.IsInf(o.L2, 0) || !(o.LambdaMin <= o.Lambda && o.Lambda <= o.LambdaMax) || o.Threads < 0 {
		panic(fmt.Sprintf("kfac: NewQuadratic: impossible values in %+v", o))
	}
	return o
}

// Quadratic is the step policy of K-FAC, a solvers.Policy over an Estimator. With the direction
// Δ = −P·∇h and the last step δ₀ it takes the step δ = α·Δ + μ·δ₀ that is least in the
// quadratic model of the objective h = loss + η/2·‖θ‖²,
//
//	M(δ) = ½·δᵀ(G + (λ + η)I)δ + ∇hᵀδ + h(θ),
//
// with the exact Gauss–Newton (Fisher) matrix G of the batch, by two derivatives of the outputs in the
// directions. So there is neither a learning rate nor a momentum to choose. λ follows the
// Levenberg–Marquardt rule on the reduction ratio ρ = (h(θ+δ) − h(θ))/(M(δ) − M(0)), where 1/4
// and 3/4 are the thresholds; the γ of the estimator's damping is moved
// to where M is least.
//
// Loss of the Evidence's Curvature has to be of the batch of Evidence.Loss; for products on a
// part of the batch, which is most of the cost, see Subsampled.
//
// Cost: GaussNewtonForm of two directions, and a few passes over the parameters; a Loss
// every LambdaEvery steps; two more refreshes and directions every GammaEvery steps.
// Source: Martens & Grosse 2015, sections 6.4 to 7 and algorithm 2.
type Quadratic[T dense.Float] struct {
	o         QuadraticOptions
	estimator *Estimator[T]
	lambda    solvers.LevenbergMarquardt
	last      []solvers.Tensor[T] // δ₀
	next      []solvers.Tensor[T] // δ
	moved     bool                // whether δ₀ is not zero
	trial     [2][]solvers.Tensor[T]
	saved     []solvers.Tensor[T]
	vs        [2][]solvers.Tensor[T]
	form      dense.Matrix[float64]
	opts      dense.Opts[T]
}

// NewQuadratic returns the policy for the directions of an estimator of params. It sets the
// estimator's damping to λ + η, or GammaMax² if that is less.
func NewQuadratic[T dense.Float](params []solvers.Tensor[T], e *Estimator[T], o QuadraticOptions) *Quadratic[T] {
	o = o.resolve()
	q := &Quadratic[T]{
		o: o, estimator: e, last: solvers.Like(params), next: solvers.Like(params),
		lambda: solvers.LevenbergMarquardt{Lambda: o.Lambda, Omega: omega, Every: o.LambdaEvery, Min: o.LambdaMin, Max: o.LambdaMax},
		form:   dense.NewMatrix[float64](2, 2), opts: dense.Opts[T]{Threads: o.Threads},
	}
	if o.GammaEvery > 0 {
		q.trial = [2][]solvers.Tensor[T]{solvers.Like(params), solvers.Like(params)}
	}
	if o.LambdaEvery > 0 {
		q.saved = solvers.Like(params)
	}
	q.tie()
	return q
}

// tie sets γ² = λ + η.
func (q *Quadratic[T]) tie() {
	q.estimator.SetDamping(min(q.lambda.Lambda+q.o.L2, float64(q.o.GammaMax*q.o.GammaMax)))
}

// Lambda returns λ.
func (q *Quadratic[T]) Lambda() float64 { return q.lambda.Lambda }

// Needs asks for curvature products in every step.
func (q *Quadratic[T]) Needs(int) solvers.Needs { return solvers.NeedCurvature }

// proposal is the least point of the model in the plane of two directions.
type proposal struct {
	alpha, mu float64
	change    float64 // M(δ) − M(0), not above 0
}

// propose minimises the model for the direction −dirs.
func (q *Quadratic[T]) propose(dirs []solvers.Tensor[T], e *solvers.Evidence[T]) (proposal, error) {
	n := 1
	q.vs[0] = dirs
	if q.moved && !q.o.NoMomentum {
		n, q.vs[1] = 2, q.last
	}
	form := q.form.View(0, 0, n, n)
	if err := e.Curvature.GaussNewtonForm(q.vs[:n], form); err != nil {
		return proposal{}, err
	}
	// The signs are those of −dirs: along it and δ₀ the slope is (b₁, b₂), the curvature
	// (c₁₁ c₁₂; c₁₂ c₂₂).
	tikhonov := q.lambda.Lambda + q.o.L2
	inner := func(x, y []solvers.Tensor[T]) float64 { return solvers.Inner(x, y, &q.opts) }
	b1, c11 := -inner(dirs, e.Grads), math.FMA(tikhonov, inner(dirs, dirs), form.At(0, 0))
	b2, c12, c22 := 0.0, 0.0, 0.0
	if n == 2 {
		b2 = inner(q.last, e.Grads)
		c12 = -math.FMA(tikhonov, inner(dirs, q.last), form.At(0, 1))
		c22 = math.FMA(tikhonov, inner(q.last, q.last), form.At(1, 1))
	}
	if sum := b1 + c11 + b2 + c12 + c22; sum-sum != 0 {
		return proposal{}, &dense.NonFiniteError{Where: "quadratic model"}
	}
	return minimise(b1, b2, c11, c12, c22, parallel[T]()), nil
}

// parallel is the share of c₁₁·c₂₂ below which the determinant is rounding: the
// directions are parallel then.
func parallel[T dense.Float]() float64 {
	if T(1)+T(1e-10) == T(1) {
		return 1e-5
	}
	return 1e-12
}

// minimise returns the least point of b·x + ½·xᵀCx. Where the directions are parallel, it
// is that of the first alone; where that has no curvature, of the second.
func minimise(b1, b2, c11, c12, c22, tol float64) proposal {
	var p proposal
	det := math.FMA(c11, c22, -float64(c12*c12))
	switch {
	case c11 > 0 && c22 > 0 && det > float64(tol*float64(c11*c22)):
		p.alpha = -math.FMA(c22, b1, -float64(c12*b2)) / det
		p.mu = -math.FMA(c11, b2, -float64(c12*b1)) / det
	case c11 > 0:
		p.alpha = -b1 / c11
	case c22 > 0:
		p.mu = -b2 / c22
	}
	p.change = float64(0.5 * math.FMA(p.alpha, b1, float64(p.mu*b2)))
	return p
}

// Update makes the step. Report.Rate is α, Report.Momentum μ, Report.Damping λ and, in
// steps that compute it, Report.Reduction ρ.
//
// Errors: *dense.NonFiniteError where the model or the loss after the step is not finite, and
// those of Curvature; parameters and state are as they were then.
func (q *Quadratic[T]) Update(step int, params, dirs []solvers.Tensor[T], e *solvers.Evidence[T], r *solvers.Report) error {
	best, err := q.propose(dirs, e)
	if err != nil {
		return err
	}
	damping := q.estimator.Damping()
	if q.o.GammaEvery > 0 && step > 0 && step%q.o.GammaEvery == 0 {
		if best, dirs, damping, err = q.tryGamma(step, best, dirs, e); err != nil {
			return err
		}
	}
	for i, d := range dirs {
		next := q.next[i].Data
		dense.ScalTo(T(-best.alpha), d.Data, next, &q.opts)
		if best.mu != 0 {
			dense.Axpy(T(best.mu), q.last[i].Data, next, &q.opts)
		}
	}
	// Where the model promises nothing, the step is zero, and λ stays.
	adapt := q.o.LambdaEvery > 0 && q.lambda.Due(step) && best.change != 0
	if adapt {
		if r.Reduction, err = q.reduction(params, best.change, e); err != nil {
			return err
		}
	} else {
		for i, p := range params {
			dense.Axpy(1, q.next[i].Data, p.Data, &q.opts)
		}
	}
	r.Rate, r.Momentum, r.Damping = best.alpha, best.mu, q.lambda.Lambda
	q.last, q.next, q.moved = q.next, q.last, true
	if adapt {
		q.lambda.Update(r.Reduction)
	}
	if q.o.GammaEvery < 0 {
		q.tie()
	} else if damping != q.estimator.Damping() {
		q.estimator.adopt(step, damping, r)
	}
	return nil
}

// reduction makes the step q.next and returns ρ. After an error the parameters are as they
// were.
func (q *Quadratic[T]) reduction(params []solvers.Tensor[T], change float64, e *solvers.Evidence[T]) (float64, error) {
	// η/2·(‖θ+δ‖² − ‖θ‖²) = η·δᵀ(θ + δ/2)
	penalty := float64(q.o.L2 * math.FMA(0.5, solvers.Inner(q.next, q.next, &q.opts), solvers.Inner(q.next, params, &q.opts)))
	for i, p := range params {
		copy(q.saved[i].Data, p.Data)
		dense.Axpy(1, q.next[i].Data, p.Data, &q.opts)
	}
	loss, err := e.Curvature.Loss()
	if err == nil && loss-loss != 0 {
		err = &dense.NonFiniteError{Where: "loss after the step"}
	}
	if err != nil {
		for i, p := range params {
			copy(p.Data, q.saved[i].Data)
		}
		return 0, err
	}
	return solvers.ReductionRatio(0, loss-e.Loss+penalty, change), nil
}

// omega is the factor of one step of adaptation.
const omega = 19. / 20

// tryGamma compares the proposal for the damping in force with those for γ·ω and γ/ω, and
// returns the best one with its directions and damping. A damping at which the factors cannot be
// inverted does not count.
func (q *Quadratic[T]) tryGamma(step int, best proposal, dirs []solvers.Tensor[T], e *solvers.Evidence[T]) (proposal, []solvers.Tensor[T], float64, error) {
	now := q.estimator.Damping()
	damping := now
	factor := 1.0 // ω² = (19/20)^T₂, for γ²
	for range q.o.GammaEvery {
		factor = float64(factor * omega)
	}
	least, most := min(q.o.LambdaMin+q.o.L2, now), float64(q.o.GammaMax*q.o.GammaMax)
	for i, d := range [...]float64{max(float64(now*factor), least), min(now/factor, most)} {
		if d == now {
			continue
		}
		if q.estimator.try(d, e.Grads, q.trial[i]) != nil {
			continue
		}
		p, err := q.propose(q.trial[i], e)
		if err != nil {
			return best, dirs, now, err
		}
		if p.change < best.change {
			best, dirs, damping = p, q.trial[i], d
		}
	}
	return best, dirs, damping, nil
}

// State names λ and the last step.
func (q *Quadratic[T]) State(v *solvers.State) {
	q.lambda.State(v)
	v.Bool("moved", &q.moved)
	for _, t := range q.last {
		solvers.Floats(v, "last step "+t.Name, t.Data)
	}
}

// Subsampled is a solvers.Curvature with the loss of one batch and the products of
// another, usually a part of it: the paper takes a quarter.
type Subsampled[T dense.Float] struct {
	solvers.Curvature[T] // of the products
	Whole                solvers.Curvature[T]
}

// Loss returns the loss of Whole.
func (s *Subsampled[T]) Loss() (float64, error) { return s.Whole.Loss() }
