package kfac

import (
	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/kron"
	"github.com/precond-go/precond/solvers"
	"gonum.org/v1/gonum/blas"
)

// choleskyForm holds the inverses of the damped factors.
type choleskyForm[T dense.Float] struct {
	blocks  []block[T]
	inv     [][][2]dense.Matrix[T] // by block, slot and side
	norm    [][][2]float64         // condition numbers of the damped factors, alike
	temp    []dense.Matrix[T]      // V·A⁻¹
	a, b, c []dense.Matrix[T]      // operands of batches
}

func newCholeskyForm[T dense.Float](blocks []block[T], slots int) *choleskyForm[T] {
	n := len(blocks)
	f := &choleskyForm[T]{
		blocks: blocks, inv: make([][][2]dense.Matrix[T], n), norm: make([][][2]float64, n),
		temp: make([]dense.Matrix[T], n), a: make([]dense.Matrix[T], n), b: make([]dense.Matrix[T], n), c: make([]dense.Matrix[T], n),
	}
	for i := range blocks {
		b := &blocks[i]
		f.inv[i], f.norm[i] = make([][2]dense.Matrix[T], slots), make([][2]float64, slots)
		for slot := range slots {
			for side := range 2 {
				f.inv[i][slot][side] = dense.NewMatrix[T](b.dim(side), b.dim(side))
			}
		}
		f.temp[i] = dense.NewMatrix[T](b.out, b.in)
	}
	return f
}

func (f *choleskyForm[T]) load(i int, r role, damping float64) error {
	b := &f.blocks[i]
	return loadDamped(b.statistics(r), &f.inv[i][b.slot[r]], damping)
}

// loadDamped sets dst to the factors with their parts of the damping, lower triangles.
func loadDamped[T dense.Float](factor, dst *[2]dense.Matrix[T], damping float64) error {
	alpha, beta, err := kron.Tikhonov(damping, factor[inputs], factor[outputs])
	if err != nil {
		return err
	}
	kron.Damp(blas.Lower, alpha, factor[inputs], dst[inputs])
	kron.Damp(blas.Lower, beta, factor[outputs], dst[outputs])
	return nil
}

func (f *choleskyForm[T]) work(i, threads int) int { return inverseWork(&f.blocks[i], threads) }

func (f *choleskyForm[T]) factorise(i, side int, r role, o *dense.Opts[T]) (err error) {
	slot := f.blocks[i].slot[r]
	f.norm[i][slot][side], err = invertFactor(f.inv[i][slot][side], o)
	return err
}

// inverseWork returns the workspace of invertFactor.
func inverseWork[T dense.Float](b *block[T], threads int) int {
	n := 0
	for side := range 2 {
		n = max(n, dense.SPDInverseWork[T](b.dim(side), threads), dense.Norm1SymmetricWork[T](b.dim(side)))
	}
	return n
}

// invertFactor replaces the matrix in the lower triangle of m by its inverse, in both triangles,
// and returns the condition number in the 1-norm.
func invertFactor[T dense.Float](m dense.Matrix[T], o *dense.Opts[T]) (float64, error) {
	norm := float64(dense.Norm1Symmetric(blas.Lower, m, o))
	if err := dense.SPDInverse(blas.Lower, m, o); err != nil {
		return 0, err
	}
	norm = float64(norm * float64(dense.Norm1Symmetric(blas.Lower, m, o)))
	dense.Mirror(blas.Lower, m)
	return norm, nil
}

func (f *choleskyForm[T]) commit(i int, r role, _ float64, _ *dense.Opts[T]) float64 {
	b := &f.blocks[i]
	b.exchange(r)
	norm := &f.norm[i][b.slot[inForce]]
	return float64(norm[inputs] * norm[outputs])
}

func (f *choleskyForm[T]) damped() bool { return true }

func (f *choleskyForm[T]) apply(_ float64, grads, dst []solvers.Tensor[T], o *dense.Opts[T]) {
	for i := range f.blocks {
		f.a[i] = f.blocks[i].rows(&grads[f.blocks[i].param])
		f.b[i] = f.inv[i][f.blocks[i].slot[inForce]][inputs]
	}
	dense.GemmBatch(blas.NoTrans, blas.NoTrans, 1, f.a, f.b, 0, f.temp, o)
	for i := range f.blocks {
		f.a[i] = f.inv[i][f.blocks[i].slot[inForce]][outputs]
		f.c[i] = f.blocks[i].rows(&dst[f.blocks[i].param])
	}
	dense.GemmBatch(blas.NoTrans, blas.NoTrans, 1, f.a, f.temp, 0, f.c, o)
}

func (f *choleskyForm[T]) stepWork(_ []solvers.Layer[T], threads int) int {
	for i := range f.blocks {
		f.a[i], f.b[i], f.c[i] = f.temp[i], f.inv[i][0][inputs], f.inv[i][0][outputs]
	}
	return max(dense.GemmBatchWork(blas.NoTrans, blas.NoTrans, f.a, f.b, threads),
		dense.GemmBatchWork(blas.NoTrans, blas.NoTrans, f.c, f.temp, threads))
}

func (f *choleskyForm[T]) state(v *solvers.State) {
	for i := range f.blocks {
		for side := range 2 {
			solvers.Floats(v, sideNames[side]+" inverse of "+f.blocks[i].name, f.inv[i][f.blocks[i].slot[inForce]][side].Data)
		}
	}
}
