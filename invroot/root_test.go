package invroot

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/hard"
	"gonum.org/v1/gonum/blas"
)

func both(t *testing.T, f32, f64 func(t *testing.T)) {
	t.Run("f32", f32)
	t.Run("f64", f64)
}

// relative returns ‖x − want‖_F/‖want‖_F.
func relative[T dense.Float](x dense.Matrix[T], want dense.Matrix[float64]) float64 {
	var off, all, largest float64
	for _, w := range want.Data {
		largest = max(largest, math.Abs(w))
	}
	_, exp := math.Frexp(largest)
	for i := range x.Rows {
		for j := range x.Cols {
			w := math.Ldexp(want.At(i, j), -exp)
			d := math.Ldexp(float64(x.At(i, j)), -exp) - w
			off += d * d
			all += w * w
		}
	}
	return math.Sqrt(off / all)
}

// logSpaced returns Q·D·Qᵀ with eigenvalues from 1 to 1/κ in geometric progression, rounded
// to T, for a random orthogonal Q.
func logSpaced[T dense.Float](n int, kappa float64, seed uint64) dense.Matrix[T] {
	q := dense.NewMatrix[float64](n, n)
	for i := range q.Data {
		var s float64
		for k := range 6 {
			s += float64(mix(seed<<40+uint64(i*6+k))>>11)/(1<<53) - 0.5
		}
		q.Data[i] = s
	}
	r := dense.NewMatrix[float64](n, n)
	dense.QRThin(q, r, nil)
	d := q.Clone()
	for k := range n {
		f := math.Pow(kappa, -float64(k)/float64(max(1, n-1)))
		for i := range n {
			d.Data[i*n+k] *= f
		}
	}
	dense.Gemm(blas.NoTrans, blas.Trans, 1, d, q, 0, r, nil)
	a := dense.NewMatrix[T](n, n)
	for i := range n {
		for j := range i + 1 {
			a.Set(i, j, T(r.At(i, j)))
			a.Set(j, i, T(r.At(i, j)))
		}
	}
	return a
}

var methods = []Method{Auto, Eigen, EigenWorking, CoupledNewton, HigherOrder, NewtonSchulz, Chebyshev}

// TestRoot holds every method to its own certificate: what it accepts is as accurate as
// it says, and the decomposition always is.
func TestRoot(t *testing.T) { both(t, testRoot[float32], testRoot[float64]) }

func testRoot[T dense.Float](t *testing.T) {
	for _, n := range []int{1, 2, 7, 40, 130} {
		thin := testing.Short() && n > 100 // the long test has all of them
		for _, kappa := range []float64{1, 30, 1e4, 1e8} {
			if thin && kappa != 30 && kappa != 1e4 {
				continue
			}
			a := logSpaced[T](n, kappa, 1)
			known := spectrumOf(a)
			for _, e := range []Exponent{{1, 1}, {1, 2}, {1, 3}, {1, 4}, {3, 4}, {2, 6}, {5, 2}, {1, 7}, {1, 8}} {
				if thin && e != Inverse(3) && e != (Exponent{3, 4}) {
					continue
				}
				want := known.root(e, 0)
				for _, m := range methods {
					for _, order := range []int{0, 2, 4, 5, 6} {
						if order > 0 && (m != HigherOrder || e.P > 4 || thin && order != 5) {
							continue
						}
						name := fmt.Sprintf("n=%d κ=%g %v %v order %d", n, kappa, e, m, order)
						x := dense.NewMatrix[T](n, n)
						cert, err := Root(a, e, x, &Options{Method: m, Order: order}, nil)
						if err != nil {
							t.Errorf("%s: %v", name, err)
							continue
						}
						got := relative(x, want)
						if limit := 8 * cert.Error; !(got <= limit) {
							t.Errorf("%s: error %.3g, certified %.3g: %+v", name, got, cert.Error, cert)
						}
						if cert.Method == m && cert.Flag != OK && cert.Flag != Inaccurate || cert.Method != m && m != Auto && cert.Flag == OK {
							t.Errorf("%s: flag %v by %v", name, cert.Flag, cert.Method)
						}
						able := m != Auto && (m != NewtonSchulz || e.reduced().P&(e.reduced().P-1) == 0)
						if kappa == 30 && e.Q < 5 && able && cert.Method != m {
							t.Errorf("%s: fell back to %v: %+v", name, cert.Method, cert)
						}
						if m <= EigenWorking && !(cert.Residual <= float64(e.P+e.Q)*40*epsilon[T]()*math.Pow(cert.Condition, float64(e.reduced().Q))*math.Sqrt(float64(n))) {
							t.Errorf("%s: residual %g at condition %g", name, cert.Residual, cert.Condition)
						}
						if c := cert.Condition; n > 1 && !(c <= kappa*2*(1+kappa*epsilon[T]()) && c >= kappa/30/(1+kappa*epsilon[T]())) {
							t.Errorf("%s: condition %g", name, c)
						}
					}
				}
			}
		}
	}
}

