package dense

import (
	"fmt"
	"math"
	"sync"

	"github.com/precond-go/precond/internal/par"
	"gonum.org/v1/gonum/blas"
)

// PolarCertificate says how a polar decomposition was computed and what it is worth.
type PolarCertificate struct {
	// Iterations is the number of steps of QDWH, QRSteps the number of those that
	// factored by QR, the others by Cholesky. Both are 0 where the singular value
	// decomposition was taken.
	Iterations, QRSteps int
	// BySVD says that a is singular to working precision, and the singular value
	// decomposition was taken.
	BySVD bool
	// Condition is an upper bound of the condition number of a, up to rounding, by
	// which the steps were chosen; +Inf by SVD.
	Condition float64
	// Defect is ‖UᵀU − I‖_F, measured.
	Defect float64
}

// polarSteps bounds the iterations of QDWH. Six are enough for a condition number of
// 10¹⁶ (Nakatsukasa, Bai and Gygi 2010).
const polarSteps = 6

// Polar computes the polar decomposition a = U·H, where U has orthonormal columns and H
// is symmetric positive semidefinite.
//
// Shapes: a is m×n with m ≥ n and only read, u is m×n, h is n×n. None of them may
// overlap another. h may be empty (the zero Matrix), and is left out then.
// Both triangles of h are written, and they are equal.
// If a does not have full rank to working precision (a bound of its condition number
// exceeds 1/(n·ε)), H is still unique, but U is not: it is any that comes of the singular
// value decomposition, U·Vᵀ, and has orthonormal columns too. For a zero matrix it
// is the identity, with rows of zeros below it if a is tall.
// Cost: for n×n, 8n³ flops at first and for H, then 13/4·n³ for each step by Cholesky, of which
// well-conditioned matrices need 3 to 4, and 9n³ for each by QR, of which there are up to 3
// besides. Tall matrices are factored A = Q·R first.
// Workspace: PolarWork(m, n, threads).
// Errors: *NonFiniteError if a has a NaN or an infinity; nothing is written then.
// *NoConvergenceError after 6 steps, with ‖UᵀU − I‖_F as its residual; u and h hold
// what was reached. No input is known that leads to it.
// Accuracy: ‖A − U·H‖₁ ≤ 10·m·ε·‖A‖₁, ‖UᵀU − I‖₁ ≤ 10·m·ε (tested).
// Source: QDWH, Nakatsukasa, Bai and Gygi, SIAM J. Matrix Anal. Appl. 31, 2010.
func Polar[T Float](a, u, h Matrix[T], o *Opts[T]) (PolarCertificate, error) {
	const op = "Polar"
	a.check(op, "a")
	u.check(op, "u")
	h.check(op, "h")
	m, n := a.Rows, a.Cols
	factor := h.Rows > 0 || h.Cols > 0
	if m < n || u.Rows != m || u.Cols != n || factor && (h.Rows != n || h.Cols != n) {
		panic(fmt.Sprintf("dense: Polar: a is %dx%d, u is %dx%d, h is %dx%d", m, n, u.Rows, u.Cols, h.Rows, h.Cols))
	}
	checkApart(op, &u, "u", &a, "a")
	checkApart(op, &h, "h", &a, "a")
	checkApart(op, &h, "h", &u, "u")
	if n == 0 {
		return PolarCertificate{Condition: 1}, nil
	}
	pool := poolOf[T](&polarCalls32, &polarCalls64)
	c, _ := pool.Get().(*polarCall[T])
	if c == nil {
		c = new(polarCall[T])
	}
	*c = polarCall[T]{polarPlan: polarPlan{m: m, n: n, threads: o.threads()}, a: a, u: u, h: h}
	cert, err := c.run(op, o)
	*c = polarCall[T]{} // keep nothing of the caller's alive
	pool.Put(c)
	return cert, err
}

var polarCalls32, polarCalls64 sync.Pool

// PolarWork returns the length of the workspace of Polar for an m×n matrix on the given
// number of threads.
func PolarWork[T Float](m, n, threads int) int {
	if n == 0 {
		return 0
	}
	p := polarPlan{m: m, n: n, threads: par.Threads(threads)}
	return polarLength[T](&p) + alignSlack[T]()
}

// polarPlan is the shape of a call.
type polarPlan struct{ m, n, threads int }

