package digest

import "github.com/precond-go/precond/dense"

// svds lists the singular value decomposition and what rests on it.
func svds[T dense.Float]() []op[T] {
	return []op[T]{
		{"dense.SVD", func(e *env[T]) {
			for _, s := range [][2]int{{0, 3}, {1, 1}, {5, 4}, {13, 13}, {25, 40}, {70, 33}, {130, 130}, {33, 200}, {320, 290}} {
				m, n := s[0], s[1]
				k := min(m, n)
				a, u, vt := e.mat(plain, m, n, 3), dense.NewMatrix[T](m, k), dense.NewMatrix[T](k, n)
				values := make([]T, k)
				e.putErr(dense.SVD(a, u, values, vt, e.opts))
				e.putMat(u)
				e.putMat(vt)
				e.put(values...)
			}
		}},
		{"dense.SingularValues", func(e *env[T]) {
			for i, s := range [][2]int{{12, 12}, {90, 100}, {300, 40}, {7, 5}} {
				values := make([]T, min(s[0], s[1]))
				e.putErr(dense.SingularValues(e.mat(classes[i%len(classes)], s[0], s[1], 0), values, e.opts))
				e.put(values...)
			}
		}},
	}
}
