package solvers

import (
	"fmt"
	"math"

	"github.com/precond-go/precond/dense"
)

// Graft takes the direction of each tensor from one method and its Euclidean norm from
// another (Agarwal, Anil, Hazan, Koren, Zhang: Disentangling adaptive gradient methods
// from learning rates, 2020; Anil and others: Scalable second order optimization for
// deep learning, 2020, §5.1). So a second-order method runs on the learning rate that a
// first-order method has been tuned for. Before the start step it is the method of the
// magnitude, bit for bit.
//
// For magnitudes, package firstorder has Adam, AdaGrad, RMSProp and normalised gradients;
// that of gradient descent is Identity.
type Graft[T dense.Float] struct {
	magnitude, direction Preconditioner[T]
	start                int
	dirs                 []Tensor[T]
	scale                []T // of each tensor's direction at the last Apply, 1 before the start
	started              bool
	opts                 dense.Opts[T]
}

// NewGraft joins two methods made for params. The method of the direction observes and
// refreshes from the first step on, and is applied from step start on. 0 threads means
// GOMAXPROCS.
func NewGraft[T dense.Float](params []Tensor[T], magnitude, direction Preconditioner[T], start, threads int) *Graft[T] {
	return &Graft[T]{magnitude: magnitude, direction: direction, start: start, dirs: Like(params),
		scale: make([]T, len(params)), opts: dense.Opts[T]{Threads: threads}}
}

// Needs returns what either method needs.
func (g *Graft[T]) Needs(step int) Needs { return g.magnitude.Needs(step) | g.direction.Needs(step) }

// Observe hands the evidence to both methods, or to neither if one of them fails. That takes one
// that is a Checker, as those of package firstorder are. If neither is, the method of the magnitude
// has observed when that of the direction fails.
func (g *Graft[T]) Observe(step int, e *Evidence[T]) error {
	if c, ok := g.magnitude.(Checker[T]); ok {
		if err := c.Check(step, e); err != nil {
			return fmt.Errorf("magnitude: %w", err)
		}
		if err := g.direction.Observe(step, e); err != nil {
			return err
		}
		return g.magnitude.Observe(step, e) // no error: it has been checked
	}
	if c, ok := g.direction.(Checker[T]); ok {
		if err := c.Check(step, e); err != nil {
			return err
		}
	}
	if err := g.magnitude.Observe(step, e); err != nil {
		return fmt.Errorf("magnitude: %w", err)
	}
	return g.direction.Observe(step, e)
}

// Refresh refreshes both.
func (g *Graft[T]) Refresh(step int, r *Report) error {
	if err := g.magnitude.Refresh(step, r); err != nil {
		return fmt.Errorf("magnitude: %w", err)
	}
	return g.direction.Refresh(step, r)
}

// Apply sets dst to the grafted directions. A direction that is zero stays so.
func (g *Graft[T]) Apply(step int, grads, dst []Tensor[T]) error {
	CheckLike("solvers: Graft", "the model", g.dirs, "dst", dst)
	g.started = step >= g.start
	if g.started {
		if err := g.direction.Apply(step, grads, g.dirs); err != nil {
			return err
		}
	}
	if err := g.magnitude.Apply(step, grads, dst); err != nil {
		return fmt.Errorf("magnitude: %w", err)
	}
	if !g.started {
		return nil
	}
	for i, d := range dst {
		g.scale[i] = GraftScale(d.Data, g.dirs[i].Data, &g.opts)
		dense.ScalTo(g.scale[i], g.dirs[i].Data, d.Data, &g.opts)
	}
	return nil
}

// GraftScale returns ‖magnitude‖/‖direction‖, by which a direction is to be multiplied: 0
// if the direction is zero, at most the greatest finite number.
func GraftScale[T dense.Float](magnitude, direction []T, o *dense.Opts[T]) T {
	m, d := float64(dense.Nrm2(magnitude, o)), float64(dense.Nrm2(direction, o))
	if d == 0 {
		return 0
	}
	s := m / d
	if limit := Greatest[T](); s > limit {
		return T(limit)
	}
	return T(s)
}

// Dense returns the direction's matrix times the scale of the last Apply, the
// magnitude's before the start.
func (g *Graft[T]) Dense(param int) dense.Matrix[float64] {
	if !g.started {
		return g.magnitude.Dense(param)
	}
	m := g.direction.Dense(param)
	dense.Scal(float64(g.scale[param]), m.Data, nil)
	return m
}

// State names what both methods name.
func (g *Graft[T]) State(s *State) {
	s.Within("magnitude", g.magnitude.State)
	s.Within("direction", g.direction.State)
	s.Bool("started", &g.started)
	Floats(s, "scales", g.scale)
}

// Close closes both.
func (g *Graft[T]) Close() {
	closePart(g.magnitude)
	closePart(g.direction)
}

// Greatest returns the greatest finite number of the type.
func Greatest[T dense.Float]() float64 {
	if T(1)+T(0x1p-30) == 1 {
		return math.MaxFloat32
	}
	return math.MaxFloat64
}

// closePart closes p if it can be closed.
func closePart(p any) {
	if c, ok := p.(interface{ Close() }); ok {
		c.Close()
	}
}
