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
	source [][2]dense.Matrix[T] // what the refresh under way is computed from: copies with a lag
	slots  []triSlot[T]         // all blocks have the same one in a role
	u, y   []dense.Matrix[T]    // out×in, by block
}

// triSlot is what comes of one set of statistics.
type triSlot[T dense.Float] struct {
	factor [][2]dense.Matrix[T] // damped, lower triangles
	cross  [][2]dense.Matrix[T]
	// The rest is computed from these.
	inv  [][2]dense.Matrix[T]
	norm [][2]float64 // ‖F‖₁·‖F⁻¹‖₁ of the damped factors
	psi  [][2]dense.Matrix[T]
	prod [][2]dense.Matrix[T] // Ψ·F·Ψᵀ, scratch
	sum  []*kron.SumInverse[T]
}

func newTridiagonalForm[T dense.Float](blocks []block[T], slots int, lag bool) *tridiagonalForm[T] {
	f := &tridiagonalForm[T]{blocks: blocks, slots: make([]triSlot[T], slots)}
	pair := func(rowsA, colsA, rowsG, colsG int) [2]dense.Matrix[T] {
		return [2]dense.Matrix[T]{inputs: dense.NewMatrix[T](rowsA, colsA), outputs: dense.NewMatrix[T](rowsG, colsG)}
	}
	for i := range blocks {
		b := &blocks[i]
		if i > 0 && b.param == blocks[i-1].param {
			panic(fmt.Sprintf("kfac: New: tensor %d has groups, with which there is no block-tridiagonal form", b.param))
		}
		f.u, f.y = append(f.u, dense.NewMatrix[T](b.out, b.in)), append(f.y, dense.NewMatrix[T](b.out, b.in))
		for k := range f.slots {
			s := &f.slots[k]
			s.factor = append(s.factor, pair(b.in, b.in, b.out, b.out))
			s.inv = append(s.inv, pair(b.in, b.in, b.out, b.out))
			s.norm = append(s.norm, [2]float64{})
		}
		if i == len(blocks)-1 {
			break
		}
		next := &blocks[i+1]
		f.cross = append(f.cross, pair(b.in, next.in, b.out, next.out))
		if lag {
			f.source = append(f.source, pair(b.in, next.in, b.out, next.out))
		}
		for k := range f.slots {
			s := &f.slots[k]
			s.cross = append(s.cross, pair(b.in, next.in, b.out, next.out))
			s.psi = append(s.psi, pair(b.in, next.in, b.out, next.out))
			s.prod = append(s.prod, pair(b.in, b.in, b.out, b.out))
			s.sum = append(s.sum, kron.NewSumInverse[T](b.out, b.in))
		}
	}
	if !lag {
		f.source = f.cross
	}
	return f
}

// at returns the slot of a role.
func (f *tridiagonalForm[T]) at(r role) *triSlot[T] { return &f.slots[f.blocks[0].slot[r]] }

// snapshot copies the statistics of neighbours.
func (f *tridiagonalForm[T]) snapshot() {
	for i, c := range f.cross {
		for side := range c {
			f.source[i][side].Copy(c[side])
		}
	}
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
			panic(fmt.Sprintf("kfac: Observe: layer %s has %d positions and %d examples: the block-tridiagonal form takes one position, or Reduce, and all layers of the same examples", l.Name, l.Positions, l.Examples))
		}
	}
}

func (f *tridiagonalForm[T]) load(i int, r role, damping float64) error {
	s, cross := f.at(r), f.cross
	if r == upcoming {
		cross = f.source
	}
	if i < len(cross) {
		for side, c := range cross[i] {
			s.cross[i][side].Copy(c)
		}
	}
	return loadDamped(f.blocks[i].statistics(r), &s.factor[i], damping)
}

func (f *tridiagonalForm[T]) work(i, threads int) int { return inverseWork(&f.blocks[i], threads) }

