package dense

import (
	"fmt"
	"math"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/internal/par"
	"gonum.org/v1/gonum/blas"
)

// EigenSymMixed computes all eigenvalues of a symmetric matrix of float32 to the accuracy
// of float64, and its eigenvectors to that of float32: what a function of the matrix
// needs that is large where eigenvalues are small, such as an inverse root, and is
// wanted in float32. EigenSym of the same matrix in float32 leaves nothing of
// eigenvalues below ε·‖A‖₂.
//
// What decides about small eigenvalues and their vectors, the reduction to tridiagonal
// form and divide and conquer, is done in float64; the vectors are then rounded, and go
// through the back-transformation in float32, where orthogonal factors change
// each by no more than some ε of its own.
//
// Shapes: a and vectors are n×n, values has n elements; vectors does not overlap a. The
// triangle uplo of a is read; a is not modified.
// Cost: about 14n³/3 flops, 2n³ of them in float32: 0.8 to 0.9 of the time of EigenSym in
// float64. Workspace: EigenSymMixedWork(n, threads), about 8n².
// Errors: *NonFiniteError, where nothing is written; *NoConvergenceError, see EigenSym.
// Accuracy: eigenvalues within 10·ε₆₄·‖A‖₂; ‖VᵀV − I‖₁ ≤ 10·n·ε₃₂,
// ‖A − VΛVᵀ‖₁ ≤ 10·n·ε₃₂·‖A‖₁ (tested). An eigenvector whose eigenvalue is g from all others
// differs from the exact one by some (ε₃₂ + ε₆₄·‖A‖₂/g).
// Method and source: see EigenSym.
func EigenSymMixed(uplo blas.Uplo, a Matrix[float32], values []float64, vectors Matrix[float32], o *Opts[float32]) error {
	const op = "EigenSymMixed"
	isLower := lower(op, uplo)
	a.check(op, "a")
	vectors.check(op, "vectors")
	n := a.Rows
	switch {
	case a.Cols != n:
		panic(fmt.Sprintf("dense: %s: a is %dx%d, want square", op, n, a.Cols))
	case vectors.Rows != n || vectors.Cols != n:
		panic(fmt.Sprintf("dense: %s: vectors is %dx%d, want %dx%d", op, vectors.Rows, vectors.Cols, n, n))
	case len(values) != n:
		panic(fmt.Sprintf("dense: %s: values has %d elements, want %d", op, len(values), n))
	}
	checkApart(op, &vectors, "vectors", &a, "a")
	threads := o.threads()
	space, pooled := scratch(o, op, EigenSymMixedWork(n, threads)-alignSlack[float32]())
	defer release(pooled)
	largest, err := largestOf(asm.For[float32](), isLower, a)
	if err != nil || n == 0 {
		return err
	}
	e := eigenMixed{}
	w := arenaOver(space)
	e.reserve(&w, n, threads)
	e.reduced.kern, e.parts.kern = asm.For[float64](), asm.For[float64]()
	scale := toUnit(float64(largest))
	e.load(isLower, a, scale)
	e.reduced.reduce(threads, tridiagonalParallel, &Opts[float64]{Threads: threads, Work: e.space})
	second := e.reduced.normalise()
	e.parts.d, e.parts.e = e.reduced.d, e.reduced.e
	if !e.parts.solve(threads, window{0, n}) {
		return &NoConvergenceError{Iterations: qlSweeps * divideLeaf, Residual: e.reduced.kern.MaxAbs(e.reduced.e)}
	}
	for i, r := range e.parts.order {
		values[i] = float64(float64(e.parts.d[r]*(1/second)) * (1 / scale))
	}
	e.gather(vectors)
	e.back(vectors, threads)
	return nil
}

// EigenSymMixedWork returns the length of the workspace of EigenSymMixed for an n×n
// matrix on the given number of threads.
func EigenSymMixedWork(n, threads int) int {
	var e eigenMixed
	var w arena[float32]
	e.reserve(&w, n, par.Threads(threads))
	return w.Used() + alignSlack[float32]()
}

