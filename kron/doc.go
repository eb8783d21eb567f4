// Package kron computes with Kronecker products, and with what second-order methods make
// of them, without forming them. It imports package dense and what that imports.
//
// # Convention
//
// Matrices and tensors are in row-major order, as everywhere in this module, and so are
// their vectors: vec(X) has the rows of X one after the other. Then
//
//	(A⊗B)·vec(X) = vec(A·X·Bᵀ),    (A⊗B)[i·q+k, j·n+l] = A[i,j]·B[k,l]
//
// for B of q×n: the first factor acts on the first index. With k factors
// (F₁⊗…⊗F_k)·vec(X) is the mode product of the tensor X with F_i along each mode i.
//
// Papers mostly have vectors of columns, where it is (A⊗B)·vec(X) = vec(B·X·Aᵀ). So for a
// weight of out×in what they write as A⊗G, with A of the inputs and G of the gradients, is
// G⊗A here: the operator W ↦ G·W·A, with symmetric factors, is the same.
//
// # What there is
//
//   - [Apply] for two factors, [ApplyTensor] for k, [ModeProduct] for one of k; [Product] to
//     form the matrix; [CholeskySolve]; [Trace], [Det], [LogDet], [CholeskyLogDet], [Inner].
//   - [Eigen], the eigendecomposition of a product of symmetric factors: rotation to its
//     eigenbasis and back, powers with exact damping.
//   - [SumInverse], the inverse of a sum or difference of two products.
//   - [Nearest], the nearest Kronecker products to a matrix ([Blocks]) or to the Fisher matrix of
//     samples ([PerExample]), by products with the [Rearranged] matrix.
//   - [PerExample], per-example gradients that are not formed: their Gram matrix and products.
//   - [Tikhonov], factored damping with π, and [Damp].
//   - Statistics of factors: [Moment] with the moving average in it and the bias as a
//     homogeneous coordinate, [CrossMoment] of two layers, [Reduce] for shared weights.
//   - Convolutions: [ConvGeometry], [Patches] and [AddPatches] in panels, [ConvMoment],
//     [ConvReduce].
//
// A function that needs scratch has a twin, such as [ApplyWork], that says how much; Opts
// and workspaces are as in package dense. So are the promises: equal bits on every
// processor and number of threads; panics for misuse before anything is written; errors of
// package dense's types for what the data did. NaN and infinities pass through as in BLAS.
package kron
