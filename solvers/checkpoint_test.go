package solvers_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/precond-go/precond/dense"
	. "github.com/precond-go/precond/solvers"
	"github.com/precond-go/precond/solvers/firstorder"
)

// parts are the ways in which the tests of checkpoints put an optimizer together.
func parts[T dense.Float]() map[string]func(params []Tensor[T]) *Optimizer[T] {
	momentum := func(params []Tensor[T]) Policy[T] {
		return NewMomentum(params, MomentumConfig{Rate: Constant(0.01), Momentum: Constant(0.9)})
	}
	adam := func(params []Tensor[T]) Preconditioner[T] { return firstorder.NewAdam(params, firstorder.Config{}) }
	m := map[string]func(params []Tensor[T]) *Optimizer[T]{
		"every part": func(p []Tensor[T]) *Optimizer[T] {
			o := NewOptimizer(p, firstorder.NewAdam(p, firstorder.Config{Beta1: Linear(0.5, 0.9, 6), Eps: Constant(1e-3), Normalize: true}),
				NewMomentum(p, MomentumConfig{Rate: Warmup(3, Cosine(0.1, 0, 9)), Momentum: Constant(0.9), EMA: true, Nesterov: true,
					Decay: Constant(0.1), Undecayed: []int{2}, ClipNorm: Constant(5), ClipKL: Constant(0.1)}))
			o.L2, o.ClipNorm = Constant(0.01), Constant(3)
			return o
		},
		"average": func(p []Tensor[T]) *Optimizer[T] {
			return NewOptimizer(p, adam(p), NewAverage(p, momentum(p), 2, nil, 1))
		},
		"graft": func(p []Tensor[T]) *Optimizer[T] {
			return NewOptimizer(p, NewGraft(p, adam(p), firstorder.NewRMSProp(p, firstorder.Config{}), 3, 1), momentum(p))
		},
		"background":                 func(p []Tensor[T]) *Optimizer[T] { return NewOptimizer(p, newDelayed(p, 3), momentum(p)) },
		"memory in the policy alone": func(p []Tensor[T]) *Optimizer[T] { return NewOptimizer(p, NewIdentity(p), momentum(p)) },
		"no memory": func(p []Tensor[T]) *Optimizer[T] {
			return NewOptimizer(p, firstorder.NewNormalized(p, 1), NewMomentum(p, MomentumConfig{Rate: InverseSqrt(0.1, 1)}))
		},
	}
	for name, method := range map[string]func(params []Tensor[T], c firstorder.Config) *firstorder.Adaptive[T]{
		"Adam": firstorder.NewAdam[T], "AdaMax": firstorder.NewAdaMax[T], "RMSProp": firstorder.NewRMSProp[T], "AdaGrad": firstorder.NewAdaGrad[T],
	} {
		for _, normalize := range []bool{false, true} {
			m[fmt.Sprint(name, " ", normalize)] = func(p []Tensor[T]) *Optimizer[T] {
				return NewOptimizer(p, method(p, firstorder.Config{Normalize: normalize}), momentum(p))
			}
		}
	}
	return m
}

// delayed is a preconditioner whose scale, the mean square of the first tensor's
// gradient, is computed in the background.
type delayed[T dense.Float] struct {
	*Identity[T]
	seen, snapshot, result, scale []T
	b                             *Background
	fail                          error
	health                        *Health
}

func newDelayed[T dense.Float](params []Tensor[T], lag int) *delayed[T] {
	d := &delayed[T]{Identity: NewIdentity(params), seen: make([]T, len(params[0].Data)), snapshot: make([]T, len(params[0].Data)),
		result: make([]T, 1), scale: []T{1}, health: NewHealth([]string{"first"}, Tolerance{})}
	d.b = NewBackground(lag, func() error {
		d.result[0] = 1 + dense.Dot(d.snapshot, d.snapshot, nil)
		return d.fail
	})
	return d
}

func (d *delayed[T]) Observe(_ int, e *Evidence[T]) error {
	for i, g := range e.Grads[0].Data {
		d.seen[i] += g
	}
	return nil
}

