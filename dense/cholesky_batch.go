package dense

import (
	"fmt"
	"math"
	"sync"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/internal/par"
	"gonum.org/v1/gonum/blas"
)

// CholeskyBatch factors the symmetric positive definite matrices a, each in place
// of its triangle uplo as [Cholesky] does, and with b solves a[i]·X = b[i] in place of
// b[i] where that succeeds, as [CholeskySolve] does. The bits are theirs.
//
// Shapes: a[i] is square, orders may differ; b is nil or as long as a, and b[i]
// has the rows of a[i] and any number of columns. No two of the matrices overlap. pivots
// is nil or as long as a; it receives for each matrix the number of finished columns
// of L, which is the order of the matrix where all went well. The other triangle is
// not written.
// Cost: Σ n³/3 + 2n²k flops. Workspace: CholeskyBatchWork(a, b, threads).
// Threads share out the matrices. Small ones of equal order that follow each other
// are factored together, so sort them where orders differ.
// Errors: *BlockError with the first matrix that is not positive definite; its Err is a
// *NotPositiveDefiniteError. The others are done all the same.
func CholeskyBatch[T Float](uplo blas.Uplo, a, b []Matrix[T], pivots []int, o *Opts[T]) error {
	const op = "CholeskyBatch"
	t := choleskyBatch[T]{op: op, factor: true, lower: lower(op, uplo), a: a, b: b, pivots: pivots}
	if pivots != nil && len(pivots) != len(a) {
		panic(fmt.Sprintf("dense: %s: %d matrices, %d pivots", op, len(a), len(pivots)))
	}
	if block, pivot := t.run(o); block < len(a) {
		return &BlockError{Block: block, Err: &NotPositiveDefiniteError{Pivot: pivot}}
	}
	return nil
}

// CholeskyBatchWork returns the length of the workspace of CholeskyBatch and
// CholeskySolveBatch on the given number of threads.
func CholeskyBatchWork[T Float](a, b []Matrix[T], threads int) int {
	t := choleskyBatch[T]{kern: asm.For[T](), a: a, b: b}
	t.plan(par.Threads(threads))
	return t.workers*t.each + alignSlack[T]()
}

// CholeskySolveBatch solves a[i]·X = b[i] in place of b[i], where the triangle uplo of
// a[i] holds the factor that [Cholesky] or [CholeskyBatch] made of it. The bits are those of
// [CholeskySolve].
//
// Shapes: as for CholeskyBatch. Cost: Σ 2n²k flops.
// Workspace: CholeskyBatchWork(a, b, threads).
func CholeskySolveBatch[T Float](uplo blas.Uplo, a, b []Matrix[T], o *Opts[T]) {
	const op = "CholeskySolveBatch"
	t := choleskyBatch[T]{op: op, lower: lower(op, uplo), a: a, b: b}
	if b == nil && a != nil {
		panic(fmt.Sprintf("dense: %s: no right-hand sides", op))
	}
	t.run(o)
}

// choleskyBatch is one call of CholeskyBatch or CholeskySolveBatch.
//
// Small matrices of equal order are interleaved in groups, so that an
// instruction does the same step of all of them. A group in which anything is out of the
// ordinary is done again, one matrix after the other.
type choleskyBatch[T Float] struct {
	op      string
	kern    *asm.Kernels[T]
	factor  bool
	lower   bool
	a, b    []Matrix[T]
	pivots  []int
	workers int
	each    int
	space   []T
}

// groupOrder is the largest order of matrices that are interleaved; groupLeast is the
// least number of them that is worth it.
const (
	groupOrder = 32
	groupLeast = 3
)

var choleskyBatches32, choleskyBatches64 sync.Pool

