package cases

import (
	"github.com/precond-go/precond/bench/limits"
	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/floats"
)

// productCost is the cost of a product that reads so many elements and writes
// others, which it also reads if beta is not 0.
func productCost(s *Spec, flops float64, read, written, size int) Cost {
	c := Cost{
		Unit: GFLOPs, Flops: flops, Bytes: float64((read + written) * size),
		Footprint: (read + written) * size, Stream: limits.Read,
	}
	if s.Beta != 0 {
		c.Bytes += float64(written * size)
	}
	switch {
	case read > written:
	case s.Beta != 0:
		c.Stream = limits.Update
	default:
		c.Stream = limits.Write
	}
	return c
}

// shaped returns a matrix that is rows×cols after op t.
func shaped[T dense.Float](t blas.Transpose, rows, cols int, stream uint64) dense.Matrix[T] {
	if t == blas.Trans {
		rows, cols = cols, rows
	}
	return matrix[T](rows, cols, stream)
}

func (p *Problem[T]) gemm(g *gonumBLAS[T]) {
	p.A, p.B = shaped[T](p.TA, p.M, p.K, 1), shaped[T](p.TB, p.K, p.N, 2)
	p.C = matrix[T](p.M, p.N, 3)
	p.out = [][]T{p.C.Data}
	p.ours = func() { dense.Gemm(p.TA, p.TB, p.Alpha, p.A, p.B, p.Beta, p.C, p.opts) }
	p.gonum = func() {
		g.gemm(p.TA, p.TB, p.M, p.N, p.K, p.Alpha, p.A.Data, p.A.Stride, p.B.Data, p.B.Stride, p.Beta, p.C.Data, p.C.Stride)
	}
}

// gemmStrided makes a batch of square products, whose matrices lie one below the
// other in A, B and C.
func (p *Problem[T]) gemmStrided(g *gonumBLAS[T]) {
	n, size := p.N, p.N*p.N
	p.A, p.B, p.C = matrix[T](p.Count*n, n, 1), matrix[T](p.Count*n, n, 2), matrix[T](p.Count*n, n, 3)
	p.out = [][]T{p.C.Data}
	p.ours = func() {
		dense.GemmStrided(p.TA, p.TB, n, n, n, p.Alpha, p.A.Data, n, size, p.B.Data, n, size, p.Beta, p.C.Data, n, size, p.Count, p.opts)
	}
	p.gonum = func() {
		for i := 0; i < p.Count*size; i += size {
			g.gemm(p.TA, p.TB, n, n, n, p.Alpha, p.A.Data[i:], n, p.B.Data[i:], n, p.Beta, p.C.Data[i:], n)
		}
	}
}

// gemmBatch makes the same with lists.
func (p *Problem[T]) gemmBatch(g *gonumBLAS[T]) {
	p.gemmStrided(g)
	list := func(all dense.Matrix[T]) (out []dense.Matrix[T]) {
		for i := range p.Count {
			out = append(out, all.View(i*p.N, 0, p.N, p.N))
		}
		return out
	}
	a, b, c := list(p.A), list(p.B), list(p.C)
	p.ours = func() { dense.GemmBatch(p.TA, p.TB, p.Alpha, a, b, p.Beta, c, p.opts) }
}

func (p *Problem[T]) syrk(g *gonumBLAS[T]) {
	p.A, p.C = shaped[T](p.TA, p.N, p.K, 1), matrix[T](p.N, p.N, 3)
	p.out = [][]T{p.C.Data}
	p.ours = func() { dense.Syrk(p.Uplo, p.TA, p.Alpha, p.A, p.Beta, p.C, p.opts) }
	p.gonum = func() {
		g.syrk(p.Uplo, p.TA, p.N, p.K, p.Alpha, p.A.Data, p.A.Stride, p.Beta, p.C.Data, p.C.Stride)
	}
}

