package kfac

import (
	"math"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/kron"
	"github.com/precond-go/precond/solvers"
	"gonum.org/v1/gonum/blas"
)

// basis is the eigendecomposition of a factor.
type basis[T dense.Float] struct {
	vectors dense.Matrix[T] // columns
	values  []T             // increasing, none negative
}

func newBasis[T dense.Float](n int) basis[T] {
	return basis[T]{dense.NewMatrix[T](n, n), make([]T, n)}
}

// eigenForm holds the eigendecompositions of the factors, and for EKFAC the second
// moments of the gradients along them.
type eigenForm[T dense.Float] struct {
	blocks []block[T]
	bases  [][2][2]basis[T] // by block, slot and side
	// moments are E[(Q_Gᵀ∇W Q_A)²], out×in, nil without EKFAC; seen counts the
	// observations in them.
	moments []dense.Matrix[T]
	seen    []int
	turn    [][2]dense.Matrix[T] // R∘R of carry

	temp    [2][]dense.Matrix[T] // out×in
	a, b, c []dense.Matrix[T]    // operands of batches
	shift   []T                  // the damping in every element
	den     []T
}

func newEigenForm[T dense.Float](blocks []block[T], corrected bool) *eigenForm[T] {
	n := len(blocks)
	f := &eigenForm[T]{
		blocks: blocks, bases: make([][2][2]basis[T], n),
		a: make([]dense.Matrix[T], n), b: make([]dense.Matrix[T], n), c: make([]dense.Matrix[T], n),
	}
	f.temp = [2][]dense.Matrix[T]{make([]dense.Matrix[T], n), make([]dense.Matrix[T], n)}
	if corrected {
		f.moments, f.seen, f.turn = make([]dense.Matrix[T], n), make([]int, n), make([][2]dense.Matrix[T], n)
	}
	widest := 0
	for i := range blocks {
		b := &blocks[i]
		for side := range 2 {
			for slot := range 2 {
				f.bases[i][slot][side] = newBasis[T](b.dim(side))
			}
			if corrected {
				f.turn[i][side] = dense.NewMatrix[T](b.dim(side), b.dim(side))
			}
		}
		f.temp[0][i], f.temp[1][i] = dense.NewMatrix[T](b.out, b.in), dense.NewMatrix[T](b.out, b.in)
		if corrected {
			f.moments[i] = dense.NewMatrix[T](b.out, b.in)
		}
		widest = max(widest, b.in)
	}
	f.shift, f.den = make([]T, widest), make([]T, widest)
	return f
}

// load does nothing: factorise reads the statistics.
func (f *eigenForm[T]) load(int, role, float64) error { return nil }

func (f *eigenForm[T]) work(i, threads int) int {
	b := &f.blocks[i]
	return max(dense.EigenSymWork[T](b.in, threads), dense.EigenSymWork[T](b.out, threads))
}

func (f *eigenForm[T]) factorise(i, side int, r role, o *dense.Opts[T]) error {
	b := &f.blocks[i]
	e := &f.bases[i][b.slot[r]][side]
	if err := dense.EigenSym(blas.Lower, b.statistics(r)[side], e.values, e.vectors, o); err != nil {
		return err
	}
	for k, v := range e.values {
		e.values[k] = max(v, 0) // the factor is semidefinite: below zero there is rounding only
	}
	return nil
}

func (f *eigenForm[T]) commit(i int, r role, damping float64, o *dense.Opts[T]) float64 {
	if f.moments != nil && f.seen[i] > 0 {
		f.carry(i, r, o)
	}
	f.blocks[i].exchange(r)
	e := f.now(i)
	last := func(x []T) float64 { return float64(x[len(x)-1]) }
	least := float64(float64(e[inputs].values[0])*float64(e[outputs].values[0])) + damping
	most := float64(last(e[inputs].values)*last(e[outputs].values)) + damping
	return most / least
}

func (f *eigenForm[T]) damped() bool { return false }

// now returns the bases of block i that are in force.
func (f *eigenForm[T]) now(i int) *[2]basis[T] { return &f.bases[i][f.blocks[i].slot[inForce]] }

// rotate sets c = Q_Gᵀ·V·Q_A for the matrices in v, or with back the reverse of it.
func (f *eigenForm[T]) rotate(v, c []dense.Matrix[T], back bool, o *dense.Opts[T]) {
	tA, tG := blas.NoTrans, blas.Trans
	if back {
		tA, tG = tG, tA
	}
	for i := range f.blocks {
		f.b[i] = f.now(i)[inputs].vectors
	}
	dense.GemmBatch(blas.NoTrans, tA, 1, v, f.b, 0, f.temp[0], o)
	for i := range f.blocks {
		f.b[i] = f.now(i)[outputs].vectors
	}
	dense.GemmBatch(tG, blas.NoTrans, 1, f.b, f.temp[0], 0, c, o)
}

