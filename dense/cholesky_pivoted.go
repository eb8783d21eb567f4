package dense

import (
	"fmt"
	"math"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/internal/par"
	"gonum.org/v1/gonum/blas"
)

// CholeskyPivoted factors the symmetric positive semidefinite matrix a in place with
// complete pivoting, and returns its numerical rank r: P·a·Pᵀ = L·Lᵀ + S, where L is n×r in
// the lower triangle, or Uᵀ·U + S with U in the upper one, and S is zero but for its last
// n−r rows and columns, which are left in the triangle. P exchanges rows k and
// pivots[k] for k = 0, 1, …, r−1; the other pivots are their index. The other triangle is
// neither read nor written.
//
// It ends when no diagonal element of S exceeds tol; a negative tol stands for n·ε times the
// largest diagonal element of a, which is LAPACK's choice.
//
// Shapes: a is n×n, pivots has n elements. Cost: about n²r − 2r³/3 flops, half of them in
// passes over a panel. Workspace: CholeskyPivotedWork(n, threads).
// Errors: *NonFiniteError if a diagonal element of a or S is NaN or infinite; r
// columns are valid then, too.
// Order: that of [Cholesky] of P·a·Pᵀ, bit for bit.
// Source: Higham 2002, section 10.3; Lucas, LAPACK Working Note 161.
func CholeskyPivoted[T Float](uplo blas.Uplo, a Matrix[T], pivots []int, tol T, o *Opts[T]) (rank int, err error) {
	const op = "CholeskyPivoted"
	low := lower(op, uplo)
	checkSquare(op, "a", &a)
	if len(pivots) != a.Rows {
		panic(fmt.Sprintf("dense: %s: a is %dx%d, %d pivots", op, a.Rows, a.Cols, len(pivots)))
	}
	t := pivotedCall[T]{kern: asm.For[T](), n: a.Rows, threads: 1, pivots: pivots, u: a, tol: tol}
	if t.n == 0 {
		return 0, nil
	}
	if !o.single() && t.n > 4*pivotedPanel {
		t.threads = o.threads()
	}
	w, buf := scratch(o, op, t.length())
	w = t.cut(w)
	if low {
		t.u = Matrix[T]{Rows: t.n, Cols: t.n, Stride: t.n, Data: w[:t.n*t.n]}
		moveLower(t.kern, a, t.u, true)
	}
	rank, ok := t.run()
	if low {
		moveLower(t.kern, a, t.u, false)
	}
	release(buf)
	if !ok {
		return rank, &NonFiniteError{Where: "the diagonal of a"}
	}
	return rank, nil
}

// CholeskyPivotedWork returns the length of the workspace of CholeskyPivoted for a
// matrix of order n on the given number of threads.
func CholeskyPivotedWork[T Float](n, threads int) int {
	t := pivotedCall[T]{kern: asm.For[T](), n: n, threads: par.Threads(threads)}
	return t.length() + alignSlack[T]()
}

// pivotedCall is one call of CholeskyPivoted on an upper triangle. Within a panel
// the matrix below stays as it was, apart from the diagonal, which is kept up to date in d.
type pivotedCall[T Float] struct {
	kern    *asm.Kernels[T]
	n       int
	u       Matrix[T]
	pivots  []int
	tol     T
	threads int
	d       []T // diagonal of the Schur complement
	minus   []T // the last row of U, negative
	x       []T // a column of the panel
	space   []T // workspace of the products
}

// pivotedPanel is the number of rows of a panel. It does not change the bits.
const pivotedPanel = 64

func (t *pivotedCall[T]) length() int {
	return 2*roundUp(t.n, alignSlack[T]()) + roundUp(pivotedPanel, alignSlack[T]()) +
		roundUp(panelProducts(t.kern, t.n, pivotedPanel, t.threads), alignSlack[T]()) + t.n*t.n
}

