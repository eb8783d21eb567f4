package dense

import (
	"fmt"

	"github.com/precond-go/precond/asm"
	"gonum.org/v1/gonum/blas"
)

// LDLSolve solves A·X = B in place of b, where the triangle uplo of a, e and pivots hold
// what [LDL] made of A. If A is singular the solution is not finite.
//
// Shapes: a is n×n, e and pivots have n elements, b is n×k and must not overlap a. Cost:
// 2n²k flops. Workspace: LDLSolveWork(n, k, threads).
// Accuracy: in the tests ‖A·X − B‖₁ ≤ 10·n·ε·‖A‖₁·‖X‖₁.
func LDLSolve[T Float](uplo blas.Uplo, a Matrix[T], e []T, pivots []int, b Matrix[T], o *Opts[T]) {
	const op = "LDLSolve"
	low := lower(op, uplo)
	checkSolve(op, &a, &b)
	checkLDL(op, &a, e, pivots)
	if b.Cols == 0 {
		return
	}
	exchangeRows(&b, pivots, false)
	solveTriangle(op, low, !low, blas.Unit, &a, &b, o)
	solveBlocks(&a, e, &b)
	solveTriangle(op, low, low, blas.Unit, &a, &b, o)
	exchangeRows(&b, pivots, true)
}

// LDLSolveWork returns the length of the workspace of LDLSolve for a matrix of order
// n and k right-hand sides on the given number of threads.
func LDLSolveWork[T Float](n, k, threads int) int { return TrsmWork[T](blas.Left, n, k, threads) }

// LDLSolveVec solves A·x = b in place of x, as [LDLSolve] does for a matrix. See [Trsv]
// for the order of operations.
//
// Shapes: a is n×n, e, pivots and x have n elements, and x must not overlap a. It runs on one thread
// and needs no workspace. Cost: 2n² flops.
func LDLSolveVec[T Float](uplo blas.Uplo, a Matrix[T], e []T, pivots []int, x []T, o *Opts[T]) {
	const op = "LDLSolveVec"
	first, second := blas.NoTrans, blas.Trans
	if !lower(op, uplo) {
		first, second = second, first
	}
	checkSolveVec(op, &a, x)
	checkLDL(op, &a, e, pivots)
	for i, p := range pivots {
		x[i], x[p] = x[p], x[i]
	}
	Trsv(uplo, first, blas.Unit, a, x, o)
	b := Matrix[T]{Rows: len(x), Cols: min(1, len(x)), Stride: 1, Data: x}
	solveBlocks(&a, e, &b)
	Trsv(uplo, second, blas.Unit, a, x, o)
	for i := len(pivots) - 1; i >= 0; i-- {
		x[i], x[pivots[i]] = x[pivots[i]], x[i]
	}
}

// solveBlocks solves D·X = B in place of b.
func solveBlocks[T Float](a *Matrix[T], e []T, b *Matrix[T]) {
	kern := asm.For[T]()
	for k := 0; k < a.Rows; k++ {
		d := a.Data[k*a.Stride+k]
		x := b.Row(k)
		if e[k] == 0 || k+1 == a.Rows {
			divideBy(kern, x, d)
			continue
		}
		// As in the factorisation: everything relative to the element beside the diagonal.
		p, q := d/e[k], a.Data[(k+1)*a.Stride+k+1]/e[k]
		det := T(p*q) - 1
		y := b.Row(k + 1)
		divideBy(kern, x, e[k])
		divideBy(kern, y, e[k])
		for i, u := range x {
			v := y[i]
			x[i], y[i] = asm.FMA(q, u, -v)/det, asm.FMA(p, v, -u)/det
		}
		k++
	}
}

// LDLInertia returns the numbers of positive, negative and zero eigenvalues of A, where
// a and e hold what [LDL] made of it, in either triangle: those of D, by Sylvester's law.
// They are those of a matrix as close to A as the factorisation is accurate. A
// NaN in D counts as zero.
func LDLInertia[T Float](a Matrix[T], e []T) (positive, negative, zero int) {
	const op = "LDLInertia"
	checkSquare(op, "a", &a)
	if len(e) != a.Rows {
		panic(fmt.Sprintf("dense: %s: a is %dx%d, e has %d elements", op, a.Rows, a.Cols, len(e)))
	}
	count := func(d T) {
		switch {
		case d > 0:
			positive++
		case d < 0:
			negative++
		default:
			zero++
		}
	}
	for k := 0; k < a.Rows; k++ {
		d := a.Data[k*a.Stride+k]
		if e[k] == 0 || k+1 == a.Rows {
			count(d)
			continue
		}
		det := T(d/e[k]*(a.Data[(k+1)*a.Stride+k+1]/e[k])) - 1
		switch { // of the signs of the two eigenvalues det is the product
		case det < 0:
			positive++
			negative++
		case det > 0:
			count(d)
			count(d)
		default:
			zero++
			count(d)
		}
		k++
	}
	return positive, negative, zero
}

// LDLCondition returns an estimate of 1/(‖A‖₁·‖A⁻¹‖₁), where the triangle uplo of a, e
// and pivots hold what [LDL] made of A and norm is ‖A‖₁, see [Norm1Symmetric]. It is 0 where a
// solution is not finite, as for singular A, and 1 for an empty matrix.
//
// Shapes: a is n×n, e and pivots have n elements. Cost: some 10n² to 20n² flops, on one
// thread. Workspace: ConditionWork(n).
func LDLCondition[T Float](uplo blas.Uplo, a Matrix[T], e []T, pivots []int, norm T, o *Opts[T]) T {
	const op = "LDLCondition"
	lower(op, uplo)
	checkLDL(op, &a, e, pivots)
	return condition(op, a.Rows, norm, o, func(x []T, _ bool) { LDLSolveVec(uplo, a, e, pivots, x, nil) })
}
