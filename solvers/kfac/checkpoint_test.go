package kfac

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/solvers"
	"github.com/precond-go/precond/solvers/firstorder"
)

// runner trains a net with parameters of type T.
type runner[T dense.Float] struct {
	m      *net
	params []solvers.Tensor[T]
	opt    *solvers.Optimizer[T]
}

// setup makes the optimizer of a runner for its parameters.
type setup[T dense.Float] func(p []solvers.Tensor[T], e *Estimator[T]) (solvers.Preconditioner[T], solvers.Policy[T])

func newRunner[T dense.Float](seed uint64, o Options, make setup[T]) *runner[T] {
	r := &runner[T]{m: newNet(seed, 9, false, false, 5, 4, 3)}
	for _, w := range r.m.weights {
		p := solvers.NewTensor[T](w.Name, w.Shape...)
		for i, v := range w.Data {
			p.Data[i] = T(v)
		}
		r.params = append(r.params, p)
	}
	precond, policy := make(r.params, New(r.params, o))
	r.opt = solvers.NewOptimizer(r.params, precond, policy)
	return r
}

// sync gives the net the parameters.
func (r *runner[T]) sync() {
	for i, p := range r.params {
		for j, v := range p.Data {
			r.m.weights[i].Data[j] = float64(v)
		}
	}
}

// step makes the next step.
func (r *runner[T]) step() (*solvers.Report, error) {
	r.sync()
	ev := evidence[T](r.m, solvers.NeedSampledLayers, uint64(r.opt.Steps()))
	ev.Curvature = &netCurvature[T]{r}
	return r.opt.Step(ev)
}

// netCurvature is the curvature of a runner's net at its parameters.
type netCurvature[T dense.Float] struct{ r *runner[T] }

func (c *netCurvature[T]) Loss() (float64, error) {
	c.r.sync()
	return c.r.m.loss(), nil
}

func (c *netCurvature[T]) GaussNewton(_, _ []solvers.Tensor[T]) error { panic("not used") }
func (c *netCurvature[T]) Hessian(_, _ []solvers.Tensor[T]) error     { panic("not used") }

func (c *netCurvature[T]) GaussNewtonForm(v [][]solvers.Tensor[T], form dense.Matrix[float64]) error {
	c.r.sync()
	wide := make([][]solvers.Tensor[float64], len(v))
	for i, ts := range v {
		for _, t := range ts {
			w := solvers.NewTensor[float64](t.Name, t.Shape...)
			for j, x := range t.Data {
				w.Data[j] = float64(x)
			}
			wide[i] = append(wide[i], w)
		}
	}
	return (&curvature{m: c.r.m}).GaussNewtonForm(wide, form)
}

// setups are the ways in which an estimator is used.
func setups[T dense.Float]() map[string]setup[T] {
	momentum := func(p []solvers.Tensor[T]) solvers.Policy[T] {
		return solvers.NewMomentum(p, solvers.MomentumConfig{Rate: solvers.InverseTime(0.3, 0.1), Momentum: solvers.Constant(0.8),
			Nesterov: true, Decay: solvers.Constant(0.01), ClipKL: solvers.Constant(1e-2)})
	}
	quadratic := func(o QuadraticOptions) setup[T] {
		return func(p []solvers.Tensor[T], e *Estimator[T]) (solvers.Preconditioner[T], solvers.Policy[T]) {
			return e, NewQuadratic(p, e, o)
		}
	}
	return map[string]setup[T]{
		"momentum": func(p []solvers.Tensor[T], e *Estimator[T]) (solvers.Preconditioner[T], solvers.Policy[T]) {
			return e, momentum(p)
		},
		"average": func(p []solvers.Tensor[T], e *Estimator[T]) (solvers.Preconditioner[T], solvers.Policy[T]) {
			return e, solvers.NewAverage(p, momentum(p), 3, solvers.Constant(0.7), 1)
		},
		"graft": func(p []solvers.Tensor[T], e *Estimator[T]) (solvers.Preconditioner[T], solvers.Policy[T]) {
			return solvers.NewGraft(p, solvers.Preconditioner[T](firstorder.NewAdam(p, firstorder.Config{})), solvers.Preconditioner[T](e), 4, 1),
				solvers.NewMomentum(p, solvers.MomentumConfig{Rate: solvers.Constant(0.01)})
		},
		"quadratic":                  quadratic(QuadraticOptions{Lambda: 1, LambdaEvery: 2, GammaEvery: 3}),
		"quadratic without momentum": quadratic(QuadraticOptions{Lambda: 1, NoMomentum: true, LambdaEvery: 3, GammaEvery: -1}),
		"quadratic with fixed λ":     quadratic(QuadraticOptions{Lambda: 0.1, LambdaEvery: -1, GammaEvery: 4}),
	}
}

func TestCheckpointResumes(t *testing.T) {
	for _, lag := range []int{0, 3} {
		t.Run(fmt.Sprint("lag ", lag), func(t *testing.T) {
			both(t, func(t *testing.T) { testCheckpointResumes[float32](t, lag) }, func(t *testing.T) { testCheckpointResumes[float64](t, lag) })
		})
	}
}