func (f *eigenForm[T]) apply(damping float64, grads, dst []solvers.Tensor[T], o *dense.Opts[T]) {
	for i := range f.blocks {
		b := &f.blocks[i]
		f.a[i], f.c[i] = b.rows(&grads[b.param]), b.rows(&dst[b.param])
	}
	f.rotate(f.a, f.temp[1], false, o)
	for k := range f.shift {
		f.shift[k] = T(damping)
	}
	for i := range f.blocks {
		b, e := &f.blocks[i], f.now(i)
		den, shift := f.den[:b.in], f.shift[:b.in]
		for j := range b.out {
			if f.moments != nil {
				dense.AddTo(f.moments[i].Row(j), shift, den, o)
			} else {
				copy(den, shift)
				dense.Axpy(e[outputs].values[j], e[inputs].values, den, o)
			}
			row := f.temp[1][i].Row(j)
			dense.DivTo(row, den, row, o)
		}
	}
	f.rotate(f.temp[1], f.c, true, o)
}

// carry turns the moments of block i from the basis in force to that of a role: with
// R = QᵀQ' for both sides they are the diagonal of the same matrix in the new basis,
// S' = (R_G∘R_G)ᵀ·S·(R_A∘R_A). Where the new basis is a permutation of the old one
// the moments are permuted alike.
func (f *eigenForm[T]) carry(i int, r role, o *dense.Opts[T]) {
	then := &f.bases[i][f.blocks[i].slot[r]]
	for side, e := range f.now(i) {
		t := f.turn[i][side]
		dense.Gemm(blas.Trans, blas.NoTrans, 1, e.vectors, then[side].vectors, 0, t, o)
		square(t, o)
	}
	dense.Gemm(blas.NoTrans, blas.NoTrans, 1, f.moments[i], f.turn[i][inputs], 0, f.temp[0][i], o)
	dense.Gemm(blas.Trans, blas.NoTrans, 1, f.turn[i][outputs], f.temp[0][i], 0, f.moments[i], o)
}

// square squares the elements of a matrix without gaps between rows.
func square[T dense.Float](m dense.Matrix[T], o *dense.Opts[T]) {
	x := m.Data[:m.Rows*m.Cols]
	dense.MulTo(x, x, x, o)
}

// observe moves the moments towards those of a batch, each example by itself:
// E[(Q_Gᵀ·g·āᵀ·Q_A)²]. See block.observe for the sets.
func (f *eigenForm[T]) observe(sets [][]solvers.Layer[T], l int, decay float64, r *rotated[T], o *dense.Opts[T]) {
	f.seen[l]++
	keep := keepWeight(f.seen[l], decay)
	layer := &sets[0][l]
	old, gain := T(keep), T((1-keep)/float64(layer.Examples))
	if layer.Positions > 1 {
		f.observeSums(sets, l, old, gain, r, o)
		return
	}
	b := &f.blocks[l]
	a := r.inputs(layer.Examples, b.in)
	f.rotateInputs(l, layer.Inputs, layer.Bias, a, o)
	square(a, o)
	g := r.outputs(layer.Examples, b.out)
	for _, set := range sets {
		dense.Gemm(blas.NoTrans, blas.NoTrans, 1, set[l].Grads, f.now(l)[outputs].vectors, 0, g, o)
		square(g, o)
		dense.Gemm(blas.Trans, blas.NoTrans, gain, g, a, old, f.moments[l], o)
		old = 1
	}
}

// observeSums is observe for layers with several positions: the gradient of an example is
// a sum over them, and is formed.
func (f *eigenForm[T]) observeSums(sets [][]solvers.Layer[T], l int, old, gain T, r *rotated[T], o *dense.Opts[T]) {
	b, t := &f.blocks[l], f.temp[0][l]
	positions := sets[0][l].Positions
	a, g := r.inputs(positions, b.in), r.outputs(positions, b.out)
	for _, set := range sets {
		layer := &set[l]
		for k := range layer.Examples {
			lo := k * positions
			x := layer.Inputs
			if layer.Conv != nil {
				p := r.patches(positions, layer.Conv.Patch())
				kron.Patches(*layer.Conv, b.group, x, lo, p, o)
				x = p
			} else {
				x = x.View(lo, 0, positions, x.Cols)
			}
			f.rotateInputs(l, x, layer.Bias, a, o)
			dense.Gemm(blas.NoTrans, blas.NoTrans, 1, layer.Grads.View(lo, 0, positions, b.out), f.now(l)[outputs].vectors, 0, g, o)
			dense.Gemm(blas.Trans, blas.NoTrans, 1, g, a, 0, t, o)
			square(t, o)
			dense.Accumulate(gain, t, old, f.moments[l], o)
			old = 1
		}
	}
}

