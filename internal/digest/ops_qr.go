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

// lanczos lists the methods for operators, here a matrix.
func lanczos[T dense.Float]() []op[T] {
	run := func(e *env[T], f func(apply func(x, y []T), n int, l dense.LanczosOpts)) {
		for i, n := range []int{1, 9, 140} {
			a := e.mat(plain, n, n, 2)
			apply := func(x, y []T) { dense.Symv(blas.Lower, 1, a, x, 0, y, e.opts) }
			f(apply, n, dense.LanczosOpts{Steps: 30, Seed: 4, Selective: i%2 == 0})
		}
	}
	return []op[T]{
		{"dense.LanczosEigen", func(e *env[T]) {
			run(e, func(apply func(x, y []T), n int, l dense.LanczosOpts) {
				k := min(n, 3)
				values, residuals, vectors := make([]T, k), make([]T, k), dense.NewMatrix[T](n, k)
				steps, err := dense.LanczosEigen(apply, n, dense.Smallest, values, vectors, residuals, l, e.opts)
				e.putInt(steps)
				if err != nil {
					e.putInt(1)
				}
				e.put(values...)
				e.put(residuals...)
				e.putMat(vectors)
			})
		}},
		{"dense.LanczosDensity", func(e *env[T]) {
			run(e, func(apply func(x, y []T), n int, l dense.LanczosOpts) {
				nodes, weights := make([]T, 60), make([]T, 60)
				used, _ := dense.LanczosDensity(apply, n, 2, nodes, weights, l, e.opts)
				e.putInt(used)
				e.put(nodes...)
				e.put(weights...)
				lower, upper, _ := dense.LanczosNorm(apply, n, l, e.opts)
				e.put(lower, upper)
			})
		}},
	}
}
