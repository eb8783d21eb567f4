package dense

import (
	"fmt"
	"sync"
	"unsafe"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/internal/par"
	"gonum.org/v1/gonum/blas"
)

// QR factors the m×n matrix a = Q·R in place by Householder reflections,
// Q = H₁·H₂⋯H_k with k = min(m, n) and H_j = I − tau[j]·v·vᵀ. Afterwards the upper
// triangle (trapezoid if m < n) of a holds R and what is below the diagonal of
// column j holds v behind its zeros and its 1, as LAPACK's geqrf leaves them.
// The diagonal of R may have any sign.
//
// Shapes: a is m×n, tau has k elements. Cost: 2k²(max(m, n) − k/3) flops.
// Workspace: QRWork(m, n, threads).
// A NaN or an infinity in a makes NaNs, of a column and at least those after it.
// Order: panels of a width that the shape decides; see qrPanel and formT.
// Accuracy: ‖A−QR‖₁ ≤ 10·m·ε·‖A‖₁ and ‖QᵀQ−I‖₁ ≤ 10·m·ε (tested), also where
// elements are at the ends of the range: such a matrix is scaled by a power
// of two and R back again.
// Source: Golub and Van Loan, Matrix computations, 4th ed., section 5.2.3.
func QR[T Float](a Matrix[T], tau []T, o *Opts[T]) {
	const op = "QR"
	a.check(op, "a")
	checkTau(op, tau, min(a.Rows, a.Cols), &a)
	q := newQR[T](a.Rows, a.Cols, threadsOf(o, a.Rows*a.Cols*min(a.Rows, a.Cols)), 0)
	if q.k == 0 {
		return
	}
	scale := safeScale(maxAbsOf(asm.For[T](), a))
	w, pooled := scratch(o, op, q.length())
	q.run(a, tau, scale, w)
	release(pooled)
}

// QRWork returns the length of the workspace of QR for an m×n matrix on the given
// number of threads.
func QRWork[T Float](m, n, threads int) int {
	q := newQR[T](m, n, par.Threads(threads), 0)
	return q.length() + alignSlack[T]()
}

// checkTau panics unless tau has the length k.
func checkTau[T Float](op string, tau []T, k int, a *Matrix[T]) {
	if len(tau) != k {
		panic(fmt.Sprintf("dense: %s: a is %dx%d, tau has %d elements", op, a.Rows, a.Cols, len(tau)))
	}
}

// threadsOf returns the number of threads for an operation of n multiply-adds.
func threadsOf[T Float](o *Opts[T], n int) int {
	if n < qrParallelFrom || o.single() {
		return 1
	}
	return o.threads()
}

// qrParallelFrom is the number m·n·k from which a factorisation takes more than one
// thread: at order 128 a second one gains nothing.
const qrParallelFrom = 160 * 160 * 160

// qrBlock returns the width of a panel for k reflectors. It fixes the order of
// operations.
func qrBlock(k int) int {
	if k <= 256 {
		return 32
	}
	return 64
}

// reflectorBlocks is the space for blocks of reflectors on their way through a
// factorisation: block b has the columns b·nb to (b+1)·nb.
type reflectorBlocks[T Float] struct {
	kern   *asm.Kernels[T]
	m, k   int // length and number of the reflectors
	nb     int
	v      []T // two blocks, which take turns
	t      []T // slots blocks
	slots  int
	vSize  int
	tSize  int
	blocks int
}

func newReflectorBlocks[T Float](m, k, slots int) reflectorBlocks[T] {
	r := reflectorBlocks[T]{kern: asm.For[T](), m: m, k: k, nb: min(k, qrBlock(k)), slots: max(2, slots)}
	if k > 0 {
		r.blocks = blocks(k, r.nb)
	}
	r.vSize = roundUp(r.nb*panelStride[T](m), alignSlack[T]())
	r.tSize = roundUp(r.nb*r.nb, alignSlack[T]())
	return r
}

// length returns the length of the space.
func (r *reflectorBlocks[T]) length() int { return 2*r.vSize + r.slots*r.tSize }

