package shampoo

import (
	"fmt"
	"math"
	"testing"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/random"
	"github.com/precond-go/precond/invroot"
	"github.com/precond-go/precond/kron"
	"github.com/precond-go/precond/solvers"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/mat"
)

func both(t *testing.T, f32, f64 func(t *testing.T)) {
	t.Run("float32", f32)
	t.Run("float64", f64)
}

// tolerance is that of an oracle on well-conditioned input.
func tolerance[T dense.Float]() float64 {
	if T(1)+0x1p-30 == 1 {
		return 1e-4
	}
	return 1e-10
}

// tensors returns tensors of the given shapes with the elements of a stream and step.
func tensors[T dense.Float](stream, step uint64, shapes ...[]int) []solvers.Tensor[T] {
	var ts []solvers.Tensor[T]
	for i, s := range shapes {
		p := solvers.NewTensor[T](fmt.Sprint("t", i), s...)
		random.Normal(random.New(stream, uint64(i), step), 0, p.Data)
		ts = append(ts, p)
	}
	return ts
}

func evidence[T dense.Float](g []solvers.Tensor[T]) *solvers.Evidence[T] {
	return &solvers.Evidence[T]{Examples: 1, Grads: g}
}

// step observes, refreshes and applies, and returns directions and report.
func step[T dense.Float](t *testing.T, p solvers.Preconditioner[T], n int, grads []solvers.Tensor[T]) ([]solvers.Tensor[T], *solvers.Report) {
	t.Helper()
	dst, r := solvers.Like(grads), &solvers.Report{Step: n}
	for _, err := range []error{p.Observe(n, evidence(grads)), p.Refresh(n, r), p.Apply(n, grads, dst)} {
		if err != nil {
			t.Fatalf("step %d: %v", n, err)
		}
	}
	return dst, r
}

// unfold returns the unfolding of a tensor along a mode, by indices.
func unfold[T dense.Float](x []T, shape []int, mode int) *mat.Dense {
	n, right := shape[mode], 1
	for _, d := range shape[mode+1:] {
		right *= d
	}
	left := len(x) / n / right
	m := mat.NewDense(n, left*right, nil)
	for i, v := range x {
		m.Set(i/right%n, i/right/n*right+i%right, float64(v))
	}
	return m
}

// matrixPower returns (c + ridge·λmax·I)^p by gonum's eigendecomposition in float64.
func matrixPower(c *mat.SymDense, ridge, p float64) *mat.Dense {
	n := c.SymmetricDim()
	var e mat.EigenSym
	if !e.Factorize(c, true) {
		panic("no eigendecomposition")
	}
	v := e.Values(nil)
	var q, x mat.Dense
	e.VectorsTo(&q)
	d := mat.NewDiagDense(n, nil)
	for i := range v {
		d.SetDiag(i, math.Pow(v[i]+ridge*v[n-1], p))
	}
	x.Product(&q, d, q.T())
	return &x
}

// reference is Shampoo on one tensor in float64, written plainly: it returns the matrix P after
// steps of gradients.
type reference struct {
	shape      []int
	decay      float64
	corrected  bool
	ridge      float64
	exponents  []float64
	traced     bool
	likelihood bool
	diagonal   []bool
}

func (r *reference) matrix(grads [][]float64) *mat.Dense {
	k := len(r.shape)
	c, roots := make([]*mat.SymDense, k), make([]*mat.Dense, k)
	weight := 1 - r.decay
	if r.decay == 1 {
		weight = 1
	}
	for i := range c {
		c[i] = mat.NewSymDense(r.shape[i], nil)
	}
	for t, g := range grads {
		next := make([]*mat.SymDense, k)
		for i, n := range r.shape {
			x := unfold(g, r.shape, i)
			w := weight
			if r.likelihood {
				w /= float64(len(g) / n)
				if t == 0 {
					square := 0.0
					for _, v := range g {
						square += v * v / float64(len(g))
					}
					w *= math.Pow(square, -float64(k-1)/float64(k))
				} else {
					y := mat.NewVecDense(len(g), nil)
					others := append([]*mat.Dense(nil), roots...)
					others[i] = eye(n)
					y.MulVec(kronecker(others), mat.NewVecDense(len(g), g))
					x = unfold(y.RawVector().Data, r.shape, i)
				}
			}
			var s mat.SymDense
			s.SymOuterK(w, x)
			s.AddSym(scaled(r.decay, c[i]), &s)
			next[i] = &s
		}
		c = next
		for i, n := range r.shape {
			s := mat.NewSymDense(n, nil)
			scale := 1.0
			if r.decay < 1 && r.corrected {
				scale = 1 / (1 - math.Pow(r.decay, float64(t+1)))
			}
			if r.traced {
				scale *= math.Pow(scale*mat.Trace(c[i]), -float64(k-1)/float64(k))
			}
			for a := range n {
				for b := range a + 1 {
					if a == b || r.diagonal == nil || !r.diagonal[i] {
						s.SetSym(a, b, scale*c[i].At(a, b))
					}
				}
			}
			roots[i] = matrixPower(s, r.ridge, -r.exponents[i])
		}
	}
	return kronecker(roots)
}

