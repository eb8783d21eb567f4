package invroot

import (
	"fmt"
	"sync"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/par"
	"github.com/precond-go/precond/internal/space"
	"gonum.org/v1/gonum/blas"
)

// Apply sets dst to X·g (side blas.Left) or g·X (blas.Right) for the root X, by two
// products with the kept columns.
//
// Shapes: g and dst are n×m for Left, m×n for Right; they are the same or do not overlap.
// Cost: 4nm·Columns() flops. Workspace: ApplyWork(side, m, threads).
// NaN and infinities in g spread as products spread them.
// Accuracy: some ε·‖X‖₂·‖g‖_F beside the error of X.
func (r *LowRank[T]) Apply(side blas.Side, g, dst dense.Matrix[T], o *dense.Opts[T]) {
	const op = "LowRank.Apply"
	n, m := g.Rows, g.Cols
	if side == blas.Right {
		n, m = m, n
	} else if side != blas.Left {
		panic(fmt.Sprintf("invroot: %s: unknown side %v", op, side))
	}
	if n != r.n || dst.Rows != g.Rows || dst.Cols != g.Cols {
		panic(fmt.Sprintf("invroot: %s: order %d, g is %dx%d, dst is %dx%d", op, r.n, g.Rows, g.Cols, dst.Rows, dst.Cols))
	}
	w, inner, pooled := r.workspace(op, r.ApplyWork(side, m, threadsOf(o)), o)
	defer freeWorkspace(inner, pooled)
	t := r.between(&w, side, m)
	inner.Work = w.Rest()
	kern := asm.For[T]()
	if side == blas.Left {
		dense.Gemm(blas.Trans, blas.NoTrans, 1, r.vectors, g, 0, t, inner)
		for i, d := range r.weights {
			kern.Scal(d, t.Row(i))
		}
		dense.Scale(r.outside, g, dst, inner)
		dense.Gemm(blas.NoTrans, blas.NoTrans, 1, r.vectors, t, 1, dst, inner)
		return
	}
	dense.Gemm(blas.NoTrans, blas.NoTrans, 1, g, r.vectors, 0, t, inner)
	for i := range m {
		kern.MulTo(t.Row(i), r.weights, t.Row(i))
	}
	dense.Scale(r.outside, g, dst, inner)
	dense.Gemm(blas.NoTrans, blas.Trans, 1, t, r.vectors, 1, dst, inner)
}

// ApplyWork returns the length of the workspace of Apply for a matrix of m columns (Left) or
// rows (Right) on the given number of threads.
func (r *LowRank[T]) ApplyWork(side blas.Side, m, threads int) int {
	threads = par.Threads(threads)
	k := len(r.weights)
	var w space.Arena[T]
	r.between(&w, side, m)
	if side == blas.Left {
		w.Take(max(dense.GemmWork[T](blas.Trans, blas.NoTrans, k, m, r.n, threads), dense.GemmWork[T](blas.NoTrans, blas.NoTrans, r.n, m, k, threads)))
	} else {
		w.Take(max(dense.GemmWork[T](blas.NoTrans, blas.NoTrans, m, k, r.n, threads), dense.GemmWork[T](blas.NoTrans, blas.Trans, m, r.n, k, threads)))
	}
	return w.Used() + space.Line[T]()
}

// between takes the matrix between the two products.
func (r *LowRank[T]) between(w *space.Arena[T], side blas.Side, m int) dense.Matrix[T] {
	if side == blas.Left {
		return matrix(w, len(r.weights), m)
	}
	return matrix(w, m, len(r.weights))
}

// Dense sets x to the root. Its triangles are equal.
//
// Shapes: x is n×n.
// Cost: 2n²·Columns() flops. Workspace: DenseWork(threads).
func (r *LowRank[T]) Dense(x dense.Matrix[T], o *dense.Opts[T]) {
	const op = "LowRank.Dense"
	n := r.n
	if x.Rows != n || x.Cols != n {
		panic(fmt.Sprintf("invroot: %s: order %d, x is %dx%d", op, n, x.Rows, x.Cols))
	}
	w, inner, pooled := r.workspace(op, r.DenseWork(threadsOf(o)), o)
	defer freeWorkspace(inner, pooled)
	t := matrix(&w, n, len(r.weights))
	inner.Work = w.Rest()
	kern := asm.For[T]()
	for i := range n {
		kern.MulTo(r.vectors.Row(i), r.weights, t.Row(i))
	}
	x.Fill(0)
	for i := range n {
		x.Row(i)[i] = r.outside
	}
	dense.Gemm(blas.NoTrans, blas.Trans, 1, t, r.vectors, 1, x, inner)
	dense.Mirror(blas.Lower, x)
}

// DenseWork returns the length of the workspace of Dense on the given number of threads.
func (r *LowRank[T]) DenseWork(threads int) int {
	var w space.Arena[T]
	matrix(&w, r.n, len(r.weights))
	w.Take(dense.GemmWork[T](blas.NoTrans, blas.Trans, r.n, r.n, len(r.weights), par.Threads(threads)))
	return w.Used() + space.Line[T]()
}

// workspace takes a workspace of so many elements, and pooled options for what is called.
func (r *LowRank[T]) workspace(op string, need int, o *dense.Opts[T]) (space.Arena[T], *dense.Opts[T], *space.Buffer[T]) {
	var work []T
	if o != nil {
		work = o.Work
	}
	room, pooled := space.Get("invroot", op, work, need-space.Line[T]())
	inner, _ := optsPool[T]().Get().(*dense.Opts[T])
	if inner == nil {
		inner = new(dense.Opts[T])
	}
	inner.Threads = threadsOf(o)
	return space.Over(room), inner, pooled
}

var opts32, opts64 sync.Pool

func optsPool[T dense.Float]() *sync.Pool {
	if isSingle[T]() {
		return &opts32
	}
	return &opts64
}

// freeWorkspace gives back what workspace has taken.
func freeWorkspace[T dense.Float](inner *dense.Opts[T], pooled *space.Buffer[T]) {
	*inner = dense.Opts[T]{}
	optsPool[T]().Put(inner)
	space.Put(pooled)
}
