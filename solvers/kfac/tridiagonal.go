package kfac

import (
	"fmt"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/kron"
	"github.com/precond-go/precond/solvers"
	"gonum.org/v1/gonum/blas"
)

// tridiagonalForm is the block-tridiagonal inverse of a chain of layers: that of the directed
// Gaussian model in which the gradient of a layer depends on that of the next one
// alone. With the damped blocks F_i = G_i⊗A_i and F_{i,i+1} = G_{i,i+1}⊗A_{i,i+1} of
// neighbours,
//
//	F̂⁻¹ = Ξᵀ·Λ·Ξ,  Ξ = I − (Ψ_i at (i, i+1)),  Λ = diag(Σ_i⁻¹),
//	Ψ_i = F_{i,i+1}·F_{i+1}⁻¹,  Σ_i = F_i − Ψ_i·F_{i+1}·Ψ_iᵀ,  Σ_last = F_last,
//
// all Kronecker products, and a difference of two in Σ_i. The inverse of the result agrees with
// the estimates in all blocks on and beside the diagonal.
//
// Source: Martens & Grosse 2015, section 4.3 and appendix B.
type tridiagonalForm[T dense.Float] struct {
	blocks []block[T]
	cross  [][2]dense.Matrix[T] // E[ā_i ā_{i+1}ᵀ] and E[g_i g_{i+1}ᵀ], averages
	half   int                  // which of the halves is in force
	halves [2]triHalf[T]
	norm   [][2]float64         // ‖F‖₁·‖F⁻¹‖₁ of the damped factors in the spare half
	prod   [][2]dense.Matrix[T] // Ψ·F·Ψᵀ, scratch
	u, y   []dense.Matrix[T]    // out×in, by block
}

// triHalf is what comes of one set of statistics.
type triHalf[T dense.Float] struct {
	factor [][2]dense.Matrix[T] // damped, lower triangles
	cross  [][2]dense.Matrix[T]
	// The rest is computed from these.
	inv [][2]dense.Matrix[T]
	psi [][2]dense.Matrix[T]
	sum []*kron.SumInverse[T]
}

func newTridiagonalForm[T dense.Float](blocks []block[T]) *tridiagonalForm[T] {
	for i := range blocks {
		if i > 0 && blocks[i].param == blocks[i-1].param {
			panic(fmt.Sprintf("kfac: New: tensor %d has groups, with which there is no block-tridiagonal form", blocks[i].param))
		}
	}
	f := &tridiagonalForm[T]{blocks: blocks, norm: make([][2]float64, len(blocks))}
	for i := range blocks {
		b := &blocks[i]
		square := [2]dense.Matrix[T]{dense.NewMatrix[T](b.in, b.in), dense.NewMatrix[T](b.out, b.out)}
		f.prod = append(f.prod, square)
		f.u, f.y = append(f.u, dense.NewMatrix[T](b.out, b.in)), append(f.y, dense.NewMatrix[T](b.out, b.in))
		for h := range f.halves {
			half := &f.halves[h]
			half.factor = append(half.factor, [2]dense.Matrix[T]{square[0].Clone(), square[1].Clone()})
			half.inv = append(half.inv, [2]dense.Matrix[T]{square[0].Clone(), square[1].Clone()})
		}
		if i == len(blocks)-1 {
			break
		}
		next := &blocks[i+1]
		between := [2]dense.Matrix[T]{dense.NewMatrix[T](b.in, next.in), dense.NewMatrix[T](b.out, next.out)}
		f.cross = append(f.cross, between)
		for h := range f.halves {
			half := &f.halves[h]
			half.cross = append(half.cross, [2]dense.Matrix[T]{between[0].Clone(), between[1].Clone()})
			half.psi = append(half.psi, [2]dense.Matrix[T]{between[0].Clone(), between[1].Clone()})
			half.sum = append(half.sum, kron.NewSumInverse[T](b.out, b.in))
		}
	}
	return f
}

// observe moves the statistics of neighbours towards those of a batch; see block.observe.
func (f *tridiagonalForm[T]) observe(sets [][]solvers.Layer[T], keep float64, o *dense.Opts[T]) {
	for i, c := range f.cross {
		x, y := &sets[0][i], &sets[0][i+1]
		old, gain := T(keep), T((1-keep)/float64(x.Examples))
		kron.CrossMoment(gain, x.Inputs, x.Bias, y.Inputs, y.Bias, old, c[inputs], o)
		for _, set := range sets {
			kron.CrossMoment(gain, set[i].Grads, false, set[i+1].Grads, false, old, c[outputs], o)
			old = 1
		}
	}
}

// check panics unless the layers are fully connected ones on the same examples.
func (f *tridiagonalForm[T]) check(set []solvers.Layer[T]) {
	for i := range set {
		if l := &set[i]; l.Positions != 1 || l.Conv != nil || l.Examples != set[0].Examples {
			panic(fmt.Sprintf("kfac: Observe: layer %s has %d positions and %d examples: the block-tridiagonal form takes one position, and all layers of the same examples", l.Name, l.Positions, l.Examples))
		}
	}
}

func (f *tridiagonalForm[T]) load(i int, damping float64) error {
	b, spare := &f.blocks[i], &f.halves[1-f.half]
	alpha, beta, err := kron.Tikhonov(damping, b.factor[inputs], b.factor[outputs])
	if err != nil {
		return err
	}
	kron.Damp(blas.Lower, alpha, b.factor[inputs], spare.factor[i][inputs])
	kron.Damp(blas.Lower, beta, b.factor[outputs], spare.factor[i][outputs])
	if i < len(f.cross) {
		for side, c := range f.cross[i] {
			spare.cross[i][side].Copy(c)
		}
	}
	return nil
}

