package dense

import (
	"fmt"
	"math"
	"sync"
	"unsafe"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/internal/par"
	"gonum.org/v1/gonum/blas"
)

// triangularCall is one call of Trsm or Trmm, reduced to one form: L·X = alpha·B is
// solved, or alpha·L·B computed, in place of B, where L is n×n and lower
// triangular and B is n×cols.
//
// The kernels take strides of any sign, so the other forms need no copy of the
// triangle: a transposed one has its strides exchanged, an upper one is counted
// from its last row and column, together with B. On the right side B is the
// transpose of the caller's matrix; its columns go through panels in the
// workspace.
//
// L is cut into the fewest block rows of at most KC rows that differ by at most
// one. Within the diagonal blocks the order is that of the kernels Trsm and Trmm
// and independent of any further cut; the blocks beside them are products in the
// order of Gemm. A right-hand side knows nothing of the others, so threads share
// them out.
type triangularCall[T Float] struct {
	kern     *asm.Kernels[T]
	solve    bool
	right    bool
	reversed bool // the upper triangle: forward order counts from the end
	unit     bool
	n, cols  int
	alpha    T
	a, b     operand[T] // L and B in the caller's order of rows
	fa, fb   operand[T] // the same in forward order
	inPlace  bool       // B is worked on where it lies, not in panels
	divide   bool       // some diagonal element has no proper reciprocal
	diag     []T        // diagonal of L, or what the kernel multiplies with in its place
	workers  int
	panel    int // length of a panel
	each     int // workspace of one worker
	space    []T // that of all
}

// Sizes that do not change the bits.
const (
	panelBytes  = 192 // a row of a panel: three of the widest vectors
	panelRows   = 64  // rows of a panel in one call of a kernel, which cannot be preempted
	directOrder = 128 // up to here B is worked on in place, in calls of
	directCols  = 256 // so many columns
)

// newTriangular checks the arguments of operation op and reduces them.
func newTriangular[T Float](op string, side blas.Side, uplo blas.Uplo, trans blas.Transpose, diag blas.Diag, alpha T, a, b *Matrix[T]) triangularCall[T] {
	t := triangularCall[T]{right: !left(op, side)}
	low := lower(op, uplo)
	taken := transposed(op, trans) != t.right // X·A = B is Aᵀ·Xᵀ = Bᵀ
	t.unit = unit(op, diag)
	t.reversed = low == taken
	a.check(op, "a")
	b.check(op, "b")
	t.n, t.cols = b.Rows, b.Cols
	if t.right {
		t.n, t.cols = t.cols, t.n
	}
	if a.Rows != t.n || a.Cols != t.n {
		sides := "left"
		if t.right {
			sides = "right"
		}
		panic(fmt.Sprintf("dense: %s: a is %dx%d on the %s, b is %dx%d", op, a.Rows, a.Cols, sides, b.Rows, b.Cols))
	}
	checkApart(op, b, "b", a, "a")
	t.alpha = alpha
	t.a, t.b = operandOf(a, taken), operandOf(b, t.right)
	return t
}

// run does the whole call.
func (t *triangularCall[T]) run(op string, o *Opts[T]) {
	if t.n == 0 || t.cols == 0 {
		return
	}
	if t.alpha == 0 {
		t.clear()
		return
	}
	t.kern = asm.For[T]()
	threads := 1
	if !o.single() && t.large() {
		threads = o.threads() // GOMAXPROCS takes a lock
	}
	t.plan(threads)
	t.fa, t.fb = t.a, t.b
	if t.reversed {
		t.fa = operand[T]{t.a.at(t.n-1, t.n-1), -t.a.rs, -t.a.cs}
		t.fb = operand[T]{t.b.at(t.n-1, 0), -t.b.rs, t.b.cs}
	}
	t.inPlace = !t.right && t.n <= directOrder
	w, buf := scratch(o, op, t.length())
	t.diag, t.space = cut(w, t.n)
	t.fillDiagonal()
	if t.workers == 1 {
		t.Work(nil, 0)
	} else {
		par.Share(poolOf[T](&triangularTasks32, &triangularTasks64), t.workers, t)
	}
	release(buf)
}

// clear sets B to zero.
func (t *triangularCall[T]) clear() {
	rows, cols, ld := t.n, t.cols, t.b.rs
	if t.right {
		rows, cols, ld = cols, rows, t.b.cs
	}
	for i := range rows {
		clear(unsafe.Slice(offset(t.b.p, i*ld), cols))
	}
}