// TestAccuracy is the table of the issue: float32 against float64 of the same matrix.
func TestAccuracy(t *testing.T) {
	sizes := []int{128, 256}
	if !testing.Short() {
		sizes = append(sizes, 512)
	}
	for _, n := range sizes {
		for _, kappa := range []float64{1e4, 1e6, 1e8} {
			a := logSpaced[float32](n, kappa, 3)
			wide := dense.NewMatrix[float64](n, n)
			for i, v := range a.Data {
				wide.Data[i] = float64(v)
			}
			for _, p := range []int{2, 4} {
				want := dense.NewMatrix[float64](n, n)
				if _, err := Root(wide, Inverse(p), want, &Options{Method: Eigen}, nil); err != nil {
					t.Fatal(err)
				}
				x := dense.NewMatrix[float32](n, n)
				cert, err := Root(a, Inverse(p), x, nil, nil)
				if err != nil {
					t.Fatal(err)
				}
				got := relative(x, want)
				t.Logf("n=%d κ=%g p=%d: error %.2g by %v", n, kappa, p, got, cert.Method)
				if !(got <= 3e-6) {
					t.Errorf("n=%d κ=%g p=%d: error %g", n, kappa, p, got)
				}
			}
		}
	}
}

// TestStagnation has an iteration stop where float32 lets it go no further, with an iterate from
// before the divergence.
func TestStagnation(t *testing.T) {
	const n = 100
	for _, kappa := range []float64{1e4, 1e6, 1e8} {
		a := logSpaced[float32](n, kappa, 1)
		known := spectrumOf(a)
		for _, p := range []int{1, 2, 4, 8} {
			for _, m := range []Method{CoupledNewton, HigherOrder, NewtonSchulz} {
				x := dense.NewMatrix[float32](n, n)
				cert, err := Root(a, Inverse(p), x, &Options{Method: m, Single: true, Tolerance: 1e30}, nil)
				if err != nil {
					t.Fatalf("κ=%g p=%d %v: %v", kappa, p, m, err)
				}
				got := relative(x, known.root(Inverse(p), 0))
				if !(got <= 10*cert.Error) || kappa <= 1e6 && !(got <= 4*0x1p-23*kappa) {
					t.Errorf("κ=%g p=%d %v: error %.3g: %+v", kappa, p, m, got, cert)
				}
				if cert.Iterations > 60 || p > 1 && m != NewtonSchulz && cert.Stagnated != (kappa >= 1e6) {
					t.Errorf("κ=%g p=%d %v: %+v", kappa, p, m, cert)
				}
			}
		}
	}
	a := dense.MatrixOf(2, 2, []float64{1, 0, 0, -0.125})
	for _, m := range []Method{CoupledNewton, NewtonSchulz} {
		cert, err := Root(a, Inverse(2), dense.NewMatrix[float64](2, 2), &Options{Method: m, Single: true}, nil)
		var none *dense.NoConvergenceError
		if !errors.As(err, &none) || !cert.Stagnated || cert.Iterations > 20 || cert.Flag != Failed {
			t.Errorf("indefinite, %v: %v, %+v", m, err, cert)
		}
	}
}

