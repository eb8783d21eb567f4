package kfac

import (
	"fmt"
	"math"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/kron"
	"github.com/precond-go/precond/solvers"
)

// The two sides of a block.
const (
	inputs  = iota // A, of order in
	outputs        // G, of order out
)

// block is what the estimator knows of one layer, or of one group of a convolution: its
// Kronecker factors A = E[āāᵀ] and G = E[ggᵀ] as moving averages.
type block[T dense.Float] struct {
	name    string
	param   int
	group   int                // of a convolution
	in, out int                // of the weight; in counts the bias, out the group's rows
	factor  [2]dense.Matrix[T] // A and G, lower triangles
	source  [2]dense.Matrix[T] // what the refresh under way is computed from: copies with a lag
	slot    [roles]int         // in which the form keeps what it has of each role
}

// newBlocks returns the blocks of a weight that has groups of rows.
func newBlocks[T dense.Float](param int, t solvers.Tensor[T], groups int, lag bool) []block[T] {
	w := t.Matrix()
	if groups < 1 || w.Rows%groups != 0 || w.Rows == 0 || w.Cols == 0 {
		panic(fmt.Sprintf("kfac: New: tensor %d (%s) is %dx%d with %d groups", param, t.Name, w.Rows, w.Cols, groups))
	}
	blocks := make([]block[T], groups)
	for g := range blocks {
		name := t.Name
		if groups > 1 {
			name = fmt.Sprintf("%s group %d", name, g)
		}
		in, out := w.Cols, w.Rows/groups
		blocks[g] = block[T]{
			name: name, param: param, group: g, in: in, out: out,
			factor: [2]dense.Matrix[T]{inputs: dense.NewMatrix[T](in, in), outputs: dense.NewMatrix[T](out, out)},
		}
		b := &blocks[g]
		if b.source = b.factor; lag {
			b.source = [2]dense.Matrix[T]{inputs: b.factor[inputs].Clone(), outputs: b.factor[outputs].Clone()}
		}
	}
	return blocks
}

// statistics returns the factors that the slot of a role is computed from.
func (b *block[T]) statistics(r role) *[2]dense.Matrix[T] {
	if r == upcoming {
		return &b.source
	}
	return &b.factor
}

// exchange puts in force what is in the slot of a role, and leaves there what was.
func (b *block[T]) exchange(r role) {
	now, then := b.slot[inForce], b.slot[r]
	for k, s := range b.slot {
		switch s {
		case now:
			b.slot[k] = then
		case then:
			b.slot[k] = now
		}
	}
}

// dim returns the order of the factor of a side.
func (b *block[T]) dim(side int) int { return b.factor[side].Rows }

// rows returns the block's rows of a tensor.
func (b *block[T]) rows(t *solvers.Tensor[T]) dense.Matrix[T] {
	n := b.in * b.out
	return dense.MatrixOf(b.out, b.in, t.Data[b.group*n:(b.group+1)*n])
}

// part returns what a layer says of the block: of the first examples only, and of the
// group's outputs. It panics unless l has the shapes of b.
func (b *block[T]) part(l *solvers.Layer[T], share float64, groups int) solvers.Layer[T] {
	in, pixels := l.Inputs.Cols, l.Positions
	if g := l.Conv; g != nil {
		in, pixels = g.Patch(), g.Height*g.Width
		if h, w := g.OutSize(); h*w != l.Positions || g.Groups != groups || l.Inputs.Cols != g.Channels {
			in = -1
		}
	}
	if l.Bias {
		in++
	}
	if l.Param != b.param || l.Examples < 1 || l.Positions < 1 || in != b.in || l.Conv == nil && groups > 1 ||
		l.Inputs.Rows != l.Examples*pixels || l.Grads.Rows != l.Examples*l.Positions || l.Grads.Cols != b.out*groups {
		panic(fmt.Sprintf("kfac: Observe: layer %s: %d examples at %d positions, inputs %dx%d, gradients %dx%d, for a weight of %dx%d in %d groups",
			l.Name, l.Examples, l.Positions, l.Inputs.Rows, l.Inputs.Cols, l.Grads.Rows, l.Grads.Cols, b.out*groups, b.in, groups))
	}
	p := *l
	p.Examples = min(l.Examples, int(math.Ceil(float64(share*float64(l.Examples)))))
	p.Inputs = l.Inputs.View(0, 0, p.Examples*pixels, l.Inputs.Cols)
	p.Grads = l.Grads.View(0, b.group*b.out, p.Examples*p.Positions, b.out)
	return p
}

// finite returns the sum of the squares of the elements of m, or an error if one of them is not
// finite, or so large that the sum is not.
func finite[T dense.Float](m dense.Matrix[T], where string, o *dense.Opts[T]) (sum float64, err error) {
	ok := true
	add := func(s T) {
		ok = ok && s-s == 0
		sum += float64(s)
	}
	if m.Stride == m.Cols && m.Rows > 0 {
		add(dense.SumSq(m.Data[:m.Rows*m.Cols], o))
	} else {
		for i := range m.Rows {
			add(dense.SumSq(m.Row(i), o))
		}
	}
	if !ok {
		return 0, &dense.NonFiniteError{Where: where}
	}
	return sum, nil
}

// observe moves the factors towards those of a batch: keep is the weight of the old values.
// Layer l of each of the sets is this block's; the sets have the same inputs, and their
// gradients add up.
//
// A convolution or another layer that uses its weight at several positions t has
// the factors A = E[Σ_t āāᵀ] and G = E[Σ_t ggᵀ]/T, which is KFC's approximation of
// uncorrelated derivatives (Grosse & Martens 2016, theorem 1).
func (b *block[T]) observe(sets [][]solvers.Layer[T], l int, keep float64, o *dense.Opts[T]) {
	layer := &sets[0][l]
	n, old := float64(layer.Examples), T(keep)
	gain := T((1 - keep) / n)
	if layer.Conv != nil {
		kron.ConvMoment(gain, *layer.Conv, b.group, layer.Inputs, layer.Bias, old, b.factor[inputs], o)
	} else {
		kron.Moment(gain, layer.Inputs, layer.Bias, old, b.factor[inputs], o)
	}
	gain = T((1 - keep) / float64(n*float64(layer.Positions)))
	for _, set := range sets {
		kron.Moment(gain, set[l].Grads, false, old, b.factor[outputs], o)
		old = 1
	}
}

// observeWork returns the workspace of observe.
func (b *block[T]) observeWork(layer *solvers.Layer[T], threads int) int {
	n := kron.MomentWork[T](layer.Grads.Rows, b.out, false, threads)
	if layer.Conv != nil {
		return max(n, kron.ConvMomentWork[T](*layer.Conv, layer.Bias))
	}
	return max(n, kron.MomentWork[T](layer.Inputs.Rows, layer.Inputs.Cols, layer.Bias, threads))
}