// large returns whether the call is worth more than one thread.
func (t *triangularCall[T]) large() bool { return t.n*t.n*t.cols >= 2*parallelFrom }

// plan decides on the workers and their workspace.
func (t *triangularCall[T]) plan(threads int) {
	t.workers = 1
	if t.large() {
		t.workers = max(1, min(threads, t.cols/alignSlack[T]()))
	}
	nb := blocks(t.n, asm.KC[T]())
	t.panel = 0
	if t.n > 0 && t.cols > 0 {
		t.panel = roundUp((t.n+nb-1)/nb*panelWidth[T](t.cols), alignSlack[T]())
	}
	t.each = t.panel
	for i := 1; i < nb; i++ {
		for w := range t.workers {
			g := t.beside(i, w)
			// A workspace serves transposed and other triangles alike.
			for _, f := range [2]operand[T]{{rs: 1}, {cs: 1}} {
				g.a = f
				if t.right {
					g.a, g.b = operand[T]{cs: 1}, f
				}
				g.plan(1)
				t.each = max(t.each, t.panel+roundUp(g.workspace(), alignSlack[T]()))
			}
		}
	}
}

// length returns the length of the workspace that was planned.
func (t *triangularCall[T]) length() int {
	return roundUp(t.n, alignSlack[T]()) + t.workers*t.each
}

// panelWidth returns how many of cols columns go into one panel. What four
// vectors hold is two and two rather than three and one, which the kernels would
// be slower at.
func panelWidth[T Float](cols int) int {
	w := panelBytes / int(unsafe.Sizeof(T(0)))
	if cols > w && cols <= w/3*4 {
		return w / 3 * 2
	}
	return min(w, cols)
}

// fillDiagonal sets diag to what the kernels multiply with: the diagonal, or for
// a solve its reciprocals. Where a reciprocal would be subnormal, zero, infinite
// or NaN it is 1, and rows are divided by the element itself.
func (t *triangularCall[T]) fillDiagonal() {
	if t.unit {
		for i := range t.diag {
			t.diag[i] = 1
		}
		return
	}
	p, step := t.fa.p, t.fa.rs+t.fa.cs
	for i := range t.diag {
		d := *offset(p, i*step)
		if t.solve {
			if d = 1 / d; !proper(d) {
				d = 1
				t.divide = true
			}
		}
		t.diag[i] = d
	}
}

// proper returns whether x is finite and neither zero nor subnormal.
func proper[T Float](x T) bool {
	x = T(math.Abs(float64(x)))
	if unsafe.Sizeof(x) == 4 {
		return float64(x) >= 0x1p-126 && float64(x) <= math.MaxFloat32
	}
	return float64(x) >= 0x1p-1022 && float64(x) <= math.MaxFloat64
}

// share returns the columns of worker w.
func (t *triangularCall[T]) share(w int) (j0, j1 int) {
	return par.Range(t.cols, t.workers, w, alignSlack[T]())
}

// work does the columns of worker w.
func (t *triangularCall[T]) Work(_ *par.Team, w int) {
	j0, j1 := t.share(w)
	nb := blocks(t.n, asm.KC[T]())
	panel, work := cut(t.space[w*t.each:(w+1)*t.each], t.panel)
	for s := range nb {
		i := s
		if !t.solve {
			i = nb - 1 - s // a product needs the rows above as they were
		}
		alpha := t.alpha
		if t.solve && i > 0 {
			t.product(work, i, w)
			alpha = 1
		}
		t.diagonalBlock(panel, i, j0, j1, alpha)
		if !t.solve && i > 0 {
			t.product(work, i, w)
		}
	}
}

// natural returns where the rows [lo, hi) begin in the caller's order.
func (t *triangularCall[T]) natural(lo, hi int) int {
	if t.reversed {
		return t.n - hi
	}
	return lo
}

// beside returns the sizes of the product with the blocks of L beside diagonal
// block i, in the columns of worker w; B is its second factor, row-major.
func (t *triangularCall[T]) beside(i, w int) product[T] {
	lo, hi := blockOf(t.n, i, blocks(t.n, asm.KC[T]()))
	j0, j1 := t.share(w)
	g := product[T]{kern: t.kern, m: hi - lo, n: j1 - j0, k: lo, b: operand[T]{cs: 1}}
	if t.right {
		g.m, g.n = g.n, g.m
	}
	return g
}