// take takes the space off the front of w.
func (r *reflectorBlocks[T]) take(w []T) (rest []T) {
	r.v, w = w[:2*r.vSize], w[2*r.vSize:]
	r.t, w = w[:r.slots*r.tSize], w[r.slots*r.tSize:]
	return w
}

// columns returns the columns of block b.
func (r *reflectorBlocks[T]) columns(b int) (lo, hi int) { return b * r.nb, min(r.k, (b+1)*r.nb) }

// block returns the space of block b.
func (r *reflectorBlocks[T]) block(b int) blockReflector[T] {
	lo, hi := r.columns(b)
	w, m := hi-lo, r.m-lo
	v, t := r.v[b%2*r.vSize:], r.t[b%r.slots*r.tSize:]
	return blockReflector[T]{Matrix[T]{w, m, panelStride[T](m), v[:r.vSize]}, Matrix[T]{w, w, w, t[:w*w]}}
}

// qrCall is one factorisation.
//
// Panels are factored by worker 0. With more workers than one it looks ahead: it
// updates the columns of the next panel first and factors that, while the others
// update what is to the right of it. No element knows the number of workers.
type qrCall[T Float] struct {
	reflectorBlocks[T]
	a       Matrix[T]
	n       int
	tau     []T
	workers int
	panel   int // workspace of a panel
	each    int // workspace of a worker
	space   []T
}

// newQR plans the factorisation of an m×n matrix that keeps so many T.
func newQR[T Float](m, n, threads, keep int) qrCall[T] {
	q := qrCall[T]{reflectorBlocks: newReflectorBlocks[T](m, min(m, n), keep), n: n}
	q.workers = 1
	if m*n*q.k >= qrParallelFrom {
		q.workers = max(1, min(threads, n/q.nb))
	}
	q.panel = qrPanelWork[T](q.nb, m) + q.tSize
	q.each = roundUp(applyLeftWork[T](q.nb, m, n, 1), alignSlack[T]())
	return q
}

func (q *qrCall[T]) length() int {
	return q.reflectorBlocks.length() + roundUp(q.panel, alignSlack[T]()) + q.workers*q.each
}

// run factors a after it has been multiplied by scale.
func (q *qrCall[T]) run(a Matrix[T], tau []T, scale T, w []T) {
	q.a, q.tau = a, tau
	q.space = q.take(w)
	if scale != 1 {
		for i := range a.Rows {
			scaleInChunks(q.kern, scale, a.Row(i))
		}
	}
	if q.workers == 1 {
		q.Work(nil, 0)
	} else {
		par.Share(poolOf[T](&qrCalls32, &qrCalls64), q.workers, q)
	}
	if scale != 1 {
		for i := range q.k {
			scaleInChunks(q.kern, 1/scale, a.Row(i)[i:])
		}
	}
}

var qrCalls32, qrCalls64 sync.Pool

// Work does the part of worker w.
func (q *qrCall[T]) Work(team *par.Team, w int) {
	if w == 0 {
		q.factor(0)
	}
	for b := range q.blocks {
		if q.workers > 1 {
			team.Wait()
		}
		_, hi := q.columns(b)
		ahead := min(q.k, hi+q.nb)
		if w == 0 && q.workers > 1 && hi < q.k {
			q.update(w, b, hi, ahead)
			q.factor(b + 1)
		}
		q.update(w, b, q.share(b, w), q.share(b, w+1))
		if q.workers == 1 && hi < q.k {
			q.factor(b + 1)
		}
	}
}

// panelCost is the time to factor a panel, in that of updates of as many columns.
const panelCost = 3

// share returns the first column of worker w in the update with block b.
func (q *qrCall[T]) share(b, w int) int {
	_, lo := q.columns(b)
	if q.workers == 1 {
		return lo + w*(q.n-lo)
	}
	ahead := min(q.k, lo+q.nb)
	busy := (ahead - lo) * (1 + panelCost)
	first := max(0, (q.n-ahead+busy)/q.workers-busy) / alignSlack[T]() * alignSlack[T]()
	switch w {
	case 0:
		return ahead
	case q.workers:
		return q.n
	}
	j, _ := par.Range(q.n-ahead-first, q.workers-1, w-1, alignSlack[T]())
	return ahead + first + j
}

