package nn

import (
	"errors"
	"math"
	"testing"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/solvers"
)

// everything returns the bits of all that a network says of a batch.
func everything[T dense.Float](t *testing.T, n *Network[T], x, y dense.Matrix[T]) (bits []uint64) {
	t.Helper()
	put := func(xs ...float64) {
		for _, v := range xs {
			bits = append(bits, math.Float64bits(v))
		}
	}
	e, err := n.Evidence(x, y, solvers.NeedSampledLayers|solvers.NeedCurvature, 3)
	if err != nil {
		t.Fatal(err)
	}
	put(e.Loss)
	put(line(e.Grads)...)
	for _, l := range e.Layers[0] {
		put(float64s(l.Grads.Data)...)
	}
	v, w := direction(n, 1), solvers.Like(n.params)
	for _, product := range []func(v, out []solvers.Tensor[T]) error{e.Curvature.GaussNewton, e.Curvature.Hessian} {
		if err := product(v, w); err != nil {
			t.Fatal(err)
		}
		put(line(w)...)
	}
	form := dense.NewMatrix[float64](2, 2)
	if err := e.Curvature.GaussNewtonForm([][]solvers.Tensor[T]{v, w}, form); err != nil {
		t.Fatal(err)
	}
	put(form.Data...)
	out := dense.NewMatrix[T](y.Rows, y.Cols)
	n.Predict(x, out)
	put(float64s(out.Data)...)
	loss, err := n.Loss(x, y)
	if err != nil {
		t.Fatal(err)
	}
	put(loss)
	return bits
}

// TestThreads compares the bits of 1, 2 and 3 threads, after batches of other sizes, and with
// gaps between the rows of the batch.
func TestThreads(t *testing.T) { both(t, testThreads[float32], testThreads[float64]) }

func testThreads[T dense.Float](t *testing.T) {
	for _, p := range append(small[:len(small):len(small)], large...) {
		n, x, y := setUp[T](p)
		n.Threads = 1
		want := everything(t, n, x, y)
		for _, threads := range []int{2, 3, 2} {
			n.Threads = threads
			xs, ys := gaps(x, threads), gaps(y, threads)
			if half := (x.Rows + 1) / 2; threads == 3 {
				if _, err := n.Evidence(xs.View(0, 0, half, x.Cols), ys.View(0, 0, half, y.Cols), solvers.NeedLayers, 0); err != nil {
					t.Fatal(err)
				}
			}
			got := everything(t, n, xs, ys)
			for i := range want {
				if got[i] != want[i] {
					t.Fatalf("%s, %d threads: number %d has other bits than with one", p.name, threads, i)
				}
			}
		}
	}
}

// gaps returns a copy of x with NaN between the rows.
func gaps[T dense.Float](x dense.Matrix[T], gap int) dense.Matrix[T] {
	wide := dense.NewMatrix[T](x.Rows, x.Cols+gap)
	wide.Fill(T(math.NaN()))
	v := wide.View(0, 0, x.Rows, x.Cols)
	v.Copy(x)
	return v
}

// TestChunks evaluates more examples than go at once, and compares with each alone.
func TestChunks(t *testing.T) { both(t, testChunks[float32], testChunks[float64]) }

func testChunks[T dense.Float](t *testing.T) {
	for _, p := range small {
		p.examples = 2*evalExamples + 77
		n, x, y := setUp[T](p)
		all, one := dense.NewMatrix[T](y.Rows, y.Cols), dense.NewMatrix[T](1, y.Cols)
		n.Outputs(x, all)
		for _, i := range []int{0, 1, evalExamples - 1, evalExamples, 2*evalExamples + 76} {
			n.Outputs(x.View(i, 0, 1, x.Cols), one)
			near(t, p.name, float64s(all.Row(i)), float64s(one.Data), 0)
		}
		sum := 0.0
		for i := range x.Rows {
			loss, err := n.Loss(x.View(i, 0, 1, x.Cols), y.View(i, 0, 1, y.Cols))
			if err != nil {
				t.Fatal(err)
			}
			sum += loss / float64(x.Rows)
		}
		loss, err := n.Loss(x, y)
		if err != nil {
			t.Fatal(err)
		}
		near(t, p.name, []float64{loss}, []float64{sum}, tolerance[T]())

		// Loss and predictions by one pass are those of two, with gaps between the rows too.
		out := gaps(dense.NewMatrix[T](y.Rows, y.Cols), 3)
		both, err := n.Evaluate(gaps(x, 1), gaps(y, 2), out)
		if both != loss || err != nil {
			t.Errorf("%s: Evaluate's loss is %v, Loss's %v (%v)", p.name, both, loss, err)
		}
		n.Predict(x, all)
		for i := range y.Rows {
			near(t, p.name, float64s(out.Row(i)), float64s(all.Row(i)), 0)
		}
	}
}

