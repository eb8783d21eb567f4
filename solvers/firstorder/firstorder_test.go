package firstorder_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/random"
	"github.com/precond-go/precond/solvers"
	. "github.com/precond-go/precond/solvers/firstorder"
)

func model[T dense.Float]() []solvers.Tensor[T] {
	return []solvers.Tensor[T]{solvers.NewTensor[T]("w", 40, 33), solvers.NewTensor[T]("empty", 0, 7),
		solvers.NewTensor[T]("scalar"), solvers.NewTensor[T]("large", 130, 1100)}
}

func fill[T dense.Float](ts []solvers.Tensor[T], step int) {
	for i, p := range ts {
		random.Normal(random.New(1, uint64(i), uint64(step)), 0, p.Data)
	}
}

func eps[T dense.Float]() float64 {
	if T(1)+0x1p-30 == 1 {
		return 0x1p-23
	}
	return 0x1p-52
}

func both(t *testing.T, f32, f64 func(t *testing.T)) {
	t.Run("float32", f32)
	t.Run("float64", f64)
}

// method is a way to make a preconditioner, and the textbook formulas of its directions:
// from the gradients of one element at steps 1, 2, ….
type method[T dense.Float] struct {
	name string
	make func(params []solvers.Tensor[T], threads int) solvers.Preconditioner[T]
	want func(g []float64) float64
}

const beta1, beta2, epsilon = 0.8, 0.95, 1e-3

func methods[T dense.Float]() []method[T] {
	config := func(threads int) Config {
		return Config{Beta1: solvers.Constant(beta1), Beta2: solvers.Constant(beta2), Eps: solvers.Constant(epsilon), Threads: threads}
	}
	ema := func(g []float64, beta float64, f func(float64) float64) (m float64) {
		for _, v := range g {
			m = beta*m + (1-beta)*f(v)
		}
		return m
	}
	id := func(x float64) float64 { return x }
	sq := func(x float64) float64 { return x * x }
	return []method[T]{
		{"adam", func(p []solvers.Tensor[T], threads int) solvers.Preconditioner[T] { return NewAdam(p, config(threads)) },
			func(g []float64) float64 {
				t := float64(len(g))
				m := ema(g, beta1, id) / (1 - math.Pow(beta1, t))
				v := ema(g, beta2, sq) / (1 - math.Pow(beta2, t))
				return m / (math.Sqrt(v) + epsilon)
			}},
		{"adamax", func(p []solvers.Tensor[T], threads int) solvers.Preconditioner[T] {
			return NewAdaMax(p, config(threads))
		},
			func(g []float64) float64 {
				u := 0.0
				for _, v := range g {
					u = max(beta2*u, math.Abs(v)+epsilon)
				}
				return ema(g, beta1, id) / (1 - math.Pow(beta1, float64(len(g)))) / u
			}},
		{"rmsprop", func(p []solvers.Tensor[T], threads int) solvers.Preconditioner[T] {
			c := config(threads)
			c.Beta1 = nil
			return NewRMSProp(p, c)
		}, func(g []float64) float64 { return g[len(g)-1] / (math.Sqrt(ema(g, beta2, sq)) + epsilon) }},
		{"adagrad", func(p []solvers.Tensor[T], threads int) solvers.Preconditioner[T] {
			return NewAdaGrad(p, Config{Eps: solvers.Constant(epsilon), Threads: threads})
		}, func(g []float64) float64 {
			s := 0.0
			for _, v := range g {
				s += v * v
			}
			return g[len(g)-1] / (math.Sqrt(s) + epsilon)
		}},
	}
}

// direct observes and applies.
func direct[T dense.Float](t *testing.T, p solvers.Preconditioner[T], step int, grads, dst []solvers.Tensor[T]) {
	t.Helper()
	if err := p.Observe(step, &solvers.Evidence[T]{Grads: grads}); err != nil {
		t.Fatal(err)
	}
	if err := p.Refresh(step, new(solvers.Report)); err != nil {
		t.Fatal(err)
	}
	if err := p.Apply(step, grads, dst); err != nil {
		t.Fatal(err)
	}
}

// TestFormulas compares each method with its formula, with and without normalisation; also
// in place, on different threads, with a dst full of NaN.
func TestFormulas(t *testing.T) { both(t, testFormulas[float32], testFormulas[float64]) }

func testFormulas[T dense.Float](t *testing.T) {
	for _, m := range methods[T]() {
		params := model[T]()
		grads, dst, same := model[T](), model[T](), model[T]()
		one, three := m.make(params, 1), m.make(params, 3)
		history := map[string][]float64{}
		for k := range 6 {
			fill(grads, k)
			for i := range dst {
				dense.MatrixOf(1, len(dst[i].Data), dst[i].Data).Fill(T(math.NaN()))
				copy(same[i].Data, grads[i].Data)
			}
			direct(t, one, k, grads, dst)
			direct(t, three, k, same, same)
			for i, d := range dst {
				for j := 0; j < len(d.Data); j += 1 + len(d.Data)/97 {
					at := fmt.Sprint(i, " ", j)
					history[at] = append(history[at], float64(grads[i].Data[j]))
					got, want := float64(d.Data[j]), m.want(history[at])
					if !(math.Abs(got-want) <= 50*eps[T]()*math.Abs(want)+20*eps[T]()) {
						t.Fatalf("%s: step %d: %s[%d] = %g, want %g", m.name, k, d.Name, j, got, want)
					}
				}
				for j := range d.Data {
					if d.Data[j] != same[i].Data[j] {
						t.Fatalf("%s: step %d: %s[%d] is %g on one thread, %g in place on three", m.name, k, d.Name, j, d.Data[j], same[i].Data[j])
					}
				}
			}
		}
	}
}

