package kron

import (
	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/space"
	"gonum.org/v1/gonum/blas"
)

// maxOrder is the largest order of a tensor.
const maxOrder = 16

// ModeProduct multiplies a tensor along one mode with a matrix, Y = X ×ₘ op(F): every
// fibre of x along that mode, a vector of shape[mode] elements, becomes op(F) times it.
//
// Tensors are in row-major order. Nothing is transposed: a mode in the middle is a batch
// of matrix products, the last mode one product from the right, the first one from the left.
//
// Shapes: op(F) is p×shape[mode]; x has the product of shape elements, y so many with p
// in place of shape[mode]. y must not overlap f or x.
// Cost: 2p·len(x) flops. Workspace: ModeProductWork(trans, f, mode, shape, threads).
// Order and accuracy: those of dense.Gemm, inner dimension shape[mode].
func ModeProduct[T dense.Float](trans blas.Transpose, f dense.Matrix[T], mode int, shape []int, x, y []T, o *dense.Opts[T]) {
	const op = "ModeProduct"
	m := newMode(op, trans, &f, mode, shape)
	if len(x) != m.left*m.n*m.right || len(y) != m.left*m.p*m.right {
		misuse(op, "x has %d elements, y %d, for shape %v, mode %d and op(f) of %dx%d", len(x), len(y), shape, mode, m.p, m.n)
	}
	modeProduct(m, &f, x, y, o)
}

// ModeProductWork returns the length of the workspace of ModeProduct for a matrix of the
// shape of f on the given number of threads. It reads no elements.
func ModeProductWork[T dense.Float](trans blas.Transpose, f dense.Matrix[T], mode int, shape []int, threads int) int {
	m := newMode("ModeProductWork", trans, &f, mode, shape)
	return modeWork[T](m, threads)
}

// mode is a tensor as its mode sees it, left×n×right, and the matrix that takes n to p.
type mode struct {
	trans             blas.Transpose
	p, n, left, right int
}

func newMode[T dense.Float](op string, trans blas.Transpose, f *dense.Matrix[T], at int, shape []int) mode {
	if at < 0 || at >= len(shape) {
		misuse(op, "mode %d of shape %v", at, shape)
	}
	m := mode{trans: trans, left: size(op, shape[:at]), right: size(op, shape[at+1:])}
	m.p, m.n = shapeOf(transposed(op, trans), f)
	if m.n != shape[at] {
		misuse(op, "op(f) is %dx%d for mode %d of shape %v", m.p, m.n, at, shape)
	}
	return m
}

// size returns the number of elements of a tensor.
func size(op string, shape []int) int {
	n := 1
	for _, d := range shape {
		if d < 0 {
			misuse(op, "a shape with %d", d)
		}
		n *= d
	}
	return n
}

// modeWork returns the length of the workspace of m.
func modeWork[T dense.Float](m mode, threads int) int {
	switch {
	case m.right == 1:
		return dense.GemmWork[T](blas.NoTrans, other(m.trans), m.left, m.p, m.n, threads)
	case m.left == 1:
		return dense.GemmWork[T](m.trans, blas.NoTrans, m.p, m.right, m.n, threads)
	}
	return dense.GemmStridedWork[T](m.trans, blas.NoTrans, m.p, m.right, m.n, m.left, threads)
}

// modeProduct sets y to the product of x with f.
func modeProduct[T dense.Float](m mode, f *dense.Matrix[T], x, y []T, o *dense.Opts[T]) {
	switch {
	case m.right == 1:
		dense.Gemm(blas.NoTrans, other(m.trans), 1, dense.MatrixOf(m.left, m.n, x), *f, 0, dense.MatrixOf(m.left, m.p, y), o)
	case m.left == 1:
		dense.Gemm(m.trans, blas.NoTrans, 1, *f, dense.MatrixOf(m.n, m.right, x), 0, dense.MatrixOf(m.p, m.right, y), o)
	default:
		dense.GemmStrided(m.trans, blas.NoTrans, m.p, m.right, m.n, 1, f.Data, f.Stride, 0, x, m.right, m.n*m.right, 0, y, m.right, m.p*m.right, m.left, o)
	}
}

