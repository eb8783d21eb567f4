package dense

import (
	"sync"
	"unsafe"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/internal/par"
	"gonum.org/v1/gonum/blas"
)

// A tridiagonal is the reduction Qᵀ·A·Q = T of a symmetric matrix to tridiagonal
// form by Householder reflectors, in panels: a panel of reflectors is made from
// the trailing matrix as it was before it, with a matrix-vector product each, and
// the trailing matrix then takes all of them in one product of rank
// 2·eigenPanel. Half of the 4n³/3 flops are the matrix-vector products, whose speed is
// that of the cache where the trailing matrix lies; a reduction to a band first would
// replace them by products, but add 2n³ flops to the back-transformation, which is
// more than they cost.
//
// The upper triangle is used, whose rows are contiguous from the diagonal on. Row
// j of r is replaced by the vector v_j of reflector j, with its leading one in
// column j+1.
// Source: Dongarra, Hammarling, Sorensen, J. Comput. Appl. Math. 27 (1989).
type tridiagonal[T Float] struct {
	kern *asm.Kernels[T]
	n    int
	r    Matrix[T] // upper triangle of A, then reflectors
	d, e []T       // diagonal and off-diagonal of T, n elements each
	tau  []T       // of the reflectors, n elements; zero for the last two

	j0, j1 int       // columns of the panel
	u      Matrix[T] // rows 2i and 2i+1 are v and w of reflector j0+i: A − V·Wᵀ − W·Vᵀ
	s      Matrix[T] // u with the rows of each pair exchanged
	sums   Matrix[T] // sums of the blocks of rows of a matrix-vector product
	c      []T       // coefficients, 2·eigenPanel elements
	dots   Matrix[T] // a row of symvGroup elements for every worker
}

const (
	// eigenPanel is the number of reflectors of a panel, symvRowBlock that of the rows
	// that are summed together in a matrix-vector product. They fix the order of
	// additions.
	eigenPanel   = 32
	symvRowBlock = 128
	// symvGroup is the number of rows whose diagonal block is left out of the product
	// with the rows right of it; it fixes the order of additions as well.
	symvGroup = 4
	// tridiagonalParallel is the size in bytes of the trailing matrix from which on a
	// panel is worth more than one thread, which meet twice a column: when it does not
	// fit into the second-level cache.
	tridiagonalParallel = 4 << 20
)

// reserve takes the workspace for order n from w.
func (t *tridiagonal[T]) reserve(w *arena[T], n, threads int) {
	t.n = n
	t.r = w.matrix(n, n)
	t.d, t.e, t.tau = w.Take(n), w.Take(n), w.Take(n)
	t.u, t.s = w.matrix(2*eigenPanel, n), w.matrix(2*eigenPanel, n)
	t.sums = w.matrix(blocks(n, symvRowBlock), n)
	t.c, t.dots = w.Take(2*eigenPanel), w.matrix(threads, symvGroup)
}

// reduce does the whole reduction. A panel is shared by threads where the trailing
// matrix has more than shared bytes. o must have the workspace of products.
func (t *tridiagonal[T]) reduce(threads, shared int, o *Opts[T]) {
	for t.j0 = 0; t.j0 < t.n; t.j0 = t.j1 {
		t.j1 = min(t.j0+eigenPanel, t.n)
		m := t.n - t.j1
		if threads > 1 && m*m*int(unsafe.Sizeof(T(0))) > shared {
			par.Share(poolOf[T](&tridiagonals32, &tridiagonals64), threads, t)
		} else {
			t.panel(nil, 0, 1)
		}
		if t.j1 < t.n {
			t.update(o)
		}
	}
}

// Pools of reductions on their way to workers; see share.
var tridiagonals32, tridiagonals64 sync.Pool

func (t *tridiagonal[T]) Work(team *par.Team, w int) { t.panel(team, w, team.Workers()) }

// panel makes the reflectors of columns j0 to j1. Workers share the product with the
// trailing matrix and the inner products with the panel; the first does the rest.
func (t *tridiagonal[T]) panel(team *par.Team, w, workers int) {
	wait := func() {
		if team != nil {
			team.Wait()
		}
	}
	for j := t.j0; j < t.j1; j++ {
		c := t.rank(j)
		if w == 0 {
			t.column(j, c)
		}
		m := t.n - j - 1
		if m < 2 {
			continue
		}
		wait()
		v := t.u.Data[c*t.u.Stride+j+1 : c*t.u.Stride+t.n]
		t.multiply(j+1, v, w, workers)
		if lo, hi := par.Range(c, workers, w, 4); lo < hi { // p = Uᵀ·v
			clear(t.c[lo:hi])
			t.kern.GemvN(hi-lo, m, 1, t.u.Data[lo*t.u.Stride+j+1:], t.u.Stride, v, t.c[lo:hi])
		}
		wait()
		if w == 0 {
			t.finish(j, c)
		}
	}
}

// rank returns the number of rows of u before column j: the last two columns have no
// reflector.
func (t *tridiagonal[T]) rank(j int) int { return 2 * max(0, min(j, t.n-2)-t.j0) }

// column brings row j of the trailing matrix up to date with the c/2 reflectors of
// the panel so far and makes the reflector from it.
func (t *tridiagonal[T]) column(j, c int) {
	row := t.r.Data[j*t.r.Stride+j : j*t.r.Stride+t.n]
	if c > 0 {
		for i := range c {
			t.c[i] = t.s.Data[i*t.s.Stride+j]
		}
		t.kern.GemvT(c, len(row), -1, t.u.Data[j:], t.u.Stride, t.c[:c], row)
	}
	t.d[j] = row[0]
	t.e[j], t.tau[j] = 0, 0
	switch {
	case len(row) == 2:
		t.e[j] = row[1]
	case len(row) > 2:
		t.e[j], t.tau[j] = reflector(t.kern, row[1], row[2:])
		row[1] = 1
		copy(t.u.Data[c*t.u.Stride+j+1:c*t.u.Stride+t.n], row[1:])
		copy(t.s.Data[(c+1)*t.s.Stride+j+1:(c+1)*t.s.Stride+t.n], row[1:])
	}
}

