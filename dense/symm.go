package dense

import (
	"fmt"
	"sync"
	"unsafe"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/internal/par"
	"gonum.org/v1/gonum/blas"
)

// Symm computes C = alpha·A·B + beta·C (side Left) or C = alpha·B·A + beta·C (side
// Right), where a is symmetric and only its triangle uplo is read.
//
// Shapes: b and c are m×n, a is m×m (Left) or n×n (Right). c must not overlap a or b.
// Cost: 2m²n or 2mn² flops. Workspace: SymmWork(side, m, n, threads).
// With beta == 0 c is not read; with alpha == 0, a and b are not read.
// The result has the bits that Gemm gives for the full symmetric matrix.
func Symm[T Float](side blas.Side, uplo blas.Uplo, alpha T, a, b Matrix[T], beta T, c Matrix[T], o *Opts[T]) {
	const op = "Symm"
	s := symmetricCall[T]{right: !left(op, side), lower: lower(op, uplo)}
	a.check(op, "a")
	b.check(op, "b")
	c.check(op, "c")
	order, sides := b.Rows, "left"
	if s.right {
		order, sides = b.Cols, "right"
	}
	if a.Rows != order || a.Cols != order {
		panic(fmt.Sprintf("dense: Symm: a is %dx%d on the %s, b is %dx%d", a.Rows, a.Cols, sides, b.Rows, b.Cols))
	}
	if c.Rows != b.Rows || c.Cols != b.Cols {
		panic(fmt.Sprintf("dense: Symm: b is %dx%d, c is %dx%d", b.Rows, b.Cols, c.Rows, c.Cols))
	}
	checkApart(op, &c, "c", &a, "a")
	checkApart(op, &c, "c", &b, "b")
	s.n, s.a, s.b = order, operandOf(&a, false), operandOf(&b, false)
	s.g = product[T]{m: c.Rows, n: c.Cols, alpha: alpha, beta: beta, c: unsafe.SliceData(c.Data), ldc: c.Stride}
	s.run(op, o)
}

// SymmWork returns the length of the workspace of Symm for an m×n result on the
// given number of threads.
func SymmWork[T Float](side blas.Side, m, n, threads int) int {
	s := symmetricCall[T]{right: !left("SymmWork", side), n: m}
	if s.right {
		s.n = n
	}
	s.g = product[T]{kern: asm.For[T](), m: m, n: n}
	s.plan(par.Threads(threads))
	return s.length() + alignSlack[T]()
}

// symmetricCall is one call of Symm. A block of the inner index at a time, the
// symmetric matrix is written out into the workspace, by all workers, and its
// product added to C.
type symmetricCall[T Float] struct {
	right, lower bool
	n            int // order of a
	a, b         operand[T]
	g            product[T] // the operands of its products vary
	ld           int        // row stride of the block of a that is written out
	rows         int        // number of its rows
	full, space  []T        // that block; workspaces of the workers
}

var symmetricTasks32, symmetricTasks64 sync.Pool

func (s *symmetricCall[T]) run(op string, o *Opts[T]) {
	g := &s.g
	if g.m == 0 || g.n == 0 {
		return
	}
	g.kern = asm.For[T]()
	if g.alpha == 0 {
		g.scale(0, g.m, 0, g.n)
		return
	}
	threads := 1
	if g.m*g.n*s.n >= parallelFrom && !o.single() { // GOMAXPROCS takes a lock
		threads = o.threads()
	}
	s.plan(threads)
	w, buf := scratch(o, op, s.length())
	s.full, s.space = cut(w, s.rows*s.ld)
	if g.shape.workers == 1 {
		s.Work(nil, 0)
	} else {
		par.Share(poolOf[T](&symmetricTasks32, &symmetricTasks64), g.shape.workers, s)
	}
	release(buf)
}

// plan decides on the workers and the workspace.
func (s *symmetricCall[T]) plan(threads int) {
	g := &s.g
	kb := blocks(s.n, asm.KC[T]())
	g.a, g.b = operand[T]{cs: 1}, operand[T]{cs: 1}
	g.k = 0
	if kb > 0 {
		g.k = (s.n + kb - 1) / kb
	}
	g.plan(threads)
	s.rows, s.ld = s.n, g.k
	if s.right {
		s.rows, s.ld = g.k, s.n
	}
	// Whole cache lines, and no multiple of two of them: rows at a power of two
	// would meet in the same cache sets.
	s.ld = roundUp(s.ld, alignSlack[T]()) | alignSlack[T]()
}