// eigenMixed is one call of EigenSymMixed.
type eigenMixed struct {
	reduced tridiagonal[float64]
	parts   divide[float64]
	space   []float64            // of products in float64
	narrow  tridiagonal[float32] // the reflectors in float32
	factor  []float32            // of a block of reflectors
	tile    []float32            // for transposing
	rest    []float32            // of products in float32
}

// reserve takes the workspace for order n from w.
func (e *eigenMixed) reserve(w *arena[float32], n, threads int) {
	take := func(d *arena[float64]) {
		e.reduced.reserve(d, n, threads)
		e.parts.reserve(d, n, threads, false)
		e.space = d.Take(gemmRoom[float64](n, n, 2*eigenPanel, threads))
	}
	var count arena[float64]
	take(&count)
	if wide := w.Doubles(count.Used()); wide != nil {
		d := arenaOver(wide)
		take(&d)
	}
	e.narrow.n = n
	e.narrow.r, e.narrow.tau = w.matrix(n, n), w.Take(n)
	e.factor = w.Take(eigenBlock * eigenBlock)
	e.tile = w.Take(transposeTile * transposeTile)
	e.rest = w.Take(tridiagonalApplyWork[float32](n, n, threads))
}

// load fills the upper triangle of the matrix to reduce with that of A times scale.
func (e *eigenMixed) load(isLower bool, a Matrix[float32], scale float64) {
	const edge = transposeTile
	n, r := e.reduced.n, e.reduced.r
	for i := 0; i < n; i += edge {
		for j := i; j < n; j += edge {
			for k := i; k < min(n, i+edge); k++ {
				row := r.Row(k)
				if !isLower {
					for c := max(j, k); c < min(n, j+edge); c++ {
						row[c] = float64(float64(a.Data[k*a.Stride+c]) * scale)
					}
					continue
				}
				for c := max(j, k); c < min(n, j+edge); c++ {
					row[c] = float64(float64(a.Data[c*a.Stride+k]) * scale)
				}
			}
		}
	}
}

// gather writes the eigenvectors of the tridiagonal matrix, rounded, to the columns of
// vectors, tile by tile.
func (e *eigenMixed) gather(vectors Matrix[float32]) {
	const edge = transposeTile
	n, q := vectors.Rows, e.parts.q
	kern := asm.For[float32]()
	for j := 0; j < n; j += edge {
		w := min(edge, n-j)
		for i := 0; i < n; i += edge {
			h := min(edge, n-i)
			for k, r := range e.parts.order[j : j+w] {
				from := q.Data[int(r)*q.Stride+i:][:h]
				for l, v := range from {
					e.tile[k*edge+l] = float32(v)
				}
			}
			kern.TransTo(w, h, &e.tile[0], edge, &vectors.Data[i*vectors.Stride+j], vectors.Stride)
		}
	}
}

// back applies the reflectors in float32. A reflector I − τ·v·vᵀ is orthogonal as
// far as τ = 2/vᵀv, and the rounded v is not that of float64, so τ is that of the rounded v.
func (e *eigenMixed) back(vectors Matrix[float32], threads int) {
	n := vectors.Rows
	kern := asm.For[float32]()
	e.narrow.kern = kern
	for j := range max(0, n-2) {
		from, to := e.reduced.r.Row(j)[j+1:], e.narrow.r.Row(j)[j+1:]
		var sum float64
		for i, v := range from {
			to[i] = float32(v)
			sum = math.FMA(float64(to[i]), float64(to[i]), sum)
		}
		e.narrow.tau[j] = 0
		if e.reduced.tau[j] != 0 {
			e.narrow.tau[j] = float32(2 / sum)
		}
	}
	e.narrow.apply(vectors, e.factor, &Opts[float32]{Threads: threads, Work: e.rest})
}
