package digest

import (
	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/solvers"
	"github.com/precond-go/precond/solvers/firstorder"
	"github.com/precond-go/precond/solvers/kfac"
)

// solverOps lists the first-order methods and the common parts of package solvers: five steps of an
// optimizer on three tensors, of which one is large enough for several threads.
func solverOps[T dense.Float]() []op[T] {
	var ops []op[T]
	for _, m := range []struct {
		name string
		make func(p []solvers.Tensor[T], threads int) solvers.Preconditioner[T]
	}{
		{"Identity", func(p []solvers.Tensor[T], _ int) solvers.Preconditioner[T] { return solvers.NewIdentity(p) }},
		{"Normalized", func(p []solvers.Tensor[T], threads int) solvers.Preconditioner[T] {
			return firstorder.NewNormalized(p, threads)
		}},
		{"Adam", func(p []solvers.Tensor[T], threads int) solvers.Preconditioner[T] {
			return firstorder.NewAdam(p, firstorder.Config{Threads: threads})
		}},
		{"AdaMax", func(p []solvers.Tensor[T], threads int) solvers.Preconditioner[T] {
			return firstorder.NewAdaMax(p, firstorder.Config{Threads: threads, Normalize: true})
		}},
		{"RMSProp", func(p []solvers.Tensor[T], threads int) solvers.Preconditioner[T] {
			return firstorder.NewRMSProp(p, firstorder.Config{Threads: threads})
		}},
		{"AdaGrad", func(p []solvers.Tensor[T], threads int) solvers.Preconditioner[T] {
			return firstorder.NewAdaGrad(p, firstorder.Config{Threads: threads})
		}},
		{"Graft", func(p []solvers.Tensor[T], threads int) solvers.Preconditioner[T] {
			c := firstorder.Config{Threads: threads}
			return solvers.NewGraft[T](p, firstorder.NewAdam(p, c), firstorder.NewAdaGrad(p, c), 2, threads)
		}},
	} {
		ops = append(ops, op[T]{"solvers." + m.name, func(e *env[T]) {
			threads := e.opts.Threads
			params := []solvers.Tensor[T]{solvers.NewTensor[T]("a", 7, 11), solvers.NewTensor[T]("b", 13), solvers.NewTensor[T]("c", 150, 400)}
			draw := func(ts []solvers.Tensor[T]) {
				for _, p := range ts {
					copy(p.Data, e.vec(plain, len(p.Data)))
				}
			}
			draw(params)
			policy := solvers.NewMomentum(params, solvers.MomentumConfig{
				Rate: solvers.Warmup(2, solvers.Cosine(0.1, 0.01, 5)), Momentum: solvers.Constant(0.9), Nesterov: true, EMA: true,
				Decay: solvers.Constant(0.1), Undecayed: []int{1}, ClipNorm: solvers.Constant(4), ClipKL: solvers.Constant(0.01), Threads: threads})
			average := solvers.NewAverage[T](params, policy, 1, solvers.Constant(0.6), threads)
			o := solvers.NewOptimizer(params, m.make(params, threads), average)
			o.L2, o.ClipNorm, o.Threads = solvers.Constant(0.01), solvers.Constant(50), threads
			grads := solvers.Like(params)
			for range 5 {
				draw(grads)
				if _, err := o.Step(&solvers.Evidence[T]{Loss: 1, Examples: 1, Grads: grads}); err != nil {
					panic(err)
				}
			}
			for i, p := range params {
				e.put(p.Data...)
				e.put(average.Averaged()[i].Data...)
			}
		}})
	}
	return append(ops, op[T]{"kfac.Reduce", func(e *env[T]) {
		// Layers with three positions an example, refreshed in the background.
		var k *kfac.Estimator[T]
		for step := range 7 {
			ev := layers(e, 60, 40, 30, 9)
			for i := range ev.Layers[0] {
				l := &ev.Layers[0][i]
				l.Examples, l.Positions = 20, 3
			}
			if k == nil {
				k = kfac.New(ev.Grads, kfac.Options{Sharing: kfac.Reduce, Threads: e.opts.Threads, StatisticsEvery: 2, InverseEvery: 2, Lag: 1})
				defer k.Close()
			}
			if err := k.Observe(step, ev); err != nil {
				panic(err)
			}
			if err := k.Refresh(step, &solvers.Report{Step: step}); err != nil {
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
