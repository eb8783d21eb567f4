package kfac

import (
	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/solvers"
)

// State names the averages, inverses and counters of the estimator. An estimator that
// has observed nothing takes the layers of the checkpoint that it reads.
func (e *Estimator[T]) State(v *solvers.State) {
	count := len(e.blocks)
	v.Int("layers", &count)
	shapes := make([]block[T], count)
	copy(shapes, e.blocks)
	for i := range shapes {
		b := &shapes[i]
		bias := 0
		if b.bias {
			bias = 1
		}
		for _, f := range []struct {
			name string
			x    *int
		}{{"param", &b.param}, {"in", &b.in}, {"out", &b.out}, {"positions", &b.positions}, {"bias", &bias}} {
			v.Int(f.name, f.x)
		}
		if e.blocks == nil {
			*b = newBlock[T](b.name, b.param, b.in, b.out, b.positions, bias == 1)
		}
	}
	if e.blocks == nil && count > 0 {
		e.build(shapes)
	}
	v.Float("damping", &e.damping)
	v.Int("seen", &e.seen)
	ready := 0
	if e.ready {
		ready = 1
	}
	v.Int("ready", &ready)
	e.ready = ready == 1
	for i := range e.blocks {
		b := &e.blocks[i]
		solvers.Floats(v, "A", b.factor[inputs].Data)
		solvers.Floats(v, "G", b.factor[outputs].Data)
		v.Int("staleness", &b.staleness)
		v.Int("failures", &b.failures)
	}
	if count > 0 {
		e.form.state(v)
	}
}

// Dense returns the matrix P of the tensor at index param, its elements in row-major
// order, one column a call of Apply. It is for tests.
func (e *Estimator[T]) Dense(param int) dense.Matrix[float64] {
	grads := make([]solvers.Tensor[T], len(e.blocks))
	for i := range e.blocks {
		b := &e.blocks[i]
		grads[b.param] = solvers.NewTensor[T](b.name, b.out, b.in)
	}
	n := len(grads[param].Data)
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
