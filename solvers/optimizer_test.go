package solvers_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/kron"
	. "github.com/precond-go/precond/solvers"
	"github.com/precond-go/precond/solvers/firstorder"
)

// fake is a preconditioner that fails where it is told to and notes what it is asked.
type fake[T dense.Float] struct {
	*Identity[T]
	needs                   Needs
	observe, refresh, apply error
	poison                  bool // Apply gives NaN
	calls                   []string
	seen                    Evidence[T]
}

func (f *fake[T]) Needs(int) Needs { return f.needs }
func (f *fake[T]) Observe(step int, e *Evidence[T]) error {
	f.calls = append(f.calls, fmt.Sprint("observe ", step))
	f.seen = *e
	return f.observe
}
func (f *fake[T]) Refresh(step int, r *Report) error {
	f.calls = append(f.calls, fmt.Sprint("refresh ", step))
	r.Blocks = append(r.Blocks, Block{Name: "b", Refreshed: true})
	return f.refresh
}
func (f *fake[T]) Apply(step int, grads, dst []Tensor[T]) error {
	f.calls = append(f.calls, fmt.Sprint("apply ", step))
	f.Identity.Apply(step, grads, dst)
	if f.poison {
		dst[0].Data[3] = T(math.NaN())
	}
	return f.apply
}

func newFake[T dense.Float](params []Tensor[T]) (*fake[T], *Optimizer[T]) {
	f := &fake[T]{Identity: NewIdentity(params)}
	return f, NewOptimizer(params, f, NewMomentum(params, MomentumConfig{Rate: Constant(0.1), Momentum: Constant(0.5)}))
}

func TestOptimizerOrder(t *testing.T) {
	params, grads := small[float64](1), small[float64](2)
	f, o := newFake(params)
	f.needs = NeedCurvature
	if o.Needs() != NeedCurvature {
		t.Errorf("needs %b", o.Needs())
	}
	f.needs = 0
	for k := range 2 {
		before := params[0].Data[5]
		e := evidence(grads)
		e.Loss = 7
		r, err := o.Step(e)
		if err != nil {
			t.Fatal(err)
		}
		norm, _ := Norm(grads, nil)
		if r.Step != k || r.Loss != 7 || r.Rate != 0.1 || r.Clip != 1 || r.Momentum != 0.5 || r.Norm != norm || len(r.Blocks) != 1 {
			t.Errorf("report %+v", r)
		}
		want := before - 0.1*grads[0].Data[5]*(1+0.5*float64(k))
		if got := params[0].Data[5]; !(math.Abs(got-want) <= 1e-15) {
			t.Errorf("step %d: %g, want %g", k, got, want)
		}
	}
	if want := []string{"observe 0", "refresh 0", "apply 0", "observe 1", "refresh 1", "apply 1"}; !slices.Equal(f.calls, want) || o.Steps() != 2 {
		t.Errorf("calls %v, %d steps", f.calls, o.Steps())
	}
}

// TestOptimizerErrors checks that after an error parameters and momentum are as before
// and that the same step follows.
func TestOptimizerErrors(t *testing.T) {
	both(t, testOptimizerErrors[float32], testOptimizerErrors[float64])
}

