// Package firstorder has the methods that scale gradients element by element: Adam,
// AdaMax, RMSProp, AdaGrad and normalised gradients. They are the baselines that
// second-order methods are compared with and grafted onto.
//
// Each is a solvers.Preconditioner, to be joined with a policy. Stochastic gradient
// descent is [solvers.Identity] with the policy [solvers.Momentum], AdamW is
// [NewAdam] with that policy's decoupled Decay, Adam on a penalised loss
// [NewAdam] with the optimizer's L2.
package firstorder
