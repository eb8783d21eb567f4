package cases

import (
	"fmt"

	"github.com/precond-go/precond/bench/limits"
	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/kron"
	"gonum.org/v1/gonum/blas"
)

// krons lists the operations of package kron, on layers of usual sizes.
func (b *lister) krons() {
	for _, s := range [][2]int{{32, 32}, {256, 512}, {1000, 785}} {
		m, n := s[0], s[1]
		label := fmt.Sprintf("m=%d/n=%d", m, n)
		spec := Spec{Kernel: "KronApply", M: m, N: n}
		b.add(spec, label, func(c *Case) {
			c.Cost = productCost(&spec, 2*float64(m*n)*float64(m+n), m*m+n*n+m*n, m*n, c.Size)
			c.Quick = m == 256
		})
		solve := Spec{Kernel: "KronSolve", M: m, N: n}
		b.add(solve, label, func(c *Case) {
			c.Cost = productCost(&solve, 2*float64(m*n)*float64(m+n), (m*m+n*n)/2, m*n, c.Size)
			c.Quick = m == 256
		})
	}
	for _, s := range [][2]int{{64, 32}, {1000, 256}, {1000, 784}} {
		n, d := s[0], s[1]
		spec := Spec{Kernel: "KronMoment", M: n, N: d}
		b.add(spec, fmt.Sprintf("n=%d/d=%d", n, d), func(c *Case) {
			c.Cost = productCost(&spec, float64(n)*float64(d+1)*float64(d+2), n*d, (d+1)*(d+2)/2, c.Size)
			c.Quick = d == 256
		})
	}
	for _, s := range [][3]int{{4, 4, 8}, {32, 28, 16}, {32, 14, 64}} { // images, edge, channels
		spec := Spec{Kernel: "ConvMoment", Count: s[0], M: s[1], K: s[2]}
		g := spec.geometry()
		d := g.Patch()
		spec.N = d
		b.add(spec, fmt.Sprintf("images=%d/edge=%d/channels=%d", s[0], s[1], s[2]), func(c *Case) {
			rows := s[0] * g.Places()
			c.Cost = productCost(&spec, float64(rows)*float64(d)*float64(d+1), s[0]*s[1]*s[1]*s[2], d*(d+1)/2, c.Size)
			c.Quick = s[2] == 16
		})
	}
	for _, s := range [][3]int{{16, 8, 24}, {256, 500, 1000}} { // examples, out, in
		n, out, in := s[0], s[1], s[2]
		spec := Spec{Kernel: "KhatriRaoGram", N: n, M: out, K: in}
		b.add(spec, fmt.Sprintf("n=%d/out=%d/in=%d", n, out, in), func(c *Case) {
			half := float64(n) * float64(n+1) / 2
			c.Cost = productCost(&spec, 2*half*float64(in+out), n*(in+out), n*(n+1)/2, c.Size)
			c.Quick = n == 256
		})
	}
	for _, s := range [][2]int{{4, 8}, {16, 64}} { // orders of A and of B
		m, n := s[0], s[1]
		spec := Spec{Kernel: "KronRearranged", M: m, N: n}
		b.add(spec, fmt.Sprintf("m=%d/n=%d", m, n), func(c *Case) {
			c.Cost = matrixCost(m*m*n*n, 1, c.Size, limits.Read)
			c.Quick = m == 16
		})
	}
}

// geometry returns that of a 3×3 convolution which keeps the size of the images.
func (s *Spec) geometry() kron.ConvGeometry {
	return kron.ConvGeometry{Height: s.M, Width: s.M, Channels: s.K, Out: s.K, KernelH: 3, KernelW: 3, StrideH: 1, StrideW: 1,
		PadH: 1, PadW: 1, DilationH: 1, DilationW: 1, Groups: 1}
}

// kronApply has A for the first factor, of M×M, B for the second, of N×N, X for the matrix and C
// for the result.
func (p *Problem[T]) kronApply(*gonumBLAS[T]) {
	p.A, p.B, p.C = matrix[T](p.M, p.M, 1), matrix[T](p.N, p.N, 2), matrix[T](p.M, p.N, 4)
	p.X = vector[T](p.M*p.N, 3, -1, 1)
	p.out = [][]T{p.C.Data}
	x := dense.MatrixOf(p.M, p.N, p.X)
	p.ours = func() { kron.Apply(noTr, noTr, 1, p.A, p.B, x, 0, p.C, p.opts) }
}

// kronSolve has Cholesky factors in A and B and solves from X to C.
func (p *Problem[T]) kronSolve(*gonumBLAS[T]) {
	p.kronApply(nil)
	for _, f := range []dense.Matrix[T]{p.A, p.B} {
		for i := range f.Rows {
			f.Set(i, i, T(f.Rows))
		}
		must(dense.Cholesky(blas.Lower, f, nil))
	}
	p.ours = func() {
		copy(p.C.Data, p.X)
		kron.CholeskySolve(blas.Lower, p.A, p.B, p.C, p.opts)
	}
}

// kronMoment takes the moving average in C of the second moment of A with a bias.
func (p *Problem[T]) kronMoment(*gonumBLAS[T]) {
	p.A, p.C = matrix[T](p.M, p.N, 1), matrix[T](p.N+1, p.N+1, 2)
	p.out = [][]T{p.C.Data}
	p.ours = func() { kron.Moment(T(0.05)/T(p.M), p.A, true, 0.95, p.C, p.opts) }
}

// convMoment is kronMoment of the patches of the images in A, without a bias.
func (p *Problem[T]) convMoment(*gonumBLAS[T]) {
	g := p.geometry()
	p.A, p.C = matrix[T](p.Count*p.M*p.M, p.K, 1), matrix[T](p.N, p.N, 2)
	p.out = [][]T{p.C.Data}
	p.ours = func() { kron.ConvMoment(T(0.05)/T(p.Count*g.Places()), g, 0, p.A, false, 0.95, p.C, p.opts) }
}

// khatriRaoGram writes the Gram matrix of the inputs A and the gradients B to C.
func (p *Problem[T]) khatriRaoGram(*gonumBLAS[T]) {
	p.A, p.B, p.C = matrix[T](p.N, p.K, 1), matrix[T](p.N, p.M, 2), matrix[T](p.N, p.N, 3)
	p.out = [][]T{p.C.Data}
	e := kron.PerExample[T]{Inputs: p.A, Grads: p.B}
	p.ours = func() { e.Gram(p.C, p.opts) }
}

// kronRearranged multiplies the rearranged A with B.
func (p *Problem[T]) kronRearranged(*gonumBLAS[T]) {
	p.A, p.B, p.C = matrix[T](p.M*p.N, p.M*p.N, 1), matrix[T](p.N, p.N, 2), matrix[T](p.M, p.M, 3)
	p.out = [][]T{p.C.Data}
	r := kron.Blocks[T]{Matrix: p.A, Rows: p.M, Cols: p.M}
	p.ours = func() { r.MulR(p.B, p.C, p.opts) }
}
