// Package invroot computes A^(−q/p) of symmetric positive semidefinite matrices, the
// operation that Shampoo and its family spend their time in: one matrix with [Root],
// many with [Batch], one that changes slowly with a [State]. It is for solvers, and for whoever needs one such function.
//
// Every result has a [Certificate]: the method, the work, a measured residual, the
// condition number and an estimate of the error. A finite matrix gives a result that is as
// accurate as its certificate says, or an error that says what the matrix lacks
// ([SpectrumError], [RangeError]): a method that fails, or is not accurate enough,
// makes way for the next one of the ladder, at whose end is an eigendecomposition in
// float64.
//
// # Methods
//
// Errors of the root in float32, relative, in the Frobenius norm, are set by the condition
// number κ. The eigenvalue of size λ has an error ε·λmax from rounding in any algorithm
// that works in the element type, and so λ^(−1/p) one of ε·κ/p at the small end.
//
//	method          error in float32   work
//	Eigen           1e-6 to κ = 1e8    7n³ flops, 4/3·n³ of them at the speed of memory
//	EigenWorking    ε·κ/p              the same, in float32
//	CoupledNewton   some ε·κ^(1−1/p)   some log₂κ/log₂(1+1/p) iterations, of 2 + log₂p products
//	HigherOrder     the same           fewer iterations of more products
//	NewtonSchulz    some ε·κ^(1/2+1/P)  4 products an iteration; for P = 2, 13, 21, 28 in all
//	                                   at κ = 1e2, 1e4, 1e6, where CoupledNewton has 24, 39, 52
//	Chebyshev       as asked, above some ε·κ^(1/P)  √κ/2·ln(1/tolerance) products and some
//	EigenUpdate     as accurate as asked  3.2 products, and half a one per further step
//
// In float32, Eigen reduces to tridiagonal form and divides and conquers in float64, and
// does the back-transformation and the last product in float32: see
// [dense.EigenSymMixed]. It takes about as long as ten products at n = 512, fewer than
// iterations need for matrices that are not well-conditioned, so it is the default.
//
// NewtonSchulz takes one square root after another, and so needs a P that is a power of two. For P = 4
// it takes as many products as CoupledNewton, or somewhat fewer, for P = 8 no fewer; its
// error is the smaller one.
//
// Chebyshev takes any P at one price, and few products for spectra that a ridge has made
// narrow.
//
// EigenUpdate is the method of a [State] for a matrix close to one that it has decomposed. It
// transforms the change to the basis of the eigenvectors, and takes the root there by Newton
// steps with the derivative at the diagonal. All that rounding touches is as small as the
// change, so that float32 does for condition numbers where products of the
// matrix itself would not.
//
// # Low rank
//
// A [LowRank] is the root of ρ·I + B·Bᵀ for a B of few columns, or of ρ·I + U·S·Uᵀ as
// a Frequent Directions sketch gives it: an operator of two products with the columns, from the
// eigendecomposition of BᵀB in float64.
//
// # Following a moving average
//
// A [Binomial] updates the root of a moving average by a truncated binomial series, in four
// products for p = 4. That is coarse, some per cent, and measured in every update.
//
// # Damping
//
// A ridge, absolute or relative, is added to the eigenvalues. Options.Shift lifts an
// indefinite spectrum to zero before. Options.Cutoff asks for the pseudo-inverse.
//
// The same bits come out on every processor and for every number of threads.
package invroot
