package solvers_test

import (
	"fmt"

	"github.com/precond-go/precond/solvers"
	"github.com/precond-go/precond/solvers/firstorder"
)

// Least squares with Adam: the gradient of ½‖x − (1, 2)‖² is x − (1, 2).
func ExampleOptimizer() {
	params := []solvers.Tensor[float64]{solvers.NewTensor[float64]("x", 2)}
	grads := solvers.Like(params)
	opt := solvers.NewOptimizer(params,
		firstorder.NewAdam(params, firstorder.Config{}),
		solvers.NewMomentum(params, solvers.MomentumConfig{Rate: solvers.Cosine(0.1, 0, 300)}))
	for range 300 {
		x, g := params[0].Data, grads[0].Data
		g[0], g[1] = x[0]-1, x[1]-2
		loss := (g[0]*g[0] + g[1]*g[1]) / 2
		if _, err := opt.Step(&solvers.Evidence[float64]{Loss: loss, Examples: 1, Grads: grads}); err != nil {
			fmt.Println(err)
			return
		}
	}
	fmt.Printf("%.3f\n", params[0].Data)
	// Output: [1.000 2.000]
}

// A learning rate that grows in the first 10 steps, stays for 90, and then falls as a
// cosine.
func ExampleSchedule() {
	rate := solvers.Warmup(10, solvers.Then(solvers.Constant(0.1), 100, solvers.Cosine(0.1, 0, 50)))
	for _, step := range []int{0, 4, 50, 125, 150} {
		fmt.Printf("%.2f ", rate(step))
	}
	fmt.Println()
	// Output: 0.01 0.05 0.10 0.05 0.00
}
