package dense

import (
	"fmt"
	"unsafe"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/internal/par"
	"gonum.org/v1/gonum/blas"
)

// Gemm computes C = alpha·op(A)·op(B) + beta·C.
//
// Shapes: op(A) is m×k, op(B) is k×n, c is m×n; op is the transpose where tA, tB
// say so. Any of m, n and k may be 0. c must not overlap a or b.
// Cost: 2mnk flops. Workspace: GemmWork(tA, tB, m, n, k, threads).
// With beta == 0 c is not read; with alpha == 0 or k == 0, a and b are not read.
// Order: k is cut into the fewest blocks of at most KC (384 for float32, 256 for
// float64) that differ by at most one; an element accumulates a block from zero in
// increasing k, each step a fused multiply-add; a finished block is added as
// c = fma(alpha, block, c), to c that was multiplied by beta before the first.
// Accuracy: |error| ≤ (min(k, KC) + ⌈k/KC⌉ + 1)·ε·|alpha|·|A|·|B| + ε·|beta·C|
// for each element, to first order (Higham 2002, section 3.5).
func Gemm[T Float](tA, tB blas.Transpose, alpha T, a, b Matrix[T], beta T, c Matrix[T], o *Opts[T]) {
	// The smallest products cost little more than the checks, so what needs
	// neither packing nor threads nor a second block of k goes straight on.
	kern := asm.For[T]()
	m, k, n, kb := a.Rows, a.Cols, b.Cols, b.Rows
	rsa, csa := a.Stride, 1
	if tA != blas.NoTrans {
		m, k, rsa, csa = k, m, 1, rsa
	}
	if tB != blas.NoTrans {
		n, kb = kb, n
	}
	if alpha == 0 || beta != 0 && beta != 1 || kb != k || c.Rows != m || c.Cols != n ||
		!small(m, n, k, o.single(), tB != blas.NoTrans) || k > asm.KC[T]() || !known(tA) || !known(tB) ||
		!a.valid() || !b.valid() || !c.valid() || !disjoint(&c, &a) || !disjoint(&c, &b) {
		gemm(tA, tB, alpha, &a, &b, beta, &c, o)
		return
	}
	right, ldb := unsafe.SliceData(b.Data), b.Stride
	var pooled *buffer[T]
	if tB != blas.NoTrans {
		var w []T
		w, pooled = scratch(o, "Gemm", roundUp(k*n, alignSlack[T]()))
		kern.TransTo(n, k, right, ldb, &w[0], n)
		right, ldb = &w[0], n
	}
	mode := asm.Add
	if beta == 0 {
		mode = asm.Store
	}
	strips := blocks(m, kern.MR)
	for s, lo := 0, 0; s < strips; s++ {
		hi := m * (s + 1) / strips
		kern.Gemm(hi-lo, n, k, alpha, &a.Data[lo*rsa], rsa, csa, right, ldb, kern.NR, &c.Data[lo*c.Stride], c.Stride, mode)
		lo = hi
	}
	release(pooled)
}

func gemm[T Float](tA, tB blas.Transpose, alpha T, a, b *Matrix[T], beta T, c *Matrix[T], o *Opts[T]) {
	const op = "Gemm"
	g := product[T]{m: a.Rows, k: a.Cols, n: b.Cols}
	kb := b.Rows
	taken := transposed(op, tA)
	if taken {
		g.m, g.k = a.Cols, a.Rows
	}
	tbken := transposed(op, tB)
	if tbken {
		g.n, kb = b.Rows, b.Cols
	}
	a.check(op, "a")
	b.check(op, "b")
	c.check(op, "c")
	if kb != g.k {
		panic(fmt.Sprintf("dense: Gemm: a is %s, b is %s", shapeOf(*a, taken), shapeOf(*b, tbken)))
	}
	if c.Rows != g.m || c.Cols != g.n {
		panic(fmt.Sprintf("dense: Gemm: a is %s, b is %s, c is %dx%d", shapeOf(*a, taken), shapeOf(*b, tbken), c.Rows, c.Cols))
	}
	checkApart(op, c, "c", a, "a")
	checkApart(op, c, "c", b, "b")
	g.alpha, g.a, g.b = alpha, operandOf(a, taken), operandOf(b, tbken)
	g.beta, g.c, g.ldc = beta, unsafe.SliceData(c.Data), c.Stride
	g.run(op, o)
}

// GemmWork returns the length of the workspace of Gemm for an m×k by k×n product
// on the given number of threads.
func GemmWork[T Float](tA, tB blas.Transpose, m, n, k, threads int) int {
	g := product[T]{kern: asm.For[T](), m: m, n: n, k: k, a: operand[T]{cs: 1}, b: operand[T]{cs: 1}}
	if transposed("GemmWork", tA) {
		g.a = operand[T]{rs: 1}
	}
	if transposed("GemmWork", tB) {
		g.b = operand[T]{rs: 1}
	}
	g.plan(par.Threads(threads))
	return g.workspace()
}

func shapeOf[T Float](m Matrix[T], transposed bool) string {
	if transposed {
		return fmt.Sprintf("%dx%d transposed", m.Rows, m.Cols)
	}
	return fmt.Sprintf("%dx%d", m.Rows, m.Cols)
}

// operand is a factor as the kernels see it: element (i, j) is at p[i·rs + j·cs],
// and one of rs and cs is 1.
type operand[T Float] struct {
	p      *T
	rs, cs int
}

func operandOf[T Float](m *Matrix[T], transposed bool) operand[T] {
	if transposed {
		return operand[T]{unsafe.SliceData(m.Data), 1, m.Stride}
	}
	return operand[T]{unsafe.SliceData(m.Data), m.Stride, 1}
}

func (x operand[T]) at(i, j int) *T { return offset(x.p, i*x.rs+j*x.cs) }

func offset[T Float](p *T, i int) *T {
	return (*T)(unsafe.Add(unsafe.Pointer(p), i*int(unsafe.Sizeof(*p))))
}

// blockOf returns block i of n parts of [0, k) that differ by at most one.
func blockOf(k, i, n int) (lo, hi int) {
	if n == 1 { // mostly, and divisions are slow
		return 0, k
	}
	return k * i / n, k * (i + 1) / n
}
