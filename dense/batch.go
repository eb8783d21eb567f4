package dense

import (
	"fmt"
	"sort"
	"sync"
	"unsafe"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/internal/par"
	"gonum.org/v1/gonum/blas"
)

// GemmBatch computes C_i = alpha·op(A_i)·op(B_i) + beta·C_i for every i: as many
// products as there are matrices in each of a, b and c, of any sizes.
//
// Shapes: as in Gemm for each i; different i may have different ones. No c[i] may
// overlap another c, nor any a[j] or b[j]; the a and b may share elements.
// Cost: Σ 2mnk flops, and a few nanoseconds for the checks of each product: for n
// products whose c are not in order of address n·log n of them.
// Workspace: GemmBatchWork(tA, tB, a, b, threads).
// Threads share out the multiply-adds, not the products: one that is much larger than
// the others is cut among several.
// Order, accuracy, alpha and beta: each product has the bits that Gemm gives.
func GemmBatch[T Float](tA, tB blas.Transpose, alpha T, a, b []Matrix[T], beta T, c []Matrix[T], o *Opts[T]) {
	const op = "GemmBatch"
	t := batchCall[T]{count: len(c), alpha: alpha, beta: beta}
	t.tA, t.tB = transposed(op, tA), transposed(op, tB)
	if len(a) != len(c) || len(b) != len(c) {
		panic(fmt.Sprintf("dense: GemmBatch: %d a, %d b, %d c", len(a), len(b), len(c)))
	}
	t.a.list, t.b.list, t.c.list = a, b, c
	if t.count == 0 {
		return
	}
	s := batchSpaces.Get().(*batchSpace)
	t.checkAll(op, s)
	t.run(op, o)
	batchSpaces.Put(s)
}

// GemmBatchWork returns the length of the workspace of GemmBatch for matrices of
// the shapes of a and b, on the given number of threads. It reads no elements.
func GemmBatchWork[T Float](tA, tB blas.Transpose, a, b []Matrix[T], threads int) int {
	const op = "GemmBatchWork"
	t := batchCall[T]{alpha: 1}
	t.tA, t.tB = transposed(op, tA), transposed(op, tB)
	if len(a) != len(b) {
		panic(fmt.Sprintf("dense: GemmBatchWork: %d a, %d b", len(a), len(b)))
	}
	for i := range a {
		d, _ := sizes(t.tA, t.tB, &a[i], &b[i])
		t.add(d, 1)
	}
	t.plan(par.Threads(threads))
	return t.workspace()
}

// GemmStrided computes C_i = alpha·op(A_i)·op(B_i) + beta·C_i for i in [0, count)
// with equal shapes and strides, where A_i begins at a[i·strideA] and has row stride
// lda, and so on: GemmBatch without lists.
//
// Shapes: op(A_i) is m×k, op(B_i) is k×n, C_i is m×n. strideA or strideB may be 0: one
// matrix then serves all products. No C_i may overlap another one, nor any A_j or
// B_j; they may interleave, as the blocks of a matrix do.
// Cost: 2mnk·count flops. Workspace: GemmStridedWork(tA, tB, m, n, k, count, threads).
// Order, accuracy, alpha and beta: each product has the bits that Gemm gives.
func GemmStrided[T Float](tA, tB blas.Transpose, m, n, k int, alpha T, a []T, lda, strideA int, b []T, ldb, strideB int, beta T, c []T, ldc, strideC, count int, o *Opts[T]) {
	const op = "GemmStrided"
	t := batchCall[T]{count: count, alpha: alpha, beta: beta}
	t.tA, t.tB = transposed(op, tA), transposed(op, tB)
	if m < 0 || n < 0 || k < 0 || count < 0 {
		panic(fmt.Sprintf("dense: GemmStrided: m = %d, n = %d, k = %d, count = %d", m, n, k, count))
	}
	t.a = strided(op, "a", t.tA, m, k, a, lda, strideA, count)
	t.b = strided(op, "b", t.tB, k, n, b, ldb, strideB, count)
	t.c = strided(op, "c", false, m, n, c, ldc, strideC, count)
	if m == 0 || n == 0 || count == 0 {
		return
	}
	if c := t.c.stretch(count); !t.c.apart(count) || !c.apart(t.a.stretch(count)) || !c.apart(t.b.stretch(count)) {
		s := batchSpaces.Get().(*batchSpace)
		t.checkApart(op, s)
		batchSpaces.Put(s)
	}
	t.add(dims3{m, n, k}, count)
	t.run(op, o)
}

