// Package shampoo has the methods that estimate curvature from the gradients of tensors,
// one mode at a time: Shampoo (Gupta, Koren and Singer, ICML 2018; Anil, Gupta, Koren, Regan
// and Singer, 2020) and relatives.
//
// # Shampoo
//
// For a gradient G of shape n₁×…×n_k with the unfoldings X_i (n_i rows),
//
//	C_i ← β·C_i + (1−β)·X_i·X_iᵀ    the statistic of mode i
//	direction = G ×₁ C₁^(−1/2k) ×₂ … ×_k C_k^(−1/2k)
//
// which is the product of (C₁⊗…⊗C_k)^(−1/2k) with the elements of G in row-major order.
// [New] makes a solvers.Preconditioner of it. Grafting, momentum, weight decay and clipping are
// those of package solvers; the usual combination is
//
//	s := solvers.NewGraft(params, firstorder.NewAdam(params, firstorder.Config{}),
//		shampoo.New(params, shampoo.Options{BlockSize: 512}), 10, 0)
//	opt := solvers.NewOptimizer(params, s, solvers.NewMomentum(params, solvers.MomentumConfig{
//		Rate: solvers.Constant(1e-3), Momentum: solvers.Constant(0.9), EMA: true, Nesterov: true}))
//
// # Relatives
//
//	Options{Statistic: Likelihood}   KL-Shampoo (Lin and others, 2025)
//	Options{TraceScaled: true}       (C₁⊗…⊗C_k/tr^(k−1))^(−1/2): the power iteration of Morwani and
//	                                 others, 2024; with exponents of −1 in all modes tensor normal training
//	                                 (Ren and Goldfarb, NeurIPS 2021)
//
// [NewSOAP] is Adam in the eigenbasis of the same statistics, [NewMuon] orthogonalised momentum
// without statistics.
//
// # Refreshes
//
// Roots or bases are computed every RefreshEvery steps: all at once, or in turn so that no step pays for
// all (Spread), in the step or in the background (Lag). They are transactions: one
// that fails leaves the last good one in force.
//
// # Same bits
//
// Results depend neither on the number of threads nor on when a refresh in the background
// ends, and nothing is allocated in the steady state.
package shampoo
