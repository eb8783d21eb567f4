package solvers

import (
	"fmt"

	"github.com/precond-go/precond/dense"
)

// Optimizer is a Preconditioner and a Policy over the tensors of a model. The fields may
// be set before the first step. An Optimizer serves one goroutine at a time.
//
// The gradients that both see are ClipNorm's and L2's: L2·p + ν·g, where ν scales the
// norm of all gradients together down to ClipNorm.
type Optimizer[T dense.Float] struct {
	L2       Schedule // weight of the penalty ½‖p‖², whose gradient is added; not scaled by the learning rate
	ClipNorm Schedule // bound of the Euclidean norm of the gradient; 0 for no bound
	Threads  int      // for the work of Optimizer itself; 0 means GOMAXPROCS

	params   []Tensor[T]
	precond  Preconditioner[T]
	policy   Policy[T]
	identity bool // directions are the gradients
	step     int

	opts     dense.Opts[T]
	evidence Evidence[T] // what the parts are given
	norms    []float64   // of evidence.Grads
	scaled   []Tensor[T] // gradients after ClipNorm and L2, made when needed
	dirs     []Tensor[T]
	report   Report
}

// NewOptimizer joins a preconditioner and a policy, both made for params, which the steps
// will change.
func NewOptimizer[T dense.Float](params []Tensor[T], precond Preconditioner[T], policy Policy[T]) *Optimizer[T] {
	for _, p := range params {
		n := 1
		for _, d := range p.Shape {
			n *= d
		}
		if n != len(p.Data) {
			panic(fmt.Sprintf("solvers: NewOptimizer: %s has shape %v and %d elements", p.Name, p.Shape, len(p.Data)))
		}
	}
	o := &Optimizer[T]{params: params, precond: precond, policy: policy, norms: make([]float64, len(params))}
	if _, o.identity = precond.(*Identity[T]); !o.identity {
		o.dirs = Like(params)
	}
	return o
}

// Params returns the tensors that the steps change.
func (o *Optimizer[T]) Params() []Tensor[T] { return o.params }

// Steps returns the number of steps taken, which is the number of the coming one.
func (o *Optimizer[T]) Steps() int { return o.step }

// Close ends what the parts do in the background and waits for it. The optimizer can go
// on afterwards, with the same bits.
func (o *Optimizer[T]) Close() {
	closePart(o.precond)
	closePart(o.policy)
}

// Needs returns what the coming step's evidence has to hold beside loss and gradients.
func (o *Optimizer[T]) Needs() Needs { return o.precond.Needs(o.step) | o.policy.Needs(o.step) }

// Step makes a step from what the model says of a batch. The report holds until the next
// step.
//
// It panics if e has not the shapes of the parameters or lacks what Needs asks for.
// After an error the parameters and the state of the policy are as before, the step
// is not counted, and another batch may be tried. Input that is not finite is found before
// anything changes (*dense.NonFiniteError, which names the tensor or layer). If what fails comes later (a
// *RefreshError, or a direction that is not finite), the preconditioner has taken in
// the batch all the same.
func (o *Optimizer[T]) Step(e *Evidence[T]) (*Report, error) {
	o.check(e)
	o.opts.Threads = o.Threads
	if err := o.try(e); err != nil {
		return nil, fmt.Errorf("solvers: step %d: %w", o.step, err)
	}
	o.step++
	return &o.report, nil
}

func (o *Optimizer[T]) try(e *Evidence[T]) error {
	norm, err := o.finite(e)
	if err != nil {
		return err
	}
	o.report = Report{Step: o.step, Loss: e.Loss, Clip: 1, Norm: norm, Blocks: o.report.Blocks[:0]}
	o.evidence = *e
	if err := o.shape(norm); err != nil {
		return err
	}
	o.evidence.norms = o.norms
	if err := o.precond.Observe(o.step, &o.evidence); err != nil {
		return err
	}
	if err := o.precond.Refresh(o.step, &o.report); err != nil {
		return err
	}
	dirs := o.evidence.Grads
	if !o.identity {
		dirs = o.dirs
		if err := o.precond.Apply(o.step, o.evidence.Grads, dirs); err != nil {
			return err
		}
		for i, d := range dirs {
			if m := dense.MaxAbs(d.Data, &o.opts); m-m != 0 {
				return &dense.NonFiniteError{Where: "direction of " + o.params[i].Name}
			}
		}
	}
	return o.policy.Update(o.step, o.params, dirs, &o.evidence, &o.report)
}

// finite returns the norm of the gradients; it sets o.norms. The error names what in e is
// not finite.
func (o *Optimizer[T]) finite(e *Evidence[T]) (float64, error) {
	if e.Loss-e.Loss != 0 {
		return 0, &dense.NonFiniteError{Where: "loss"}
	}
	var total sumOfSquares
	for i, g := range e.Grads {
		n, err := finiteNorm("gradient of ", o.params[i].Name, g.Data, &o.opts)
		if err != nil {
			return 0, err
		}
		o.norms[i] = n
		total.add(n)
	}
	for _, set := range e.Layers {
		for i := range set {
			l := &set[i]
			for _, m := range [...]struct {
				name string
				m    *dense.Matrix[T]
			}{{"inputs", &l.Inputs}, {"gradients", &l.Grads}} {
				if x := dense.NormMax(*m.m, &o.opts); x-x != 0 {
					return 0, &dense.NonFiniteError{Where: m.name + " of layer " + l.Name}
				}
			}
		}
	}
	return total.root(), nil
}

