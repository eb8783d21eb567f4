package dense

import (
	"sync"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/internal/par"
	"gonum.org/v1/gonum/blas"
)

// bidiagonalise is the reduction A = Q·B·Pᵀ of an m×n matrix, m ≥ n, to upper
// bidiagonal form by Householder reflectors, in panels of bidiagonalPanel columns and
// rows (Dongarra, Hammarling and Sorensen 1989, LAPACK's gebrd).
//
// Within a panel the rest of A stays as it is, and the reduced matrix is
// A − Pᵀ·Q with two rows of P and Q for each column done: those of P are the left
// reflector v and A·u, those of Q are Aᵀ·v and the right reflector u, with
// corrections. So half of the work are products with A of one vector, and half are
// a matrix product at the end of a panel. The former are limited by memory: the
// first goes down A and the second up, to meet in the cache what the other has left.
//
// Everything that is read by columns elsewhere lies in rows here.
type bidiagonalise[T Float] struct {
	kern       *asm.Kernels[T]
	a          Matrix[T] // m×n, destroyed
	left       Matrix[T] // n×m, row g: left reflector g, zero before g, 1 at g
	right      Matrix[T] // n×n, row g: right reflector g, zero up to g, 1 at g+1
	tauL, tauR []T       // their factors
	d, e       []T       // diagonal and superdiagonal, n each; the last e is 0
	p, q       Matrix[T] // 2·panel × m and × n
	sums       Matrix[T] // rowStrips × max(m, n)
	coef       []T       // 2·panel
	threads    int
	first      int // column of the panel that workers share
}

// rowStrips is the number of strips of rows whose sums Aᵀ·v are added. It fixes the
// order of additions.
const rowStrips = 4

// bidiagonalPanel returns the width of a panel, which changes the order of
// operations.
func bidiagonalPanel[T Float]() int { return 16 }

// bidiagonalSpace returns the number of elements of p, q, sums and coef together.
func bidiagonalSpace[T Float](m, n int) int {
	b := 2 * bidiagonalPanel[T]()
	return (b+rowStrips)*panelStride[T](m) + b*panelStride[T](n) + b
}

// use takes p, q, sums and coef from the workspace.
func (r *bidiagonalise[T]) use(work []T) {
	b := 2 * bidiagonalPanel[T]()
	r.p, work = cutMatrix(work, b, r.a.Rows)
	r.q, work = cutMatrix(work, b, r.a.Cols)
	r.sums, work = cutMatrix(work, rowStrips, r.a.Rows)
	r.coef = work[:b]
}

// cutMatrix splits a matrix with padded rows off the front of w.
func cutMatrix[T Float](w []T, rows, cols int) (Matrix[T], []T) {
	ld := panelStride[T](cols)
	return Matrix[T]{rows, cols, ld, w[: rows*ld : rows*ld]}, w[rows*ld:]
}

var reductions32, reductions64 sync.Pool

// passFrom is the number of elements of a matrix from which on it pays to share a
// product with a vector.
const passFrom = 1 << 15

// run does the reduction.
func (r *bidiagonalise[T]) run() {
	n := r.a.Cols
	r.kern = asm.For[T]()
	for lo := 0; lo < n; lo += bidiagonalPanel[T]() {
		hi := min(lo+bidiagonalPanel[T](), n)
		if workers := min(r.threads, rowStrips); workers > 1 && (r.a.Rows-lo)*(n-lo) >= 2*passFrom {
			r.first = lo
			par.Share(poolOf[T](&reductions32, &reductions64), workers, r)
		} else {
			r.panel(nil, 0, lo, hi)
		}
		if hi < n {
			rest := r.a.View(hi, hi, r.a.Rows-hi, n-hi)
			k := 2 * (hi - lo)
			Gemm(blas.Trans, blas.NoTrans, -1, r.p.View(0, hi, k, rest.Rows), r.q.View(0, hi, k, rest.Cols), 1, rest, &Opts[T]{Threads: r.threads})
		}
	}
}

// work does the part of worker w of a panel.
func (r *bidiagonalise[T]) Work(team *par.Team, w int) {
	r.panel(team, w, r.first, min(r.first+bidiagonalPanel[T](), r.a.Cols))
}

// panel reduces columns and rows lo to hi. Worker 0 does what is small.
func (r *bidiagonalise[T]) panel(team *par.Team, w, lo, hi int) {
	n := r.a.Cols
	if w == 0 {
		transposeTiles(r.kern, r.a.View(lo, lo, r.a.Rows-lo, hi-lo), r.left.View(lo, lo, hi-lo, r.a.Rows-lo))
	}
	for g := lo; g < hi; g++ {
		j := g - lo
		if w == 0 {
			r.leftReflector(g, j)
		}
		if g == n-1 {
			return
		}
		wait(team)
		r.passDown(team, w, g)
		wait(team)
		if w == 0 {
			r.rightReflector(g, j)
		}
		wait(team)
		r.passUp(team, w, g, j)
		wait(team)
		if w == 0 {
			r.correct(g, j)
		}
	}
}

