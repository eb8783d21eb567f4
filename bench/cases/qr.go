package cases

import (
	"fmt"
	"math"

	"github.com/precond-go/precond/bench/limits"
	"github.com/precond-go/precond/dense"
	lapack "gonum.org/v1/gonum/lapack/gonum"
)

// orthogonal lists the orthogonal factorisations. A call copies the matrix first, as
// it is overwritten; the others do the same.
func (b *lister) orthogonal() {
	for _, s := range [][2]int{{64, 64}, {128, 128}, {256, 256}, {512, 512}, {1024, 1024}, {4096, 64}, {8192, 128}} {
		m, n := s[0], s[1]
		label := fmt.Sprintf("n=%d", n)
		if m != n {
			label = fmt.Sprintf("m=%d/n=%d", m, n)
		}
		for _, kernel := range []string{"QR", "QRPivoted"} {
			spec := Spec{Kernel: kernel, M: m, N: n}
			b.add(spec, label, func(c *Case) {
				flops := 2 * float64(n) * float64(n) * (float64(m) - float64(n)/3)
				if kernel == "QR" { // and Q is formed
					flops *= 2
				}
				c.Cost = Cost{
					Unit: GFLOPs, Flops: flops, Bytes: float64(3 * m * n * c.Size),
					Footprint: 2 * m * n * c.Size, Stream: limits.Update,
				}
				c.Quick = oneOf(m, 128, 512, 8192)
				if m >= 128 {
					c.Bars = []Bar{{OpenBLAS, 0.95, 1.2}}
				}
			})
		}
	}
}

// copied makes what a factorisation overwrites, C, from A, and room for the magnitudes
// of the diagonal of R, in X, which are what it is judged by.
func (p *Problem[T]) copied() {
	p.A, p.C = fullRank[T](p.M, p.N, 1), dense.NewMatrix[T](p.M, p.N)
	p.X = make([]T, p.N)
	p.out = [][]T{p.X}
}

// Diagonal sets X to the magnitudes of the diagonal of r.
func (p *Problem[T]) Diagonal(r []T, stride int) {
	for i := range p.X {
		p.X[i] = T(math.Abs(float64(r[i*stride+i])))
	}
}

func (p *Problem[T]) qr(*gonumBLAS[T]) {
	p.copied()
	r := dense.NewMatrix[T](p.N, p.N)
	p.ours = func() {
		p.C.Copy(p.A)
		dense.QRThin(p.C, r, p.opts)
		p.Diagonal(r.Data, r.Stride)
	}
	if p64, ok := any(p).(*Problem[float64]); ok {
		c, tau := p64.C, make([]float64, p.N)
		work := make([]float64, 64*(p.M+p.N))
		p.gonum = func() {
			c.Copy(p64.A)
			lapack.Implementation{}.Dgeqrf(p.M, p.N, c.Data, c.Stride, tau, work, len(work))
			p64.Diagonal(c.Data, c.Stride)
			lapack.Implementation{}.Dorgqr(p.M, p.N, p.N, c.Data, c.Stride, tau, work, len(work))
		}
	}
}

func (p *Problem[T]) qrPivoted(*gonumBLAS[T]) {
	p.copied()
	tau, pivots := make([]T, p.N), make([]int, p.N)
	p.ours = func() {
		p.C.Copy(p.A)
		dense.QRPivoted(p.C, tau, pivots, p.opts)
		p.Diagonal(p.C.Data, p.C.Stride)
	}
	if p64, ok := any(p).(*Problem[float64]); ok {
		c, tau := p64.C, make([]float64, p.N)
		work := make([]float64, 64*(p.M+p.N))
		p.gonum = func() {
			c.Copy(p64.A)
			for j := range pivots {
				pivots[j] = -1 // free
			}
			lapack.Implementation{}.Dgeqp3(p.M, p.N, c.Data, c.Stride, pivots, tau, work, len(work))
			p64.Diagonal(c.Data, c.Stride)
		}
	}
}