func (d *delayed[T]) Refresh(step int, r *Report) error {
	finish := func() {
		if !d.b.Due(step) {
			return
		}
		if err := d.b.Finish(); err != nil {
			d.health.Failed(0, err, r)
			return
		}
		d.scale, d.result = d.result, d.scale
		d.health.Succeeded(0, d.b.Started(), 0, r)
	}
	finish()
	if step%4 == 0 && !d.b.Pending() {
		copy(d.snapshot, d.seen)
		d.b.Start(step)
	}
	finish()
	return d.health.Check(step)
}

func (d *delayed[T]) Apply(step int, grads, dst []Tensor[T]) error {
	for i := range dst {
		dense.ScalTo(1/d.scale[0], grads[i].Data, dst[i].Data, nil)
	}
	return nil
}

func (d *delayed[T]) State(s *State) {
	Floats(s, "seen", d.seen)
	d.b.State(s)
	Floats(s, "snapshot", d.snapshot)
	Floats(s, "scale", d.scale)
	d.health.State(s)
}

func (d *delayed[T]) Close() { d.b.Close() }

// counter is a state of the caller's.
type counter struct{ n int }

func (c *counter) State(s *State) { s.Int("n", &c.n) }

func TestCheckpointResumes(t *testing.T) {
	both(t, testCheckpointResumes[float32], testCheckpointResumes[float64])
}

// testCheckpointResumes saves after each of several steps and goes on in a new optimizer, which
// must come to the same bits as the one that never stopped.
func testCheckpointResumes[T dense.Float](t *testing.T) {
	const steps = 9
	for name, make := range parts[T]() {
		path := filepath.Join(t.TempDir(), "c")
		straight := make(small[T](1))
		grads := small[T](0)
		step := func(o *Optimizer[T], k int) {
			t.Helper()
			fill(grads, 9, uint64(k))
			if _, err := o.Step(evidence(grads)); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		for k := range steps {
			step(straight, k)
		}
		for stop := range steps {
			first := make(small[T](1))
			for k := range stop {
				step(first, k)
			}
			if err := first.Save(path, &counter{41 + stop}); err != nil {
				t.Fatal(err)
			}
			second, c := make(small[T](77)), new(counter)
			fill(grads, 5, 5)
			second.Step(evidence(grads)) // a state that has to go
			if err := second.Load(path, c); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if c.n != 41+stop || second.Steps() != stop {
				t.Errorf("%s: extra %d, steps %d after %d steps", name, c.n, second.Steps(), stop)
			}
			for k := stop; k < steps; k++ {
				step(second, k)
			}
			if !slices.Equal(bits(second.Params()), bits(straight.Params())) {
				t.Errorf("%s: stopped after %d steps: other bits", name, stop)
			}
			first.Close()
			second.Close()
		}
		straight.Close()
		if left, _ := filepath.Glob(path + ".*"); left != nil {
			t.Errorf("%s: %v is left", name, left)
		}
	}
}

// TestCheckpointDamage spoils every byte in turn, and cuts and extends the file. Every time
// Load must say so and leave the optimizer as it was.
func TestCheckpointDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c")
	build := func(steps uint64) *Optimizer[float32] {
		p, grads := []Tensor[float32]{NewTensor[float32]("a", 2, 3)}, []Tensor[float32]{NewTensor[float32]("a", 2, 3)}
		fill(p, 1, steps)
		o := NewOptimizer(p, firstorder.NewAdam(p, firstorder.Config{}), NewMomentum(p, MomentumConfig{Rate: Constant(1), Momentum: Constant(0.5)}))
		for k := range steps {
			fill(grads, 3, k)
			if _, err := o.Step(evidence(grads)); err != nil {
				t.Fatal(err)
			}
		}
		return o
	}
	save := func(o *Optimizer[float32]) []byte {
		t.Helper()
		if err := o.Save(path); err != nil {
			t.Fatal(err)
		}
		return must(os.ReadFile(path))
	}
	good := save(build(3))
	o := build(5)
	before := save(o)
	check := func(what string, data []byte) {
		t.Helper()
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		var e *CheckpointError
		if err := o.Load(path); !errors.As(err, &e) || e.Path != path {
			t.Errorf("%s: %v", what, err)
		}
	}
	defer func() {
		if !bytes.Equal(save(o), good) {
			t.Error("the undamaged file has not been restored")
		}
	}()
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 0x10
		check("a bit", bad)
		check("cut", good[:i])
	}
	check("longer", append(bytes.Clone(good), 0))
	other := bytes.Clone(good)
	binary.LittleEndian.PutUint32(other[8:], 99)
	check("version", other)
	if err := o.Load(path); !strings.Contains(err.Error(), "version 99") {
		t.Errorf("version: %v", err)
	}
	if err := o.Load(path + "missing"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}

	// A checkpoint of another model, and one of another method.
	p := []Tensor[float32]{NewTensor[float32]("a", 3, 2)}
	shape := NewOptimizer(p, firstorder.NewAdam(p, firstorder.Config{}), NewMomentum(p, MomentumConfig{Rate: Constant(1)}))
	if err := shape.Save(path); err != nil {
		t.Fatal(err)
	}
	check("another shape", must(os.ReadFile(path)))
	p = []Tensor[float32]{NewTensor[float32]("a", 2, 3)}
	method := NewOptimizer(p, NewIdentity(p), NewMomentum(p, MomentumConfig{Rate: Constant(1)}))
	if err := method.Save(path); err != nil {
		t.Fatal(err)
	}
	check("another method", must(os.ReadFile(path)))

	if !bytes.Equal(save(o), before) {
		t.Error("a damaged file has changed the optimizer")
	}
	os.WriteFile(path, good, 0o666)
	if err := o.Load(path); err != nil {
		t.Errorf("the undamaged file: %v", err)
	}
}

