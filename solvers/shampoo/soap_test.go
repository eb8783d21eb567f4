package shampoo

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

// TestSOAPOracle compares with Adam in the eigenbasis written plainly in float64, which keeps the
// first moment in the basis of the model and knows nothing of signs and order.
func TestSOAPOracle(t *testing.T) { both(t, testSOAPOracle[float32], testSOAPOracle[float64]) }

func testSOAPOracle[T dense.Float](t *testing.T) {
	const steps, decay, beta1, beta2, eps = 7, 0.8, 0.9, 0.7, 1e-2
	for _, c := range []struct {
		shape []int
		every int
	}{{[]int{5, 6}, 1}, {[]int{5, 5}, 3}, {[]int{4, 3, 5}, 2}, {[]int{3, 2, 3, 2}, 1}} {
		s := NewSOAP(tensors[T](1, 0, c.shape), SOAPOptions{Options: Options{Decay: decay, RefreshEvery: c.every, Threads: 2},
			Beta1: solvers.Constant(beta1), Beta2: solvers.Constant(beta2), Eps: solvers.Constant(eps)})
		k := len(c.shape)
		stats := make([]*mat.SymDense, k)
		for i, n := range c.shape {
			stats[i] = mat.NewSymDense(n, nil)
		}
		var q *mat.Dense
		var first, second *mat.VecDense
		for n := range steps {
			g := tensors[T](1, uint64(n), c.shape)
			got, _ := step(t, s, n, g)
			x := mat.NewVecDense(len(g[0].Data), nil)
			for i, v := range g[0].Data {
				x.SetVec(i, float64(v))
			}
			bases := make([]*mat.Dense, k)
			for i := range stats {
				var u mat.SymDense
				u.SymOuterK(1-decay, unfold(x.RawVector().Data, c.shape, i))
				stats[i].AddSym(scaled(decay, stats[i]), &u)
				var e mat.EigenSym
				e.Factorize(stats[i], true)
				bases[i] = new(mat.Dense)
				e.VectorsTo(bases[i])
			}
			if n == 0 {
				q = kronecker(bases)
				first, second = mat.NewVecDense(x.Len(), nil), mat.NewVecDense(x.Len(), nil)
			} else if n%c.every == 0 {
				next := kronecker(bases)
				var r mat.Dense
				r.Mul(q.T(), next)
				r.MulElem(&r, &r)
				second.MulVec(r.T(), mat.VecDenseCopyOf(second))
				q = next
			}
			first.AddScaledVec(scaledVec(beta1, first), 1-beta1, x)
			var y, m, want mat.VecDense
			y.MulVec(q.T(), x)
			m.MulVec(q.T(), first)
			for i := range y.Len() {
				second.SetVec(i, beta2*second.AtVec(i)+(1-beta2)*y.AtVec(i)*y.AtVec(i))
				v := second.AtVec(i) / (1 - math.Pow(beta2, float64(n+1)))
				m.SetVec(i, m.AtVec(i)/(1-math.Pow(beta1, float64(n+1)))/(math.Sqrt(v)+eps))
			}
			want.MulVec(q, &m)
			for i, v := range got[0].Data {
				if !(math.Abs(float64(v)-want.AtVec(i)) <= 10*tolerance[T]()*mat.Norm(&want, 2)) {
					t.Fatalf("%v: step %d: element %d is %v, want %v", c.shape, n, i, v, want.AtVec(i))
				}
			}
		}
		// The direction is Dense's product with the first moment.
		var want mat.VecDense
		p := s.Dense(0)
		want.MulVec(mat.NewDense(p.Rows, p.Cols, p.Data), first)
		before := s.moments[0].first[0]
		got := tensors[T](1, steps-1, c.shape)
		last := NewSOAP(tensors[T](1, 0, c.shape), SOAPOptions{Options: Options{Decay: decay, RefreshEvery: c.every},
			Beta1: solvers.Constant(beta1), Beta2: solvers.Constant(beta2), Eps: solvers.Constant(eps)})
		for n := range steps {
			got, _ = step(t, last, n, tensors[T](1, uint64(n), c.shape))
		}
		for i, v := range got[0].Data {
			if !(math.Abs(float64(v)-want.AtVec(i)) <= 10*tolerance[T]()*mat.Norm(&want, 2)) {
				t.Fatalf("%v: Dense times the first moment has %v at %d, the direction %v", c.shape, want.AtVec(i), i, v)
			}
		}
		if s.moments[0].first[0] != before {
			t.Error("Dense has changed the moments")
		}
	}
}

