package dense

import (
	"fmt"
	"unsafe"

	"github.com/precond-go/precond/asm"
)

// This file holds the element-wise operations on vectors and matrices. They make
// one pass; threads take ranges of elements. Vectors of one call have the same
// length, matrices the same shape. What is written may be the same vector or
// matrix as an operand, but must not overlap one in any other way. None uses
// Opts.Work.

// Axpy adds alpha·x to y: y = fma(alpha, x, y). As in BLAS, alpha == 0 leaves y as
// it is and does not read x.
func Axpy[T Float](alpha T, x, y []T, o *Opts[T]) {
	checkTwo("Axpy", x, "x", y, "y")
	if alpha == 0 {
		return
	}
	if len(x) <= asm.Chunk {
		asm.For[T]().Axpy(alpha, x, y)
		return
	}
	t := pass[T]{op: opAxpy, alpha: alpha, x: vectorRow(x), y: vectorRow(y)}
	t.vector(len(x), o)
}

// Axpby computes y = alpha·x + beta·y as fma(alpha, x, beta·y). With beta == 0 it
// does not read y.
func Axpby[T Float](alpha T, x []T, beta T, y []T, o *Opts[T]) {
	checkTwo("Axpby", x, "x", y, "y")
	t := pass[T]{op: opAxpby, alpha: alpha, beta: beta, x: vectorRow(x), y: vectorRow(y)}
	if beta == 0 {
		t.op = opScalTo
	}
	t.vector(len(x), o)
}

// Scal multiplies x by alpha. NaN and Inf stay NaN with alpha == 0.
func Scal[T Float](alpha T, x []T, o *Opts[T]) {
	if len(x) <= asm.Chunk {
		asm.For[T]().Scal(alpha, x)
		return
	}
	t := pass[T]{op: opScal, alpha: alpha, x: vectorRow(x)}
	t.vector(len(x), o)
}

// ScalTo computes dst = alpha·x.
func ScalTo[T Float](alpha T, x, dst []T, o *Opts[T]) {
	checkTwo("ScalTo", x, "x", dst, "dst")
	t := pass[T]{op: opScalTo, alpha: alpha, x: vectorRow(x), y: vectorRow(dst)}
	t.vector(len(x), o)
}

// Swap exchanges x and y, which must not overlap.
func Swap[T Float](x, y []T, o *Opts[T]) {
	checkTwoApart("Swap", x, "x", y, "y")
	if len(x) <= asm.Chunk {
		asm.For[T]().Swap(x, y)
		return
	}
	t := pass[T]{op: opSwap, x: vectorRow(x), y: vectorRow(y)}
	t.vector(len(x), o)
}

// Rot applies a plane rotation: x, y = c·x + s·y, c·y − s·x, each rounded as
// fma(c, ·, ±s·(·)). x and y must not overlap.
func Rot[T Float](c, s T, x, y []T, o *Opts[T]) {
	checkTwoApart("Rot", x, "x", y, "y")
	if len(x) <= asm.Chunk {
		asm.For[T]().Rot(c, s, x, y)
		return
	}
	t := pass[T]{op: opRot, alpha: c, beta: s, x: vectorRow(x), y: vectorRow(y)}
	t.vector(len(x), o)
}

// AddTo computes dst = x + y.
func AddTo[T Float](x, y, dst []T, o *Opts[T]) { threeVectors("AddTo", opAddTo, 0, x, y, dst, o) }

// SubTo computes dst = x − y.
func SubTo[T Float](x, y, dst []T, o *Opts[T]) { threeVectors("SubTo", opSubTo, 0, x, y, dst, o) }

// MulTo computes dst = x·y, element by element.
func MulTo[T Float](x, y, dst []T, o *Opts[T]) { threeVectors("MulTo", opMulTo, 0, x, y, dst, o) }

// DivTo computes dst = x / y, element by element.
func DivTo[T Float](x, y, dst []T, o *Opts[T]) { threeVectors("DivTo", opDivTo, 0, x, y, dst, o) }

// MulAdd computes dst = fma(x, y, dst), element by element. x and y may be the
// same vector.
func MulAdd[T Float](x, y, dst []T, o *Opts[T]) { threeVectors("MulAdd", opMulAdd, 0, x, y, dst, o) }

// SqrtTo computes dst = √x, element by element, correctly rounded.
func SqrtTo[T Float](x, dst []T, o *Opts[T]) {
	checkTwo("SqrtTo", x, "x", dst, "dst")
	t := pass[T]{op: opSqrtTo, x: vectorRow(x), y: vectorRow(dst)}
	t.vector(len(x), o)
}