func (t *pivotedCall[T]) cut(w []T) []T {
	t.d, w = cut(w, t.n)
	t.minus, w = cut(w, t.n)
	t.x, w = cut(w, pivotedPanel)
	t.space, w = cut(w, panelProducts(t.kern, t.n, pivotedPanel, t.threads))
	return w
}

// run returns the rank, and false if it met a diagonal element that is not finite.
func (t *pivotedCall[T]) run() (rank int, ok bool) {
	unpermuted(t.pivots)
	for k0 := 0; k0 < t.n; {
		for i := k0; i < t.n; i++ {
			t.d[i] = t.u.Data[i*t.u.Stride+i]
		}
		if k0 == 0 && t.tol < 0 {
			if p, fine := t.next(0); fine {
				t.tol = T(T(T(2*t.n)*unitRoundoff[T]()) * max(t.d[p], 0))
			}
		}
		end := min(k0+pivotedPanel, t.n)
		k, more, fine := k0, true, true
		for k < end && more {
			if more, fine = t.row(k, k0); more {
				k++
			}
		}
		if k > k0 && k < t.n {
			updateBelow(t.kern, t.u, k0, k, &t.u.Data[k0*t.u.Stride+k], t.u.Stride, t.threads, t.space)
		}
		exchangeAbove(t.u, t.pivots, k0, k)
		if !more {
			return k, fine
		}
		k0 = k
	}
	return t.n, true
}

// next returns the first of the largest diagonal elements from k on, and false if one of
// them is not finite.
func (t *pivotedCall[T]) next(k int) (p int, ok bool) {
	p, ok = k, true
	for i := k; i < t.n; i++ {
		if !finite(t.d[i]) {
			return i, false
		}
		if t.d[i] > t.d[p] {
			p = i
		}
	}
	return p, ok
}

// row finishes row k of a panel that began at k0. more is false if there is no
// pivot for it, fine if that is because of the tolerance.
func (t *pivotedCall[T]) row(k, k0 int) (more, fine bool) {
	p, ok := t.next(k)
	if !ok || !(t.d[p] > max(t.tol, 0)) {
		return false, ok
	}
	t.pivots[k] = p
	if p != k {
		t.exchange(k, p, k0)
	}
	row := t.u.Row(k)
	if k > k0 {
		for r := range k - k0 {
			t.x[r] = t.u.Data[(k0+r)*t.u.Stride+k]
		}
		eachChunk(k+1, t.n, func(lo, hi int) {
			t.kern.GemvT(k-k0, hi-lo, -1, t.u.Data[k0*t.u.Stride+lo:], t.u.Stride, t.x[:k-k0], row[lo:hi])
		})
	}
	row[k] = T(math.Sqrt(float64(t.d[k])))
	inv := 1 / row[k]
	eachChunk(k+1, t.n, func(lo, hi int) {
		t.kern.Scal(inv, row[lo:hi])
		t.kern.ScalTo(-1, row[lo:hi], t.minus[lo:hi])
		t.kern.MulAdd(t.minus[lo:hi], row[lo:hi], t.d[lo:hi])
	})
	return true, true
}

// exchange exchanges rows and columns k and p, p > k, in the matrix from row k on and in
// the rows of the panel before it.
func (t *pivotedCall[T]) exchange(k, p, k0 int) {
	u, ld := t.u.Data, t.u.Stride
	t.d[k], t.d[p] = t.d[p], t.d[k]
	u[k*ld+k], u[p*ld+p] = u[p*ld+p], u[k*ld+k]
	for j := k + 1; j < p; j++ {
		u[k*ld+j], u[j*ld+p] = u[j*ld+p], u[k*ld+j]
	}
	eachChunk(p+1, t.n, func(lo, hi int) { t.kern.Swap(u[k*ld+lo:k*ld+hi], u[p*ld+lo:p*ld+hi]) })
	for r := k0; r < k; r++ {
		u[r*ld+k], u[r*ld+p] = u[r*ld+p], u[r*ld+k]
	}
}
