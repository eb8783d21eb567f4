package shampoo

import (
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/invroot"
	"github.com/precond-go/precond/solvers"
	"github.com/precond-go/precond/solvers/firstorder"
)

// shapes are those of the models of these tests: one tensor of each order up to 4, an empty one and a
// scalar.
var shapes = [][]int{{9}, {30, 17}, {0, 3}, {4, 5, 6}, {}, {6, 2, 3, 3}}

// a method is made of params and options.
type method[T dense.Float] struct {
	name string
	o    Options
}

// methods are the forms that each test of behaviour goes through.
func methods[T dense.Float]() []method[T] {
	return []method[T]{
		{"plain", Options{}},
		{"blocks", Options{BlockSize: 8, Merge: 18, DiagonalAbove: 20}},
		{"likelihood", Options{Statistic: Likelihood}},
		{"trace", Options{TraceScaled: true, Decay: 1}},
	}
}

func equal[T dense.Float](a, b []solvers.Tensor[T]) bool {
	return slices.EqualFunc(a, b, func(x, y solvers.Tensor[T]) bool {
		return slices.EqualFunc(x.Data, y.Data, func(v, w T) bool { return math.Float64bits(float64(v)) == math.Float64bits(float64(w)) })
	})
}

// TestGraft grafts onto each method of a magnitude: before the start step parameters have the
// bits of that method alone, with all policies' parts at work; after it each tensor's step has its norm.
func TestGraft(t *testing.T) { both(t, testGraft[float32], testGraft[float64]) }

func testGraft[T dense.Float](t *testing.T) {
	const start, steps = 5, 8
	config := firstorder.Config{Threads: 1}
	for name, magnitude := range map[string]func(p []solvers.Tensor[T]) solvers.Preconditioner[T]{
		"SGD":     func(p []solvers.Tensor[T]) solvers.Preconditioner[T] { return solvers.NewIdentity(p) },
		"AdaGrad": func(p []solvers.Tensor[T]) solvers.Preconditioner[T] { return firstorder.NewAdaGrad(p, config) },
		"RMSProp": func(p []solvers.Tensor[T]) solvers.Preconditioner[T] { return firstorder.NewRMSProp(p, config) },
		"Adam":    func(p []solvers.Tensor[T]) solvers.Preconditioner[T] { return firstorder.NewAdam(p, config) },
		"normalised": func(p []solvers.Tensor[T]) solvers.Preconditioner[T] {
			return firstorder.NewNormalized(p, 1)
		},
	} {
		policy := func(p []solvers.Tensor[T]) solvers.Policy[T] {
			return solvers.NewMomentum(p, solvers.MomentumConfig{Rate: solvers.Constant(0.1), Momentum: solvers.Constant(0.9),
				Nesterov: true, Decay: solvers.Constant(0.01), Threads: 1})
		}
		p, q := tensors[T](1, 0, shapes...), tensors[T](1, 0, shapes...)
		alone := solvers.NewOptimizer(p, magnitude(p), policy(p))
		grafted := solvers.NewOptimizer(q, solvers.NewGraft(q, magnitude(q), New(q, Options{RefreshEvery: 2, Spread: true}), start, 2), policy(q))
		for k := range steps {
			for _, o := range []*solvers.Optimizer[T]{alone, grafted} {
				if _, err := o.Step(evidence(tensors[T](2, uint64(k), shapes...))); err != nil {
					t.Fatal(err)
				}
			}
			if same := equal(p, q); same != (k < start) {
				t.Errorf("%s: step %d: same bits as the grafted method alone: %v", name, k, same)
			}
		}
		size, both := magnitude(p), solvers.NewGraft(p, magnitude(p), New(p, Options{}), 0, 1)
		g := tensors[T](3, 0, shapes...)
		want, _ := step(t, size, 0, g)
		got, _ := step[T](t, both, 0, g)
		for i := range got {
			x, y := float64(dense.Nrm2(got[i].Data, nil)), float64(dense.Nrm2(want[i].Data, nil))
			if !(math.Abs(x-y) <= tolerance[T]()*y) {
				t.Errorf("%s: the direction of %s has norm %v, want %v", name, got[i].Name, x, y)
			}
		}
	}
}

