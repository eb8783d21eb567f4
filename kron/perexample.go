package kron

import (
	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/space"
	"gonum.org/v1/gonum/blas"
)

// PerExample are the gradients of a layer's weight for each example of a batch of n, which
// are never formed: D_s = Σ_t g_{s,t}·ā_{s,t}ᵀ, out×in. For one place they are the rows of a
// Khatri–Rao product. As vectors they are the rows of J, n×(out·in), the Jacobian of the losses.
type PerExample[T dense.Float] struct {
	// Inputs is (n·Places)×d and Grads (n·Places)×out, an example's places in consecutive
	// rows.
	Inputs, Grads dense.Matrix[T]
	// Bias says that in is d+1: the homogeneous coordinate, a 1 behind each row of
	// Inputs, which is not there.
	Bias bool
	// Places is the number of places at which an example uses the weight, 1 if it is 0.
	Places int
}

// places returns the number of places; it panics if the matrices do not fit.
func (p *PerExample[T]) places(op string) int {
	t := max(1, p.Places)
	if p.Places < 0 || p.Inputs.Rows != p.Grads.Rows || p.Inputs.Rows%t != 0 {
		misuse(op, "inputs are %s, gradients %s, %d places", shape(p.Inputs), shape(p.Grads), t)
	}
	return t
}

// in returns the columns of the weight.
func (p *PerExample[T]) in() int { return p.Inputs.Cols + homogeneous(p.Bias) }

// Examples returns the number of examples.
func (p *PerExample[T]) Examples() int { return p.Inputs.Rows / max(1, p.Places) }

// Form writes J, the gradients as the rows of j: a materialiser, for tests and small layers.
//
// Shapes: j is n×(out·in) and must not overlap Inputs or Grads. Cost: 2·n·Places·out·in flops.
// It needs no workspace.
func (p *PerExample[T]) Form(j dense.Matrix[T], o *dense.Opts[T]) {
	const op = "Form"
	p.places(op)
	if j.Rows != p.Examples() || j.Cols != p.Grads.Cols*p.in() {
		misuse(op, "inputs are %s, bias %v, gradients %s, j is %s", shape(p.Inputs), p.Bias, shape(p.Grads), shape(j))
	}
	p.apart(op, "j", &j)
	p.form(0, p.Grads.Cols, &j, threads(o))
}

// form writes rows lo to hi−1 of each D_s to a row of j.
func (p *PerExample[T]) form(lo, hi int, j *dense.Matrix[T], threads int) {
	t, d, in, n := max(1, p.Places), p.Inputs.Cols, p.in(), p.Examples()
	if n == 0 || lo >= hi || in == 0 {
		return
	}
	g := p.Grads.View(0, lo, p.Grads.Rows, hi-lo)
	o := dense.Opts[T]{Threads: threads}
	if d > 0 {
		dense.GemmStrided(blas.Trans, blas.NoTrans, hi-lo, d, t, 1, g.Data, g.Stride, t*g.Stride, p.Inputs.Data, p.Inputs.Stride, t*p.Inputs.Stride,
			0, j.Data, in, j.Stride, n, &o)
	}
	if p.Bias {
		for s := range n {
			row := j.Row(s)
			for i := range hi - lo {
				sum := T(0)
				for r := range t {
					sum += g.Data[(s*t+r)*g.Stride+i]
				}
				row[i*in+d] = sum
			}
		}
	}
}

// apart panics if m overlaps the batch.
func (p *PerExample[T]) apart(op, name string, m *dense.Matrix[T]) {
	if dense.Overlap(*m, p.Inputs) || dense.Overlap(*m, p.Grads) {
		misuse(op, "%s overlaps the batch", name)
	}
}

// exampleElements is the size of the panels that go through memory.
const exampleElements = 1 << 17

