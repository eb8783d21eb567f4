package kron

import (
	"sync"
	"unsafe"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/par"
	"github.com/precond-go/precond/internal/space"
	"gonum.org/v1/gonum/blas"
)

// Rearranged is the rearrangement R of a matrix M that turns the nearest Kronecker product
// into the nearest matrix of rank one: row (i, j) of R is the block of M where A[i,j]·B is to
// be, so that ‖M − Σ A_k⊗B_k‖ = ‖R − Σ vec(A_k)·vec(B_k)ᵀ‖ in the Frobenius norm. It is known
// by its products alone.
//
// Source: Van Loan and Pitsianis, Approximation with Kronecker products, 1993.
type Rearranged[T dense.Float] interface {
	// Shapes returns the shapes of A, p×m, and of B, q×n.
	Shapes() (p, m, q, n int)
	// MulR sets A = R·B, a_ij = ⟨M_ij, B⟩, where M_ij is block (i, j) of M.
	MulR(b, a dense.Matrix[T], o *dense.Opts[T])
	// MulRTrans sets B = Rᵀ·A = Σ a_ij·M_ij.
	MulRTrans(a, b dense.Matrix[T], o *dense.Opts[T])
}

// Blocks is the Rearranged of a matrix in blocks of equal shape, that of B.
type Blocks[T dense.Float] struct {
	Matrix     dense.Matrix[T]
	Rows, Cols int // of A: the numbers of blocks one below the other and side by side
}

// Shapes implements Rearranged. It panics if the blocks do not fill the matrix.
func (m *Blocks[T]) Shapes() (p, c, q, n int) {
	if m.Rows < 1 || m.Cols < 1 || m.Matrix.Rows%m.Rows != 0 || m.Matrix.Cols%m.Cols != 0 {
		misuse("Blocks", "%s in %dx%d blocks", shape(m.Matrix), m.Rows, m.Cols)
	}
	return m.Rows, m.Cols, m.Matrix.Rows / m.Rows, m.Matrix.Cols / m.Cols
}

// MulR implements Rearranged.
//
// Cost: two operations per element of M, one pass over it.
// Order: element (i, j) of A takes the rows of block (i, j) in turn, as dense.Gemv does.
func (m *Blocks[T]) MulR(b, a dense.Matrix[T], o *dense.Opts[T]) { m.run("MulR", a, b, false, o) }

// MulRTrans implements Rearranged.
//
// Cost: as MulR. Order: row k of B takes row k of the blocks, as dense.Gemv with a transpose
// does, in increasing i and j.
func (m *Blocks[T]) MulRTrans(a, b dense.Matrix[T], o *dense.Opts[T]) {
	m.run("MulRTrans", a, b, true, o)
}

func (m *Blocks[T]) run(op string, a, b dense.Matrix[T], trans bool, o *dense.Opts[T]) {
	p, c, q, n := m.Shapes()
	if a.Rows != p || a.Cols != c || b.Rows != q || b.Cols != n {
		misuse(op, "blocks are %dx%d of %dx%d, a is %s, b is %s", p, c, q, n, shape(a), shape(b))
	}
	result, parts := a, p
	if trans {
		result, parts = b, q
	}
	if dense.Overlap(result, m.Matrix) || dense.Overlap(a, b) {
		misuse(op, "the result overlaps an operand")
	}
	t := blocksCall[T]{m: *m, a: a, b: b, trans: trans}
	workers := min(parts, threads(o), 1+m.Matrix.Rows*m.Matrix.Cols/grain)
	if workers <= 1 {
		t.part(0, parts)
		return
	}
	pool := &blocksCalls32
	if unsafe.Sizeof(T(0)) == 8 {
		pool = &blocksCalls64
	}
	par.Share(pool, workers, &t)
}

// blocksCall is one call of MulR or MulRTrans.
type blocksCall[T dense.Float] struct {
	m     Blocks[T]
	a, b  dense.Matrix[T]
	trans bool
}

var blocksCalls32, blocksCalls64 sync.Pool

// Work does the part of worker w: some rows of the result.
func (t *blocksCall[T]) Work(team *par.Team, w int) {
	parts := t.a.Rows
	if t.trans {
		parts = t.b.Rows
	}
	t.part(par.Range(parts, team.Workers(), w, 1))
}

// part computes rows lo to hi−1 of the result.
func (t *blocksCall[T]) part(lo, hi int) {
	single := dense.Opts[T]{Threads: 1}
	row := func(i, k int) dense.Matrix[T] {
		return dense.MatrixOf(t.a.Cols, t.b.Cols, t.m.Matrix.Row(i*t.b.Rows+k))
	}
	for r := lo; r < hi; r++ {
		if t.trans {
			for i := range t.a.Rows {
				dense.Gemv(blas.Trans, 1, row(i, r), t.a.Row(i), T(min(1, i)), t.b.Row(r), &single)
			}
			continue
		}
		for k := range t.b.Rows {
			dense.Gemv(blas.NoTrans, 1, row(r, k), t.b.Row(k), T(min(1, k)), t.a.Row(r), &single)
		}
	}
}

