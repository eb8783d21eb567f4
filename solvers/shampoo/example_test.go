package shampoo_test

import (
	"fmt"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/solvers"
	"github.com/precond-go/precond/solvers/firstorder"
	"github.com/precond-go/precond/solvers/shampoo"
)

// A quadratic ½‖A·W·B − C‖² whose curvature is a Kronecker product is badly conditioned
// along both of W's modes. Shampoo with the norms of Adam's steps goes on where Adam alone creeps.
func Example() {
	a := dense.MatrixOf(2, 2, []float64{1, 0.99, 0.99, 1})
	b := dense.MatrixOf(2, 2, []float64{1, -0.9, -0.9, 1})
	train := func(build func(p []solvers.Tensor[float64]) solvers.Preconditioner[float64]) float64 {
		w, g := solvers.NewTensor[float64]("w", 2, 2), solvers.NewTensor[float64]("w", 2, 2)
		params, grads := []solvers.Tensor[float64]{w}, []solvers.Tensor[float64]{g}
		opt := solvers.NewOptimizer(params, build(params),
			solvers.NewMomentum(params, solvers.MomentumConfig{Rate: solvers.Linear(0.1, 0, 200)}))
		r, t := dense.NewMatrix[float64](2, 2), dense.NewMatrix[float64](2, 2)
		loss := 0.0
		for range 200 {
			// R = A·W·B − C, ∇ = A·R·B
			dense.Gemm('N', 'N', 1, a, w.Matrix(), 0, t, nil)
			copy(r.Data, []float64{1, 2, 3, -1}) // C
			dense.Gemm('N', 'N', 1, t, b, -1, r, nil)
			n := dense.NormFrobenius(r, nil)
			loss = n * n / 2
			dense.Gemm('N', 'N', 1, a, r, 0, t, nil)
			dense.Gemm('N', 'N', 1, t, b, 0, g.Matrix(), nil)
			if _, err := opt.Step(&solvers.Evidence[float64]{Loss: loss, Examples: 1, Grads: grads}); err != nil {
				fmt.Println(err)
			}
		}
		return loss
	}
	adam := func(p []solvers.Tensor[float64]) solvers.Preconditioner[float64] {
		return firstorder.NewAdam(p, firstorder.Config{})
	}
	alone := train(adam)
	grafted := train(func(p []solvers.Tensor[float64]) solvers.Preconditioner[float64] {
		return solvers.NewGraft(p, adam(p), shampoo.New(p, shampoo.Options{RefreshEvery: 1}), 1, 0)
	})
	fmt.Printf("Shampoo ends below Adam: %v\n", grafted < alone)
	// Output:
	// Shampoo ends below Adam: true
}