// TestGroundTruth has the tables of a peer's suite; the peer allows 1e-4.
func TestGroundTruth(t *testing.T) { both(t, testGroundTruth[float32], testGroundTruth[float64]) }

func testGroundTruth[T dense.Float](t *testing.T) {
	const tolerance = 1e-5
	for _, m := range []Method{Auto, Eigen, CoupledNewton, HigherOrder, NewtonSchulz, Chebyshev} {
		o := &Options{Method: m}
		near := func(name string, a dense.Matrix[T], p int, want []float64) {
			n := a.Rows
			x := dense.NewMatrix[T](n, n)
			if _, err := Root(a, Inverse(p), x, o, nil); err != nil {
				t.Fatalf("%v %s: %v", m, name, err)
			}
			for i, w := range want {
				if !(math.Abs(float64(x.Data[i])-w) <= tolerance*max(1, math.Abs(w))) {
					t.Fatalf("%v %s: element %d is %v, want %v", m, name, i, x.Data[i], w)
				}
			}
		}
		near("diag(1, 4)", dense.MatrixOf(2, 2, []T{1, 0, 0, 4}), 2, []float64{1, 0, 0, 0.5})
		near("3x3", dense.MatrixOf(3, 3, []T{1195, -944, -224, -944, 746, 177, -224, 177, 42}), 2,
			[]float64{1, 1, 1, 1, 2, -3, 1, -3, 18})
		for _, n := range []int{10, 100} {
			if testing.Short() && n == 100 && m != Auto {
				continue
			}
			for _, alpha := range []float64{0.001, 0.01, 0.1, 1, 10, 100} {
				for _, beta := range []float64{0.001, 0.01, 0.1, 1, 10, 100} {
					if 2*beta > alpha {
						continue
					}
					for _, raised := range []bool{true, false} {
						for _, p := range []int{1, 2, 4, 8} {
							testTridiagonal[T](t, n, alpha, beta, raised, p, o, tolerance)
						}
					}
				}
			}
		}
	}
}

// testTridiagonal compares the eigenvalues of the root with those that are known.
func testTridiagonal[T dense.Float](t *testing.T, n int, alpha, beta float64, raised bool, p int, o *Options, tolerance float64) {
	a, x := dense.NewMatrix[T](n, n), dense.NewMatrix[T](n, n)
	for i := range n {
		a.Set(i, i, T(alpha))
		if i > 0 {
			a.Set(i, i-1, T(beta))
		}
	}
	if raised {
		a.Set(0, 0, T(alpha+beta))
		a.Set(n-1, n-1, T(alpha+beta))
	} else {
		a.Set(0, 0, T(alpha-beta))
	}
	if _, err := Root(a, Inverse(p), x, o, nil); err != nil {
		t.Fatalf("n=%d α=%g β=%g raised %v p=%d: %v", n, alpha, beta, raised, p, err)
	}
	got := make([]T, n)
	if err := dense.EigenSymValues(blas.Lower, x, got, nil); err != nil {
		t.Fatal(err)
	}
	for j := 1; j <= n; j++ { // the eigenvalues of the root increase as those of a decrease
		angle := float64(j-1) * math.Pi / float64(n)
		if !raised {
			angle = 2 * float64(j) * math.Pi / float64(2*n+1)
		}
		want := math.Pow(alpha+2*beta*math.Cos(angle), -1/float64(p))
		if !(math.Abs(float64(got[j-1])-want) <= tolerance*want) {
			t.Fatalf("%v n=%d α=%g β=%g raised %v p=%d: eigenvalue %d is %g, want %g", o.Method, n, alpha, beta, raised, p, j, got[j-1], want)
		}
	}
}

// TestHard takes every class of matrices, also indefinite ones, and scales to the ends
// of the range: the result is as accurate as certified, or there is an error of the right
// kind.
func TestHard(t *testing.T) { both(t, testHard[float32], testHard[float64]) }

