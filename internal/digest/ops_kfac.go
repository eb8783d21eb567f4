package digest

import (
	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/solvers"
	"github.com/precond-go/precond/solvers/kfac"
)

// kfacOps lists the forms of K-FAC: three steps of each on a network of three layers, of
// which one is large enough for several threads.
func kfacOps[T dense.Float]() []op[T] {
	var ops []op[T]
	for _, f := range []struct {
		name string
		form kfac.Form
	}{{"Cholesky", kfac.Cholesky}, {"Eigen", kfac.Eigen}, {"Corrected", kfac.Corrected}, {"Tridiagonal", kfac.Tridiagonal}} {
		ops = append(ops, op[T]{"kfac." + f.name, func(e *env[T]) {
			var k *kfac.Estimator[T]
			for step := range 3 {
				ev := layers(e, 70, 150, 130, 9, 17)
				if k == nil {
					k = kfac.New(ev.Grads, kfac.Options{Form: f.form, Threads: e.opts.Threads, InverseEvery: 1})
				}
				if err := k.Observe(step, ev); err != nil {
					panic(err)
				}
				if err := k.Refresh(step, new(solvers.Report)); err != nil {
					panic(err)
				}
				if err := k.Apply(step, ev.Grads, ev.Grads); err != nil {
					panic(err)
				}
				for _, g := range ev.Grads {
					e.put(g.Data...)
				}
			}
		}})
	}
	return ops
}

// layers returns evidence of n examples for fully connected layers of some sizes.
func layers[T dense.Float](e *env[T], n int, sizes ...int) *solvers.Evidence[T] {
	ev := &solvers.Evidence[T]{Examples: n, Layers: make([][]solvers.Layer[T], 1)}
	for l := range len(sizes) - 1 {
		in, out := sizes[l], sizes[l+1]
		w := solvers.NewTensor[T]("", out, in+1)
		copy(w.Data, e.vec(plain, out*(in+1)))
		ev.Grads = append(ev.Grads, w)
		ev.Layers[0] = append(ev.Layers[0], solvers.Layer[T]{Param: l, Bias: true, Examples: n, Positions: 1,
			Inputs: e.mat(plain, n, in, 3), Grads: e.mat(plain, n, out, 0)})
	}
	return ev
}