// polarLength returns the number of elements of the workspace.
func polarLength[T Float](p *polarPlan) int {
	n, ld, t := p.n, panelStride[T](p.n), p.threads
	step := 2*n*ld + max(
		QRWork[T](2*n, n, t), QRFormWork[T](2*n, n, n, t), // a step by QR
		SyrkWork[T](blas.Trans, n, n, t), CholeskyWork[T](n, t), TrsmWork[T](blas.Right, n, n, t)) // and by Cholesky
	svd := 2*n*ld + panelStride[T](n) + SVDWork[T](n, n, t)
	first := max(QRWork[T](p.m, n, t), QRFormWork[T](p.m, n, n, t), TrsmWork[T](blas.Left, n, n, t))
	return p.m*ld + panelStride[T](n) + 2*n*ld + max(step, svd, first, SyrkWork[T](blas.Trans, n, p.m, t))
}

// polarCall is one call of Polar. The iteration runs on R of A = Q·R.
type polarCall[T Float] struct {
	polarPlan
	a, u, h Matrix[T]
	q       Matrix[T] // m×n, Q
	x, y    Matrix[T] // n×n: the iterate, and another
	rest    []T
	inner   Opts[T]
	cert    PolarCertificate
}

func (c *polarCall[T]) run(op string, o *Opts[T]) (PolarCertificate, error) {
	m, n := c.m, c.n
	plain := &Opts[T]{Threads: c.threads}
	largest := NormMax(c.a, plain)
	if largest-largest != 0 {
		return PolarCertificate{}, &NonFiniteError{Where: op + ": a"}
	}
	norm := normAbove(c.a, plain) // before the scratch, as it takes from the pool too
	work, pooled := scratch(o, op, polarLength[T](&c.polarPlan))
	defer release(pooled)
	if largest == 0 {
		identity(c.u)
		c.h.Fill(0)
		return PolarCertificate{BySVD: true, Condition: math.Inf(1)}, nil
	}
	unit := toUnit(largest)
	if norm = T(norm * unit); !proper(norm) {
		norm = T(T(root(T(m))*root(T(n))) * T(1+sumMargin[T](m, n))) // elements are below 1
	}
	var tau Matrix[T]
	c.q, work = cutMatrix(work, m, n)
	tau, work = cutMatrix(work, 1, n)
	c.x, work = cutMatrix(work, n, n)
	c.y, work = cutMatrix(work, n, n)
	c.rest, c.inner = work, Opts[T]{Threads: c.threads, Work: work}

	// X = R/α with α ≥ ‖R‖₂, and the lower bound 1/‖X⁻¹‖_F of its singular values.
	Scale(unit, c.a, c.q, plain)
	QR(c.q, tau.Row(0), &c.inner)
	for i := range n {
		row := c.x.Row(i)
		clear(row[:i])
		copy(row[i:], c.q.Row(i)[i:])
	}
	QRForm(c.q, tau.Row(0), c.q, &c.inner)
	norm = T(norm * (1 + T(T(16*n)*roundoff[T]()))) // R has rounding errors
	Scale(1/norm, c.x, c.x, plain)
	identity(c.y)
	lower := 0.
	if zeroOnDiagonal(c.x, n) < 0 {
		Trsm(blas.Left, blas.Upper, blas.NoTrans, blas.NonUnit, 1, c.x, c.y, &c.inner)
		lower = 1 / float64(NormFrobenius(c.y, plain))
	}
	var err error
	if lower > float64(float64(n)*float64(2*roundoff[T]())) { // false for NaN
		c.cert.Condition = 1 / lower
		c.iterate(lower)
	} else {
		c.cert.Condition, c.cert.BySVD = math.Inf(1), true
		if err = c.bySVD(); err != nil {
			return c.cert, err
		}
	}
	Gemm(blas.NoTrans, blas.NoTrans, 1, c.q, c.x, 0, c.u, plain)
	c.cert.Defect = c.defect(c.u)
	if !(c.cert.Defect <= 0.125) {
		err = &NoConvergenceError{Iterations: c.cert.Iterations, Residual: c.cert.Defect}
	}
	if c.h.Rows > 0 {
		Scale(unit, c.a, c.q, plain)
		Gemm(blas.Trans, blas.NoTrans, 1, c.u, c.q, 0, c.h, plain)
		symmetrise(c.h)
		Scale(1/unit, c.h, c.h, plain)
	}
	return c.cert, err
}

// bySVD sets X to U·Vᵀ of its singular value decomposition.
func (c *polarCall[T]) bySVD() error {
	n := c.n
	u, w := cutMatrix(c.rest, n, n)
	vt, w := cutMatrix(w, n, n)
	s, w := cutMatrix(w, 1, n)
	inner := &Opts[T]{Threads: c.threads, Work: w}
	if err := SVD(c.x, u, s.Row(0), vt, inner); err != nil {
		return err
	}
	Gemm(blas.NoTrans, blas.NoTrans, 1, u, vt, 0, c.x, &Opts[T]{Threads: c.threads})
	return nil
}