// leftReflector brings column g up to date, which is column j of the panel, and
// makes the reflector that clears it below the diagonal.
func (r *bidiagonalise[T]) leftReflector(g, j int) {
	m := r.a.Rows
	c := r.left.Row(g)
	coef := r.column(r.q, g, 2*j)
	r.kern.GemvT(2*j, m-g, -1, r.p.Data[g:], r.p.Stride, coef, c[g:])
	r.d[g], r.tauL[g] = reflector(r.kern, c[g], c[g+1:])
	clear(c[:g])
	c[g] = 1
	copy(r.p.Row(2 * j)[g:], c[g:])
}

// column returns the first k elements of column g of x.
func (r *bidiagonalise[T]) column(x Matrix[T], g, k int) []T {
	c := r.coef[:k]
	for l := range c {
		c[l] = x.Data[l*x.Stride+g]
	}
	return c
}

// strips returns the number of strips of A[g:, g+1:], and those of worker w.
func (r *bidiagonalise[T]) strips(team *par.Team, w, g int) (strips, lo, hi int) {
	strips = 1
	if (r.a.Rows-g)*(r.a.Cols-g-1) >= passFrom {
		strips = rowStrips
	}
	if team == nil {
		return strips, 0, strips
	}
	lo, hi = par.Range(strips, team.Workers(), w, 1)
	return strips, lo, hi
}

// passDown computes the sums of A[g:, g+1:]ᵀ·v over the strips of worker w.
func (r *bidiagonalise[T]) passDown(team *par.Team, w, g int) {
	m, n, ld := r.a.Rows-g, r.a.Cols-g-1, r.a.Stride
	strips, lo, hi := r.strips(team, w, g)
	step := rowsPerCall[T](n)
	v := r.left.Row(g)[g:]
	for s := lo; s < hi; s++ {
		sum := r.sums.Row(s)[:n]
		clear(sum)
		i0, i1 := blockOf(m, s, strips)
		for i := i0; i < i1; i += step {
			r.kern.GemvT(min(step, i1-i), n, 1, r.a.Data[(g+i)*ld+g+1:], ld, v[i:], sum)
		}
	}
}

// rightReflector completes Aᵀ·v for the reduced matrix, brings row g up to date and
// makes the reflector that clears it after the superdiagonal.
func (r *bidiagonalise[T]) rightReflector(g, j int) {
	m, n := r.a.Rows-g, r.a.Cols-g-1
	strips, _, _ := r.strips(nil, 0, g)
	y := r.q.Row(2 * j)[g+1:]
	copy(y, r.sums.Row(0)[:n])
	for s := 1; s < strips; s++ {
		r.kern.AddTo(y, r.sums.Row(s)[:n], y)
	}
	v := r.left.Row(g)[g:]
	coef := r.coef[:2*j]
	clear(coef)
	r.kern.GemvN(2*j, m, 1, r.p.Data[g:], r.p.Stride, v, coef)
	r.kern.GemvT(2*j, n, -1, r.q.Data[g+1:], r.q.Stride, coef, y)
	r.kern.Scal(r.tauL[g], y)

	u := r.right.Row(g)
	clear(u[:g+1])
	u = u[g+1:]
	copy(u, r.a.Row(g)[g+1:])
	coef = r.column(r.p, g, 2*j+1)
	r.kern.GemvT(2*j+1, n, -1, r.q.Data[g+1:], r.q.Stride, coef, u)
	r.e[g], r.tauR[g] = reflector(r.kern, u[0], u[1:])
	u[0] = 1
	copy(r.q.Row(2*j + 1)[g+1:], u)
}

// passUp computes A[g+1:, g+1:]·u in the strips of worker w.
func (r *bidiagonalise[T]) passUp(team *par.Team, w, g, j int) {
	const step = 64
	m, n, ld := r.a.Rows-g, r.a.Cols-g-1, r.a.Stride
	strips, lo, hi := r.strips(team, w, g)
	u, x := r.right.Row(g)[g+1:], r.p.Row(2*j + 1)[g:]
	for s := hi - 1; s >= lo; s-- {
		i0, i1 := blockOf(m, s, strips)
		i0 = max(i0, 1)
		for end := i1; end > i0; {
			i := max(i0, end-step)
			clear(x[i:end])
			r.kern.GemvN(end-i, n, 1, r.a.Data[(g+i)*ld+g+1:], ld, u, x[i:])
			end = i
		}
	}
}

// correct completes A·u for the reduced matrix.
func (r *bidiagonalise[T]) correct(g, j int) {
	m, n := r.a.Rows-g-1, r.a.Cols-g-1
	u, x := r.right.Row(g)[g+1:], r.p.Row(2*j + 1)[g+1:]
	coef := r.coef[:2*j+1]
	clear(coef)
	r.kern.GemvN(2*j+1, n, 1, r.q.Data[g+1:], r.q.Stride, u, coef)
	r.kern.GemvT(2*j+1, m, -1, r.p.Data[g+1:], r.p.Stride, coef, x)
	r.kern.Scal(r.tauR[g], x)
}
