package shampoo

import (
	"fmt"
	"math"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/solvers"
	"github.com/precond-go/precond/solvers/internal/crew"
)

// MuonScale says what a direction of Muon, whose singular values are about 1, is multiplied by.
type MuonScale int

const (
	// SpectralScale is √max(1, rows/cols): the step's operator norm, from root mean square to root
	// mean square, is about the same for all matrices (Jordan and others, 2024).
	SpectralScale MuonScale = iota
	// AdamScale is 0.2·√max(rows, cols): the elements have a root mean square of about
	// 0.2, as in Adam's directions, so that its rates can be used (Liu and others, Muon is
	// scalable for LLM training, 2025).
	AdamScale
)

// MuonOptions are the parameters of Muon. The zero value of each is its default.
type MuonOptions struct {
	Momentum solvers.Schedule // weight of the old momentum, in [0, 1); nil means 0.95
	Plain    bool             // without Nesterov's look-ahead
	Scale    MuonScale
	// Polynomials are those of the orthogonalisation; nil means dense.MuonPolynomials(0.01, 5).
	Polynomials *dense.OddPolynomials
	Threads     int // 0 means GOMAXPROCS; results do not depend on it
}

// Muon is orthogonalised momentum (Jordan and others, 2024): Shampoo without memory of its
// statistics. With the momentum m ← μ·m + (1−μ)·g and u = μ·m + (1−μ)·g (with Plain, u = m), the
// direction is the orthogonal polar factor of u, approximately, by products alone.
//
// A tensor is a matrix of its first dimension by all the others. That of a vector or a scalar is one
// column, so that its direction is u/‖u‖.
type Muon[T dense.Float] struct {
	o       MuonOptions
	params  []solvers.Tensor[T]
	m, u    []solvers.Tensor[T]
	errs    []error
	mu      float64
	applier *crew.Crew[T]
	grads   []solvers.Tensor[T] // of the Apply under way
	dst     []solvers.Tensor[T]
	plain   dense.Opts[T] // of operations without a workspace
}

// NewMuon returns Muon for the tensors of a model. It panics on impossible options.
func NewMuon[T dense.Float](params []solvers.Tensor[T], o MuonOptions) *Muon[T] {
	if o.Momentum == nil {
		o.Momentum = solvers.Constant(0.95)
	}
	if o.Polynomials == nil {
		o.Polynomials = dense.MuonPolynomials(0.01, 5)
	}
	if o.Scale < SpectralScale || o.Scale > AdamScale || o.Threads < 0 {
		panic(fmt.Sprintf("shampoo: NewMuon: scale %d, %d threads", o.Scale, o.Threads))
	}
	p := &Muon[T]{o: o, params: params, m: solvers.Like(params), u: solvers.Like(params), errs: make([]error, len(params)), plain: dense.Opts[T]{Threads: o.Threads}}
	costs := make([]float64, len(params))
	for i := range params {
		w := params[i].Matrix()
		costs[i] = float64(float64(len(params[i].Data)) * float64(min(w.Rows, w.Cols)))
	}
	p.applier = crew.New(costs, o.Threads, func(threads int) (n int) {
		for i := range params {
			w := params[i].Matrix()
			n = max(n, dense.OrthogonalizeWork[T](w.Rows, w.Cols, threads))
		}
		return n
	}, p.apply)
	return p
}

// Needs returns 0: gradients are enough.
func (p *Muon[T]) Needs(int) solvers.Needs { return 0 }

// Observe checks the gradients. Errors: *dense.NonFiniteError, which names the tensor.
func (p *Muon[T]) Observe(_ int, e *solvers.Evidence[T]) error {
	solvers.CheckLike("shampoo: Observe", "the model", p.params, "the gradient", e.Grads)
	for i := range p.params {
		if n := e.Norm(i); n-n != 0 {
			return &dense.NonFiniteError{Where: "gradient of " + p.params[i].Name}
		}
	}
	return nil
}

// Check returns the error that Observe would return now.
func (p *Muon[T]) Check(step int, e *solvers.Evidence[T]) error { return p.Observe(step, e) }