func scaledVec(a float64, x *mat.VecDense) *mat.VecDense {
	var y mat.VecDense
	y.ScaleVec(a, x)
	return &y
}

// TestPowerStep: on a statistic that stays, power steps turn the basis to the eigenvectors, and
// every basis on the way is orthonormal.
func TestPowerStep(t *testing.T) {
	const n = 6
	s := NewSOAP(tensors[float64](1, 0, []int{n, n}), SOAPOptions{Basis: PowerStep, Options: Options{RefreshEvery: 1, Decay: 0.9}})
	g := tensors[float64](5, 0, []int{n, n})
	for k := range 250 {
		if k == 0 {
			step(t, s, k, tensors[float64](6, 0, []int{n, n})) // a basis that is far off
		} else {
			step(t, s, k, g)
		}
		f := &s.core.factors[0]
		q := mat.NewDense(n, n, f.current().Data)
		var i mat.Dense
		i.Mul(q.T(), q)
		i.Sub(&i, eye(n))
		if !(mat.Norm(&i, 2) <= 1e-13) {
			t.Fatalf("step %d: QᵀQ − I is %g", k, mat.Norm(&i, 2))
		}
	}
	f := &s.core.factors[0]
	q, c := mat.NewDense(n, n, f.current().Data), mat.NewSymDense(n, nil)
	for i := range n {
		for j := range i + 1 {
			c.SetSym(i, j, f.stat.At(i, j))
		}
	}
	var d mat.Dense
	d.Product(q.T(), c, q)
	for i := range n {
		for j := range n {
			if off := d.At(i, j); i != j && !(math.Abs(off) <= 1e-4*d.At(0, 0)) {
				t.Errorf("QᵀCQ has %g at (%d, %d), %g at (0, 0)", off, i, j, d.At(0, 0))
			}
		}
	}
}

// network is a 10-12-3 network of tanh units with squared loss, written plainly.
type network struct{ x, t *mat.Dense }

func (n *network) loss(p, g []solvers.Tensor[float64]) float64 {
	examples, _ := n.x.Dims()
	w1, w2 := mat.NewDense(12, 11, p[0].Data), mat.NewDense(3, 13, p[1].Data)
	var h, z, d, back, g1, g2 mat.Dense
	h.Mul(n.x, w1.T())
	ones := mat.NewDense(examples, 13, nil)
	for i := range examples {
		for j := range 12 {
			ones.Set(i, j, math.Tanh(h.At(i, j)))
		}
		ones.Set(i, 12, 1)
	}
	z.Mul(ones, w2.T())
	d.Sub(&z, n.t)
	loss := mat.Norm(&d, 2) * mat.Norm(&d, 2) / float64(2*examples)
	d.Scale(1/float64(examples), &d)
	g2.Mul(d.T(), ones)
	back.Mul(&d, w2.Slice(0, 3, 0, 12))
	for i := range examples {
		for j := range 12 {
			a := ones.At(i, j)
			back.Set(i, j, back.At(i, j)*(1-a*a))
		}
	}
	g1.Mul(back.T(), n.x)
	copy(g[0].Data, g1.RawMatrix().Data)
	copy(g[1].Data, g2.RawMatrix().Data)
	return loss
}

