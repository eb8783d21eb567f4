package digest

import (
	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/blas"
)

// orthogonal lists the operations with Householder reflectors.
func orthogonal[T dense.Float]() []op[T] {
	shapes := [][2]int{{0, 3}, {1, 1}, {5, 3}, {9, 14}, {40, 33}, {131, 65}, {70, 200}, {290, 270}}
	each := func(f func(c class, m, n int)) {
		for i, s := range shapes {
			c := plain
			if i%3 == 1 {
				c = small
			}
			f(c, s[0], s[1])
		}
	}
	return []op[T]{
		{"dense.QR", func(e *env[T]) {
			each(func(c class, m, n int) {
				a, tau := e.mat(c, m, n, 3), make([]T, min(m, n))
				dense.QR(a, tau, e.opts)
				e.putMat(a)
				e.put(tau...)
				q := e.mat(plain, m, (m+len(tau))/2, 1)
				dense.QRForm(a, tau, q, e.opts)
				e.putMat(q)
				for i := range 4 {
					side, trans := sides[i&1], flips[i>>1]
					b := e.mat(plain, m, 21, 2)
					if side == blas.Right {
						b = e.mat(plain, 130, m, 2)
					}
					dense.QRApply(side, trans, a, tau, b, e.opts)
					e.putMat(b)
				}
			})
		}},
		{"dense.QRThin", func(e *env[T]) {
			for _, s := range [][2]int{{3, 0}, {1, 1}, {40, 33}, {131, 65}, {300, 270}, {66000, 16}} {
				q, r := e.mat(plain, s[0], s[1], 3), e.mat(plain, s[1], s[1], 1)
				dense.QRThin(q, r, e.opts)
				e.putMat(q)
				e.putMat(r)
			}
		}},
		pivoted("QRPivoted", dense.QRPivoted[T]),
		pivoted("QRRandomized", func(a dense.Matrix[T], tau []T, pivots []int, o *dense.Opts[T]) {
			dense.QRRandomized(a, tau, pivots, 11, o)
		}),
	}
}

func pivoted[T dense.Float](name string, f func(a dense.Matrix[T], tau []T, pivots []int, o *dense.Opts[T])) op[T] {
	return op[T]{"dense." + name, func(e *env[T]) {
		for _, s := range [][2]int{{0, 3}, {1, 1}, {5, 3}, {9, 14}, {40, 33}, {131, 145}, {150, 90}} {
			a, tau, pivots := e.mat(plain, s[0], s[1], 3), make([]T, min(s[0], s[1])), make([]int, s[1])
			f(a, tau, pivots, e.opts)
			e.putMat(a)
			e.put(tau...)
			e.putInt(pivots...)
		}
	}}
}
