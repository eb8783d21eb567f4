package dense

import (
	"sync"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/internal/par"
)

// bidiagonalSVD is the divide and conquer for the singular values and vectors of an
// upper bidiagonal n×n matrix B with diagonal d and superdiagonal e (Gu and
// Eisenstat 1995).
//
// A node of the tree is a block of rows [lo, hi) with the columns [lo, hi], so one
// more than rows, except at the end of the matrix. Its row in the middle is taken
// out, the blocks above and below are its children, and their singular value
// decompositions reduce it to the problem of secular.go with z from that row.
// Values that the row does not change are set aside first (deflation).
//
// The rows of ut and vt are the singular vectors: a node's lie in its diagonal block.
// Its values are d[lo:hi], in no order; index[lo:hi] sorts them.
type bidiagonalSVD[T Float] struct {
	kern    *asm.Kernels[T]
	d, e    []T
	ut      Matrix[T] // n×n; no rows if only values are wanted
	vt      Matrix[T] // n×n; if only values are wanted n×2, the ends of what would be its rows
	index   []int
	space   []T // treeSpace elements
	workers int // for which space is made
	depth   int // leaves are at this depth
	level   int // that of the nodes that are being done
	failed  []bool
	ints    *treeInts
}

// treeInts are the integers and flags that a bidiagonalSVD works with, pooled with it.
type treeInts struct {
	index, kept, gone, order []int
	sort                     []int
	kind                     []kind
	fails                    []bool // of nodes, by their first row
	rootFails                []bool // of workers on the roots of a node
}

// leafSize is the largest order that is left to the QR iteration.
const leafSize = 12

// kind says which columns of a vector of a node may be other than zero.
type kind uint8

const (
	inLeft kind = iota
	inBoth
	inRight
)

var (
	treePool         sync.Pool // of *treeInts
	trees32, trees64 sync.Pool
)

// treeSpace returns the number of elements of space for order n on the given number
// of workers: three matrices, treeVectors vectors, and buffers of workers. Each node
// takes what belongs to its rows.
func treeSpace[T Float](n, workers int) int {
	return (n + 1) * (3*panelStride[T](n+1) + treeVectors + 2*workers)
}

// treeVectors is the number of vectors that a merge works with, besides buffers.
const treeVectors = 7

// solve computes the decomposition on up to the given number of threads. It returns
// the number of nodes that did not converge.
func (b *bidiagonalSVD[T]) solve(threads int) int {
	n := len(b.d)
	threads = min(threads, b.workers)
	b.kern = asm.For[T]()
	b.ints, _ = treePool.Get().(*treeInts)
	if b.ints == nil {
		b.ints = new(treeInts)
	}
	b.ints.resize(n)
	b.index = b.ints.index
	b.failed = b.ints.fails
	clear(b.failed)
	b.ut.Fill(0)
	b.vt.Fill(0)
	for i := range b.vector(0) {
		b.vector(0)[i] = 1
	}
	for m := n; m > leafSize; m /= 2 {
		b.depth++
	}
	for b.level = b.depth; b.level >= 0; b.level-- {
		nodes := 1 << b.level
		if outer, _ := par.Split(threads, nodes); outer > 1 && nodes >= threads {
			par.Share(poolOf[T](&trees32, &trees64), outer, b)
			continue
		}
		for i := range nodes {
			b.node(i, threads)
		}
	}
	failed := 0
	for _, f := range b.failed {
		if f {
			failed++
		}
	}
	return failed
}

// matrix returns matrix i of the three for the node at lo, rows×cols, of which a
// node of n rows can have n+1.
func (b *bidiagonalSVD[T]) matrix(i, lo, n, rows, cols int) Matrix[T] {
	ld := panelStride[T](n + 1)
	at := 3*panelStride[T](len(b.d)+1)*lo + i*ld*(n+1)
	return Matrix[T]{rows, cols, ld, b.space[at : at+rows*ld]}
}

// vector returns vector i; elements lo to hi belong to the node of these rows.
// Vector 0 is all ones.
func (b *bidiagonalSVD[T]) vector(i int) []T {
	n := len(b.d) + 1
	at := 3*panelStride[T](n)*n + i*n
	return b.space[at : at+n]
}

// buffers returns the buffers of the workers for the node at lo of n rows.
func (b *bidiagonalSVD[T]) buffers(lo, n int) []T {
	all := len(b.d) + 1
	at := (3*panelStride[T](all)+treeVectors)*all + 2*b.workers*lo
	return b.space[at : at+2*b.workers*n]
}

// finish gives back what solve took; index is not valid afterwards.
func (b *bidiagonalSVD[T]) finish() {
	treePool.Put(b.ints)
	b.ints, b.index = nil, nil
}

func (t *treeInts) resize(n int) {
	if cap(t.index) < n {
		t.index, t.kept, t.gone, t.order = make([]int, n), make([]int, n), make([]int, n), make([]int, n)
		t.sort = make([]int, n)
		t.kind = make([]kind, n)
		t.fails, t.rootFails = make([]bool, n), make([]bool, n)
	}
	t.index, t.kept, t.gone, t.order = t.index[:n], t.kept[:n], t.gone[:n], t.order[:n]
	t.sort = t.sort[:n]
	t.kind, t.fails, t.rootFails = t.kind[:n], t.fails[:n], t.rootFails[:n]
}

// work does the nodes of worker w on the present level.
func (b *bidiagonalSVD[T]) Work(team *par.Team, w int) {
	lo, hi := par.Range(1<<b.level, team.Workers(), w, 1)
	for i := lo; i < hi; i++ {
		b.node(i, 1)
	}
}

// node does node i of the present level, whose children are done.
func (b *bidiagonalSVD[T]) node(i, threads int) {
	lo, hi := 0, len(b.d)
	for bit := b.level - 1; bit >= 0; bit-- {
		mid := lo + (hi-lo)/2
		if i>>bit&1 == 0 {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	if b.level == b.depth {
		b.leaf(lo, hi)
		return
	}
	m := merge[T]{bidiagonalSVD: b, lo: lo, n: hi - lo}
	if !m.run(threads) {
		b.failed[lo] = true
	}
}

// leaf does the block of rows [lo, hi) by QR iteration.
func (b *bidiagonalSVD[T]) leaf(lo, hi int) {
	n := hi - lo
	cols := min(n+1, len(b.d)-lo)
	q := bidiagonalQR[T]{kern: b.kern, d: b.d[lo:hi], e: b.e[lo : lo+cols-1]}
	if b.ut.Rows == 0 {
		q.vt = b.vt.View(lo, 0, cols, 2)
		q.vt.Data[0], q.vt.Data[2*cols-1] = 1, 1
	} else {
		q.ut = b.ut.View(lo, lo, n, n)
		q.vt = b.vt.View(lo, lo, cols, cols)
		identity(q.ut)
		identity(q.vt)
	}
	if !q.run() {
		b.failed[lo] = true
	}
	sortByValue(b.index[lo:hi], q.d)
}

// identity sets a to ones on the diagonal and zeros elsewhere.
func identity[T Float](a Matrix[T]) {
	a.Fill(0)
	for i := range min(a.Rows, a.Cols) {
		a.Data[i*a.Stride+i] = 1
	}
}

// sortByValue sets index to the permutation that makes d ascend. Equal values stay
// in order. d is short or nearly sorted.
func sortByValue[T Float](index []int, d []T) {
	for i := range index {
		j := i
		for ; j > 0 && d[index[j-1]] > d[i]; j-- {
			index[j] = index[j-1]
		}
		index[j] = i
	}
}
