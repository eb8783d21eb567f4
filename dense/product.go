package dense

import (
	"sync"
	"unsafe"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/internal/cpu"
	"github.com/precond-go/precond/internal/par"
)

// A product is one matrix product C = alpha·A·B + beta·C as the kernels see it,
// possibly restricted to a triangle of C. It is the engine of all of level 3.
type product[T Float] struct {
	kern    *asm.Kernels[T]
	m, n, k int
	alpha   T
	a, b    operand[T]
	beta    T
	c       *T
	ldc     int
	tri     triangle // part of C that is computed and touched
	minus   bool     // C −= A·B, each element in one chain that starts from C; not on direct's path
	shape   plan
	space   []T // workspace, shape.each for each worker
}

// triangle is the part of C that a product computes.
type triangle int8

const (
	whole triangle = iota
	lowerTriangle
	upperTriangle
)

// A plan holds the decisions of a product that do not change its bits.
type plan struct {
	workers      int  // number of workers; each has a rows×cols cell of a grid
	gridR, gridC int  // grid of cells: gridR·gridC = workers
	direct       bool // one small product on operands in place
	packA, packB bool // whether strips of A, panels of B are packed
	mc, nc       int  // rows of A and columns of B that are worked on at once
	kc           int  // longest block of k
	each         int  // workspace of one worker
}

// Sizes that separate the paths. They were measured on one core of a Zen 5 server;
// a wrong choice costs some percent and no bit.
const (
	parallelFrom  = 96 * 96 * 96    // multiply-adds; below: one thread
	directUpTo    = 128             // rows of A; at most so many: B is used in place
	directWork    = 128 * 128 * 128 // multiply-adds; at most so many: neither is packed
	transposeUpTo = 1 << 15         // elements of B; at most so many are written out transposed
	fewSteps      = 8               // of k; at most so many: the time is that of C
	fewRows       = 4               // of a strip of so few steps
	packAFrom     = 512             // columns of B; from here on A is packed
	rowsAtOnce    = 2048            // rows of A that are packed at once
	callUpTo      = 1 << 22         // multiply-adds of one call on B in place
)

// l2 is the size of the second-level cache in bytes; a block of B takes half.
var l2 = cpu.CacheSizes().L2

// run checks nothing: its callers have. It computes the product.
func (g *product[T]) run(op string, o *Opts[T]) {
	if g.m == 0 || g.n == 0 {
		return
	}
	g.kern = asm.For[T]()
	if g.alpha == 0 || g.k == 0 {
		g.scale(0, g.m, 0, g.n)
		return
	}
	threads := 1
	if g.m*g.n*g.k >= parallelFrom && !o.single() { // GOMAXPROCS takes a lock
		threads = o.threads()
	}
	g.plan(threads)
	var pooled *buffer[T]
	if size := g.shape.workers * g.shape.each; size > 0 {
		g.space, pooled = scratch(o, op, size)
	}
	if g.shape.workers == 1 {
		g.cell(g.space, 0, g.m, 0, g.n)
	} else {
		par.Share(poolOf[T](&products32, &products64), g.shape.workers, g)
	}
	release(pooled)
}

// small returns whether a product is worth neither packing nor more than one
// thread, of which there may be others or not. A transposed B has to be written out.
func small(m, n, k int, single, transposed bool) bool {
	if transposed && n*k > transposeUpTo {
		return false
	}
	return m <= directUpTo && (m*n*k < parallelFrom || single && m*n*k <= directWork)
}

// direct is cell for a small product, on operands in place but for a transposed B,
// of which it writes out a block of k at a time.
func (g *product[T]) direct(work []T, i0, i1, j0, j1 int) {
	if g.beta != 0 && g.beta != 1 {
		g.scale(i0, i1, j0, j1)
	}
	kern := g.kern
	var columns []T
	if g.b.cs != 1 {
		columns, work = cut(work, g.shape.kc*(j1-j0))
	}
	mode := asm.Add
	if g.beta == 0 {
		mode = asm.Store
	}
	strips := blocks(i1-i0, kern.MR)
	kb := blocks(g.k, asm.KC[T]())
	for l := range kb {
		l0, l1 := blockOf(g.k, l, kb)
		b := operand[T]{g.b.at(l0, j0), g.b.rs, kern.NR} // cs is the distance of panels
		if g.b.cs != 1 {
			kern.TransTo(j1-j0, l1-l0, b.p, g.b.cs, &columns[0], j1-j0)
			b.p, b.rs = &columns[0], j1-j0
		}
		for s, s0 := 0, i0; s < strips; s++ {
			s1 := i1
			if s < strips-1 { // divisions are slow
				s1 = i0 + (i1-i0)*(s+1)/strips
			}
			g.strip(work, s0, s1, j0, j1-j0, l1-l0, operand[T]{g.a.at(s0, l0), g.a.rs, g.a.cs}, b, mode)
			s0 = s1
		}
		mode = asm.Add
	}
}

