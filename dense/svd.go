package dense

import (
	"fmt"
	"sync"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/internal/par"
	"gonum.org/v1/gonum/blas"
)

// SVD computes the thin singular value decomposition a = U·diag(s)·Vᵀ. The values are
// not negative and descend; the columns of u and the rows of vt are the singular
// vectors.
//
// Shapes: a is m×n and only read; with k = min(m, n), u is m×k, s has k elements, vt
// is k×n. None of them may overlap another.
// Cost: about 28/3·n³ flops for n×n, less where values are deflated.
// Workspace: SVDWork(m, n, threads). The products inside pack into pooled space.
// Errors: *NonFiniteError if a has a NaN or an infinity; nothing is written then.
// *NoConvergenceError, whose residual is the number of parts of the matrix that did
// not converge; u, s and vt hold nothing of use then. No finite input is known that
// leads to it.
// Accuracy: ‖a − U·diag(s)·Vᵀ‖₁ ≤ 10·max(m, n)·ε·‖a‖₁, ‖UᵀU − I‖₁ and ‖VᵀV − I‖₁ ≤
// 10·max(m, n)·ε (tested). Errors of values are ≤ 10·ε·s[0] for n ≤ 20, where they are
// tested against twice the precision, and ≤ 16·ε·s[0] from the constructed values for n ≤
// 200. They grow with n where values cluster, since each reflector changes all of them
// alike: 18·ε·s[0] was seen at n = 511. A value that exceeds the largest number is Inf.
// Source: bidiagonalisation by Householder reflectors in panels (LAPACK's gebrd),
// divide and conquer (Gu and Eisenstat, SIAM J. Matrix Anal. Appl. 16, 1995).
func SVD[T Float](a, u Matrix[T], s []T, vt Matrix[T], o *Opts[T]) error {
	const op = "SVD"
	a.check(op, "a")
	u.check(op, "u")
	vt.check(op, "vt")
	m, n, k := a.Rows, a.Cols, min(a.Rows, a.Cols)
	if u.Rows != m || u.Cols != k || vt.Rows != k || vt.Cols != n || len(s) != k {
		panic(fmt.Sprintf("dense: SVD: a is %dx%d, u is %dx%d, s has %d elements, vt is %dx%d",
			m, n, u.Rows, u.Cols, len(s), vt.Rows, vt.Cols))
	}
	checkApart(op, &u, "u", &a, "a")
	checkApart(op, &vt, "vt", &a, "a")
	checkApart(op, &u, "u", &vt, "vt")
	values := rowVector(s)
	checkApart(op, &values, "s", &a, "a")
	checkApart(op, &values, "s", &u, "u")
	checkApart(op, &values, "s", &vt, "vt")
	return runSVD(op, true, svdCall[T]{a: a, u: u, vt: vt, s: s}, o)
}

// SVDWork returns the length of the workspace of SVD for an m×n matrix on the given
// number of threads.
func SVDWork[T Float](m, n, threads int) int {
	return svdWork[T](m, n, true, threads)
}

// SingularValues computes the singular values of a, in descending order. They have
// the bits that SVD gives them.
//
// Shapes: a is m×n and only read; s has min(m, n) elements and must not overlap a.
// Cost: 8/3·n³ flops for n×n.
// Workspace: SingularValuesWork(m, n, threads). Errors and accuracy: as for SVD.
func SingularValues[T Float](a Matrix[T], s []T, o *Opts[T]) error {
	const op = "SingularValues"
	a.check(op, "a")
	if k := min(a.Rows, a.Cols); len(s) != k {
		panic(fmt.Sprintf("dense: SingularValues: a is %dx%d, s has %d elements", a.Rows, a.Cols, len(s)))
	}
	values := rowVector(s)
	checkApart(op, &values, "s", &a, "a")
	return runSVD(op, false, svdCall[T]{a: a, s: s}, o)
}

// SingularValuesWork returns the length of the workspace of SingularValues for an
// m×n matrix on the given number of threads.
func SingularValuesWork[T Float](m, n, threads int) int {
	return svdWork[T](m, n, false, threads)
}

// svdPlan is what an SVD does that depends on the shape alone. It works on an m×n
// matrix with m ≥ n, the transpose of the caller's if that is wide. If it is tall too,
// that is factored A = Q·R first, and the rest is done for R.
type svdPlan[T Float] struct {
	m, n, threads int
	rows          int // of what is made bidiagonal
	vectors       bool
}