func scaled(a float64, s *mat.SymDense) *mat.SymDense {
	var x mat.SymDense
	x.ScaleSym(a, s)
	return &x
}

func eye(n int) *mat.Dense {
	m := mat.NewDense(n, n, nil)
	for i := range n {
		m.Set(i, i, 1)
	}
	return m
}

func kronecker(ms []*mat.Dense) *mat.Dense {
	p := eye(1)
	for _, m := range ms {
		var next mat.Dense
		next.Kronecker(p, m)
		p = &next
	}
	return p
}

// difference returns ‖a−b‖/‖b‖ in the Frobenius norm.
func difference(a dense.Matrix[float64], b *mat.Dense) float64 {
	var d mat.Dense
	d.Sub(mat.NewDense(a.Rows, a.Cols, a.Data), b)
	return mat.Norm(&d, 2) / mat.Norm(b, 2)
}

// TestOracle compares P with the dense Kronecker product in float64, for tensors of orders 1 to
// 4 and all forms of the statistics.
func TestOracle(t *testing.T) { both(t, testOracle[float32], testOracle[float64]) }

func testOracle[T dense.Float](t *testing.T) {
	const steps, ridge = 6, 1e-2
	root := &invroot.Options{Ridge: ridge, Kind: invroot.RelativeToMax}
	for _, shape := range [][]int{{7}, {5, 6}, {6, 1, 5}, {4, 3, 5}, {3, 4, 2, 3}, {1}} {
		var dims []int
		for _, d := range shape {
			if d > 1 || len(shape) == 1 {
				dims = append(dims, d)
			}
		}
		k := len(dims)
		same := func(e float64) []float64 {
			x := make([]float64, k)
			for i := range x {
				x[i] = e
			}
			return x
		}
		overridden := same(1 / float64(2*k))
		overridden[0], overridden[k-1] = 0.75, 0 // of order 1: none
		ones := func(int, []int, int) invroot.Exponent { return invroot.Inverse(1) }
		diagonal := make([]bool, k)
		for i, d := range dims {
			diagonal[i] = d > 4
		}
		for name, c := range map[string]struct {
			o Options
			r reference
		}{
			"moving average": {Options{Decay: 0.8}, reference{decay: 0.8, corrected: true, exponents: same(1 / float64(2*k))}},
			"uncorrected":    {Options{Decay: 0.8, Uncorrected: true, Root: root}, reference{decay: 0.8, exponents: same(1 / float64(2*k))}},
			"sum":            {Options{Decay: 1}, reference{decay: 1, exponents: same(1 / float64(2*k))}},
			"override": {Options{Exponent: func(tensor int, shape []int, mode int) invroot.Exponent {
				switch mode {
				case len(shape) - 1:
					return invroot.Exponent{Q: 0, P: 1}
				case 0:
					return invroot.Exponent{Q: 3, P: 4}
				}
				return invroot.Exponent{}
			}}, reference{decay: 0.95, corrected: true, exponents: overridden}},
			"trace":         {Options{TraceScaled: true}, reference{decay: 0.95, corrected: true, traced: true, exponents: same(0.5)}},
			"tensor normal": {Options{TraceScaled: true, Exponent: ones}, reference{decay: 0.95, corrected: true, traced: true, exponents: same(1)}},
			"likelihood":    {Options{Statistic: Likelihood, Decay: 0.7}, reference{decay: 0.7, corrected: true, likelihood: true, exponents: same(0.5)}},
			"diagonal":      {Options{DiagonalAbove: 4}, reference{decay: 0.95, corrected: true, diagonal: diagonal, exponents: same(1 / float64(2*k))}},
		} {
			c.o.Root, c.o.RefreshEvery, c.o.Threads = root, 1, 2
			c.r.shape, c.r.ridge = dims, ridge
			s := New(tensors[T](1, 0, shape), c.o)
			var grads [][]float64
			for n := range steps {
				g := tensors[T](1, uint64(n), shape)
				dst, _ := step(t, s, n, g)
				x := make([]float64, len(g[0].Data))
				for i, v := range g[0].Data {
					x[i] = float64(v)
				}
				grads = append(grads, x)
				if n < steps-1 {
					continue
				}
				want := c.r.matrix(grads)
				p := s.Dense(0)
				if d := difference(p, want); !(d <= tolerance[T]()) {
					t.Errorf("%v, %s: P differs by %g from the dense one", shape, name, d)
				}
				var y mat.VecDense
				y.MulVec(want, mat.NewVecDense(len(x), x))
				for i, v := range dst[0].Data {
					if !(math.Abs(float64(v)-y.AtVec(i)) <= tolerance[T]()*mat.Norm(&y, 2)) {
						t.Fatalf("%v, %s: element %d of the direction is %v, want %v", shape, name, i, v, y.AtVec(i))
					}
				}
			}
		}
	}
}