// TestSOAPDescends is the case at which a peer's EKFAC-like method diverges, since it permutes the
// basis and not the moments: a 10-12-3 network, a refresh at every step, 50 steps.
func TestSOAPDescends(t *testing.T) {
	const examples = 40
	for _, basis := range []Basis{Eigenvectors, PowerStep} {
		n := network{mat.NewDense(examples, 11, nil), mat.NewDense(examples, 3, nil)}
		random.Normal(random.New(7, 0, 0), 0, n.x.RawMatrix().Data)
		random.Normal(random.New(7, 1, 0), 0, n.t.RawMatrix().Data)
		for i := range examples {
			n.x.Set(i, 10, 1)
		}
		p := tensors[float64](8, 0, []int{12, 11}, []int{3, 13})
		for _, w := range p {
			dense.Scal(1/math.Sqrt(11), w.Data, nil)
		}
		g := solvers.Like(p)
		opt := solvers.NewOptimizer(p, NewSOAP(p, SOAPOptions{Basis: basis, Options: Options{RefreshEvery: 1}}),
			solvers.NewMomentum(p, solvers.MomentumConfig{Rate: solvers.Constant(0.01)}))
		initial := n.loss(p, g)
		last, rises := initial, 0
		for range 50 {
			e := evidence(g)
			e.Loss = last
			if _, err := opt.Step(e); err != nil {
				t.Fatal(err)
			}
			loss := n.loss(p, g)
			if loss > last {
				rises++
			}
			last = loss
		}
		if !(last < 0.5*initial) || rises > 5 {
			t.Errorf("basis %d: the loss went from %g to %g, and rose in %d steps", basis, initial, last, rises)
		}
	}
}

// builders are the methods that have moments of their own.
func builders[T dense.Float](threads, lag int) map[string]func(p []solvers.Tensor[T]) solvers.Preconditioner[T] {
	soap := func(o SOAPOptions) func(p []solvers.Tensor[T]) solvers.Preconditioner[T] {
		o.Threads, o.RefreshEvery, o.Lag, o.Spread = threads, 3, lag, lag == 1
		return func(p []solvers.Tensor[T]) solvers.Preconditioner[T] { return NewSOAP(p, o) }
	}
	return map[string]func(p []solvers.Tensor[T]) solvers.Preconditioner[T]{
		"SOAP":       soap(SOAPOptions{}),
		"power step": soap(SOAPOptions{Basis: PowerStep, Options: Options{BlockSize: 8, DiagonalAbove: 20}}),
		"Muon": func(p []solvers.Tensor[T]) solvers.Preconditioner[T] {
			return NewMuon(p, MuonOptions{Threads: threads})
		},
	}
}

// TestMomentsThreads asks for the same bits with 1, 2 and 3 threads.
func TestMomentsThreads(t *testing.T) {
	both(t, testMomentsThreads[float32], testMomentsThreads[float64])
}

func testMomentsThreads[T dense.Float](t *testing.T) {
	large := [][]int{{150, 131}, {20, 7, 33}, {200}}
	want := map[string][]solvers.Tensor[T]{}
	for threads := 1; threads <= 3; threads++ {
		for name, build := range builders[T](threads, 0) {
			p := build(tensors[T](1, 0, large...))
			var got []solvers.Tensor[T]
			for k := range 5 {
				got, _ = step(t, p, k, tensors[T](1, uint64(k), large...))
			}
			if threads == 1 {
				want[name] = got
			} else if !equal(got, want[name]) {
				t.Errorf("%s: other bits with %d threads", name, threads)
			}
		}
	}
}