// product does B_i = alpha·B_i − L_i·X for a solve, B_i += alpha·L_i·B for a
// product, where L_i are the blocks beside diagonal block i, and X or B are
// the rows above it.
func (t *triangularCall[T]) product(work []T, i, w int) {
	lo, hi := blockOf(t.n, i, blocks(t.n, asm.KC[T]()))
	j, _ := t.share(w)
	r, k := t.natural(lo, hi), t.natural(0, lo)
	g := t.beside(i, w)
	g.alpha, g.beta = t.alpha, 1
	if t.solve {
		g.alpha, g.beta = -1, t.alpha
	}
	g.a = operand[T]{t.a.at(r, k), t.a.rs, t.a.cs}
	g.b = operand[T]{t.b.at(k, j), t.b.rs, t.b.cs}
	g.c, g.ldc = t.b.at(r, j), t.b.rs
	if t.right {
		g.a, g.b = operand[T]{g.b.p, g.b.cs, g.b.rs}, operand[T]{g.a.p, g.a.cs, g.a.rs}
		g.ldc = t.b.cs
	}
	g.plan(1)
	g.cell(work, 0, g.m, 0, g.n)
}

// diagonalBlock solves with, or multiplies by, diagonal block i.
func (t *triangularCall[T]) diagonalBlock(panel []T, i, j0, j1 int, alpha T) {
	lo, hi := blockOf(t.n, i, blocks(t.n, asm.KC[T]()))
	if t.inPlace {
		for j := j0; j < j1; j += directCols {
			t.rows(lo, hi, min(directCols, j1-j), alpha, t.fb.at(lo, j), t.fb.rs)
		}
		return
	}
	k := hi - lo
	for j := j0; j < j1; {
		w := panelWidth[T](j1 - j)
		b := t.b.at(t.natural(lo, hi), j)
		first, ld := &panel[0], w
		if t.reversed {
			first, ld = &panel[(k-1)*w], -w
		}
		if t.right {
			t.kern.TransTo(w, k, b, t.b.cs, &panel[0], w)
			t.rows(lo, hi, w, alpha, first, ld)
			t.kern.TransTo(k, w, &panel[0], w, b, t.b.cs)
		} else {
			t.kern.CopyTo(k, w, b, t.b.rs, &panel[0], w)
			t.rows(lo, hi, w, alpha, first, ld)
			t.kern.CopyTo(k, w, &panel[0], w, b, t.b.rs)
		}
		j += w
	}
}

// rows applies the diagonal block of rows [lo, hi) to cols columns, which begin
// at b with row stride ld in forward order.
func (t *triangularCall[T]) rows(lo, hi, cols int, alpha T, b *T, ld int) {
	if !t.solve {
		for end := hi; end > lo; end -= panelRows {
			i := max(lo, end-panelRows)
			t.kern.Trmm(end-i, cols, i-lo, alpha, t.fa.at(i, lo), t.fa.rs, t.fa.cs, &t.diag[i], b, ld)
		}
		return
	}
	for i := lo; i < hi; {
		end, divisor := min(hi, i+panelRows), T(1)
		if t.divide {
			end, divisor = t.divided(i, end)
		}
		t.kern.Trsm(end-i, cols, i-lo, alpha, t.fa.at(i, lo), t.fa.rs, t.fa.cs, &t.diag[i], b, ld)
		if divisor != 1 {
			row := unsafe.Slice(offset(b, (end-1-lo)*ld), cols)
			for j := range row {
				row[j] /= divisor
			}
		}
		i = end
	}
}

// divided returns the end of the rows from i on, no later than limit, of which
// only the last may have to be divided, and its divisor or 1.
func (t *triangularCall[T]) divided(i, limit int) (end int, divisor T) {
	for ; i < limit; i++ {
		if d := *t.fa.at(i, i); !t.unit && !proper(1/d) {
			return i + 1, d
		}
	}
	return limit, 1
}

var triangularTasks32, triangularTasks64 sync.Pool

// triangularWork returns the length of the workspace for an m×n matrix B.
func triangularWork[T Float](op string, side blas.Side, m, n, threads int) int {
	t := triangularCall[T]{kern: asm.For[T](), right: !left(op, side), n: m, cols: n}
	if t.right {
		t.n, t.cols = n, m
	}
	t.plan(par.Threads(threads))
	return t.length() + alignSlack[T]()
}
