package dense

import (
	"fmt"

	"github.com/precond-go/precond/internal/par"
	"gonum.org/v1/gonum/blas"
)

// QRApply computes op(Q)·C (side Left) or C·op(Q) (side Right) in place of c, where
// the m×m matrix Q = H₁·H₂⋯H_k is given by a and tau as QR leaves them; op is the
// transpose if trans says so.
//
// Shapes: tau has k elements; a is m×n with n ≥ k, of which what is below the
// diagonal of the first k columns is read; c is m×p (Left) or p×m (Right) and must
// not overlap a. Cost: 4mpk − 2pk² flops, and mk·block for the factors T.
// Workspace: QRApplyWork(m, p, k, threads).
// Accuracy: backward stable; ‖op(Q)·C − exact‖₁ ≤ 10·m·ε·‖C‖₁ for some Q that is
// orthogonal and depends on a and tau alone (tested).
func QRApply[T Float](side blas.Side, trans blas.Transpose, a Matrix[T], tau []T, c Matrix[T], o *Opts[T]) {
	const op = "QRApply"
	onLeft, taken := left(op, side), transposed(op, trans)
	a.check(op, "a")
	c.check(op, "c")
	m, p := c.Rows, c.Cols
	if !onLeft {
		m, p = p, m
	}
	k := len(tau)
	if k > a.Cols || k > a.Rows || m != a.Rows {
		panic(fmt.Sprintf("dense: %s: a is %dx%d, tau has %d elements, c is %dx%d", op, a.Rows, a.Cols, k, c.Rows, c.Cols))
	}
	checkApart(op, &c, "c", &a, "a")
	if k == 0 || p == 0 {
		return
	}
	q := newQRApply[T](m, p, k, threadsOf(o, m*p*k))
	w, pooled := scratch(o, op, q.length())
	rest := q.take(w)
	forT, rest := cut(rest, q.forT)
	inner := &Opts[T]{Threads: q.threads, Work: rest}
	flip := blas.NoTrans
	if taken {
		flip = blas.Trans
	}
	for s := range q.blocks {
		b := s // Qᵀ·C takes the first block first, as C·Q does
		if onLeft != taken {
			b = q.blocks - 1 - s
		}
		lo, hi := q.columns(b)
		h := q.block(b)
		vectorsFromColumns(q.kern, a.View(lo, lo, m-lo, hi-lo), h.v)
		h.formT(q.kern, tau[lo:hi], forT)
		if onLeft {
			h.applyLeft(flip, c.View(lo, 0, m-lo, p), inner)
		} else {
			h.applyRight(flip, c.View(0, lo, p, m-lo), inner)
		}
	}
	release(pooled)
}

// QRApplyWork returns the length of the workspace of QRApply for k reflectors of
// length m and p columns (or rows, on the right side) on the given number of threads.
func QRApplyWork[T Float](m, p, k, threads int) int {
	q := newQRApply[T](m, p, k, threads)
	return q.length() + alignSlack[T]()
}

// qrApplyCall is the plan of one call of QRApply.
type qrApplyCall[T Float] struct {
	reflectorBlocks[T]
	forT, each int
	threads    int
}

func newQRApply[T Float](m, p, k, threads int) qrApplyCall[T] {
	q := qrApplyCall[T]{reflectorBlocks: newReflectorBlocks[T](m, k, 0), threads: 1}
	if m*p*k >= qrParallelFrom {
		q.threads = par.Threads(threads)
	}
	q.forT = roundUp(formTWork[T](q.nb, m), alignSlack[T]())
	q.each = applyLeftWork[T](q.nb, m, p, q.threads)
	return q
}

func (q *qrApplyCall[T]) length() int { return q.reflectorBlocks.length() + q.forT + q.each }

// QRSolve solves the least-squares problem min ‖A·X − B‖ in place of b, from a and
// tau as QR leaves them for an m×n matrix A of full rank, m ≥ n. The first n rows
// of b become X. The others become the part of Qᵀ·B that no X reaches, so their
// norms, column by column, are those of the residuals.
//
// Shapes: a is m×n with m ≥ n, tau has n elements, b is m×p and must not overlap a.
// Cost: 4mnp − n²p flops. Workspace: QRSolveWork(m, n, p, threads).
// Errors: *SingularError if the diagonal of R has a zero or NaN; b holds Qᵀ·B then.
// A matrix that is singular but for rounding has no zero there: QRPivoted tells.
// Accuracy: X solves the problem for a matrix and B that differ from A and B by
// no more than 10·m·n·ε, relative to the norm of each column (Higham 2002, theorem 20.3).
func QRSolve[T Float](a Matrix[T], tau []T, b Matrix[T], o *Opts[T]) error {
	const op = "QRSolve"
	a.check(op, "a")
	b.check(op, "b")
	if a.Rows < a.Cols || len(tau) != a.Cols || b.Rows != a.Rows {
		panic(fmt.Sprintf("dense: %s: a is %dx%d, tau has %d elements, b is %dx%d", op, a.Rows, a.Cols, len(tau), b.Rows, b.Cols))
	}
	checkApart(op, &b, "b", &a, "a")
	n := a.Cols
	if n == 0 {
		return nil
	}
	var buf *buffer[T]
	inner := Opts[T]{Threads: threadsOf(o, a.Rows*n*b.Cols)}
	inner.Work, buf = scratch(o, op, QRSolveWork[T](a.Rows, n, b.Cols, inner.Threads)-alignSlack[T]())
	defer release(buf)
	QRApply(blas.Left, blas.Trans, a, tau, b, &inner)
	if i := zeroOnDiagonal(a, n); i >= 0 {
		return &SingularError{Pivot: i}
	}
	Trsm(blas.Left, blas.Upper, blas.NoTrans, blas.NonUnit, 1, a.View(0, 0, n, n), b.View(0, 0, n, b.Cols), &inner)
	return nil
}

// zeroOnDiagonal returns the index of the first of n diagonal elements of a that is
// zero or NaN, −1 if there is none.
func zeroOnDiagonal[T Float](a Matrix[T], n int) int {
	for i := range n {
		if d := a.Data[i*a.Stride+i]; d == 0 || d != d {
			return i
		}
	}
	return -1
}

// QRSolveWork returns the length of the workspace of QRSolve for an m×n matrix A
// and an m×p matrix B on the given number of threads.
func QRSolveWork[T Float](m, n, p, threads int) int {
	return max(QRApplyWork[T](m, p, n, threads), TrsmWork[T](blas.Left, n, p, threads)) + alignSlack[T]()
}
