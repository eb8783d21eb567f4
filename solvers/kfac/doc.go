// Package kfac estimates curvature by Kronecker factors: K-FAC (Martens & Grosse
// 2015), its form for convolutions and shared weights (Grosse & Martens 2016), and
// EKFAC (George et al. 2018).
//
// # The method
//
// The Fisher matrix of a layer with weight W (out×in), inputs ā and gradients g
// of the pre-activations is F = E[(g⊗ā)(g⊗ā)ᵀ], for the elements of W row by row. K-FAC
// takes inputs and gradients for independent, F ≈ G⊗A with A = E[āāᵀ] and
// G = E[ggᵀ], so that a direction is G⁻¹·∇W·A⁻¹: two small inverses in place of
// a large one. That is exact for one example, and for deep linear networks with squared
// loss. EKFAC keeps the eigenvectors of A and G, and replaces the products of their
// eigenvalues by the second moments of the gradients along them, which are the best
// diagonal that there is in that basis.
//
// Both take the layers for independent. The block-tridiagonal form of K-FAC does not: it
// is exact in the blocks of neighbours, too.
//
// # Where to start
//
// [New] makes an [Estimator], a solvers.Preconditioner. It wants the layers' statistics in each
// step, by default with gradients for targets drawn from the model ([MonteCarlo]).
// Observe averages the factors, Refresh inverts them now and then, Apply gives
// directions. Every tensor of the model has to be the weight of one layer, with the bias as
// its last column. The groups of a grouped convolution are blocks of their own; Options.Groups
// tells of them.
//
// Of step policies there are two. [Quadratic] is the method of the paper: step size and
// momentum from the exact quadratic model, damping from how well that predicts; there is
// no learning rate to tune. solvers.Momentum with ClipKL is the cheaper one with fixed rates:
//
//	e := kfac.New(params, kfac.Options{})
//	policy := kfac.NewQuadratic(params, e, kfac.QuadraticOptions{L2: 1e-5})
//	opt := solvers.NewOptimizer(params, e, policy)
//	opt.L2 = solvers.Constant(1e-5) // the same penalty in the gradients
//
// # Conventions
//
// Statistics are those of the mean loss, of gradients that nothing has divided by the
// number of examples; the damping γ² is absolute, in units of that curvature. Of a layer
// with T positions an example, A is summed over them and G averaged, or with
// Options.Sharing = [Reduce] an example's inputs are averaged and its gradients summed before
// that. How the two are scaled against each other does not matter, since π takes it out.
//
// With Options.Lag inverses are computed on another goroutine while steps go on, and take effect
// so many steps after the statistics that they are made of. [Estimator.Close] waits for that. A
// refresh that fails leaves the last good inverse of its block in force; the step's report names it, and
// Options.Tolerance bounds how long that may go on.
//
// Statistics may come from a part of the batch only: the paper takes an eighth. Options.Share
// says how much; a model that computes no more than that saves backward passes too.
//
// # Same bits
//
// Results do not depend on the number of threads, nor on the time that work in the background
// takes. Nothing is allocated after the third step. Inverses of the factors are computed side by side, one factor a
// thread, the largest first.
package kfac