// ApplyTensor multiplies a Kronecker product of matrices with a tensor,
// vec(Y) = (op(F₁)⊗…⊗op(F_k))·vec(X): a mode product with each of the factors. A factor
// that is the zero Matrix stands for the identity.
//
// With the eigenvectors of symmetric factors, Trans turns X into the eigenbasis of their
// Kronecker product and NoTrans turns it back.
//
// Shapes: there are as many factors as modes, at most 16; op(F_i) is p_i×shape[i], x has
// the product of shape elements, y the product of the p_i (of shape[i] where the factor is
// the identity). y may be x itself; otherwise it must not overlap a factor or x.
// Cost: that of the mode products, in the order of modes that makes it least: those first
// that shrink the tensor most. Workspace: ApplyTensorWork(trans, factors, shape, threads).
// Accuracy: |error| ≤ (Σ shape[i] + 2k)·ε·(|F₁|⊗…⊗|F_k|)·|vec(X)|, to first order.
func ApplyTensor[T dense.Float](trans blas.Transpose, factors []dense.Matrix[T], shape []int, x, y []T, o *dense.Opts[T]) {
	const op = "ApplyTensor"
	c := newTensorCall(op, trans, factors, shape)
	if n, m := size(op, shape), size(op, c.to[:len(shape)]); len(x) != n || len(y) != m {
		misuse(op, "x has %d elements, y %d, want %d and %d", len(x), len(y), n, m)
	}
	for i, f := range factors {
		if dense.Overlap(vector(y), f) {
			misuse(op, "y overlaps factor %d", i)
		}
	}
	same := len(x) > 0 && len(y) > 0 && &x[0] == &y[0]
	if !same && dense.Overlap(vector(y), vector(x)) {
		misuse(op, "y overlaps x")
	}
	t := threads(o)
	w, buf := scratch(o, op, c.reserve(new(arena[T]), t))
	defer space.Put(buf)
	c.reserve(&w, t)
	from := x
	for i := range c.active {
		m := c.step(i)
		to := y
		if i < c.active-1 || i == 0 && same {
			to = c.mid[i%2][:m.left*m.p*m.right]
		}
		modeProduct(m, &factors[c.order[i]], from, to, &c.o)
		from = to
	}
	if len(y) > 0 && &from[0] != &y[0] {
		copy(y, from)
	}
}

// ApplyTensorWork returns the length of the workspace of ApplyTensor for factors of the
// given shapes on the given number of threads. It reads no elements.
func ApplyTensorWork[T dense.Float](trans blas.Transpose, factors []dense.Matrix[T], shape []int, threads int) int {
	c := newTensorCall("ApplyTensorWork", trans, factors, shape)
	return room[T](c.reserve(new(arena[T]), threads))
}

// tensorCall is one call of ApplyTensor.
type tensorCall[T dense.Float] struct {
	trans  blas.Transpose
	modes  int
	from   [maxOrder]int // shape of x
	to     [maxOrder]int // shape of y
	order  [maxOrder]int // modes in the order in which they are multiplied
	active int           // number of them: the others are not multiplied
	mid    [2][]T        // results in between, in turn
	o      dense.Opts[T]
}

func newTensorCall[T dense.Float](op string, trans blas.Transpose, factors []dense.Matrix[T], shape []int) tensorCall[T] {
	c := tensorCall[T]{trans: trans, modes: len(shape)}
	t := transposed(op, trans)
	if len(factors) != len(shape) || len(shape) > maxOrder {
		misuse(op, "%d factors for shape %v; at most %d", len(factors), shape, maxOrder)
	}
	for i := range factors {
		f := &factors[i]
		c.from[i], c.to[i] = shape[i], shape[i]
		if f.Rows == 0 && f.Cols == 0 {
			continue
		}
		var n int
		if c.to[i], n = shapeOf(t, f); n != shape[i] {
			misuse(op, "op of factor %d is %dx%d for shape %v", i, c.to[i], n, shape)
		}
		// Of two neighbours the one with the smaller 1/n − 1/p comes first: the
		// number of operations is least then.
		at := c.active
		for at > 0 && growth(c.from[i], c.to[i]) < growth(c.from[c.order[at-1]], c.to[c.order[at-1]]) {
			c.order[at] = c.order[at-1]
			at--
		}
		c.order[at] = i
		c.active++
	}
	return c
}

// growth returns 1/n − 1/p, with infinities for empty modes: what makes nothing of the
// tensor comes first.
func growth(n, p int) float64 { return 1/float64(n) - 1/float64(p) }

// step returns the i-th mode product.
func (c *tensorCall[T]) step(i int) mode {
	at := c.order[i]
	m := mode{trans: c.trans, n: c.from[at], p: c.to[at], left: 1, right: 1}
	for j := range c.modes {
		d := c.from[j]
		for _, k := range c.order[:i] {
			if k == j {
				d = c.to[j]
			}
		}
		switch {
		case j < at:
			m.left *= d
		case j > at:
			m.right *= d
		}
	}
	return m
}

// reserve takes the workspace from w and returns its length.
func (c *tensorCall[T]) reserve(w *arena[T], threads int) int {
	var length [2]int
	inner := 0
	for i := range c.active {
		m := c.step(i)
		if i < c.active-1 || i == 0 {
			length[i%2] = max(length[i%2], m.left*m.p*m.right)
		}
		inner = max(inner, modeWork[T](m, threads))
	}
	c.mid[0], c.mid[1] = w.Take(length[0]), w.Take(length[1])
	c.o = dense.Opts[T]{Threads: threads, Work: w.Take(inner)}
	return w.Used()
}

// vector returns x as a matrix of one row.
func vector[T dense.Float](x []T) dense.Matrix[T] { return dense.MatrixOf(1, len(x), x) }
