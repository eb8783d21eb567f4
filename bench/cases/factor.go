package cases

import (
	"fmt"

	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/lapack/gonum"
)

// factors lists the other factorisations, and what changes one. Calls work on copies
// of their operands, for everybody.
func (b *lister) factors() {
	for _, n := range []int{64, 128, 256, 512, 1024} {
		cube := float64(n) * float64(n) * float64(n)
		factor := func(kernel string, k int, flops float64) {
			s := Spec{Kernel: kernel, Uplo: blas.Lower, N: n, K: k}
			label := fmt.Sprintf("n=%d", n)
			if k > 0 {
				label += fmt.Sprintf("/k=%d", k)
			}
			b.add(s, label, func(c *Case) {
				c.Cost = productCost(&s, flops, n*n, n*n, c.Size)
				c.Quick = n == 256 && k != 1
			})
		}
		factor("LU", 0, cube*2/3)
		factor("LDL", 0, cube/3)
		factor("CholeskyPivoted", 0, cube/3)
		for _, k := range []int{1, 16} {
			square := float64(n) * float64(n) * float64(k)
			factor("CholeskyUpdate", k, 3*square)
			factor("CholeskyDowndate", k, 3*square)
		}
		// Rates count the flops of EigenSym, so that they compare with its rates.
		factor("EigenSymRefresh", 0, cube*14/3)
		factor("Polar", 0, cube*18)
	}
}

// paired makes a symmetric matrix A whose large elements are beside the diagonal, in
// pairs: blocks of order 2 are its pivots, or rows are exchanged. X takes results.
func (p *Problem[T]) paired() {
	p.A = fullRank[T](p.N, p.N, 1)
	for i := range p.N {
		for j := range i {
			p.A.Set(i, j, p.A.At(j, i))
		}
	}
	for i := range p.N {
		p.A.Set(i, i^1, T(p.N))
	}
	p.C, p.X = p.A.Clone(), make([]T, p.N)
	p.out = [][]T{p.X}
}

func (p *Problem[T]) lu(*gonumBLAS[T]) {
	p.paired()
	pivots := make([]int, p.N)
	p.ours = func() {
		copy(p.C.Data, p.A.Data)
		must(dense.LU(p.C, pivots, p.opts))
		p.Diagonal(p.C.Data, p.C.Stride)
	}
	if q, ok := any(p).(*Problem[float64]); ok {
		q.gonum = func() {
			copy(q.C.Data, q.A.Data)
			if !(gonum.Implementation{}).Dgetrf(q.N, q.N, q.C.Data, q.N, pivots) {
				panic("cases: gonum: singular")
			}
			q.Diagonal(q.C.Data, q.N)
		}
	}
}

// ldl factors and solves for one right-hand side, from Y to X: factors are not unique.
func (p *Problem[T]) ldl(*gonumBLAS[T]) {
	p.paired()
	p.Y, p.Z = vector[T](p.N, 2, -1, 1), make([]T, p.N)
	pivots := make([]int, p.N)
	p.ours = func() {
		copy(p.C.Data, p.A.Data)
		copy(p.X, p.Y)
		must(dense.LDL(p.Uplo, p.C, p.Z, pivots, p.opts))
		dense.LDLSolveVec(p.Uplo, p.C, p.Z, pivots, p.X, p.opts)
	}
}

// choleskyPivoted factors a matrix whose diagonal asks for pivots.
func (p *Problem[T]) choleskyPivoted(*gonumBLAS[T]) {
	p.definite(1)
	for i := range p.N {
		p.A.Set(i, i, T(p.N+i*7%p.N))
	}
	p.X = make([]T, p.N)
	p.out = [][]T{p.X}
	pivots := make([]int, p.N)
	p.ours = func() {
		copy(p.C.Data, p.A.Data)
		if _, err := dense.CholeskyPivoted(p.Uplo, p.C, pivots, -1, p.opts); err != nil {
			panic(err)
		}
		p.Diagonal(p.C.Data, p.C.Stride)
	}
	if q, ok := any(p).(*Problem[float64]); ok {
		work := make([]float64, 2*p.N)
		q.gonum = func() {
			copy(q.C.Data, q.A.Data)
			gonum.Implementation{}.Dpstrf(q.Uplo, q.N, q.C.Data, q.N, pivots, -1, work)
			q.Diagonal(q.C.Data, q.N)
		}
	}
}

// changed makes a factor of A, in A, and a matrix B of rank K. ours copies the factor to C
// and changes it.
func (p *Problem[T]) changed(ours func()) {
	p.definite(1)
	p.B, p.X = matrix[T](p.N, p.K, 2), make([]T, p.N)
	p.out = [][]T{p.X}
	p.ours = func() {
		copy(p.C.Data, p.A.Data)
		ours()
		p.Diagonal(p.C.Data, p.C.Stride)
	}
}

func (p *Problem[T]) choleskyUpdate(*gonumBLAS[T]) {
	p.changed(func() { dense.CholeskyUpdate(p.Uplo, p.C, p.B, p.opts) })
	must(dense.Cholesky(p.Uplo, p.A, p.opts))
}

func (p *Problem[T]) choleskyDowndate(*gonumBLAS[T]) {
	p.changed(func() { must(dense.CholeskyDowndate(p.Uplo, p.C, p.B, p.opts)) })
	dense.Syrk(p.Uplo, blas.NoTrans, 1, p.B, 1, p.A, p.opts)
	must(dense.Cholesky(p.Uplo, p.A, p.opts))
}

// eigenSymRefresh brings the eigenvectors of A, in B, to a matrix that differs from it by
// 1%. It is judged by the sum of the eigenvalues.
func (p *Problem[T]) eigenSymRefresh(*gonumBLAS[T]) {
	p.A, p.B, p.C = fullRank[T](p.N, p.N, 1), matrix[T](p.N, p.N, 2), fullRank[T](p.N, p.N, 3)
	p.X = make([]T, p.N)
	must(dense.EigenSym(p.Uplo, p.A, p.X, p.B, p.opts))
	dense.Accumulate(0.01, p.C, 1, p.A, p.opts)
	p.ours = func() {
		copy(p.C.Data, p.B.Data)
		_, err := dense.EigenSymRefresh(p.Uplo, p.A, p.X, p.C, p.opts)
		must(err)
		p.scalar = dense.Sum(p.X, p.opts)
	}
}

// polar decomposes a matrix that is not far from a multiple of I, so that it is
// well-conditioned; what is judged is the orthogonal factor, C.
func (p *Problem[T]) polar(*gonumBLAS[T]) {
	p.definite(1)
	p.B = dense.NewMatrix[T](p.N, p.N)
	p.ours = func() {
		_, err := dense.Polar(p.A, p.C, p.B, p.opts)
		must(err)
	}
}