// finish makes w of reflector j: y = A·v − V·(Wᵀ·v) − W·(Vᵀ·v), where A is the trailing
// matrix before the panel, and w = tau·(y − ½·tau·(yᵀv)·v).
func (t *tridiagonal[T]) finish(j, c int) {
	v := t.u.Data[c*t.u.Stride+j+1 : c*t.u.Stride+t.n]
	y := t.u.Data[(c+1)*t.u.Stride+j+1 : (c+1)*t.u.Stride+t.n]
	t.collect(j+1, y)
	t.kern.GemvT(c, len(y), -1, t.s.Data[j+1:], t.s.Stride, t.c[:c], y)
	tau := t.tau[j]
	dot := t.kern.Dot(y, v)
	t.kern.Axpby(T(T(T(-0.5*tau)*tau)*dot), v, tau, y)
	copy(t.s.Data[c*t.s.Stride+j+1:], y)
}

// multiply adds up A·v block by block, for the trailing matrix A from row k on and as
// it was before the panel: rows of the upper triangle are read once. Blocks are
// dealt out there and back, as they differ in length.
func (t *tridiagonal[T]) multiply(k int, v []T, w, workers int) {
	n, ld := t.n, t.r.Stride
	for b, turn := w, 0; k+b*symvRowBlock < n; turn++ {
		lo, hi := k+b*symvRowBlock, min(k+(b+1)*symvRowBlock, n)
		sums := t.sums.Data[b*t.sums.Stride : b*t.sums.Stride+n]
		clear(sums[lo:])
		for i := lo; i < hi; i += symvGroup {
			h := min(symvGroup, hi-i)
			t.multiplyDiagonal(i, h, v[i-k:], sums[i:])
			if j := i + h; j < n {
				dots := t.dots.Row(w)[:h]
				t.kern.GemvNT(h, n-j, v[i-k:j-k], t.r.Data[i*ld+j:], ld, v[j-k:], sums[j:], dots)
				for p, d := range dots {
					sums[i+p] += d
				}
			}
		}
		if turn%2 == 0 {
			b += 2*(workers-w) - 1
		} else {
			b += 2*w + 1
		}
	}
}

// multiplyDiagonal adds the product of the h×h diagonal block at row i with v to sums.
func (t *tridiagonal[T]) multiplyDiagonal(i, h int, v, sums []T) {
	for p := range h {
		row := t.r.Data[(i+p)*t.r.Stride+i : (i+p)*t.r.Stride+i+h]
		s := T(row[p] * v[p])
		for q := p + 1; q < h; q++ {
			s += T(row[q] * v[q])
			sums[q] += T(row[q] * v[p])
		}
		sums[p] += s
	}
}

// collect adds up the blocks of multiply.
func (t *tridiagonal[T]) collect(k int, y []T) {
	copy(y, t.sums.Data[k:k+len(y)])
	for b, lo := 1, symvRowBlock; lo < len(y); b, lo = b+1, lo+symvRowBlock {
		t.kern.AddTo(y[lo:], t.sums.Data[b*t.sums.Stride+k+lo:b*t.sums.Stride+k+len(y)], y[lo:])
	}
}

// update subtracts V·Wᵀ + W·Vᵀ from the trailing matrix.
func (t *tridiagonal[T]) update(o *Opts[T]) {
	g := product[T]{
		m: t.n - t.j1, n: t.n - t.j1, k: t.rank(t.j1), alpha: -1, beta: 1,
		a:   operand[T]{&t.u.Data[t.j1], 1, t.u.Stride},
		b:   operand[T]{&t.s.Data[t.j1], t.s.Stride, 1},
		c:   &t.r.Data[t.j1*t.r.Stride+t.j1],
		ldc: t.r.Stride, tri: upperTriangle,
	}
	g.run("EigenSym", o)
}

// apply computes C = Q·C. factor has eigenBlock² elements, o the workspace of
// tridiagonalApplyWork.
func (t *tridiagonal[T]) apply(c Matrix[T], factor []T, o *Opts[T]) {
	count := t.n - 2
	if count <= 0 || c.Cols == 0 {
		return
	}
	for i := (count - 1) / eigenBlock; i >= 0; i-- {
		lo, hi := i*eigenBlock, min((i+1)*eigenBlock, count)
		v := t.r.View(lo, lo+1, hi-lo, t.n-lo-1)
		for k := range v.Rows {
			clear(v.Row(k)[:k])
		}
		b := blockReflector[T]{v: v, t: Matrix[T]{hi - lo, hi - lo, hi - lo, factor[:(hi-lo)*(hi-lo)]}}
		b.formT(t.kern, t.tau[lo:hi], o.Work)
		b.applyLeft(blas.NoTrans, c.View(lo+1, 0, v.Cols, c.Cols), o)
	}
}

// eigenBlock is the number of reflectors that are applied together. It fixes the
// order of additions.
const eigenBlock = 64

// tridiagonalApplyWork returns the length of the workspace of apply for n×cols C.
func tridiagonalApplyWork[T Float](n, cols, threads int) int {
	size := 0
	for lo := 0; lo < n-2; lo += eigenBlock {
		w, m := min(eigenBlock, n-2-lo), n-lo-1
		size = max(size, formTWork[T](w, m), applyLeftWork[T](w, m, cols, threads))
	}
	return size
}