// SqrtDivTo computes dst = x / (√v + eps), element by element: the direction of
// RMSProp, AdaGrad and Adam. eps is absolute, in the unit of √v.
func SqrtDivTo[T Float](eps T, x, v, dst []T, o *Opts[T]) {
	threeVectors("SqrtDivTo", opSqrtDivTo, eps, x, v, dst, o)
}

// EMA updates the exponential moving average y = beta·y + (1−beta)·x, rounded as
// fma(beta, y, (1−beta)·x). beta is the weight of the old value.
func EMA[T Float](beta T, x, y []T, o *Opts[T]) {
	checkTwo("EMA", x, "x", y, "y")
	t := pass[T]{op: opEMA, alpha: beta, x: vectorRow(x), y: vectorRow(y)}
	t.vector(len(x), o)
}

// EMASq updates the exponential moving average of squares
// y = beta·y + (1−beta)·x². beta is the weight of the old value.
func EMASq[T Float](beta T, x, y []T, o *Opts[T]) {
	checkTwo("EMASq", x, "x", y, "y")
	t := pass[T]{op: opEMASq, alpha: beta, x: vectorRow(x), y: vectorRow(y)}
	t.vector(len(x), o)
}

// Momentum makes one step of stochastic gradient descent with momentum m over the
// parameters p, from the gradient g, which is only read. The scalars in h are
// named by the asm.Momentum constants, where the formula stands too; keep h in
// memory that outlives the call, or it is allocated anew.
func Momentum[T Float](h *[asm.MomentumLen]T, g, m, p []T, o *Opts[T]) {
	checkTwo("Momentum", g, "g", m, "m")
	checkTwo("Momentum", g, "g", p, "p")
	checkTwoApart("Momentum", m, "m", p, "p")
	t := pass[T]{op: opMomentum, momentum: h, x: vectorRow(g), y: vectorRow(m), z: vectorRow(p)}
	t.vector(len(g), o)
}

// Adam makes one step of Adam or AdamW with the moments m and v over the
// parameters p, from the gradient g, which is only read. The scalars in h are
// named by the asm.Adam constants; see Momentum.
func Adam[T Float](h *[asm.AdamLen]T, g, m, v, p []T, o *Opts[T]) {
	adaptive("Adam", opAdam, h, g, m, v, p, "v", o)
}

// AdaMax makes one step of AdaMax with the moment m and the infinity norm u over
// the parameters p, from the gradient g, which is only read. The scalars in h are
// named by the asm.Adam constants; see Momentum.
func AdaMax[T Float](h *[asm.AdamLen]T, g, m, u, p []T, o *Opts[T]) {
	adaptive("AdaMax", opAdaMax, h, g, m, u, p, "u", o)
}

func adaptive[T Float](name string, op opcode, h *[asm.AdamLen]T, g, m, v, p []T, vname string, o *Opts[T]) {
	checkTwo(name, g, "g", m, "m")
	checkTwo(name, g, "g", v, vname)
	checkTwo(name, g, "g", p, "p")
	checkTwoApart(name, m, "m", v, vname)
	checkTwoApart(name, m, "m", p, "p")
	checkTwoApart(name, v, vname, p, "p")
	t := pass[T]{op: op, adam: h, x: vectorRow(g), y: vectorRow(m), z: vectorRow(v), p: vectorRow(p)}
	t.vector(len(g), o)
}

func threeVectors[T Float](name string, op opcode, alpha T, x, y, dst []T, o *Opts[T]) {
	checkTwo(name, x, "x", dst, "dst")
	checkTwo(name, y, "y", dst, "dst")
	t := pass[T]{op: op, alpha: alpha, x: vectorRow(x), y: vectorRow(y), z: vectorRow(dst)}
	t.vector(len(x), o)
}

// checkTwo panics unless y has the length of x and is x or lies apart from it.
func checkTwo[T Float](op string, x []T, xname string, y []T, yname string) {
	if len(x) != len(y) {
		badLengths(op, xname, len(x), yname, len(y))
	}
	if d := apart(x, y); d != 0 && d < len(x) {
		panic(fmt.Sprintf("dense: %s: %s overlaps %s", op, yname, xname))
	}
}

// checkTwoApart panics unless y has the length of x and lies apart from it.
func checkTwoApart[T Float](op string, x []T, xname string, y []T, yname string) {
	checkTwo(op, x, xname, y, yname)
	if len(x) > 0 && &x[0] == &y[0] {
		panic(fmt.Sprintf("dense: %s: %s overlaps %s", op, yname, xname))
	}
}

