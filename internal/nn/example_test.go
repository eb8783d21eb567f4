package nn_test

import (
	"fmt"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/nn"
)

// Gradient descent on the exclusive or.
func Example() {
	net := nn.New[float64](nn.BinaryCrossEntropy, nn.Vec(2),
		nn.Full{Out: 8, Act: nn.Tanh},
		nn.Full{Out: 1})
	net.Init(nn.Glorot, 1)
	x := dense.MatrixOf(4, 2, []float64{0, 0, 0, 1, 1, 0, 1, 1})
	t := dense.MatrixOf(4, 1, []float64{0, 1, 1, 0})
	for step := range 2000 {
		e, err := net.Evidence(x, t, 0, step)
		if err != nil {
			fmt.Println(err)
			return
		}
		for i, p := range net.Params() {
			dense.Axpy(-1, e.Grads[i].Data, p.Data, nil)
		}
	}
	p := dense.NewMatrix[float64](4, 1)
	net.Predict(x, p)
	fmt.Printf("%.1f\n", p.Data)
	// Output: [0.0 1.0 1.0 0.0]
}
