package nn

import (
	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/blas"
)

// This file holds the three products of a layer, of which all passes are made: with its
// input x, its weight W (without the bias) and pre-activations z, all linear in each.
// Biases belong to the sweeps between the products.

// pointwise returns whether the stage is one matrix product over all rows.
func (st *stage) pointwise() bool {
	g := st.conv
	return st.kind == full || g != nil && g.KernelH*g.KernelW*g.StrideH*g.StrideW*g.Groups == 1 && g.PadH+g.PadW == 0
}

// fullWork returns the workspace of the products of a pointwise stage on a number of rows.
func fullWork[T dense.Float](st *stage, rows, threads int) int {
	return max(
		dense.GemmWork[T](blas.NoTrans, blas.Trans, rows, st.width, st.fanIn, threads),
		dense.GemmWork[T](blas.Trans, blas.NoTrans, st.width, st.fanIn, rows, threads),
		dense.GemmWork[T](blas.NoTrans, blas.NoTrans, rows, st.fanIn, st.width, threads),
	)
}

// product computes z = W·x + beta·z.
func (s *state[T]) product(st *stage, w dense.Matrix[T], x []T, beta T, z []T) {
	if !st.pointwise() {
		s.plane.convolve(convProduct, st, s.n, w, x, z, beta)
		return
	}
	rows := s.n * st.positions
	dense.Gemm(blas.NoTrans, blas.Trans, 1, dense.MatrixOf(rows, st.fanIn, x), w, beta, dense.MatrixOf(rows, st.width, z), &s.opts)
}

// adjoint computes x = Wᵀ·z + beta·x.
func (s *state[T]) adjoint(st *stage, w dense.Matrix[T], z []T, beta T, x []T) {
	if !st.pointwise() {
		s.plane.convolve(convAdjoint, st, s.n, w, x, z, beta)
		return
	}
	rows := s.n * st.positions
	dense.Gemm(blas.NoTrans, blas.NoTrans, 1, dense.MatrixOf(rows, st.width, z), w, beta, dense.MatrixOf(rows, st.fanIn, x), &s.opts)
}

// gradient computes w = alpha·z·xᵀ + beta·w, summed over examples and positions.
func (s *state[T]) gradient(st *stage, alpha T, z, x []T, beta T, w dense.Matrix[T]) {
	if !st.pointwise() {
		s.plane.gradient(st, s.n, alpha, z, x, beta, w, &s.opts)
		return
	}
	rows := s.n * st.positions
	dense.Gemm(blas.Trans, blas.NoTrans, alpha, dense.MatrixOf(rows, st.width, z), dense.MatrixOf(rows, st.fanIn, x), beta, w, &s.opts)
}