// GemmStridedWork returns the length of the workspace of GemmStrided for count
// products of m×k by k×n matrices on the given number of threads.
func GemmStridedWork[T Float](tA, tB blas.Transpose, m, n, k, count, threads int) int {
	const op = "GemmStridedWork"
	t := batchCall[T]{count: count, alpha: 1}
	t.tA, t.tB = transposed(op, tA), transposed(op, tB)
	t.add(dims3{m, n, k}, count)
	t.plan(par.Threads(threads))
	return t.workspace()
}

// batchCall is one call of GemmBatch or GemmStrided.
//
// The products are laid end to end on a line, each as long as its cost, and every
// worker takes an equal part of the line. What a small product costs goes to the
// worker who has its middle; a large one is cut in rows or columns where the parts
// meet, so that batches of few or unequal products spread as well as others.
type batchCall[T Float] struct {
	tA, tB      bool
	alpha, beta T
	a, b, c     family[T]
	count       int
	total       int   // length of the line
	ends        []int // where each product ends on it; nil if all have the same length
	last        dims3 // sizes of the last product that was added
	price       int   // its cost
	workers     int
	each        int // workspace of one worker
	space       []T // that of all
}

// dims3 are the sizes of a product.
type dims3 struct{ m, n, k int }

// batchShare is the least share of a worker in multiply-adds.
const batchShare = parallelFrom / 2

// family is one operand of all products: matrices in a list, or equal ones at a
// distance.
type family[T Float] struct {
	list  []Matrix[T]
	first Matrix[T] // if list is nil
	step  int
}

// at returns matrix i, if need be in m.
func (f *family[T]) at(i int, m *Matrix[T]) *Matrix[T] {
	if f.list != nil {
		return &f.list[i]
	}
	*m = f.first
	m.Data = m.Data[i*f.step:]
	return m
}

var batchTasks32, batchTasks64 sync.Pool

// sizes returns the sizes of the product of two factors, and the rows of the second,
// which are k if they agree.
func sizes[T Float](tA, tB bool, a, b *Matrix[T]) (d dims3, inner int) {
	d.m, d.k, inner, d.n = a.Rows, a.Cols, b.Rows, b.Cols
	if tA {
		d.m, d.k = d.k, d.m
	}
	if tB {
		inner, d.n = d.n, inner
	}
	return d, inner
}

// cost returns the length of a product on the line: multiply-adds, and what a call and an
// element of C cost in their stead.
func (t *batchCall[T]) cost(d dims3) int {
	if t.alpha == 0 {
		d.k = 0
	}
	return d.m*d.n*(d.k+8) + 1024
}

// add appends count products of one size to the line.
func (t *batchCall[T]) add(d dims3, count int) {
	if d != t.last {
		t.reserve(d)
	}
	t.total += count * t.price
}

// reserve sets the price of a size and makes room for it in the workspace.
func (t *batchCall[T]) reserve(d dims3) {
	t.last, t.price = d, t.cost(d)
	if t.alpha == 0 {
		return
	}
	g := product[T]{kern: asm.For[T](), m: d.m, n: d.n, k: d.k, a: operand[T]{cs: 1}, b: operand[T]{cs: 1}}
	if t.tA {
		g.a = operand[T]{rs: 1}
	}
	if t.tB {
		g.b = operand[T]{rs: 1}
	}
	g.plan(1)
	t.each = max(t.each, g.shape.each)
}

// plan decides on the number of workers.
func (t *batchCall[T]) plan(threads int) {
	t.workers = 1
	if t.total >= parallelFrom {
		t.workers = max(1, min(threads, t.total/batchShare))
	}
}

// workspace returns the length of the workspace of the planned call.
func (t *batchCall[T]) workspace() int {
	if t.each == 0 {
		return 0
	}
	return t.workers*t.each + alignSlack[T]()
}

