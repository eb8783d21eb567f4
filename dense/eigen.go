package dense

import (
	"fmt"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/internal/par"
	"gonum.org/v1/gonum/blas"
)

// EigenSym computes all eigenvalues and eigenvectors of the symmetric matrix A that is
// given by the triangle uplo of a: A·V = V·Λ with orthogonal V. values takes the
// eigenvalues in increasing order, the columns of vectors the eigenvectors. The other
// triangle is not read; a is not modified.
//
// Shapes: a and vectors are n×n, values has n elements; outputs do not overlap a or
// each other.
// Cost: about 14n³/3 flops, less where eigenvalues coincide. Workspace:
// EigenSymWork(n, threads), about 4n².
// Errors: *NonFiniteError, where nothing is written; *NoConvergenceError, where values
// and vectors hold nothing of use (no such matrix is known; Residual is the largest
// off-diagonal element of what implicit QL was given).
// Accuracy: ‖A − VΛVᵀ‖₁ ≤ 10·n·ε·‖A‖₁, ‖VᵀV − I‖₁ ≤ 10·n·ε, eigenvalues within 10·ε·‖A‖₂
// (tested on the matrices of internal/hard up to n = 1000; ε is the distance from 1 to the
// next number; residuals are below 2 in place of 10 but for subnormal matrices). An
// eigenvalue beyond the range of T is ±Inf.
// Method: scaling by a power of two; reduction to tridiagonal form by blocked
// Householder reflectors; divide and conquer; back-transformation by blocks of
// reflectors. All orders of operations are functions of n alone.
// Source: see the types tridiagonal and divide.
func EigenSym[T Float](uplo blas.Uplo, a Matrix[T], values []T, vectors Matrix[T], o *Opts[T]) error {
	return eigenRange("EigenSym", uplo, a, 0, a.Rows, values, vectors, o)
}

// EigenSymWork returns the length of the workspace of EigenSym for an n×n matrix on
// the given number of threads.
func EigenSymWork[T Float](n, threads int) int { return EigenSymRangeWork[T](n, n, threads) }

// EigenSymRange computes the eigenvalues of index lo to hi−1 in increasing order, and
// their eigenvectors: those of EigenSym up to rounding. The k smallest are 0 to k, the k
// largest n−k to n.
//
// Shapes: a is n×n, values has hi−lo elements, vectors is n×(hi−lo).
// Cost: about 5n³/3 + 4n²·(hi−lo) flops. Workspace: EigenSymRangeWork(n, hi−lo, threads).
// Errors, accuracy and method: see EigenSym; the last step of divide and conquer and the
// back-transformation leave out what is not wanted.
func EigenSymRange[T Float](uplo blas.Uplo, a Matrix[T], lo, hi int, values []T, vectors Matrix[T], o *Opts[T]) error {
	return eigenRange("EigenSymRange", uplo, a, lo, hi, values, vectors, o)
}

// EigenSymRangeWork returns the length of the workspace of EigenSymRange for an n×n
// matrix and count eigenvectors on the given number of threads.
func EigenSymRangeWork[T Float](n, count, threads int) int {
	var e eigen[T]
	var w arena[T]
	e.reserve(&w, n, count, par.Threads(threads))
	return w.Used() + alignSlack[T]()
}

// EigenSymValues computes the eigenvalues of the symmetric matrix A that is given by the
// triangle uplo of a, in increasing order. The other triangle is not read; a is not
// modified.
//
// Shapes: a is n×n, values has n elements and does not overlap a.
// Cost: 4n³/3 + O(n²) flops. Workspace: EigenSymValuesWork(n, threads), about n².
// Errors and accuracy: see EigenSym.
// Method: that of EigenSym, with no more of the eigenvectors than divide and conquer needs.
func EigenSymValues[T Float](uplo blas.Uplo, a Matrix[T], values []T, o *Opts[T]) error {
	return eigenRange("EigenSymValues", uplo, a, 0, a.Rows, values, Matrix[T]{}, o)
}

// EigenSymValuesWork returns the length of the workspace of EigenSymValues for an n×n
// matrix on the given number of threads.
func EigenSymValuesWork[T Float](n, threads int) int { return EigenSymRangeWork[T](n, 0, threads) }

// eigen is one call of EigenSym and its relatives.
type eigen[T Float] struct {
	reduced tridiagonal[T]
	parts   divide[T]
	factor  []T // of a block of reflectors
	tile    []T // for transposing
	space   []T // of products
}

// reserve takes the workspace for order n and count eigenvectors from w.
func (e *eigen[T]) reserve(w *arena[T], n, count, threads int) {
	e.reduced.reserve(w, n, threads)
	space := gemmRoom[T](n, n, 2*eigenPanel, threads)
	e.parts.reserve(w, n, threads, count == 0)
	if count > 0 {
		e.factor = w.Take(eigenBlock * eigenBlock)
		e.tile = w.Take(transposeTile * transposeTile)
		space = max(space, tridiagonalApplyWork[T](n, count, threads))
	}
	e.space = w.Take(space)
}

