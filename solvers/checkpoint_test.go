package solvers_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/precond-go/precond/dense"
	. "github.com/precond-go/precond/solvers"
	"github.com/precond-go/precond/solvers/firstorder"
)

// parts are the ways in which the tests of checkpoints put an optimizer together. All of them
// have state in the preconditioner and in the policy.
func parts[T dense.Float]() map[string]func(params []Tensor[T]) *Optimizer[T] {
	momentum := func(params []Tensor[T]) Policy[T] {
		return NewMomentum(params, MomentumConfig{Rate: Constant(0.01), Momentum: Constant(0.9)})
	}
	adam := func(params []Tensor[T]) Preconditioner[T] { return firstorder.NewAdam(params, firstorder.Config{}) }
	return map[string]func(params []Tensor[T]) *Optimizer[T]{
		"Adam": func(p []Tensor[T]) *Optimizer[T] { return NewOptimizer(p, adam(p), momentum(p)) },
		"average": func(p []Tensor[T]) *Optimizer[T] {
			return NewOptimizer(p, adam(p), NewAverage(p, momentum(p), 2, nil, 1))
		},
		"graft": func(p []Tensor[T]) *Optimizer[T] {
			return NewOptimizer(p, NewGraft(p, adam(p), firstorder.NewRMSProp(p, firstorder.Config{}), 3, 1), momentum(p))
		},
		"background": func(p []Tensor[T]) *Optimizer[T] { return NewOptimizer(p, newDelayed(p, 3), momentum(p)) },
	}
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
	build := func() *Optimizer[float32] {
		p := []Tensor[float32]{NewTensor[float32]("a", 2, 3)}
		fill(p, 1, 1)
		return NewOptimizer(p, firstorder.NewAdam(p, firstorder.Config{}), NewMomentum(p, MomentumConfig{Rate: Constant(1)}))
	}
	if err := build().Save(path); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	o := build()
	fill(o.Params(), 2, 2)
	before := bits(o.Params())
	check := func(what string, data []byte) {
		t.Helper()
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		var e *CheckpointError
		if err := o.Load(path); !errors.As(err, &e) || e.Path != path {
			t.Errorf("%s: %v", what, err)
		}
		if !slices.Equal(bits(o.Params()), before) {
			t.Fatalf("%s: the parameters have changed", what)
		}
	}
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

	// A Save that fails leaves the file that is there.
	if err := o.Save(filepath.Join(path, "below a file")); err == nil {
		t.Error("Save below a file: no error")
	}
	os.WriteFile(path, good, 0o666)
	if err := o.Load(path); err != nil {
		t.Errorf("the undamaged file: %v", err)
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