// testCheckpointResumes saves after each step, and goes on from each file in another
// optimizer, which has to reach the bits of the one that never stopped: files after the last
// step are the same byte for byte.
func testCheckpointResumes[T dense.Float](t *testing.T, lag int) {
	const steps = 16
	stops := make([]int, steps)
	for i := range stops {
		stops[i] = i
	}
	if testing.Short() {
		stops = []int{1, 9, 14}
	}
	dir := t.TempDir()
	file := func(step int) string { return filepath.Join(dir, fmt.Sprint(step)) }
	for _, form := range forms {
		for name, make := range setups[T]() {
			// With the lag some files find a refresh under way, in some of them one that a policy has
			// superseded.
			o := Options{Form: form, InverseEvery: 4, StatisticsEvery: 2, Lag: lag, Decay: 0.8, Damping: 0.03}
			run := func(r *runner[T], from int, save bool) []byte {
				t.Helper()
				for step := from; ; step++ {
					if save && slices.Contains(stops, step) || step == steps {
						if err := r.opt.Save(file(step)); err != nil {
							t.Fatal(err)
						}
					}
					if step == steps {
						break
					}
					if _, err := r.step(); err != nil {
						t.Fatalf("form %d, %s: step %d: %v", form, name, step, err)
					}
				}
				r.opt.Close()
				data, err := os.ReadFile(file(steps))
				if err != nil {
					t.Fatal(err)
				}
				return data
			}
			never := run(newRunner(1, o, make), 0, false)
			if !bytes.Equal(run(newRunner(1, o, make), 0, true), never) {
				t.Errorf("form %d, %s: Save has an effect", form, name)
			}
			for _, step := range stops {
				r := newRunner(2, o, make) // other weights
				for range step % 4 {       // and a state that has to go
					if _, err := r.step(); err != nil {
						t.Fatal(err)
					}
				}
				if err := r.opt.Load(file(step)); err != nil {
					t.Fatalf("form %d, %s: step %d: %v", form, name, step, err)
				}
				r.m = newNet(1, 9, false, false, 5, 4, 3) // the first one's data
				if !bytes.Equal(run(r, step, false), never) {
					t.Errorf("form %d, %s: resumed at step %d: other bits", form, name, step)
				}
			}
		}
	}
}

// TestCheckpointDamage spoils, cuts and extends files of every form, and reads those of
// other methods and shapes: Load says so, and the optimizer stays as it was.
func TestCheckpointDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c")
	save := func(r *runner[float32]) []byte {
		t.Helper()
		if err := r.opt.Save(path); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	quadratic := setups[float32]()["quadratic"]
	var files [][]byte
	var runners []*runner[float32]
	for _, form := range forms {
		r := newRunner(1, Options{Form: form}, quadratic)
		for range 4 {
			if _, err := r.step(); err != nil {
				t.Fatal(err)
			}
		}
		runners, files = append(runners, r), append(files, save(r))
	}
	other := newRunner(1, Options{}, setups[float32]()["momentum"])
	files = append(files, save(other))
	for i, r := range runners {
		check := func(what string, data []byte) {
			t.Helper()
			if err := os.WriteFile(path, data, 0o666); err != nil {
				t.Fatal(err)
			}
			var e *solvers.CheckpointError
			if err := r.opt.Load(path); !errors.As(err, &e) {
				t.Errorf("form %d: %s: %v", i, what, err)
			}
		}
		for at := 0; at < len(files[i]); at += 97 {
			bad := bytes.Clone(files[i])
			bad[at] ^= 0x40
			check("a bit", bad)
			check("cut", files[i][:at])
		}
		check("longer", append(bytes.Clone(files[i]), 0))
		for j, f := range files {
			if j != i {
				check(fmt.Sprint("file of ", j), f)
			}
		}
		if !bytes.Equal(save(r), files[i]) {
			t.Errorf("form %d: Load has changed the optimizer", i)
		}
	}
}

// TestStepErrors spoils evidence in several ways: the error of Step names where, and the optimizer is
// as before, byte for byte.
func TestStepErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c")
	for _, form := range forms {
		for _, lag := range []int{0, 3} {
			r := newRunner(1, Options{Form: form, StatisticsEvery: 2, InverseEvery: 4, Lag: lag}, setups[float64]()["quadratic"])
			state := func() []byte {
				t.Helper()
				if err := r.opt.Save(path); err != nil {
					t.Fatal(err)
				}
				data, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				return data
			}
			for range 6 {
				if _, err := r.step(); err != nil {
					t.Fatal(err)
				}
			}
			before := state()
			for want, spoil := range map[string]func(ev *solvers.Evidence[float64]){
				"inputs of layer b":                func(ev *solvers.Evidence[float64]) { ev.Layers[0][1].Inputs.Set(2, 1, math.NaN()) },
				"gradients of layer a":             func(ev *solvers.Evidence[float64]) { ev.Layers[0][0].Grads.Set(2, 1, math.Inf(1)) },
				"layer b: factor A: dense: Inputs": func(ev *solvers.Evidence[float64]) { ev.Layers[0][1].Inputs.Set(2, 1, 1e200) },
				"layer a: factor G: dense: Grads":  func(ev *solvers.Evidence[float64]) { ev.Layers[0][0].Grads.Set(2, 1, -1e200) },
				"gradient of b":                    func(ev *solvers.Evidence[float64]) { ev.Grads[1].Data[0] = math.NaN() },
				"loss is not finite":               func(ev *solvers.Evidence[float64]) { ev.Loss = math.Inf(1) },
			} {
				r.sync()
				ev := evidence[float64](r.m, solvers.NeedSampledLayers, 6)
				ev.Curvature = &netCurvature[float64]{r}
				spoil(ev)
				_, err := r.opt.Step(ev)
				var nf *dense.NonFiniteError
				if !errors.As(err, &nf) || !strings.Contains(err.Error(), want) {
					t.Errorf("form %d: %v, want it of %s", form, err, want)
				}
				if !bytes.Equal(state(), before) {
					t.Errorf("form %d: %s: the error has left a trace", form, want)
				}
			}
			r.opt.Close()
		}
	}
}
