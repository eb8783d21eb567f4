package digest

import (
	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/invroot"
	"gonum.org/v1/gonum/blas"
)

// invroots lists the inverse roots.
func invroots[T dense.Float]() []op[T] {
	return []op[T]{
		{"invroot.Root", func(e *env[T]) {
			for i, n := range []int{1, 5, 33, 131} {
				g, a := e.mat(plain, n, n, 0), dense.NewMatrix[T](n, n)
				dense.Syrk(blas.Lower, blas.NoTrans, 1, g, 0, a, e.opts)
				for _, m := range []invroot.Method{invroot.Eigen, invroot.CoupledNewton, invroot.HigherOrder} {
					x := dense.NewMatrix[T](n, n)
					cert, err := invroot.Root(a, invroot.Exponent{Q: 1 + i%2, P: 2 + i%3}, x,
						&invroot.Options{Method: m, Ridge: 0.1, Kind: invroot.RelativeToTrace}, e.opts)
					e.putErr(err)
					e.putInt(int(cert.Method), cert.Iterations)
					e.put(T(cert.Residual), T(cert.Error), T(cert.Condition))
					e.putMat(x)
				}
			}
		}},
		{"invroot.State", func(e *env[T]) {
			for i, n := range []int{1, 5, 33, 131} {
				g, a := e.mat(plain, n, n, 0), dense.NewMatrix[T](n, n)
				dense.Syrk(blas.Lower, blas.NoTrans, 1, g, 0, a, e.opts)
				var s invroot.State[T]
				x := dense.NewMatrix[T](n, n)
				for step := range 3 { // decomposed, updated, and too far away
					cert, err := s.Root(a, invroot.Exponent{Q: 1 + i%2*2, P: 2 + i/2*2}, x,
						&invroot.Options{Ridge: 0.1, Kind: invroot.RelativeToTrace}, e.opts)
					e.putErr(err)
					e.putInt(int(cert.Method), cert.Iterations)
					e.put(T(cert.Residual), T(cert.Error), T(cert.Condition))
					e.putMat(x)
					row := e.mat(plain, 1, n, 1)
					dense.Syrk(blas.Lower, blas.Trans, []T{0.001, 100, 0}[step], row, 1, a, e.opts)
				}
			}
		}},
		{"invroot.LowRank", func(e *env[T]) {
			var r invroot.LowRank[T]
			for i, n := range []int{1, 5, 33, 131} {
				for _, k := range []int{0, 1, 7, 40} {
					b, g, x := e.mat(plain, n, k, 0), e.mat(plain, n, 9, 0), dense.NewMatrix[T](n, n)
					cert, err := r.Root(b, 0.01, invroot.Exponent{Q: 1 + i%2, P: 2 + i%3}, nil, e.opts)
					e.putErr(err)
					e.putInt(int(cert.Method), r.Columns())
					e.put(T(cert.Residual), T(cert.Error), T(cert.Condition))
					r.Dense(x, e.opts)
					e.putMat(x)
					r.Apply(blas.Left, g, g, e.opts)
					e.putMat(g)
				}
			}
		}},
		{"invroot.Binomial", func(e *env[T]) {
			for i, n := range []int{1, 5, 33, 131} {
				b, s := invroot.NewBinomial[T](n, 2+i%3, 0.5), dense.NewMatrix[T](n, n)
				for range 3 {
					g := e.mat(plain, n, n, 0)
					dense.Syrk(blas.Lower, blas.NoTrans, 1, g, 0, s, e.opts)
					beta, cert, err := b.Update(s, &invroot.BinomialOptions{Beta: 0.9, Terms: 1 + i}, e.opts)
					e.putErr(err)
					e.putInt(int(cert.Method))
					e.put(T(beta), T(cert.Residual), T(cert.Error), T(cert.Condition))
					e.putMat(b.Root())
					e.putMat(b.Statistic())
				}
			}
		}},
		{"invroot.NewtonSchulz", func(e *env[T]) {
			rootsBy(e, invroot.NewtonSchulz, []invroot.Exponent{{Q: 1, P: 1}, {Q: 1, P: 2}, {Q: 3, P: 4}, {Q: 1, P: 8}})
		}},
		{"invroot.Chebyshev", func(e *env[T]) {
			rootsBy(e, invroot.Chebyshev, []invroot.Exponent{{Q: 1, P: 2}, {Q: 3, P: 4}, {Q: 1, P: 6}})
		}},
	}
}

// rootsBy takes roots by one method, with a ridge and without.
func rootsBy[T dense.Float](e *env[T], m invroot.Method, exponents []invroot.Exponent) {
	for _, n := range []int{1, 5, 33, 131} {
		g, a := e.mat(plain, n, n, 0), dense.NewMatrix[T](n, n)
		dense.Syrk(blas.Lower, blas.NoTrans, 1, g, 0, a, e.opts)
		for _, exponent := range exponents {
			for _, ridge := range []float64{0, 0.1} {
				x := dense.NewMatrix[T](n, n)
				cert, err := invroot.Root(a, exponent, x, &invroot.Options{Method: m, Single: true, Tolerance: 1e30,
					Ridge: ridge, Kind: invroot.RelativeToTrace}, e.opts)
				e.putErr(err)
				e.putInt(int(cert.Method), cert.Iterations)
				e.put(T(cert.Residual), T(cert.Error), T(cert.Condition))
				if err == nil {
					e.putMat(x)
				}
			}
		}
	}
}
