package dense

import (
	"fmt"
	"sync"
	"unsafe"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/internal/par"
	"gonum.org/v1/gonum/blas"
)

// QRThin factors the m×n matrix a = Q·R, m ≥ n, and writes Q, whose columns are
// orthonormal, in place of a, and the upper triangular R to r. It is QR and
// QRForm in one, and faster: it does not make the blocks of reflectors twice, and it
// factors tall matrices in parts that fit into cache and that threads share out
// (TSQR). Columns that depend on those before them get columns of Q all the
// same, which complete an orthonormal set.
//
// Shapes: a is m×n with m ≥ n; r is n×n, or empty if R is not wanted, and must not
// overlap a. Cost: 4n²(m − n/3) flops, up to 5mn² if a is tall.
// Workspace: QRThinWork(m, n, threads).
// A NaN or an infinity in a makes NaNs.
// Accuracy: ‖A−QR‖₁ ≤ 10·m·ε·‖A‖₁ and ‖QᵀQ−I‖₁ ≤ 10·m·ε (tested), whatever the
// condition of a: all is done by Householder reflections.
// Source: Demmel, Grigori, Hoemmen and Langou, Communication-optimal parallel and
// sequential QR and LU factorizations, SIAM J. Sci. Comput. 34 (2012).
func QRThin[T Float](a, r Matrix[T], o *Opts[T]) {
	const op = "QRThin"
	a.check(op, "a")
	r.check(op, "r")
	m, n := a.Rows, a.Cols
	wanted := r.Rows != 0 || r.Cols != 0
	if m < n || wanted && (r.Rows != n || r.Cols != n) {
		panic(fmt.Sprintf("dense: %s: a is %dx%d, r is %dx%d", op, m, n, r.Rows, r.Cols))
	}
	checkApart(op, &r, "r", &a, "a")
	if n == 0 {
		return
	}
	scale := safeScale(maxAbsOf(asm.For[T](), a))
	c := newQRThin[T](m, n, threadsOf(o, m*n*n))
	w, pooled := scratch(o, op, roundUp(n*n, alignSlack[T]())+c.length())
	triangle, w := cut(w, n*n)
	x := Matrix[T]{n, n, n, triangle}
	if scale != 1 {
		for i := range m {
			scaleInChunks(c.kern, scale, a.Row(i))
		}
	}
	c.run(a, x, w)
	if wanted {
		r.Copy(x)
		if scale != 1 {
			for i := range n {
				scaleInChunks(c.kern, 1/scale, r.Row(i)[i:])
			}
		}
	}
	release(pooled)
}

// QRThinWork returns the length of the workspace of QRThin for an m×n matrix on the
// given number of threads.
func QRThinWork[T Float](m, n, threads int) int {
	c := newQRThin[T](m, n, threadsOf(&Opts[T]{Threads: threads}, m*n*n))
	return roundUp(n*n, alignSlack[T]()) + c.length() + alignSlack[T]()
}

// Sizes of tall matrices. They fix the order of operations.
const (
	wholePanel  = 64      // up to so many columns are one panel with one T
	tallColumns = 256     // up to so many columns are factored in parts
	partBytes   = 1 << 21 // of a part, at least: four times as many rows as columns
)

// thinParts returns the number of parts in which m rows of n columns are factored.
func thinParts[T Float](m, n int) int {
	if n == 0 || n > tallColumns {
		return 1
	}
	return max(1, m/max(4*n, partBytes/int(unsafe.Sizeof(T(0)))/n))
}

// thinCall is one call of QRThin.
//
// Each part of the rows is factored as one panel. The triangles R of the parts, one
// below the other, are a matrix that is factored in the same way. If C is the piece
// of its Q that belongs to a part, the rows of Q of the part are
// (I − Vᵀ·T·V)·(C, 0) = (C, 0) − Vᵀ·(T·V₁·C), V₁ the first columns of V.
type thinCall[T Float] struct {
	kern    *asm.Kernels[T]
	m, n    int
	parts   int
	workers int
	square  int // n×n elements, rounded up
	panel   int // n vectors of a part, rounded up
	room    int // workspace of products and panels
	threads int

	a       Matrix[T]
	stacked Matrix[T] // R of the parts, then Q
	v, t    []T       // blocks of reflectors of the parts
	space   []T
	forming bool
}

func newQRThin[T Float](m, n, threads int) thinCall[T] {
	c := thinCall[T]{kern: asm.For[T](), m: m, n: n, parts: thinParts[T](m, n), threads: threads}
	c.workers = max(1, min(threads, c.parts))
	c.square = roundUp(n*n, alignSlack[T]())
	rows := (m + c.parts - 1) / c.parts
	c.panel = roundUp(n*panelStride[T](rows), alignSlack[T]())
	c.room = roundUp(max(qrPanelWork[T](n, rows), gemmRoom[T](rows, n, n, 1)), alignSlack[T]())
	return c
}

// whole returns whether the matrix is factored as one panel.
func (c *thinCall[T]) whole() bool { return c.parts == 1 && c.n <= wholePanel }

// each returns the length of the workspace of a worker.
func (c *thinCall[T]) each() int {
	return 2*c.square + roundUp(c.n, alignSlack[T]()) + c.room
}

