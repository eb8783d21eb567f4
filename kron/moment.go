package kron

import (
	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/space"
	"gonum.org/v1/gonum/blas"
)

// Moment adds the second moment of a batch to a Kronecker factor:
// C = alpha·X̄ᵀ·X̄ + beta·C, where X̄ is x with a column of ones appended if bias is set (the
// homogeneous coordinate), which is not done in memory.
//
// An exponential moving average whose old value has weight β is alpha = (1−β)/n and
// beta = β for a batch of n rows; a first value is alpha = 1/n and beta = 0. For G the rows
// are gradients of each example's own loss; those of a mean loss, which are smaller by n,
// need alpha = (1−β)·n.
//
// Shapes: x is n×d, c is d×d, or (d+1)×(d+1) with bias; the lower triangle of c is
// written, and read unless beta == 0, the upper one is neither (dense.Mirror fills it). c must
// not overlap x.
// Cost: nd² flops. Workspace: MomentWork(n, d, bias, threads).
// Order: dense.Syrk; the row of the bias is that of dense.Gemv with a vector of ones.
// Source: Martens and Grosse, Optimizing neural networks with Kronecker-factored
// approximate curvature, 2015, sections 2.1 and 5.
func Moment[T dense.Float](alpha T, x dense.Matrix[T], bias bool, beta T, c dense.Matrix[T], o *dense.Opts[T]) {
	const op = "Moment"
	d := x.Cols + homogeneous(bias)
	if c.Rows != d || c.Cols != d {
		misuse(op, "x is %s, bias %v, c is %s", shape(x), bias, shape(c))
	}
	if dense.Overlap(c, x) {
		misuse(op, "c overlaps x")
	}
	t := threads(o)
	w, buf := scratch(o, op, momentRoom[T](x.Rows, x.Cols, bias, t))
	defer space.Put(buf)
	var ones []T
	if bias {
		ones = unit(w.Take(x.Rows))
	}
	moment(alpha, &x, ones, bias, beta, &c, &dense.Opts[T]{Threads: t, Work: w.Rest()})
}

// MomentWork returns the length of the workspace of Moment for an n×d matrix x on the given
// number of threads.
func MomentWork[T dense.Float](n, d int, bias bool, threads int) int {
	return room[T](momentRoom[T](n, d, bias, threads))
}

func momentRoom[T dense.Float](n, d int, bias bool, threads int) int {
	var w arena[T]
	if bias {
		w.Take(n)
	}
	w.Take(dense.SyrkWork[T](blas.Trans, d, n, threads))
	return w.Used()
}

// moment does what has been checked; ones has as many elements as x has rows with bias.
func moment[T dense.Float](alpha T, x *dense.Matrix[T], ones []T, bias bool, beta T, c *dense.Matrix[T], o *dense.Opts[T]) {
	d := x.Cols
	dense.Syrk(blas.Lower, blas.Trans, alpha, *x, beta, c.View(0, 0, d, d), o)
	if bias {
		last := c.Row(d)
		dense.Gemv(blas.Trans, alpha, *x, ones, beta, last[:d], o)
		last[d] = corner(alpha, x.Rows, beta, last[d])
	}
}