// factor factors panel b.
func (q *qrCall[T]) factor(b int) {
	lo, hi := q.columns(b)
	w := hi - lo
	top, work := cut(q.space[:q.panel], w*w)
	p := qrPanel[T]{q.kern, q.block(b), Matrix[T]{w, w, w, top}, q.tau[lo:hi], work}
	a := q.a.View(lo, lo, q.m-lo, w)
	p.load(a)
	p.factor(0, w)
	p.store(a)
}

// update applies block b to the columns lo to hi.
func (q *qrCall[T]) update(w, b, lo, hi int) {
	if lo >= hi {
		return
	}
	h := q.block(b)
	i, _ := q.columns(b)
	start := roundUp(q.panel, alignSlack[T]()) + w*q.each
	h.applyLeft(blas.Trans, q.a.View(i, lo, q.m-i, hi-lo), &Opts[T]{Threads: 1, Work: q.space[start : start+q.each]})
}

// QRForm writes the first columns of Q = H₁·H₂⋯H_k to q, from a and tau as QR leaves
// them: the thin Q if q has k columns, the whole of it if q is square.
//
// Shapes: tau has k elements, a is m×n with n ≥ k, of which what is below the
// diagonal of the first k columns is read; q is m×p with k ≤ p ≤ m. q must not
// overlap a, unless it is a itself, with p = n: then it is formed in place.
// Cost: 4mpk − 2(m+p)k² + 4k³/3 flops. Workspace: QRFormWork(m, p, k, threads).
// Accuracy: ‖QᵀQ−I‖₁ ≤ 10·m·ε (tested).
func QRForm[T Float](a Matrix[T], tau []T, q Matrix[T], o *Opts[T]) {
	const op = "QRForm"
	a.check(op, "a")
	q.check(op, "q")
	k := len(tau)
	if k > a.Cols || q.Rows != a.Rows || q.Cols < k || q.Cols > q.Rows {
		panic(fmt.Sprintf("dense: %s: a is %dx%d, tau has %d elements, q is %dx%d", op, a.Rows, a.Cols, k, q.Rows, q.Cols))
	}
	same := unsafe.SliceData(a.Data) == unsafe.SliceData(q.Data) && a.Cols == q.Cols && a.Stride == q.Stride
	if !same {
		checkApart(op, &q, "q", &a, "a")
	}
	if q.Rows == 0 || q.Cols == 0 {
		return
	}
	f := newQRForm[T](q.Rows, q.Cols, k, threadsOf(o, q.Rows*q.Cols*k), 0)
	w, pooled := scratch(o, op, f.length())
	f.from = a
	f.run(q, tau, w)
	release(pooled)
}

// QRFormWork returns the length of the workspace of QRForm for k reflectors and an
// m×p matrix q on the given number of threads.
func QRFormWork[T Float](m, p, k, threads int) int {
	f := newQRForm[T](m, p, k, par.Threads(threads), 0)
	return f.length() + alignSlack[T]()
}

// qrFormCall forms Q, from the last block of reflectors to the first, each of which
// is copied out before what it has made goes in its place.
type qrFormCall[T Float] struct {
	reflectorBlocks[T]
	q, from  Matrix[T] // from holds the vectors; may be q
	tau      []T
	haveT    bool // t holds all T
	workers  int
	prepared int // workspace to prepare a block
	each     int
	space    []T
}

func newQRForm[T Float](m, p, k, threads, keep int) qrFormCall[T] {
	f := qrFormCall[T]{reflectorBlocks: newReflectorBlocks[T](m, k, keep)}
	f.workers = 1
	if m*p*k >= qrParallelFrom {
		f.workers = max(1, min(threads, p/f.nb))
	}
	f.prepared = roundUp(formTWork[T](f.nb, m), alignSlack[T]())
	f.each = roundUp(max(applyLeftWork[T](f.nb, m, p, 1), 2*f.tSize+gemmRoom[T](m, f.nb, f.nb, 1)), alignSlack[T]())
	return f
}

