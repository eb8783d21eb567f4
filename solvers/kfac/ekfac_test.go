package kfac

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/random"
	"github.com/precond-go/precond/solvers"
	"gonum.org/v1/gonum/mat"
)

// secondMoments returns E[(Q_Gᵀ∇W Q_A)²] of layer l example by example, with the gradient of
// an example summed over its positions; sets add up.
func secondMoments[T dense.Float](sets [][]solvers.Layer[T], l int, qa, qg mat.Matrix) *mat.Dense {
	layer := sets[0][l]
	out, _ := qg.Dims()
	in, _ := qa.Dims()
	sum := mat.NewDense(out, in, nil)
	for _, set := range sets {
		for k := range layer.Examples {
			w := mat.NewDense(out, in, nil)
			for r := k * layer.Positions; r < (k+1)*layer.Positions; r++ {
				g := make([]float64, out)
				for j := range g {
					g[j] = float64(set[l].Grads.At(r, j))
				}
				w.RankOne(w, 1, mat.NewVecDense(out, g), mat.NewVecDense(in, bar(layer, r)))
			}
			var rot mat.Dense
			rot.Product(qg.T(), w, qa)
			rot.MulElem(&rot, &rot)
			rot.Scale(1/float64(layer.Examples), &rot)
			sum.Add(sum, &rot)
		}
	}
	return sum
}

// TestCorrected compares EKFAC with the full diagonal in the eigenbasis: the basis turns
// at the first two batches, the moments are taken from all three, and carried.
func TestCorrected(t *testing.T) { both(t, testCorrected[float32], testCorrected[float64]) }

func testCorrected[T dense.Float](t *testing.T) {
	const damping = 0.05
	for _, stats := range []Statistics{MonteCarlo, Exact} {
		var batches []*solvers.Evidence[T]
		for k := range 3 {
			batches = append(batches, evidence[T](newNet(uint64(20+k), 9, false, false, 5, 4, 3), stats.needs(), 1))
		}
		e := New(batches[0].Grads, Options{Statistics: stats, Form: Corrected, Damping: damping, InverseEvery: 100})
		e.o.Decay = 0.6
		var moments [2]*mat.Dense
		var last [2][2]*mat.Dense
		for step, b := range batches {
			if step == 2 {
				e.seen = 3 // the basis stays
			}
			if err := e.Observe(step, b); err != nil {
				t.Fatal(err)
			}
			if err := e.Refresh(step, new(solvers.Report)); err != nil {
				t.Fatal(err)
			}
			f := e.form.(*eigenForm[T])
			for l := range 2 {
				q := f.now(l)
				qa := dense.ToDense(wide(q[inputs].vectors))
				qg := dense.ToDense(wide(q[outputs].vectors))
				fresh := secondMoments(b.Layers, l, qa, qg)
				if step == 0 {
					moments[l] = fresh
				} else {
					if (step == 2) != mat.EqualApprox(qa, last[l][inputs], 1e-3) {
						t.Errorf("step %d: layer %d: the basis turned or did not", step, l)
					}
					// The diagonal of the old matrix in the new basis, densely.
					var r, m mat.Dense
					r.Mul(kronecker(last[l][outputs], last[l][inputs]).T(), kronecker(qg, qa))
					m.Product(r.T(), mat.NewDiagDense(len(moments[l].RawMatrix().Data), moments[l].RawMatrix().Data), &r)
					keep := math.Min(1-1/float64(step+1), 0.6)
					for i := range moments[l].RawMatrix().Data {
						moments[l].RawMatrix().Data[i] = keep*m.At(i, i) + (1-keep)*fresh.RawMatrix().Data[i]
					}
				}
				last[l] = [2]*mat.Dense{qa, qg}
				near(t, "moments", wide(f.moments[l]), moments[l], tolerance[T]())
				d := mat.NewDense(e.blocks[l].in*e.blocks[l].out, e.blocks[l].in*e.blocks[l].out, nil)
				for i, s := range moments[l].RawMatrix().Data {
					d.Set(i, i, 1/(s+damping))
				}
				var want mat.Dense
				want.Product(kronecker(qg, qa), d, kronecker(qg, qa).T())
				near(t, "P", e.Dense(l), &want, tolerance[T]())
			}
		}
	}
}

// TestPositions is a layer that uses its weight at several positions, all of them
// within one example.
func TestPositions(t *testing.T) { both(t, testPositions[float32], testPositions[float64]) }

