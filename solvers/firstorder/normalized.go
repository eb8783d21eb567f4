package firstorder

import (
	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/solvers"
)

// Normalized divides the gradient of each tensor by its Euclidean norm n: the factor is
// 1/n, or the greatest finite number where that is less. So a zero gradient gives a zero
// direction.
type Normalized[T dense.Float] struct {
	n    []int // elements of each tensor
	norm []float64
	opts dense.Opts[T]
}

// inverse returns 1/n, at most the greatest finite number.
func inverse[T dense.Float](n float64) T { return T(min(1/n, solvers.Greatest[T]())) }

// NewNormalized returns the method for params. 0 threads means GOMAXPROCS.
func NewNormalized[T dense.Float](params []solvers.Tensor[T], threads int) *Normalized[T] {
	p := &Normalized[T]{norm: make([]float64, len(params)), opts: dense.Opts[T]{Threads: threads}}
	for _, t := range params {
		p.n = append(p.n, len(t.Data))
	}
	return p
}

// Needs returns 0: gradients are enough.
func (p *Normalized[T]) Needs(int) solvers.Needs { return 0 }

// Check returns nil.
func (p *Normalized[T]) Check(int, *solvers.Evidence[T]) error { return nil }

// Observe takes the norms.
func (p *Normalized[T]) Observe(_ int, e *solvers.Evidence[T]) error {
	for i := range p.norm {
		p.norm[i] = e.Norm(i)
	}
	return nil
}

// Refresh does nothing.
func (p *Normalized[T]) Refresh(int, *solvers.Report) error { return nil }

// Apply divides by the norms.
func (p *Normalized[T]) Apply(_ int, grads, dst []solvers.Tensor[T]) error {
	solvers.CheckLike("firstorder: Apply", "grads", grads, "dst", dst)
	for i, g := range grads {
		dense.ScalTo(inverse[T](p.norm[i]), g.Data, dst[i].Data, &p.opts)
	}
	return nil
}

// Dense returns the identity over the norm of the last gradient.
func (p *Normalized[T]) Dense(param int) dense.Matrix[float64] {
	m := dense.NewMatrix[float64](p.n[param], p.n[param])
	for i := range m.Rows {
		m.Set(i, i, float64(inverse[T](p.norm[param])))
	}
	return m
}

// State names nothing: a step needs only its own gradient.
func (p *Normalized[T]) State(*solvers.State) {}