// Gram computes the Gram matrix of the gradients, K = J·Jᵀ, k_{s,r} = ⟨D_s, D_r⟩: for one place
// (ĀĀᵀ)∘(ΓΓᵀ), with no gradient formed; for more, the blocks of that summed up, or, if it takes
// fewer operations, J formed in panels of its columns.
//
// Shapes: k is n×n, of which the lower triangle is written; it must not overlap the batch.
// Cost: n²·Places²·(in + out) flops, or n²·in·out + 2·n·Places·in·out.
// Workspace: GramWork(). The products inside pack into pooled space.
// Source: Ren and Goldfarb, Efficient subsampled Gauss–Newton and natural gradient methods
// for training neural networks, 2019, for one place.
func (p *PerExample[T]) Gram(k dense.Matrix[T], o *dense.Opts[T]) {
	const op = "Gram"
	t := p.places(op)
	n := p.Examples()
	if k.Rows != n || k.Cols != n {
		misuse(op, "%d examples, k is %s", n, shape(k))
	}
	p.apart(op, "k", &k)
	w, buf := scratch(o, op, p.gramRoom())
	defer space.Put(buf)
	inner := dense.Opts[T]{Threads: threads(o)}
	step := p.gramStep()
	if p.byColumns() {
		out := p.Grads.Cols
		u := w.matrix(n, step*p.in())
		beta := T(0)
		for lo := 0; lo < out; lo += step {
			hi := min(out, lo+step)
			v := u.View(0, 0, n, (hi-lo)*p.in())
			p.form(lo, hi, &v, inner.Threads)
			dense.Syrk(blas.Lower, blas.NoTrans, 1, v, beta, k, &inner)
			beta = 1
		}
		return
	}
	x, y := w.matrix(step*t, n*t), w.matrix(step*t, n*t)
	for lo := 0; lo < n; lo += step {
		hi := min(n, lo+step)
		gram(&p.Inputs, lo*t, hi*t, t, &x, &inner)
		gram(&p.Grads, lo*t, hi*t, t, &y, &inner)
		for s := lo; s < hi; s++ {
			for i := range t {
				row := x.Row((s-lo)*t + i)[:(s+1)*t]
				if p.Bias {
					for j := range row {
						row[j]++
					}
				}
				dense.MulTo(row, y.Row((s-lo)*t + i)[:len(row)], row, nil)
			}
			for r := range s + 1 {
				sum := x.Row((s - lo) * t)[r*t]
				if t > 1 {
					sum = 0
					for i := range t {
						sum += dense.Sum(x.Row((s-lo)*t + i)[r*t:(r+1)*t], nil)
					}
				}
				k.Data[s*k.Stride+r] = sum
			}
		}
	}
}

// gram writes the products of the rows lo to hi−1 of m with the first hi rows to the beginning
// of x; above the diagonal only within blocks of whole examples of t rows.
func gram[T dense.Float](m *dense.Matrix[T], lo, hi, t int, x *dense.Matrix[T], o *dense.Opts[T]) {
	rows, corner := m.View(lo, 0, hi-lo, m.Cols), x.View(0, lo, hi-lo, hi-lo)
	dense.Gemm(blas.NoTrans, blas.Trans, 1, rows, m.View(0, 0, lo, m.Cols), 0, x.View(0, 0, hi-lo, lo), o)
	dense.Syrk(blas.Lower, blas.NoTrans, 1, rows, 0, corner, o)
	if t > 1 {
		for i := 0; i < hi-lo; i += t {
			dense.Mirror(blas.Lower, corner.View(i, i, t, t))
		}
	}
}

// byColumns returns whether Gram takes fewer operations with J in panels.
func (p *PerExample[T]) byColumns() bool {
	t, in, out, n := max(1, p.Places), p.in(), p.Grads.Cols, max(1, p.Examples())
	return t > 1 && in*out > 0 && float64(t)*float64(t)*float64(in+out) > float64(in)*float64(out)*(1+2*float64(t)/float64(n)) // exact enough: a choice
}

// gramStep returns the number of rows of each D_s, or of examples, in a panel.
func (p *PerExample[T]) gramStep() int {
	t, n := max(1, p.Places), max(1, p.Examples())
	if p.byColumns() {
		return max(1, min(p.Grads.Cols, exampleElements/(n*max(1, p.in()))))
	}
	return max(1, min(n, exampleElements/(n*t*t)))
}

// GramWork returns the length of the workspace of Gram. It does not depend on the number of
// threads.
func (p *PerExample[T]) GramWork() int { return room[T](p.gramRoom()) }

func (p *PerExample[T]) gramRoom() int {
	var w arena[T]
	t, n, step := max(1, p.Places), p.Examples(), p.gramStep()
	if p.byColumns() {
		w.matrix(n, step*p.in())
	} else {
		w.matrix(step*t, n*t)
		w.matrix(step*t, n*t)
	}
	return w.Used()
}