func testHard[T dense.Float](t *testing.T) {
	for _, c := range hard.Classes() {
		for _, n := range []int{1, 5, 33, 70} {
			for kind, h := range []hard.Matrix[T]{hard.Symmetric[T](c, n), hard.Semidefinite[T](c, n)} {
				for _, scale := range []float64{1, 1e-30, 1e30} {
					if testing.Short() && scale != 1 && n == 70 {
						continue
					}
					if scale != 1 && (c == hard.NearOverflow || c == hard.NearUnderflow || c == hard.Denormal) {
						continue
					}
					a := dense.MatrixOf(n, n, h.Data).Clone()
					for i := range a.Data {
						a.Data[i] = T(float64(a.Data[i]) * scale)
					}
					known := spectrumOf(a)
					for _, m := range []Method{Auto, CoupledNewton, EigenWorking, NewtonSchulz, Chebyshev} {
						for _, e := range []Exponent{{1, 2}, {1, 1}, {3, 4}} {
							name := fmt.Sprintf("%v n=%d kind %d scale %g %v %v", c, n, kind, scale, m, e)
							checkRoot(t, name, a, known, e, &Options{Method: m})
						}
					}
					checkRoot(t, fmt.Sprintf("%v n=%d kind %d scale %g shift and ridge", c, n, kind, scale), a, known, Inverse(2),
						&Options{Ridge: 1e-4, Kind: RelativeToMax, Shift: true})
				}
			}
		}
	}
}

// checkRoot computes a root and fails unless it is right, or rightly refused.
func checkRoot[T dense.Float](t *testing.T, name string, a dense.Matrix[T], known spectrum, e Exponent, o *Options) {
	t.Helper()
	n := a.Rows
	x := dense.NewMatrix[T](n, n)
	cert, err := Root(a, e, x, o, nil)
	values := known.eigenvalues()
	largest := max(math.Abs(values[0]), math.Abs(values[n-1]))
	var spectrum *SpectrumError
	var outside *RangeError
	switch {
	case errors.As(err, &spectrum):
		if cert.Flag != Failed {
			t.Errorf("%s: flag %v with an error", name, cert.Flag)
		}
		if low := values[0]; largest > 0 && low > 20*0x1p-52*largest && !(o.Method == EigenWorking && o.Single) {
			t.Errorf("%s: refused, with eigenvalues from %g to %g: %v", name, low, largest, err)
		}
		return
	case errors.As(err, &outside):
		limit := 1e37
		if !isSingle[T]() {
			limit = 1e300
		}
		v := math.Pow(outside.Smallest, -float64(e.Q)/float64(e.P))
		if v > 1/limit && v < limit {
			t.Errorf("%s: %v", name, err)
		}
		return
	case err != nil:
		t.Errorf("%s: %v", name, err)
		return
	}
	// A is scaled by a power of two, and the root accordingly if that is exact.
	got := relative(x, known.root(e, cert.Shift+cert.Ridge))
	if !(got <= 10*cert.Error) {
		t.Errorf("%s: error %.3g, certified %.3g: %+v", name, got, cert.Error, cert)
	}
	if cert.Error > 1e-3 && cert.Flag != Inaccurate {
		t.Errorf("%s: flag %v with an error of %g", name, cert.Flag, cert.Error)
	}
}

func TestRidge(t *testing.T) { both(t, testRidge[float32], testRidge[float64]) }

