package digest

import (
	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/nn"
	"github.com/precond-go/precond/solvers"
)

// nnOps lists networks of every kind of layer: a few steps of gradient descent, and a
// curvature product of each kind at the end.
func nnOps[T dense.Float]() []op[T] {
	nets := []struct {
		name     string
		examples int
		init     nn.Init
		loss     nn.Loss
		input    nn.Shape
		layers   []nn.Layer
	}{
		{"Autoencoder", 300, nn.Sparse, nn.BinaryCrossEntropy, nn.Vec(150), []nn.Layer{
			nn.Full{Out: 130, Act: nn.Logistic}, nn.Full{Out: 9}, nn.Full{Out: 120, Act: nn.Tanh}, nn.Full{Out: 150}}},
		{"Convolution", 70, nn.Glorot, nn.SoftmaxCrossEntropy, nn.Shape{Height: 18, Width: 17, Channels: 2}, []nn.Layer{
			nn.Conv{Out: 8, KernelH: 5, KernelW: 5, PadH: 2, PadW: 2, Act: nn.ReLU}, nn.MaxPool{Size: 2},
			nn.Conv{Out: 6, KernelH: 3, KernelW: 2, DilationW: 2, Groups: 2, Act: nn.Softplus}, nn.AvgPool{Size: 2, Stride: 1},
			nn.Full{Out: 20, Shared: true, Act: nn.Tanh}, nn.Full{Out: 10}}},
		{"Regression", 130, nn.He, nn.SquaredError, nn.Vec(33), []nn.Layer{
			nn.Full{Out: 260, Act: nn.ReLU}, nn.Full{Out: 300, Act: nn.Logistic, NoBias: true}, nn.Full{Out: 7}}},
	}
	var ops []op[T]
	for _, c := range nets {
		ops = append(ops, op[T]{"nn." + c.name, func(e *env[T]) {
			n := nn.New[T](c.loss, c.input, c.layers...)
			n.Threads = e.opts.Threads
			n.Init(c.init, 1)
			x, t := e.mat(plain, c.examples, c.input.Len(), 3), dense.NewMatrix[T](c.examples, n.Output().Len())
			for i := range t.Rows {
				t.Set(i, i*i%t.Cols, 1)
			}
			var ev *solvers.Evidence[T]
			for step := range 4 {
				var err error
				ev, err = n.Evidence(x, t, solvers.NeedSampledLayers|solvers.NeedCurvature, step)
				if err != nil {
					e.putErr(err)
					return
				}
				e.put(T(ev.Loss))
				for _, l := range ev.Layers[0] {
					e.putMat(l.Grads)
				}
				for i, p := range n.Params() {
					dense.Axpy(-0.01, ev.Grads[i].Data, p.Data, e.opts)
					e.put(p.Data...)
				}
			}
			out, form := solvers.Like(n.Params()), dense.NewMatrix[float64](2, 2)
			e.putErr(ev.Curvature.GaussNewton(n.Params(), out))
			for _, p := range out {
				e.put(p.Data...)
			}
			e.putErr(ev.Curvature.GaussNewtonForm([][]solvers.Tensor[T]{n.Params(), out}, form))
			e.put(T(form.At(0, 0)), T(form.At(1, 0)), T(form.At(1, 1)))
			e.putErr(ev.Curvature.Hessian(n.Params(), out))
			for _, p := range out {
				e.put(p.Data...)
			}
			y := dense.NewMatrix[T](t.Rows, t.Cols)
			n.Predict(x, y)
			e.putMat(y)
		}})
	}
	return ops
}
