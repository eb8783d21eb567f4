package nn

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/random"
	"github.com/precond-go/precond/solvers"
)

// problem is a network with a batch.
type problem struct {
	name     string
	loss     Loss
	input    Shape
	layers   []Layer
	examples int
}

// small problems are compared with dense matrices of the oracle.
var small = []problem{
	{"one", BinaryCrossEntropy, Vec(1), []Layer{Full{Out: 1}}, 1},
	{"logistic", BinaryCrossEntropy, Vec(5), []Layer{Full{Out: 4, Act: Logistic}, Full{Out: 2}, Full{Out: 3, Act: Logistic}, Full{Out: 2}}, 3},
	{"tanh", SoftmaxCrossEntropy, Vec(3), []Layer{Full{Out: 5, Act: Tanh, NoBias: true}, Full{Out: 4}}, 4},
	{"bent output", SquaredError, Vec(4), []Layer{Full{Out: 3, Act: Softplus}, Full{Out: 4, Act: ReLU}, Full{Out: 2, Act: Logistic}}, 5},
	{"shared", BinaryCrossEntropy, Shape{2, 3, 2}, []Layer{Full{Out: 3, Act: Tanh, Shared: true}, Full{Out: 2, Shared: true}}, 3},
	{"conv", SoftmaxCrossEntropy, Shape{6, 5, 2}, []Layer{
		Conv{Out: 2, KernelH: 3, KernelW: 2, StrideH: 2, PadH: 1, PadW: 2, DilationW: 2, Groups: 2, Act: Tanh},
		MaxPool{Size: 2, Stride: 1}, Full{Out: 3}}, 2},
	{"pools", SquaredError, Shape{7, 8, 1}, []Layer{
		MaxPool{Size: 2, Stride: 1}, Conv{Out: 4, KernelH: 2, KernelW: 3, StrideW: 2, PadW: 1, DilationH: 2, Act: Softplus},
		AvgPool{Size: 2}, Conv{Out: 2, KernelH: 1, KernelW: 1, Act: Logistic}, MaxPool{Size: 1}}, 2},
	{"pixels", SoftmaxCrossEntropy, Shape{3, 4, 4}, []Layer{
		Conv{Out: 4, KernelH: 2, KernelW: 2, Groups: 4, PadH: 2, Act: ReLU, NoBias: true}, Conv{Out: 3, KernelH: 2, KernelW: 1, StrideH: 3}}, 2},
}

// large problems are compared in a few directions: they have several units of rows and of
// images, panels and lanes.
var large = []problem{
	{"autoencoder", BinaryCrossEntropy, Vec(90), []Layer{
		Full{Out: 130, Act: Logistic}, Full{Out: 7}, Full{Out: 130, Act: Logistic}, Full{Out: 90}}, 70},
	{"wide", SquaredError, Vec(2), []Layer{Full{Out: 2500, Act: Tanh}, Full{Out: 3}}, 40},
	{"conv", SoftmaxCrossEntropy, Shape{37, 31, 3}, []Layer{
		Conv{Out: 12, KernelH: 5, KernelW: 5, PadH: 2, PadW: 2, Act: ReLU}, MaxPool{Size: 2},
		Conv{Out: 20, KernelH: 3, KernelW: 3, Groups: 2, PadW: 1, Act: Tanh}, AvgPool{Size: 3}, Full{Out: 10}}, 5},
	{"panels", SquaredError, Shape{40, 44, 8}, []Layer{
		Conv{Out: 16, KernelH: 4, KernelW: 4, Act: Softplus}, Conv{Out: 2, KernelH: 7, KernelW: 7, StrideH: 2, StrideW: 3, DilationH: 2}}, 3},
	{"small images", SquaredError, Shape{3, 3, 2}, []Layer{
		Conv{Out: 3, KernelH: 2, KernelW: 2, Act: Logistic}, Conv{Out: 2, KernelH: 2, KernelW: 2}}, 9000},
}