// workspace returns the length of workspace that the planned product needs.
func (g *product[T]) workspace() int {
	if g.shape.each == 0 {
		return 0
	}
	return g.shape.workers*g.shape.each + alignSlack[T]()
}

// plan decides how the product is done on up to the given number of threads.
func (g *product[T]) plan(threads int) {
	g.shape = plan{workers: 1, gridR: 1, gridC: 1}
	if g.m == 0 || g.n == 0 || g.k == 0 {
		return
	}
	p, kern := &g.shape, g.kern
	kb := blocks(g.k, asm.KC[T]())
	p.kc = (g.k + kb - 1) / kb
	if g.tri != whole { // a tile
		p.each = roundUp(kern.MR*(kern.NR+roundUp(kern.MR, kern.NR)), alignSlack[T]())
	}
	if small(g.m, g.n, g.k, threads == 1, g.b.cs != 1) && !g.minus {
		p.direct = true
		if g.b.cs != 1 {
			p.each += roundUp(p.kc*g.n, alignSlack[T]())
		}
		return
	}
	if g.m*g.n*g.k < parallelFrom {
		threads = 1
	}
	p.packB = g.b.cs != 1 || g.m > directUpTo
	p.packA = g.packsA()
	p.gridR, p.gridC = grid(threads, (g.m+kern.MR-1)/kern.MR, (g.n+kern.NR-1)/kern.NR, g.tri != whole)
	p.workers = p.gridR * p.gridC
	size := int(unsafe.Sizeof(T(0)))
	p.mc = g.m
	if p.packA {
		p.mc = roundUp(min(g.m, rowsAtOnce), kern.MR)
	}
	if p.packB {
		p.nc = max(1, l2/2/(p.kc*size*kern.NR)) * kern.NR
		if g.m <= kern.MR { // one strip uses each panel once, best from the first-level cache
			p.nc = kern.NR
		}
		p.nc = min(p.nc, roundUp(g.n, kern.NR))
		p.each += roundUp(p.kc*p.nc, alignSlack[T]())
	} else { // a call of the kernel cannot be preempted
		p.nc = max(1, callUpTo/(p.kc*kern.MR*kern.NR)) * kern.NR
	}
	if p.packA {
		p.each += roundUp(p.kc*p.mc, alignSlack[T]())
	}
}

// gemmRoom returns a length of workspace that suffices for every product of an m×k by a
// k×n matrix, transposed or not, whole or a triangle, and for all smaller ones: what
// plan asks for is not monotonic.
func gemmRoom[T Float](m, n, k, threads int) int {
	kern := asm.For[T]()
	line := alignSlack[T]()
	kc := min(k, asm.KC[T]())
	columns := kc * roundUp(n, kern.NR)
	rows := kc * roundUp(min(m, rowsAtOnce), kern.MR)
	tile := kern.MR * (kern.NR + roundUp(kern.MR, kern.NR))
	return par.Threads(threads)*(columns+rows+tile+3*line) + line
}

// packsA returns whether A is to be packed, which pays where a strip is used
// often enough; transposed ones are scattered over more pages. The row stride
// has no say, though a multiple of the page size is a bad one: the size of the
// workspace would depend on it.
func (g *product[T]) packsA() bool {
	if g.minus {
		return true // packing changes the sign
	}
	if g.k <= fewSteps {
		return false
	}
	if g.a.cs != 1 {
		return g.n > 2*g.kern.NR && g.k > 32
	}
	return g.n >= packAFrom
}

// blocks returns the number of parts that k is cut into.
func blocks(k, limit int) int {
	if 0 < k && k <= limit { // mostly, and divisions are slow
		return 1
	}
	return (k + limit - 1) / limit
}

func roundUp(n, unit int) int { return (n + unit - 1) / unit * unit }