// shape applies ClipNorm and L2 to the gradients of o.evidence.
func (o *Optimizer[T]) shape(norm float64) error {
	clip, l2 := 1.0, o.L2.At(o.step)
	if bound := o.ClipNorm.At(o.step); bound > 0 {
		clip = min(1, bound/norm)
	}
	o.report.Clip = clip
	if clip == 1 && l2 == 0 {
		return nil
	}
	if o.scaled == nil {
		o.scaled = Like(o.params)
	}
	for i, g := range o.evidence.Grads {
		x := o.scaled[i].Data
		dense.ScalTo(T(clip), g.Data, x, &o.opts)
		dense.Axpy(T(l2), o.params[i].Data, x, &o.opts)
		n, err := finiteNorm("penalised gradient of ", o.params[i].Name, x, &o.opts)
		if err != nil {
			return err
		}
		o.norms[i] = n
	}
	o.evidence.Grads = o.scaled
	return nil
}

// check panics unless e fits the model.
func (o *Optimizer[T]) check(e *Evidence[T]) {
	CheckLike("solvers: Step", "the model", o.params, "the gradient", e.Grads)
	need := o.Needs()
	if need&NeedCurvature != 0 && e.Curvature == nil {
		panic(fmt.Sprintf("solvers: Step: step %d needs Curvature", o.step))
	}
	if need&(NeedLayers|NeedSampledLayers|NeedExactLayers) != 0 && len(e.Layers) == 0 {
		panic(fmt.Sprintf("solvers: Step: step %d needs Layers", o.step))
	}
	for _, set := range e.Layers {
		for i := range set {
			o.checkLayer(&set[i])
		}
	}
}

func (o *Optimizer[T]) checkLayer(l *Layer[T]) {
	if l.Param < 0 || l.Param >= len(o.params) || l.Examples < 0 || l.Positions < 1 {
		panic(fmt.Sprintf("solvers: Step: layer %s: tensor %d of %d, %d examples, %d positions", l.Name, l.Param, len(o.params), l.Examples, l.Positions))
	}
	w := o.params[l.Param].Matrix()
	rows, in, pixels := l.Examples*l.Positions, l.Inputs.Cols, l.Positions
	if g := l.Conv; g != nil {
		if err := g.Check(); err != nil {
			panic(fmt.Sprintf("solvers: Step: layer %s: %v", l.Name, err))
		}
		if h, w := g.OutSize(); h*w != l.Positions || l.Inputs.Cols != g.Channels {
			panic(fmt.Sprintf("solvers: Step: layer %s: %d positions of %d channels, the convolution has %dx%d of %d", l.Name, l.Positions, l.Inputs.Cols, h, w, g.Channels))
		}
		in, pixels = g.Patch(), g.Height*g.Width
	}
	if l.Bias {
		in++
	}
	if l.Inputs.Rows != l.Examples*pixels || l.Grads.Rows != rows || l.Grads.Cols != w.Rows || in != w.Cols {
		panic(fmt.Sprintf("solvers: Step: layer %s: weight %dx%d, inputs %dx%d, gradients %dx%d for %d examples at %d positions",
			l.Name, w.Rows, w.Cols, l.Inputs.Rows, l.Inputs.Cols, l.Grads.Rows, l.Grads.Cols, l.Examples, l.Positions))
	}
}

// Identity is the preconditioner of gradient descent: directions are gradients. With it
// an Optimizer hands the gradients to the policy without copying them.
type Identity[T dense.Float] struct{ n []int }

// NewIdentity returns the identity over params.
func NewIdentity[T dense.Float](params []Tensor[T]) *Identity[T] {
	p := new(Identity[T])
	for _, t := range params {
		p.n = append(p.n, len(t.Data))
	}
	return p
}

// Needs returns 0.
func (p *Identity[T]) Needs(int) Needs { return 0 }

// Check returns nil.
func (p *Identity[T]) Check(int, *Evidence[T]) error { return nil }

// Observe does nothing.
func (p *Identity[T]) Observe(int, *Evidence[T]) error { return nil }

// Refresh does nothing.
func (p *Identity[T]) Refresh(int, *Report) error { return nil }

// Apply copies.
func (p *Identity[T]) Apply(_ int, grads, dst []Tensor[T]) error {
	CheckLike("solvers: Identity", "grads", grads, "dst", dst)
	for i, g := range grads {
		copy(dst[i].Data, g.Data)
	}
	return nil
}

// Dense returns the identity matrix.
func (p *Identity[T]) Dense(param int) dense.Matrix[float64] {
	m := dense.NewMatrix[float64](p.n[param], p.n[param])
	for i := range m.Rows {
		m.Set(i, i, 1)
	}
	return m
}

// State names nothing.
func (p *Identity[T]) State(*State) {}