// TestThreads asks for the same bits with 1, 2 and 3 threads.
func TestThreads(t *testing.T) { both(t, testThreads[float32], testThreads[float64]) }

func testThreads[T dense.Float](t *testing.T) {
	large := [][]int{{150, 131}, {20, 7, 33}, {200}}
	for _, m := range methods[T]() {
		var want []solvers.Tensor[T]
		for threads := 1; threads <= 3; threads++ {
			m.o.Threads = threads
			s := New(tensors[T](1, 0, large...), m.o)
			var got []solvers.Tensor[T]
			for k := range 3 {
				got, _ = step(t, s, k, tensors[T](1, uint64(k), large...))
			}
			if threads == 1 {
				want = got
			} else if !equal(got, want) {
				t.Errorf("%s: other bits with %d threads", m.name, threads)
			}
		}
	}
}

// TestAllocations: nothing in the steady state, refreshes and their background included.
func TestAllocations(t *testing.T) {
	for _, m := range methods[float32]() {
		for _, lag := range []int{0, 1} {
			m.o.RefreshEvery, m.o.Threads, m.o.Lag, m.o.Spread = 3, 2, lag, lag == 1
			g := tensors[float32](1, 0, shapes...)
			s, dst, e := New(g, m.o), solvers.Like(g), evidence(g)
			var r solvers.Report
			n := 0
			one := func() {
				r.Blocks, r.Step = r.Blocks[:0], n
				if s.Observe(n, e) != nil || s.Refresh(n, &r) != nil || s.Apply(n, g, dst) != nil {
					t.Fatal("an error")
				}
				n++
			}
			for range 9 {
				one()
			}
			if a := testing.AllocsPerRun(21, one); a >= 1 {
				t.Errorf("%s, lag %d: a step allocates %v times", m.name, lag, a)
			}
			s.Close()
		}
	}
}

// TestBackground compares refreshes in the background with a foreground that applies roots as
// many steps later, whether the job has ended or not.
func TestBackground(t *testing.T) {
	const every, lag, steps = 4, 2, 14
	late := New(tensors[float64](1, 0, shapes...), Options{RefreshEvery: every, Lag: lag, Threads: 2})
	var snapshots []*Shampoo[float64]
	for k := range steps {
		g := tensors[float64](1, uint64(k), shapes...)
		got, r := step(t, late, k, g)
		if k%every == 0 { // a twin whose last refresh is that of step k
			twin := New(tensors[float64](1, 0, shapes...), Options{RefreshEvery: every, Threads: 1})
			for j := range k + 1 {
				step(t, twin, j, tensors[float64](1, uint64(j), shapes...))
			}
			snapshots = append(snapshots, twin)
		}
		if k < lag {
			if !equal(got, g) || len(r.Blocks) > 0 {
				t.Errorf("step %d: directions are not the gradients before there are roots, or %d blocks are reported", k, len(r.Blocks))
			}
			continue
		}
		want := solvers.Like(g)
		if err := snapshots[(k-lag)/every].Apply(k, g, want); err != nil {
			t.Fatal(err)
		}
		if !equal(got, want) {
			t.Errorf("step %d: other directions than with the roots of step %d", k, (k-lag)/every*every)
		}
		if fresh := k%every == lag; fresh != (len(r.Blocks) > 0) || fresh && r.Blocks[0].Staleness != lag {
			t.Errorf("step %d: report %+v", k, r.Blocks)
		}
	}
	late.Close()
}