func newSVDPlan[T Float](m, n int, vectors bool, threads int) svdPlan[T] {
	p := svdPlan[T]{m: max(m, n), n: min(m, n), vectors: vectors, threads: threads}
	p.rows = p.m
	if 2*p.m >= 3*p.n {
		p.rows = p.n
	}
	return p
}

// tall returns whether the matrix is factored first.
func (p *svdPlan[T]) tall() bool { return p.rows < p.m }

// backBlock is the number of reflectors that are applied together on the way back. It
// fixes the order of operations.
const backBlock = 64

// length returns the number of elements of the workspace, without alignment.
func (p *svdPlan[T]) length() int {
	m, n := p.rows, p.n
	ldm, ldn := panelStride[T](m), panelStride[T](n)
	size := m*ldn + n*ldm + n*ldn // the matrix and its reflectors
	size += 4 * ldn               // d, e and the factors of the reflectors
	tree := n*ldn + treeSpace[T](n, p.threads)
	if p.vectors {
		// Later, the vectors on their way back take the place of the tree.
		back := n*ldm + backBlock*backBlock + max(formTWork[T](backBlock, m), applyRightWork[T](backBlock, m, n, p.threads))
		tree = 2*n*ldn + max(treeSpace[T](n, p.threads), back)
	}
	size += max(tree, bidiagonalSpace[T](m, n))
	if p.tall() {
		q := QRWork[T](p.m, n, p.threads)
		if p.vectors {
			q = max(q, m*ldn+QRFormWork[T](p.m, n, n, p.threads))
		}
		size = (p.m+1)*ldn + max(size, q)
	}
	return size
}

func svdWork[T Float](m, n int, vectors bool, threads int) int {
	p := newSVDPlan[T](m, n, vectors, par.Threads(threads))
	if p.n == 0 {
		return 0
	}
	return p.length() + alignSlack[T]()
}

// svdCall is one call of SVD or SingularValues.
type svdCall[T Float] struct {
	svdPlan[T]
	kern    *asm.Kernels[T]
	a       Matrix[T]
	u, vt   Matrix[T]
	s       []T
	q       Matrix[T] // Q of a tall matrix
	reduced bidiagonalise[T]
	tree    bidiagonalSVD[T]
}

// Pools of calls, which are handed to workers in parts.
var svdCalls32, svdCalls64 sync.Pool

// runSVD runs a pooled copy of the call.
func runSVD[T Float](op string, vectors bool, call svdCall[T], o *Opts[T]) error {
	pool := poolOf[T](&svdCalls32, &svdCalls64)
	c, _ := pool.Get().(*svdCall[T])
	if c == nil {
		c = new(svdCall[T])
	}
	*c = call
	c.svdPlan = newSVDPlan[T](c.a.Rows, c.a.Cols, vectors, o.threads())
	err := c.run(op, o)
	*c = svdCall[T]{} // keep nothing of the caller's alive
	pool.Put(c)
	return err
}

func (c *svdCall[T]) run(op string, o *Opts[T]) error {
	if c.n == 0 {
		return nil
	}
	single := &Opts[T]{Threads: c.threads}
	largest := NormMax(c.a, single)
	if largest-largest != 0 {
		return &NonFiniteError{Where: op + ": a"}
	}
	work, pooled := scratch(o, op, c.length())
	defer release(pooled)
	if largest == 0 {
		clear(c.s)
		if c.vectors {
			identity(c.u)
			identity(c.vt)
		}
		return nil
	}
	scale := toUnit(largest)
	failed := c.decompose(work, scale)
	if failed > 0 {
		return &NoConvergenceError{Iterations: sweepsPerValue * leafSize, Residual: float64(failed)}
	}
	c.kern.Scal(1/scale, c.s)
	return nil
}