func (p *Problem[T]) syr2k(g *gonumBLAS[T]) {
	p.A, p.B = shaped[T](p.TA, p.N, p.K, 1), shaped[T](p.TA, p.N, p.K, 2)
	p.C = matrix[T](p.N, p.N, 3)
	p.out = [][]T{p.C.Data}
	p.ours = func() { dense.Syr2k(p.Uplo, p.TA, p.Alpha, p.A, p.B, p.Beta, p.C, p.opts) }
	p.gonum = func() {
		g.syr2k(p.Uplo, p.TA, p.N, p.K, p.Alpha, p.A.Data, p.A.Stride, p.B.Data, p.B.Stride, p.Beta, p.C.Data, p.C.Stride)
	}
}

// order is the order of the square factor of an m×n right-hand side.
func (s *Spec) order() int {
	if s.Side == blas.Right {
		return s.N
	}
	return s.M
}

func (p *Problem[T]) symm(g *gonumBLAS[T]) {
	p.A, p.B = matrix[T](p.order(), p.order(), 1), matrix[T](p.M, p.N, 2)
	p.C = matrix[T](p.M, p.N, 3)
	p.out = [][]T{p.C.Data}
	p.ours = func() { dense.Symm(p.Side, p.Uplo, p.Alpha, p.A, p.B, p.Beta, p.C, p.opts) }
	p.gonum = func() {
		g.symm(p.Side, p.Uplo, p.M, p.N, p.Alpha, p.A.Data, p.A.Stride, p.B.Data, p.B.Stride, p.Beta, p.C.Data, p.C.Stride)
	}
}

func (p *Problem[T]) trmm(g *gonumBLAS[T]) {
	p.A, p.B = involution[T](p.order(), p.Uplo), matrix[T](p.M, p.N, 2)
	p.out = [][]T{p.B.Data}
	p.ours = func() { dense.Trmm(p.Side, p.Uplo, p.TA, blas.NonUnit, p.Alpha, p.A, p.B, p.opts) }
	p.gonum = func() {
		g.trmm(p.Side, p.Uplo, p.TA, blas.NonUnit, p.M, p.N, p.Alpha, p.A.Data, p.A.Stride, p.B.Data, p.B.Stride)
	}
}

func (p *Problem[T]) trsm(g *gonumBLAS[T]) {
	p.A, p.B = involution[T](p.order(), p.Uplo), matrix[T](p.M, p.N, 2)
	p.out = [][]T{p.B.Data}
	p.ours = func() { dense.Trsm(p.Side, p.Uplo, p.TA, blas.NonUnit, p.Alpha, p.A, p.B, p.opts) }
	p.gonum = func() {
		g.trsm(p.Side, p.Uplo, p.TA, blas.NonUnit, p.M, p.N, p.Alpha, p.A.Data, p.A.Stride, p.B.Data, p.B.Stride)
	}
}

// involution returns a dense triangular matrix that is its own inverse but for
// rounding, such that products and solves in place keep the size of what they
// overwrite, however often they are repeated. Its diagonal D alternates between
// 1 and −1. Element (i, j) of L² is L_ij·(D_i + D_j) plus the sum of L_ik·L_kj over
// j < k < i. So L_ij can be chosen where D_i = −D_j, and must be −sum/2D_i where
// they are equal; by the same algebra the sum is 0 where it has to be.
func involution[T dense.Float](n int, uplo blas.Uplo) dense.Matrix[T] {
	l := dense.NewMatrix[float64](n, n)
	free := vector[float64](n*n, 1, -1, 1)
	sum := make([]float64, n)
	for i := range n {
		row := l.Row(i)
		clear(sum)
		d := float64(1 - 2*(i%2))
		row[i] = d
		for j := i - 1; j >= 0; j-- {
			if (i-j)%2 == 1 {
				row[j] = free[i*n+j] / float64(n)
			} else {
				row[j] = -sum[j] / (2 * d)
			}
			floats.AddScaled(sum[:j], row[j], l.Row(j)[:j])
		}
	}
	a := dense.NewMatrix[T](n, n)
	for i := range n {
		for j := range i + 1 {
			v := T(l.At(i, j))
			if uplo == blas.Upper {
				a.Set(j, i, v)
			} else {
				a.Set(i, j, v)
			}
		}
	}
	return a
}