// make returns the network, with random parameters, and the batch of a problem. Targets are
// such as the loss allows.
func setUp[T dense.Float](p problem) (n *Network[T], x, t dense.Matrix[T]) {
	n = New[T](p.loss, p.input, p.layers...)
	for i, w := range n.params {
		random.Normal(random.New(11, uint64(i), 0), 0, w.Data)
		dense.Scal(T(1/math.Sqrt(1+float64(len(w.Data)/w.Shape[0])/3)), w.Data, nil)
	}
	x, t = dense.NewMatrix[T](p.examples, p.input.Len()), dense.NewMatrix[T](p.examples, n.Output().Len())
	random.Normal(random.New(11, 100, 0), 0, x.Data)
	random.Uniform(random.New(11, 101, 0), 0, t.Data)
	if c := n.Output().Channels; p.loss == SoftmaxCrossEntropy {
		for i := 0; i < len(t.Data); i += c {
			dense.Scal(1/dense.Sum(t.Data[i:i+c], nil), t.Data[i:i+c], nil)
		}
	}
	return n, x, t
}

// direction returns random tensors of the parameters' shapes.
func direction[T dense.Float](n *Network[T], stream uint64) []solvers.Tensor[T] {
	v := solvers.Like(n.params)
	for i := range v {
		random.Normal(random.New(12, stream, uint64(i)), 0, v[i].Data)
	}
	return v
}

// line returns the elements of tensors one after the other.
func line[T dense.Float](ts []solvers.Tensor[T]) (out []float64) {
	for _, t := range ts {
		out = append(out, float64s(t.Data)...)
	}
	return out
}

// near reports an error unless got is want up to tol, relative to the largest of want.
func near(t *testing.T, what string, got, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d elements, want %d", what, len(got), len(want))
	}
	size, worst, at := 0.0, 0.0, 0
	for i := range want {
		size = max(size, math.Abs(want[i]))
		if d := math.Abs(got[i] - want[i]); !(d <= worst) {
			worst, at = d, i
		}
	}
	if !(worst <= tol*size) {
		t.Errorf("%s: element %d is %v, want %v", what, at, got[at], want[at])
	}
}

// tolerance is relative, for problems of some hundred operations per result.
func tolerance[T dense.Float]() float64 {
	if T(1)+T(1e-9) == 1 {
		return 1e-5
	}
	return 1e-13
}

// both runs a test for the two element types.
func both(t *testing.T, f32, f64 func(t *testing.T)) {
	t.Run("float32", f32)
	t.Run("float64", f64)
}

func times(m [][]float64, v []float64) []float64 {
	out := make([]float64, len(m))
	for i, row := range m {
		out[i] = dot(row, v)
	}
	return out
}

func dot(x, y []float64) float64 {
	s := 0.0
	for i := range x {
		s += x[i] * y[i]
	}
	return s
}

func TestSmall(t *testing.T) { both(t, testSmall[float32], testSmall[float64]) }