func testOptimizerErrors[T dense.Float](t *testing.T) {
	nan, inf := T(math.NaN()), T(math.Inf(-1))
	boom := errors.New("boom")
	layer := func() [][]Layer[T] {
		return [][]Layer[T]{{{Name: "l1", Param: 0, Examples: 3, Positions: 1, Inputs: dense.NewMatrix[T](3, 33), Grads: dense.NewMatrix[T](3, 40)}}}
	}
	var bad Tensor[T]
	greatest := math.MaxFloat64
	if eps[T]() > 1e-10 {
		greatest = math.MaxFloat32
	}
	for _, c := range []struct {
		name   string
		break_ func(f *fake[T], o *Optimizer[T], e *Evidence[T])
		where  string // of the NonFiniteError, or empty for boom
		calls  int    // of the preconditioner
	}{
		{"NaN", func(_ *fake[T], _ *Optimizer[T], e *Evidence[T]) { bad = e.Grads[4]; bad.Data[149] = nan }, "gradient of conv", 0},
		{"Inf", func(_ *fake[T], _ *Optimizer[T], e *Evidence[T]) { bad = e.Grads[3]; bad.Data[0] = inf }, "gradient of scalar", 0},
		{"overflow", func(_ *fake[T], _ *Optimizer[T], e *Evidence[T]) {
			for i := range e.Grads[0].Data {
				e.Grads[0].Data[i] = T(greatest)
			}
		}, "gradient of w1", 0},
		{"loss", func(_ *fake[T], _ *Optimizer[T], e *Evidence[T]) { e.Loss = math.NaN() }, "loss", 0},
		{"inputs", func(_ *fake[T], _ *Optimizer[T], e *Evidence[T]) {
			e.Layers = layer()
			e.Layers[0][0].Inputs.Set(2, 32, nan)
		}, "inputs of layer l1", 0},
		{"statistics", func(_ *fake[T], _ *Optimizer[T], e *Evidence[T]) {
			e.Layers = layer()
			e.Layers[0][0].Grads.Set(0, 0, inf)
		}, "gradients of layer l1", 0},
		{"observe", func(f *fake[T], _ *Optimizer[T], _ *Evidence[T]) { f.observe = boom }, "", 1},
		{"refresh", func(f *fake[T], _ *Optimizer[T], _ *Evidence[T]) { f.refresh = boom }, "", 2},
		{"apply", func(f *fake[T], _ *Optimizer[T], _ *Evidence[T]) { f.apply = boom }, "", 3},
		{"direction", func(f *fake[T], _ *Optimizer[T], _ *Evidence[T]) { f.poison = true }, "direction of w1", 3},
		{"penalty", func(_ *fake[T], o *Optimizer[T], _ *Evidence[T]) { o.L2 = Constant(math.MaxFloat64) }, "penalised gradient of w1", 0},
	} {
		params, grads := small[T](1), small[T](2)
		f, o := newFake(params)
		good := small[T](1)
		_, goodO := newFake(good)

		step := func(o *Optimizer[T], e *Evidence[T]) {
			if _, err := o.Step(e); err != nil {
				t.Fatal(err)
			}
		}
		step(o, evidence(grads))
		step(goodO, evidence(grads))
		f.calls = nil
		before := bits(params)
		e := evidence(small[T](3))
		c.break_(f, o, e)
		r, err := o.Step(e)
		var nonFinite *dense.NonFiniteError
		switch {
		case err == nil || r != nil:
			t.Errorf("%s: report %v, error %v", c.name, r, err)
		case c.where == "" && !errors.Is(err, boom):
			t.Errorf("%s: error %v", c.name, err)
		case c.where != "" && (!errors.As(err, &nonFinite) || nonFinite.Where != c.where && nonFinite.Where != "norm of "+c.where):
			t.Errorf("%s: error %v, want %s", c.name, err, c.where)
		}
		if len(f.calls) != c.calls || o.Steps() != 1 || !slices.Equal(bits(params), before) {
			t.Errorf("%s: calls %v, %d steps, parameters changed: %v", c.name, f.calls, o.Steps(), !slices.Equal(bits(params), before))
		}
		f.observe, f.refresh, f.apply, f.poison, o.L2 = nil, nil, nil, false, nil
		step(o, evidence(grads))
		step(goodO, evidence(grads))
		if !slices.Equal(bits(params), bits(good)) {
			t.Errorf("%s: the next step differs", c.name)
		}
	}
}

// TestOptimizerShapes checks that evidence that does not fit the model panics.
func TestOptimizerShapes(t *testing.T) {
	params := small[float32](1)
	f, o := newFake(params)
	g := kron.ConvGeometry{Height: 6, Width: 6, Channels: 2, Out: 3, KernelH: 5, KernelW: 5, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, Groups: 1}
	good := func() Layer[float32] {
		return Layer[float32]{Name: "l", Param: 4, Examples: 2, Positions: 4, Conv: &g, Inputs: dense.NewMatrix[float32](72, 2), Grads: dense.NewMatrix[float32](8, 3)}
	}
	try := func(l Layer[float32]) {
		o.Step(&Evidence[float32]{Grads: small[float32](2), Layers: [][]Layer[float32]{{l}}})
	}
	try(good())
	for name, change := range map[string]func(l *Layer[float32]){
		"param":     func(l *Layer[float32]) { l.Param = 5 },
		"positions": func(l *Layer[float32]) { l.Positions = 5 },
		"examples":  func(l *Layer[float32]) { l.Examples = 3 },
		"bias":      func(l *Layer[float32]) { l.Bias = true },
		"grads":     func(l *Layer[float32]) { l.Grads = dense.NewMatrix[float32](8, 4) },
		"channels":  func(l *Layer[float32]) { l.Inputs = dense.NewMatrix[float32](72, 3) },
		"no conv":   func(l *Layer[float32]) { l.Conv = nil },
		"geometry":  func(l *Layer[float32]) { h := g; h.Groups = 0; l.Conv = &h },
	} {
		l := good()
		change(&l)
		mustPanic(t, name, "solvers: Step: layer l: ", func() { try(l) })
	}
	mustPanic(t, "tensors", "solvers: Step: ", func() { o.Step(evidence(params[:2])) })
	mustPanic(t, "shape", "solvers: Step: ", func() {
		grads := small[float32](2)
		grads[0].Shape = []int{33, 40}
		o.Step(evidence(grads))
	})
	f.needs = NeedCurvature
	mustPanic(t, "curvature", "solvers: Step: step 1 needs Curvature", func() { o.Step(evidence(small[float32](2))) })
	f.needs = NeedSampledLayers
	mustPanic(t, "layers", "solvers: Step: step 1 needs Layers", func() { o.Step(evidence(small[float32](2))) })
	params[0].Shape = []int{3}
	mustPanic(t, "params", "solvers: NewOptimizer: w1", func() { NewOptimizer(params, nil, nil) })
}

