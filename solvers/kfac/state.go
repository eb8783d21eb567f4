package kfac

import (
	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/solvers"
)

// sideNames are the factors' names in checkpoints.
var sideNames = [2]string{inputs: "A", outputs: "G"}

// State names the averages, the inverses in force and the counters.
func (e *Estimator[T]) State(v *solvers.State) {
	v.Float("damping", &e.damping)
	v.Int("seen", &e.seen)
	v.Bool("ready", &e.ready)
	for i := range e.blocks {
		b := &e.blocks[i]
		for side, f := range b.factor {
			solvers.Floats(v, sideNames[side]+" of "+b.name, f.Data)
		}
		v.Int("staleness of "+b.name, &b.staleness)
		v.Int("failures of "+b.name, &b.failures)
	}
	e.form.state(v)
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
