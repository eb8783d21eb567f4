package dense

import (
	"math"

	"github.com/precond-go/precond/asm"
	"gonum.org/v1/gonum/blas"
)

// This file has estimates of condition numbers in the 1-norm from factorisations. They
// cost a few solutions, and are within a factor of 3 of the truth in all but
// contrived cases; they are never too optimistic about the norm of the inverse: what is
// returned is an upper bound of the reciprocal condition number, up to rounding.
//
// Source: Hager 1984; Higham, ACM TOMS 14 (1988) 381, algorithm 2.4, as in LAPACK's xLACN2.

// CholeskyCondition returns an estimate of 1/(‖A‖₁·‖A⁻¹‖₁), where the triangle uplo of
// a holds the factor that [Cholesky] made of A and norm is ‖A‖₁, see
// [Norm1Symmetric]. It is 0 where a solution is not finite, and 1 for an empty matrix.
//
// Shapes: a is n×n. Cost: some 10n² to 20n² flops, on one thread.
// Workspace: ConditionWork(n).
func CholeskyCondition[T Float](uplo blas.Uplo, a Matrix[T], norm T, o *Opts[T]) T {
	const op = "CholeskyCondition"
	lower(op, uplo)
	checkSquare(op, "a", &a)
	return condition(op, a.Rows, norm, o, func(x []T, _ bool) { CholeskySolveVec(uplo, a, x, nil) })
}

// LUCondition returns an estimate of 1/(‖A‖₁·‖A⁻¹‖₁), where a and pivots hold what [LU] made of
// the square matrix A and norm is its [Norm1]. It is 0 where a solution is not finite,
// as for singular A, and 1 for an empty matrix.
//
// Shapes: a is n×n. Cost: some 10n² to 20n² flops, on one thread.
// Workspace: ConditionWork(n).
func LUCondition[T Float](a Matrix[T], pivots []int, norm T, o *Opts[T]) T {
	const op = "LUCondition"
	checkSquare(op, "a", &a)
	checkExchanges(op, &a, pivots)
	return condition(op, a.Rows, norm, o, func(x []T, trans bool) {
		if trans {
			LUSolveVec(blas.Trans, a, pivots, x, nil)
		} else {
			LUSolveVec(blas.NoTrans, a, pivots, x, nil)
		}
	})
}

// ConditionWork returns the length of the workspace of the estimates for a matrix
// of order n.
func ConditionWork[T Float](n int) int { return 2*roundUp(n, alignSlack[T]()) + alignSlack[T]() }

// condition returns 1/(norm·‖A⁻¹‖₁); solve replaces x by A⁻¹·x or A⁻ᵀ·x.
func condition[T Float](op string, n int, norm T, o *Opts[T], solve func(x []T, trans bool)) T {
	if n == 0 {
		return 1
	}
	w, buf := scratch(o, op, 2*roundUp(n, alignSlack[T]()))
	x, sign := cut(w, n)
	inv := inverseNorm1(x[:n], sign[:n], solve)
	release(buf)
	r := 1 / inv / norm
	if !finite(inv) || !finite(norm) || !finite(r) || !(r > 0) {
		return 0
	}
	return r
}

// inverseNorm1 estimates ‖A⁻¹‖₁ with vectors x and sign as workspace.
func inverseNorm1[T Float](x, sign []T, solve func(x []T, trans bool)) T {
	const iterations = 5
	n, k := len(x), asm.For[T]()
	for i := range x {
		x[i] = 1 / T(n)
	}
	solve(x, false)
	est := AbsSum(x, nil)
	if n == 1 {
		return est
	}
	signs(x, sign)
	last := -1
	for range iterations {
		copy(x, sign)
		solve(x, true)
		j := indexOfLargest(k, x)
		if last >= 0 && math.Abs(float64(x[j])) == math.Abs(float64(x[last])) {
			break // the old one is as good
		}
		last = j
		clear(x)
		x[j] = 1
		solve(x, false)
		e := AbsSum(x, nil)
		same := signs(x, sign)
		if !(e > est) {
			break
		}
		if est = e; same {
			break
		}
	}
	// A vector that finds what the iteration misses where elements cancel.
	for i := range x {
		x[i] = 1 + T(i)/T(n-1)
		if i%2 == 1 {
			x[i] = -x[i]
		}
	}
	solve(x, false)
	return max(est, AbsSum(x, nil)/T(3*n)*2) // exact
}

// signs sets sign to ±1 as x has them and returns whether it was that before.
func signs[T Float](x, sign []T) bool {
	same := true
	for i, v := range x {
		s := T(math.Copysign(1, float64(v)))
		same = same && s == sign[i]
		sign[i] = s
	}
	return same
}

// eachChunk calls f for parts of [lo, hi) that are short enough for one call of a kernel.
func eachChunk(lo, hi int, f func(lo, hi int)) {
	for ; lo < hi; lo += asm.Chunk {
		f(lo, min(lo+asm.Chunk, hi))
	}
}

// indexOfLargest returns the index of the first element of largest magnitude.
func indexOfLargest[T Float](k *asm.Kernels[T], x []T) int {
	best := 0
	for lo := 0; lo < len(x); lo += asm.Chunk {
		i := lo + k.IMaxAbs(x[lo:min(lo+asm.Chunk, len(x))])
		if pair := [2]T{x[best], x[i]}; lo == 0 || isLarger(pair[0], pair[1]) {
			best = i
		}
	}
	return best
}

// isLarger returns whether y takes the place of x as the largest magnitude, as
// IMaxAbs has it: NaN is larger than anything, and the first of equals stays.
func isLarger[T Float](x, y T) bool {
	return x == x && (y != y || math.Abs(float64(y)) > math.Abs(float64(x)))
}

// Norm1Symmetric returns the 1-norm, which is the infinity norm, of the symmetric
// matrix in the triangle uplo of a, NaN if any element is NaN. It runs on one thread.
//
// Shapes: a is n×n. Workspace: Norm1SymmetricWork(n).
// Order: row by row, the part beside the diagonal is added to the sums of its columns,
// and the diagonal element plus its AbsSum to the row's.
func Norm1Symmetric[T Float](uplo blas.Uplo, a Matrix[T], o *Opts[T]) T {
	const op = "Norm1Symmetric"
	low := lower(op, uplo)
	checkSquare(op, "a", &a)
	n := a.Rows
	sums, buf := scratch(o, op, n)
	clear(sums)
	for i := range n {
		row, columns := a.Row(i)[i+1:], sums[i+1:]
		if low {
			row, columns = a.Row(i)[:i], sums[:i]
		}
		for j, v := range row {
			columns[j] += T(math.Abs(float64(v))) // without a branch: signs are as good as random
		}
		sums[i] += T(math.Abs(float64(a.Data[i*a.Stride+i]))) + AbsSum(row, nil)
	}
	norm := MaxAbs(sums, nil)
	release(buf)
	return norm
}

// Norm1SymmetricWork returns the length of the workspace of Norm1Symmetric.
func Norm1SymmetricWork[T Float](n int) int { return n + alignSlack[T]() }
