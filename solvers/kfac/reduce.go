package kfac

import (
	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/kron"
	"github.com/precond-go/precond/solvers"
)

// reduced holds layers with one position in place of those with several: the mean of an
// example's inputs, and the sum of its gradients.
//
// Source: Eschenhagen, Immer, Turner, Schneider and Hennig, Kronecker-factored approximate
// curvature for modern neural network architectures, NeurIPS 2023, section 3.3.
type reduced[T dense.Float] struct {
	sets [][]solvers.Layer[T] // by set and block
	x    [][]T                // room for inputs, by block
	g    [][][]T              // room for gradients, by set and block
}

func newReduced[T dense.Float](blocks int) *reduced[T] {
	return &reduced[T]{x: make([][]T, blocks)}
}

// of returns the layers of the sets with one position each. Where they have one, they are the
// same.
func (r *reduced[T]) of(sets [][]solvers.Layer[T], blocks []block[T], o *dense.Opts[T]) [][]solvers.Layer[T] {
	for len(r.sets) < len(sets) {
		r.sets = append(r.sets, make([]solvers.Layer[T], len(blocks)))
		r.g = append(r.g, make([][]T, len(blocks)))
	}
	r.sets = r.sets[:len(sets)]
	for s, set := range sets {
		for i := range set {
			from, to := &set[i], &r.sets[s][i]
			*to = *from
			if from.Conv == nil && from.Positions == 1 {
				continue
			}
			to.Positions, to.Conv = 1, nil
			mean := T(1 / float64(from.Positions))
			switch {
			case s > 0:
				to.Inputs = r.sets[0][i].Inputs
			case from.Conv != nil:
				to.Inputs = fit(&r.x[i], from.Examples, from.Conv.Patch())
				kron.ConvReduce(mean, *from.Conv, blocks[i].group, from.Inputs, to.Inputs)
			default:
				to.Inputs = fit(&r.x[i], from.Examples, from.Inputs.Cols)
				kron.Reduce(mean, from.Positions, from.Inputs, to.Inputs, o)
			}
			to.Grads = fit(&r.g[s][i], from.Examples, from.Grads.Cols)
			kron.Reduce(1, from.Positions, from.Grads, to.Grads, o)
		}
	}
	return r.sets
}