// TestBlocks compares blocks with the same method on their parts alone, and merged shapes with
// tensors of that shape, bit for bit.
func TestBlocks(t *testing.T) { both(t, testBlocks[float32], testBlocks[float64]) }

func testBlocks[T dense.Float](t *testing.T) {
	const rows, cols = 13, 22 // cut at 5 into 3 and 5 parts, the lengths of which differ
	at := func(i, d, parts int) int { return i * d / parts }
	whole := New(tensors[T](1, 0, []int{rows, cols}), Options{BlockSize: 5, RefreshEvery: 2})
	var parts []*Shampoo[T]
	for n := range 4 {
		g := tensors[T](1, uint64(n), []int{rows, cols})
		got, _ := step(t, whole, n, g)
		m := g[0].Matrix()
		for k := range 15 {
			i, j := k/5, k%5
			v := m.View(at(i, rows, 3), at(j, cols, 5), at(i+1, rows, 3)-at(i, rows, 3), at(j+1, cols, 5)-at(j, cols, 5))
			if v.Rows > 5 || v.Cols > 5 {
				t.Fatal("the test has too large parts")
			}
			part := tensors[T](9, 0, []int{v.Rows, v.Cols})
			part[0].Matrix().Copy(v)
			if n == 0 {
				parts = append(parts, New(part, Options{RefreshEvery: 2}))
			}
			want, _ := step(t, parts[k], n, part)
			for a := range v.Rows {
				for b := range v.Cols {
					x, y := got[0].Matrix().At(at(i, rows, 3)+a, at(j, cols, 5)+b), want[0].Matrix().At(a, b)
					if x != y {
						t.Fatalf("step %d, block %d,%d: %v, alone %v", n, i, j, x, y)
					}
				}
			}
		}
	}
	for _, c := range []struct {
		shape, merged []int
		limit         int
	}{
		{[]int{2, 3, 4}, []int{2, 3, 4}, 0}, {[]int{2, 3, 4}, []int{6, 4}, 6}, {[]int{2, 3, 4}, []int{24}, 24},
		{[]int{8, 4, 3, 3}, []int{8, 4, 9}, 9}, {[]int{1, 5, 1}, []int{5}, 0}, {[]int{1, 1}, []int{1}, 9}, {nil, []int{1}, 0},
	} {
		if got := mergedShape(c.shape, c.limit); fmt.Sprint(got) != fmt.Sprint(c.merged) {
			t.Errorf("%v with a limit of %d: %v, want %v", c.shape, c.limit, got, c.merged)
		}
		a, b := New(tensors[T](2, 0, c.shape), Options{Merge: c.limit}), New(tensors[T](2, 0, c.merged), Options{})
		x, _ := step(t, a, 0, tensors[T](2, 0, c.shape))
		y, _ := step(t, b, 0, tensors[T](2, 0, c.merged))
		for i := range x[0].Data {
			if x[0].Data[i] != y[0].Data[i] {
				t.Fatalf("%v merged to %v: other directions", c.shape, c.merged)
			}
		}
	}
}

// TestLikelihoodFixedPoint draws gradients with a Kronecker-factored second moment L⊗R: the
// factors of KL-Shampoo tend to it, so that P is its inverse square root, and so does
// the scaled product of traces.
func TestLikelihoodFixedPoint(t *testing.T) {
	const m, n, steps = 3, 4, 4000
	a, b := tensors[float64](3, 0, []int{m, m}, []int{n, n}), make([]*mat.SymDense, 2)
	for i, x := range a {
		d := x.Shape[0]
		b[i] = mat.NewSymDense(d, nil)
		b[i].SymOuterK(1, mat.NewDense(d, d, x.Data))
		for j := range d {
			b[i].SetSym(j, j, b[i].At(j, j)+0.5)
		}
	}
	half := []*mat.Dense{matrixPower(b[0], 0, 0.5), matrixPower(b[1], 0, 0.5)}
	want := kronecker([]*mat.Dense{matrixPower(b[0], 0, -0.5), matrixPower(b[1], 0, -0.5)})
	for name, o := range map[string]Options{"likelihood": {Statistic: Likelihood}, "trace": {TraceScaled: true}} {
		o.Decay, o.RefreshEvery, o.Root = 0.999, 5, &invroot.Options{}
		o.Tolerance = solvers.Tolerance{Failures: 10}
		s := New(tensors[float64](3, 0, []int{m, n}), o)
		for k := range steps {
			z, g := tensors[float64](4, uint64(k), []int{m, n}), tensors[float64](4, 0, []int{m, n})
			kron.ApplyTensor(blas.NoTrans, []dense.Matrix[float64]{dense.MatrixOf(m, m, half[0].RawMatrix().Data), dense.MatrixOf(n, n, half[1].RawMatrix().Data)}, []int{m, n}, z[0].Data, g[0].Data, nil)
			step(t, s, k, g)
		}
		if d := difference(s.Dense(0), want); !(d <= 0.06) {
			t.Errorf("%s: P differs by %g from the inverse square root of the second moment", name, d)
		}
	}
}