// grid arranges up to threads workers over a matrix of r×c tiles. Cells of a
// column share columns of B, which each of them packs for itself, so columns are
// cut first; a triangle is cut in rows only, since strips are narrower than panels.
func grid(threads, r, c int, rowsOnly bool) (rows, cols int) {
	threads = max(1, threads)
	if rowsOnly {
		return min(threads, r), 1
	}
	best, rows, cols := -1, 1, 1
	for gc := 1; gc <= threads; gc++ {
		gr := min(threads/gc, r)
		if gr < 1 || gc > c {
			continue
		}
		// time ∝ tiles of the largest cell, plus something for its borders
		tr, tc := (r+gr-1)/gr, (c+gc-1)/gc
		cost := 10*tr*tc + 5*tc + tr
		if best < 0 || cost < best {
			best, rows, cols = cost, gr, gc
		}
	}
	return rows, cols
}

// Pools of products on their way to workers; see share.
var products32, products64 sync.Pool

// Work computes the cell of worker w.
func (g *product[T]) Work(_ *par.Team, w int) {
	p := &g.shape
	r, c := w/p.gridC, w%p.gridC
	i0, i1 := par.Range(g.m, p.gridR, r, g.kern.MR)
	j0, j1 := par.Range(g.n, p.gridC, c, g.kern.NR)
	switch g.tri {
	case lowerTriangle:
		i0, i1 = g.slice(r), g.slice(r+1)
		j1 = min(g.n, i1)
	case upperTriangle:
		i0, i1 = g.slice(r), g.slice(r+1)
		j0 = i0
	}
	if i0 < i1 && j0 < j1 {
		g.cell(g.space[w*p.each:(w+1)*p.each], i0, i1, j0, j1)
	}
}

// slice returns the first row of worker r where rows of a triangle are shared out
// in equal areas, to the nearest strip.
func (g *product[T]) slice(r int) int {
	n, w, mr := g.n, g.shape.gridR, g.kern.MR
	if r >= w {
		return n
	}
	i := 0
	for ; i < n; i += mr {
		// rows before j hold j² elements of 2·n²/2 of the lower triangle, 2·j·n − j²
		// of the upper one
		j := min(n, i+mr/2)
		area := j * j
		if g.tri == upperTriangle {
			area = 2*j*n - j*j
		}
		if area*w >= r*n*n {
			break
		}
	}
	return min(i, n)
}

// cell computes rows [i0, i1) and columns [j0, j1) of C on one thread.
//
// A strip of MR rows of A stays in the first-level cache while the kernel goes
// over the columns; a block of B stays in the second-level cache while the
// strips go by; packed, both are read front to back.
func (g *product[T]) cell(work []T, i0, i1, j0, j1 int) {
	p := &g.shape
	if p.direct {
		g.direct(work, i0, i1, j0, j1)
		return
	}
	if g.beta != 0 && g.beta != 1 {
		g.scale(i0, i1, j0, j1)
	}
	var panels, rows []T
	if p.packB {
		panels, work = cut(work, p.kc*p.nc)
	}
	if p.packA {
		rows, work = cut(work, p.kc*p.mc)
	}
	mr := g.kern.MR
	kb := blocks(g.k, asm.KC[T]())
	for i := i0; i < i1; i += p.mc {
		in := min(p.mc, i1-i)
		strips := blocks(in, mr)
		if g.k <= fewSteps && !p.packA {
			strips = blocks(in, fewRows)
		}
		for l := range kb {
			l0, l1 := blockOf(g.k, l, kb)
			mode := asm.Add
			if l == 0 && g.beta == 0 {
				mode = asm.Store
			}
			if g.minus {
				mode = asm.Chain
			}
			if p.packA {
				g.packRows(rows, i, in, l0, l1)
			}
			for j := j0; j < j1; j += p.nc {
				jn := min(p.nc, j1-j)
				b := operand[T]{g.b.at(l0, j), g.b.rs, g.kern.NR} // cs is the distance of panels
				if p.packB {
					g.packColumns(panels, l0, l1, j, jn)
					b = operand[T]{&panels[0], g.kern.NR, (l1 - l0) * g.kern.NR}
				}
				for s := range strips {
					s0, s1 := blockOf(in, s, strips)
					a := operand[T]{g.a.at(i+s0, l0), g.a.rs, g.a.cs}
					if p.packA {
						s0, s1 = s*mr, min(in, (s+1)*mr)
						a = operand[T]{&rows[s0*(l1-l0)], 1, mr}
					}
					s0, s1 = i+s0, i+s1
					g.strip(work, s0, s1, j, jn, l1-l0, a, b, mode)
				}
			}
		}
	}
}

// cut splits n elements off the front of w. The rest begins at a multiple of the
// alignment.
func cut[T Float](w []T, n int) (front, rest []T) {
	return w[:n:n], w[roundUp(n, alignSlack[T]()):]
}