func testRidge[T dense.Float](t *testing.T) {
	const n = 60
	a := logSpaced[T](n, 1e6, 5)
	for i := range a.Data { // a scale that matters
		a.Data[i] *= 1024
	}
	known := spectrumOf(a)
	values := known.eigenvalues()
	mean := 0.
	for _, v := range values {
		mean += v / n
	}
	for _, m := range []Method{Eigen, CoupledNewton, NewtonSchulz, Chebyshev} {
		for kind, unit := range []float64{1, values[n-1], mean} {
			const ridge = 0.01
			x := dense.NewMatrix[T](n, n)
			cert, err := Root(a, Inverse(4), x, &Options{Method: m, Ridge: ridge, Kind: RidgeKind(kind), Tolerance: 1e-2, MaxIterations: 250}, nil)
			if err != nil {
				t.Fatal(err)
			}
			slack := 1e-5
			if m != Eigen && RidgeKind(kind) == RelativeToMax {
				slack = 0.01
			}
			if (cert.Method != m && cert.Condition < 1e4) || !(math.Abs(cert.Ridge/(ridge*unit)-1) <= slack) {
				t.Errorf("%v kind %d: ridge %g, want %g: %+v", m, kind, cert.Ridge, ridge*unit, cert)
			}
			if got := relative(x, known.root(Inverse(4), cert.Ridge)); !(got <= 8*cert.Error) {
				t.Errorf("%v kind %d: error %g: %+v", m, kind, got, cert)
			}
		}
	}
}

func TestPseudoInverseAndShift(t *testing.T) {
	both(t, testPseudoInverse[float32], testPseudoInverse[float64])
}

func testPseudoInverse[T dense.Float](t *testing.T) {
	for _, c := range []struct {
		name string
		d    []float64
		opt  Options
		want []float64 // nil for a SpectrumError
		rank int
	}{
		{"zero", []float64{0, 0, 0}, Options{}, nil, 0},
		{"zero with a cutoff", []float64{0, 0, 0}, Options{Cutoff: 1e-6}, []float64{0, 0, 0}, 0},
		{"zero with a ridge", []float64{0, 0, 0}, Options{Ridge: 0.25}, []float64{2, 2, 2}, 3},
		{"rank one", []float64{0, 4, 0}, Options{}, nil, 0},
		{"rank one with a cutoff", []float64{0, 4, 0}, Options{Cutoff: 1e-6}, []float64{0, 0.5, 0}, 1},
		{"a cutoff between", []float64{1, 4, 0.01}, Options{Cutoff: 0.1}, []float64{1, 0.5, 0}, 2},
		{"negative with a cutoff", []float64{1, 4, -0.01}, Options{Cutoff: 1e-4}, []float64{1, 0.5, 0}, 2},
		{"negative", []float64{1, 4, -0.01}, Options{}, nil, 0},
		{"negative and a shift only", []float64{1, 4, -0.01}, Options{Shift: true}, nil, 0},
		{"negative, shifted", []float64{0.9375, 3.9375, -0.0625}, Options{Shift: true, Ridge: 0.25, Kind: Absolute},
			[]float64{1 / math.Sqrt(1.25), 1 / math.Sqrt(4.25), 2}, 3},
		{"negative, a ridge", []float64{0.875, 3.875, -0.125}, Options{Ridge: 0.375}, []float64{1 / math.Sqrt(1.25), 1 / math.Sqrt(4.25), 2}, 3},
	} {
		n := len(c.d)
		a, x := dense.NewMatrix[T](n, n), dense.NewMatrix[T](n, n)
		for i, v := range c.d {
			a.Set(i, i, T(v))
		}
		cert, err := Root(a, Inverse(2), x, &c.opt, nil)
		var spectrum *SpectrumError
		if c.want == nil {
			if !errors.As(err, &spectrum) || cert.Flag != Failed {
				t.Errorf("%s: error %v, flag %v", c.name, err, cert.Flag)
			}
			continue
		}
		if err != nil || cert.Rank != c.rank {
			t.Errorf("%s: error %v, rank %d", c.name, err, cert.Rank)
			continue
		}
		for i := range n {
			for j := range n {
				want := 0.
				if i == j {
					want = c.want[i]
				}
				if !(math.Abs(float64(x.At(i, j))-want) <= 8*epsilon[T]()) {
					t.Errorf("%s: element (%d, %d) is %v, want %v", c.name, i, j, x.At(i, j), want)
				}
			}
		}
	}
}