// TestDenseApplies checks Dense against Apply: with β1 = 0 the first moment is the gradient.
func TestDenseApplies(t *testing.T) { both(t, testDenseApplies[float32], testDenseApplies[float64]) }

func testDenseApplies[T dense.Float](t *testing.T) {
	params := model[T]()[:3]
	zero := solvers.Constant(0)
	for name, p := range map[string]solvers.Preconditioner[T]{
		"adam":             NewAdam(params, Config{Beta1: zero}),
		"adamax":           NewAdaMax(params, Config{Beta1: zero}),
		"rmsprop":          NewRMSProp(params, Config{}),
		"adagrad":          NewAdaGrad(params, Config{}),
		"normal adagrad":   NewAdaGrad(params, Config{Normalize: true}),
		"normalised":       NewNormalized(params, 1),
		"normalised rms":   NewRMSProp(params, Config{Normalize: true}),
		"gradient descent": solvers.NewIdentity(params),
	} {
		grads, dst := model[T]()[:3], model[T]()[:3]
		for k := range 3 {
			fill(grads, k)
			direct(t, p, k, grads, dst)
		}
		for i, g := range grads {
			d := p.Dense(i)
			if d.Rows != len(g.Data) || d.Cols != d.Rows {
				t.Fatalf("%s: Dense is %dx%d for %d elements", name, d.Rows, d.Cols, len(g.Data))
			}
			for r, got := range dst[i].Data {
				want := 0.0
				for c, v := range g.Data {
					want += d.At(r, c) * float64(v)
				}
				if !(math.Abs(float64(got)-want) <= 20*eps[T]()*math.Abs(want)) {
					t.Fatalf("%s: %s[%d] = %g, Dense gives %g", name, g.Name, r, got, want)
				}
			}
		}
	}
}

// TestNormalize checks that a method with Normalize does not see the scale of gradients, down
// to the smallest, and that its first direction is that of the unit vector.
func TestNormalize(t *testing.T) { both(t, testNormalize[float32], testNormalize[float64]) }

func testNormalize[T dense.Float](t *testing.T) {
	params := model[T]()[:1]
	for name, make := range map[string]func() solvers.Preconditioner[T]{
		"adam":    func() solvers.Preconditioner[T] { return NewAdam(params, Config{Normalize: true}) },
		"adamax":  func() solvers.Preconditioner[T] { return NewAdaMax(params, Config{Normalize: true}) },
		"rmsprop": func() solvers.Preconditioner[T] { return NewRMSProp(params, Config{Normalize: true}) },
		"adagrad": func() solvers.Preconditioner[T] { return NewAdaGrad(params, Config{Normalize: true}) },
		"only":    func() solvers.Preconditioner[T] { return NewNormalized(params, 1) },
	} {
		var first []T
		for _, scale := range []T{1, 0x1p-60, 0x1p60} {
			p, grads := make(), model[T]()[:1]
			for k := range 3 {
				fill(grads, k)
				dense.Scal(scale, grads[0].Data, nil)
				direct(t, p, k, grads, grads)
			}
			if first == nil {
				first = grads[0].Data
			} else if !slices.Equal(first, grads[0].Data) {
				t.Errorf("%s: gradients times %g give other directions", name, scale)
			}
			if n := float64(dense.Nrm2(grads[0].Data, nil)); name == "only" && !(math.Abs(n-1) <= 10*eps[T]()) {
				t.Errorf("norm %g", n)
			}
		}
		least := T(math.SmallestNonzeroFloat64)
		if eps[T]() > 1e-10 {
			least = T(math.SmallestNonzeroFloat32)
		}
		for _, v := range []T{0, least} {
			p, grads := make(), model[T]()[:1]
			grads[0].Data[3] = v
			direct(t, p, 0, grads, grads)
			for j, d := range grads[0].Data {
				if !(math.Abs(float64(d)) <= 10) || j != 3 && d != 0 || j == 3 && (d == 0) != (v == 0) {
					t.Errorf("%s: gradient %g: direction[%d] = %g", name, v, j, d)
				}
			}
		}
	}
}

