package dense

import (
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/internal/par"
	"gonum.org/v1/gonum/blas"
)

// Cholesky factors the symmetric positive definite matrix a in place: a = L·Lᵀ in
// the lower triangle, or a = Uᵀ·U in the upper one. The other triangle is neither
// read nor written.
//
// Shapes: a is n×n. Cost: n³/3 flops. Workspace: CholeskyWork(n, threads).
// Errors: *NotPositiveDefiniteError if a pivot is not positive or not finite. Then
// the columns of L (rows of U) before Pivot are valid, and the rest of the triangle
// holds the Schur complement, whose first diagonal element is that pivot.
// Order: element (i, j) of L subtracts L[i,p]·L[j,p] from a[i,j] for p = 0, 1, …,
// each step a fused multiply-add; then it is multiplied by the reciprocal of
// the diagonal element, which is the square root of what is left. The result is that of
// three nested loops, and U is the transpose of L bit for bit.
// Accuracy: |A − L·Lᵀ| ≤ (n+2)·ε·|L|·|Lᵀ| for each element, to first order (Higham
// 2002, theorem 10.3, with one more rounding for the reciprocal).
func Cholesky[T Float](uplo blas.Uplo, a Matrix[T], o *Opts[T]) error {
	const op = "Cholesky"
	low := lower(op, uplo)
	checkSquare(op, "a", &a)
	return cholesky(op, low, &a, o)
}

// cholesky is Cholesky on arguments that have been checked.
func cholesky[T Float](op string, low bool, a *Matrix[T], o *Opts[T]) error {
	t := choleskyCall[T]{lower: low, n: a.Rows, a: operandOf(a, low)}
	if pivot := t.run(op, o); pivot < t.n {
		return &NotPositiveDefiniteError{Pivot: pivot}
	}
	return nil
}

// CholeskyWork returns the length of the workspace of Cholesky for a matrix of
// order n on the given number of threads.
func CholeskyWork[T Float](n, threads int) int {
	t := choleskyCall[T]{kern: asm.For[T](), n: n}
	t.plan(par.Threads(threads))
	return t.length() + alignSlack[T]()
}

// checkSquare panics unless m is a valid square matrix.
func checkSquare[T Float](op, name string, m *Matrix[T]) {
	m.check(op, name)
	if m.Rows != m.Cols {
		panic(fmt.Sprintf("dense: %s: %s is %dx%d, want square", op, name, m.Rows, m.Cols))
	}
}

// choleskyCall is one call of Cholesky. It sees the factor as U, row-major or
// transposed, in blocks of rows: the diagonal block is factored in the workspace,
// the panel to the right of it solved, and what lies below updated. Since every
// element is one chain of multiply-adds, no size in here changes the bits.
type choleskyCall[T Float] struct {
	kern            *asm.Kernels[T]
	lower           bool
	n               int
	a               operand[T] // element (i, j) of U, i ≤ j, is at a.at(i, j)
	nb              int        // rows of a block
	workers         int
	each            int   // workspace of one worker
	nc              int   // columns that a product may pack at once
	diag            []T   // the diagonal block, nb×nb
	inv             []T   // reciprocals of its diagonal
	tile            []T   // see moveTriangle
	done            []T   // one element: the number of finished rows
	space           []T   // that of all workers
	panels, updates int32 // parts of the step that have been taken
}

// Sizes that do not change the bits.
const (
	cholInPlace    = 128 // up to this order the upper triangle is factored where it lies
	cholAtOnce     = 256 // up to this order there is one block
	cholRows       = 192 // rows of a block of a larger matrix
	cholRowsShared = 128 // the same on several threads, where the order is less than
	cholShared     = 1500
	cholShare      = 128 // columns that are worth a thread
	cholTile       = 16  // edge of the blocks in which triangles are transposed
)

var choleskyTasks32, choleskyTasks64 sync.Pool

// run returns the number of rows of U that were found.
func (t *choleskyCall[T]) run(op string, o *Opts[T]) int {
	if t.n == 0 {
		return 0
	}
	t.kern = asm.For[T]()
	threads := 1
	if t.n > cholAtOnce && !o.single() {
		threads = o.threads()
	}
	t.plan(threads)
	w, buf := scratch(o, op, t.length())
	t.cut(w)
	if t.workers == 1 {
		t.Work(nil, 0)
	} else {
		par.Share(poolOf[T](&choleskyTasks32, &choleskyTasks64), t.workers, t)
	}
	done := int(t.done[0])
	release(buf)
	return done
}