// decompose computes the decomposition of scale·a. It returns the number of parts
// that did not converge.
func (c *svdCall[T]) decompose(work []T, scale T) int {
	m, n := c.rows, c.n
	c.kern = asm.For[T]()
	o := &Opts[T]{Threads: c.threads}
	r := &c.reduced
	r.threads = c.threads
	if c.tall() {
		c.q, work = cutMatrix(work, c.m, n)
		c.load(c.q, scale, o)
		var tau Matrix[T]
		tau, work = cutMatrix(work, 1, n)
		QR(c.q, tau.Row(0), &Opts[T]{Threads: c.threads, Work: work})
		r.a, work = cutMatrix(work, m, n)
		for i := range n {
			row := r.a.Row(i)
			clear(row[:i])
			copy(row[i:], c.q.Row(i)[i:])
		}
		if c.vectors {
			QRForm(c.q, tau.Row(0), c.q, &Opts[T]{Threads: c.threads, Work: work})
		}
	} else {
		r.a, work = cutMatrix(work, m, n)
		c.load(r.a, scale, o)
	}
	r.left, work = cutMatrix(work, n, m)
	r.right, work = cutMatrix(work, n, n)
	small, work := cutMatrix(work, 4, n)
	r.d, r.e, r.tauL, r.tauR = small.Row(0), small.Row(1), small.Row(2), small.Row(3)
	r.use(work)
	r.run()

	t := &c.tree
	t.d, t.e, t.workers = r.d, r.e[:n-1], c.threads
	if c.vectors {
		t.ut, work = cutMatrix(work, n, n)
		t.vt, work = cutMatrix(work, n, n)
	} else {
		t.vt = Matrix[T]{n, 2, 2, work[:2*n]}
		work = work[n*panelStride[T](n):]
	}
	t.space = work
	defer t.finish()
	if failed := t.solve(c.threads); failed > 0 {
		return failed
	}
	for i := range c.s {
		c.s[i] = t.d[t.index[n-1-i]]
	}
	if c.vectors {
		c.back(work, o)
	}
	return 0
}

// load writes scale·a to x, transposed if a is wide.
func (c *svdCall[T]) load(x Matrix[T], scale T, o *Opts[T]) {
	if c.a.Rows < c.a.Cols {
		Transpose(c.a, x, o)
		Scale(scale, x, x, o)
	} else {
		Scale(scale, c.a, x, o)
	}
}

// back applies the reflectors to the vectors of the bidiagonal matrix.
func (c *svdCall[T]) back(work []T, o *Opts[T]) {
	r, wide := &c.reduced, c.a.Rows < c.a.Cols
	x, rest := cutMatrix(work, c.n, c.rows) // vectors in rows

	right := c.vt
	if wide {
		right = x.View(0, 0, c.n, c.n)
	}
	c.gather(right, c.tree.vt)
	c.applyAll(right.View(0, 1, c.n, c.n-1), r.right.View(0, 1, c.n-1, c.n-1), r.tauR, rest)
	if wide {
		Transpose(right, c.u, o)
	}

	left := x
	if wide && !c.tall() {
		left = c.vt
	}
	c.gather(left, c.tree.ut)
	c.applyAll(left, r.left, r.tauL, rest)
	switch {
	case c.tall():
		if wide {
			Gemm(blas.NoTrans, blas.Trans, 1, left, c.q, 0, c.vt, o)
		} else {
			Gemm(blas.NoTrans, blas.Trans, 1, c.q, left, 0, c.u, o)
		}
	case !wide:
		Transpose(left, c.u, o)
	}
}

// gather copies the vectors to the rows of x in order of descending values.
func (c *svdCall[T]) gather(x, vectors Matrix[T]) {
	for i := range c.n {
		row := x.Row(i)
		copy(row, vectors.Row(c.tree.index[c.n-1-i]))
		clear(row[c.n:])
	}
}

// applyAll multiplies x from the right by H_k⋯H_2·H_1, where row i of v is the vector
// of H_i+1.
func (c *svdCall[T]) applyAll(x, v Matrix[T], tau, work []T) {
	block, work := cut(work, backBlock*backBlock)
	o := &Opts[T]{Threads: c.threads, Work: work}
	for lo := (v.Rows - 1) / backBlock * backBlock; lo >= 0 && v.Rows > 0; lo -= backBlock {
		w := min(backBlock, v.Rows-lo)
		h := blockReflector[T]{v: v.View(lo, lo, w, v.Cols-lo), t: Matrix[T]{w, w, w, block[:w*w]}}
		h.formT(c.kern, tau[lo:lo+w], work)
		h.applyRight(blas.Trans, x.View(0, lo, x.Rows, x.Cols-lo), o)
	}
}
