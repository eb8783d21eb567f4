package invroot

import (
	"math"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/space"
	"gonum.org/v1/gonum/blas"
)

// probeRows is the number of random vectors that measure a residual, and
// probeBlock that of the rows of a matrix that are converted to float64 at once.
const (
	probeRows  = 8
	probeBlock = 32
)

// A probe applies matrices to random vectors in float64. Vectors are rows, and are
// multiplied from the right.
type probe struct {
	z, y, t dense.Matrix[float64] // vectors and their products
	block   dense.Matrix[float64] // rows of a matrix
	o       dense.Opts[float64]
}

func reserveProbe[T dense.Float](p *probe, w *space.Arena[T], n int) {
	take := func(rows int) dense.Matrix[float64] {
		return dense.Matrix[float64]{Rows: rows, Cols: n, Stride: max(1, n), Data: w.Doubles(rows * n)}
	}
	p.z, p.y, p.t, p.block = take(2*probeRows), take(2*probeRows), take(2*probeRows), take(probeBlock)
	p.o = dense.Opts[float64]{Threads: 1, Work: w.Doubles(dense.GemmWork[float64](blas.NoTrans, blas.NoTrans, 2*probeRows, n, probeBlock, 1))}
}

// mix is the output function of SplitMix64 (Steele, Lea, Flood 2014).
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// fill sets v to signs that are functions of their place, so that E‖v·R‖² is
// the number of rows times ‖R‖_F² for every R (Hutchinson). Of orders up to the number of rows
// it takes multiples of the unit vectors, for which that is exact.
func fill(v dense.Matrix[float64]) {
	if v.Cols <= v.Rows {
		v.Fill(0)
		for i := range v.Cols {
			v.Row(i)[i] = math.Sqrt(float64(v.Rows))
		}
		return
	}
	for i := range v.Rows {
		row := v.Row(i)
		for j := range row {
			row[j] = 1 - 2*float64(mix(uint64(i)<<32+uint64(j)+0x9e3779b97f4a7c15)>>63) // exact
		}
	}
}

// apply sets dst to src·(factor·m + ridge·I).
func apply[T dense.Float](p *probe, src dense.Matrix[float64], factor float64, m dense.Matrix[T], ridge float64, dst dense.Matrix[float64]) {
	n := m.Rows
	for i := 0; i < n; i += probeBlock {
		h := min(probeBlock, n-i)
		for k := range h {
			row := p.block.Row(k)
			for j, v := range m.Row(i + k) {
				row[j] = float64(factor * float64(v))
			}
			row[i+k] += ridge
		}
		beta := 1.
		if i == 0 {
			beta = 0
		}
		dense.Gemm(blas.NoTrans, blas.NoTrans, 1, src.View(0, i, src.Rows, h), p.block.View(0, 0, h, n), beta, dst, &p.o)
	}
}

// measure estimates ‖R‖_F/√n and ‖XR‖_F/‖X‖_F for R = I − B^q·X^p, where B is b with its
// ridge and X is factor·x, the power −q/p of B.
func (c *call[T]) measure(e Exponent) (residual, weighted float64) {
	p := &c.probe
	n := c.n
	z, zx := p.z.View(0, 0, probeRows, n), p.z.View(probeRows, 0, probeRows, n)
	fill(z)
	apply(p, z, c.factor, c.x, 0, zx)
	from := p.z
	for i := range e.Q + e.P {
		if i < e.Q {
			apply(p, from, 1, c.b, c.ridge, p.y)
		} else {
			apply(p, from, c.factor, c.x, 0, p.y)
		}
		from = p.y
		p.y, p.t = p.t, p.y
	}
	residual = distance(z, from.View(0, 0, probeRows, n)) / math.Sqrt(float64(probeRows*n))
	weighted = distance(zx, from.View(probeRows, 0, probeRows, n)) / math.Sqrt(squares(zx))
	return residual, weighted
}

// distance returns ‖a − b‖_F; it overwrites b.
func distance(a, b dense.Matrix[float64]) float64 {
	for i := range a.Rows {
		x, y := a.Row(i), b.Row(i)
		for j := range y {
			y[j] = x[j] - y[j]
		}
	}
	return math.Sqrt(squares(b))
}

// squares returns ‖a‖_F².
func squares(a dense.Matrix[float64]) (sum float64) {
	for i := range a.Rows {
		sum += asm.For[float64]().SumSq(a.Row(i))
	}
	return sum
}
