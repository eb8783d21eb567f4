package kfac

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/random"
	"github.com/precond-go/precond/solvers"
)

var forms = []Form{Cholesky, Eigen, Corrected, Tridiagonal}

// step observes, refreshes and applies, and returns the directions.
func step[T dense.Float](t *testing.T, e *Estimator[T], n int, ev *solvers.Evidence[T]) []solvers.Tensor[T] {
	t.Helper()
	dst := solvers.Like(ev.Grads)
	if err := e.Observe(n, ev); err != nil {
		t.Fatal(err)
	}
	if err := e.Refresh(n, new(solvers.Report)); err != nil {
		t.Fatal(err)
	}
	if err := e.Apply(n, ev.Grads, dst); err != nil {
		t.Fatal(err)
	}
	return dst
}

func equal[T dense.Float](a, b []solvers.Tensor[T]) bool {
	return slices.EqualFunc(a, b, func(x, y solvers.Tensor[T]) bool { return slices.Equal(x.Data, y.Data) })
}

// TestNonFinite spoils inputs and gradients: the error names the layer, and the estimator goes
// on as if nothing had been said.
func TestNonFinite(t *testing.T) { both(t, testNonFinite[float32], testNonFinite[float64]) }

func testNonFinite[T dense.Float](t *testing.T) {
	m := newNet(7, 6, false, false, 5, 4, 3)
	for _, form := range forms {
		good := evidence[T](m, solvers.NeedSampledLayers, 1)
		o := Options{Form: form, InverseEvery: 1}
		e, twin := New(good.Grads, o), New(good.Grads, o)
		step(t, e, 0, good)
		step(t, twin, 0, good)
		for _, bad := range []T{T(math.NaN()), T(math.Inf(1)), T(math.Inf(-1))} {
			for side, spoil := range []func(ev *solvers.Evidence[T]) *T{
				func(ev *solvers.Evidence[T]) *T { return &ev.Layers[0][1].Inputs.Data[7] },
				func(ev *solvers.Evidence[T]) *T { return &ev.Layers[0][1].Grads.Data[0] },
			} {
				ev := evidence[T](m, solvers.NeedSampledLayers, 2)
				*spoil(ev) = bad
				var nf *dense.NonFiniteError
				if err := e.Observe(1, ev); !errors.As(err, &nf) || !strings.Contains(err.Error(), "layer b: factor "+string("AG"[side])) {
					t.Errorf("Observe of %v: %v", bad, err)
				}
				for _, e := range []*Estimator[T]{e, twin} {
					if err := e.Refresh(1, new(solvers.Report)); err != nil {
						t.Error(err)
					}
				}
			}
			g := evidence[T](m, solvers.NeedSampledLayers, 2).Grads
			g[0].Data[3] = bad
			dst := solvers.Like(g)
			var nf *dense.NonFiniteError
			if err := e.Apply(1, g, dst); !errors.As(err, &nf) || !strings.Contains(err.Error(), "layer a") || !equal(dst, solvers.Like(g)) {
				t.Errorf("Apply of %v: %v", bad, err)
			}
		}
		next := evidence[T](m, solvers.NeedSampledLayers, 3)
		if !equal(step(t, e, 2, next), step(t, twin, 2, next)) {
			t.Errorf("form %d: bad input has left a trace", form)
		}
	}
}

// TestDegenerate has statistics that are zero, of rank one, with a dead unit, of
// one example: P is finite, symmetric and at most 1/damping.
func TestDegenerate(t *testing.T) { both(t, testDegenerate[float32], testDegenerate[float64]) }

