package digest

import (
	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/blas"
)

// secular lists the kernels that the eigenvalue algorithms need.
func secular[T dense.Float]() []op[T] {
	k := asm.For[T]()
	return []op[T]{
		{"asm.GemvNT", func(e *env[T]) {
			for _, c := range classes {
				for _, n := range lengths[T]() {
					const m = 7
					a, x, y, d := e.mat(c, m, n, 3), e.vec(c, n), e.vec(c, n), make([]T, m)
					k.GemvNT(m, n, e.vec(c, m), a.Data, a.Stride, x, y, d)
					e.put(y...)
					e.put(d...)
				}
			}
		}},
		{"asm.Secular", func(e *env[T]) {
			eachVector[T](func(c class, n int) {
				s := e.vec(plain, 2)
				f, df := k.Secular(e.vec(c, n), e.vec(c, n), s[0], s[1])
				e.put(f, df)
			})
		}},
		{"asm.Loewner", func(e *env[T]) {
			eachVector[T](func(c class, n int) {
				s, w := e.vec(plain, 3), e.vec(c, n)
				k.Loewner(e.vec(c, n), s[0], s[1], s[2], w)
				e.put(w...)
			})
		}},
		{"asm.Cauchy", func(e *env[T]) {
			eachVector[T](func(c class, n int) {
				s, dst := e.vec(plain, 2), make([]T, n)
				k.Cauchy(e.vec(c, n), e.vec(c, n), s[0], s[1], dst)
				e.put(dst...)
			})
		}},
	}
}

// eigenOrders are around the leaves of divide and conquer and the panels of the
// reduction; the last one is worth several threads.
var eigenOrders = []int{0, 1, 2, 5, 16, 17, 33, 66, 131, 421}

// eachEigen calls f for matrices of all orders, triangles and classes of finite
// values in turn.
func eachEigen[T dense.Float](e *env[T], f func(uplo blas.Uplo, a dense.Matrix[T])) {
	for i, n := range eigenOrders {
		c := []class{plain, small, wide}[i%3]
		if n > 200 {
			c = plain
		}
		f(uplos[i%2], e.mat(c, n, n, 3))
	}
}

func eigen[T dense.Float]() []op[T] {
	finish := func(e *env[T], err error, values []T, vectors dense.Matrix[T]) {
		if err != nil {
			panic(err)
		}
		e.put(values...)
		e.putMat(vectors)
	}
	// another is a matrix a few per cent from a, of which v has the eigenvectors.
	each := func(e *env[T], f func(uplo blas.Uplo, another, v dense.Matrix[T])) {
		for i, n := range []int{0, 1, 5, 33, 131} {
			uplo, a, change := uplos[i%2], e.mat(plain, n, n, 3), e.mat(small, n, n, 3)
			v := dense.NewMatrix[T](n, n)
			if err := dense.EigenSym(uplo, a, make([]T, n), v, e.opts); err != nil {
				panic(err)
			}
			dense.Accumulate(T(1), change, T(1), a, e.opts)
			f(uplo, a, v)
		}
	}
	return []op[T]{
		{"dense.RayleighQuotients", func(e *env[T]) {
			each(e, func(uplo blas.Uplo, a, v dense.Matrix[T]) {
				values := make([]T, a.Rows)
				off, err := dense.RayleighQuotients(uplo, a, v, values, e.opts)
				e.put(off)
				finish(e, err, values, dense.Matrix[T]{})
			})
		}},
		{"dense.EigenSymRefresh", func(e *env[T]) {
			each(e, func(uplo blas.Uplo, a, v dense.Matrix[T]) {
				values := make([]T, a.Rows)
				off, err := dense.EigenSymRefresh(uplo, a, values, v, e.opts)
				e.put(off)
				finish(e, err, values, v)
			})
		}},
		{"dense.EigenSymRefine", func(e *env[T]) {
			each(e, func(uplo blas.Uplo, a, v dense.Matrix[T]) {
				values := make([]T, a.Rows)
				finish(e, dense.EigenSymRefine(uplo, a, values, v, e.opts), values, v)
			})
		}},
		{"dense.EigenSym", func(e *env[T]) {
			eachEigen(e, func(uplo blas.Uplo, a dense.Matrix[T]) {
				values, vectors := make([]T, a.Rows), dense.NewMatrix[T](a.Rows, a.Rows)
				finish(e, dense.EigenSym(uplo, a, values, vectors, e.opts), values, vectors)
			})
		}},
		{"dense.EigenSymRange", func(e *env[T]) {
			eachEigen(e, func(uplo blas.Uplo, a dense.Matrix[T]) {
				lo, hi := a.Rows/3, a.Rows*2/3
				values, vectors := make([]T, hi-lo), dense.NewMatrix[T](a.Rows, hi-lo)
				finish(e, dense.EigenSymRange(uplo, a, lo, hi, values, vectors, e.opts), values, vectors)
			})
		}},
		{"dense.EigenSymValues", func(e *env[T]) {
			eachEigen(e, func(uplo blas.Uplo, a dense.Matrix[T]) {
				values := make([]T, a.Rows)
				finish(e, dense.EigenSymValues(uplo, a, values, e.opts), values, dense.Matrix[T]{})
			})
		}},
	}
}
