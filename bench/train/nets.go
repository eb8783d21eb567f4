package main

import (
	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/nn"
)

// task is a network and what it is to learn.
type task struct {
	name string
	// measure is what the error is: a mean over the examples of the test set.
	measure string
	// every says which images of the test set the curve is of: the first of so many.
	every int
	build func() *nn.Network[float32]
	init  nn.Init
	// targets returns those of images and digits.
	targets func(images, digits dense.Matrix[float32]) dense.Matrix[float32]
	// wrong returns the error of one prediction.
	wrong func(got, want []float32) float64
}

var tasks = []task{
	{
		name: "autoencoder", measure: "reconstruction error", every: 10, init: nn.Sparse,
		build: func() *nn.Network[float32] {
			var layers []nn.Layer
			for _, out := range []int{1000, 500, 250} {
				layers = append(layers, nn.Full{Out: out, Act: nn.Logistic})
			}
			layers = append(layers, nn.Full{Out: 30})
			for _, out := range []int{250, 500, 1000} {
				layers = append(layers, nn.Full{Out: out, Act: nn.Logistic})
			}
			return nn.New[float32](nn.BinaryCrossEntropy, nn.Vec(784), append(layers, nn.Full{Out: 784})...)
		},
		targets: func(images, _ dense.Matrix[float32]) dense.Matrix[float32] { return images },
		wrong: func(got, want []float32) (sum float64) {
			for i, v := range got {
				d := float64(v - want[i])
				sum += float64(d * d)
			}
			return sum
		},
	},
	{
		name: "cnn", measure: "wrong digits, %", every: 2, init: nn.He,
		build: func() *nn.Network[float32] {
			return nn.New[float32](nn.SoftmaxCrossEntropy, nn.Shape{Height: 28, Width: 28, Channels: 1},
				nn.Conv{Out: 16, KernelH: 5, KernelW: 5, PadH: 2, PadW: 2, Act: nn.ReLU}, nn.MaxPool{Size: 2},
				nn.Conv{Out: 32, KernelH: 5, KernelW: 5, PadH: 2, PadW: 2, Act: nn.ReLU}, nn.MaxPool{Size: 2},
				nn.Full{Out: 10})
		},
		targets: func(_, digits dense.Matrix[float32]) dense.Matrix[float32] { return digits },
		wrong: func(got, want []float32) float64 {
			best := 0
			for i, v := range got {
				if v > got[best] {
					best = i
				}
			}
			return float64(100 * (1 - want[best]))
		},
	},
}

func netNames() (names []string) {
	for _, t := range tasks {
		names = append(names, t.name)
	}
	return names
}

func taskOf(name string) task {
	for _, t := range tasks {
		if t.name == name {
			return t
		}
	}
	panic("train: no network " + name)
}