// run returns the first block that is not definite, and its pivot.
func (t *choleskyBatch[T]) run(o *Opts[T]) (block, pivot int) {
	if t.b != nil && len(t.b) != len(t.a) {
		panic(fmt.Sprintf("dense: %s: %d matrices, %d right-hand sides", t.op, len(t.a), len(t.b)))
	}
	for i := range t.a {
		checkSquare(t.op, "a", &t.a[i])
		if t.b != nil {
			checkSolve(t.op, &t.a[i], &t.b[i])
		}
	}
	if len(t.a) == 0 {
		return 0, 0
	}
	t.kern = asm.For[T]()
	t.plan(o.threads())
	w, buf := scratch(o, t.op, t.workers*t.each)
	t.space = w
	if t.workers == 1 {
		t.Work(nil, 0)
	} else {
		par.Share(poolOf[T](&choleskyBatches32, &choleskyBatches64), t.workers, t)
	}
	block = len(t.a)
	for v := t.workers - 1; v >= 0; v-- {
		if r := t.result(v); r[0] >= 0 {
			block, pivot = int(r[0])*resultBase+int(r[1]), int(r[2])
		}
	}
	release(buf)
	return block, pivot
}

// A worker's result is at the begin of its workspace: the block in two digits,
// since float32 does not have all integers, negative for none, and the pivot.
const resultBase = 1 << 20

func (t *choleskyBatch[T]) result(w int) []T { return t.space[w*t.each:][:3] }

// plan decides on the workers and their workspace.
func (t *choleskyBatch[T]) plan(threads int) {
	t.workers, t.each = 1, 0
	work, last, lastCols := 0, -1, -1
	for i := range t.a {
		n, cols := t.a[i].Rows, 0
		if t.b != nil {
			cols = t.b[i].Cols
		}
		work += n * n * (n + 6*cols)
		if n == last && cols == lastCols {
			continue
		}
		last, lastCols = n, cols
		c := choleskyCall[T]{kern: t.kern, n: n}
		c.plan(1)
		t.each = max(t.each, c.length(), t.groupRoom(n))
		if cols > 0 {
			t.each = max(t.each, CholeskySolveWork[T](n, cols, 1))
		}
	}
	if work >= 6*parallelFrom/4 {
		t.workers = max(1, min(threads, len(t.a)))
	}
	t.each = roundUp(t.each, alignSlack[T]()) + alignSlack[T]()
}

// groupRoom returns the length of the workspace of a group of matrices of order n.
func (t *choleskyBatch[T]) groupRoom(n int) int {
	if n > groupOrder {
		return 0
	}
	return asm.GroupLen[T]() * (2*n*n + 3*n)
}

// Work does the blocks of worker w.
func (t *choleskyBatch[T]) Work(_ *par.Team, w int) {
	result := t.result(w)
	result[0] = -1
	space := t.space[w*t.each+alignSlack[T]() : (w+1)*t.each]
	lo, hi := par.Range(len(t.a), t.workers, w, asm.GroupLen[T]())
	for i := lo; i < hi; {
		n, end := t.a[i].Rows, i+1
		for n <= groupOrder && end < hi && end < i+asm.GroupLen[T]() && t.a[end].Rows == n {
			end++
		}
		if n == 0 || end-i < groupLeast || n > groupOrder || !t.group(space, i, end) {
			for k := i; k < end; k++ {
				t.single(space, k, result)
			}
		}
		i = end
	}
}

// single does one block by itself.
func (t *choleskyBatch[T]) single(space []T, i int, result []T) {
	a := &t.a[i]
	if t.factor && a.Rows > 0 {
		c := choleskyCall[T]{kern: t.kern, lower: t.lower, n: a.Rows, a: operandOf(a, t.lower)}
		c.plan(1)
		c.cut(space[:c.length()])
		c.Work(nil, 0)
		done := int(c.done[0])
		t.setPivot(i, done)
		if done < a.Rows {
			if result[0] < 0 {
				result[0], result[1], result[2] = T(i/resultBase), T(i%resultBase), T(done)
			}
			return
		}
	}
	if t.b != nil {
		o := Opts[T]{Threads: 1, Work: space}
		solveTriangle(t.op, t.lower, !t.lower, blas.NonUnit, a, &t.b[i], &o)
		solveTriangle(t.op, t.lower, t.lower, blas.NonUnit, a, &t.b[i], &o)
	}
}