// plan decides on the sizes.
func (t *choleskyCall[T]) plan(threads int) {
	t.nb, t.workers, t.each = t.n, 1, 0
	if t.n > cholAtOnce {
		t.nb = cholRows
		if threads > 1 && t.n < cholShared {
			t.nb = cholRowsShared
		}
		t.workers = min(threads, blocks(t.n, t.nb))
		t.each = t.nb * panelBytes / int(unsafe.Sizeof(T(0)))
	}
	// Panels and products take turns. A workspace serves both triangles, and the
	// product that leaves the Schur complement behind when a pivot is bad.
	g := t.sizes(0, t.nb)
	for _, u := range [2]operand[T]{{cs: 1}, {rs: 1}} {
		g.a, g.b = operand[T]{rs: u.cs, cs: u.rs}, u
		g.plan(1)
		t.each = max(t.each, g.shape.each)
	}
	t.nc = g.shape.nc
	t.each = roundUp(t.each, alignSlack[T]())
}

// length returns the length of the workspace that was planned.
func (t *choleskyCall[T]) length() int {
	return roundUp(t.nb*t.nb, alignSlack[T]()) + roundUp(t.nb, alignSlack[T]()) +
		cholTile*cholTile + alignSlack[T]() + t.workers*t.each
}

func (t *choleskyCall[T]) cut(w []T) {
	t.diag, w = cut(w, t.nb*t.nb)
	t.inv, w = cut(w, t.nb)
	t.tile, w = cut(w, cholTile*cholTile)
	t.done, t.space = cut(w, 1)
}

// Work is what worker w does. Workers take the parts of a step as they come. The
// first part of an update is the next diagonal block, which is factored at once,
// so that nobody waits for it.
func (t *choleskyCall[T]) Work(team *par.Team, w int) {
	space := t.space[w*t.each : (w+1)*t.each]
	if w == 0 {
		t.pivots(0)
	}
	for r := 0; r < t.n; r += t.nb {
		wait(team)
		end := min(r+t.nb, t.n)
		done, right := int(t.done[0]), t.n-end
		if w == 0 {
			t.updates = 0
		}
		width := t.width(right)
		for c := range take(&t.panels, blocks(right, width)) {
			t.panel(space, r, done-r, end+c*width, min(end+(c+1)*width, t.n))
		}
		wait(team)
		if w == 0 {
			t.panels = 0
		}
		if done < end {
			if w == 0 {
				t.update(space, done, r, done-r, 0, t.n-done)
			}
			return
		}
		first := min(t.nb, right)
		if t.workers == 1 {
			first = right
		}
		parts := blocks(right-first, width)
		for c := range take(&t.updates, 1+parts) {
			if c == 0 {
				t.update(space, end, r, end-r, 0, first)
				t.pivots(end)
				continue
			}
			j := first + (parts-c)*width // the largest first
			t.update(space, end, r, end-r, j, min(j+width, right))
		}
	}
}

// wait is the barrier of a team, which may be nil.
func wait(team *par.Team) {
	if team != nil {
		team.Wait()
	}
}

// take goes over the numbers below n that nobody else has taken from the counter.
func take(next *int32, n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for {
			c := int(atomic.AddInt32(next, 1)) - 1
			if c >= n || !yield(c) {
				return
			}
		}
	}
}

// width returns the number of columns of one part of a step, where right columns
// are to be shared.
func (t *choleskyCall[T]) width(right int) int {
	if t.workers == 1 {
		return max(1, right)
	}
	return roundUp(max(cholShare, right/(3*t.workers)), alignSlack[T]())
}

// pivots factors the diagonal block that begins at r and sets done.
func (t *choleskyCall[T]) pivots(r int) {
	m := min(t.nb, t.n-r)
	if m == 0 {
		return
	}
	u, ldu := t.a.at(r, r), t.a.rs
	inPlace := !t.lower && t.n <= cholInPlace
	if !inPlace {
		u, ldu = &t.diag[0], m
		t.moveTriangle(r, m, true)
	}
	n := t.direct(u, ldu, m)
	if !inPlace {
		t.moveTriangle(r, m, false)
	}
	t.done[0] = T(r + n)
}