// TestCheckpointBreaksOff makes the writing of a file fail in several ways. Each leaves the
// file that was there before, and nothing else.
func TestCheckpointBreaksOff(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "c")
	o := parts[float32]()["every part"](model[float32](1))
	if err := o.Save(path); err != nil {
		t.Fatal(err)
	}
	good := must(os.ReadFile(path))
	fill(o.Params(), 2, 2) // another state
	if err := o.Save(filepath.Join(path, "below a file")); err == nil {
		t.Error("below a file: no error")
	}
	if err := os.Mkdir(path+".tmp", 0o777); err != nil {
		t.Fatal(err)
	}
	if err := o.Save(path); err == nil {
		t.Error("a directory in the way: no error")
	}
	os.Remove(path + ".tmp")
	if _, err := os.Stat("/dev/full"); err == nil {
		if err := os.Symlink("/dev/full", path+".tmp"); err != nil {
			t.Fatal(err)
		}
		if err := o.Save(path); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("no space left: %v", err)
		}
	}
	if got := must(os.ReadFile(path)); !bytes.Equal(got, good) {
		t.Error("a write that broke off has touched the file")
	}
	if names := must(os.ReadDir(dir)); len(names) != 1 {
		t.Errorf("left behind: %v", names)
	}
	// What a crash has left half written does not matter.
	if err := os.WriteFile(path+".tmp", append(bytes.Clone(good), "and more"...), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := o.Load(path); err != nil {
		t.Error(err)
	}
	if err := o.Save(path); err != nil {
		t.Error(err)
	}
	if got := must(os.ReadFile(path)); !bytes.Equal(got, good) {
		t.Error("saved over the remains of a crash: other bytes")
	}
}

func must[V any](v V, err error) V {
	if err != nil {
		panic(err)
	}
	return v
}

// TestCheckpointFormat holds the bytes of a small checkpoint, which other machines must read.
func TestCheckpointFormat(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c")
	p := []Tensor[float32]{NewTensor[float32]("a", 1)}
	p[0].Data[0] = 1.5
	o := NewOptimizer(p, NewIdentity(p), NewMomentum(p, MomentumConfig{Rate: Constant(1)}))
	if err := o.Save(path); err != nil {
		t.Fatal(err)
	}
	got := must(os.ReadFile(path))
	want := "precond\x1a\x01\x00\x00\x00"
	if !bytes.HasPrefix(got, []byte(want)) {
		t.Errorf("begins with %q", got[:20])
	}
	field := "\x03\x04\x00step\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	if !bytes.Contains(got, []byte(field)) {
		t.Errorf("no field of the steps in %q", got)
	}
	field = "\x01\x0f\x00parameter a [1]\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\xc0\x3f"
	if !bytes.Contains(got, []byte(field)) {
		t.Errorf("no field of the parameter in %q", got)
	}
}
