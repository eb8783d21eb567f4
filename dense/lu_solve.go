package dense

import (
	"math"

	"github.com/precond-go/precond/asm"
	"gonum.org/v1/gonum/blas"
)

// LUSolve solves op(A)·X = B in place of b, where a and pivots hold what [LU] made of
// the square matrix A. If A is singular the solution is not finite.
//
// Shapes: a is n×n, b is n×k and must not overlap a. Cost: 2n²k flops.
// Workspace: LUSolveWork(n, k, threads).
// Accuracy: each column x solves (A + E)·x = b with |E| ≤ 3n·ε·|L|·|U|, rows permuted, to
// first order (Higham 2002, theorem 9.4).
func LUSolve[T Float](trans blas.Transpose, a Matrix[T], pivots []int, b Matrix[T], o *Opts[T]) {
	const op = "LUSolve"
	taken := transposed(op, trans)
	checkSolve(op, &a, &b)
	checkExchanges(op, &a, pivots)
	if b.Cols == 0 {
		return
	}
	if taken {
		solveTriangle(op, false, true, blas.NonUnit, &a, &b, o)
		solveTriangle(op, true, true, blas.Unit, &a, &b, o)
		exchangeRows(&b, pivots, true)
		return
	}
	exchangeRows(&b, pivots, false)
	solveTriangle(op, true, false, blas.Unit, &a, &b, o)
	solveTriangle(op, false, false, blas.NonUnit, &a, &b, o)
}

// LUSolveWork returns the length of the workspace of LUSolve for a matrix of order n
// and k right-hand sides on the given number of threads.
func LUSolveWork[T Float](n, k, threads int) int { return TrsmWork[T](blas.Left, n, k, threads) }

// exchangeRows exchanges rows i and pivots[i] of b, in order or backwards.
func exchangeRows[T Float](b *Matrix[T], pivots []int, backwards bool) {
	kern := asm.For[T]()
	for s := range pivots {
		i := s
		if backwards {
			i = len(pivots) - 1 - s
		}
		if p := pivots[i]; p != i {
			kern.Swap(b.Row(i), b.Row(p))
		}
	}
}

// LUSolveVec solves op(A)·x = b in place of x, as [LUSolve] does for a matrix. See [Trsv]
// for the order of operations.
//
// Shapes: a is n×n, x has n elements and must not overlap a. It runs on one thread
// and needs no workspace. Cost: 2n² flops.
func LUSolveVec[T Float](trans blas.Transpose, a Matrix[T], pivots []int, x []T, o *Opts[T]) {
	const op = "LUSolveVec"
	taken := transposed(op, trans)
	checkSolveVec(op, &a, x)
	checkExchanges(op, &a, pivots)
	if taken {
		Trsv(blas.Upper, blas.Trans, blas.NonUnit, a, x, o)
		Trsv(blas.Lower, blas.Trans, blas.Unit, a, x, o)
		for i := len(pivots) - 1; i >= 0; i-- {
			x[i], x[pivots[i]] = x[pivots[i]], x[i]
		}
		return
	}
	for i, p := range pivots {
		x[i], x[p] = x[p], x[i]
	}
	Trsv(blas.Lower, blas.NoTrans, blas.Unit, a, x, o)
	Trsv(blas.Upper, blas.NoTrans, blas.NonUnit, a, x, o)
}

// LUInverse replaces what [LU] made of a square matrix by the inverse of the matrix.
//
// Shapes: a is n×n. Cost: 4n³/3 flops. Workspace: LUInverseWork(n, threads).
// Errors: *SingularError if an element of the diagonal of U is zero; a is unchanged.
// Order: the inverse of U, then X·L = U⁻¹ solved as by [Trsm], then columns exchanged.
// Accuracy: |X·A − I| ≤ c·n·ε·|X|·|L|·|U|, permuted (Higham 2002, section 14.3.2).
func LUInverse[T Float](a Matrix[T], pivots []int, o *Opts[T]) error {
	const op = "LUInverse"
	checkSquare(op, "a", &a)
	checkExchanges(op, &a, pivots)
	n := a.Rows
	for i := range n {
		if a.Data[i*a.Stride+i] == 0 {
			return &SingularError{Pivot: i}
		}
	}
	inner := Opts[T]{}
	if o != nil {
		inner = *o
		checkRoom(op, o.Work, func() int { return LUInverseWork[T](n, o.Threads) })
	}
	w, buf := scratch(o, op, n*n)
	if inner.Work != nil {
		inner.Work = inner.Work[n*n+alignSlack[T]():]
	}
	v := inverseCall[T]{op: op, uplo: blas.Upper, diag: blas.NonUnit}
	b := v.begin(n, &inner)
	v.triangle(a)
	release(b)
	l := Matrix[T]{Rows: n, Cols: n, Stride: max(1, n), Data: w}
	for i := range n {
		row := a.Row(i)[:i]
		copy(l.Row(i), row)
		clear(row)
	}
	Trsm(blas.Right, blas.Lower, blas.NoTrans, blas.Unit, 1, l, a, &inner)
	release(buf)
	for i := range n {
		row := a.Row(i)
		for j := n - 1; j >= 0; j-- {
			p := pivots[j]
			row[j], row[p] = row[p], row[j]
		}
	}
	return nil
}

// LUInverseWork returns the length of the workspace of LUInverse for a matrix of
// order n on the given number of threads.
func LUInverseWork[T Float](n, threads int) int {
	return n*n + alignSlack[T]() + max(inverseWork[T](n, threads), TrsmWork[T](blas.Right, n, n, threads))
}

// LULogDet returns the logarithm of the magnitude of the determinant of A and its sign,
// where a and pivots hold what [LU] made of the square matrix A: −Inf and 0 if it
// is singular. It is computed in float64.
func LULogDet[T Float](a Matrix[T], pivots []int) (log, sign float64) {
	const op = "LULogDet"
	checkSquare(op, "a", &a)
	checkExchanges(op, &a, pivots)
	sign = 1
	for i, p := range pivots {
		d := a.Data[i*a.Stride+i]
		if d == 0 {
			return math.Inf(-1), 0
		}
		if (d < 0) != (p != i) {
			sign = -sign
		}
	}
	return logSum(&a), sign
}

// LUDet returns the determinant of A, where a and pivots hold what [LU] made of the
// square matrix A. It is the product of the diagonal of U in float64, which overflows and
// underflows only where the determinant does.
func LUDet[T Float](a Matrix[T], pivots []int) float64 {
	const op = "LUDet"
	checkSquare(op, "a", &a)
	checkExchanges(op, &a, pivots)
	det, exp := 1.0, 0
	for i, p := range pivots {
		f, e := math.Frexp(float64(a.Data[i*a.Stride+i]))
		if p != i {
			f = -f
		}
		det, exp = float64(det*f), exp+e
		det, e = math.Frexp(det)
		exp += e
	}
	return math.Ldexp(det, exp)
}
