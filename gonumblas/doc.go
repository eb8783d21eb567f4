// Package gonumblas makes gonum programs run on the kernels of this library. One
// line at start is enough:
//
//	blas64.Use(gonumblas.Implementation{})
//
// and for single precision blas32.Use, if the program uses package blas32. From
// then on gonum's mat, lapack and stat packages, and every direct call of blas64,
// go through here. A second line does the same for the factorisations of mat:
// Cholesky, LU, QR, EigenSym, SVD.
//
//	lapack64.Use(gonumblas.Lapack{})
//
// # What it is
//
// [Implementation] satisfies gonum's blas.Float64 and blas.Float32. Its methods
// check their arguments as gonum's own implementation does, in the same order and
// with the same texts, and hand the work to package dense. The banded and packed
// routines (gbmv, sbmv, tbmv, tbsv, spmv, spr, spr2, tpmv, tpsv) are gonum's.
//
// [Lapack] satisfies gonum's lapack.Float64. It has these routines itself, with gonum's
// conventions for what they leave in their arguments:
//
//   - Dpotrf, Dpotri, Dpotrs, Dpocon, Dtrtri: Cholesky factorisation, inverses, solution,
//     condition;
//   - Dgetrf, Dgetri, Dgetrs: LU factorisation, inverse, solution;
//   - Dgeqrf, Dorgqr, Dormqr: QR factorisation, Q formed and applied;
//   - Dsyev: symmetric eigenproblems;
//   - Dgesvd: singular value decomposition, also with lapack.SVDOverwrite.
//
// The others are gonum's; Dgecon, Dgelqf and Dgeqp3 are among them. They do most of their
// work in BLAS, so use both lines.
//
// # What changes for a program
//
// Results differ from gonum's in the last bits, as they do between any two
// implementations of BLAS. Those of the routines that are not gonum's are the same
// on every processor and with any number of threads: a vector with an increment
// gives the bits of the same elements in a row.
//
// A zero operand is not skipped: 0·NaN and 0·Inf are NaN, where gonum's loops pass
// over a zero factor. As in BLAS, a zero alpha means that A, B and x are not read,
// and a zero beta that C and y are not.
//
// Large operations use up to GOMAXPROCS threads; to say how many, call package
// dense directly.
//
// BLAS does not allow that an operand which is written overlaps another one. Level
// 1 then works element by element, as a plain loop would, if all increments are 1;
// with others it may take an operand as it was before the call. Levels 2 and 3 panic.
//
// Routines of Lapack take memory from a pool. They ask for the same workspace as gonum's
// and answer a query for its length in the same way, but use no more of it than the
// first element, where they leave that answer. Eigenvectors and singular vectors may
// differ from gonum's in sign, and, where values coincide, by a rotation. A matrix
// with a NaN or an infinity, of which gonum's Dsyev and Dgesvd make NaNs with or without
// success, or panic, gives NaNs and no success.
package gonumblas

import "gonum.org/v1/gonum/blas"

// Implementation is the implementation of BLAS. It has no state, and its methods
// may be called from any number of goroutines.
type Implementation struct{}

var (
	_ blas.Float32 = Implementation{}
	_ blas.Float64 = Implementation{}
)