// defect returns ‖UᵀU − I‖_F.
func (c *polarCall[T]) defect(u Matrix[T]) float64 {
	Syrk(blas.Lower, blas.Trans, 1, u, 0, c.y, &c.inner)
	for i := range c.n {
		c.y.Data[i*c.y.Stride+i] -= 1
	}
	mirror(c.y)
	return float64(NormFrobenius(c.y, &Opts[T]{Threads: c.threads}))
}

// symmetrise replaces a by (a + aᵀ)/2.
func symmetrise[T Float](a Matrix[T]) {
	for lo := 0; lo < a.Rows; lo += transposeTile {
		for i := lo; i < a.Rows; i++ {
			for j := lo; j < min(i, lo+transposeTile); j++ {
				p, q := &a.Data[i*a.Stride+j], &a.Data[j*a.Stride+i]
				*p = T(0.5**p) + T(0.5**q)
				*q = *p
			}
		}
	}
}

// iterate runs QDWH on X, whose singular values are in [lower, 1].
func (c *polarCall[T]) iterate(lower float64) {
	l := min(lower, 1)
	for c.cert.Iterations < polarSteps && math.Abs(1-l) > float64(4*roundoff[T]()) {
		p := halleyOf(l)
		c.cert.Iterations++
		if p.c > 100 {
			c.cert.QRSteps++
			c.stepQR(p)
		} else {
			c.stepCholesky(p)
		}
		l = p.next
	}
}

// halley is a dynamically weighted Halley step x ↦ x·(a + b·x²)/(1 + c·x²), the best of
// its kind for singular values in [l, 1]: it takes them to [next, 1].
type halley struct{ a, b, c, next float64 }

func halleyOf(l float64) halley {
	l2 := float64(l * l)
	d := cubeRoot(float64(4*(1-l2)) / float64(l2*l2))
	s := math.Sqrt(1 + d)
	a := s + float64(0.5*math.Sqrt(8-float64(4*d)+float64(8*(2-l2))/float64(l2*s)))
	b := float64((a-1)*(a-1)) / 4
	c := a + b - 1
	return halley{a, b, c, min(1, float64(l*math.FMA(b, l2, a))/math.FMA(c, l2, 1))}
}

// cubeRoot returns ∛x for x ≥ 0, to a few ε, by Newton's iteration from above.
func cubeRoot(x float64) float64 {
	if x == 0 {
		return 0
	}
	_, e := math.Frexp(x)
	y := math.Ldexp(1, (e+2)/3+1) // > ∛x
	for range 100 {
		next := (float64(2*y) + x/float64(y*y)) / 3
		if !(next < y) {
			break
		}
		y = next
	}
	return y
}

// stepQR computes X = (b/c)·X + (a − b/c)/√c·Q₁·Q₂ᵀ, where Q₁, Q₂ are the blocks of Q of
// the stack of √c·X and I.
func (c *polarCall[T]) stepQR(p halley) {
	n := c.n
	stack, rest := cutMatrix(c.rest, 2*n, n)
	tau, rest := c.y.Row(0), rest
	inner := &Opts[T]{Threads: c.threads, Work: rest}
	root := math.Sqrt(p.c)
	plain := &Opts[T]{Threads: c.threads}
	Scale(T(root), c.x, stack.View(0, 0, n, n), plain)
	identity(stack.View(n, 0, n, n))
	QR(stack, tau, inner)
	QRForm(stack, tau, stack, inner)
	Gemm(blas.NoTrans, blas.Trans, T((p.a-p.b/p.c)/root), stack.View(0, 0, n, n), stack.View(n, 0, n, n), T(p.b/p.c), c.x, plain)
}

// stepCholesky computes X = (b/c)·X + (a − b/c)·X·(I + c·XᵀX)⁻¹.
func (c *polarCall[T]) stepCholesky(p halley) {
	n := c.n
	z, rest := cutMatrix(c.rest, n, n)
	inner := &Opts[T]{Threads: c.threads, Work: rest}
	Syrk(blas.Lower, blas.Trans, T(p.c), c.x, 0, z, inner)
	for i := range n {
		z.Data[i*z.Stride+i]++
	}
	// I + c·XᵀX has eigenvalues in [1, 101], so this does not fail.
	if err := Cholesky(blas.Lower, z, inner); err != nil {
		panic(err)
	}
	c.y.Copy(c.x)
	Trsm(blas.Right, blas.Lower, blas.Trans, blas.NonUnit, T(p.a-p.b/p.c), z, c.y, inner)
	Trsm(blas.Right, blas.Lower, blas.NoTrans, blas.NonUnit, 1, z, c.y, inner)
	Accumulate(1, c.y, T(p.b/p.c), c.x, &Opts[T]{Threads: c.threads})
}