func testSmall[T dense.Float](t *testing.T) {
	tol := 10 * tolerance[T]()
	for _, p := range small {
		t.Run(p.name, func(t *testing.T) {
			n, x, y := setUp[T](p)
			r := refer(n, p.layers, x, y, true)
			e, err := n.Evidence(x, y, solvers.NeedCurvature, 0)
			if err != nil {
				t.Fatal(err)
			}
			near(t, "loss", []float64{e.Loss}, []float64{r.loss}, tol)
			near(t, "gradient", line(e.Grads), r.gradient, tol)
			out := dense.NewMatrix[T](x.Rows, n.Output().Len())
			n.Outputs(x, out)
			for i := range x.Rows {
				near(t, "outputs", float64s(out.Row(i)), r.outputs[i], tol)
			}
			v, w := direction(n, 1), solvers.Like(n.params)
			check := func(what string, err error, want []float64) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
				near(t, what, line(w), want, tol)
			}
			check("Gauss–Newton", e.Curvature.GaussNewton(v, w), times(r.gaussNewton, line(v)))
			check("Hessian", e.Curvature.Hessian(v, w), times(r.hessian, line(v)))
			check("Gauss–Newton again", e.Curvature.GaussNewton(v, w), times(r.gaussNewton, line(v)))

			c := n.Curvature(x, y)
			check("Hessian alone", c.Hessian(v, w), times(r.hessian, line(v)))
			if err := c.Jacobian(v, out); err != nil {
				t.Fatal(err)
			}
			for i := range x.Rows {
				near(t, "Jacobian", float64s(out.Row(i)), times(r.jacobian[i], line(v)), tol)
			}
			dirs := [][]solvers.Tensor[T]{v, direction(n, 2), e.Grads}
			form := dense.NewMatrix[float64](3, 3)
			if err := c.GaussNewtonForm(dirs, form); err != nil {
				t.Fatal(err)
			}
			var want []float64
			for i := range dirs {
				for j := range dirs {
					want = append(want, dot(line(dirs[i]), times(r.gaussNewton, line(dirs[j]))))
				}
			}
			near(t, "form", form.Data, want, tol)
		})
	}
}

func TestLarge(t *testing.T) { both(t, testLarge[float32], testLarge[float64]) }

func testLarge[T dense.Float](t *testing.T) {
	tol := 100 * tolerance[T]()
	for _, p := range large {
		t.Run(p.name, func(t *testing.T) {
			n, x, y := setUp[T](p)
			v, u := direction(n, 1), direction(n, 2)
			o := &oracle{loss: n.loss, input: n.input, layers: p.layers, params: make([][]hyper, len(p.layers))}
			next := 0
			for l, layer := range p.layers {
				switch layer.(type) {
				case Full, Conv:
					for i, w := range n.params[next].Data {
						o.params[l] = append(o.params[l], hyper{r: float64(w), a: float64(v[next].Data[i]), b: float64(u[next].Data[i])})
					}
					next++
				}
			}
			var sum hyper
			var jacobian []float64
			for i := range x.Rows {
				z := o.outputs(float64s(x.Row(i)))
				for _, z := range z {
					jacobian = append(jacobian, z.a)
				}
				sum = sum.add(lossOf(n.loss, z, float64s(y.Row(i)), n.Output().Channels))
			}
			sum = sum.mul(real(1 / float64(x.Rows)))
			e, err := n.Evidence(x, y, solvers.NeedCurvature, 0)
			if err != nil {
				t.Fatal(err)
			}
			w, out := solvers.Like(n.params), dense.NewMatrix[T](y.Rows, y.Cols)
			if err := errors.Join(e.Curvature.Hessian(v, w), n.curv.Jacobian(v, out)); err != nil {
				t.Fatal(err)
			}
			vl, ul := line(v), line(u)
			// Sums of terms of both signs: the tolerance is relative to their sizes.
			scale := func(x, y []float64) float64 { return math.Sqrt(dot(x, x) * dot(y, y)) }
			g, h := line(e.Grads), line(w)
			for _, c := range []struct {
				what            string
				got, want, size float64
			}{
				{"loss", e.Loss, sum.r, sum.r},
				{"gradient", dot(g, vl), sum.a, scale(g, vl)},
				{"gradient", dot(g, ul), sum.b, scale(g, ul)},
				{"Hessian", dot(h, ul), sum.ab, scale(h, ul)},
			} {
				if !(math.Abs(c.got-c.want) <= tol*c.size) {
					t.Errorf("%s: %v, want %v", c.what, c.got, c.want)
				}
			}
			near(t, "Jacobian", float64s(out.Data), jacobian, tol)
		})
	}
}