// TestMomentsAllocations: nothing in the steady state.
func TestMomentsAllocations(t *testing.T) {
	for _, lag := range []int{0, 1} {
		for name, build := range builders[float32](2, lag) {
			g := tensors[float32](1, 0, shapes...)
			p, dst, e := build(g), solvers.Like(g), evidence(g)
			var r solvers.Report
			n := 0
			one := func() {
				r.Blocks, r.Step = r.Blocks[:0], n
				if p.Observe(n, e) != nil || p.Refresh(n, &r) != nil || p.Apply(n, g, dst) != nil {
					t.Fatal("an error")
				}
				n++
			}
			for range 9 {
				one()
			}
			if a := testing.AllocsPerRun(21, one); a >= 1 {
				t.Errorf("%s, lag %d: a step allocates %v times", name, lag, a)
			}
		}
	}
}

// TestMomentsCheckpoint resumes in the middle of an interval, with a refresh under way.
func TestMomentsCheckpoint(t *testing.T) {
	for _, lag := range []int{0, 1, 2} {
		for name, build := range builders[float32](2, lag) {
			checkpoint(t, name, build)
		}
	}
}

// TestMomentsNonFinite spoils gradients: the error names the tensor, and nothing remains of it.
func TestMomentsNonFinite(t *testing.T) {
	for name, build := range builders[float32](1, 0) {
		p := tensors[float32](1, 0, shapes...)
		s, twin := build(p), build(p)
		for _, x := range []solvers.Preconditioner[float32]{s, twin} {
			step(t, x, 0, tensors[float32](1, 0, shapes...))
		}
		for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(1))} {
			g := tensors[float32](1, 1, shapes...)
			g[3].Data[7] = bad
			var nf *dense.NonFiniteError
			if err := s.(solvers.Checker[float32]).Check(1, evidence(g)); !errors.As(err, &nf) {
				t.Errorf("%s: Check of %v: %v", name, bad, err)
			}
			if err := s.Observe(1, evidence(g)); !errors.As(err, &nf) || !strings.Contains(err.Error(), "t3") {
				t.Errorf("%s: Observe of %v: %v", name, bad, err)
			}
			if dst := solvers.Like(g); strings.HasPrefix(name, "Muon") {
				if err := s.Apply(1, g, dst); !errors.As(err, &nf) || !strings.Contains(err.Error(), "t3") || !equal(dst, solvers.Like(g)) {
					t.Errorf("%s: Apply of %v: %v", name, bad, err)
				}
			}
		}
		a, _ := step(t, s, 1, tensors[float32](1, 1, shapes...))
		b, _ := step(t, twin, 1, tensors[float32](1, 1, shapes...))
		if !equal(a, b) {
			t.Errorf("%s: bad input has left a trace", name)
		}
	}
}

// TestSOAPZero: gradients that are zero give directions that are, and no condition number.
func TestSOAPZero(t *testing.T) {
	for name, build := range builders[float32](1, 0) {
		s, zero := build(tensors[float32](1, 0, shapes...)), solvers.Like(tensors[float32](1, 0, shapes...))
		for k := range 5 {
			dst, r := step(t, s, k, zero)
			if !equal(dst, zero) {
				t.Errorf("%s: step %d: directions are not zero", name, k)
			}
			for _, b := range r.Blocks {
				if !b.Refreshed || b.Condition != 0 {
					t.Errorf("%s: step %d: %+v", name, k, b)
				}
			}
		}
		dst, _ := step(t, s, 5, tensors[float32](1, 0, shapes...))
		for i, d := range dst {
			if x := dense.MaxAbs(d.Data, nil); len(d.Data) > 0 && !(x > 0) || x-x != 0 {
				t.Errorf("%s: after zeros the largest element of the direction of %s is %v", name, dst[i].Name, x)
			}
		}
	}
}

// TestSOAPOverflow has a gradient whose squares overflow in a step that is not observed: the moments
// would be infinite for good.
func TestSOAPOverflow(t *testing.T) { both(t, testSOAPOverflow[float32], testSOAPOverflow[float64]) }