// run does what has been checked and added.
func (t *batchCall[T]) run(op string, o *Opts[T]) {
	threads := 1
	if t.total >= parallelFrom && !o.single() { // GOMAXPROCS takes a lock
		threads = o.threads()
	}
	t.plan(threads)
	var pooled *buffer[T]
	if t.each > 0 {
		t.space, pooled = scratch(o, op, t.workers*t.each)
	}
	if t.workers == 1 {
		t.Work(nil, 0)
	} else {
		par.Share(poolOf[T](&batchTasks32, &batchTasks64), t.workers, t)
	}
	release(pooled)
}

// border returns where the part of worker w begins on the line.
func (t *batchCall[T]) border(w int) int {
	return t.total/t.workers*w + min(w, t.total%t.workers)
}

// Work does the part of worker w.
func (t *batchCall[T]) Work(_ *par.Team, w int) {
	lo, hi := t.border(w), t.border(w+1)
	space := t.space[w*t.each : (w+1)*t.each]
	g := product[T]{kern: asm.For[T](), alpha: t.alpha, beta: t.beta}
	i := 0
	if t.ends != nil {
		i = sort.SearchInts(t.ends, lo+1) // the first that ends after lo
	} else {
		i = lo / t.price
	}
	for ; i < t.count; i++ {
		start, end := i*t.price, (i+1)*t.price
		if t.ends != nil {
			start, end = 0, t.ends[i]
			if i > 0 {
				start = t.ends[i-1]
			}
		}
		if start >= hi {
			return
		}
		t.load(&g, i)
		if lo <= start && end <= hi {
			g.alone(space, 0, g.m, 0, g.n)
		} else {
			g.part(space, start, end, lo, hi)
		}
	}
}

// load makes g product i.
func (t *batchCall[T]) load(g *product[T], i int) {
	a, b, c := &t.a.first, &t.b.first, &t.c.first
	if t.a.list != nil {
		a, b, c = &t.a.list[i], &t.b.list[i], &t.c.list[i]
	}
	g.m, g.n, g.k = c.Rows, c.Cols, a.Cols
	if t.tA {
		g.k = a.Rows
	}
	g.a, g.b = operandOf(a, t.tA), operandOf(b, t.tB)
	g.c, g.ldc = unsafe.SliceData(c.Data), c.Stride
	if t.a.list == nil {
		g.a.p, g.b.p, g.c = offset(g.a.p, i*t.a.step), offset(g.b.p, i*t.b.step), offset(g.c, i*t.c.step)
	}
}

// alone computes rows [i0, i1) and columns [j0, j1) of C on this thread.
func (g *product[T]) alone(space []T, i0, i1, j0, j1 int) {
	switch {
	case i0 >= i1 || j0 >= j1:
	case g.alpha == 0 || g.k == 0:
		g.scale(i0, i1, j0, j1)
	default:
		g.plan(1)
		g.cell(space, i0, i1, j0, j1)
	}
}

// part computes what of g, which lies in [start, end) of the line, belongs to the
// part [lo, hi).
func (g *product[T]) part(space []T, start, end, lo, hi int) {
	if g.m*g.n*g.k < parallelFrom {
		if middle := start + (end-start)/2; lo <= middle && middle < hi {
			g.alone(space, 0, g.m, 0, g.n)
		}
		return
	}
	rows, cols := blocks(g.m, g.kern.MR), blocks(g.n, g.kern.NR)
	if cols >= 8 || cols >= rows {
		g.alone(space, 0, g.m, cutAt(g.n, g.kern.NR, start, end, lo), cutAt(g.n, g.kern.NR, start, end, hi))
	} else {
		g.alone(space, cutAt(g.m, g.kern.MR, start, end, lo), cutAt(g.m, g.kern.MR, start, end, hi), 0, g.n)
	}
}

// cutAt returns the border in n rows or columns, at a multiple of unit, that is
// nearest to place x on the line if they are spread over [start, end).
func cutAt(n, unit, start, end, x int) int {
	units := blocks(n, unit)
	each := (end - start) / units
	return min(n, (min(max(x, start), end)-start+each/2)/each*unit)
}
