package cases

import (
	"github.com/precond-go/precond/bench/limits"
	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/blas"
)

// matrixCost is the cost of an operation that passes over so many elements of a
// matrix, so many times each.
func matrixCost(elements, times, size int, pattern limits.Stream) Cost {
	return Cost{
		Unit: GBs, Bytes: float64(elements * times * size),
		Footprint: elements * size, Stream: pattern,
	}
}

func (p *Problem[T]) gemv(g *gonumBLAS[T]) {
	p.A = matrix[T](p.M, p.N, 1)
	nx, ny := p.N, p.M
	if p.TA == blas.Trans {
		nx, ny = ny, nx
	}
	p.X, p.Y = vector[T](nx, 2, -1, 1), make([]T, ny)
	p.out = [][]T{p.Y}
	p.ours = func() { dense.Gemv(p.TA, p.Alpha, p.A, p.X, p.Beta, p.Y, p.opts) }
	p.gonum = func() {
		g.gemv(p.TA, p.M, p.N, p.Alpha, p.A.Data, p.A.Stride, p.X, 1, p.Beta, p.Y, 1)
	}
}

func (p *Problem[T]) ger(g *gonumBLAS[T]) {
	p.A = matrix[T](p.M, p.N, 1)
	p.X, p.Y = vector[T](p.M, 2, -1, 1), vector[T](p.N, 3, -1, 1)
	p.Alpha = 0.5
	p.out = [][]T{p.A.Data}
	p.ours = func() { dense.Ger(p.Alpha, p.X, p.Y, p.A, p.opts) }
	p.gonum = func() { g.ger(p.M, p.N, p.Alpha, p.X, 1, p.Y, 1, p.A.Data, p.A.Stride) }
}

func (p *Problem[T]) symv(g *gonumBLAS[T]) {
	p.A = matrix[T](p.N, p.N, 1)
	p.X, p.Y = vector[T](p.N, 2, -1, 1), make([]T, p.N)
	p.out = [][]T{p.Y}
	p.ours = func() { dense.Symv(p.Uplo, p.Alpha, p.A, p.X, p.Beta, p.Y, p.opts) }
	p.gonum = func() {
		g.symv(p.Uplo, p.N, p.Alpha, p.A.Data, p.A.Stride, p.X, 1, p.Beta, p.Y, 1)
	}
}

func (p *Problem[T]) transpose(*gonumBLAS[T]) {
	p.A, p.C = matrix[T](p.M, p.N, 1), dense.NewMatrix[T](p.N, p.M)
	p.out = [][]T{p.C.Data}
	p.ours = func() { dense.Transpose(p.A, p.C, p.opts) }
	if p64, ok := any(p).(*Problem[float64]); ok {
		a, c := dense.ToDense(p64.A).T(), dense.ToDense(p64.C)
		p.gonum = func() { c.Copy(a) }
	}
}