// apart returns how many elements lie between the beginnings of x and y.
func apart[T Float](x, y []T) int {
	d := int(uintptr(unsafe.Pointer(unsafe.SliceData(x)))-uintptr(unsafe.Pointer(unsafe.SliceData(y)))) / int(unsafe.Sizeof(T(0)))
	return max(d, -d)
}

// vector does the pass over vectors of n elements.
func (t *pass[T]) vector(n int, o *Opts[T]) {
	t.k, t.rows, t.cols = asm.For[T](), 1, n
	t.run(threadsFor(o, n))
}

// Add computes c = a + b.
func Add[T Float](a, b, c Matrix[T], o *Opts[T]) { threeMatrices("Add", opAddTo, &a, &b, &c, o) }

// Sub computes c = a − b.
func Sub[T Float](a, b, c Matrix[T], o *Opts[T]) { threeMatrices("Sub", opSubTo, &a, &b, &c, o) }

// Hadamard computes the element-wise product c = a∘b.
func Hadamard[T Float](a, b, c Matrix[T], o *Opts[T]) {
	threeMatrices("Hadamard", opMulTo, &a, &b, &c, o)
}

// Scale computes c = alpha·a. NaN and Inf in a stay NaN with alpha == 0.
func Scale[T Float](alpha T, a, c Matrix[T], o *Opts[T]) {
	a.check("Scale", "a")
	c.check("Scale", "c")
	checkSame("Scale", &c, "c", &a, "a")
	t := pass[T]{op: opScalTo, alpha: alpha, x: matrixRows(&a), y: matrixRows(&c)}
	t.matrix(a.Rows, a.Cols, o)
}

// Accumulate computes c = alpha·a + beta·c as fma(alpha, a, beta·c), Axpby for
// matrices. With beta == 0 it does not read c.
func Accumulate[T Float](alpha T, a Matrix[T], beta T, c Matrix[T], o *Opts[T]) {
	a.check("Accumulate", "a")
	c.check("Accumulate", "c")
	checkSame("Accumulate", &c, "c", &a, "a")
	t := pass[T]{op: opAxpby, alpha: alpha, beta: beta, x: matrixRows(&a), y: matrixRows(&c)}
	if beta == 0 {
		t.op = opScalTo
	}
	t.matrix(a.Rows, a.Cols, o)
}

func threeMatrices[T Float](name string, op opcode, a, b, c *Matrix[T], o *Opts[T]) {
	a.check(name, "a")
	b.check(name, "b")
	c.check(name, "c")
	if a.Rows != b.Rows || a.Cols != b.Cols {
		panic(fmt.Sprintf("dense: %s: a is %dx%d, b is %dx%d", name, a.Rows, a.Cols, b.Rows, b.Cols))
	}
	checkSame(name, c, "c", a, "a")
	checkSame(name, c, "c", b, "b")
	t := pass[T]{op: op, x: matrixRows(a), y: matrixRows(b), z: matrixRows(c)}
	t.matrix(a.Rows, a.Cols, o)
}

// checkSame panics unless the output c has the shape of a and is a or lies apart
// from it.
func checkSame[T Float](op string, c *Matrix[T], cname string, a *Matrix[T], aname string) {
	if c.Rows != a.Rows || c.Cols != a.Cols {
		panic(fmt.Sprintf("dense: %s: %s is %dx%d, %s is %dx%d", op, aname, a.Rows, a.Cols, cname, c.Rows, c.Cols))
	}
	if unsafe.SliceData(c.Data) == unsafe.SliceData(a.Data) && (c.Stride == a.Stride || c.Rows == 1) {
		return
	}
	checkApart(op, c, cname, a, aname)
}

// matrix does the pass over rows×cols matrices, as over vectors if all of them
// are contiguous.
func (t *pass[T]) matrix(rows, cols int, o *Opts[T]) {
	if rows == 0 || cols == 0 {
		return
	}
	t.k, t.rows, t.cols = asm.For[T](), rows, cols
	t.flatten()
	t.run(min(threadsFor(o, rows*cols), max(t.rows, t.cols)))
}

// flatten makes one row of the operands if their rows follow each other without
// gaps.
func (t *pass[T]) flatten() {
	for _, r := range [...]*operandRows[T]{&t.x, &t.y, &t.z, &t.p} {
		if r.data != nil && r.ld != t.cols {
			return
		}
	}
	t.rows, t.cols = 1, t.rows*t.cols
}