// exampleGradients returns the gradient of each example that a set of layers stands for,
// from its definition, in one line for all weights.
func exampleGradients[T dense.Float](n *Network[T], set []solvers.Layer[T]) [][]float64 {
	var out [][]float64
	for e := range set[0].Examples {
		var all []float64
		for _, l := range set {
			shape := n.params[l.Param].Shape
			g := make([]float64, shape[0]*shape[1])
			for p := range l.Positions {
				row := e*l.Positions + p
				for i, d := range l.Grads.Row(row) {
					for j, a := range inputOf(l, e, p, i) {
						g[i*shape[1]+j] += float64(d) * a
					}
				}
			}
			all = append(all, g...)
		}
		out = append(out, all)
	}
	return out
}

// inputOf returns what output channel i sees at position p of example e, with the 1 of the
// bias.
func inputOf[T dense.Float](l solvers.Layer[T], e, p, i int) (a []float64) {
	if g := l.Conv; g == nil {
		a = float64s(l.Inputs.Row(e*l.Positions + p))
	} else {
		_, w := g.OutSize()
		cg := g.Channels / g.Groups
		for kh := range g.KernelH {
			for kw := range g.KernelW {
				y, x := p/w*g.StrideH+kh*g.DilationH-g.PadH, p%w*g.StrideW+kw*g.DilationW-g.PadW
				for c := range cg {
					v := 0.0
					if y >= 0 && x >= 0 && y < g.Height && x < g.Width {
						v = float64(l.Inputs.At((e*g.Height+y)*g.Width+x, i/(g.Out/g.Groups)*cg+c))
					}
					a = append(a, v)
				}
			}
		}
	}
	if l.Bias {
		a = append(a, 1)
	}
	return a
}

func TestLayers(t *testing.T) { both(t, testLayers[float32], testLayers[float64]) }

func testLayers[T dense.Float](t *testing.T) {
	tol := 10 * tolerance[T]()
	for _, p := range small {
		t.Run(p.name, func(t *testing.T) {
			n, x, y := setUp[T](p)
			r := refer(n, p.layers, x, y, false)
			e, err := n.Evidence(x, y, solvers.NeedLayers, 0)
			if err != nil {
				t.Fatal(err)
			}
			if len(e.Layers) != 1 {
				t.Fatalf("%d sets", len(e.Layers))
			}
			mean := make([]float64, len(r.gradient))
			for _, g := range exampleGradients(n, e.Layers[0]) {
				for i := range g {
					mean[i] += g[i] / float64(x.Rows)
				}
			}
			near(t, "gradient", mean, r.gradient, tol)

			if e, err = n.Evidence(x, y, solvers.NeedExactLayers, 0); err != nil {
				t.Fatal(err)
			}
			near(t, "gradient", line(e.Grads), r.gradient, tol)
			if want := n.Output().Len(); len(e.Layers) != want {
				t.Fatalf("%d exact sets, want %d", len(e.Layers), want)
			}
			var want []float64
			for _, row := range r.gaussNewton {
				want = append(want, row...)
			}
			got := make([]float64, len(want))
			for _, set := range e.Layers {
				for _, g := range exampleGradients(n, set) {
					for i := range g {
						for j := range g {
							got[i*len(g)+j] += g[i] * g[j] / float64(x.Rows)
						}
					}
				}
			}
			near(t, "exact sets", got, want, tol)
		})
	}
}

