package dense

import (
	"github.com/precond-go/precond/asm"
	"gonum.org/v1/gonum/blas"
)

// QRRandomized is QRPivoted with the columns of each panel chosen by a pivoted
// factorisation of a random sketch, a few dozen combinations of the rows of what is
// left of A. Nearly all of its work is in matrix products, so on large matrices it
// is faster. R shows the rank as well as that of QRPivoted does in practice, though
// |R[j,j]| may increase a little from one panel to the next.
//
// The factorisation is as accurate as any QR for whatever columns are chosen. seed
// selects the sketch; equal seeds give equal results, on every machine.
//
// Arguments, NaN and accuracy as for QRPivoted.
// Cost: that of QR, and about a third more for panels of 32 columns.
// Workspace: QRRandomizedWork(m, n, threads), more than m·n.
// Source: Martinsson, Quintana-Ortí, Heavner and van de Geijn, Householder QR
// factorization with randomization for column pivoting (HQRRP), SIAM J. Sci. Comput.
// 39 (2017); Duersch and Gu, Randomized QR with column pivoting, ibid.
func QRRandomized[T Float](a Matrix[T], tau []T, pivots []int, seed uint64, o *Opts[T]) {
	const op = "QRRandomized"
	checkPivoted(op, &a, tau, pivots)
	if len(tau) == 0 {
		unpermuted(pivots)
		return
	}
	scale := unitScale(maxAbsOf(asm.For[T](), a))
	r := newRandomCall[T](a.Rows, a.Cols, threadsOf(o, a.Rows*a.Cols*len(tau)))
	w, pooled := scratch(o, op, r.length())
	unpermuted(pivots)
	r.run(a, tau, pivots, seed, scale, w)
	release(pooled)
}

// QRRandomizedWork returns the length of the workspace of QRRandomized for an m×n
// matrix on the given number of threads.
func QRRandomizedWork[T Float](m, n, threads int) int {
	r := newRandomCall[T](m, n, threadsOf(&Opts[T]{Threads: threads}, m*n*min(m, n)))
	return r.length() + alignSlack[T]()
}

// Sizes of the sketch. They fix the order of operations.
const (
	randomPanel = 32              // columns that one sketch chooses
	sketchRows  = randomPanel + 8 // rows of the sketch
)

// randomCall is one call of QRRandomized.
//
// The matrix is held by columns, each a row of all, and the random combinations of
// rows, G, follow them as more rows. So what is applied to the columns from the
// left is applied to G from the right, and the sketch of what is left of A, which
// is G·A, can be kept up with by taking off the part of the rows that became R.
type randomCall[T Float] struct {
	kern    *asm.Kernels[T]
	m, n, k int
	threads int
	vectors int // length of the space for a block of reflectors
	each    int // workspace of products
	pivoted int // workspace of pivotCall

	all    Matrix[T] // (n + sketchRows)×m
	sketch Matrix[T] // n×sketchRows, G·A by columns
	trial  Matrix[T] // the same, for the pivoted factorisation to overwrite
	h      blockReflector[T]
	space  []T
}

func newRandomCall[T Float](m, n, threads int) randomCall[T] {
	r := randomCall[T]{kern: asm.For[T](), m: m, n: n, k: min(m, n), threads: threads}
	r.vectors = roundUp(randomPanel*panelStride[T](m), alignSlack[T]()) + roundUp(randomPanel*randomPanel, alignSlack[T]())
	r.each = roundUp(max(applyRightWork[T](randomPanel, m, n+sketchRows, threads), formTWork[T](randomPanel, m),
		gemmRoom[T](n, sketchRows, m, threads)), alignSlack[T]())
	p, q := newPivotCall[T](sketchRows, n, randomPanel, threads), newPivotCall[T](m, randomPanel, randomPanel, threads)
	r.pivoted = roundUp(max(p.length(), q.length()), alignSlack[T]())
	return r
}

func (r *randomCall[T]) length() int {
	return roundUp((r.n+sketchRows)*panelStride[T](r.m), alignSlack[T]()) + 2*roundUp(r.n*sketchRows, alignSlack[T]()) +
		r.vectors + max(r.each, r.pivoted)
}

