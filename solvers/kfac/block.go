package kfac

import (
	"fmt"
	"math"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/solvers"
	"gonum.org/v1/gonum/blas"
)

// The two sides of a block.
const (
	inputs  = iota // A, of order in
	outputs        // G, of order out
)

// block is what the estimator knows of one layer: its Kronecker factors
// A = E[āāᵀ] and G = E[ggᵀ] as moving averages.
type block[T dense.Float] struct {
	name      string
	param     int
	bias      bool
	positions int
	in, out   int                // of the weight; in counts the bias
	factor    [2]dense.Matrix[T] // A and G, lower triangles

	staleness, failures int
}

func newBlock[T dense.Float](name string, param, in, out, positions int, bias bool) block[T] {
	return block[T]{
		name: name, param: param, bias: bias, positions: positions, in: in, out: out,
		factor: [2]dense.Matrix[T]{inputs: dense.NewMatrix[T](in, in), outputs: dense.NewMatrix[T](out, out)},
	}
}

// blockOf returns an empty block for a layer.
func blockOf[T dense.Float](l *solvers.Layer[T]) block[T] {
	in := l.Inputs.Cols
	if l.Bias {
		in++
	}
	return newBlock[T](l.Name, l.Param, in, l.Grads.Cols, l.Positions, l.Bias)
}

// dim returns the order of the factor of a side.
func (b *block[T]) dim(side int) int { return b.factor[side].Rows }

// columns returns the number of columns of the layer's inputs, without the bias.
func (b *block[T]) columns() int {
	if b.bias {
		return b.in - 1
	}
	return b.in
}

// check panics unless l has the shapes of b.
func (b *block[T]) check(l *solvers.Layer[T]) {
	rows := l.Examples * l.Positions
	if l.Param != b.param || l.Bias != b.bias || l.Positions != b.positions || l.Examples < 1 ||
		l.Inputs.Rows != rows || l.Grads.Rows != rows || l.Inputs.Cols != b.columns() || l.Grads.Cols != b.out {
		panic(fmt.Sprintf("kfac: Observe: layer %s: %d examples at %d positions, inputs %dx%d, gradients %dx%d, for a weight of %dx%d",
			l.Name, l.Examples, l.Positions, l.Inputs.Rows, l.Inputs.Cols, l.Grads.Rows, l.Grads.Cols, b.out, b.in))
	}
}

// finite returns an error if m has an element that is not finite, or elements so large
// that their squares have no finite sum.
func finite[T dense.Float](m dense.Matrix[T], where string, o *dense.Opts[T]) error {
	ok := true
	if m.Stride == m.Cols && m.Rows > 0 {
		ok = isFinite(dense.SumSq(m.Data[:m.Rows*m.Cols], o))
	} else {
		for i := range m.Rows {
			ok = ok && isFinite(dense.SumSq(m.Row(i), o))
		}
	}
	if !ok {
		return &dense.NonFiniteError{Where: where}
	}
	return nil
}

func isFinite[T dense.Float](x T) bool { return x-x == 0 }

// observe moves the factors towards those of a batch: keep is the weight of the old values.
// Layer l of each of the sets is this block's; the sets have the same inputs, and their
// gradients add up.
//
// A convolution or another layer that uses its weight at several positions t has
// the factors A = E[Σ_t āāᵀ] and G = E[Σ_t ggᵀ]/T, which is KFC's approximation of
// uncorrelated derivatives (Grosse & Martens 2016, theorem 1).
func (b *block[T]) observe(sets [][]solvers.Layer[T], l int, keep float64, ones []T, o *dense.Opts[T]) {
	layer := &sets[0][l]
	x, n := layer.Inputs, float64(layer.Examples)
	a, cols := b.factor[inputs], b.columns()
	old, gain := T(keep), T((1-keep)/n)
	dense.Syrk(blas.Lower, blas.Trans, gain, x, old, a.View(0, 0, cols, cols), o)
	if b.bias {
		row := a.Row(cols)
		dense.Gemv(blas.Trans, gain, x, ones[:x.Rows], old, row[:cols], o)
		corner := float64((1 - keep) * float64(b.positions))
		if keep > 0 {
			corner += float64(keep * float64(row[cols]))
		}
		row[cols] = T(corner)
	}
	gain = T((1 - keep) / float64(n*float64(b.positions)))
	for _, set := range sets {
		dense.Syrk(blas.Lower, blas.Trans, gain, set[l].Grads, old, b.factor[outputs], o)
		old = 1
	}
}

// split returns how the damping γ² = damping is split between the factors, πγ and γ/π
// with π = √((tr A/dim A)/(tr G/dim G)) (Martens & Grosse 2015, section 6.3). Where a
// factor is zero, π is 1.
func (b *block[T]) split(damping float64) [2]float64 {
	gamma, pi := math.Sqrt(damping), 1.0
	a, g := meanDiagonal(b.factor[inputs]), meanDiagonal(b.factor[outputs])
	if a > 0 && g > 0 {
		pi = math.Sqrt(a) / math.Sqrt(g)
	}
	return [2]float64{inputs: float64(pi * gamma), outputs: gamma / pi}
}

func meanDiagonal[T dense.Float](a dense.Matrix[T]) float64 {
	sum := 0.0
	for i := range a.Rows {
		sum += float64(a.Data[i*a.Stride+i])
	}
	return sum / float64(a.Rows)
}

// addDiagonal adds x to the diagonal of a.
func addDiagonal[T dense.Float](a dense.Matrix[T], x T) {
	for i := range a.Rows {
		a.Data[i*a.Stride+i] += x
	}
}

// copyLower copies the lower triangle of src to dst.
func copyLower[T dense.Float](dst, src dense.Matrix[T]) {
	for i := range src.Rows {
		copy(dst.Row(i)[:i+1], src.Row(i)[:i+1])
	}
}
