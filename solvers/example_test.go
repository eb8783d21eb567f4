package solvers_test

import (
	"fmt"
	"os"
	"path/filepath"

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

// The directions of AdaGrad with the lengths of gradient descent, so that its learning rate
// can stay.
func ExampleGraft() {
	params := []solvers.Tensor[float64]{solvers.NewTensor[float64]("x", 2)}
	sgd := solvers.NewIdentity(params)
	adagrad := firstorder.NewAdaGrad(params, firstorder.Config{})
	graft := solvers.NewGraft[float64](params, sgd, adagrad, 1, 1) // from step 1 on
	opt := solvers.NewOptimizer(params, graft, solvers.NewMomentum(params, solvers.MomentumConfig{Rate: solvers.Constant(1)}))
	grads := solvers.Like(params)
	for range 2 {
		grads[0].Data[0], grads[0].Data[1] = 3, 4
		if _, err := opt.Step(&solvers.Evidence[float64]{Loss: 1, Examples: 1, Grads: grads}); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%.2f\n", params[0].Data)
	}
	// Output:
	// [-3.00 -4.00]
	// [-6.54 -7.54]
}

// An expensive function of the statistics, here the sum of what has been seen, is computed while
// steps go on, and takes effect two steps after the snapshot.
func ExampleBackground() {
	var seen, snapshot, result, inForce int
	b := solvers.NewBackground(2, func() error {
		result = snapshot
		return nil
	})
	defer b.Close()
	for step := range 7 {
		seen += 10
		if b.Due(step) {
			if err := b.Finish(); err != nil {
				fmt.Println(err)
			}
			inForce = result
		}
		if step%3 == 0 {
			snapshot = seen
			b.Start(step)
		}
		fmt.Print(inForce, " ")
	}
	fmt.Println()
	// Output: 0 0 10 10 10 40 40
}

// A run that is stopped and goes on in another optimizer has the bits of one that was not.
func ExampleOptimizer_Save() {
	dir, err := os.MkdirTemp("", "checkpoint")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "run")

	build := func() *solvers.Optimizer[float64] {
		params := []solvers.Tensor[float64]{solvers.NewTensor[float64]("x", 2)}
		return solvers.NewOptimizer(params, firstorder.NewAdam(params, firstorder.Config{}),
			solvers.NewMomentum(params, solvers.MomentumConfig{Rate: solvers.Constant(0.1), Momentum: solvers.Constant(0.5)}))
	}
	train := func(opt *solvers.Optimizer[float64], until int) {
		x, grads := opt.Params()[0].Data, solvers.Like(opt.Params())
		for opt.Steps() < until {
			grads[0].Data[0], grads[0].Data[1] = x[0]-1, x[1]-2
			if _, err := opt.Step(&solvers.Evidence[float64]{Loss: 1, Examples: 1, Grads: grads}); err != nil {
				fmt.Println(err)
				return
			}
		}
	}
	opt := build()
	train(opt, 10)
	if err := opt.Save(path); err != nil {
		fmt.Println(err)
	}
	train(opt, 20)

	resumed := build()
	if err := resumed.Load(path); err != nil {
		fmt.Println(err)
	}
	fmt.Println("resumed at step", resumed.Steps())
	train(resumed, 20)
	a, b := opt.Params()[0].Data, resumed.Params()[0].Data
	fmt.Println("same bits:", a[0] == b[0] && a[1] == b[1])
	// Output:
	// resumed at step 10
	// same bits: true
}
