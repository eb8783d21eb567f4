package digest

import (
	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/kron"
	"gonum.org/v1/gonum/blas"
)

// definite returns a positive definite matrix of order n.
func (e *env[T]) definite(n int) dense.Matrix[T] {
	a := e.mat(small, n, n, 1)
	for i := range n {
		a.Set(i, i, T(1+i%5)) // exact
	}
	dense.Mirror(blas.Lower, a)
	return a
}

// kronOps lists the operations of package kron. Each has small cases and one that is large
// enough for several threads.
func kronOps[T dense.Float]() []op[T] {
	geometry := kron.ConvGeometry{Height: 9, Width: 11, Channels: 6, Out: 4, KernelH: 3, KernelW: 2, StrideH: 1, StrideW: 2,
		PadH: 1, PadW: 2, DilationH: 2, DilationW: 1, Groups: 2}
	images := 60 * geometry.Height * geometry.Width
	samples := func(e *env[T], c class, n, places, in, out int) *kron.PerExample[T] {
		return &kron.PerExample[T]{Inputs: e.mat(c, n*places, in, 2), Grads: e.mat(c, n*places, out, 1), Bias: true, Places: places}
	}
	return []op[T]{
		{"kron.Apply", func(e *env[T]) {
			for _, c := range classes {
				for _, s := range [][4]int{{3, 4, 6, 5}, {20, 9, 7, 30}} {
					y := e.mat(c, s[0], s[3], 2)
					kron.Apply(blas.NoTrans, blas.Trans, -0.5, e.mat(c, s[0], s[1], 1), e.mat(c, s[2], s[3], 0), e.mat(c, s[1], s[2], 3), 1.25, y, e.opts)
					e.putMat(y)
				}
			}
			y := e.mat(plain, 150, 130, 2)
			kron.Apply(blas.Trans, blas.NoTrans, 1, e.mat(plain, 110, 150, 1), e.mat(plain, 130, 90, 0), e.mat(plain, 110, 90, 3), 0, y, e.opts)
			e.putMat(y)
		}},
		{"kron.CholeskySolve", func(e *env[T]) {
			for _, s := range [][2]int{{1, 1}, {7, 12}, {70, 130}} {
				a, b, x := e.definite(s[0]), e.definite(s[1]), e.mat(plain, s[0], s[1], 1)
				e.putErr(dense.Cholesky(blas.Lower, a, e.opts))
				e.putErr(dense.Cholesky(blas.Lower, b, e.opts))
				kron.CholeskySolve(blas.Lower, a, b, x, e.opts)
				e.putMat(x)
				e.put(T(kron.CholeskyLogDet([]dense.Matrix[T]{a, b})))
			}
		}},
		{"kron.ApplyTensor", func(e *env[T]) {
			for _, c := range []class{plain, hard} {
				x, y := e.vec(c, 24*17*30), make([]T, 24*17*30)
				f := []dense.Matrix[T]{e.mat(c, 24, 24, 1), {}, e.mat(c, 30, 30, 0)}
				kron.ApplyTensor(blas.Trans, f, []int{24, 17, 30}, x, y, e.opts)
				e.put(y...)
				kron.ModeProduct(blas.NoTrans, e.mat(c, 17, 17, 2), 1, []int{24, 17, 30}, x, y, e.opts)
				e.put(y...)
			}
		}},
		{"kron.Eigen", func(e *env[T]) {
			f := []dense.Matrix[T]{e.definite(30), e.definite(6), e.definite(11)}
			v := kron.NewEigen[T](30, 6, 11)
			e.putErr(v.Decompose(blas.Lower, f, e.opts))
			d, x := make([]T, v.Len()), e.vec(plain, v.Len())
			for _, p := range []float64{-1, -0.5, 0.5, -0.25} {
				e.putErr(v.Power(p, 0.125, d))
				e.put(d...)
				v.Scale(d, x, x, e.opts)
				e.put(x...)
			}
			log, err := v.LogDet(0.5)
			e.putErr(err)
			e.put(T(log), T(kron.Trace(f)), T(kron.Inner(f, f)), T(kron.Det(f, e.opts)))
			alpha, beta, err := kron.Tikhonov(0.3, f[0], f[1])
			e.putErr(err)
			e.put(T(alpha), T(beta))
		}},
		{"kron.SumInverse", func(e *env[T]) {
			const m, n = 40, 70
			s, x := kron.NewSumInverse[T](m, n), e.mat(plain, m, n, 1)
			e.putErr(s.Factor(blas.Lower, -1, e.definite(m), e.definite(n), e.mat(small, m, m, 1), e.mat(small, n, n, 0), e.opts))
			s.Solve(x, x, e.opts)
			e.put(s.Least())
			e.putMat(x)
		}},
		{"kron.Moment", func(e *env[T]) {
			for _, c := range classes {
				x, y := e.mat(c, 300, 40, 1), e.mat(c, 300, 31, 0)
				m, cross := e.mat(c, 41, 41, 2), e.mat(c, 41, 32, 0)
				kron.Moment(0.0625, x, true, 0.9375, m, e.opts)
				kron.CrossMoment(0.0625, x, true, y, true, 0.9375, cross, e.opts)
				e.putMat(m)
				e.putMat(cross)
				r := e.mat(c, 15, 40, 0)
				kron.Reduce(0.05, 20, x, r, e.opts)
				e.putMat(r)
			}
		}},
		{"kron.Conv", func(e *env[T]) {
			for _, c := range []class{plain, hard} {
				x := e.mat(c, images, 6, 1)
				d := geometry.Patch()
				m, p, r := e.mat(c, d+1, d+1, 0), e.mat(c, 2000, d, 1), e.mat(c, 60, d, 1)
				kron.ConvMoment(0.5, geometry, 1, x, true, 0.5, m, e.opts)
				kron.ConvReduce(0.25, geometry, 0, x, r)
				kron.AddPatches(geometry, 1, p, 77, x, e.opts)
				kron.Patches(geometry, 0, x, 5, p, e.opts)
				for _, a := range []dense.Matrix[T]{m, p, r, x} {
					e.putMat(a)
				}
			}
		}},
		{"kron.PerExample", func(e *env[T]) {
			for _, places := range []int{1, 3, 40} {
				for _, c := range []class{plain, hard} {
					p := samples(e, c, 90, places, 20, 12)
					k, w, y := e.mat(c, 90, 90, 1), e.mat(c, 12, 21, 1), make([]T, 90)
					p.Gram(k, e.opts)
					e.putMat(k)
					p.Mul(w, y, e.opts)
					e.put(y...)
					p.MulTrans(0.5, y, 0.75, w, e.opts)
					e.putMat(w)
				}
			}
		}},
		{"kron.Nearest", func(e *env[T]) {
			for _, r := range []kron.Rearranged[T]{
				&kron.Blocks[T]{Matrix: e.mat(plain, 9*20, 9*23, 1), Rows: 9, Cols: 9},
				samples(e, plain, 300, 1, 22, 9), samples(e, plain, 50, 6, 22, 9),
			} {
				p, m, q, n := r.Shapes()
				for _, method := range []kron.NearestMethod{kron.Power, kron.Lanczos} {
					var a, b []dense.Matrix[T]
					for range 2 {
						a, b = append(a, dense.NewMatrix[T](p, m)), append(b, dense.NewMatrix[T](q, n))
					}
					cert, err := kron.Nearest(r, a, b, kron.NearestOpts{Method: method, Steps: 12, Tolerance: 1e-2, Seed: 5}, e.opts)
					e.putErr(err)
					e.putInt(cert.Steps)
					for i := range a {
						e.putMat(a[i])
						e.putMat(b[i])
					}
				}
			}
		}},
	}
}
