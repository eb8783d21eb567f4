package dense

import (
	"fmt"
	"sync"

	"unsafe"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/internal/par"
)

// LU factors a = P·L·U in place with partial pivoting: L is unit lower triangular and
// lies below the diagonal, U is upper triangular. Row i was exchanged with row
// pivots[i], for i = 0, 1, … in this order.
//
// Shapes: a is m×n, pivots has min(m, n) elements. Cost: 2n³/3 flops if square.
// Workspace: LUWork(m, n, threads).
// Errors: *SingularError if a pivot is zero or NaN; the factorisation is complete
// all the same, with that element on the diagonal of U.
// Order: element (i, j) subtracts L[i,p]·U[p,j] from a[i,j] for p = 0, 1, …, each step
// a fused multiply-add. The pivot is the first element of largest magnitude; those below
// are multiplied by its reciprocal, or divided by it where that is not a normal number.
// The result is that of three nested loops.
// Accuracy: |P·A − L·U| ≤ min(m, n)·ε·|L|·|U|, to first order (Higham 2002, theorem 9.3).
func LU[T Float](a Matrix[T], pivots []int, o *Opts[T]) error {
	const op = "LU"
	a.check(op, "a")
	checkExchanges(op, &a, pivots)
	t := luCall[T]{m: a.Rows, n: a.Cols, a: a, pivots: pivots}
	t.run(op, o)
	for i := range pivots {
		if d := a.Data[i*a.Stride+i]; d == 0 || d != d {
			return &SingularError{Pivot: i}
		}
	}
	return nil
}

// LUWork returns the length of the workspace of LU for an m×n matrix on the given
// number of threads.
func LUWork[T Float](m, n, threads int) int {
	t := luCall[T]{kern: asm.For[T](), m: m, n: n}
	t.plan(par.Threads(threads))
	return t.length() + alignSlack[T]()
}

func checkExchanges[T Float](op string, a *Matrix[T], pivots []int) {
	if len(pivots) != min(a.Rows, a.Cols) {
		panic(fmt.Sprintf("dense: %s: a is %dx%d, %d pivots", op, a.Rows, a.Cols, len(pivots)))
	}
}

// luCall is one call of LU. Panels of columns are factored transposed, in the
// workspace, where a column is contiguous. Then pieces of the columns to the right
// take the exchanges of rows, are solved and updated; the first piece is the next panel,
// which is factored at once, so that nobody waits for it. The columns to the left take
// their exchanges at the end. Since every element is one chain of multiply-adds, no
// size in here changes the bits.
type luCall[T Float] struct {
	kern    *asm.Kernels[T]
	m, n    int
	a       Matrix[T]
	pivots  []int
	nb      int
	workers int
	each    int      // workspace of one worker
	ldp     int      // row stride of panels
	nc      int      // columns that a product may pack at once
	panels  [2][]T   // the panel and the next one, transposed: nb×ldp
	ones    []T      // the diagonal of L
	minus   []T      // rows of U in a panel, see factor
	space   []T      // that of all workers
	taken   [3]int32 // pieces that have been taken in this step, the next and the one after
	left    int32
}

// Sizes that do not change the bits.
const (
	luPanel = 64  // columns of a panel
	luInner = 8   // columns that a panel is cut into
	luPiece = 192 // columns of a piece that are worth a thread
)

var luTasks32, luTasks64 sync.Pool

func (t *luCall[T]) run(op string, o *Opts[T]) {
	if t.m == 0 || t.n == 0 {
		return
	}
	t.kern = asm.For[T]()
	threads := 1
	if t.m*t.n*min(t.m, t.n) >= 4*parallelFrom && !o.single() {
		threads = o.threads()
	}
	t.plan(threads)
	w, buf := scratch(o, op, t.length())
	t.cut(w)
	if t.workers == 1 {
		t.Work(nil, 0)
	} else {
		par.Share(poolOf[T](&luTasks32, &luTasks64), t.workers, t)
	}
	release(buf)
}