// Mul computes y = J·vec(W), the inner products y_s = ⟨D_s, W⟩: how much each example's loss
// changes along W.
//
// Shapes: w is out×in, y has n elements and must not overlap w or the batch.
// Cost: 2·n·Places·out·in flops. Workspace: MulWork(). The products inside pack into pooled
// space.
// Order: for each place the Dot of g with W·ā, added in increasing t.
func (p *PerExample[T]) Mul(w dense.Matrix[T], y []T, o *dense.Opts[T]) {
	const op = "Mul"
	t := p.places(op)
	p.checkWeight(op, &w, len(y))
	v := vector(y)
	p.apart(op, "y", &v)
	if dense.Overlap(v, w) {
		misuse(op, "y overlaps w")
	}
	a, buf := scratch(o, op, p.mulRoom())
	defer space.Put(buf)
	panel, column := p.panel(&a)
	inner := dense.Opts[T]{Threads: threads(o)}
	d := p.Inputs.Cols
	if p.Bias {
		for i := range column {
			column[i] = w.Data[i*w.Stride+d]
		}
	}
	for lo := 0; lo < len(y); lo += panel.Rows / t {
		hi := min(len(y), lo+panel.Rows/t)
		z := panel.View(0, 0, (hi-lo)*t, panel.Cols)
		dense.Gemm(blas.NoTrans, blas.Trans, 1, p.Inputs.View(lo*t, 0, z.Rows, d), w.View(0, 0, w.Rows, d), 0, z, &inner)
		for s := lo; s < hi; s++ {
			sum := T(0)
			for i := range t {
				row := z.Row((s-lo)*t + i)
				if p.Bias {
					dense.AddTo(row, column, row, nil)
				}
				sum += dense.Dot(p.Grads.Row(s*t+i), row, nil)
			}
			y[s] = sum
		}
	}
}

// MulTrans computes W = alpha·Σ_s c_s·D_s + beta·W, that is vec(W) = alpha·Jᵀ·c + beta·vec(W):
// the gradient of a weighted batch, and with the solution of a system in Gram for c a
// direction of Woodbury's formula.
//
// Shapes: w is out×in, c has n elements; w must not overlap c or the batch. With beta == 0 w
// is not read.
// Cost: 2·n·Places·out·in flops. Workspace: MulWork(). The products inside pack into pooled
// space.
// Order: panels of examples, each by dense.Gemm, the bias by dense.Gemv.
func (p *PerExample[T]) MulTrans(alpha T, c []T, beta T, w dense.Matrix[T], o *dense.Opts[T]) {
	const op = "MulTrans"
	t := p.places(op)
	p.checkWeight(op, &w, len(c))
	p.apart(op, "w", &w)
	if dense.Overlap(w, vector(c)) {
		misuse(op, "w overlaps c")
	}
	a, buf := scratch(o, op, p.mulRoom())
	defer space.Put(buf)
	panel, column := p.panel(&a)
	ones := unit(a.Take(panel.Rows))
	inner := dense.Opts[T]{Threads: threads(o)}
	d := p.Inputs.Cols
	if p.Bias {
		for i := range column {
			column[i] = w.Data[i*w.Stride+d]
		}
	}
	for lo := 0; lo < len(c) || lo == 0; lo += panel.Rows / t {
		hi := min(len(c), lo+panel.Rows/t)
		z := panel.View(0, 0, (hi-lo)*t, panel.Cols)
		for i := range z.Rows {
			dense.ScalTo(c[lo+i/t], p.Grads.Row(lo*t+i), z.Row(i), nil)
		}
		dense.Gemm(blas.Trans, blas.NoTrans, alpha, z, p.Inputs.View(lo*t, 0, z.Rows, d), beta, w.View(0, 0, w.Rows, d), &inner)
		if p.Bias {
			dense.Gemv(blas.Trans, alpha, z, ones[:z.Rows], beta, column, &inner)
		}
		beta = 1
	}
	if p.Bias {
		for i, v := range column {
			w.Data[i*w.Stride+d] = v
		}
	}
}

func (p *PerExample[T]) checkWeight(op string, w *dense.Matrix[T], n int) {
	if w.Rows != p.Grads.Cols || w.Cols != p.in() || n != p.Examples() {
		misuse(op, "inputs are %s, bias %v, gradients %s, w is %s, the vector has %d elements", shape(p.Inputs), p.Bias, shape(p.Grads), shape(*w), n)
	}
}

// MulWork returns the length of the workspace of Mul and MulTrans. It does not depend on the
// number of threads.
func (p *PerExample[T]) MulWork() int { return room[T](p.mulRoom()) }

func (p *PerExample[T]) mulRoom() int {
	var w arena[T]
	panel, _ := p.panel(&w)
	w.Take(panel.Rows)
	return w.Used()
}

// panel takes from w what a panel of examples needs: a row of out elements for each place, and
// a vector of out.
func (p *PerExample[T]) panel(w *arena[T]) (panel dense.Matrix[T], column []T) {
	t, out := max(1, p.Places), p.Grads.Cols
	examples := max(1, min(p.Examples(), exampleElements/(t*max(1, out))))
	return w.matrix(examples*t, out), w.Take(out)
}
