package kfac

import (
	"math"
	"testing"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/solvers"
	"gonum.org/v1/gonum/mat"
)

// tolerance is the bound on relative errors: 1e-10 in float64, 1e-4 in float32.
func tolerance[T dense.Float]() float64 {
	if T(1)+T(1e-10) == T(1) {
		return 1e-4
	}
	return 1e-10
}

// factors returns A and G of layer l by plain sums over the sets of a batch.
func factors[T dense.Float](sets [][]solvers.Layer[T], l int) (a, g *mat.SymDense) {
	layer := sets[0][l]
	in, n := layer.Inputs.Cols, layer.Examples
	if layer.Bias {
		in++
	}
	a, g = mat.NewSymDense(in, nil), mat.NewSymDense(layer.Grads.Cols, nil)
	for s, set := range sets {
		for r := range layer.Inputs.Rows {
			if s == 0 {
				a.SymRankOne(a, 1/float64(n), mat.NewVecDense(in, bar(layer, r)))
			}
			v := make([]float64, g.SymmetricDim())
			for j := range v {
				v[j] = float64(set[l].Grads.At(r, j))
			}
			g.SymRankOne(g, 1/float64(n*layer.Positions), mat.NewVecDense(len(v), v))
		}
	}
	return a, g
}

// bar returns row r of the inputs of a layer, with the 1 of the bias.
func bar[T dense.Float](l solvers.Layer[T], r int) []float64 {
	v := make([]float64, l.Inputs.Cols, l.Inputs.Cols+1)
	for j := range v {
		v[j] = float64(l.Inputs.At(r, j))
	}
	if l.Bias {
		v = append(v, 1)
	}
	return v
}

// blend returns keep·x + (1−keep)·y.
func blend(keep float64, x, y *mat.SymDense) *mat.SymDense {
	var s, t mat.SymDense
	s.ScaleSym(keep, x)
	t.ScaleSym(1-keep, y)
	s.AddSym(&s, &t)
	return &s
}

// damped returns x + d·I.
func damped(x mat.Matrix, d float64) *mat.Dense {
	s := mat.DenseCopyOf(x)
	for i := range s.RawMatrix().Rows {
		s.Set(i, i, s.At(i, i)+d)
	}
	return s
}

func inverse(t *testing.T, x mat.Matrix) *mat.Dense {
	t.Helper()
	var inv mat.Dense
	if err := inv.Inverse(x); err != nil {
		t.Fatal(err)
	}
	return &inv
}

func kronecker(a, b mat.Matrix) *mat.Dense {
	var k mat.Dense
	k.Kronecker(a, b)
	return &k
}

// near fails unless the relative Frobenius error of got is at most tol.
func near(t *testing.T, what string, got dense.Matrix[float64], want mat.Matrix, tol float64) {
	t.Helper()
	var d mat.Dense
	d.Sub(dense.ToDense(got), want)
	if e := mat.Norm(&d, 2) / mat.Norm(want, 2); !(e <= tol) {
		t.Errorf("%s: relative error %.2g, want at most %.2g", what, e, tol)
	}
}

// wide returns x as float64.
func wide[T dense.Float](x dense.Matrix[T]) dense.Matrix[float64] {
	y := dense.NewMatrix[float64](x.Rows, x.Cols)
	for i := range x.Rows {
		for j := range x.Cols {
			y.Set(i, j, float64(x.At(i, j)))
		}
	}
	return y
}

// observed returns an estimator that has observed and refreshed on the batches.
func observed[T dense.Float](t *testing.T, o Options, batches ...*solvers.Evidence[T]) *Estimator[T] {
	t.Helper()
	e := New(batches[0].Grads, o)
	for step, b := range batches {
		if err := e.Observe(step, b); err != nil {
			t.Fatal(err)
		}
		if err := e.Refresh(step, new(solvers.Report)); err != nil {
			t.Fatal(err)
		}
	}
	return e
}

func both(t *testing.T, f32, f64 func(t *testing.T)) {
	t.Run("f32", f32)
	t.Run("f64", f64)
}

// TestDense compares P with dense inverses made of plain sums, after several batches, for
// each form and kind of statistics.
func TestDense(t *testing.T) { both(t, testDense[float32], testDense[float64]) }

func testDense[T dense.Float](t *testing.T) {
	const decay, damping = 0.6, 0.05
	for _, stats := range []Statistics{MonteCarlo, Empirical, Exact} {
		for _, nobias := range []bool{false, true} {
			var batches []*solvers.Evidence[T]
			for k := range 4 {
				batches = append(batches, evidence[T](newNet(uint64(10+k), 7, false, nobias, 5, 4, 6, 3), stats.needs(), 1))
			}
			for _, form := range []Form{Cholesky, Eigen} {
				e := observed(t, Options{Statistics: stats, Form: form, Decay: decay, Damping: damping, InverseEvery: 1}, batches...)
				for l := range 3 {
					a, g := factors(batches[0].Layers, l)
					for k, b := range batches[1:] {
						keep := math.Min(1-1/float64(k+2), decay)
						a2, g2 := factors(b.Layers, l)
						a, g = blend(keep, a, a2), blend(keep, g, g2)
					}
					var want *mat.Dense
					if form == Eigen {
						want = inverse(t, damped(kronecker(g, a), damping))
					} else {
						pi := math.Sqrt(mat.Trace(a) / float64(a.SymmetricDim()) / (mat.Trace(g) / float64(g.SymmetricDim())))
						gamma := math.Sqrt(damping)
						want = kronecker(inverse(t, damped(g, gamma/pi)), inverse(t, damped(a, gamma*pi)))
					}
					near(t, "P", e.Dense(l), want, tolerance[T]())
				}
			}
		}
	}
}

// TestExactGaussNewton is where K-FAC is no approximation: on one example, and on a deep
// linear network with squared loss.
func TestExactGaussNewton(t *testing.T) {
	both(t, testExactGaussNewton[float32], testExactGaussNewton[float64])
}

func testExactGaussNewton[T dense.Float](t *testing.T) {
	const damping = 0.1
	for name, m := range map[string]*net{
		"one example": newNet(3, 1, false, false, 5, 4, 3),
		"deep linear": newNet(4, 9, true, false, 5, 6, 4, 3),
	} {
		for _, form := range []Form{Eigen, Corrected} {
			e := observed(t, Options{Statistics: Exact, Form: form, Damping: damping}, evidence[T](m, solvers.NeedExactLayers, 0))
			f := m.gaussNewton()
			for l := range m.layers() {
				at, n := m.place(l)
				want := inverse(t, damped(dense.ToDense(f.View(at, at, n, n)), damping))
				near(t, name, e.Dense(l), want, tolerance[T]())
			}
		}
	}
}