// run factors a.
func (r *randomCall[T]) run(a Matrix[T], tau []T, pivots []int, seed uint64, scale T, w []T) {
	ld := panelStride[T](r.m)
	data, w := cut(w, (r.n+sketchRows)*ld)
	r.all = Matrix[T]{r.n + sketchRows, r.m, ld, data}
	data, w = cut(w, r.n*sketchRows)
	r.sketch = Matrix[T]{r.n, sketchRows, sketchRows, data}
	data, w = cut(w, r.n*sketchRows)
	r.trial = Matrix[T]{r.n, sketchRows, sketchRows, data}
	data, r.space = w[:r.vectors], w[r.vectors:]
	r.h.v.Data, r.h.t.Data = cut(data, randomPanel*ld)

	columns := pivotCall[T]{kern: r.kern, columns: r.all.View(0, 0, r.n, r.m)}
	columns.load(a, scale)
	combine(r.all.View(r.n, 0, sketchRows, r.m), seed)
	Gemm(blas.NoTrans, blas.Trans, 1, r.all.View(0, 0, r.n, r.m), r.all.View(r.n, 0, sketchRows, r.m), 0, r.sketch, r.opts())
	for j := 0; j < r.k; j += randomPanel {
		r.panel(j, min(j+randomPanel, r.k), tau, pivots)
	}
	columns.store(a, scale)
}

func (r *randomCall[T]) opts() *Opts[T] { return &Opts[T]{Threads: r.threads, Work: r.space} }

// combine fills g with independent random numbers in (−1, 1), the same for both
// element types.
func combine[T Float](g Matrix[T], seed uint64) {
	for i := range g.Rows {
		row := g.Row(i)
		key := mix64(mix64(seed) + uint64(i))
		for j := range row {
			z := mix64(key + uint64(j+1)*0x9e3779b97f4a7c15)
			row[j] = (T(z>>41)+0.5)/(1<<22) - 1 // exact
		}
	}
}

// mix64 is the output function of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
func mix64(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// panel chooses, factors and applies columns lo to hi.
func (r *randomCall[T]) panel(lo, hi int, tau []T, pivots []int) {
	w := hi - lo
	if r.n-lo > w { // otherwise nothing is to be chosen
		trial := r.trial.View(lo, 0, r.n-lo, sketchRows)
		trial.Copy(r.sketch.View(lo, 0, r.n-lo, sketchRows))
		r.choose(trial, w, lo, pivots)
	}
	// Within the panel the columns are pivoted by their own norms.
	r.factor(lo, hi, tau, pivots)
	if hi == r.n {
		return
	}
	r.block(lo, hi, tau)
	r.h.applyRight(blas.NoTrans, r.all.View(hi, lo, r.n+sketchRows-hi, r.m-lo), r.opts())
	Gemm(blas.NoTrans, blas.Trans, -1, r.all.View(hi, lo, r.n-hi, w), r.all.View(r.n, lo, sketchRows, w), 1,
		r.sketch.View(hi, 0, r.n-hi, sketchRows), r.opts())
}

// choose brings the columns that the sketch chooses to lo and behind.
func (r *randomCall[T]) choose(trial Matrix[T], w, lo int, pivots []int) {
	c := newPivotCall[T](sketchRows, trial.Rows, w, r.threads)
	c.columns, c.tau, c.pivots = trial, r.h.t.Data[:w], pivots[lo:]
	c.along = [2]Matrix[T]{r.all.View(lo, 0, r.n-lo, r.m), r.sketch.View(lo, 0, r.n-lo, sketchRows)}
	c.run(r.space)
}

// factor factors the columns lo to hi.
func (r *randomCall[T]) factor(lo, hi int, tau []T, pivots []int) {
	w, m := hi-lo, r.m-lo
	c := newPivotCall[T](m, w, w, r.threads)
	c.columns, c.tau, c.pivots = r.all.View(lo, lo, w, m), tau[lo:hi], pivots[lo:hi]
	c.along[0] = r.all.View(lo, 0, w, lo) // the rows above, which are part of R
	c.run(r.space)
}

// block makes the block of the reflectors of columns lo to hi.
func (r *randomCall[T]) block(lo, hi int, tau []T) {
	w, m := hi-lo, r.m-lo
	r.h.v = Matrix[T]{w, m, panelStride[T](m), r.h.v.Data}
	r.h.t = Matrix[T]{w, w, w, r.h.t.Data}
	for i := range w {
		v := r.h.v.Row(i)
		copy(v[i:], r.all.Row(lo + i)[lo+i:])
		clear(v[:i])
		v[i] = 1
	}
	r.h.formT(r.kern, tau[lo:hi], r.space)
}