func (f *tridiagonalForm[T]) factorise(i, side int, r role, o *dense.Opts[T]) (err error) {
	s := f.at(r)
	kron.Damp(blas.Lower, 0, s.factor[i][side], s.inv[i][side])
	s.norm[i][side], err = invertFactor(s.inv[i][side], o)
	return err
}

// couple computes Ψ and Σ⁻¹ of all blocks but the last one from the inverses of the factors.
func (f *tridiagonalForm[T]) couple(r role, o *dense.Opts[T]) error {
	s := f.at(r)
	for i := range s.psi {
		for side, psi := range s.psi[i] {
			c := s.cross[i][side]
			dense.Gemm(blas.NoTrans, blas.NoTrans, 1, c, s.inv[i+1][side], 0, psi, o)
			dense.Gemm(blas.NoTrans, blas.Trans, 1, psi, c, 0, s.prod[i][side], o) // Ψ·F = C
		}
		err := s.sum[i].Factor(blas.Lower, -1, s.factor[i][outputs], s.factor[i][inputs], s.prod[i][outputs], s.prod[i][inputs], o)
		if err == nil && !(s.sum[i].Least() > 0) {
			err = &dense.NotPositiveDefiniteError{}
		}
		if err != nil {
			return fmt.Errorf("%s given %s: %w", f.blocks[i].name, f.blocks[i+1].name, err)
		}
	}
	return nil
}

// coupleWork returns the workspace of couple.
func (f *tridiagonalForm[T]) coupleWork(threads int) (n int) {
	s := &f.slots[0]
	for i := range s.psi {
		n = max(n, s.sum[i].FactorWork(threads))
		for _, psi := range s.psi[i] {
			n = max(n,
				dense.GemmWork[T](blas.NoTrans, blas.NoTrans, psi.Rows, psi.Cols, psi.Cols, threads),
				dense.GemmWork[T](blas.NoTrans, blas.Trans, psi.Rows, psi.Rows, psi.Cols, threads))
		}
	}
	return n
}

func (f *tridiagonalForm[T]) commit(i int, r role, _ float64, _ *dense.Opts[T]) float64 {
	b := &f.blocks[i]
	b.exchange(r) // the others follow before anything else is done
	norm := &f.slots[b.slot[inForce]].norm[i]
	return float64(norm[inputs] * norm[outputs])
}

func (f *tridiagonalForm[T]) damped() bool { return true }

func (f *tridiagonalForm[T]) apply(_ float64, grads, dst []solvers.Tensor[T], o *dense.Opts[T]) {
	h, last := f.at(inForce), len(f.blocks)-1
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
	h := &f.slots[0]
	for i := range f.blocks {
		b := &f.blocks[i]
		n = max(n, kron.ApplyWork(blas.NoTrans, blas.NoTrans, h.inv[i][outputs], h.inv[i][inputs], threads))
		if i == len(h.psi) {
			break
		}
		next := &f.blocks[i+1]
		n = max(n, h.sum[i].SolveWork(threads),
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
	s := f.at(inForce)
	for i := range f.blocks {
		for side := range 2 {
			name := sideNames[side] + " of "
			solvers.Floats(v, "damped "+name+f.blocks[i].name, s.factor[i][side].Data)
			if i == len(f.cross) {
				continue
			}
			name += "neighbours of " + f.blocks[i].name
			solvers.Floats(v, "average "+name, f.cross[i][side].Data)
			solvers.Floats(v, name, s.cross[i][side].Data)
			if &f.source[0] != &f.cross[0] {
				solvers.Floats(v, "snapshot of "+name, f.source[i][side].Data)
			}
		}
	}
	if !v.Restoring() {
		return
	}
	// An error means that there was no inverse yet, and nothing uses it then.
	for i := range f.blocks {
		for side := range 2 {
			if f.factorise(i, side, inForce, nil) != nil {
				return
			}
		}
	}
	_ = f.couple(inForce, nil)
}