// TestSpread: each factor is refreshed once an interval, no step does more than its part and the
// largest factor.
func TestSpread(t *testing.T) {
	for _, lag := range []int{0, 1, 2} {
		const every, steps = 6, 30
		s := New(tensors[float32](1, 0, []int{64, 48}, []int{32, 48}, []int{7, 8, 9}), Options{RefreshEvery: every, Spread: true, Lag: lag, BlockSize: 16})
		total, largest := 0.0, 0.0
		for i := range s.core.factors {
			total += s.core.factors[i].cost()
			largest = max(largest, s.core.factors[i].cost())
		}
		parts := float64(every / max(1, lag))
		count := map[string]int{}
		for k := range steps {
			dst, r := step(t, s, k, tensors[float32](1, uint64(k), []int{64, 48}, []int{32, 48}, []int{7, 8, 9}))
			work := 0.0
			for i := range s.core.factors {
				if f := &s.core.factors[i]; slices.ContainsFunc(r.Blocks, func(b solvers.Block) bool { return b.Name == f.name && b.Refreshed }) {
					work += f.cost()
					count[f.name]++
				}
			}
			if !(work <= total/parts+largest) {
				t.Errorf("lag %d: step %d does %.2f of an interval's work", lag, k, work/total)
			}
			if err := dst[0].Data[0]; err != err {
				t.Fatal("NaN")
			}
		}
		for i := range s.core.factors {
			if n := count[s.core.factors[i].name]; n < steps/every-1 || n > steps/every {
				t.Errorf("lag %d: %s was refreshed %d times in %d steps", lag, s.core.factors[i].name, n, steps)
			}
		}
		s.Close()
	}
}

// TestNonFinite spoils gradients: the error names the tensor, and nothing remains of it.
func TestNonFinite(t *testing.T) { both(t, testNonFinite[float32], testNonFinite[float64]) }

func testNonFinite[T dense.Float](t *testing.T) {
	for _, m := range methods[T]() {
		s, twin := New(tensors[T](1, 0, shapes...), m.o), New(tensors[T](1, 0, shapes...), m.o)
		for _, x := range []*Shampoo[T]{s, twin} {
			step(t, x, 0, tensors[T](1, 0, shapes...))
		}
		for _, bad := range []T{T(math.NaN()), T(math.Inf(1)), T(math.Inf(-1)), T(solvers.Greatest[T]() / 2)} {
			g := tensors[T](1, 1, shapes...)
			g[3].Data[7] = bad
			var nf *dense.NonFiniteError
			if err := s.Check(1, evidence(g)); !errors.As(err, &nf) {
				t.Errorf("%s: Check of %v: %v", m.name, bad, err)
			}
			if err := s.Observe(1, evidence(g)); !errors.As(err, &nf) || !strings.Contains(err.Error(), "t3") {
				t.Errorf("%s: Observe of %v: %v", m.name, bad, err)
			}
		}
		m.o.RefreshEvery = 1
		a, _ := step(t, s, 1, tensors[T](1, 1, shapes...))
		b, _ := step(t, twin, 1, tensors[T](1, 1, shapes...))
		if !equal(a, b) {
			t.Errorf("%s: bad input has left a trace", m.name)
		}
	}
}

// TestDegenerate has gradients that are zero, of rank one, with a dead row, tiny and large:
// directions are finite.
func TestDegenerate(t *testing.T) { both(t, testDegenerate[float32], testDegenerate[float64]) }

func testDegenerate[T dense.Float](t *testing.T) {
	for name, spoil := range map[string]func(g []T){
		"zero":   func(g []T) { clear(g) },
		"one":    func(g []T) { clear(g[1:]) },
		"ones":   func(g []T) { dense.MatrixOf(1, len(g), g).Fill(1) },
		"dead":   func(g []T) { clear(g[:len(g)/2]) },
		"tiny":   func(g []T) { dense.Scal(1e-15, g, nil) },
		"larger": func(g []T) { dense.Scal(1e15, g, nil) },
	} {
		for _, m := range methods[T]() {
			m.o.RefreshEvery = 1
			s := New(tensors[T](1, 0, shapes...), m.o)
			for k := range 3 {
				g := tensors[T](1, uint64(k), shapes...)
				for _, x := range g {
					if len(x.Data) > 0 {
						spoil(x.Data)
					}
				}
				dst, r := step(t, s, k, g)
				for i, d := range dst {
					x := dense.MaxAbs(d.Data, nil)
					if x-x != 0 || (x == 0) != (dense.MaxAbs(g[i].Data, nil) == 0) {
						t.Errorf("%s, %s: step %d: the largest element of the direction of %s is %v", m.name, name, k, d.Name, x)
					}
				}
				for _, b := range r.Blocks {
					if !b.Refreshed {
						t.Errorf("%s, %s: step %d: %+v", m.name, name, k, b)
					}
				}
			}
		}
	}
}

