package kfac

import (
	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/solvers"
)

// sideNames are the factors' names in checkpoints.
var sideNames = [2]string{inputs: "A", outputs: "G"}

// State names the averages, the inverses in force, the refresh that is under way and the
// counters.
func (e *Estimator[T]) State(v *solvers.State) {
	v.Float("damping", &e.damping)
	v.Int("seen", &e.seen)
	v.Bool("ready", &e.ready)
	v.Within("refresh", e.background.State)
	v.Float("damping of the refresh", &e.base)
	v.Bool("superseded", &e.superseded)
	for i := range e.blocks {
		b := &e.blocks[i]
		for side, f := range b.factor {
			name := sideNames[side] + " of " + b.name
			solvers.Floats(v, name, f.Data)
			if e.o.Lag > 0 {
				solvers.Floats(v, "snapshot of "+name, b.source[side].Data)
			}
		}
	}
	e.form.state(v)
	e.health.State(v)
}

// Dense returns the matrix P of the tensor at index param, its elements in row-major
// order, one column a call of Apply. It is for tests.
func (e *Estimator[T]) Dense(param int) dense.Matrix[float64] {
	grads := make([]solvers.Tensor[T], len(e.sizes))
	for i, n := range e.sizes {
		grads[i] = solvers.NewTensor[T]("", n)
	}
	n := e.sizes[param]
	p := dense.NewMatrix[float64](n, n)
	dst := solvers.Like(grads)
	for j := range n {
		grads[param].Data[j] = 1
		if err := e.Apply(0, grads, dst); err != nil {
			panic(err) // a unit vector is finite
		}
		grads[param].Data[j] = 0
		for i, x := range dst[param].Data {
			p.Data[i*n+j] = float64(x)
		}
	}
	return p
}