// TestPredict compares predictions with the means of the distributions by definition, at
// outputs of any size.
func TestPredict(t *testing.T) { both(t, testPredict[float32], testPredict[float64]) }

func testPredict[T dense.Float](t *testing.T) {
	x := dense.MatrixOf(2, 2, []T{1, 0, 0, 1})
	out := dense.NewMatrix[T](2, 2)
	for _, c := range []struct {
		loss Loss
		want []float64
	}{
		{BinaryCrossEntropy, []float64{1, 0, 1 / (1 + math.Exp(-2)), 1 / (1 + math.E)}},
		{SquaredError, []float64{3000, -3000, 2, -1}},
		{SoftmaxCrossEntropy, []float64{1, 0, 1 / (1 + math.Exp(-3)), 1 / (1 + math.Exp(3))}},
	} {
		n := New[T](c.loss, Vec(2), Full{Out: 2, NoBias: true})
		copy(n.params[0].Data, []T{3000, 2, -3000, -1})
		n.Predict(x, out)
		near(t, "prediction", float64s(out.Data), c.want, tolerance[T]())
		// The loss at such outputs: neither NaN nor Inf, and 0 where the target is certain.
		loss, err := n.Loss(x.View(0, 0, 1, 2), x.View(0, 0, 1, 2))
		want := 0.0
		if c.loss == SquaredError {
			want = (2999*2999 + 3000*3000) / 2.
		}
		if err != nil || !(math.Abs(loss-want) <= want*tolerance[T]()) {
			t.Errorf("loss %d is %v, want %v (%v)", c.loss, loss, want, err)
		}
	}
}

// TestMoves moves the parameters between curvature products: each belongs to those of its
// time.
func TestMoves(t *testing.T) {
	n, x, y := setUp[float64](small[1])
	e, err := n.Evidence(x, y, solvers.NeedCurvature, 0)
	if err != nil {
		t.Fatal(err)
	}
	v, w := direction(n, 1), solvers.Like(n.params)
	check := func(what string, scale float64) {
		t.Helper()
		for _, p := range n.params {
			dense.Scal(scale, p.Data, nil)
		}
		fresh := n.Curvature(x, y)
		want := solvers.Like(n.params)
		wantLoss, err := fresh.Loss()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range [][2]func(v, out []solvers.Tensor[float64]) error{
			{e.Curvature.GaussNewton, fresh.GaussNewton}, {e.Curvature.Hessian, fresh.Hessian}, {e.Curvature.GaussNewton, fresh.GaussNewton}} {
			if err := errors.Join(f[0](v, w), f[1](v, want)); err != nil {
				t.Fatal(err)
			}
			near(t, what, line(w), line(want), 0)
			loss, err := e.Curvature.Loss()
			if loss != wantLoss || err != nil {
				t.Errorf("%s: loss %v, want %v (%v)", what, loss, wantLoss, err)
			}
		}
	}
	check("at once", 1)
	check("after a move", 0.5)
	check("back again", 2)
}

// TestFirst compares the curvature of a part of a batch, and the sampled layers of one, with
// those of a batch that is no more than the part: they have the same bits. What is of the
// whole batch does not change by it.
func TestFirst(t *testing.T) { both(t, testFirst[float32], testFirst[float64]) }

