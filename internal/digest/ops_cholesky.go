package digest

import (
	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/blas"
)

// choleskys lists Cholesky and what follows from it.
func choleskys[T dense.Float]() []op[T] {
	return []op[T]{
		{"dense.Cholesky", func(e *env[T]) {
			eachSPD(e, func(uplo blas.Uplo, a dense.Matrix[T]) {
				e.putErr(dense.Cholesky(uplo, a, e.opts))
				e.putMat(a)
			})
		}},
		{"dense.CholeskySolve", func(e *env[T]) {
			eachSPD(e, func(uplo blas.Uplo, a dense.Matrix[T]) {
				norm := dense.Norm1Symmetric(uplo, a, e.opts)
				if b := e.mat(plain, a.Rows, 4, 1); dense.Cholesky(uplo, a, e.opts) == nil {
					dense.CholeskySolve(uplo, a, b, e.opts)
					e.putMat(b)
					x := e.vec(plain, a.Rows)
					dense.CholeskySolveVec(uplo, a, x, e.opts)
					e.put(x...)
					e.put(T(dense.CholeskyLogDet(a)), norm, dense.CholeskyCondition(uplo, a, norm, e.opts))
				}
			})
		}},
		{"dense.CholeskyBatch", func(e *env[T]) {
			var a, b []dense.Matrix[T]
			for i, n := range []int{5, 5, 5, 40, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16} {
				m := e.mat(small, n, n, i%3)
				for j := range n {
					m.Set(j, j, T(1-i%7)+T(j)/16) // exact
				}
				a, b = append(a, m), append(b, e.mat(plain, n, 1+i%2, 1))
			}
			e.putErr(dense.CholeskyBatch(blas.Upper, a, b, nil, e.opts))
			for i := range a {
				e.putMat(a[i])
				e.putMat(b[i])
			}
		}},
		{"dense.CholeskyPivoted", func(e *env[T]) {
			eachSPD(e, func(uplo blas.Uplo, a dense.Matrix[T]) {
				pivots := make([]int, a.Rows)
				rank, err := dense.CholeskyPivoted(uplo, a, pivots, T(250*a.Rows), e.opts)
				e.putErr(err)
				e.putInt(rank)
				e.putInt(pivots...)
				e.putMat(a)
			})
		}},
		{"dense.CholeskyUpdate", func(e *env[T]) {
			eachSPD(e, func(uplo blas.Uplo, a dense.Matrix[T]) {
				if x, y := e.mat(plain, a.Rows, 2, 1), e.mat(small, a.Rows, 3, 0); dense.Cholesky(uplo, a, e.opts) == nil {
					dense.CholeskyUpdate(uplo, a, x, e.opts)
					e.putErr(dense.CholeskyDowndate(uplo, a, y, e.opts))
					e.putMat(a)
				}
			})
		}},
		{"dense.SPDInverse", func(e *env[T]) {
			eachSPD(e, func(uplo blas.Uplo, a dense.Matrix[T]) {
				e.putErr(dense.SPDInverse(uplo, a, e.opts))
				e.putMat(a)
			})
		}},
		{"dense.TriangularInverse", func(e *env[T]) {
			eachSPD(e, func(uplo blas.Uplo, a dense.Matrix[T]) {
				e.putErr(dense.TriangularInverse(uplo, blas.NonUnit, a, e.opts))
				e.putMat(a)
			})
		}},
	}
}

// eachSPD calls f with matrices of which most are definite.
func eachSPD[T dense.Float](e *env[T], f func(uplo blas.Uplo, a dense.Matrix[T])) {
	for i, n := range []int{0, 1, 5, 33, 64, 150, 333} {
		for _, uplo := range []blas.Uplo{blas.Lower, blas.Upper} {
			for _, c := range []class{plain, small, hard} {
				a := e.mat(c, n, n, i%3)
				for j := range n {
					a.Set(j, j, T(300)*T(n)-T(j)*10*T(i)) // exact
				}
				f(uplo, a)
			}
		}
	}
}