// TestDead checks that elements whose gradient has always been zero stay where they are, and
// that one that wakes up moves by a bounded amount.
func TestDead(t *testing.T) {
	for _, m := range methods[float32]() {
		params := model[float32]()
		p, grads, dst := m.make(params, 1), model[float32](), model[float32]()
		for k := range 50 {
			direct(t, p, k, grads, dst)
			for i, d := range dst {
				if dense.MaxAbs(d.Data, nil) != 0 {
					t.Fatalf("%s: step %d: %s moves", m.name, k, dst[i].Name)
				}
			}
		}
		grads[0].Data[7] = 1e-20
		direct(t, p, 50, grads, dst)
		if d := dst[0].Data[7]; !(d > 0 && d < 10) {
			t.Errorf("%s: a dead element moves by %g", m.name, d)
		}
	}
}

// TestOverflow checks that gradients whose squares overflow are found before they reach
// the state.
func TestOverflow(t *testing.T) {
	for _, m := range methods[float32]() {
		params := model[float32]()
		p, clean := m.make(params, 1), m.make(params, 1)
		grads, dst, want := model[float32](), model[float32](), model[float32]()
		grads[3].Data[999] = 1e30
		err := p.Observe(0, &solvers.Evidence[float32]{Grads: grads})
		var e *dense.NonFiniteError
		if m.name == "adamax" {
			if err != nil {
				t.Errorf("%s keeps no squares: %v", m.name, err)
			}
			continue
		}
		if !errors.As(err, &e) || e.Where != "squares of the gradient of large" {
			t.Errorf("%s: error %v", m.name, err)
		}
		fill(grads, 1)
		direct(t, p, 0, grads, dst)
		direct(t, clean, 0, grads, want)
		for i := range dst {
			if !slices.Equal(dst[i].Data, want[i].Data) {
				t.Errorf("%s: %s differs after an error", m.name, dst[i].Name)
			}
		}
	}
	// AdaGrad's sum may overflow though no square does.
	params := model[float32]()
	p, grads := NewAdaGrad(params, Config{}), model[float32]()
	grads[0].Data[0] = 5e18 // squared: 2.5e37
	var err error
	for k := 0; err == nil && k < 20; k++ {
		if err = p.Observe(k, &solvers.Evidence[float32]{Grads: grads}); err == nil {
			p.Apply(k, grads, model[float32]())
		}
	}
	if err == nil || math.IsInf(p.Dense(0).At(0, 0), 0) || !(p.Dense(0).At(0, 0) > 0) {
		t.Errorf("error %v, P = %g", err, p.Dense(0).At(0, 0))
	}
}

// TestQuadratic runs each method on ½·Σ hᵢ·xᵢ² with a decreasing rate: all reach the minimum, and Adam's
// first step has length η in every element (Kingma and Ba, §2.1).
func TestQuadratic(t *testing.T) {
	for _, m := range append(methods[float64](),
		method[float64]{"normalized", func(p []solvers.Tensor[float64], threads int) solvers.Preconditioner[float64] {
			return NewNormalized(p, threads)
		}, nil}) {
		params := []solvers.Tensor[float64]{solvers.NewTensor[float64]("x", 20)}
		grads := solvers.Like(params)
		x := params[0].Data
		for i := range x {
			x[i] = float64(1 + i%3)
		}
		o := solvers.NewOptimizer(params, m.make(params, 1), solvers.NewMomentum(params,
			solvers.MomentumConfig{Rate: solvers.Linear(0.2, 0, 2000)}))
		for k := range 2000 {
			for i := range x {
				grads[0].Data[i] = float64(1+i) * x[i]
			}
			if _, err := o.Step(&solvers.Evidence[float64]{Grads: grads, Examples: 1}); err != nil {
				t.Fatal(err)
			}
			if m.name == "adam" && k == 0 {
				for i := range x {
					if moved := float64(1+i%3) - x[i]; !(math.Abs(moved-0.2) <= 1e-3) {
						t.Errorf("the first step of Adam is %g, want 0.2", moved)
					}
				}
			}
		}
		if worst := dense.MaxAbs(x, nil); !(worst <= 1e-3) {
			t.Errorf("%s: ends at %g", m.name, worst)
		}
	}
}

func TestMisuse(t *testing.T) {
	params := model[float64]()
	half := solvers.Constant(0.5)
	for name, f := range map[string]func(){
		"beta1 of rmsprop": func() { NewRMSProp(params, Config{Beta1: half}) },
		"beta2 of adagrad": func() { NewAdaGrad(params, Config{Beta2: half}) },
		"beta1 is 1":       func() { NewAdam(params, Config{Beta1: solvers.Constant(1)}) },
		"eps":              func() { NewAdam(params, Config{Eps: solvers.Constant(-1)}) },
		"gradients":        func() { NewAdam(params, Config{}).Observe(0, &solvers.Evidence[float64]{}) },
		"apply":            func() { NewAdam(params, Config{}).Apply(0, params[:2], params) },
		"normalised":       func() { NewNormalized(params, 0).Apply(0, params[:2], params) },
	} {
		func() {
			defer func() {
				if s := fmt.Sprint(recover()); len(s) < 11 || s[:11] != "firstorder:" {
					t.Errorf("%s: panic %v", name, s)
				}
			}()
			f()
		}()
	}
}
