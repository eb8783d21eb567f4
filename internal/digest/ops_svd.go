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
		{"dense.Polar", func(e *env[T]) {
			for i, s := range [][2]int{{0, 0}, {1, 1}, {9, 9}, {70, 33}, {40, 40}, {210, 190}} {
				m, n := s[0], s[1]
				a, u, h := e.mat(plain, m, n, i), dense.NewMatrix[T](m, n), dense.NewMatrix[T](n, n)
				if i == 4 {
					copy(a.Row(3), a.Row(4)) // singular
				}
				cert, err := dense.Polar(a, u, h, e.opts)
				e.putErr(err)
				e.putMat(u)
				e.putMat(h)
				e.put(T(cert.Condition), T(cert.Defect))
				e.putInt(cert.Iterations, cert.QRSteps)
			}
		}},
		{"dense.Orthogonalize", func(e *env[T]) {
			for i, s := range [][2]int{{1, 1}, {9, 14}, {70, 33}, {160, 250}} {
				p := dense.PolarExpress(1e-3, 3+2*(i%2), 6)
				if i == 2 {
					p = dense.MuonPolynomials(1e-2, 5)
				}
				for _, c := range p.Coef {
					e.put(T(c[0]), T(c[1]), T(c[2]))
				}
				a, q := e.mat(plain, s[0], s[1], i), dense.NewMatrix[T](s[0], s[1])
				cert, err := dense.Orthogonalize(a, q, p, e.opts)
				e.putErr(err)
				e.putMat(q)
				e.put(T(cert.Scale), T(cert.Bound), T(cert.Defect))
			}
		}},
		{"dense.NormBounds", func(e *env[T]) {
			for i, s := range [][2]int{{1, 1}, {9, 14}, {70, 33}, {160, 250}} {
				a := e.mat(classes[i%len(classes)], s[0], s[1], i)
				for squarings := range 4 {
					spectral, err := dense.SpectralBounds(a, squarings, e.opts)
					nuclear, _ := dense.NuclearBounds(a, squarings, e.opts)
					e.putErr(err)
					e.put(spectral.Lower, spectral.Upper, nuclear.Lower, nuclear.Upper)
				}
			}
		}},
	}
}
