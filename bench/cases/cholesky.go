package cases

import (
	"fmt"

	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/lapack/gonum"
)

// choleskys lists the Cholesky factorisation and what is built on it. All of them work in
// place, so each call begins with a copy of its operands, for everybody.
func (b *lister) choleskys() {
	for _, n := range []int{64, 128, 256, 512, 1024, 2048} {
		cube := float64(n) * float64(n) * float64(n)
		b.cholesky(Spec{Kernel: "Cholesky", N: n}, cube/3, func(c *Case) {
			c.Quick = n != 256
			c.Bars = []Bar{{OpenBLAS, 1, 1.3}}
			if n <= 128 {
				c.Bars[0].Goal = 2
			}
		})
		if n <= 1024 {
			b.cholesky(Spec{Kernel: "SPDInverse", N: n}, cube, func(c *Case) {
				c.Quick = oneOf(n, 64, 256, 1024)
				c.Bars = []Bar{{OpenBLAS, 1, 1.3}}
			})
		}
	}
	for _, s := range [][2]int{{100, 16}, {1000, 16}, {1000, 32}} {
		count, n := s[0], s[1]
		flops := float64(count*n*n) * (float64(n)/3 + 2)
		b.cholesky(Spec{Kernel: "CholeskyBatch", N: n, Count: count}, flops, func(c *Case) {
			if count == 1000 && n == 16 {
				c.Quick, c.Bars = true, []Bar{{OpenBLAS, 3, 5}}
			}
		})
	}
}

func (b *lister) cholesky(s Spec, flops float64, f func(c *Case)) {
	s.Uplo = blas.Lower
	label, elements := fmt.Sprintf("%s/n=%d", letters(s.Uplo), s.N), max(1, s.Count)*s.N*(s.N+1)/2
	if s.Count > 0 {
		label += fmt.Sprintf("/count=%d", s.Count)
	}
	b.add(s, label, func(c *Case) {
		c.Cost = productCost(&s, flops, elements, elements, c.Size)
		f(c)
	})
}

// definite puts positive definite matrices one below the other into A, with which C, that
// has as many as count, is to be filled.
func (p *Problem[T]) definite(count int) {
	p.A = matrix[T](min(count, distinct)*p.N, p.N, 1)
	for i := range p.A.Rows {
		p.A.Set(i, i%p.N, T(p.N))
	}
	p.C = dense.NewMatrix[T](count*p.N, p.N)
	p.fill() // not fresh memory, whose pages the first to write has to wait for
	p.out = [][]T{p.C.Data}
}

// distinct is the number of matrices of a batch, which then repeat: so few that they stay in the
// first-level cache and the time is not that of fetching them from memory.
const distinct = 8

// fill copies A to C as often as that has room.
func (p *Problem[T]) fill() {
	for c := p.C.Data; len(c) > 0; {
		c = c[copy(c, p.A.Data):]
	}
}

func (p *Problem[T]) cholesky(*gonumBLAS[T]) {
	p.definite(1)
	p.ours = func() {
		copy(p.C.Data, p.A.Data)
		must(dense.Cholesky(p.Uplo, p.C, p.opts))
	}
	p.gonumCholesky(func(l gonum.Implementation, a, _ []float64) bool { return l.Dpotrf(p.Uplo, p.N, a, p.N) })
}

func (p *Problem[T]) spdInverse(*gonumBLAS[T]) {
	p.definite(1)
	p.ours = func() {
		copy(p.C.Data, p.A.Data)
		must(dense.SPDInverse(p.Uplo, p.C, p.opts))
	}
	p.gonumCholesky(func(l gonum.Implementation, a, _ []float64) bool {
		return l.Dpotrf(p.Uplo, p.N, a, p.N) && l.Dpotri(p.Uplo, p.N, a, p.N)
	})
}

// choleskyBatch factors matrices and solves with one right-hand side each, from Y to X.
func (p *Problem[T]) choleskyBatch(*gonumBLAS[T]) {
	p.definite(p.Count)
	p.X, p.Y = make([]T, p.Count*p.N), vector[T](p.Count*p.N, 2, -1, 1)
	p.out = append(p.out, p.X)
	var a, b []dense.Matrix[T]
	for i := range p.Count {
		a = append(a, p.C.View(i*p.N, 0, p.N, p.N))
		b = append(b, dense.MatrixOf(p.N, 1, p.X[i*p.N:(i+1)*p.N]))
	}
	p.ours = func() {
		p.fill()
		copy(p.X, p.Y)
		must(dense.CholeskyBatch(p.Uplo, a, b, nil, p.opts))
	}
	p.gonumCholesky(func(l gonum.Implementation, a, x []float64) bool {
		ok := l.Dpotrf(p.Uplo, p.N, a, p.N)
		l.Dpotrs(p.Uplo, p.N, 1, a, p.N, x, 1)
		return ok
	})
}

// gonumCholesky sets what gonum does, which has float64 alone: f on each matrix of C and
// its part of X.
func (p *Problem[T]) gonumCholesky(f func(l gonum.Implementation, a, x []float64) bool) {
	q, ok := any(p).(*Problem[float64])
	if !ok {
		return
	}
	q.gonum = func() {
		q.fill()
		copy(q.X, q.Y)
		for i := range max(1, q.Count) {
			a, x := q.C.Data[i*q.N*q.N:(i+1)*q.N*q.N], q.X
			if x != nil {
				x = x[i*q.N : (i+1)*q.N]
			}
			if !f(gonum.Implementation{}, a, x) {
				panic("cases: gonum: not positive definite")
			}
		}
	}
}
