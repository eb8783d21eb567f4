package firstorder

import (
	"fmt"
	"math"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/par"
	"github.com/precond-go/precond/solvers"
)

// Config are the hyper-parameters of adaptive methods. A nil Schedule has the value that the
// method's function names.
type Config struct {
	Beta1 solvers.Schedule // weight of the old first moment, in [0, 1)
	Beta2 solvers.Schedule // weight of the old second moment, in [0, 1)
	Eps   solvers.Schedule // added to the root of the second moment, in the unit of the gradient; nil means 1e-8
	// Normalize divides the gradient of each tensor by its Euclidean norm before
	// anything else.
	Normalize bool
	Threads   int // 0 means GOMAXPROCS
}

// kind is one of the adaptive methods.
type kind int

const (
	adam kind = iota
	adaMax
	rmsProp
	adaGrad
)

var kindNames = [...]string{"adam", "adamax", "rmsprop", "adagrad"}

// Adaptive is a method that divides by a running magnitude of each element's
// gradient: Adam, AdaMax, RMSProp or AdaGrad. Apply observes too: it makes one pass
// over gradients, moments and directions.
//
// Observe's errors: *dense.NonFiniteError, which names the tensor, if the squares that
// the method keeps of a finite gradient would overflow.
type Adaptive[T dense.Float] struct {
	kind   kind
	c      Config
	names  []string
	m      []solvers.Tensor[T] // first moments, only Adam and AdaMax
	v      []solvers.Tensor[T] // second moments, or infinity norms
	prod1  float64             // product of all β1 so far: 1 minus the bias correction
	prod2  float64             // the same for β2
	norm   []float64           // of the gradients that were observed last
	total  []float64           // AdaGrad: sum of squared norms, a bound of v
	scale  []T                 // factor of each gradient
	h      *[asm.AdamLen]T     // scalars of the last Apply
	hs     [][asm.AdamLen]T    // the same for each tensor, with its scale
	sweep  *par.Sweep
	piece  func(par.Piece)
	g, dst []solvers.Tensor[T] // of the Apply under way
}

// NewAdam returns Adam (Kingma and Ba, ICLR 2015, algorithm 1): the direction is
// m̂/(√v̂ + ε) of the bias-corrected moments. Defaults: β1 = 0.9, β2 = 0.999.
func NewAdam[T dense.Float](params []solvers.Tensor[T], c Config) *Adaptive[T] {
	return newAdaptive(adam, params, c, 0.9, 0.999)
}

// NewAdaMax returns AdaMax (Kingma and Ba, algorithm 2): m̂/u with the infinity norm
// u = max(β2·u, |g| + ε). Defaults: β1 = 0.9, β2 = 0.999.
func NewAdaMax[T dense.Float](params []solvers.Tensor[T], c Config) *Adaptive[T] {
	return newAdaptive(adaMax, params, c, 0.9, 0.999)
}

// NewRMSProp returns RMSProp (Tieleman and Hinton, 2012): g/(√v + ε) with the moving
// average v of squares, without bias correction. Default: β2 = 0.99. With bias
// correction it is Adam with β1 = 0.
func NewRMSProp[T dense.Float](params []solvers.Tensor[T], c Config) *Adaptive[T] {
	return newAdaptive(rmsProp, params, c, 0, 0.99)
}

// NewAdaGrad returns AdaGrad (Duchi, Hazan and Singer, JMLR 2011, the diagonal
// method): g/(√v + ε) with the sum v of squares.
func NewAdaGrad[T dense.Float](params []solvers.Tensor[T], c Config) *Adaptive[T] {
	return newAdaptive(adaGrad, params, c, 0, 0)
}

// pieceLen is the number of elements that all operations go over before the next
// are fetched.
const pieceLen = 2048