// Shapes implements Rearranged: of the empirical Fisher matrix F = Σ vec(D_s)·vec(D_s)ᵀ/n, for
// which F ≈ G⊗A with G of out×out and A of in×in.
func (p *PerExample[T]) Shapes() (m, n, q, r int) {
	return p.Grads.Cols, p.Grads.Cols, p.in(), p.in()
}

// MulR implements Rearranged: G = Σ D_s·A·D_sᵀ/n, neither F nor any D_s being formed. Of K-FAC's
// own factor, which takes the identity for A, it differs by the correlation of g with a.
//
// Cost: for one place 2·n·(in² + out²) flops. Workspace: pooled, whatever o says.
func (p *PerExample[T]) MulR(a, g dense.Matrix[T], o *dense.Opts[T]) {
	p.quadratic("MulR", &a, &g, false, o)
}

// MulRTrans implements Rearranged: A = Σ D_sᵀ·G·D_s/n.
//
// Cost and workspace: as MulR.
func (p *PerExample[T]) MulRTrans(g, a dense.Matrix[T], o *dense.Opts[T]) {
	p.quadratic("MulRTrans", &g, &a, true, o)
}

// quadratic sets y = Σ V_sᵀ·(U_s·X·U_sᵀ)·V_s/n, where U are the inputs and V the gradients, or
// the other way round, in panels of examples.
func (p *PerExample[T]) quadratic(op string, x, y *dense.Matrix[T], swap bool, o *dense.Opts[T]) {
	t, in, out, n := p.places(op), p.in(), p.Grads.Cols, p.Examples()
	du, dv := in, out
	if swap {
		du, dv = out, in
	}
	if x.Rows != du || x.Cols != du || y.Rows != dv || y.Cols != dv {
		misuse(op, "inputs are %s, bias %v, gradients %s, the factors %s and %s", shape(p.Inputs), p.Bias, shape(p.Grads), shape(*x), shape(*y))
	}
	p.apart(op, "the result", y)
	if dense.Overlap(*x, *y) {
		misuse(op, "one factor overlaps the other")
	}
	if n == 0 {
		y.Fill(0)
		return
	}
	step := max(1, min(n, exampleElements/(t*(in+out+t))))
	var count arena[T]
	reserve := func(w *arena[T]) (a, z, v dense.Matrix[T], c []T) {
		return w.matrix(step*t, in), w.matrix(step*t, du), w.matrix(step*t, dv), w.Take(step * t * t)
	}
	reserve(&count)
	w, buf := scratch[T](nil, op, count.Used())
	defer space.Put(buf)
	a, z, v, c := reserve(&w)
	inner := dense.Opts[T]{Threads: threads(o)}
	beta := T(0)
	for lo := 0; lo < n; lo += step {
		count := min(step, n-lo)
		rows := count * t
		ua, ug := p.Inputs.View(lo*t, 0, rows, p.Inputs.Cols), p.Grads.View(lo*t, 0, rows, out)
		if p.Bias {
			from := ua
			ua = a.View(0, 0, rows, in)
			ua.View(0, 0, rows, in-1).Copy(from)
			for i := range rows {
				ua.Row(i)[in-1] = 1
			}
		}
		u, right := ua, ug
		if swap {
			u, right = ug, ua
		}
		zu, vy := z.View(0, 0, rows, du), v.View(0, 0, rows, dv)
		dense.Gemm(blas.NoTrans, blas.NoTrans, 1, u, *x, 0, zu, &inner)
		if t == 1 {
			for s := range count {
				dense.ScalTo(dense.Dot(zu.Row(s), u.Row(s), nil), right.Row(s), vy.Row(s), nil)
			}
		} else if dv > 0 {
			if clear(c[:count*t*t]); du > 0 {
				dense.GemmStrided(blas.NoTrans, blas.Trans, t, t, du, 1, zu.Data, zu.Stride, t*zu.Stride, u.Data, u.Stride, t*u.Stride, 0, c, t, t*t, count, &inner)
			}
			dense.GemmStrided(blas.NoTrans, blas.NoTrans, t, dv, t, 1, c, t, t*t, right.Data, right.Stride, t*right.Stride, 0, vy.Data, vy.Stride, t*vy.Stride, count, &inner)
		}
		dense.Gemm(blas.Trans, blas.NoTrans, 1/T(n), right, vy, beta, *y, &inner)
		beta = 1
	}
}