// each returns the workspace of one worker: a tile, and that of its product.
func (s *symmetricCall[T]) each() int {
	return symmetricTile*symmetricTile + s.g.shape.each
}

func (s *symmetricCall[T]) length() int {
	return roundUp(s.rows*s.ld, alignSlack[T]()) + s.g.shape.workers*s.each()
}

// work does the part of worker w.
func (s *symmetricCall[T]) Work(team *par.Team, w int) {
	g := s.g
	p := &g.shape
	i0, i1 := par.Range(g.m, p.gridR, w/p.gridC, g.kern.MR)
	j0, j1 := par.Range(g.n, p.gridC, w%p.gridC, g.kern.NR)
	tile, space := cut(s.space[w*s.each():(w+1)*s.each()], symmetricTile*symmetricTile)
	kb := blocks(s.n, asm.KC[T]())
	for l := range kb {
		l0, l1 := blockOf(s.n, l, kb)
		rows := s.n
		if s.right {
			rows = l1 - l0
		}
		r0, r1 := par.Range(rows, p.workers, w, symmetricTile)
		full := operand[T]{&s.full[0], s.ld, 1}
		if s.right {
			s.expand(full.at(r0, 0), l0+r0, l0+r1, 0, s.n, tile)
			g.a, g.b = operand[T]{s.b.at(0, l0), s.b.rs, 1}, full
		} else {
			s.expand(full.at(r0, 0), r0, r1, l0, l1, tile)
			g.a, g.b = full, operand[T]{s.b.at(l0, 0), s.b.rs, 1}
		}
		if team != nil {
			team.Wait()
		}
		g.k = l1 - l0
		if i0 < i1 && j0 < j1 {
			g.cell(space, i0, i1, j0, j1)
		}
		g.beta = 1
		if team != nil && l+1 < kb {
			team.Wait() // before the block is overwritten
		}
	}
}

// symmetricTile is the number of rows that expand does at once.
const symmetricTile = 16

// expand writes rows [r0, r1), columns [c0, c1) of the symmetric matrix to dst, by
// way of a tile.
func (s *symmetricCall[T]) expand(dst *T, r0, r1, c0, c1 int, tile []T) {
	for r := r0; r < r1; r += symmetricTile {
		h := min(symmetricTile, r1-r)
		// Columns [c0, m0) lie left of the diagonal, [m1, c1) right of it.
		m0, m1 := min(max(c0, r), c1), max(min(c1, r+h), c0)
		row := offset(dst, (r-r0)*s.ld)
		s.block(row, r, h, c0, m0, s.lower)
		s.block(offset(row, m1-c0), r, h, m1, c1, !s.lower)
		if m0 < m1 {
			s.diagonal(offset(row, m0-c0), r, h, m0, m1, tile)
		}
	}
}

// diagonal writes h rows from r on, columns [c0, c1) among the same, to dst.
func (s *symmetricCall[T]) diagonal(dst *T, r, h, c0, c1 int, tile []T) {
	// The tile is the transpose of what is stored, where that is.
	for i := c0; i < c1; i++ {
		lo, hi := r, i+1
		if !s.lower {
			lo, hi = i, r+h
		}
		copy(tile[(i-c0)*symmetricTile+lo-r:], unsafe.Slice(s.a.at(i, lo), hi-lo))
	}
	s.g.kern.TransTo(c1-c0, h, &tile[0], symmetricTile, dst, s.ld)
	for i := r; i < r+h; i++ {
		lo, hi := c0, min(c1, i+1)
		if !s.lower {
			lo, hi = max(c0, i), c1
		}
		if lo < hi {
			copy(unsafe.Slice(offset(dst, (i-r)*s.ld+lo-c0), hi-lo), unsafe.Slice(s.a.at(i, lo), hi-lo))
		}
	}
}

// block writes h rows from r on, columns [c0, c1), which the diagonal does not
// cross, to dst; they are stored, or else their transposes are.
func (s *symmetricCall[T]) block(dst *T, r, h, c0, c1 int, stored bool) {
	switch {
	case c0 >= c1:
	case stored:
		s.g.kern.CopyTo(h, c1-c0, s.a.at(r, c0), s.a.rs, dst, s.ld)
	default:
		s.g.kern.TransTo(c1-c0, h, s.a.at(c0, r), s.a.rs, dst, s.ld)
	}
}