// rotateInputs sets a = X̄·Q_A, where X̄ is x with a column of ones with bias.
func (f *eigenForm[T]) rotateInputs(l int, x dense.Matrix[T], bias bool, a dense.Matrix[T], o *dense.Opts[T]) {
	q, add := f.now(l)[inputs].vectors, T(0)
	if bias {
		for j := range a.Rows {
			copy(a.Row(j), q.Row(x.Cols))
		}
		add = 1
	}
	dense.Gemm(blas.NoTrans, blas.NoTrans, 1, x, q.View(0, 0, x.Cols, q.Cols), add, a, o)
}

// rotated is room for inputs and gradients in the eigenbasis, and patches out of it.
type rotated[T dense.Float] struct{ a, g, p []T }

func (r *rotated[T]) inputs(rows, cols int) dense.Matrix[T]  { return fit(&r.a, rows, cols) }
func (r *rotated[T]) outputs(rows, cols int) dense.Matrix[T] { return fit(&r.g, rows, cols) }
func (r *rotated[T]) patches(rows, cols int) dense.Matrix[T] { return fit(&r.p, rows, cols) }

// fit returns a matrix over *x, which it makes longer if need be.
func fit[T dense.Float](x *[]T, rows, cols int) dense.Matrix[T] {
	if len(*x) < rows*cols {
		*x = make([]T, rows*cols)
	}
	return dense.MatrixOf(rows, cols, (*x)[:rows*cols])
}

// keepWeight returns the weight of the old average at the k-th observation,
// min(1 − 1/k, decay).
func keepWeight(k int, decay float64) float64 { return math.Min(1-1/float64(k), decay) }

func (f *eigenForm[T]) stepWork(batch []solvers.Layer[T], threads int) (n int) {
	for i := range f.blocks {
		b := &f.blocks[i]
		f.a[i], f.b[i], f.c[i] = f.temp[0][i], f.bases[i][0][inputs].vectors, f.bases[i][0][outputs].vectors
		if f.moments == nil || batch == nil {
			continue
		}
		rows := batch[i].Positions // of an example at a time
		if rows == 1 {
			rows = batch[i].Examples
		}
		cols := b.in
		if batch[i].Bias {
			cols--
		}
		n = max(n,
			dense.GemmWork[T](blas.NoTrans, blas.NoTrans, rows, b.in, cols, threads),
			dense.GemmWork[T](blas.NoTrans, blas.NoTrans, rows, b.out, b.out, threads),
			dense.GemmWork[T](blas.Trans, blas.NoTrans, b.out, b.in, rows, threads),
			dense.GemmWork[T](blas.Trans, blas.NoTrans, b.in, b.in, b.in, threads),
			dense.GemmWork[T](blas.Trans, blas.NoTrans, b.out, b.out, b.out, threads),
			dense.GemmWork[T](blas.NoTrans, blas.NoTrans, b.out, b.in, b.in, threads),
			dense.GemmWork[T](blas.Trans, blas.NoTrans, b.out, b.in, b.out, threads))
	}
	for _, t := range []blas.Transpose{blas.NoTrans, blas.Trans} {
		n = max(n,
			dense.GemmBatchWork(blas.NoTrans, t, f.a, f.b, threads),
			dense.GemmBatchWork(t, blas.NoTrans, f.c, f.a, threads))
	}
	return n
}

func (f *eigenForm[T]) state(v *solvers.State) {
	for i := range f.blocks {
		for side := range 2 {
			e := &f.now(i)[side]
			name := sideNames[side] + " of " + f.blocks[i].name
			solvers.Floats(v, "eigenvectors of "+name, e.vectors.Data)
			solvers.Floats(v, "eigenvalues of "+name, e.values)
		}
		if f.moments != nil {
			solvers.Floats(v, "moments of "+f.blocks[i].name, f.moments[i].Data)
			v.Int("moments seen of "+f.blocks[i].name, &f.seen[i])
		}
	}
}
