// Package dense has row-major matrices of float32 and float64 and the operations
// of BLAS on them, at the speed of the processor and with the same bits on every
// one. It is where programs start; package gonumblas offers the same to programs
// that use gonum, and package asm holds the kernels.
//
// # Matrices
//
// A [Matrix] is a small value over a slice, with views that share its elements; it
// converts to and from gonum's types without copying ([From64], [ToDense], …).
// Vectors are plain slices. Transposes, triangles, sides and diagonals are named
// by the enums of gonum.org/v1/gonum/blas.
//
// # Operations
//
// Level 3: [Gemm], [Syrk], [Syr2k], [Symm], [Trmm], [Trsm]; many products at once with
// [GemmBatch] and [GemmStrided]. Level 2: [Gemv], [Ger], [Symv], [Syr], [Syr2], [Trmv],
// [Trsv]. Level 1: reductions such as [Dot] and [Nrm2], and passes over vectors and
// matrices such as [Axpy], [EMA] and [Adam].
// Besides, norms of matrices and transposes.
//
// Factorisations:
//   - [Cholesky], with [CholeskySolve], [SPDInverse] and [CholeskyLogDet]; many small
//     ones with [CholeskyBatch]; [CholeskyCondition]; [CholeskyPivoted] for semidefinite
//     matrices; [CholeskyUpdate] and [CholeskyDowndate];
//   - [LU], with [LUSolve], [LUInverse], [LUDet] and [LUCondition];
//   - [LDL] for symmetric indefinite matrices, with [LDLSolve], [LDLInertia] and
//     [LDLCondition];
//   - [QR], with [QRForm], [QRApply] and [QRSolve]; [QRThin]; [QRPivoted] and
//     [QRRandomized], with [QRRank];
//   - [SVD] and [SingularValues]; [NormSpectral] and [NormNuclear], and for less
//     [SpectralBounds] and [NuclearBounds];
//   - [Polar], and [Orthogonalize] by products alone with [PolarExpress];
//   - [EigenSym], [EigenSymRange] and [EigenSymValues] for symmetric matrices;
//     [EigenSymRefresh], [EigenSymRefine] and [RayleighQuotients] from vectors that are known
//     approximately.
//
// Of symmetric operators that only a product with a vector is known of: [LanczosEigen],
// [LanczosDensity] and [LanczosNorm].
//
// Every operation takes an [Opts], which may be nil, with the number of threads
// and the workspace; a function named after the operation, such as [GemmWork],
// gives the length that the workspace needs. In the steady state nothing is
// allocated.
//
// # Same bits
//
// The result of an operation depends on its operands alone: not on the processor, the
// instruction set, the number of threads or the workspace; payloads and signs of
// NaNs are exempt. Doc comments give the order of operations.
//
// # Mistakes and data
//
// A wrong shape, stride, slice length, flag or workspace, and an output that
// overlaps an input, panic before anything is written, with a text such as
// "dense: Gemm: a is 3x4, b is 5x2". NaN and infinities pass through as in BLAS:
// a zero operand is not skipped, except that with alpha == 0 the operands of a product
// are not read, and with beta == 0 the output is written and not read.
package dense
