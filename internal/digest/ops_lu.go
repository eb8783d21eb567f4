package digest

import (
	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/blas"
)

// lus lists LU and LDL, and what follows from them.
func lus[T dense.Float]() []op[T] {
	return []op[T]{
		{"dense.LU", func(e *env[T]) {
			for i, s := range [][2]int{{0, 0}, {1, 1}, {5, 3}, {33, 33}, {64, 100}, {150, 64}, {200, 420}} {
				for _, c := range []class{plain, small, hard} {
					a, pivots := e.mat(c, s[0], s[1], i%3), make([]int, min(s[0], s[1]))
					e.putErr(dense.LU(a, pivots, e.opts))
					e.putMat(a)
					e.putInt(pivots...)
				}
			}
		}},
		{"dense.LUSolve", func(e *env[T]) {
			for i, n := range []int{1, 5, 33, 100, 200} {
				a, b, pivots := e.mat(plain, n, n, i%3), e.mat(plain, n, 3, 1), make([]int, n)
				norm := dense.Norm1(a, e.opts)
				e.putErr(dense.LU(a, pivots, e.opts))
				e.put(dense.LUCondition(a, pivots, norm, e.opts), T(dense.LUDet(a, pivots)))
				for _, trans := range []blas.Transpose{blas.NoTrans, blas.Trans} {
					dense.LUSolve(trans, a, pivots, b, e.opts)
					x := e.vec(plain, n)
					dense.LUSolveVec(trans, a, pivots, x, e.opts)
					e.put(x...)
				}
				e.putMat(b)
				e.putErr(dense.LUInverse(a, pivots, e.opts))
				e.putMat(a)
			}
		}},
		{"dense.LDL", func(e *env[T]) {
			for i, n := range []int{0, 1, 5, 48, 100, 250} {
				for _, c := range []class{plain, small, hard} {
					a, beside, pivots := e.mat(c, n, n, i%3), make([]T, n), make([]int, n)
					uplo := []blas.Uplo{blas.Lower, blas.Upper}[i%2]
					norm := dense.Norm1Symmetric(uplo, a, e.opts)
					e.putErr(dense.LDL(uplo, a, beside, pivots, e.opts))
					e.putMat(a)
					e.put(beside...)
					e.putInt(pivots...)
					e.put(norm, dense.LDLCondition(uplo, a, beside, pivots, norm, e.opts))
					b := e.mat(plain, n, 3, 1)
					dense.LDLSolve(uplo, a, beside, pivots, b, e.opts)
					e.putMat(b)
				}
			}
		}},
	}
}