func newAdaptive[T dense.Float](k kind, params []solvers.Tensor[T], c Config, beta1, beta2 float64) *Adaptive[T] {
	moving := k == adam || k == adaMax
	if !moving && c.Beta1 != nil || k == adaGrad && c.Beta2 != nil {
		panic(fmt.Sprintf("firstorder: %s has no such moment", kindNames[k]))
	}
	for _, s := range []struct {
		s       *solvers.Schedule
		initial float64
	}{{&c.Beta1, beta1}, {&c.Beta2, beta2}, {&c.Eps, 1e-8}} {
		if *s.s == nil {
			*s.s = solvers.Constant(s.initial)
		}
	}
	a := &Adaptive[T]{kind: k, c: c, v: solvers.Like(params), prod1: 1, prod2: 1,
		norm: make([]float64, len(params)), scale: make([]T, len(params)), hs: make([][asm.AdamLen]T, len(params)), h: new([asm.AdamLen]T)}
	var lengths []int
	for i, p := range params {
		a.names = append(a.names, p.Name)
		lengths = append(lengths, len(p.Data))
		a.scale[i] = 1
	}
	a.sweep = par.NewSweep(lengths, pieceLen)
	switch k {
	case adam:
		a.piece = a.adam
	case adaMax:
		a.piece = a.adaMax
	default:
		a.piece = a.root
	}
	if moving {
		a.m = solvers.Like(params)
	}
	if k == adaGrad {
		a.total = make([]float64, len(params))
	}
	a.scalars(0)
	return a
}

// Needs returns 0: gradients are enough.
func (a *Adaptive[T]) Needs(int) solvers.Needs { return 0 }

// Check returns the error that Observe would return.
func (a *Adaptive[T]) Check(_ int, e *solvers.Evidence[T]) error {
	if len(e.Grads) != len(a.v) {
		panic(fmt.Sprintf("firstorder: Observe: %d gradients, want %d", len(e.Grads), len(a.v)))
	}
	for i := range e.Grads {
		n := e.Norm(i)
		if n-n == 0 && (a.c.Normalize || a.kind == adaMax) {
			n = min(n, 1)
		}
		square := float64(n * n)
		if a.kind == adaGrad {
			square += a.total[i]
		}
		if !(square <= solvers.Greatest[T]()/4) {
			return &dense.NonFiniteError{Where: "squares of the gradient of " + a.names[i]}
		}
	}
	return nil
}

// Observe checks the gradients and takes their norms; see Adaptive.
func (a *Adaptive[T]) Observe(step int, e *solvers.Evidence[T]) error {
	if err := a.Check(step, e); err != nil {
		return err
	}
	for i := range e.Grads {
		a.norm[i] = e.Norm(i)
	}
	return nil
}

// Refresh does nothing: there is nothing to invert.
func (a *Adaptive[T]) Refresh(int, *solvers.Report) error { return nil }

// scalars sets a.h for a step.
func (a *Adaptive[T]) scalars(step int) {
	beta1, beta2, eps := a.c.Beta1.At(step), a.c.Beta2.At(step), a.c.Eps.At(step)
	if !(beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1 && eps >= 0) {
		panic(fmt.Sprintf("firstorder: %s: step %d: β1 = %g, β2 = %g, ε = %g", kindNames[a.kind], step, beta1, beta2, eps))
	}
	*a.h = [asm.AdamLen]T{asm.AdamBeta1: T(beta1), asm.AdamBeta2: T(beta2), asm.AdamEps: T(eps),
		// The kernels' last line, p − Rate·d − Decay·p, is to be d with its bias
		// correction for a finite p.
		asm.AdamRate:  T(-1 / (1 - float64(a.prod1*beta1))),
		asm.AdamRoot:  T(1 / math.Sqrt(1-float64(a.prod2*beta2))),
		asm.AdamDecay: 1,
	}
}

