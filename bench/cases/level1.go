package cases

import (
	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/bench/limits"
	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/floats"
)

// streamed returns the cost of a pass that reads and writes so many vectors of n
// elements, counting one that is updated in place as both.
func streamed(s *Spec, size, vectors, traffic int, pattern limits.Stream) Cost {
	return Cost{
		Unit: GBs, Bytes: float64(traffic * s.N * size),
		Footprint: vectors * s.N * size, Stream: pattern,
	}
}

func (p *Problem[T]) dot(g *gonumBLAS[T]) {
	p.X, p.Y = vector[T](p.N, 1, -1, 1), vector[T](p.N, 2, -1, 1)
	p.ours = func() { p.scalar = dense.Dot(p.X, p.Y, p.opts) }
	p.gonum = func() { p.scalar = g.dot(p.N, p.X, 1, p.Y, 1) }
}

func (p *Problem[T]) absSum(g *gonumBLAS[T]) {
	p.X = vector[T](p.N, 1, -1, 1)
	p.ours = func() { p.scalar = dense.AbsSum(p.X, p.opts) }
	p.gonum = func() { p.scalar = g.asum(p.N, p.X, 1) }
}

func (p *Problem[T]) sumSq(g *gonumBLAS[T]) {
	p.X = vector[T](p.N, 1, -1, 1)
	p.ours = func() { p.scalar = dense.SumSq(p.X, p.opts) }
	p.gonum = func() { p.scalar = g.dot(p.N, p.X, 1, p.X, 1) }
}

func (p *Problem[T]) iMaxAbs(g *gonumBLAS[T]) {
	p.X = vector[T](p.N, 1, -1, 1)
	p.ours = func() { p.scalar = T(dense.IMaxAbs(p.X)) }
	p.gonum = func() { p.scalar = T(g.iamax(p.N, p.X, 1)) }
}

func (p *Problem[T]) axpy(g *gonumBLAS[T]) {
	p.X, p.Y = vector[T](p.N, 1, -1, 1), vector[T](p.N, 2, -1, 1)
	p.Alpha = 0.5
	p.out = [][]T{p.Y}
	p.ours = func() { dense.Axpy(p.Alpha, p.X, p.Y, p.opts) }
	p.gonum = func() { g.axpy(p.N, p.Alpha, p.X, 1, p.Y, 1) }
}

func (p *Problem[T]) scal(g *gonumBLAS[T]) {
	p.X = vector[T](p.N, 1, -1, 1)
	p.Alpha = -1
	p.out = [][]T{p.X}
	p.ours = func() { dense.Scal(p.Alpha, p.X, p.opts) }
	p.gonum = func() { g.scal(p.N, p.Alpha, p.X, 1) }
}

// three makes the operands of dst = x ∘ y; gonum has such functions for float64.
func (p *Problem[T]) three(ours func(x, y, dst []T, o *dense.Opts[T]), theirs func(dst, x, y []float64) []float64) {
	p.X, p.Y, p.Z = vector[T](p.N, 1, -1, 1), vector[T](p.N, 2, 1, 2), make([]T, p.N)
	p.out = [][]T{p.Z}
	p.ours = func() { ours(p.X, p.Y, p.Z, p.opts) }
	if p64, ok := any(p).(*Problem[float64]); ok {
		p.gonum = func() { theirs(p64.Z, p64.X, p64.Y) }
	}
}

func (p *Problem[T]) mulTo(*gonumBLAS[T]) { p.three(dense.MulTo[T], floats.MulTo) }
func (p *Problem[T]) divTo(*gonumBLAS[T]) { p.three(dense.DivTo[T], floats.DivTo) }

func (p *Problem[T]) sqrtDivTo(*gonumBLAS[T]) {
	p.X, p.Y, p.Z = vector[T](p.N, 1, -1, 1), vector[T](p.N, 2, 0, 1), make([]T, p.N)
	p.out = [][]T{p.Z}
	p.ours = func() { dense.SqrtDivTo(1e-3, p.X, p.Y, p.Z, p.opts) }
}

func (p *Problem[T]) ema(*gonumBLAS[T]) {
	p.X, p.Y = vector[T](p.N, 1, -1, 1), vector[T](p.N, 2, -1, 1)
	p.Beta = 0.875
	p.out = [][]T{p.Y}
	p.ours = func() { dense.EMA(p.Beta, p.X, p.Y, p.opts) }
}

func (p *Problem[T]) emaSq(*gonumBLAS[T]) {
	p.X, p.Y = vector[T](p.N, 1, -1, 1), vector[T](p.N, 2, 0, 1)
	p.Beta = 0.875
	p.out = [][]T{p.Y}
	p.ours = func() { dense.EMASq(p.Beta, p.X, p.Y, p.opts) }
}

// sgdMomentum takes the gradient in X, the momentum in Y, the parameters in Z.
func (p *Problem[T]) sgdMomentum(*gonumBLAS[T]) {
	p.X, p.Y, p.Z = vector[T](p.N, 1, -1, 1), vector[T](p.N, 2, -1, 1), vector[T](p.N, 3, -1, 1)
	p.momentum = [asm.MomentumLen]T{
		asm.MomentumMu: 0.875, asm.MomentumGain: 1, asm.MomentumLookM: 1,
		asm.MomentumRate: 1e-3, asm.MomentumScale: 1,
	}
	p.out = [][]T{p.Y, p.Z}
	p.ours = func() { dense.Momentum(&p.momentum, p.X, p.Y, p.Z, p.opts) }
}

// adamStep takes the gradient in X, the moments in Y and Z, the parameters in W.
func (p *Problem[T]) adamStep(*gonumBLAS[T]) {
	p.X, p.Y = vector[T](p.N, 1, -1, 1), vector[T](p.N, 2, -1, 1)
	p.Z, p.W = vector[T](p.N, 3, 0, 1), vector[T](p.N, 4, -1, 1)
	p.adam = [asm.AdamLen]T{
		asm.AdamBeta1: 0.875, asm.AdamBeta2: 0.9375, asm.AdamEps: 1e-6,
		asm.AdamRate: 1e-3, asm.AdamRoot: 1, asm.AdamScale: 1,
	}
	p.out = [][]T{p.Y, p.Z, p.W}
	p.ours = func() { dense.Adam(&p.adam, p.X, p.Y, p.Z, p.W, p.opts) }
}
