package bench

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/nn"
	"github.com/precond-go/precond/internal/random"
	"github.com/precond-go/precond/solvers"
	"github.com/precond-go/precond/solvers/firstorder"
	"github.com/precond-go/precond/solvers/kfac"
)

// autoencoder returns the one of the second-order literature with a batch, which is its own target.
func autoencoder[T dense.Float](batch, threads int) (*nn.Network[T], dense.Matrix[T]) {
	var layers []nn.Layer
	for _, size := range []int{1000, 500, 250, 30, 250, 500, 1000, 784} {
		l := nn.Full{Out: size, Act: nn.Logistic}
		if size == 30 || size == 784 {
			l.Act = nn.Linear
		}
		layers = append(layers, l)
	}
	n := nn.New[T](nn.BinaryCrossEntropy, nn.Vec(784), layers...)
	n.Threads = threads
	n.Init(nn.Sparse, 1)
	x := dense.NewMatrix[T](batch, 784)
	random.Uniform(random.New(1, 1, 1), 0, x.Data)
	return n, x
}

// eachThreads runs f for each element type, on one thread and on all.
func eachThreads(b *testing.B, f32, f64 func(b *testing.B, threads int, suffix string)) {
	threads := []int{1}
	if n := runtime.GOMAXPROCS(0); n > 1 {
		threads = append(threads, n)
	}
	for typ, f := range []func(b *testing.B, threads int, suffix string){f32, f64} {
		for _, t := range threads {
			b.Run([]string{"f32", "f64"}[typ], func(b *testing.B) { f(b, t, fmt.Sprintf("threads=%d/isa=%s", t, asm.ISA())) })
		}
	}
}

// BenchmarkNetwork times what a training step asks of the autoencoder: loss and gradient, also with
// sampled statistics.
func BenchmarkNetwork(b *testing.B) { eachThreads(b, benchNetwork[float32], benchNetwork[float64]) }

func benchNetwork[T dense.Float](b *testing.B, threads int, suffix string) {
	for _, c := range []struct {
		name  string
		needs solvers.Needs
	}{{"gradient", 0}, {"sampled", solvers.NeedSampledLayers}} {
		b.Run(c.name+"/batch=1000/"+suffix, func(b *testing.B) {
			n, x := autoencoder[T](1000, threads)
			b.ReportAllocs()
			for step := 0; b.Loop(); step++ {
				if _, err := n.Evidence(x, x, c.needs, step); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkSolverStep times steps without the network: the evidence is the same in all of them. K-FAC
// observes an eighth of the batch in each step and refreshes in each twentieth; with a lag another
// goroutine does that. A multiple of 20 steps (-benchtime 100x) gives the mean of a step.
func BenchmarkSolverStep(b *testing.B) {
	eachThreads(b, benchSolverStep[float32], benchSolverStep[float64])
}

func benchSolverStep[T dense.Float](b *testing.B, threads int, suffix string) {
	estimator := func(form kfac.Form, lag int) func(p []solvers.Tensor[T]) solvers.Preconditioner[T] {
		return func(p []solvers.Tensor[T]) solvers.Preconditioner[T] {
			return kfac.New(p, kfac.Options{Form: form, Share: 0.125, StatisticsEvery: 1, InverseEvery: 20, Lag: lag, Threads: threads})
		}
	}
	for _, c := range []struct {
		name string
		make func(p []solvers.Tensor[T]) solvers.Preconditioner[T]
	}{
		{"sgd", func(p []solvers.Tensor[T]) solvers.Preconditioner[T] { return solvers.NewIdentity(p) }},
		{"adam", func(p []solvers.Tensor[T]) solvers.Preconditioner[T] {
			return firstorder.NewAdam(p, firstorder.Config{Threads: threads})
		}},
		{"kfac", estimator(kfac.Cholesky, 0)},
		{"kfac-lag", estimator(kfac.Cholesky, 10)},
		{"ekfac", estimator(kfac.Corrected, 0)},
	} {
		b.Run(c.name+"/autoencoder/batch=1000/"+suffix, func(b *testing.B) {
			n, x := autoencoder[T](1000, threads)
			e, err := n.Evidence(x, x, solvers.NeedSampledLayers, 0)
			if err != nil {
				b.Fatal(err)
			}
			params := n.Params()
			policy := solvers.NewMomentum(params, solvers.MomentumConfig{Rate: solvers.Constant(1e-6), Momentum: solvers.Constant(0.9), Threads: threads})
			opt := solvers.NewOptimizer(params, c.make(params), policy)
			opt.Threads = threads
			defer opt.Close()
			step := func() {
				if _, err := opt.Step(e); err != nil {
					b.Fatal(err)
				}
			}
			for range 80 { // in which K-FAC refreshes more often
				step()
			}
			b.ReportAllocs()
			for b.Loop() {
				step()
			}
		})
	}
}
