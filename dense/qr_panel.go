package dense

import (
	"github.com/precond-go/precond/asm"
	"gonum.org/v1/gonum/blas"
)

// qrPanel factors a few columns, which it has as the rows of p, and leaves their
// reflectors as a block.
//
// It goes by halves (Elmroth and Gustavson, IBM J. Res. Dev. 44, 2000): it factors
// the first half of the columns, applies their block to the second, factors that,
// and joins the two T. So nearly all of the work is in products, also within the
// panel; parts of reflectorLeaf columns are factored one by one.
type qrPanel[T Float] struct {
	kern *asm.Kernels[T]
	h    blockReflector[T] // h.v: columns of the panel as rows on entry, the vectors at the end
	top  Matrix[T]         // w×w; row i is the head of column i as LAPACK stores it: R, then the vector
	tau  []T
	work []T // qrPanelWork
}

// qrPanelWork returns the length of the workspace to factor w columns of length m.
func qrPanelWork[T Float](w, m int) int {
	h := middle(0, w)
	product := max(gemmRoom[T](h, h, m, 1), gemmRoom[T](h, m, h, 1))
	return 2*roundUp(max(h*h, reflectorLeaf), alignSlack[T]()) + product
}

// panelStride returns a row stride for rows of m elements, an odd number of cache
// lines, so that columns do not fall into the same few sets of a cache.
func panelStride[T Float](m int) int {
	line := alignSlack[T]()
	return ((m+line-1)/line | 1) * line
}

// factor factors the columns lo to hi.
func (q *qrPanel[T]) factor(lo, hi int) {
	if hi-lo <= reflectorLeaf {
		q.columns(lo, hi)
		return
	}
	mid := middle(lo, hi)
	h1, h2 := mid-lo, hi-mid
	q.factor(lo, mid)

	space, work := cut(q.work, h1*h2)
	x, work := cut(work, h1*h2)
	o := &Opts[T]{Threads: 1, Work: work}
	m := q.h.v.Cols
	first, second := q.h.v.View(lo, lo, h1, m-lo), q.h.v.View(mid, lo, h2, m-lo)
	g, gt := Matrix[T]{h2, h1, h1, space}, Matrix[T]{h2, h1, h1, x}
	Gemm(blas.NoTrans, blas.Trans, 1, second, first, 0, g, o)
	Gemm(blas.NoTrans, blas.NoTrans, 1, g, q.h.t.View(lo, lo, h1, h1), 0, gt, o)
	Gemm(blas.NoTrans, blas.NoTrans, -1, gt, first, 1, second, o)

	q.factor(mid, hi)
	g = Matrix[T]{h1, h2, h2, space}
	Gemm(blas.NoTrans, blas.Trans, 1, q.h.v.View(lo, mid, h1, m-mid), q.h.v.View(mid, mid, h2, m-mid), 0, g, o)
	q.h.mergeT(g, x, lo, mid, hi)
}

// columns factors the columns lo to hi one by one.
func (q *qrPanel[T]) columns(lo, hi int) {
	p, ld, m := q.h.v.Data, q.h.v.Stride, q.h.v.Cols
	dots := q.work[:hi-lo]
	for i := lo; i < hi; i++ {
		row := p[i*ld : i*ld+m]
		beta, tau := reflector(q.kern, row[i], row[i+1:])
		q.tau[i] = tau
		copy(q.top.Row(i), row)
		q.top.Data[i*q.top.Stride+i] = beta
		clear(row[:i])
		row[i] = 1
		// The inner products with the vectors before it make T, those with the
		// columns after it its update.
		clear(dots)
		for c := i; c < m; c += asm.Chunk {
			q.kern.GemvN(hi-lo, min(asm.Chunk, m-c), 1, p[lo*ld+c:], ld, row[c:], dots)
		}
		q.h.columnOfT(q.kern, lo, i, tau, dots)
		for c := i; c < m && i+1 < hi; c += asm.Chunk {
			q.kern.Ger(hi-i-1, min(asm.Chunk, m-c), -tau, dots[i+1-lo:], row[c:], p[(i+1)*ld+c:], ld)
		}
	}
}

// load copies the columns of a into the panel, store the factored ones back.
func (q *qrPanel[T]) load(a Matrix[T]) { transposeTiles(q.kern, a, q.h.v) }

func (q *qrPanel[T]) store(a Matrix[T]) {
	w, m := q.h.v.Rows, q.h.v.Cols
	transposeTiles(q.kern, q.top, a.View(0, 0, w, w))
	if m > w {
		transposeTiles(q.kern, q.h.v.View(0, w, w, m-w), a.View(w, 0, m-w, w))
	}
}