func testSOAPOverflow[T dense.Float](t *testing.T) {
	p := tensors[T](1, 0, shapes...)
	build := func() *SOAP[T] { return NewSOAP(p, SOAPOptions{Options: Options{StatisticsEvery: 2, RefreshEvery: 2}}) }
	s, twin := build(), build()
	for _, x := range []*SOAP[T]{s, twin} {
		step[T](t, x, 0, tensors[T](1, 0, shapes...))
	}
	g := tensors[T](1, 1, shapes...)
	g[3].Data[7] = T(math.Sqrt(solvers.Greatest[T]()) * 1e5)
	var nf *dense.NonFiniteError
	if err := s.Check(1, evidence(g)); !errors.As(err, &nf) {
		t.Errorf("Check: %v", err)
	}
	if err := s.Observe(1, evidence(g)); !errors.As(err, &nf) || !strings.Contains(err.Error(), "t3") {
		t.Errorf("Observe: %v", err)
	}
	for k := 1; k < 4; k++ {
		a, _ := step[T](t, s, k, tensors[T](1, uint64(k), shapes...))
		b, _ := step[T](t, twin, k, tensors[T](1, uint64(k), shapes...))
		if !equal(a, b) {
			t.Errorf("step %d: the gradient has left a trace", k)
		}
	}
}

// TestMuon compares with the polar factor of the momentum by the SVD, and the direction with Dense.
func TestMuon(t *testing.T) { both(t, testMuon[float32], testMuon[float64]) }

func testMuon[T dense.Float](t *testing.T) {
	const mu = 0.9
	for _, plain := range []bool{false, true} {
		for _, scale := range []MuonScale{SpectralScale, AdamScale} {
			shape := []int{8, 2, 3}
			p := NewMuon(tensors[T](1, 0, shape, []int{5}), MuonOptions{Momentum: solvers.Constant(mu), Plain: plain, Scale: scale,
				Polynomials: dense.PolarExpress(1e-4, 5, 12)})
			m := mat.NewDense(8, 6, nil)
			for n := range 4 {
				g := tensors[T](1, uint64(n), shape, []int{5})
				got, _ := step[T](t, p, n, g)
				u := mat.NewDense(8, 6, nil)
				for i, v := range g[0].Data {
					r, c := i/6, i%6
					m.Set(r, c, mu*m.At(r, c)+(1-mu)*float64(v))
					u.Set(r, c, m.At(r, c))
					if !plain {
						u.Set(r, c, mu*m.At(r, c)+(1-mu)*float64(v))
					}
				}
				var svd mat.SVD
				var left, right, want mat.Dense
				svd.Factorize(u, mat.SVDThin)
				svd.UTo(&left)
				svd.VTo(&right)
				want.Mul(&left, right.T())
				factor := math.Sqrt(8. / 6)
				if scale == AdamScale {
					factor = 0.2 * math.Sqrt(8)
				}
				want.Scale(factor, &want)
				d := p.Dense(0)
				var product mat.VecDense
				product.MulVec(mat.NewDense(d.Rows, d.Cols, d.Data), mat.NewVecDense(48, u.RawMatrix().Data))
				for i, v := range got[0].Data {
					if x := want.At(i/6, i%6); !(math.Abs(float64(v)-x) <= 10*tolerance[T]()) || !(math.Abs(product.AtVec(i)-x) <= 10*tolerance[T]()) {
						t.Fatalf("plain %v, scale %d, step %d: element %d is %v, by Dense %v, want %v", plain, scale, n, i, v, product.AtVec(i), x)
					}
				}
				if n == 0 { // a vector is normalised
					norm := float64(dense.Nrm2(g[1].Data, nil))
					factor = math.Sqrt(5)
					if scale == AdamScale {
						factor = 0.2 * math.Sqrt(5)
					}
					for i, v := range got[1].Data {
						if x := factor * float64(g[1].Data[i]) / norm; !(math.Abs(float64(v)-x) <= 10*tolerance[T]()) {
							t.Errorf("element %d of the vector's direction is %v, want %v", i, v, x)
						}
					}
				}
			}
		}
	}
}