// TestSampled compares the second moments of the gradients of sampled targets with the
// Fisher matrix.
func TestSampled(t *testing.T) {
	for _, p := range []problem{
		{"bernoulli", BinaryCrossEntropy, Vec(2), []Layer{Full{Out: 3}}, 700},
		{"normal", SquaredError, Vec(2), []Layer{Full{Out: 3, Act: Tanh}}, 700},
		{"categorical", SoftmaxCrossEntropy, Shape{2, 1, 2}, []Layer{Full{Out: 3, Shared: true}}, 350},
	} {
		t.Run(p.name, func(t *testing.T) {
			n, x, y := setUp[float32](p)
			for i := range x.Rows {
				copy(x.Row(i), x.Row(0)) // examples of one distribution
			}
			e, err := n.Evidence(x, y, solvers.NeedExactLayers, 0)
			if err != nil {
				t.Fatal(err)
			}
			fisher := make([]float64, 9)
			for _, set := range e.Layers {
				addOuter(fisher, set[0].Grads.View(0, 0, set[0].Positions, 3), 1)
			}
			const steps = 20
			got, mean := make([]float64, 9), make([]float64, 3)
			draws := float64(steps * x.Rows)
			var first []float32
			for step := range steps {
				if e, err = n.Evidence(x, y, solvers.NeedSampledLayers, step); err != nil {
					t.Fatal(err)
				}
				g := e.Layers[0][0].Grads
				addOuter(got, g, 1/draws)
				for i := range g.Rows {
					for j, v := range g.Row(i) {
						mean[j] += float64(v) / draws
					}
				}
				if step == 0 {
					first = append(first, g.Data...)
				} else if fmt.Sprint(first) == fmt.Sprint(g.Data) {
					t.Fatalf("step %d draws the targets of step 0", step)
				}
			}
			// Standard errors of elements of size one, and their squares.
			for i := range got {
				if !(math.Abs(got[i]-fisher[i]) <= 6*math.Sqrt(2/draws)*math.Max(fisher[0], 1)) {
					t.Errorf("second moment %d is %v, want %v", i, got[i], fisher[i])
				}
			}
			for j := range mean {
				if !(math.Abs(mean[j]) <= 6/math.Sqrt(draws)) {
					t.Errorf("mean %d is %v", j, mean[j])
				}
			}
			if e, err = n.Evidence(x, y, solvers.NeedSampledLayers, 0); err != nil {
				t.Fatal(err)
			}
			if fmt.Sprint(first) != fmt.Sprint(e.Layers[0][0].Grads.Data) {
				t.Error("step 0 draws other targets the second time")
			}
			n.Seed = 9
			if e, err = n.Evidence(x, y, solvers.NeedSampledLayers, 0); err != nil {
				t.Fatal(err)
			}
			if fmt.Sprint(first) == fmt.Sprint(e.Layers[0][0].Grads.Data) {
				t.Error("another seed draws the same targets")
			}
		})
	}
}

func addOuter(m []float64, g dense.Matrix[float32], scale float64) {
	for i := range g.Rows {
		for j, a := range g.Row(i) {
			for k, b := range g.Row(i) {
				m[j*g.Cols+k] += scale * float64(a) * float64(b)
			}
		}
	}
}

func TestNonFinite(t *testing.T) {
	p := small[1]
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, c := range []struct {
		want  string
		spoil func(n *Network[float32], x, y dense.Matrix[float32])
	}{
		{"input", func(n *Network[float32], x, y dense.Matrix[float32]) { x.Set(2, 1, nan) }},
		{"target", func(n *Network[float32], x, y dense.Matrix[float32]) { y.Set(2, 1, inf) }},
		{"weight of layer full2", func(n *Network[float32], x, y dense.Matrix[float32]) { n.params[2].Data[3] = nan }},
		{"output of layer full1", func(n *Network[float32], x, y dense.Matrix[float32]) {
			dense.MatrixOf(2, 5, n.params[1].Data).Fill(math.MaxFloat32)
		}},
	} {
		n, x, y := setUp[float32](p)
		c.spoil(n, x, y)
		_, evidence := n.Evidence(x, y, 0, 0)
		_, loss := n.Loss(x, y)
		v := direction(n, 1)
		out := direction(n, 2)
		before := line(out)
		curvature := n.Curvature(x, y)
		for _, err := range []error{evidence, loss, curvature.GaussNewton(v, out), curvature.Hessian(v, out)} {
			var nf *dense.NonFiniteError
			if !errors.As(err, &nf) || !strings.Contains(nf.Where, c.want) {
				t.Errorf("want an error about the %s, have %v", c.want, err)
			}
		}
		near(t, "output after an error", line(out), before, 0)
	}
}