// TestOptimizerGradient checks ClipNorm and L2, which all parts see.
func TestOptimizerGradient(t *testing.T) {
	params, grads := small[float64](1), small[float64](2)
	f, o := newFake(params)
	o.L2, o.ClipNorm = Constant(0.25), Constant(2)
	norm, _ := Norm(grads, nil)
	want := Like(grads)
	for i, g := range grads {
		for j, v := range g.Data {
			want[i].Data[j] = 2/norm*v + 0.25*params[i].Data[j]
		}
	}
	r, err := o.Step(evidence(grads))
	if err != nil {
		t.Fatal(err)
	}
	if r.Norm != norm || !(math.Abs(r.Clip-2/norm) <= 1e-15) {
		t.Errorf("report %+v, norm %g", r, norm)
	}
	for i, w := range want {
		for j, v := range w.Data {
			if got := f.seen.Grads[i].Data[j]; !(math.Abs(got-v) <= 1e-14) {
				t.Fatalf("%s[%d] = %g, want %g", w.Name, j, got, v)
			}
		}
		if got, n := f.seen.Norm(i), dense.Nrm2(w.Data, nil); !(math.Abs(got-n) <= 1e-13*n) {
			t.Errorf("norm of %s %g, want %g", w.Name, got, n)
		}
	}
}

// TestOptimizerThreads checks that bits do not depend on the number of threads and that steps
// allocate nothing.
func TestOptimizerThreads(t *testing.T) {
	both(t, testOptimizerThreads[float32], testOptimizerThreads[float64])
}

func testOptimizerThreads[T dense.Float](t *testing.T) {
	var first []uint64
	for threads := 1; threads <= 3; threads++ {
		params, grads := model[T](1), model[T](2)
		o := NewOptimizer(params, firstorder.NewAdam(params, firstorder.Config{Threads: threads}),
			NewMomentum(params, MomentumConfig{Rate: Warmup(10, Constant(0.01)), Momentum: Constant(0.9), Nesterov: true, Decay: Constant(0.1),
				ClipNorm: Constant(1), ClipKL: Constant(1e-3), Threads: threads}))
		o.Threads, o.ClipNorm, o.L2 = threads, Constant(3), Constant(1e-3)
		e := evidence(grads)
		for k := range 5 {
			fill(grads, 2, uint64(k))
			if _, err := o.Step(e); err != nil {
				t.Fatal(err)
			}
		}
		if first == nil {
			first = bits(params)
		} else if !slices.Equal(first, bits(params)) {
			t.Errorf("%d threads: other bits", threads)
		}
		if a := testing.AllocsPerRun(5, func() { o.Step(e) }); a != 0 {
			t.Errorf("%d threads: %v allocations per step", threads, a)
		}
	}
}

func TestNorm(t *testing.T) {
	big, tiny := []float32{3e38, 3e38}, []float32{3e-45, 4e-45}
	ts := []Tensor[float32]{{"a", []int{1}, big[:1]}, {"b", []int{1}, big[1:]}}
	if n, err := Norm(ts, nil); err != nil || !(math.Abs(n/3e38-math.Sqrt2) <= 1e-6) {
		t.Errorf("norm %g, %v", n, err)
	}
	ts = []Tensor[float32]{{"a", []int{1}, tiny[:1]}, {"b", []int{0}, nil}, {"c", []int{1}, tiny[1:]}}
	want := math.Sqrt(float64(tiny[0])*float64(tiny[0]) + float64(tiny[1])*float64(tiny[1]))
	if n, err := Norm(ts, nil); err != nil || !(math.Abs(n-want) <= 1e-15*want) {
		t.Errorf("norm %g, want %g, %v", n, want, err)
	}
	huge := []Tensor[float64]{{"a", []int{1}, []float64{1e300}}, {"b", []int{1}, []float64{1e300}}}
	if n, err := Norm(huge, nil); err != nil || !(math.Abs(n/1e300-math.Sqrt2) <= 1e-15) {
		t.Errorf("norm %g, %v", n, err)
	}
}