// Refresh does nothing.
func (p *Muon[T]) Refresh(int, *solvers.Report) error { return nil }

// Apply takes the gradients into the momentum and sets dst to the directions.
//
// Cost: that of dense.Orthogonalize. Errors: *dense.NonFiniteError, which names the tensor, if a
// gradient is not finite; nothing has changed then.
func (p *Muon[T]) Apply(step int, grads, dst []solvers.Tensor[T]) error {
	solvers.CheckLike("shampoo: Apply", "the model", p.params, "grads", grads)
	solvers.CheckLike("shampoo: Apply", "the model", p.params, "dst", dst)
	p.mu = p.o.Momentum.At(step)
	if !(p.mu >= 0 && p.mu < 1) {
		panic(fmt.Sprintf("shampoo: Muon: step %d: momentum %g", step, p.mu))
	}
	for i := range grads {
		if x := dense.MaxAbs(grads[i].Data, &p.plain); x-x != 0 {
			return &dense.NonFiniteError{Where: "gradient of " + p.params[i].Name}
		}
	}
	p.grads, p.dst = grads, dst
	p.applier.Run()
	p.grads, p.dst = nil, nil
	for i, err := range p.errs {
		if err != nil {
			return fmt.Errorf("shampoo: %s: %w", p.params[i].Name, err)
		}
	}
	return nil
}

// apply does tensor i of Apply.
func (p *Muon[T]) apply(i int, o *dense.Opts[T]) {
	g, m, u := p.grads[i].Data, p.m[i].Data, p.u[i]
	dense.EMA(T(p.mu), g, m, o)
	copy(u.Data, m)
	if !p.o.Plain {
		dense.EMA(T(p.mu), g, u.Data, o)
	}
	q := p.dst[i].Matrix()
	_, p.errs[i] = dense.Orthogonalize(u.Matrix(), q, p.o.Polynomials, o)
	if p.errs[i] == nil {
		dense.Scal(T(p.scale(q.Rows, q.Cols)), p.dst[i].Data, o)
	}
}

func (p *Muon[T]) scale(rows, cols int) float64 {
	if p.o.Scale == AdamScale {
		return float64(0.2 * math.Sqrt(float64(max(rows, cols))))
	}
	return math.Sqrt(max(1, float64(rows)/float64(max(1, cols))))
}

// Dense returns the matrix whose product with the last momentum u is the direction:
// the inverse root (U·Uᵀ)^(−1/2)⊗I that dense.Orthogonalize approximates, to its accuracy. It is
// for tests, and linear only in this sense: it depends on u.
func (p *Muon[T]) Dense(param int) dense.Matrix[float64] {
	u := p.u[param].Matrix()
	w := dense.NewMatrix[float64](u.Rows, u.Cols)
	for i, x := range u.Data {
		w.Data[i] = float64(x)
	}
	// For u = U·S·Vᵀ it is U·S⁺·Uᵀ, times the scale, on the rows.
	k := min(w.Rows, w.Cols)
	left, right, s := dense.NewMatrix[float64](w.Rows, k), dense.NewMatrix[float64](k, w.Cols), make([]float64, k)
	if err := dense.SVD(w, left, s, right, nil); err != nil {
		panic(err) // the momentum is finite
	}
	n := u.Rows * u.Cols
	d := dense.NewMatrix[float64](n, n)
	for a := range u.Rows {
		for b := range u.Rows {
			sum := 0.0
			for j, v := range s {
				if v > float64(1e-12*s[0]) {
					sum = math.FMA(left.At(a, j)/v, left.At(b, j), sum)
				}
			}
			sum = float64(sum * p.scale(u.Rows, u.Cols))
			for c := range u.Cols {
				d.Set(a*u.Cols+c, b*u.Cols+c, sum)
			}
		}
	}
	return d
}

// State names the momentum.
func (p *Muon[T]) State(v *solvers.State) {
	for _, m := range p.m {
		solvers.Floats(v, "momentum "+m.Name, m.Data)
	}
}