// TestLikelihoodStart: with Likelihood directions do not depend on the scale of the gradients, were
// it so small that squares underflow; and gradients that are zero at first, in one block or in
// all, do not leave statistics zero for good.
func TestLikelihoodStart(t *testing.T) {
	both(t, testLikelihoodStart[float32], testLikelihoodStart[float64])
}

func testLikelihoodStart[T dense.Float](t *testing.T) {
	orders := [][]int{{7, 5}, {4, 5, 6}, {2, 3, 2, 4}}
	run := func(scale func(step int) T, o Options) (dst []solvers.Tensor[T]) {
		s := New(tensors[T](1, 0, orders...), o)
		for k := range 3 {
			g := tensors[T](1, uint64(k), orders...)
			for i := range g {
				dense.Scal(scale(k), g[i].Data, nil)
			}
			dst, _ = step(t, s, k, g)
		}
		return dst
	}
	o := Options{Statistic: Likelihood, RefreshEvery: 1, Root: &invroot.Options{Ridge: 1e-3, Kind: invroot.RelativeToMax}}
	want := run(func(int) T { return 1 }, o)
	scales := []float64{1e-15, 1e-25, 1e-35}
	if solvers.Greatest[T]() > math.MaxFloat32 {
		scales = []float64{1e-35, 1e-170, 1e-300}
	}
	for _, scale := range scales {
		for i, d := range run(func(int) T { return T(scale) }, o) {
			dense.Axpy(-1, want[i].Data, d.Data, nil)
			if x, y := dense.Nrm2(d.Data, nil), dense.Nrm2(want[i].Data, nil); !(float64(x) <= 1e-4*float64(y)) {
				t.Errorf("gradients of %g: the direction of %s is off by %v of %v", scale, d.Name, x, y)
			}
		}
	}
	for _, size := range []int{0, 3} {
		o.BlockSize = size
		for _, d := range run(func(step int) T { return T(min(1, step)) }, o) {
			for i, x := range d.Data {
				if !(math.Abs(float64(x)) > 1e-6) {
					t.Errorf("blocks of %d, zero at first: element %d of the direction of %s is %v", size, i, d.Name, x)
				}
			}
		}
	}
}

// TestScale: with exponents of −1/2 for the second moment itself, directions do not depend on the
// scale of the gradients, whichever modes have factors.
func TestScale(t *testing.T) {
	shape := []int{4, 5, 3}
	for _, o := range []Options{{TraceScaled: true}, {Statistic: Likelihood}} {
		o.RefreshEvery = 1
		for alone := range 1 << len(shape) {
			o.Exponent = func(_ int, _ []int, mode int) (e invroot.Exponent) {
				if alone>>mode&1 != 0 {
					e.P = 1
				}
				return e
			}
			var want []solvers.Tensor[float64]
			for _, scale := range []float64{1, 1e-6} {
				s := New(tensors[float64](1, 0, shape), o)
				g := tensors[float64](1, 0, shape)
				dense.Scal(scale, g[0].Data, nil)
				dst, _ := step(t, s, 0, g)
				if scale == 1 {
					want = dst
					continue
				}
				if alone == 1<<len(shape)-1 { // no factors: the gradient
					dense.Scal(scale, want[0].Data, nil)
				}
				size := dense.MaxAbs(want[0].Data, nil)
				dense.Axpy(-1, want[0].Data, dst[0].Data, nil)
				if x := dense.MaxAbs(dst[0].Data, nil); !(x <= 1e-6*size) {
					t.Errorf("%+v: without modes %b the direction of smaller gradients is off by %v of %v", o, alone, x, size)
				}
			}
		}
	}
}