func (t *choleskyBatch[T]) setPivot(i, done int) {
	if t.pivots != nil {
		t.pivots[i] = done
	}
}

// group does blocks [lo, hi), which have the same order, at once. It returns false,
// and has written nothing, if one of them has a pivot that is not as it should be.
func (t *choleskyBatch[T]) group(space []T, lo, hi int) bool {
	n, w, count := t.a[lo].Rows, asm.GroupLen[T](), hi-lo
	flat, space := space[:w*n*n], space[w*n*n:]
	s, space := space[:w*n*n], space[w*n*n:]
	root, space := space[:w*n], space[w*n:]
	inv, x := space[:w*n], space[w*n:2*w*n]
	rs, cs := n, 1
	if t.lower {
		rs, cs = cs, rs
	}
	for l := range w {
		a := &t.a[lo+min(l, count-1)] // the last one fills a group up
		t.kern.CopyTo(n, n, &a.Data[0], a.Stride, &flat[l*n*n], n)
	}
	t.kern.TransTo(w, n*n, &flat[0], n*n, &s[0], w)
	if t.factor {
		t.kern.CholLanes(n, &s[0], rs, cs, &root[0], &inv[0])
		if !finite(t.kern.MaxAbs(root)) || !finite(t.kern.MaxAbs(inv)) {
			return false
		}
	} else {
		for i := range n {
			for l := range w {
				d := s[i*(n+1)*w+l]
				if inv[i*w+l] = 1 / d; !proper(1 / d) {
					return false
				}
			}
		}
	}
	if t.factor {
		t.kern.TransTo(n*n, count, &s[0], w, &flat[0], n*n)
		for l := range count {
			t.putTriangle(&t.a[lo+l], flat[l*n*n:])
			t.setPivot(lo+l, n)
		}
	}
	if t.b != nil {
		t.solveGroup(lo, hi, s, inv, x, flat, rs, cs)
	}
	return true
}

func finite[T Float](x T) bool { return !math.IsNaN(float64(x)) && !math.IsInf(float64(x), 0) }

// putTriangle copies the triangle of the square src to a.
func (t *choleskyBatch[T]) putTriangle(a *Matrix[T], src []T) {
	n := a.Rows
	for i := range n {
		from, to := i, n
		if t.lower {
			from, to = 0, i+1
		}
		copy(a.Data[i*a.Stride+from:i*a.Stride+to], src[i*n+from:i*n+to])
	}
}

// solveGroup solves for the right-hand sides of a group, a column of all of them at
// a time.
func (t *choleskyBatch[T]) solveGroup(lo, hi int, s, inv, x, flat []T, rs, cs int) {
	n, w := t.a[lo].Rows, asm.GroupLen[T]()
	cols := 0
	for i := lo; i < hi; i++ {
		cols = max(cols, t.b[i].Cols)
	}
	for c := range cols {
		for l := range hi - lo {
			if b := &t.b[lo+l]; c < b.Cols {
				moveColumn(b, c, flat[l*n:(l+1)*n], true)
			}
		}
		t.kern.TransTo(w, n, &flat[0], n, &x[0], w)
		t.kern.SolveLanes(n, &s[0], rs, cs, &inv[0], &x[0])
		t.kern.TransTo(n, w, &x[0], w, &flat[0], n)
		for l := range hi - lo {
			if b := &t.b[lo+l]; c < b.Cols {
				moveColumn(b, c, flat[l*n:(l+1)*n], false)
			}
		}
	}
}

// moveColumn copies column c of b to x, or back.
func moveColumn[T Float](b *Matrix[T], c int, x []T, in bool) {
	switch {
	case b.Stride == 1 && in:
		copy(x, b.Data)
	case b.Stride == 1:
		copy(b.Data, x)
	case in:
		for i := range x {
			x[i] = b.Data[i*b.Stride+c]
		}
	default:
		for i := range x {
			b.Data[i*b.Stride+c] = x[i]
		}
	}
}
