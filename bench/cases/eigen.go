package cases

import (
	"fmt"

	"github.com/precond-go/precond/bench/limits"
	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/lapack"
	lapackgonum "gonum.org/v1/gonum/lapack/gonum"
)

// eigen lists the symmetric eigenproblems. Rates count 14n³/3 flops with vectors, 4n³/3
// without, whatever is done.
func (b *lister) eigen() {
	for _, n := range []int{32, 64, 128, 256, 512, 1024} {
		for _, kernel := range []string{"EigenSym", "EigenSymValues"} {
			b.add(Spec{Kernel: kernel, Uplo: blas.Lower, N: n}, fmt.Sprintf("n=%d", n), func(c *Case) {
				flops := 14. / 3
				if kernel == "EigenSymValues" {
					flops = 4. / 3
				}
				c.Cost = Cost{
					Unit: GFLOPs, Flops: flops * float64(n) * float64(n) * float64(n),
					Bytes: float64(2 * n * n * c.Size), Footprint: 2 * n * n * c.Size, Stream: limits.Read,
				}
				if kernel == "EigenSym" {
					c.Bars = []Bar{{OpenBLAS, 1, 1.5}}
					c.Quick = n == 64 || n == 256
					if n == gonumEigen && c.Size == 8 {
						c.Bars = append(c.Bars, Bar{Gonum, 40, 80})
					}
				}
			})
		}
	}
}

// gonumEigen is the largest order that gonum decomposes here: it takes seconds.
const gonumEigen = 512

func (p *Problem[T]) eigenSym(*gonumBLAS[T]) {
	p.C = matrix[T](p.N, p.N, 2)
	p.eigen(lapack.EVCompute, func(o *dense.Opts[T]) error { return dense.EigenSym(p.Uplo, p.A, p.X, p.C, o) })
}

func (p *Problem[T]) eigenSymValues(*gonumBLAS[T]) {
	p.eigen(lapack.EVNone, func(o *dense.Opts[T]) error { return dense.EigenSymValues(p.Uplo, p.A, p.X, o) })
}

// eigen makes a symmetric matrix. What is compared are its eigenvalues, since the signs of
// eigenvectors are arbitrary. B is for those that work in place.
func (p *Problem[T]) eigen(job lapack.EVJob, ours func(o *dense.Opts[T]) error) {
	p.A, p.B, p.X = fullRank[T](p.N, p.N, 1), matrix[T](p.N, p.N, 3), make([]T, p.N)
	p.out = [][]T{p.X}
	p.ours = func() {
		if err := ours(p.opts); err != nil {
			panic(err)
		}
	}
	if p64, ok := any(p).(*Problem[float64]); ok && p.N <= gonumEigen {
		work := make([]float64, 40*p.N)
		p.gonum = func() {
			p64.B.Copy(p64.A)
			lapackgonum.Implementation{}.Dsyev(job, p.Uplo, p.N, p64.B.Data, p.N, p64.X, work, len(work))
		}
	}
}