// TestFailure makes roots fail: without a ridge, statistics of rank one have none. The last good ones
// stay in force, and failures are reported and bounded.
func TestFailure(t *testing.T) {
	o := Options{RefreshEvery: 1, Decay: 0.5, Root: &invroot.Options{}, Tolerance: solvers.Tolerance{Failures: 2}}
	good := tensors[float64](1, 0, []int{4, 4}, []int{3, 3})
	s := New(good, o)
	want, _ := step(t, s, 0, good)
	g := tensors[float64](1, 1, []int{4, 4}, []int{3, 3})
	for range 1080 { // until nothing of the first gradient remains
		clear(g[0].Data[1:])
		if err := s.Observe(1, evidence(g)); err != nil {
			t.Fatal(err)
		}
	}
	for n := 1; n <= 4; n++ {
		r := &solvers.Report{Step: n}
		err := s.Refresh(n, r)
		var refresh *solvers.RefreshError
		var spectrum *invroot.SpectrumError
		if (n > 2) != errors.As(err, &refresh) || n > 2 && (refresh.Block != "t0 mode 0" || !errors.As(err, &spectrum)) {
			t.Fatalf("refresh %d: %v", n, err)
		}
		for i, b := range r.Blocks {
			if bad := i < 2; b.Refreshed == bad || bad && (b.Failures != n || b.Staleness != n || !errors.As(b.Err, &spectrum)) {
				t.Errorf("refresh %d: %+v", n, b)
			}
		}
		dst := solvers.Like(good)
		if err := s.Apply(n, good, dst); err != nil || !equal(dst[:1], want[:1]) || equal(dst[1:], want[1:]) {
			t.Errorf("refresh %d: the last good roots are not in force, or the others are (%v)", n, err)
		}
	}
	g = tensors[float64](1, 2, []int{4, 4}, []int{3, 3})
	for k := 5; k < 7; k++ {
		if _, r := step(t, s, k, g); !r.Blocks[0].Refreshed || r.Blocks[0].Failures != 0 || !(r.Blocks[0].Condition >= 1) {
			t.Errorf("step %d: %+v", k, r.Blocks[0])
		}
	}
}

// TestTolerance: refreshes that are due later than Staleness allows are done in time, and after an
// error the next step tries again, whichever step it is, with a lag too.
func TestTolerance(t *testing.T) {
	shapes := [][]int{{4, 5}, {3, 3}}
	for _, o := range []Options{
		{RefreshEvery: 10}, {RefreshEvery: 10, Lag: 4}, {RefreshEvery: 10, Lag: 10}, {RefreshEvery: 12, Spread: true}, {RefreshEvery: 12, Spread: true, Lag: 3},
	} {
		o.Tolerance.Staleness = 5
		s := New(tensors[float64](1, 0, shapes...), o)
		for k := range 30 {
			_, r := step(t, s, k, tensors[float64](1, uint64(k), shapes...))
			for _, b := range r.Blocks {
				if !b.Refreshed {
					t.Errorf("%+v: step %d: %+v", o, k, b)
				}
			}
			if k > o.Tolerance.Staleness && s.core.waiting[0] > 0 {
				t.Errorf("%+v: step %d: no roots", o, k)
			}
		}
		s.Close()
	}

	o := Options{RefreshEvery: 2, Lag: 2, Decay: 1e-300, Root: &invroot.Options{}, Tolerance: solvers.Tolerance{Failures: -1}}
	shapes = [][]int{{4, 4}, {3, 3}}
	p := tensors[float64](1, 0, shapes...)
	opt := solvers.NewOptimizer(p, solvers.Preconditioner[float64](New(p, o)), solvers.NewMomentum(p, solvers.MomentumConfig{Rate: solvers.Constant(0.01)}))
	good := func(k int) *solvers.Evidence[float64] { return evidence(tensors[float64](2, uint64(k), shapes...)) }
	bad := good(0)
	clear(bad.Grads[1].Data[1:])
	for k, e := range []*solvers.Evidence[float64]{good(0), good(1), bad, good(3), bad, good(5), good(6)} {
		_, err := opt.Step(e)
		var refresh *solvers.RefreshError
		if fails := k == 4; fails != errors.As(err, &refresh) || !fails && err != nil {
			t.Fatalf("call %d: %v", k, err)
		}
	}
}

