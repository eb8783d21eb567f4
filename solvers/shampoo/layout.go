package shampoo

import (
	"fmt"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/space"
	"gonum.org/v1/gonum/blas"
)

// maxOrder is the largest order of a tensor after merging.
const maxOrder = 16

// mergedShape returns the shape as which a tensor is seen: dimensions of 1 are dropped, and
// neighbours are merged, from the left, while their product is at most limit. The elements
// stay where they are.
func mergedShape(shape []int, limit int) []int {
	out := make([]int, 0, len(shape))
	for _, d := range shape {
		last := len(out) - 1
		switch {
		case d == 1:
		case last >= 0 && out[last]*d <= limit:
			out[last] *= d
		default:
			out = append(out, d)
		}
	}
	if len(out) == 0 {
		out = append(out, 1)
	}
	return out
}

// A block is a part of a tensor that is preconditioned by itself.
type block[T dense.Float] struct {
	tensor  int
	name    string
	outer   []int // shape of the tensor, merged
	low     []int // where the block begins
	shape   []int
	size    int
	whole   bool  // the block is the tensor
	factors []int // of each mode, −1 for none
	order   int   // number of factors
	// ops are the matrices in force for each mode, empty where there is none or a
	// diagonal one.
	ops []dense.Matrix[T]
	// turn has room for one matrix among empty ones; see SOAP.commit.
	turn []dense.Matrix[T]
}

// newBlocks cuts a tensor of merged shape into blocks with dimensions of at most limit, which
// are as equal as can be. A limit of 0 cuts nothing; dimensions above whole stay in one piece.
func newBlocks[T dense.Float](tensor int, name string, shape []int, limit, whole int) []block[T] {
	parts := make([]int, len(shape))
	total := 1
	for i, d := range shape {
		parts[i] = 1
		if limit > 0 && (whole == 0 || d <= whole) {
			parts[i] = (d + limit - 1) / limit
		}
		total *= parts[i]
	}
	blocks := make([]block[T], total)
	at := make([]int, len(shape)) // the block's place in the grid
	for k := range blocks {
		b := &blocks[k]
		*b = block[T]{tensor: tensor, name: name, outer: shape, size: 1, whole: total == 1,
			low: make([]int, len(shape)), shape: make([]int, len(shape)), factors: make([]int, len(shape)), ops: make([]dense.Matrix[T], len(shape)), turn: make([]dense.Matrix[T], len(shape))}
		if total > 1 {
			b.name = fmt.Sprint(name, at)
		}
		for i, d := range shape {
			b.low[i] = at[i] * d / parts[i]
			b.shape[i] = (at[i]+1)*d/parts[i] - b.low[i]
			b.size *= b.shape[i]
		}
		for i := len(at) - 1; i >= 0; i-- {
			if at[i]++; at[i] < parts[i] {
				break
			}
			at[i] = 0
		}
	}
	return blocks
}

// sides returns the block as its mode sees it: left×n×right.
func (b *block[T]) sides(mode int) (left, n, right int) {
	left, right = 1, 1
	for i, d := range b.shape {
		switch {
		case i < mode:
			left *= d
		case i > mode:
			right *= d
		}
	}
	return left, b.shape[mode], right
}

// rows calls copy for each row of the block, that is for each vector along its last mode, with its
// places in the tensor and in the block.
func (b *block[T]) rows(move func(outer, inner, n int)) {
	last := len(b.shape) - 1
	n := b.shape[last]
	var at [maxOrder]int
	for inner := 0; inner < b.size; inner += n {
		outer := 0
		for i, d := range b.outer {
			outer = outer*d + b.low[i] + at[i]
		}
		move(outer, inner, n)
		for i := last - 1; i >= 0; i-- {
			if at[i]++; at[i] < b.shape[i] {
				break
			}
			at[i] = 0
		}
	}
}

// gather returns the elements of the block in a tensor: those of the tensor itself if the block is all
// of it, else in room.
func (b *block[T]) gather(t, room []T) []T {
	if b.whole {
		return t
	}
	b.rows(func(outer, inner, n int) { copy(room[inner:inner+n], t[outer:outer+n]) })
	return room
}

// scatter writes the elements of the block to their places in a tensor.
func (b *block[T]) scatter(x, t []T) {
	if !b.whole {
		b.rows(func(outer, inner, n int) { copy(t[outer:outer+n], x[inner:inner+n]) })
	}
}

// room returns the number of elements that gather needs.
func (b *block[T]) room() int {
	if b.whole {
		return 0
	}
	return b.size
}

// gram computes c = alpha·X·Xᵀ + beta·c for the unfolding X of the left×n×right tensor x along its
// middle mode, an n×(left·right) matrix; the lower triangle of the n×n matrix c is
// written. If c has one row, it is the diagonal. w is room for reserveGram.
func gram[T dense.Float](alpha T, x []T, left, n, right int, beta T, c dense.Matrix[T], g *gramSpace[T]) {
	switch {
	case c.Rows == 1 && n != 1:
		sums := g.x
		clear(sums)
		for l := range left {
			part := x[l*n*right : (l+1)*n*right]
			if right == 1 {
				dense.MulAdd(part, part, sums, &g.o)
				continue
			}
			for j := range n {
				row := part[j*right : (j+1)*right]
				sums[j] += dense.Dot(row, row, &g.o)
			}
		}
		dense.Axpby(alpha, sums, beta, c.Data, &g.o)
	case left == 1:
		dense.Syrk(blas.Lower, blas.NoTrans, alpha, dense.MatrixOf(n, right, x), beta, c, &g.o)
	case right == 1:
		dense.Syrk(blas.Lower, blas.Trans, alpha, dense.MatrixOf(left, n, x), beta, c, &g.o)
	default:
		for l := range left {
			for j := range n {
				copy(g.x[(j*left+l)*right:(j*left+l+1)*right], x[(l*n+j)*right:(l*n+j+1)*right])
			}
		}
		dense.Syrk(blas.Lower, blas.NoTrans, alpha, dense.MatrixOf(n, left*right, g.x), beta, c, &g.o)
	}
}

// gramSpace is the workspace of gram.
type gramSpace[T dense.Float] struct {
	x []T // the unfolding, or sums for a diagonal
	o dense.Opts[T]
}

// reserveGram takes the workspace of gram from w.
func reserveGram[T dense.Float](w *space.Arena[T], left, n, right int, diagonal bool, threads int) (g gramSpace[T]) {
	g.o.Threads = threads
	switch {
	case diagonal && n != 1:
		g.x = w.Take(n)
	case left == 1:
		g.o.Work = w.Take(dense.SyrkWork[T](blas.NoTrans, n, right, threads))
	case right == 1:
		g.o.Work = w.Take(dense.SyrkWork[T](blas.Trans, n, left, threads))
	default:
		g.x = w.Take(n * left * right)
		g.o.Work = w.Take(dense.SyrkWork[T](blas.NoTrans, n, left*right, threads))
	}
	return g
}

// scaleMode multiplies the left×n×right tensor x along its middle mode with the diagonal d.
func scaleMode[T dense.Float](d, x []T, left, right int, o *dense.Opts[T]) {
	n := len(d)
	for l := range left {
		part := x[l*n*right : (l+1)*n*right]
		if right == 1 {
			dense.MulTo(part, d, part, o)
			continue
		}
		for j, v := range d {
			dense.Scal(v, part[j*right:(j+1)*right], o)
		}
	}
}
