package kfac_test

import (
	"fmt"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/solvers"
	"github.com/precond-go/precond/solvers/kfac"
)

// A linear model with squared loss has the curvature I⊗E[āāᵀ], which K-FAC has
// without error: one step goes to the least-squares fit, however badly the inputs are
// scaled.
func Example() {
	// y = 2·x₁ − 30·x₂ + 5 at five points; x₂ is small.
	x := dense.MatrixOf(5, 2, []float64{0, 0.01, 1, -0.02, 2, 0.03, 3, 0.01, 4, -0.01})
	y := []float64{4.7, 7.6, 8.1, 10.7, 13.3}
	w := solvers.NewTensor[float64]("w", 1, 3) // the bias is the last column

	e := kfac.New([]solvers.Tensor[float64]{w}, kfac.Options{Statistics: kfac.Exact, Form: kfac.Eigen, Damping: 1e-12})
	loss := func() (l float64, residuals dense.Matrix[float64]) {
		residuals = dense.NewMatrix[float64](5, 1)
		for i, t := range y {
			r := w.Data[0]*x.At(i, 0) + w.Data[1]*x.At(i, 1) + w.Data[2] - t
			residuals.Set(i, 0, r)
			l += r * r / 10
		}
		return l, residuals
	}
	var report solvers.Report
	for step := range 2 {
		l, residuals := loss()
		fmt.Printf("step %d: loss %.4f, w = %.3f\n", step, l, w.Data)
		grad := solvers.NewTensor[float64]("w", 1, 3)
		for i := range 5 {
			r := residuals.At(i, 0) / 5
			grad.Data[0] += r * x.At(i, 0)
			grad.Data[1] += r * x.At(i, 1)
			grad.Data[2] += r
		}
		ones := dense.NewMatrix[float64](5, 1) // the gradient of the only output with respect to itself
		ones.Fill(1)
		evidence := &solvers.Evidence[float64]{
			Loss: l, Examples: 5, Grads: []solvers.Tensor[float64]{grad},
			Layers: [][]solvers.Layer[float64]{{{Name: "linear", Bias: true, Examples: 5, Positions: 1, Inputs: x, Grads: ones}}},
		}
		if err := e.Observe(step, evidence); err != nil {
			fmt.Println(err)
		}
		if err := e.Refresh(step, &report); err != nil {
			fmt.Println(err)
		}
		if err := e.Apply(step, evidence.Grads, evidence.Grads); err != nil {
			fmt.Println(err)
		}
		dense.Axpy(-1, grad.Data, w.Data, nil)
	}
	// Output:
	// step 0: loss 43.6840, w = [0.000 0.000 0.000]
	// step 1: loss 0.0000, w = [2.000 -30.000 5.000]
}