func (f *qrFormCall[T]) length() int {
	return f.reflectorBlocks.length() + f.prepared + f.workers*f.each
}

func (f *qrFormCall[T]) run(q Matrix[T], tau, w []T) {
	f.q, f.tau = q, tau
	f.space = f.take(w)
	// Columns beyond the reflectors begin as those of the identity.
	for i := range q.Rows {
		clear(q.Row(i)[f.k:])
		if i >= f.k && i < q.Cols {
			q.Row(i)[i] = 1
		}
	}
	if f.k == 0 {
		return
	}
	if f.workers == 1 {
		f.Work(nil, 0)
	} else {
		par.Share(poolOf[T](&qrForms32, &qrForms64), f.workers, f)
	}
}

var qrForms32, qrForms64 sync.Pool

// Work does the part of worker w.
func (f *qrFormCall[T]) Work(team *par.Team, w int) {
	if w == 0 {
		f.prepare(f.blocks - 1)
	}
	for b := f.blocks - 1; b >= 0; b-- {
		if f.workers > 1 {
			team.Wait()
		}
		f.update(w, b, f.share(b, w), f.share(b, w+1))
		if w == 0 {
			if b > 0 {
				f.prepare(b - 1)
			}
			f.begin(b)
		}
	}
}

// share returns the first column of worker w in the update with block b; worker 0
// has the columns of the block itself and the preparation of the next besides.
func (f *qrFormCall[T]) share(b, w int) int {
	lo, hi := f.columns(b)
	n := f.q.Cols - hi
	switch w {
	case 0:
		return hi
	case f.workers:
		return f.q.Cols
	}
	busy := 2 * (hi - lo)
	first := max(0, (n+busy)/f.workers-busy) / alignSlack[T]() * alignSlack[T]()
	j, _ := par.Range(n-first, f.workers-1, w-1, alignSlack[T]())
	return hi + first + j
}

// prepare makes block b from its vectors.
func (f *qrFormCall[T]) prepare(b int) {
	lo, hi := f.columns(b)
	h := f.block(b)
	vectorsFromColumns(f.kern, f.from.View(lo, lo, f.m-lo, hi-lo), h.v)
	if !f.haveT {
		h.formT(f.kern, f.tau[lo:hi], f.space[:f.prepared])
	}
}

func (f *qrFormCall[T]) spaceOf(w int) []T {
	return f.space[f.prepared+w*f.each : f.prepared+(w+1)*f.each]
}

// update applies block b to the columns lo to hi behind it, whose rows of the block
// are zero.
func (f *qrFormCall[T]) update(w, b, lo, hi int) {
	if lo >= hi {
		return
	}
	h := f.block(b)
	i, _ := f.columns(b)
	h.applyLeftBelow(blas.NoTrans, f.q.View(i, lo, f.m-i, hi-lo), h.v.Rows, &Opts[T]{Threads: 1, Work: f.spaceOf(w)})
}

// begin writes the columns of block b: (I − Vᵀ·T·V)·E = E − Vᵀ·(T·V·E), E the first
// columns of the identity.
func (f *qrFormCall[T]) begin(b int) {
	h := f.block(b)
	lo, hi := f.columns(b)
	w := hi - lo
	x, rest := cut(f.spaceOf(0), w*w)
	y, rest := cut(rest, w*w)
	o := &Opts[T]{Threads: 1, Work: rest}
	head, tv := Matrix[T]{w, w, w, x}, Matrix[T]{w, w, w, y}
	head.Copy(h.v.View(0, 0, w, w))
	Gemm(blas.NoTrans, blas.NoTrans, -1, h.t, head, 0, tv, o)
	c := f.q.View(lo, lo, f.m-lo, w)
	Gemm(blas.Trans, blas.NoTrans, 1, h.v, tv, 0, c, o)
	for j := range w {
		c.Data[j*c.Stride+j]++
	}
	for i := range lo {
		clear(f.q.Row(i)[lo:hi])
	}
}