// Apply takes the gradients into the moments and sets dst to the directions.
func (a *Adaptive[T]) Apply(step int, grads, dst []solvers.Tensor[T]) error {
	solvers.CheckLike("firstorder: Apply", "the model", a.v, "grads", grads)
	solvers.CheckLike("firstorder: Apply", "the model", a.v, "dst", dst)
	a.scalars(step)
	for i, n := range a.norm {
		if a.c.Normalize {
			a.scale[i] = inverse[T](n)
			n = min(n, 1)
		}
		if a.kind == adaGrad {
			a.total[i] = math.FMA(n, n, a.total[i])
		}
		a.hs[i] = *a.h
		a.hs[i][asm.AdamScale] = a.scale[i]
	}
	a.g, a.dst = grads, dst
	a.sweep.Run(a.c.Threads, a.piece)
	a.g, a.dst = nil, nil
	a.prod1 = float64(a.prod1 * a.c.Beta1.At(step))
	a.prod2 = float64(a.prod2 * a.c.Beta2.At(step))
	return nil
}

// adam does a piece of Adam.
func (a *Adaptive[T]) adam(p par.Piece) {
	g, dst := a.pair(p)
	dense.Adam(&a.hs[p.Vector], g, a.m[p.Vector].Data[p.Lo:p.Hi], a.v[p.Vector].Data[p.Lo:p.Hi], dst, nil)
}

// adaMax does a piece of AdaMax.
func (a *Adaptive[T]) adaMax(p par.Piece) {
	g, dst := a.pair(p)
	dense.AdaMax(&a.hs[p.Vector], g, a.m[p.Vector].Data[p.Lo:p.Hi], a.v[p.Vector].Data[p.Lo:p.Hi], dst, nil)
}

// pair returns gradient and direction of a piece; what the kernels add to is finite.
func (a *Adaptive[T]) pair(p par.Piece) (g, dst []T) {
	g, dst = a.g[p.Vector].Data[p.Lo:p.Hi], a.dst[p.Vector].Data[p.Lo:p.Hi]
	if &g[0] != &dst[0] {
		clear(dst)
	}
	return g, dst
}

// root does a piece of RMSProp or AdaGrad.
func (a *Adaptive[T]) root(p par.Piece) {
	g, dst, v := a.g[p.Vector].Data[p.Lo:p.Hi], a.dst[p.Vector].Data[p.Lo:p.Hi], a.v[p.Vector].Data[p.Lo:p.Hi]
	if a.c.Normalize {
		dense.ScalTo(a.scale[p.Vector], g, dst, nil)
		g = dst
	}
	if a.kind == rmsProp {
		dense.EMASq(a.h[asm.AdamBeta2], g, v, nil)
	} else {
		dense.MulAdd(g, g, v, nil)
	}
	dense.SqrtDivTo(a.h[asm.AdamEps], g, v, dst, nil)
}

// Dense returns the diagonal matrix that the last Apply multiplied by: the gradient, or
// the first moment of Adam and AdaMax.
func (a *Adaptive[T]) Dense(param int) dense.Matrix[float64] {
	v := a.v[param].Data
	d := dense.NewMatrix[float64](len(v), len(v))
	for i, vi := range v {
		x := math.Sqrt(float64(vi))
		switch a.kind {
		case adam:
			x = math.FMA(x, float64(a.h[asm.AdamRoot]), float64(a.h[asm.AdamEps])) / -float64(a.h[asm.AdamRate])
		case adaMax:
			x = float64(vi) / -float64(a.h[asm.AdamRate])
		default:
			x = (x + float64(a.h[asm.AdamEps])) / float64(a.scale[param])
		}
		d.Set(i, i, 1/x)
	}
	return d
}

// State names the moments and what their bias corrections need.
func (a *Adaptive[T]) State(s *solvers.State) {
	s.Within(kindNames[a.kind], func(s *solvers.State) {
		for i, name := range a.names {
			if a.m != nil {
				solvers.Floats(s, "first moment "+name, a.m[i].Data)
			}
			solvers.Floats(s, "second moment "+name, a.v[i].Data)
		}
		s.Float("beta1 product", &a.prod1)
		s.Float("beta2 product", &a.prod2)
		solvers.Floats(s, "squared norms", a.total)
		solvers.Floats(s, "scales", a.scale)
		solvers.Floats(s, "scalars", a.h[:])
	})
}
