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
	half    []int                   // which of a block's halves is in force
	inv     [][2][2]dense.Matrix[T] // of a block, by half and side
	norm    [][2]float64            // condition of a block's damped factors in the spare half
	temp    []dense.Matrix[T]       // V·A⁻¹
	a, b, c []dense.Matrix[T]       // operands of batches
}

func newCholeskyForm[T dense.Float](blocks []block[T]) *choleskyForm[T] {
	n := len(blocks)
	f := &choleskyForm[T]{
		blocks: blocks, half: make([]int, n), inv: make([][2][2]dense.Matrix[T], n), norm: make([][2]float64, n),
		temp: make([]dense.Matrix[T], n), a: make([]dense.Matrix[T], n), b: make([]dense.Matrix[T], n), c: make([]dense.Matrix[T], n),
	}
	for i := range blocks {
		b := &blocks[i]
		for half := range 2 {
			for side := range 2 {
				f.inv[i][half][side] = dense.NewMatrix[T](b.dim(side), b.dim(side))
			}
		}
		f.temp[i] = dense.NewMatrix[T](b.out, b.in)
	}
	return f
}

func (f *choleskyForm[T]) load(i int, damping float64) error {
	b := &f.blocks[i]
	alpha, beta, err := kron.Tikhonov(damping, b.factor[inputs], b.factor[outputs])
	if err != nil {
		return err
	}
	spare := &f.inv[i][1-f.half[i]]
	kron.Damp(blas.Lower, alpha, b.factor[inputs], spare[inputs])
	kron.Damp(blas.Lower, beta, b.factor[outputs], spare[outputs])
	return nil
}

func (f *choleskyForm[T]) work(i, threads int) int { return inverseWork(&f.blocks[i], threads) }

func (f *choleskyForm[T]) factorise(i, side int, o *dense.Opts[T]) (err error) {
	f.norm[i][side], err = invertFactor(f.inv[i][1-f.half[i]][side], o)
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

func (f *choleskyForm[T]) commit(i int, _ float64, _ *dense.Opts[T]) float64 {
	f.half[i] = 1 - f.half[i]
	return float64(f.norm[i][inputs] * f.norm[i][outputs])
}

func (f *choleskyForm[T]) damped() bool { return true }

func (f *choleskyForm[T]) flip() {
	for i := range f.half {
		f.half[i] = 1 - f.half[i]
	}
}

func (f *choleskyForm[T]) apply(_ float64, grads, dst []solvers.Tensor[T], o *dense.Opts[T]) {
	for i := range f.blocks {
		f.a[i] = f.blocks[i].rows(&grads[f.blocks[i].param])
		f.b[i] = f.inv[i][f.half[i]][inputs]
	}
	dense.GemmBatch(blas.NoTrans, blas.NoTrans, 1, f.a, f.b, 0, f.temp, o)
	for i := range f.blocks {
		f.a[i] = f.inv[i][f.half[i]][outputs]
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
			solvers.Floats(v, sideNames[side]+" inverse of "+f.blocks[i].name, f.inv[i][f.half[i]][side].Data)
		}
	}
}
