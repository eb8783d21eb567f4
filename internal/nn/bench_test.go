package nn

import (
	"testing"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/random"
	"github.com/precond-go/precond/solvers"
	"gonum.org/v1/gonum/blas"
)

// autoencoder returns the autoencoder of the second-order literature, in float32, with a
// batch of 1000 examples, and the number of multiply-adds of its products.
func autoencoder(threads int) (n *Network[float32], x dense.Matrix[float32], mul int) {
	sizes := []int{784, 1000, 500, 250, 30, 250, 500, 1000, 784}
	var layers []Layer
	for l, size := range sizes[1:] {
		act := Logistic
		if size == 30 || l == len(sizes)-2 {
			act = Linear
		}
		layers = append(layers, Full{Out: size, Act: act})
		mul += 3 * 1000 * size * sizes[l]
	}
	mul -= 1000 * sizes[0] * sizes[1]
	n = New[float32](BinaryCrossEntropy, Vec(784), layers...)
	n.Threads = threads
	n.Init(Sparse, 1)
	x = dense.NewMatrix[float32](1000, 784)
	random.Uniform(random.New(1, 1, 1), 0, x.Data)
	return n, x, mul
}

// BenchmarkAutoencoder times a step, and its products alone; what remains is bias, activations
// and losses. Tight is without the gap that the bias leaves between the rows of a weight.
func BenchmarkAutoencoder(b *testing.B) {
	for _, c := range []struct {
		name  string
		needs solvers.Needs
	}{{"step", 0}, {"sampled", solvers.NeedSampledLayers}} {
		b.Run(c.name, func(b *testing.B) {
			n, x, mul := autoencoder(0)
			for step := 0; b.Loop(); step++ {
				if _, err := n.Evidence(x, x, c.needs, step); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(2*mul)*float64(b.N)/1e9/b.Elapsed().Seconds(), "GFLOP/s")
		})
	}
	products := func(tight int) func(b *testing.B) {
		return func(b *testing.B) {
			n, x, mul := autoencoder(0)
			if _, err := n.Evidence(x, x, 0, 0); err != nil {
				b.Fatal(err)
			}
			s := &n.main
			for b.Loop() {
				for l := range n.stages {
					st := &n.stages[l]
					w, g := weight(st, n.params), weight(st, n.grads)
					w.Stride -= tight
					g.Stride -= tight
					in, out := dense.MatrixOf(s.n, st.fanIn, s.input(l)), dense.MatrixOf(s.n, st.width, s.of(s.delta, l))
					dense.Gemm(blas.NoTrans, blas.Trans, 1, in, w, 0, dense.MatrixOf(s.n, st.width, s.of(s.act, l)), &s.opts)
					dense.Gemm(blas.Trans, blas.NoTrans, 1, out, in, 0, g, &s.opts)
					if l > 0 {
						dense.Gemm(blas.NoTrans, blas.NoTrans, 1, out, w, 0, dense.MatrixOf(s.n, st.fanIn, s.of(s.delta, l-1)), &s.opts)
					}
				}
			}
			b.ReportMetric(float64(2*mul)*float64(b.N)/1e9/b.Elapsed().Seconds(), "GFLOP/s")
		}
	}
	b.Run("products", products(0))
	b.Run("products/tight", products(1))
}

// BenchmarkConvolution times a step of a small classifier at batch 250, with the rate of its
// products.
func BenchmarkConvolution(b *testing.B) {
	n := New[float32](SoftmaxCrossEntropy, Shape{28, 28, 1},
		Conv{Out: 16, KernelH: 5, KernelW: 5, PadH: 2, PadW: 2, Act: ReLU}, MaxPool{Size: 2},
		Conv{Out: 32, KernelH: 5, KernelW: 5, PadH: 2, PadW: 2, Act: ReLU}, MaxPool{Size: 2},
		Full{Out: 10})
	n.Init(He, 1)
	x, t := dense.NewMatrix[float32](250, 784), dense.NewMatrix[float32](250, 10)
	random.Uniform(random.New(1, 1, 1), 0, x.Data)
	for i := range t.Rows {
		t.Set(i, i%10, 1)
	}
	mul := 250 * (2*28*28*25*16 + 3*14*14*25*16*32 + 3*7*7*32*10)
	for step := 0; b.Loop(); step++ {
		if _, err := n.Evidence(x, t, 0, step); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(2*mul)*float64(b.N)/1e9/b.Elapsed().Seconds(), "GFLOP/s")
}