// direct factors the n×n matrix u and returns the number of finished rows; the
// others are unchanged.
func (t *choleskyCall[T]) direct(u *T, ldu, n int) int {
	for r := 0; r < n; {
		m := min(t.kern.CholMax, n-r)
		done := t.kern.Chol(m, r, u, ldu, &t.inv[r])
		if right := r + m; right < n && done > 0 {
			t.kern.Trsm(done, n-right, r, 1, offset(u, r), 1, ldu, &t.inv[r], offset(u, right), ldu)
		}
		r += done
		if done < m {
			return r
		}
	}
	return n
}

// moveTriangle copies the diagonal block of m rows from r on to the workspace,
// as an upper triangle, or back.
func (t *choleskyCall[T]) moveTriangle(r, m int, in bool) {
	if !t.lower {
		for i := range m {
			a, d := unsafe.Slice(t.a.at(r+i, r+i), m-i), t.diag[i*m+i:(i+1)*m]
			if in {
				copy(d, a)
			} else {
				copy(a, d)
			}
		}
		return
	}
	// Rows of the lower triangle, cholTile at a time: a rectangle and a triangle,
	// which is made a square in the tile.
	for s := 0; s < m; s += cholTile {
		rows := min(cholTile, m-s)
		d := &t.diag[s*m+s]
		if !in {
			t.kern.TransTo(rows, rows, d, m, &t.tile[0], cholTile)
		}
		for i := range rows {
			a, row := unsafe.Slice(t.a.at(r+s, r+s+i), i+1), t.tile[i*cholTile:i*cholTile+i+1]
			if in {
				copy(row, a)
			} else {
				copy(a, row)
			}
		}
		if in {
			t.kern.TransTo(rows, rows, &t.tile[0], cholTile, d, m)
		}
		switch a := t.a.at(r, r+s); {
		case s == 0:
		case in:
			t.kern.TransTo(rows, s, a, t.a.cs, &t.diag[s], m)
		default:
			t.kern.TransTo(s, rows, &t.diag[s], m, a, t.a.cs)
		}
	}
}

// panel solves rows [r, r+m) of U in columns [j0, j1), right of the diagonal block.
func (t *choleskyCall[T]) panel(panel []T, r, m, j0, j1 int) {
	ldd := min(t.nb, t.n-r)
	for j := j0; j < j1; {
		w := panelWidth[T](j1 - j)
		a := t.a.at(r, j)
		if t.lower {
			t.kern.TransTo(w, m, a, t.a.cs, &panel[0], w)
		} else {
			t.kern.CopyTo(m, w, a, t.a.rs, &panel[0], w)
		}
		for i := 0; i < m; i += panelRows {
			t.kern.Trsm(min(panelRows, m-i), w, i, 1, &t.diag[i], 1, ldd, &t.inv[i], &panel[0], w)
		}
		if t.lower {
			t.kern.TransTo(m, w, &panel[0], w, a, t.a.cs)
		} else {
			t.kern.CopyTo(m, w, &panel[0], w, a, t.a.rs)
		}
		j += w
	}
}

// sizes returns the product that subtracts k rows of U from the triangle that begins
// at (q, q), without its operands.
func (t *choleskyCall[T]) sizes(q, k int) product[T] {
	g := product[T]{kern: t.kern, m: t.n - q, n: t.n - q, k: k, alpha: 1, beta: 1, minus: true, tri: upperTriangle}
	if t.lower {
		g.tri = lowerTriangle
	}
	return g
}

// update subtracts k rows of U from row r on from columns [j0, j1) of the triangle that
// begins at (q, q), of the lower triangle from rows.
func (t *choleskyCall[T]) update(space []T, q, r, k, j0, j1 int) {
	if k == 0 || j0 == j1 {
		return
	}
	g := t.sizes(q, k)
	g.b = operand[T]{t.a.at(r, q), t.a.rs, t.a.cs}
	g.a = operand[T]{g.b.p, g.b.cs, g.b.rs}
	g.plan(1)
	g.shape.nc = min(g.shape.nc, t.nc) // what the workspace has room for
	g.c = t.a.at(q, q)
	if t.lower {
		g.ldc = t.a.cs
		g.cell(space, j0, j1, 0, j1)
	} else {
		g.ldc = t.a.rs
		g.cell(space, 0, j1, j0, j1)
	}
}
