package digest

import (
	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/solvers"
	"github.com/precond-go/precond/solvers/shampoo"
)

// shampooOps lists the members of the Shampoo family: three steps of each on tensors of orders 1
// to 3.
func shampooOps[T dense.Float]() []op[T] {
	var ops []op[T]
	for _, m := range []struct {
		name string
		o    shampoo.Options
	}{
		{"Shampoo", shampoo.Options{BlockSize: 70, DiagonalAbove: 140}},
		{"Likelihood", shampoo.Options{Statistic: shampoo.Likelihood}},
		{"TraceScaled", shampoo.Options{TraceScaled: true, Decay: 1}},
	} {
		ops = append(ops, op[T]{"shampoo." + m.name, func(e *env[T]) {
			m.o.Threads, m.o.RefreshEvery = e.opts.Threads, 1
			tensorSteps(e, func(p []solvers.Tensor[T]) solvers.Preconditioner[T] { return shampoo.New(p, m.o) })
		}})
	}
	for _, basis := range []shampoo.Basis{shampoo.Eigenvectors, shampoo.PowerStep} {
		ops = append(ops, op[T]{"shampoo.SOAP/" + [...]string{"Eigenvectors", "PowerStep"}[basis], func(e *env[T]) {
			tensorSteps(e, func(p []solvers.Tensor[T]) solvers.Preconditioner[T] {
				return shampoo.NewSOAP(p, shampoo.SOAPOptions{Basis: basis, Options: shampoo.Options{Threads: e.opts.Threads, RefreshEvery: 1}})
			})
		}})
	}
	return append(ops, op[T]{"shampoo.Muon", func(e *env[T]) {
		tensorSteps(e, func(p []solvers.Tensor[T]) solvers.Preconditioner[T] {
			return shampoo.NewMuon(p, shampoo.MuonOptions{Threads: e.opts.Threads})
		})
	}})
}

// tensorSteps puts the directions of three steps.
func tensorSteps[T dense.Float](e *env[T], build func(params []solvers.Tensor[T]) solvers.Preconditioner[T]) {
	params := []solvers.Tensor[T]{
		solvers.NewTensor[T]("matrix", 90, 131), solvers.NewTensor[T]("vector", 33), solvers.NewTensor[T]("cube", 7, 150, 9),
	}
	p := build(params)
	for step := range 3 {
		for i := range params {
			copy(params[i].Data, e.vec(plain, len(params[i].Data)))
		}
		for _, err := range []error{
			p.Observe(step, &solvers.Evidence[T]{Examples: 1, Grads: params}),
			p.Refresh(step, new(solvers.Report)), p.Apply(step, params, params),
		} {
			if err != nil {
				panic(err)
			}
		}
		for _, t := range params {
			e.put(t.Data...)
		}
	}
}