// TestCheckpoint resumes in the middle of an interval, with a refresh under way.
func TestCheckpoint(t *testing.T) { both(t, testCheckpoint[float32], testCheckpoint[float64]) }

func testCheckpoint[T dense.Float](t *testing.T) {
	for _, m := range methods[T]() {
		for _, lag := range []int{0, 2} {
			m.o.RefreshEvery, m.o.Lag, m.o.Threads = 4, lag, 2
			m.o.Spread = lag == 0
			checkpoint(t, m.name, func(p []solvers.Tensor[T]) solvers.Preconditioner[T] {
				return solvers.NewGraft(p, solvers.Preconditioner[T](firstorder.NewAdam(p, firstorder.Config{})), New(p, m.o), 2, 1)
			})
		}
	}
}

// checkpoint compares a run with one that stops and resumes at each of its steps.
func checkpoint[T dense.Float](t *testing.T, name string, build func(p []solvers.Tensor[T]) solvers.Preconditioner[T]) {
	t.Helper()
	const steps = 11
	optimizer := func() ([]solvers.Tensor[T], *solvers.Optimizer[T]) {
		p := tensors[T](1, 0, shapes...)
		return p, solvers.NewOptimizer(p, build(p), solvers.NewMomentum(p, solvers.MomentumConfig{Rate: solvers.Constant(0.01), Momentum: solvers.Constant(0.9)}))
	}
	advance := func(o *solvers.Optimizer[T], until int) {
		for o.Steps() < until {
			if _, err := o.Step(evidence(tensors[T](2, uint64(o.Steps()), shapes...))); err != nil {
				t.Fatal(err)
			}
		}
	}
	want, whole := optimizer()
	advance(whole, steps)
	_, first := optimizer()
	path := filepath.Join(t.TempDir(), "checkpoint")
	for stop := range steps {
		advance(first, stop)
		if err := first.Save(path); err != nil {
			t.Fatal(err)
		}
		p, second := optimizer()
		advance(second, 7) // another state, with its own refresh under way
		if err := second.Load(path); err != nil {
			t.Fatal(err)
		}
		advance(second, steps)
		second.Close()
		if !equal(p, want) {
			t.Fatalf("%s: resumed at step %d: other bits", name, stop)
		}
	}
	first.Close()
}

// TestMisuse panics before anything is written.
func TestMisuse(t *testing.T) {
	p := tensors[float32](1, 0, []int{3, 4})
	panics := func(what, text string, f func()) {
		t.Helper()
		defer func() {
			if s, _ := recover().(string); !strings.HasPrefix(s, "shampoo: ") || !strings.Contains(s, text) {
				t.Errorf("%s: panic %q, want %q", what, s, text)
			}
		}()
		f()
	}
	for text, o := range map[string]Options{
		"Decay is 2": {Decay: 2}, "negative": {RefreshEvery: -1}, "unknown statistic 7": {Statistic: 7},
		"Lag is 3, RefreshEvery 2": {Lag: 3, RefreshEvery: 2}, "with a sum": {Statistic: Likelihood, Decay: 1},
		"exponent is -1/65": {Exponent: func(int, []int, int) invroot.Exponent { return invroot.Inverse(65) }},
		"needs -1/2":        {Statistic: Likelihood, Exponent: func(int, []int, int) invroot.Exponent { return invroot.Inverse(4) }},
	} {
		panics("options", text, func() { New(p, o) })
	}
	long := make([]int, 17)
	for i := range long {
		long[i] = 2
	}
	panics("order", "of order more than 16", func() { New([]solvers.Tensor[float32]{solvers.NewTensor[float32]("long", long...)}, Options{}) })
	s := New(p, Options{})
	panics("order", "nothing has been observed", func() { s.Refresh(0, new(solvers.Report)) })
	panics("gradients", "Observe", func() { s.Observe(0, evidence(tensors[float32](1, 0, []int{4, 3}))) })
	panics("gradients", "Apply", func() { s.Apply(0, p, tensors[float32](1, 0, []int{4, 3})) })
}
