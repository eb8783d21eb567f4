package dense

import (
	"fmt"

	"github.com/precond-go/precond/asm"
	"gonum.org/v1/gonum/blas"
)

// CholeskySolve solves A·X = B in place of b, where the triangle uplo of a holds the
// factor that [Cholesky] made of A.
//
// Shapes: a is n×n, b is n×k and must not overlap a. Cost: 2n²k flops.
// Workspace: CholeskySolveWork(n, k, threads).
// Accuracy: each column x of X solves (A + E)·x = b with |E| ≤ (3n+5)·ε·|L|·|Lᵀ|, to
// first order (Higham 2002, theorem 10.4, with the reciprocals' roundings).
func CholeskySolve[T Float](uplo blas.Uplo, a, b Matrix[T], o *Opts[T]) {
	const op = "CholeskySolve"
	low := lower(op, uplo)
	checkSolve(op, &a, &b)
	solveTriangle(op, low, !low, blas.NonUnit, &a, &b, o)
	solveTriangle(op, low, low, blas.NonUnit, &a, &b, o)
}

// CholeskySolveWork returns the length of the workspace of CholeskySolve for a
// matrix of order n and k right-hand sides on the given number of threads.
func CholeskySolveWork[T Float](n, k, threads int) int {
	return TrsmWork[T](blas.Left, n, k, threads)
}

// CholeskySolveVec solves A·x = b in place of x, where the triangle uplo of a holds
// the factor that [Cholesky] made of A. See [Trsv] for the order of operations.
//
// Shapes: a is n×n, x has n elements and must not overlap a. It runs on one thread
// and needs no workspace. Cost: 2n² flops, two passes over the triangle.
func CholeskySolveVec[T Float](uplo blas.Uplo, a Matrix[T], x []T, o *Opts[T]) {
	const op = "CholeskySolveVec"
	first, second := blas.NoTrans, blas.Trans
	if !lower(op, uplo) {
		first, second = second, first
	}
	checkSolveVec(op, &a, x)
	Trsv(uplo, first, blas.NonUnit, a, x, o)
	Trsv(uplo, second, blas.NonUnit, a, x, o)
}

// CholeskyLogDet returns the natural logarithm of the determinant of A, where a
// holds the factor that [Cholesky] made of A, in either triangle. It is computed
// in float64, and finite where the determinant itself would overflow.
//
// Accuracy: |error| ≤ n·ε₆₄·Σ|log a_ii²| + n·ε₆₄, besides that of the factor.
func CholeskyLogDet[T Float](a Matrix[T]) float64 {
	checkSquare("CholeskyLogDet", "a", &a)
	return 2 * logSum(&a) // exact
}

// logSum returns the sum of the logarithms of the magnitudes on the diagonal.
func logSum[T Float](a *Matrix[T]) float64 {
	k := asm.For[float64]()
	w, buf := scratch[float64](nil, "", a.Rows)
	for i := range w {
		w[i] = float64(a.Data[i*a.Stride+i])
		if w[i] < 0 {
			w[i] = -w[i]
		}
	}
	s := 0.0
	for lo := 0; lo < len(w); lo += asm.Chunk {
		part := w[lo:min(lo+asm.Chunk, len(w))]
		k.LogTo(part, part)
		s += k.Sum(part)
	}
	release(buf)
	return s
}

// checkSolve panics unless a is square, b has as many rows, and the two are apart.
func checkSolve[T Float](op string, a, b *Matrix[T]) {
	checkSquare(op, "a", a)
	b.check(op, "b")
	if b.Rows != a.Rows {
		panic(fmt.Sprintf("dense: %s: a is %dx%d, b is %dx%d", op, a.Rows, a.Cols, b.Rows, b.Cols))
	}
	checkApart(op, b, "b", a, "a")
}

// checkSolveVec is checkSolve for a vector.
func checkSolveVec[T Float](op string, a *Matrix[T], x []T) {
	checkSquare(op, "a", a)
	if len(x) != a.Rows {
		panic(fmt.Sprintf("dense: %s: a is %dx%d, x has %d elements", op, a.Rows, a.Cols, len(x)))
	}
	b := Matrix[T]{Rows: len(x), Cols: min(1, len(x)), Stride: 1, Data: x}
	checkApart(op, &b, "x", a, "a")
}

// solveTriangle solves with the triangle of a, transposed if trans, on the left of b.
// The arguments have been checked.
func solveTriangle[T Float](op string, low, trans bool, diag blas.Diag, a, b *Matrix[T], o *Opts[T]) {
	t := triangularCall[T]{
		solve: true, reversed: low == trans, unit: diag == blas.Unit, n: b.Rows, cols: b.Cols, alpha: 1,
		a: operandOf(a, trans), b: operandOf(b, false),
	}
	t.run(op, o)
}