func (c *thinCall[T]) length() int {
	if c.whole() {
		return c.panel + c.square + c.each()
	}
	if c.parts == 1 {
		q, f := c.blocked()
		return c.n + alignSlack[T]() + max(q.length(), f.length())
	}
	next := newQRThin[T](c.parts*c.n, c.n, c.threads)
	return c.parts*(c.panel+2*c.square) + max(c.workers*c.each(), next.length())
}

// blocked returns the plans of a factorisation by panels that keeps all T, and of
// forming Q, which have the blocks of reflectors in common.
func (c *thinCall[T]) blocked() (qrCall[T], qrFormCall[T]) {
	keep := blocks(c.n, qrBlock(c.n))
	return newQR[T](c.m, c.n, c.threads, keep), newQRForm[T](c.m, c.n, c.n, c.threads, keep)
}

// run factors a and writes R to r, of order n.
func (c *thinCall[T]) run(a, r Matrix[T], w []T) {
	c.a = a
	if c.parts == 1 {
		c.runWhole(r, w)
		return
	}
	n := c.n
	stacked, w := cut(w, c.parts*c.square)
	c.v, w = cut(w, c.parts*c.panel)
	c.t, c.space = cut(w, c.parts*c.square)
	c.stacked = Matrix[T]{c.parts * n, n, n, stacked}
	c.share()
	next := newQRThin[T](c.parts*n, n, c.threads)
	next.run(c.stacked, r, c.space)
	c.forming = true
	c.share()
}

// runWhole factors a in one part.
func (c *thinCall[T]) runWhole(r Matrix[T], w []T) {
	n := c.n
	if c.whole() {
		c.v, w = cut(w, c.panel)
		c.t, c.space = cut(w, c.square)
		c.stacked = r
		c.factor(0, c.space)
		c.form(0, c.space)
		return
	}
	tau, w := cut(w, n)
	q, f := c.blocked()
	q.run(c.a, tau, 1, w)
	for i := range n {
		row := r.Row(i)
		clear(row[:i])
		copy(row[i:], c.a.Row(i)[i:])
	}
	f.from, f.haveT = c.a, true
	f.run(c.a, tau, w)
}

// share has the workers factor or form the parts.
func (c *thinCall[T]) share() {
	if c.workers == 1 {
		c.Work(nil, 0)
		return
	}
	par.Share(poolOf[T](&thinCalls32, &thinCalls64), c.workers, c)
}

var thinCalls32, thinCalls64 sync.Pool

// Work does the parts of worker w.
func (c *thinCall[T]) Work(_ *par.Team, w int) {
	space := c.space[w*c.each() : (w+1)*c.each()]
	lo, hi := par.Range(c.parts, c.workers, w, 1)
	for i := lo; i < hi; i++ {
		if c.forming {
			c.form(i, space)
		} else {
			c.factor(i, space)
		}
	}
}

// part returns the rows of part i, and the space of its block of reflectors.
func (c *thinCall[T]) part(i int) (a Matrix[T], h blockReflector[T]) {
	lo, hi := blockOf(c.m, i, c.parts)
	m, n := hi-lo, c.n
	h.v = Matrix[T]{n, m, panelStride[T](m), c.v[i*c.panel : (i+1)*c.panel]}
	h.t = Matrix[T]{n, n, n, c.t[i*c.square : (i+1)*c.square]}
	return c.a.View(lo, 0, m, n), h
}

// factor factors part i and leaves its R in the stack.
func (c *thinCall[T]) factor(i int, space []T) {
	n := c.n
	a, h := c.part(i)
	top, space := cut(space, c.square)
	tau, space := cut(space, n)
	q := qrPanel[T]{c.kern, h, Matrix[T]{n, n, n, top}, tau, space}
	q.load(a)
	q.factor(0, n)
	r := c.stacked.View(i*n, 0, n, n)
	transposeTiles(c.kern, q.top, r)
	for j := range n {
		clear(r.Row(j)[:j])
	}
}

// form writes the rows of Q of part i. If there is one part, C is the identity.
func (c *thinCall[T]) form(i int, space []T) {
	n := c.n
	a, h := c.part(i)
	x, space := cut(space, c.square)
	y, space := cut(space, c.square)
	vc, tvc := Matrix[T]{n, n, n, x}, Matrix[T]{n, n, n, y}
	head, top := h.v.View(0, 0, n, n), a.View(0, 0, n, n)
	o := &Opts[T]{Threads: 1, Work: space}
	if c.parts == 1 {
		vc = head
	} else {
		Gemm(blas.NoTrans, blas.NoTrans, 1, head, c.stacked.View(i*n, 0, n, n), 0, vc, o)
	}
	Gemm(blas.NoTrans, blas.NoTrans, -1, h.t, vc, 0, tvc, o)
	Gemm(blas.Trans, blas.NoTrans, 1, h.v, tvc, 0, a, o)
	if c.parts > 1 {
		Add(c.stacked.View(i*n, 0, n, n), top, top, o)
		return
	}
	for j := range n {
		top.Data[j*top.Stride+j]++
	}
}