func TestMisuse(t *testing.T) {
	a := dense.NewMatrix[float64](3, 3)
	x := dense.NewMatrix[float64](3, 3)
	for i, f := range []func(){
		func() { _, _ = Root(a, Exponent{0, 2}, x, nil, nil) },
		func() { _, _ = Root(a, Exponent{1, MaxExponent + 1}, x, nil, nil) },
		func() { _, _ = Root(a, Inverse(2), x.View(0, 0, 2, 2), nil, nil) },
		func() { _, _ = Root(a, Inverse(2), a, nil, nil) },
		func() { _, _ = Root(a, Inverse(3), x, &Options{Method: numMethods}, nil) },
		func() { _, _ = Root(a, Inverse(2), x, &Options{Method: EigenUpdate}, nil) },
		func() { _, _ = Root(a, Inverse(2), x, &Options{Method: BinomialUpdate}, nil) },
		func() { _, _ = Root(a, Inverse(2), x, &Options{Method: HigherOrder, Order: 7}, nil) },
		func() { _, _ = Root(a, Inverse(2), x, &Options{Ridge: math.NaN()}, nil) },
		func() { _, _ = Root(a, Inverse(2), x, &Options{Cutoff: 1}, nil) },
		func() {
			_, _ = Root(a, Inverse(2), x, nil, &dense.Opts[float64]{Work: make([]float64, RootWork[float64](3, 0)-1)})
		},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("call %d: no panic", i)
				}
			}()
			f()
		}()
	}
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		a.Set(2, 1, v)
		var nonFinite *dense.NonFiniteError
		if cert, err := Root(a, Inverse(2), x, nil, nil); !errors.As(err, &nonFinite) || cert.Flag != Failed {
			t.Errorf("%v: error %v", v, err)
		}
	}
	if _, err := Root(a.View(0, 0, 0, 0), Inverse(2), x.View(0, 0, 0, 0), nil, nil); err != nil {
		t.Error(err)
	}
}

// TestSame has equal bits for every number of threads, with strides, with a workspace full
// of NaN and without, leaves a and what is around x alone, and allocates nothing.
func TestSame(t *testing.T) { both(t, testSame[float32], testSame[float64]) }