func testDegenerate[T dense.Float](t *testing.T) {
	const damping = 0.01
	for name, c := range map[string]struct {
		examples int
		spoil    func(ev *solvers.Evidence[T])
	}{
		"one example": {1, func(*solvers.Evidence[T]) {}},
		"zero": {6, func(ev *solvers.Evidence[T]) {
			for _, l := range ev.Layers[0] {
				l.Inputs.Fill(0)
				l.Grads.Fill(0)
			}
		}},
		"zero gradients": {6, func(ev *solvers.Evidence[T]) { ev.Layers[0][1].Grads.Fill(0) }},
		"dead unit": {6, func(ev *solvers.Evidence[T]) {
			ev.Layers[0][1].Inputs.View(0, 2, 6, 1).Fill(0)
			ev.Layers[0][0].Grads.View(0, 2, 6, 1).Fill(0)
		}},
		"tiny": {6, func(ev *solvers.Evidence[T]) {
			for _, l := range ev.Layers[0] {
				dense.Scale(1e-20, l.Inputs, l.Inputs, nil)
				dense.Scale(1e-20, l.Grads, l.Grads, nil)
			}
		}},
		"large": {6, func(ev *solvers.Evidence[T]) {
			for _, l := range ev.Layers[0] {
				dense.Scale(1e6, l.Inputs, l.Inputs, nil)
				dense.Scale(1e6, l.Grads, l.Grads, nil)
			}
		}},
	} {
		for _, nobias := range []bool{false, true} {
			for _, form := range forms {
				ev := evidence[T](newNet(8, c.examples, false, nobias, 5, 4, 3), solvers.NeedSampledLayers, 1)
				c.spoil(ev)
				if form == Tridiagonal && name == "large" && tolerance[T]() > 1e-5 {
					// The damping is below rounding: Σ is not definite, and that is said.
					e := New(ev.Grads, Options{Form: form, Damping: damping})
					var npd *dense.NotPositiveDefiniteError
					if err := e.Observe(0, ev); err != nil {
						t.Fatal(err)
					}
					if err := e.Refresh(0, new(solvers.Report)); !errors.As(err, &npd) || !strings.Contains(err.Error(), "solvers: a: ") {
						t.Errorf("%s: form %d: %v", name, form, err)
					}
					continue
				}
				e := New(ev.Grads, Options{Form: form, Damping: damping})
				var r solvers.Report
				if e.Observe(0, ev) != nil || e.Refresh(0, &r) != nil {
					t.Fatalf("%s: form %d: an error", name, form)
				}
				for l := range 2 {
					if b := r.Blocks[l]; !b.Refreshed || b.Failures != 0 || b.Err != nil || !(b.Condition >= 0.999 && b.Condition <= 1e30) {
						t.Errorf("%s: form %d: report %+v", name, form, b)
					}
					p := e.Dense(l)
					for i := range p.Rows {
						for j := range p.Cols {
							x, y := p.At(i, j), p.At(j, i)
							if !(math.Abs(x) <= 1.01/damping) || !(math.Abs(x-y) <= tolerance[T]()/damping) {
								t.Fatalf("%s: form %d: P has %v and %v at (%d, %d)", name, form, x, y, i, j)
							}
						}
					}
				}
			}
		}
	}
}

// TestFailure makes Cholesky fail by a damping below rounding on a factor of rank one.
func TestFailure(t *testing.T) {
	m := newNet(9, 6, false, true, 40, 4)
	ev := evidence[float32](m, solvers.NeedSampledLayers, 1)
	e := New(ev.Grads, Options{InverseEvery: 1, Damping: 1e-3, Tolerance: solvers.Tolerance{Failures: 2}})
	before := step(t, e, 0, ev)
	// All inputs equal and large.
	x := ev.Layers[0][0].Inputs
	for i := range x.Rows {
		for j := range x.Cols {
			x.Set(i, j, float32(1e4)+float32(j)/7)
		}
	}
	e.SetDamping(1e-30)
	for n := 1; n <= 4; n++ {
		r := solvers.Report{Step: n}
		if err := e.Observe(n, ev); err != nil {
			t.Fatal(err)
		}
		err := e.Refresh(n, &r)
		var npd *dense.NotPositiveDefiniteError
		var re *solvers.RefreshError
		if wantErr := n > 2; wantErr != errors.As(err, &npd) || wantErr && (!errors.As(err, &re) || re.Block != "a" || re.Failures != n || re.Staleness != n || !strings.Contains(err.Error(), "factor A")) {
			t.Fatalf("refresh %d: %v", n, err)
		}
		if b := r.Blocks[0]; b.Refreshed || b.Staleness != n || b.Failures != n || !errors.As(b.Err, &npd) || b.Name != "a" {
			t.Errorf("refresh %d: report %+v", n, b)
		}
		dst := solvers.Like(ev.Grads)
		if err := e.Apply(n, ev.Grads, dst); err != nil || !equal(dst, before) {
			t.Errorf("refresh %d: the last good inverse is not in force (%v)", n, err)
		}
	}
	// Ten times the damping is enough now and then.
	e.SetDamping(0.3)
	r := solvers.Report{Step: 5}
	if err := e.Refresh(5, &r); err != nil || !r.Blocks[0].Refreshed || r.Blocks[0].Failures != 0 || !(r.Blocks[0].Condition > 1) {
		t.Errorf("after the damping was raised: %+v, %v", r.Blocks, err)
	}
}

// mlp returns evidence of random layers of the given sizes.
func mlp[T dense.Float](n int, sizes ...int) *solvers.Evidence[T] {
	ev := &solvers.Evidence[T]{Examples: n, Layers: make([][]solvers.Layer[T], 1)}
	for l := range len(sizes) - 1 {
		layer := solvers.Layer[T]{Name: string(rune('a' + l)), Param: l, Bias: true, Examples: n, Positions: 1,
			Inputs: dense.NewMatrix[T](n, sizes[l]), Grads: dense.NewMatrix[T](n, sizes[l+1])}
		g := solvers.NewTensor[T](layer.Name, sizes[l+1], sizes[l]+1)
		random.Normal(random.New(1, uint64(l), 0), 0, layer.Inputs.Data)
		random.Normal(random.New(2, uint64(l), 0), 0, layer.Grads.Data)
		random.Normal(random.New(3, uint64(l), 0), 0, g.Data)
		ev.Layers[0], ev.Grads = append(ev.Layers[0], layer), append(ev.Grads, g)
	}
	return ev
}