func TestPanics(t *testing.T) {
	n, x, y := setUp[float32](small[1])
	other := solvers.Like(n.params[:2])
	for _, c := range []struct {
		want string
		f    func()
	}{
		{"nn: New: unknown loss 7", func() { New[float32](7, Vec(2), Full{Out: 1}) }},
		{"nn: New: input shape {0 1 1}", func() { New[float32](0, Shape{0, 1, 1}, Full{Out: 1}) }},
		{"nn: New: no layer has a weight", func() { New[float32](0, Vec(2)) }},
		{"nn: New: layer 1: Full has 0 outputs", func() { New[float32](0, Vec(2), Full{Out: 1}, Full{}) }},
		{"nn: New: layer 0: unknown activation 9", func() { New[float32](0, Vec(2), Full{Out: 1, Act: 9}) }},
		{"nn: New: layer 0: a pool of size 3 and stride 3 on 2x9 pixels", func() { New[float32](0, Shape{2, 9, 1}, MaxPool{Size: 3}) }},
		{"nn: New: layer 0: kron: ConvGeometry: KernelW is 0, want at least 1", func() { New[float32](0, Shape{2, 9, 1}, Conv{Out: 1, KernelH: 1}) }},
		{"nn: Evidence: x is 3x4, want examples of 5 elements", func() { n.Evidence(x.View(0, 0, 3, 4), y, 0, 0) }},
		{"nn: Evidence: x is 0x5, want examples of 5 elements", func() { n.Evidence(x.View(0, 0, 0, 5), y, 0, 0) }},
		{"nn: Evidence: t is 2x2, want 3x2", func() { n.Evidence(x, y.View(0, 0, 2, 2), 0, 0) }},
		{"nn: Evidence: more than one kind", func() { n.Evidence(x, y, solvers.NeedLayers|solvers.NeedExactLayers, 0) }},
		{"nn: Predict: out is 3x1, want 3x2", func() { n.Predict(x, y.View(0, 0, 3, 1)) }},
		{"nn: Evaluate: t is 2x2, want 3x2", func() { n.Evaluate(x, y.View(0, 0, 2, 2), y) }},
		{"nn: Evaluate: out is 3x1, want 3x2", func() { n.Evaluate(x, y, y.View(0, 0, 3, 1)) }},
		{"nn: Init: unknown distribution 3", func() { n.Init(3, 0) }},
		{"nn: Hessian: 2 tensors for 4", func() { n.Curvature(x, y).Hessian(other, other) }},
		{"nn: GaussNewton: tensor 0 has 10 elements, full0 has 24", func() { n.Curvature(x, y).GaussNewton(solvers.Like(n.params), append(other[1:], n.params[:3]...)) }},
		{"nn: GaussNewtonForm: form is 1x2 for 1", func() {
			n.Curvature(x, y).GaussNewtonForm([][]solvers.Tensor[float32]{n.params}, dense.NewMatrix[float64](1, 2))
		}},
		{"nn: Jacobian: out is 2x2, want 3x2", func() { n.Curvature(x, y).Jacobian(n.params, y.View(0, 0, 2, 2)) }},
		{"nn: First: the first 4 examples of 3", func() { n.Curvature(x, y).First(4) }},
		{"nn: First: the first -1 examples of 3", func() { n.Curvature(x, y).First(-1) }},
		{"nn: Evidence: Sampled is 1.5, want a share", func() {
			m := *n
			m.Sampled = 1.5
			m.Evidence(x, y, 0, 0)
		}},
		{"nn: Reset: the curvature belongs to an Evidence", func() {
			e, _ := n.Evidence(x, y, solvers.NeedCurvature, 0)
			e.Curvature.(*Curvature[float32]).Reset(x, y)
		}},
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.HasPrefix(got, c.want) {
					t.Errorf("panic %q, want %q", got, c.want)
				}
			}()
			c.f()
		}()
	}
}
