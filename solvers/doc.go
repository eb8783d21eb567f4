// Package solvers holds the contracts between models and second-order methods, and
// the parts that the methods share. The methods themselves are in the packages
// below it, one per family.
//
// A method is a curvature estimate (Preconditioner) plus a step policy (Policy); each
// can be used alone, and Optimizer joins the two:
//
//	params := []solvers.Tensor[float32]{solvers.NewTensor[float32]("w", 10, 784)}
//	grads := solvers.Like(params)
//	opt := solvers.NewOptimizer(params,
//		firstorder.NewAdam(params, firstorder.Config{}),
//		solvers.NewMomentum(params, solvers.MomentumConfig{Rate: solvers.Constant(1e-3)}))
//	for batch := range batches {
//		loss := model(params, batch, grads) // yours: fills grads
//		report, err := opt.Step(&solvers.Evidence[float32]{Loss: loss, Examples: 100, Grads: grads})
//		…
//	}
//
// What a method wants to be told of the model at a step is in its Needs: gradients only,
// the statistics of the layers, or curvature products.
//
// # Hyper-parameters
//
// All that may change in the course of a run are a [Schedule]: a function of the step.
//
// # Steps that fail
//
// A batch with NaN or infinities is found before it reaches any state, and the error
// names the tensor or layer. After an error the parameters are as they were and
// another batch may be tried; see [Optimizer.Step].
//
// # Same bits
//
// Steps have the same bits on every processor and with any number of threads.
package solvers