// TestThreads asks for the same bits with 1, 2 and 3 threads.
func TestThreads(t *testing.T) { both(t, testThreads[float32], testThreads[float64]) }

func testThreads[T dense.Float](t *testing.T) {
	ev := mlp[T](150, 170, 140, 9, 33)
	for _, form := range forms {
		var want []solvers.Tensor[T]
		for threads := 1; threads <= 3; threads++ {
			e := New(ev.Grads, Options{Form: form, Threads: threads, InverseEvery: 1})
			step(t, e, 0, ev)
			got := step(t, e, 1, ev)
			if threads == 1 {
				want = got
			} else if !equal(got, want) {
				t.Errorf("form %d: other bits with %d threads", form, threads)
			}
		}
	}
}

// TestEarly lists the steps that compute inverses.
func TestEarly(t *testing.T) {
	ev := mlp[float64](9, 3, 2)
	for _, c := range []struct {
		statistics, inverses int
		want                 []int
	}{
		{1, 20, []int{0, 1, 2, 4, 6, 9, 13, 18, 20, 25, 34, 40, 46, 60, 62, 80}},
		{4, 20, []int{0, 4, 8, 16, 20, 24, 36, 40, 52, 60, 80}}, // the next gap is of 5 observations: 20 steps
		{1, 1, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}},
	} {
		e := New(ev.Grads, Options{StatisticsEvery: c.statistics, InverseEvery: c.inverses})
		var got []int
		for n := range min(100, 10*c.inverses) {
			var r solvers.Report
			if err := errors.Join(e.Observe(n, ev), e.Refresh(n, &r)); err != nil {
				t.Fatal(err)
			}
			if len(r.Blocks) > 0 && r.Blocks[0].Refreshed {
				got = append(got, n)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("statistics every %d, inverses every %d: at %v, want %v", c.statistics, c.inverses, got, c.want)
		}
	}
}

// TestAllocations: nothing in the steady state, refreshes included.
func TestAllocations(t *testing.T) {
	ev := mlp[float32](50, 60, 40, 30)
	for _, form := range forms {
		e := New(ev.Grads, Options{Form: form, Threads: 2, InverseEvery: 2})
		dst := solvers.Like(ev.Grads)
		var r solvers.Report
		n := 0
		one := func() {
			r.Blocks = r.Blocks[:0]
			if e.Observe(n, ev) != nil || e.Refresh(n, &r) != nil || e.Apply(n, ev.Grads, dst) != nil {
				t.Fatal("an error")
			}
			n++
		}
		for range 6 {
			one()
		}
		if a := testing.AllocsPerRun(20, one); a != 0 {
			t.Errorf("form %d: a step allocates %v times", form, a)
		}
	}
}

// TestMisuse panics before anything is written.
func TestMisuse(t *testing.T) {
	panics := func(what, text string, f func()) {
		t.Helper()
		defer func() {
			if s, _ := recover().(string); !strings.Contains(s, text) {
				t.Errorf("%s: panic %q, want %q", what, s, text)
			}
		}()
		f()
	}
	ev := mlp[float64](5, 4, 3, 2)
	for text, o := range map[string]Options{
		"Decay is 2": {Decay: 2}, "damping is -1": {Damping: -1}, "unknown form": {Form: 17}, "negative": {InverseEvery: -1},
		"Share is 1.5": {Share: 1.5}, "Groups has 1": {Groups: []int{1}}, "3x5 with 2 groups": {Groups: []int{2, 1}},
	} {
		panics("options", text, func() { New(ev.Grads, o) })
	}
	e := New(ev.Grads, Options{})
	panics("order", "nothing has been observed", func() { e.Refresh(0, new(solvers.Report)) })
	panics("order", "no inverse", func() { e.Apply(0, nil, nil) })
	panics("layers", "no layer statistics", func() { e.Observe(0, &solvers.Evidence[float64]{}) })
	all := ev.Layers[0]
	ev.Layers[0] = all[:1]
	panics("tensor without a layer", "tensor 1 (b) has no layer", func() { e.Observe(0, ev) })
	ev.Layers[0] = all
	all[1].Param = 0
	panics("shared tensor", "layer b has tensor 0 of 2, or shares it", func() { e.Observe(0, ev) })
	step(t, e, 0, mlp[float64](5, 4, 3, 2))
	panics("other layers", "layer a", func() { e.Observe(1, mlp[float64](5, 4, 4, 2)) })
	panics("gradients", "has 12 elements", func() {
		e.Apply(1, []solvers.Tensor[float64]{solvers.NewTensor[float64]("a", 3, 4), ev.Grads[1]}, ev.Grads)
	})
}