func testSame[T dense.Float](t *testing.T) {
	const n, gap = 140, 3
	tight := logSpaced[T](n, 10, 7)
	a := dense.Matrix[T]{Rows: n, Cols: n, Stride: n + gap, Data: make([]T, n*(n+gap))}
	for i := range a.Data {
		a.Data[i] = T(math.NaN())
	}
	for i := range n {
		copy(a.Row(i)[:i+1], tight.Row(i)) // nothing above the diagonal is read
	}
	exponents, counts := []Exponent{{3, 4}, {1, 4}}, []int{1, 3, 2}
	if testing.Short() {
		exponents, counts = exponents[:1], counts[:2]
	}
	for _, e := range exponents {
		for _, m := range methods {
			first := dense.NewMatrix[T](n, n)
			firstCert, err := Root(tight, e, first, &Options{Method: m}, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, threads := range counts {
				out := make([]T, n*(n+gap))
				x := dense.Matrix[T]{Rows: n, Cols: n, Stride: n + gap, Data: out}
				work := make([]T, RootWork[T](n, threads))
				for i := range work {
					work[i] = T(math.NaN())
				}
				o := &dense.Opts[T]{Threads: threads, Work: work}
				opt := &Options{Method: m}
				cert, err := Root(a, e, x, opt, o)
				if err != nil || cert != firstCert {
					t.Fatalf("%v %v: %v, %+v, want %+v", e, m, err, cert, firstCert)
				}
				for i := range n {
					for j := range n + gap {
						v := out[i*(n+gap)+j]
						if j < n && v != first.At(i, j) || j >= n && v != 0 || j < n && v != x.At(j, i) {
							t.Fatalf("%v %v on %d threads: element (%d, %d) is %v", e, m, threads, i, j, v)
						}
					}
				}
				if k := testing.AllocsPerRun(2, func() { _, _ = Root(a, e, x, opt, o) }); k != 0 {
					t.Errorf("%v %v on %d threads: %v allocations", e, m, threads, k)
				}
			}
		}
	}
}

func TestBatch(t *testing.T) { both(t, testBatch[float32], testBatch[float64]) }

func testBatch[T dense.Float](t *testing.T) {
	var blocks []Block[T]
	for i, n := range []int{5, 40, 1, 0, 66, 40, 17} {
		blocks = append(blocks, Block[T]{
			A: logSpaced[T](n, 1e3, uint64(i)), X: dense.NewMatrix[T](n, n), Exponent: Exponent{1 + i%2, 2 + 2*(i%3)},
		})
	}
	for _, threads := range []int{1, 2, 3} {
		o := &dense.Opts[T]{Threads: threads, Work: make([]T, BatchWork(blocks, threads))}
		if err := Batch(blocks, nil, o); err != nil {
			t.Fatal(err)
		}
		for i := range blocks {
			b := &blocks[i]
			x := dense.NewMatrix[T](b.A.Rows, b.A.Rows)
			cert, err := Root(b.A, b.Exponent, x, nil, &dense.Opts[T]{Threads: 1})
			if err != nil || cert != b.Cert {
				t.Errorf("block %d: %v, %+v, want %+v", i, err, b.Cert, cert)
			}
			for j, v := range x.Data {
				if v != b.X.Data[j] {
					t.Fatalf("block %d: element %d is %v, want %v", i, j, b.X.Data[j], v)
				}
			}
			b.X.Fill(0)
		}
		if k := testing.AllocsPerRun(2, func() { _ = Batch(blocks, nil, o) }); k != 0 {
			t.Errorf("%v allocations on %d threads", k, threads)
		}
	}
	blocks[1].A.Set(3, 2, T(math.NaN()))
	blocks[4].A.Fill(0)
	err := Batch(blocks, nil, nil)
	var block *dense.BlockError
	var nonFinite *dense.NonFiniteError
	if !errors.As(err, &block) || block.Block != 1 || !errors.As(err, &nonFinite) {
		t.Errorf("error %v", err)
	}
	var spectrum *SpectrumError
	if !errors.As(blocks[4].Err, &spectrum) || blocks[4].Cert.Flag != Failed || blocks[5].Err != nil || blocks[5].Cert.Flag != OK {
		t.Errorf("block 4: %v, %+v; block 5: %v", blocks[4].Err, blocks[4].Cert, blocks[5].Err)
	}
}

// TestAbsoluteRidge has matrices that are nothing beside their ridge, so that the ridge would overflow
// if they were scaled to 1.
func TestAbsoluteRidge(t *testing.T) {
	t.Run("float32", testAbsoluteRidge[float32])
	t.Run("float64", testAbsoluteRidge[float64])
}

func testAbsoluteRidge[T dense.Float](t *testing.T) {
	const n = 3
	least, large := 1e-300, 1e250
	if isSingle[T]() {
		least, large = 1e-38, 1e70
	}
	var s State[T]
	for _, size := range []float64{0, least, least, 1e-20} {
		for _, ridge := range []float64{1e-3, 1, 1e10, 1e10, large} {
			for m := Auto; m < EigenUpdate; m++ {
				a, x := dense.NewMatrix[T](n, n), dense.NewMatrix[T](n, n)
				for i := range n {
					a.Set(i, i, T(size))
				}
				root := func(opt *Options) (Certificate, error) { return Root(a, Inverse(2), x, opt, nil) }
				if m == Auto {
					root = func(opt *Options) (Certificate, error) { return s.Root(a, Inverse(2), x, opt, nil) }
				}
				cert, err := root(&Options{Method: m, Ridge: ridge})
				if want := 1 / math.Sqrt(ridge+size); err != nil || !(cert.Residual < 1e-5) || !(cert.Condition < 2) ||
					!(math.Abs(float64(x.At(1, 1))-want) <= 1e-5*want) {
					t.Errorf("%v: %g with a ridge of %g: %v, want %v (%v, %+v)", m, size, ridge, x.At(1, 1), want, err, cert)
				}
			}
		}
	}
}