func (f *tridiagonalForm[T]) work(i, threads int) int { return inverseWork(&f.blocks[i], threads) }

func (f *tridiagonalForm[T]) factorise(i, side int, o *dense.Opts[T]) (err error) {
	spare := &f.halves[1-f.half]
	kron.Damp(blas.Lower, 0, spare.factor[i][side], spare.inv[i][side])
	f.norm[i][side], err = invertFactor(spare.inv[i][side], o)
	return err
}

// couple computes Ψ and Σ⁻¹ of all blocks but the last one from the inverses of the factors.
func (f *tridiagonalForm[T]) couple(o *dense.Opts[T]) error {
	spare := &f.halves[1-f.half]
	for i := range spare.psi {
		for side, psi := range spare.psi[i] {
			c := spare.cross[i][side]
			dense.Gemm(blas.NoTrans, blas.NoTrans, 1, c, spare.inv[i+1][side], 0, psi, o)
			dense.Gemm(blas.NoTrans, blas.Trans, 1, psi, c, 0, f.prod[i][side], o) // Ψ·F = C
		}
		s := spare.sum[i]
		err := s.Factor(blas.Lower, -1, spare.factor[i][outputs], spare.factor[i][inputs], f.prod[i][outputs], f.prod[i][inputs], o)
		if err == nil && !(s.Least() > 0) {
			err = &dense.NotPositiveDefiniteError{}
		}
		if err != nil {
			return fmt.Errorf("%s given %s: %w", f.blocks[i].name, f.blocks[i+1].name, err)
		}
	}
	return nil
}

func (f *tridiagonalForm[T]) commit(i int, _ float64, _ *dense.Opts[T]) float64 {
	if i == 0 {
		f.flip() // all blocks together
	}
	return float64(f.norm[i][inputs] * f.norm[i][outputs])
}

func (f *tridiagonalForm[T]) damped() bool { return true }

func (f *tridiagonalForm[T]) flip() { f.half = 1 - f.half }

func (f *tridiagonalForm[T]) apply(_ float64, grads, dst []solvers.Tensor[T], o *dense.Opts[T]) {
	h, last := &f.halves[f.half], len(f.blocks)-1
	for i := range f.blocks {
		f.u[i].Copy(f.blocks[i].rows(&grads[f.blocks[i].param]))
		if i < last {
			next := &f.blocks[i+1]
			kron.Apply(blas.NoTrans, blas.NoTrans, -1, h.psi[i][outputs], h.psi[i][inputs], next.rows(&grads[next.param]), 1, f.u[i], o)
			h.sum[i].Solve(f.u[i], f.y[i], o)
		} else {
			kron.Apply(blas.NoTrans, blas.NoTrans, 1, h.inv[i][outputs], h.inv[i][inputs], f.u[i], 0, f.y[i], o)
		}
	}
	for i := range f.blocks {
		w := f.blocks[i].rows(&dst[f.blocks[i].param])
		w.Copy(f.y[i])
		if i > 0 {
			kron.Apply(blas.Trans, blas.Trans, -1, h.psi[i-1][outputs], h.psi[i-1][inputs], f.y[i-1], 1, w, o)
		}
	}
}

func (f *tridiagonalForm[T]) stepWork(batch []solvers.Layer[T], threads int) (n int) {
	h := &f.halves[0]
	for i := range f.blocks {
		b := &f.blocks[i]
		n = max(n, kron.ApplyWork(blas.NoTrans, blas.NoTrans, h.inv[i][outputs], h.inv[i][inputs], threads))
		if i == len(h.psi) {
			break
		}
		next := &f.blocks[i+1]
		n = max(n, h.sum[i].FactorWork(threads), h.sum[i].SolveWork(threads))
		for _, psi := range h.psi[i] {
			n = max(n,
				dense.GemmWork[T](blas.NoTrans, blas.NoTrans, psi.Rows, psi.Cols, psi.Cols, threads),
				dense.GemmWork[T](blas.NoTrans, blas.Trans, psi.Rows, psi.Rows, psi.Cols, threads))
		}
		n = max(n,
			kron.ApplyWork(blas.NoTrans, blas.NoTrans, h.psi[i][outputs], h.psi[i][inputs], threads),
			kron.ApplyWork(blas.Trans, blas.Trans, h.psi[i][outputs], h.psi[i][inputs], threads))
		if batch != nil {
			x, y := &batch[i], &batch[i+1]
			n = max(n,
				kron.CrossMomentWork[T](x.Examples, x.Inputs.Cols, y.Inputs.Cols, x.Bias, y.Bias, threads),
				kron.CrossMomentWork[T](x.Examples, b.out, next.out, false, false, threads))
		}
	}
	return n
}

// state names what the inverse in force was computed from, and computes it again when it is
// restored.
func (f *tridiagonalForm[T]) state(v *solvers.State) {
	h := &f.halves[f.half]
	for i := range f.blocks {
		for side := range 2 {
			solvers.Floats(v, "damped "+sideNames[side]+" of "+f.blocks[i].name, h.factor[i][side].Data)
			if i < len(f.cross) {
				solvers.Floats(v, "average "+sideNames[side]+" of neighbours of "+f.blocks[i].name, f.cross[i][side].Data)
				solvers.Floats(v, sideNames[side]+" of neighbours of "+f.blocks[i].name, h.cross[i][side].Data)
			}
		}
	}
	if !v.Restoring() {
		return
	}
	// An error means that there was no inverse yet, and nothing uses it then.
	f.flip()
	for i := range f.blocks {
		for side := range 2 {
			if f.factorise(i, side, nil) != nil {
				f.flip()
				return
			}
		}
	}
	_ = f.couple(nil)
	f.flip()
}