// packColumns fills panels with rows [l0, l1) and columns [j, j+jn) of B.
func (g *product[T]) packColumns(panels []T, l0, l1, j, jn int) {
	if g.b.cs == 1 {
		g.kern.Pack(l1-l0, jn, g.kern.NR, g.b.at(l0, j), g.b.rs, &panels[0])
	} else {
		g.kern.PackT(l1-l0, jn, g.kern.NR, g.b.at(l0, j), g.b.cs, &panels[0])
	}
}

// packRows fills strips with columns [l0, l1) of rows [i, i+in) of A, each
// column by column.
func (g *product[T]) packRows(strips []T, i, in, l0, l1 int) {
	if g.a.rs == 1 {
		g.kern.Pack(l1-l0, in, g.kern.MR, g.a.at(i, l0), g.a.cs, &strips[0])
	} else {
		g.kern.PackT(l1-l0, in, g.kern.MR, g.a.at(i, l0), g.a.rs, &strips[0])
	}
	if g.minus {
		g.kern.Scal(-1, strips[:(l1-l0)*roundUp(in, g.kern.MR)])
	}
}

// strip adds the product of a strip of A and a block of B to rows [s0, s1),
// columns [j, j+jn) of C, as far as they lie in the triangle. Panels that the
// diagonal crosses go through a tile in the workspace.
func (g *product[T]) strip(tile []T, s0, s1, j, jn, k int, a, b operand[T], mode int) {
	if g.tri == whole {
		g.kern.Gemm(s1-s0, jn, k, g.alpha, a.p, a.rs, a.cs, b.p, b.rs, b.cs, offset(g.c, s0*g.ldc+j), g.ldc, mode)
		return
	}
	nr := g.kern.NR
	// Panels that the diagonal crosses cover columns [d0, d1).
	d0 := j + max(0, s0-j)/nr*nr
	d1 := min(j+jn, j+roundUp(max(0, s1-j), nr))
	rect := func(q0, q1 int) {
		if q0 < q1 {
			g.kern.Gemm(s1-s0, q1-q0, k, g.alpha, a.p, a.rs, a.cs,
				offset(b.p, (q0-j)/nr*b.cs), b.rs, b.cs, offset(g.c, s0*g.ldc+q0), g.ldc, mode)
		}
	}
	if g.tri == lowerTriangle {
		rect(j, min(d0, j+jn))
	} else {
		rect(max(d1, j), j+jn)
	}
	if d0 >= d1 {
		return
	}
	ld := d1 - d0
	g.diagonal(tile, s0, s1, d0, d1, mode != asm.Store, false)
	g.kern.Gemm(s1-s0, ld, k, g.alpha, a.p, a.rs, a.cs, offset(b.p, (d0-j)/nr*b.cs), b.rs, b.cs, &tile[0], ld, mode)
	g.diagonal(tile, s0, s1, d0, d1, true, true)
}

// diagonal copies the triangle's part of rows [s0, s1), columns [d0, d1) of C from
// the tile (back) or to it; the rest of the tile is set to zero on the way in.
func (g *product[T]) diagonal(tile []T, s0, s1, d0, d1 int, read, back bool) {
	ld := d1 - d0
	if !read {
		return
	}
	for i := s0; i < s1; i++ {
		lo, hi := d0, min(d1, i+1)
		if g.tri == upperTriangle {
			lo, hi = max(d0, i), d1
		}
		row := tile[(i-s0)*ld : (i-s0+1)*ld]
		if !back {
			clear(row)
		}
		if lo >= hi {
			continue
		}
		c := unsafe.Slice(offset(g.c, i*g.ldc+lo), hi-lo)
		if back {
			copy(c, row[lo-d0:hi-d0])
		} else {
			copy(row[lo-d0:hi-d0], c)
		}
	}
}

// scale multiplies the part of C in rows [i0, i1) and columns [j0, j1) by beta.
func (g *product[T]) scale(i0, i1, j0, j1 int) {
	for i := i0; i < i1; i++ {
		lo, hi := j0, j1
		switch g.tri {
		case lowerTriangle:
			hi = min(hi, i+1)
		case upperTriangle:
			lo = max(lo, i)
		}
		if lo >= hi {
			continue
		}
		scaleRow(unsafe.Slice(offset(g.c, i*g.ldc+lo), hi-lo), g.beta)
	}
}

// scaleRow multiplies row by beta; beta == 0 sets it to zero without reading it.
func scaleRow[T Float](row []T, beta T) {
	switch beta {
	case 0:
		clear(row)
	case 1:
	default:
		for j := range row {
			row[j] = T(beta * row[j])
		}
	}
}
