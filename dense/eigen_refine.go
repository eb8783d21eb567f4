package dense

import (
	"fmt"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/internal/par"
	"gonum.org/v1/gonum/blas"
)

// EigenSymRefine takes eigenvectors of the symmetric matrix A, given by the triangle uplo
// of a, from the accuracy of some lower precision to that of T: in float64, for example,
// those that EigenSym has computed in float32. vectors is overwritten; values takes the
// eigenvalues, in the order of the columns, in which eigenvalues should increase but for
// their error.
//
// The basis is made orthonormal, and then takes steps of EigenSymRefresh, each of which
// squares the off-diagonal mass; columns whose eigenvalues are too close for it are made
// diagonal together, by EigenSym of their part of VᵀAV. It takes two or three steps; if
// all eigenvalues are close, that is as much as EigenSym.
//
// Shapes: a and vectors are n×n, values has n elements; outputs do not overlap a or
// each other. The columns of vectors have to be nearly orthonormal.
// Cost: 17n³/3 flops a step and 7n³/3 or 14n³/3 before, all of them products. Workspace:
// EigenSymRefineWork(n, threads), about 3n²; columns with close eigenvalues take some more
// from the pool.
// Errors: *NonFiniteError if a or vectors has a NaN or an infinity, where nothing is written;
// *NoConvergenceError after 8 steps, where vectors and values are of no use and
// Residual is the off-diagonal mass, see RayleighQuotients; *NotPositiveDefiniteError if
// the columns of vectors are numerically dependent, where nothing is written.
// Accuracy: that of EigenSym (tested).
// Source: Ogita and Aishima, Japan J. Indust. Appl. Math. 35 (2018) and 36 (2019),
// for an orthonormal basis.
func EigenSymRefine[T Float](uplo blas.Uplo, a Matrix[T], values []T, vectors Matrix[T], o *Opts[T]) error {
	const op = "EigenSymRefine"
	isLower, n := checkBasis(op, uplo, &a, values, &vectors)
	checkApart(op, &vectors, "vectors", &a, "a")
	space, pooled := scratch(o, op, EigenSymRefineWork[T](n, o.threads())-alignSlack[T]())
	defer release(pooled)
	r := refine[T]{refresh: refresh[T]{kern: asm.For[T](), uplo: uplo, a: a, v: vectors}}
	if err := r.begin(isLower); err != nil || n == 0 {
		return err
	}
	w := arenaOver(space)
	r.reserve(&w, n, o.threads())
	for step := 1; ; step++ {
		done, left, err := r.step(values)
		switch {
		case err != nil:
			return err
		case done:
			r.kern.Scal(1/r.scale, values)
			return nil
		case step == refineSteps:
			return &NoConvergenceError{Iterations: step, Residual: float64(left)}
		}
	}
}

// refineSteps bounds the number of steps.
const refineSteps = 8

// EigenSymRefineWork returns the length of the workspace of EigenSymRefine for an n×n
// matrix on the given number of threads.
func EigenSymRefineWork[T Float](n, threads int) int {
	var r refine[T]
	var w arena[T]
	r.reserve(&w, n, par.Threads(threads))
	return w.Used() + alignSlack[T]()
}

// refine is a refresh that treats close eigenvalues together.
type refine[T Float] struct {
	refresh[T]
	first []int32 // of every column: the first one of those with close eigenvalues
}

func (r *refine[T]) reserve(w *arena[T], n, threads int) {
	r.refresh.reserve(w, n, threads)
	r.first = w.Indices(n)
}

// step does one step. It returns whether what it leaves is rounding, and the off-diagonal
// mass that was there before.
func (r *refine[T]) step(values []T) (done bool, off T, err error) {
	if err := r.orthonormalise(); err != nil {
		return false, 0, err
	}
	r.measure()
	off = r.quotients(values)
	r.cluster(values)
	for lo, hi := r.next(0); lo < hi; lo, hi = r.next(hi) {
		if hi-lo > 1 { // it has no part in X, and waits in g
			for i := lo; i < hi; i++ {
				row := r.b.Row(i)[lo:hi]
				copy(r.g.Row(i)[lo:hi], row)
				clear(row)
			}
		}
	}
	x := r.skew(values)
	r.cayley()
	for lo, hi := r.next(0); lo < hi; lo, hi = r.next(hi) {
		if hi-lo > 1 {
			if err := r.rotate(lo, hi, values); err != nil {
				return false, off, fmt.Errorf("columns %d to %d: %w", lo, hi, err)
			}
		}
	}
	limit := T(T(len(values)) * T(unitRoundoff[T]()/4))
	return T(off*x) <= limit, off, nil
}

// cluster groups neighbouring columns whose eigenvalues differ by less than 8 times
// the largest element beside the diagonal.
func (r *refine[T]) cluster(values []T) {
	var largest T
	for i := range values {
		largest = max(largest, r.kern.MaxAbs(r.b.Row(i)[i+1:]))
	}
	for i := range values {
		r.first[i] = int32(i)
		if i > 0 && values[i]-values[i-1] <= 8*largest { // exact
			r.first[i] = r.first[i-1]
		}
	}
}

// next returns the columns of the group that begins with column lo.
func (r *refine[T]) next(lo int) (from, to int) {
	hi := lo
	for hi < len(r.first) && int(r.first[hi]) == lo {
		hi++
	}
	return lo, hi
}

// rotate multiplies columns lo to hi of v by the eigenvectors of their part of VᵀAV.
func (r *refine[T]) rotate(lo, hi int, values []T) error {
	n, k := len(values), hi-lo
	u := r.b.View(lo, lo, k, k) // the factors are not needed any more
	if err := EigenSym(blas.Upper, r.g.View(lo, lo, k, k), values[lo:hi], u, &Opts[T]{Threads: r.o.Threads}); err != nil {
		return err
	}
	v, copied := r.v.View(0, lo, n, k), r.y.View(0, lo, n, k)
	copied.Copy(v)
	Gemm(blas.NoTrans, blas.NoTrans, 1, copied, u, 0, v, &r.o)
	return nil
}