func testPositions[T dense.Float](t *testing.T) {
	const n, positions, in, out, damping = 5, 3, 4, 2, 0.1
	l := solvers.Layer[T]{Name: "shared", Bias: true, Examples: n, Positions: positions,
		Inputs: dense.NewMatrix[T](n*positions, in), Grads: dense.NewMatrix[T](n*positions, out)}
	random.Normal(random.New(1, 1, 0), 0, l.Inputs.Data)
	random.Normal(random.New(1, 2, 0), 0, l.Grads.Data)
	ev := &solvers.Evidence[T]{Examples: n, Layers: [][]solvers.Layer[T]{{l}}, Grads: []solvers.Tensor[T]{solvers.NewTensor[T]("w", out, in+1)}}
	a, g := factors(ev.Layers, 0)
	e := observed(t, Options{Form: Eigen, Damping: damping}, ev)
	near(t, "P", e.Dense(0), inverse(t, damped(kronecker(g, a), damping)), tolerance[T]())

	e = observed(t, Options{Form: Corrected, Damping: damping}, ev)
	f := e.form.(*eigenForm[T])
	q := f.now(0)
	want := secondMoments(ev.Layers, 0, dense.ToDense(wide(q[inputs].vectors)), dense.ToDense(wide(q[outputs].vectors)))
	near(t, "moments", wide(f.moments[0]), want, tolerance[T]())
}

// TestCarryPermutation: where the new basis is the old one in another order, the moments
// are the old ones in that order, to the last bit.
func TestCarryPermutation(t *testing.T) {
	e := observed(t, Options{Form: Corrected}, evidence[float64](newNet(5, 9, false, false, 5, 4), solvers.NeedSampledLayers, 1))
	f := e.form.(*eigenForm[float64])
	now, next := f.now(0), &f.bases[0][e.blocks[0].slot[upcoming]]
	order := [2][]int{inputs: {3, 0, 5, 1, 4, 2}, outputs: {2, 3, 1, 0}}
	for side := range 2 {
		// Exactly orthonormal: unit vectors.
		now[side].vectors.Fill(0)
		next[side].vectors.Fill(0)
		for j, k := range order[side] {
			now[side].vectors.Set(j, j, 1)
			next[side].vectors.Set(k, j, -1)
		}
	}
	before := f.moments[0].Clone()
	f.carry(0, upcoming, nil)
	for i, k := range order[outputs] {
		for j, l := range order[inputs] {
			if got, want := f.moments[0].At(i, j), before.At(k, l); got != want {
				t.Errorf("moment (%d, %d) is %v, want %v", i, j, got, want)
			}
		}
	}
}

// TestCorrectedEveryStep turns the basis at every step of 50, which a peer that sorts
// eigenvectors and leaves the moments does not survive.
func TestCorrectedEveryStep(t *testing.T) {
	m := newNet(6, 32, false, false, 10, 12, 3)
	e := New(m.weights, Options{Form: Corrected, InverseEvery: 1, Damping: 0.01})
	first, last := m.loss(), 0.0
	for step := range 50 {
		ev := evidence[float64](m, solvers.NeedSampledLayers, uint64(step))
		if err := e.Observe(step, ev); err != nil {
			t.Fatal(err)
		}
		if err := e.Refresh(step, new(solvers.Report)); err != nil {
			t.Fatal(err)
		}
		if err := e.Apply(step, ev.Grads, ev.Grads); err != nil {
			t.Fatal(err)
		}
		for l, w := range m.weights {
			dense.Axpy(-0.3, ev.Grads[l].Data, w.Data, nil)
		}
		last = m.loss()
		if step > 5 && !(last < first) {
			t.Fatalf("step %d: loss %v from %v", step, last, first)
		}
	}
	if !(last < first/10) {
		t.Errorf("loss %v after 50 steps from %v", last, first)
	}
}

// TestCorrectedOverflow has inputs and gradients whose squares are finite while those of their products
// are not: with Corrected that is an error, and leaves no trace; the others have a use for them.
func TestCorrectedOverflow(t *testing.T) {
	both(t, testCorrectedOverflow[float32], testCorrectedOverflow[float64])
}

func testCorrectedOverflow[T dense.Float](t *testing.T) {
	m := newNet(9, 6, false, false, 5, 4, 3)
	large := T(math.Sqrt(math.Sqrt(solvers.Greatest[T]())) * 100)
	for _, form := range forms {
		good := evidence[T](m, solvers.NeedSampledLayers, 1)
		o := Options{Form: form, InverseEvery: 1}
		e, twin := New(good.Grads, o), New(good.Grads, o)
		step(t, e, 0, good)
		step(t, twin, 0, good)
		ev := evidence[T](m, solvers.NeedSampledLayers, 2)
		l := &ev.Layers[0][1]
		dense.Scal(large, l.Inputs.Data, nil)
		dense.Scal(large, l.Grads.Data, nil)
		err := e.Observe(1, ev)
		if form != Corrected {
			if err != nil {
				t.Errorf("form %d: %v", form, err)
			}
			continue
		}
		var nf *dense.NonFiniteError
		if !errors.As(err, &nf) || !strings.Contains(err.Error(), "layer b: dense: squares of the gradients") {
			t.Errorf("Observe: %v", err)
		}
		for k := 1; k < 4; k++ {
			next := evidence[T](m, solvers.NeedSampledLayers, uint64(k+2))
			if !equal(step(t, e, k, next), step(t, twin, k, next)) {
				t.Errorf("step %d: the batch has left a trace", k)
			}
		}
	}
}