func (t *luCall[T]) plan(threads int) {
	k := min(t.m, t.n)
	t.nb = min(k, luPanel)
	t.workers = max(1, min(threads, blocks(t.n, luPiece)))
	t.ldp = roundUp(t.m, alignSlack[T]())
	g := t.sizes(t.m, t.n, t.nb)
	g.plan(1)
	t.nc = g.shape.nc
	t.each = roundUp(max(t.nb*panelBytes/int(unsafe.Sizeof(T(0))), g.shape.each), alignSlack[T]())
}

func (t *luCall[T]) length() int {
	return 2*t.nb*t.ldp + roundUp(t.nb, alignSlack[T]()) + t.nb*luInner + alignSlack[T]() + t.workers*t.each
}

func (t *luCall[T]) cut(w []T) {
	t.panels[0], w = cut(w, t.nb*t.ldp)
	t.panels[1], w = cut(w, t.nb*t.ldp)
	t.ones, w = cut(w, t.nb)
	t.minus, t.space = cut(w, t.nb*luInner)
	for i := range t.ones {
		t.ones[i] = 1
	}
}

// sizes returns a product of the update, without its operands: C is m×n.
func (t *luCall[T]) sizes(m, n, k int) product[T] {
	return product[T]{kern: t.kern, m: m, n: n, k: k, alpha: 1, beta: 1, minus: true, a: operand[T]{rs: 1}, b: operand[T]{cs: 1}}
}

// at returns the address of element (i, j) of a.
func (t *luCall[T]) at(i, j int) *T {
	return offset(unsafe.SliceData(t.a.Data), i*t.a.Stride+j)
}

func (t *luCall[T]) Work(team *par.Team, w int) {
	space := t.space[w*t.each : (w+1)*t.each]
	k := min(t.m, t.n)
	if w == 0 {
		t.panel(0)
	}
	step := 0
	for r := 0; r < k; r += t.nb {
		wait(team)
		end := min(r+t.nb, k)
		next := min(end+t.nb, k) // the columns of the next panel
		width := t.width(t.n - next)
		if w == 0 { // the counter of the step after the next; nobody is that far
			t.taken[(step+1)%3] = 0
		}
		for c := range take(&t.taken[step%3], 1+blocks(t.n-next, width)) {
			if c == 0 {
				t.update(space, step, r, end, next)
				t.panel(end)
				continue
			}
			j := next + (c-1)*width
			t.update(space, step, r, j, min(j+width, t.n))
		}
		step++
	}
	wait(team)
	for c := range take(&t.left, blocks(k, t.nb)-1) {
		t.exchange((c+1)*t.nb, k, c*t.nb, (c+1)*t.nb)
	}
}

// width returns the number of columns of a piece, where cols columns are to be shared.
func (t *luCall[T]) width(cols int) int {
	if t.workers == 1 {
		return max(1, cols)
	}
	return roundUp(max(luPiece, cols/(3*t.workers)), alignSlack[T]())
}

// exchange does the exchanges of rows [lo, hi) in columns [j0, j1).
func (t *luCall[T]) exchange(lo, hi, j0, j1 int) {
	for i := lo; i < hi; i++ {
		if p := t.pivots[i]; p != i {
			t.kern.Swap(unsafe.Slice(t.at(i, j0), j1-j0), unsafe.Slice(t.at(p, j0), j1-j0))
		}
	}
}