// eigenRange computes the eigenvalues lo to hi−1 and, if vectors is not empty, their
// vectors.
func eigenRange[T Float](op string, uplo blas.Uplo, a Matrix[T], lo, hi int, values []T, vectors Matrix[T], o *Opts[T]) error {
	isLower := lower(op, uplo)
	a.check(op, "a")
	n, withVectors := a.Rows, op != "EigenSymValues"
	switch {
	case a.Cols != n:
		panic(fmt.Sprintf("dense: %s: a is %dx%d, want square", op, n, a.Cols))
	case lo < 0 || hi < lo || hi > n:
		panic(fmt.Sprintf("dense: %s: eigenvalues %d to %d of %d", op, lo, hi, n))
	case len(values) != hi-lo:
		panic(fmt.Sprintf("dense: %s: values has %d elements, want %d", op, len(values), hi-lo))
	}
	checkOutput(op, values, "values", nil, "", &a)
	if withVectors {
		vectors.check(op, "vectors")
		if vectors.Rows != n || vectors.Cols != hi-lo {
			panic(fmt.Sprintf("dense: %s: vectors is %dx%d, want %dx%d", op, vectors.Rows, vectors.Cols, n, hi-lo))
		}
		checkApart(op, &vectors, "vectors", &a, "a")
		v := rowVector(values)
		checkApart(op, &vectors, "vectors", &v, "values")
	}
	threads := o.threads()
	need := EigenSymRangeWork[T](n, vectors.Cols, threads) - alignSlack[T]()
	space, pooled := scratch(o, op, need)
	defer release(pooled)
	kern := asm.For[T]()
	largest, err := largestOf(kern, isLower, a)
	if err != nil || hi == lo {
		return err
	}
	e := eigen[T]{}
	w := arenaOver(space)
	e.reserve(&w, n, vectors.Cols, threads)
	e.reduced.kern, e.parts.kern = kern, kern
	inner := &Opts[T]{Threads: threads, Work: e.space}
	scale := toUnit(largest)
	e.reduced.load(isLower, a, scale)
	e.reduced.reduce(threads, tridiagonalParallel, inner)
	second := e.reduced.normalise()
	e.parts.d, e.parts.e = e.reduced.d, e.reduced.e
	if !e.parts.solve(threads, window{lo, hi}) {
		return &NoConvergenceError{Iterations: qlSweeps * divideLeaf, Residual: float64(kern.MaxAbs(e.reduced.e))}
	}
	for i, r := range e.parts.order[lo:hi] {
		values[i] = e.parts.d[r]
	}
	if withVectors {
		e.gather(lo, vectors)
		e.reduced.apply(vectors, e.factor, inner)
	}
	kern.Scal(1/second, values)
	kern.Scal(1/scale, values)
	return nil
}

// largestOf returns the largest magnitude in a triangle, which is finite.
func largestOf[T Float](k *asm.Kernels[T], isLower bool, a Matrix[T]) (largest T, err error) {
	for i := range a.Rows {
		row := a.Row(i)[i:]
		if isLower {
			row = a.Row(i)[:i+1]
		}
		m := k.MaxAbs(row)
		if m-m != 0 {
			return 0, &NonFiniteError{Where: fmt.Sprintf("row %d of a", i)}
		}
		largest = max(largest, m)
	}
	return largest, nil
}

// load fills the upper triangle of r with that of A, multiplied by scale. Below the
// diagonal it leaves anything.
func (t *tridiagonal[T]) load(isLower bool, a Matrix[T], scale T) {
	const e = transposeTile
	n := t.n
	for i := 0; i < n; i += e {
		h := min(e, n-i)
		if isLower {
			for k := i; k < i+h; k++ { // the diagonal tile, whose upper part is not to be read
				for j := k; j < i+h; j++ {
					t.r.Data[k*t.r.Stride+j] = a.Data[j*a.Stride+k]
				}
			}
			for j := i + h; j < n; j += e {
				t.kern.TransTo(min(e, n-j), h, &a.Data[j*a.Stride+i], a.Stride, &t.r.Data[i*t.r.Stride+j], t.r.Stride)
			}
		}
		for k := i; k < i+h; k++ {
			row := t.r.Row(k)[k:]
			if isLower {
				t.kern.Scal(scale, row)
			} else {
				t.kern.ScalTo(scale, a.Row(k)[k:], row)
			}
		}
	}
}

// normalise multiplies T by a power of two, which it returns, such that its largest
// element is about 1.
func (t *tridiagonal[T]) normalise() T {
	scale := toUnit(max(t.kern.MaxAbs(t.d), t.kern.MaxAbs(t.e)))
	t.kern.Scal(scale, t.d)
	t.kern.Scal(scale, t.e)
	return scale
}

// gather writes the eigenvectors of T of index lo and up to the columns of vectors,
// tile by tile.
func (e *eigen[T]) gather(lo int, vectors Matrix[T]) {
	const edge = transposeTile
	q, order := e.parts.q, e.parts.order[lo:lo+vectors.Cols]
	for j := 0; j < vectors.Cols; j += edge {
		w := min(edge, vectors.Cols-j)
		for i := 0; i < vectors.Rows; i += edge {
			h := min(edge, vectors.Rows-i)
			for k, r := range order[j : j+w] {
				copy(e.tile[k*edge:k*edge+h], q.Data[int(r)*q.Stride+i:])
			}
			e.parts.kern.TransTo(w, h, &e.tile[0], edge, &vectors.Data[i*vectors.Stride+j], vectors.Stride)
		}
	}
}