func testFirst[T dense.Float](t *testing.T) {
	for _, p := range append(small[:len(small):len(small)], large...) {
		n, x, y := setUp[T](p)
		part := (x.Rows + 1) / 2
		xs, ys := x.View(0, 0, part, x.Cols), y.View(0, 0, part, y.Cols)
		v := direction(n, 1)
		dirs := [][]solvers.Tensor[T]{v, direction(n, 2)}
		// all returns what a curvature says.
		all := func(c *Curvature[T], examples int) (bits []float64) {
			w, form, out := solvers.Like(n.params), dense.NewMatrix[float64](2, 2), dense.NewMatrix[T](examples, y.Cols)
			for _, product := range []func(v, out []solvers.Tensor[T]) error{c.GaussNewton, c.Hessian} {
				if err := product(v, w); err != nil {
					t.Fatal(err)
				}
				bits = append(bits, line(w)...)
			}
			err := errors.Join(c.GaussNewtonForm(dirs, form), c.Jacobian(v, out))
			loss, lossErr := c.Loss()
			if err := errors.Join(err, lossErr); err != nil {
				t.Fatal(err)
			}
			return append(append(append(bits, form.Data...), float64s(out.Data)...), loss)
		}
		whole, want := all(n.Curvature(x, y), x.Rows), all(n.Curvature(xs, ys), part)
		e, err := n.Evidence(x, y, solvers.NeedSampledLayers|solvers.NeedCurvature, 5)
		if err != nil {
			t.Fatal(err)
		}
		layers := append([]solvers.Layer[T](nil), e.Layers[0]...)
		var grads []float64
		for _, l := range layers {
			grads = append(grads, float64s(l.Grads.Data[:part*l.Positions*l.Grads.Cols])...)
		}
		n.Sampled = float64(part) / float64(x.Rows)
		if e, err = n.Evidence(x, y, solvers.NeedSampledLayers|solvers.NeedCurvature, 5); err != nil {
			t.Fatal(err)
		}
		var got []float64
		for i, l := range e.Layers[0] {
			if l.Examples != part || l.Inputs.Rows*x.Rows != layers[i].Inputs.Rows*part || &l.Inputs.Data[0] != &layers[i].Inputs.Data[0] {
				t.Errorf("%s: layer %s has %d examples, inputs %dx%d", p.name, l.Name, l.Examples, l.Inputs.Rows, l.Inputs.Cols)
			}
			got = append(got, float64s(l.Grads.Data)...)
		}
		near(t, p.name+": sampled", got, grads, 0)
		near(t, p.name+": whole", all(&n.curv, x.Rows), whole, 0)
		near(t, p.name+": part", all(n.curv.First(part), part), want, 0)
		near(t, p.name+": whole after part", all(&n.curv, x.Rows), whole, 0)
	}
}

func TestAllocations(t *testing.T) {
	for _, p := range []problem{small[3], small[5], small[6], large[0], large[2]} {
		n, x, y := setUp[float32](p)
		v, w := direction(n, 1), solvers.Like(n.params)
		out, form := dense.NewMatrix[float32](y.Rows, y.Cols), dense.NewMatrix[float64](2, 2)
		dirs := [][]solvers.Tensor[float32]{v, w}
		x2, y2 := x.View(0, 0, 1, x.Cols), y.View(0, 0, 1, y.Cols)
		c := n.Curvature(x, y)
		part := c.First((x.Rows + 1) / 2)
		n.Sampled = 0.5
		for _, threads := range []int{1, 2} {
			n.Threads = threads
			step := 0
			all := func() {
				step++
				for _, needs := range []solvers.Needs{0, solvers.NeedLayers, solvers.NeedExactLayers, solvers.NeedSampledLayers | solvers.NeedCurvature} {
					e, err := n.Evidence(x, y, needs, step)
					if err != nil {
						t.Fatal(err)
					}
					if e.Curvature != nil {
						if err := errors.Join(e.Curvature.GaussNewton(v, w), e.Curvature.Hessian(v, w)); err != nil {
							t.Fatal(err)
						}
					}
				}
				if _, err := n.Evidence(x2, y2, 0, step); err != nil {
					t.Fatal(err)
				}
				n.Predict(x, out)
				_, err := n.Evaluate(x, y, out)
				c.Reset(x, y)
				if err := errors.Join(err, c.GaussNewtonForm(dirs, form), c.Jacobian(v, out), part.GaussNewtonForm(dirs, form)); err != nil {
					t.Fatal(err)
				}
			}
			all()
			if a := testing.AllocsPerRun(3, all); a != 0 {
				t.Errorf("%s, %d threads: %v allocations", p.name, threads, a)
			}
		}
	}
}