// CrossMoment computes C = alpha·X̄ᵀ·Ȳ + beta·C for two batches of the same examples, each
// with a column of ones appended, not in memory, where its bias flag is set: the
// expectation of the products of the inputs of two layers, or of their gradients, which the
// block-tridiagonal approximation needs.
//
// Shapes: x is n×d, y is n×e, c is d×e, with one more row for xBias and one more column for
// yBias; c must not overlap x or y. With beta == 0 c is not read.
// Cost: 2nde flops. Workspace: CrossMomentWork(n, d, e, xBias, yBias, threads).
// Source: Martens and Grosse 2015, section 4.3.
func CrossMoment[T dense.Float](alpha T, x dense.Matrix[T], xBias bool, y dense.Matrix[T], yBias bool, beta T, c dense.Matrix[T], o *dense.Opts[T]) {
	const op = "CrossMoment"
	n, d, e := x.Rows, x.Cols, y.Cols
	if y.Rows != n || c.Rows != d+homogeneous(xBias) || c.Cols != e+homogeneous(yBias) {
		misuse(op, "x is %s, bias %v, y is %s, bias %v, c is %s", shape(x), xBias, shape(y), yBias, shape(c))
	}
	if dense.Overlap(c, x) || dense.Overlap(c, y) {
		misuse(op, "c overlaps x or y")
	}
	t := threads(o)
	w, buf := scratch(o, op, crossRoom[T](n, d, e, xBias, yBias, t))
	defer space.Put(buf)
	var ones, column []T
	if xBias || yBias {
		ones = unit(w.Take(n))
	}
	if yBias {
		column = w.Take(d)
	}
	inner := dense.Opts[T]{Threads: t, Work: w.Rest()}
	dense.Gemm(blas.Trans, blas.NoTrans, alpha, x, y, beta, c.View(0, 0, d, e), &inner)
	if yBias {
		for i := range column {
			column[i] = c.Data[i*c.Stride+e]
		}
		dense.Gemv(blas.Trans, alpha, x, ones, beta, column, &inner)
		for i, v := range column {
			c.Data[i*c.Stride+e] = v
		}
	}
	if xBias {
		last := c.Row(d)
		dense.Gemv(blas.Trans, alpha, y, ones, beta, last[:e], &inner)
		if yBias {
			last[e] = corner(alpha, n, beta, last[e])
		}
	}
}

// CrossMomentWork returns the length of the workspace of CrossMoment for n×d and n×e
// matrices on the given number of threads.
func CrossMomentWork[T dense.Float](n, d, e int, xBias, yBias bool, threads int) int {
	return room[T](crossRoom[T](n, d, e, xBias, yBias, threads))
}

func crossRoom[T dense.Float](n, d, e int, xBias, yBias bool, threads int) int {
	var w arena[T]
	if xBias || yBias {
		w.Take(n)
	}
	if yBias {
		w.Take(d)
	}
	w.Take(dense.GemmWork[T](blas.Trans, blas.NoTrans, d, e, n, threads))
	return w.Used()
}

// Reduce sums over the places at which each example uses a shared weight:
// y_s = alpha·Σ_t x_{s,t}, where x has an example's places in consecutive rows.
//
// A weight that is used at R places per example has two Kronecker approximations. The
// expand form takes every place for an example of its own: Moment of all n·R rows, with
// alpha = 1/(n·R) for A and 1/n for G. The reduce form sums over the places first: A is
// the Moment of Reduce(1/R), G of Reduce(1), both with alpha = 1/n; the homogeneous
// coordinate is 1 in the one as in the other.
//
// Shapes: x is (n·places)×d, y is n×d and must not overlap x. Cost: n·places·d additions.
// It needs no workspace.
// Order: dense.Gemv with a vector of ones for each example, in increasing t.
// Source: Eschenhagen, Immer, Turner, Schneider and Hennig, Kronecker-factored approximate
// curvature for modern neural network architectures, 2023, section 3.
func Reduce[T dense.Float](alpha T, places int, x, y dense.Matrix[T], o *dense.Opts[T]) {
	const op = "Reduce"
	if places < 1 || x.Rows != y.Rows*places || x.Cols != y.Cols {
		misuse(op, "%d places, x is %s, y is %s", places, shape(x), shape(y))
	}
	if dense.Overlap(y, x) {
		misuse(op, "y overlaps x")
	}
	w, buf := scratch[T](nil, op, places)
	defer space.Put(buf)
	ones := unit(w.Rest())
	single := dense.Opts[T]{Threads: threads(o)}
	for s := range y.Rows {
		dense.Gemv(blas.Trans, alpha, x.View(s*places, 0, places, x.Cols), ones, 0, y.Row(s), &single)
	}
}

// homogeneous returns the number of columns that a bias adds.
func homogeneous(bias bool) int {
	if bias {
		return 1
	}
	return 0
}

// unit fills x with ones.
func unit[T dense.Float](x []T) []T {
	for i := range x {
		x[i] = 1
	}
	return x
}

// corner returns alpha·n + beta·c, the element of both homogeneous coordinates; c does
// not count if beta is 0.
func corner[T dense.Float](alpha T, n int, beta, c T) T {
	if beta == 0 {
		return T(alpha * T(n))
	}
	return asm.FMA(alpha, T(n), T(beta*c))
}