// update does what the panel of the step, whose first column is r, means for the columns
// [j0, j1) to the right of it.
func (t *luCall[T]) update(space []T, step, r, j0, j1 int) {
	if j0 == j1 {
		return
	}
	m := min(t.nb, min(t.m, t.n)-r)
	l := t.panels[step%2]
	t.exchange(r, r+m, j0, j1)
	for j := j0; j < j1; {
		w := panelWidth[T](j1 - j)
		b := t.at(r, j)
		t.kern.CopyTo(m, w, b, t.a.Stride, &space[0], w)
		t.kern.Trsm(m, w, 0, 1, &l[0], 1, t.ldp, &t.ones[0], &space[0], w)
		t.kern.CopyTo(m, w, &space[0], w, b, t.a.Stride)
		j += w
	}
	if r+m == t.m {
		return
	}
	g := t.sizes(t.m-r-m, j1-j0, m)
	g.a = operand[T]{&l[m], 1, t.ldp}
	g.b = operand[T]{t.at(r, j0), t.a.Stride, 1}
	g.c, g.ldc = t.at(r+m, j0), t.a.Stride
	g.plan(1)
	g.shape.nc = min(g.shape.nc, t.nc)
	g.cell(space, 0, g.m, 0, g.n)
}

// panel factors the panel whose first column is r.
func (t *luCall[T]) panel(r int) {
	k := min(t.m, t.n)
	if r >= k {
		return
	}
	w, rows := min(t.nb, k-r), t.m-r
	p := t.panels[r/t.nb%2]
	a := Matrix[T]{rows, w, t.a.Stride, unsafe.Slice(t.at(r, r), (rows-1)*t.a.Stride+w)}
	pt := Matrix[T]{w, rows, t.ldp, p[:(w-1)*t.ldp+rows]}
	transposeTiles(t.kern, a, pt)
	for lo := 0; lo < w; lo += luInner {
		t.factor(pt, r, lo, min(lo+luInner, w))
	}
	transposeTiles(t.kern, pt, a)
}

// factor factors columns [lo, hi) of a panel, rows of p, and updates those to the
// right of them.
func (t *luCall[T]) factor(p Matrix[T], r, lo, hi int) {
	m := p.Cols
	for c := lo; c < hi; c++ {
		// What the columns before it in this piece mean for column c: first for
		// its elements of U, then for the others.
		col := p.Row(c)
		for q := lo + 1; q < min(c, m); q++ {
			for s := lo; s < q; s++ {
				col[q] = asm.FMA(-col[s], p.Data[s*p.Stride+q], col[q])
			}
		}
		if c > lo {
			eachChunk(c, m, func(i, end int) {
				t.kern.GemvT(c-lo, end-i, -1, p.Data[lo*p.Stride+i:], p.Stride, col[lo:c], col[i:end])
			})
		}
		at := c + indexOfLargest(t.kern, col[c:])
		t.pivots[r+c] = r + at
		if at != c {
			for i := range p.Rows {
				row := p.Data[i*p.Stride : i*p.Stride+m]
				row[c], row[at] = row[at], row[c]
			}
		}
		t.divide(col[c+1:], col[c])
	}
	rest := p.Rows - hi
	if rest == 0 {
		return
	}
	// U of the columns to the right, which are rows here, then their other elements.
	l, n := p.Data[lo*p.Stride:], hi-lo
	u := &p.Data[hi*p.Stride+lo]
	t.kern.TransTo(rest, n, u, p.Stride, &t.minus[0], rest)
	t.kern.Trsm(n, rest, 0, 1, &l[lo], 1, p.Stride, &t.ones[0], &t.minus[0], rest)
	t.kern.TransTo(n, rest, &t.minus[0], rest, u, p.Stride)
	if hi == m {
		return
	}
	t.kern.Scal(-1, t.minus[:n*rest])
	strips := blocks(rest, t.kern.MR)
	eachChunk(hi, m, func(i, end int) {
		for s := range strips {
			s0, s1 := blockOf(rest, s, strips)
			t.kern.Gemm(s1-s0, end-i, n, 1, &t.minus[s0], 1, rest, &l[i], p.Stride, t.kern.NR,
				&p.Data[(hi+s0)*p.Stride+i], p.Stride, asm.Chain)
		}
	})
}

// divide divides x by a pivot.
func (t *luCall[T]) divide(x []T, pivot T) {
	if pivot == 0 {
		return // so is x, or there is a NaN in it
	}
	divideBy(t.kern, x, pivot)
}
