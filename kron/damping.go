package kron

import (
	"math"

	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/blas"
)

// Tikhonov splits a damping λ of a Kronecker product A⊗B over its two factors: with the
// results, (A + α·I)⊗(B + β·I) approximates A⊗B + λ·I by α = π·√λ and β = √λ/π, where
// π² = (tr A/m)/(tr B/n) is the ratio of the mean eigenvalues, with which the norm of what
// is too much is least.
//
// λ is absolute, in the unit of the eigenvalues of A⊗B. Degenerate factors:
//   - a mean eigenvalue that is not positive (a dead unit, an empty batch) says nothing of
//     the ratio, so π is 1;
//   - a factor of order 1, which is positive, stands for itself: it gets no damping and the
//     other one gets λ divided by it, which is exact; if the other one has order 1 too, B
//     does.
//
// Shapes: a is m×m, b is n×n, of which only the diagonals are read.
// Errors: *dense.NonFiniteError if a diagonal, λ or a result is not finite.
// It panics if λ is negative.
// Source: Martens and Grosse 2015, section 6.3.
func Tikhonov[T dense.Float](lambda float64, a, b dense.Matrix[T]) (alpha, beta float64, err error) {
	const op = "Tikhonov"
	if a.Rows != a.Cols || b.Rows != b.Cols {
		misuse(op, "a is %s, b is %s", shape(a), shape(b))
	}
	if lambda < 0 {
		misuse(op, "lambda is %g", lambda)
	}
	x, y := meanDiagonal(a), meanDiagonal(b)
	switch {
	case x-x != 0:
		return 0, 0, &dense.NonFiniteError{Where: "the diagonal of a"}
	case y-y != 0:
		return 0, 0, &dense.NonFiniteError{Where: "the diagonal of b"}
	case lambda-lambda != 0:
		return 0, 0, &dense.NonFiniteError{Where: "lambda"}
	}
	root := math.Sqrt(lambda)
	alpha, beta = root, root
	switch {
	case a.Rows == 1 && x > 0:
		alpha, beta = 0, lambda/x
	case b.Rows == 1 && y > 0:
		alpha, beta = lambda/y, 0
	case x > 0 && y > 0:
		pi := math.Sqrt(x) / math.Sqrt(y)
		alpha, beta = float64(root*pi), root/pi
	}
	if alpha-alpha != 0 || beta-beta != 0 {
		return 0, 0, &dense.NonFiniteError{Where: "the damping of a factor"}
	}
	return alpha, beta, nil
}

// meanDiagonal returns the mean of the diagonal, 0 if it is empty.
func meanDiagonal[T dense.Float](a dense.Matrix[T]) float64 {
	mean := 0.
	for i := range a.Rows {
		mean += float64(a.Data[i*a.Stride+i]) / float64(a.Rows) // a sum might overflow
	}
	return mean
}

// Damp writes A + d·I to dst, of which only the triangle uplo is read and written, as in
// a factor that is about to be inverted. The running factor itself stays as it is: added in
// place, damping would add up from step to step.
//
// Shapes: a and dst are n×n; dst may be a itself, else it must not overlap it.
// Order: each diagonal element is rounded once.
func Damp[T dense.Float](uplo blas.Uplo, d float64, a, dst dense.Matrix[T]) {
	const op = "Damp"
	checkTriangle(op, uplo)
	if a.Rows != a.Cols || dst.Rows != a.Rows || dst.Cols != a.Cols {
		misuse(op, "a is %s, dst is %s", shape(a), shape(dst))
	}
	if dense.Overlap(dst, a) && (&dst.Data[0] != &a.Data[0] || dst.Stride != a.Stride) {
		misuse(op, "dst overlaps a")
	}
	for i := range a.Rows {
		from, to := a.Row(i), dst.Row(i)
		if uplo == blas.Lower {
			copy(to[:i], from)
		} else {
			copy(to[i+1:], from[i+1:])
		}
		to[i] = T(float64(from[i]) + d)
	}
}
