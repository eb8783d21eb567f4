package invroot

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/blas"
)

// columns returns an n×k matrix whose columns are pseudo-random, column j with the norm
// about scale·decay^j.
func columns[T dense.Float](n, k int, scale, decay float64, seed uint64) dense.Matrix[T] {
	b := dense.NewMatrix[T](n, k)
	for i := range n {
		for j := range k {
			v := float64(mix(seed<<40+uint64(i*k+j))>>11)/(1<<52) - 1
			b.Set(i, j, T(v*scale*math.Pow(decay, float64(j))/math.Sqrt(float64(n)/3)))
		}
	}
	return b
}

// formed returns rho·I + b·diag(s)·bᵀ, or rho·I + b·bᵀ for a nil s.
func formed[T dense.Float](b dense.Matrix[T], s []float64, rho float64) dense.Matrix[float64] {
	n := b.Rows
	left, right, a := dense.NewMatrix[float64](n, b.Cols), dense.NewMatrix[float64](n, b.Cols), dense.NewMatrix[float64](n, n)
	for i := range n {
		a.Set(i, i, rho)
		for j := range b.Cols {
			v := float64(b.At(i, j))
			left.Set(i, j, v)
			if s != nil {
				v *= s[j]
			}
			right.Set(i, j, v)
		}
	}
	dense.Gemm(blas.NoTrans, blas.Trans, 1, left, right, 1, a, nil)
	return a
}

// checkLowRank holds the operator to the oracle: formed densely, and applied from both sides.
func checkLowRank[T dense.Float](t *testing.T, name string, r *LowRank[T], want dense.Matrix[float64], limit float64) {
	t.Helper()
	n := r.Order()
	x := dense.NewMatrix[T](n, n)
	r.Dense(x, nil)
	if got := relative(x, want); !(got <= limit) {
		t.Errorf("%s: error %.3g, more than %.3g", name, got, limit)
	}
	for i := range n {
		for j := range i {
			if x.At(i, j) != x.At(j, i) {
				t.Fatalf("%s: not symmetric at (%d, %d)", name, i, j)
			}
		}
	}
	g := columns[T](n, 3, 1, 1, 77)
	gt, wide := dense.NewMatrix[T](3, n), dense.NewMatrix[float64](n, 3)
	dense.Transpose(g, gt, nil)
	left, right, product := dense.NewMatrix[T](n, 3), dense.NewMatrix[T](3, n), dense.NewMatrix[float64](n, 3)
	for i, v := range g.Data {
		wide.Data[i] = float64(v)
	}
	dense.Gemm(blas.NoTrans, blas.NoTrans, 1, want, wide, 0, product, nil)
	r.Apply(blas.Left, g, left, nil)
	r.Apply(blas.Right, gt, right, nil)
	back := dense.NewMatrix[T](n, 3)
	dense.Transpose(right, back, nil)
	scale := float64(dense.NormFrobenius(want, nil)) * float64(dense.NormFrobenius(wide, nil))
	for i, w := range product.Data {
		for side, v := range []T{left.Data[i], back.Data[i]} {
			if !(math.Abs(float64(v)-w) <= (limit+8*epsilon[T]())*scale) {
				t.Fatalf("%s: side %d: element %d is %v, want %v", name, side, i, v, w)
			}
		}
	}
	r.Apply(blas.Left, g, g, nil) // in place
	for i, v := range g.Data {
		if v != left.Data[i] {
			t.Fatalf("%s: in place, element %d is %v, want %v", name, i, v, left.Data[i])
		}
	}
}

func TestLowRank(t *testing.T) { both(t, testLowRank[float32], testLowRank[float64]) }

func testLowRank[T dense.Float](t *testing.T) {
	var r LowRank[T]
	for _, n := range []int{1, 2, 17, 60} {
		for _, k := range []int{0, 1, 2, 9, 60, 75} {
			for _, decay := range []float64{1, 0.5} {
				for _, scale := range []float64{1, 1e-12, 1e12} {
					for _, part := range []float64{1e-6, 1e-2, 3} { // of ρ in ‖B‖²
						b := columns[T](n, k, scale, decay, uint64(k))
						rho := part * scale * scale
						known := spectrumOf(formed(b, nil, rho))
						for _, e := range []Exponent{{1, 2}, {1, 4}, {1, 1}, {3, 4}} {
							if isSingle[T]() && scale != 1 && e.P == e.Q {
								continue
							}
							name := fmt.Sprintf("n=%d k=%d decay %g scale %g ρ=%g %v", n, k, decay, scale, rho, e)
							cert, err := r.Root(b, rho, e, &Options{Tolerance: max(1e-8, 1e3*epsilon[T]())}, nil)
							if err != nil || cert.Method != Eigen || cert.Rank != n || cert.Flag != OK {
								t.Fatalf("%s: %v, %+v", name, err, cert)
							}
							values := known.eigenvalues()
							if c := values[n-1] / values[0]; !(math.Abs(cert.Condition/c-1) <= 1e-8) || !(math.Abs(cert.Largest/values[n-1]-1) <= 1e-8) {
								t.Errorf("%s: condition %g, want %g", name, cert.Condition, c)
							}
							if limit := 100 * epsilon[T]() * math.Sqrt(float64(n)) * math.Pow(cert.Condition, float64(max(e.Q, 1))); !(cert.Residual <= limit) {
								t.Errorf("%s: residual %g, more than %g", name, cert.Residual, limit)
							}
							if r.Columns() > min(n, k) {
								t.Errorf("%s: %d columns", name, r.Columns())
							}
							// the oracle's matrix is rounded, b·bᵀ is not
							checkLowRank(t, name, &r, known.root(e, 0), cert.Error+1e-15*cert.Condition)
						}
					}
				}
			}
		}
	}
}

// TestLowRankSketch has orthonormal columns with their eigenvalues, negative ones too, and ridges.
func TestLowRankSketch(t *testing.T) { both(t, testLowRankSketch[float32], testLowRankSketch[float64]) }

func testLowRankSketch[T dense.Float](t *testing.T) {
	const n = 40
	var r LowRank[T]
	for _, k := range []int{0, 1, 7, n} {
		u, tri := columns[float64](n, k, 1, 1, 3), dense.NewMatrix[float64](k, k)
		dense.QRThin(u, tri, nil)
		narrow := dense.NewMatrix[T](n, k)
		s := make([]float64, k)
		for i, v := range u.Data {
			narrow.Data[i] = T(v)
		}
		for j := range s {
			s[j] = math.Pow(0.7, float64(j))
		}
		if k > 1 {
			s[1] = -0.25
		}
		for kind := range RelativeToTrace + 1 {
			opt := &Options{Ridge: 0.125, Kind: kind}
			cert, err := r.RootOfSketch(narrow, s, 0.5, Inverse(4), opt, nil)
			if err != nil || cert.Flag != OK {
				t.Fatalf("k=%d %v: %v, %+v", k, kind, err, cert)
			}
			known := spectrumOf(formed(narrow, s, 0.5))
			values, mean := known.eigenvalues(), 0.
			for _, v := range values {
				mean += v / n
			}
			if want := 0.125 * []float64{1, values[n-1], mean}[kind]; !(math.Abs(cert.Ridge/want-1) <= 1e-6) {
				t.Errorf("k=%d: ridge %g, want %g", k, cert.Ridge, want)
			}
			checkLowRank(t, fmt.Sprintf("k=%d ridge %d", k, kind), &r, known.root(Inverse(4), cert.Ridge), 2*cert.Error)
		}
		if k > 1 { // columns that are not orthonormal are noticed
			for i := range n {
				narrow.Set(i, 1, narrow.At(i, 1)+0.125*narrow.At(i, 0))
			}
			cert, err := r.RootOfSketch(narrow, s, 0.5, Inverse(2), nil, nil)
			if err != nil || cert.Flag != Inaccurate || cert.Residual < 1e-3 {
				t.Errorf("k=%d: columns of a wrong kind: %v, %+v", k, err, cert)
			}
			checkLowRank(t, "not orthonormal", &r, spectrumOf(formed(narrow, s, 0.5)).root(Inverse(2), 0), 2*cert.Error)
		}
	}
}

// TestLowRankDifference has weights that are accurate however small s is against ρ.
func TestLowRankDifference(t *testing.T) {
	for _, e := range []Exponent{{1, 2}, {1, 4}, {1, 1}, {3, 4}, {5, 2}, {1, 7}, {64, 1}, {1, 64}, {63, 64}} {
		rate := float64(e.Q) / float64(e.P)
		for _, x := range []float64{1, 0.3, 1e-3} {
			for exp := -300.; exp < 12; exp += 0.37 {
				for _, sign := range []float64{1, -1} {
					s := sign * x * math.Pow(10, exp)
					if !(x+s > 0.01*x) {
						continue
					}
					px := power(x, e)
					got := powerDifference(x, s, px, power(x+s, e), e)
					want := math.Pow(x, -rate) * math.Expm1(-rate*math.Log1p(s/x))
					if !(math.Abs(got/want-1) <= 4*float64(e.P+e.Q+10)*0x1p-52) && !(want == 0 && got == 0) {
						t.Fatalf("%v: %g + %g: %g, want %g", e, x, s, got, want)
					}
				}
			}
		}
	}
	// through the operator: the first weight is −s/2 but for terms of second order
	var r LowRank[float64]
	b := dense.MatrixOf(3, 1, []float64{0, 1e-10, 0})
	if _, err := r.Root(b, 1, Inverse(2), nil, nil); err != nil {
		t.Fatal(err)
	}
	if !(math.Abs(r.weights[0]/-0.5e-20-1) <= 1e-15) {
		t.Errorf("weight %g", r.weights[0])
	}
}

func TestLowRankSpectra(t *testing.T) {
	both(t, testLowRankSpectra[float32], testLowRankSpectra[float64])
}

// testLowRankSpectra has pseudo-inverses, rank-deficient columns and errors, after
// which the last root is in force.
func testLowRankSpectra[T dense.Float](t *testing.T) {
	b := columns[T](5, 3, 1, 1, 9)
	for i := range 5 {
		b.Set(i, 2, b.At(i, 0)+b.At(i, 1)) // of rank two, but for rounding
	}
	wide := columns[T](3, 5, 1, 1, 9)
	zero := dense.NewMatrix[T](4, 2)
	var spectrum *SpectrumError
	var outside *RangeError
	var nonFinite *dense.NonFiniteError
	var r LowRank[T]
	if _, err := r.Root(b, 0.25, Inverse(2), nil, nil); err != nil {
		t.Fatal(err)
	}
	before := dense.NewMatrix[T](5, 5)
	r.Dense(before, nil)
	bad := b.Clone()
	bad.Set(4, 1, T(math.NaN()))
	for i, c := range []struct {
		b      dense.Matrix[T]
		rho    float64
		e      Exponent
		target any
	}{
		{b, 0, Inverse(2), &spectrum}, {b, -1, Inverse(2), &spectrum}, {zero, 0, Inverse(2), &spectrum},
		{bad, 1, Inverse(2), &nonFinite}, {b, math.NaN(), Inverse(2), &nonFinite}, {b, math.Inf(1), Inverse(2), &nonFinite},
		{b, 1e-300, Exponent{4, 1}, &outside},
	} {
		cert, err := r.Root(c.b, c.rho, c.e, nil, nil)
		if err == nil || !errors.As(err, c.target) || cert.Flag != Failed {
			t.Errorf("call %d: %v, %+v", i, err, cert)
		}
		x := dense.NewMatrix[T](5, 5)
		r.Dense(x, nil)
		for i, v := range x.Data {
			if v != before.Data[i] {
				t.Fatalf("call %d: the last root has changed", i)
			}
		}
	}
	if cert, err := r.Root(wide, 0, Inverse(2), nil, nil); err != nil || cert.Rank != 3 {
		t.Errorf("more columns than rows: %v, %+v", err, cert)
	}
	for _, c := range []struct {
		b    dense.Matrix[T]
		rank int
	}{{b, 2}, {zero, 0}, {wide, 3}, {zero.View(0, 0, 4, 0), 0}} {
		cert, err := r.Root(c.b, 0, Inverse(2), &Options{Cutoff: 1e-10}, nil)
		if err != nil || cert.Rank != c.rank || r.Columns() != c.rank {
			t.Errorf("pseudo-inverse: %v, %d columns, %+v", err, r.Columns(), cert)
			continue
		}
		n := c.b.Rows
		known := spectrumOf(formed(c.b, nil, 0))
		for i := range n - c.rank { // so that the power is zero
			known.values[i] = math.Inf(1)
		}
		if c.rank == 0 {
			x := dense.NewMatrix[T](n, n)
			r.Dense(x, nil)
			for _, v := range x.Data {
				if v != 0 {
					t.Fatalf("pseudo-inverse of zero has %v", v)
				}
			}
			continue
		}
		checkLowRank(t, fmt.Sprintf("pseudo-inverse of rank %d", c.rank), &r, known.root(Inverse(2), 0), cert.Error+1e-12)
	}
	if cert, err := r.Root(b, 0, Inverse(2), &Options{Ridge: 0.25}, nil); err != nil || cert.Ridge != 0.25 {
		t.Errorf("a ridge: %v, %+v", err, cert)
	}
	if cert, err := r.Root(b.View(0, 0, 0, 3), 0, Inverse(2), nil, nil); err != nil || r.Order() != 0 || r.Columns() != 0 {
		t.Errorf("order 0: %v, %+v", err, cert)
	}
	// not resolved by float64, and certified so
	graded := columns[T](30, 4, 1, 1e-3, 5)
	if cert, err := r.Root(graded, 1e-25, Inverse(2), nil, nil); err != nil || cert.Flag != Inaccurate {
		t.Errorf("graded: %v, %+v", err, cert)
	}
}

// TestLowRankSame has equal bits for every number of threads and workspaces full of
// NaN, exact lengths of workspaces, and no allocations.
func TestLowRankSame(t *testing.T) { both(t, testLowRankSame[float32], testLowRankSame[float64]) }

func testLowRankSame[T dense.Float](t *testing.T) {
	const n, k, m = 150, 20, 70
	b := columns[T](n, k, 1, 0.9, 2)
	var first, firstLeft dense.Matrix[T]
	var firstCert Certificate
	nan := func(length int) []T {
		w := make([]T, length)
		for i := range w {
			w[i] = T(math.NaN())
		}
		return w
	}
	for _, threads := range []int{1, 2, 3} {
		var r LowRank[T]
		o := &dense.Opts[T]{Threads: threads, Work: nan(LowRankWork[T](n, k, threads))}
		cert, err := r.Root(b, 0.01, Inverse(4), nil, o)
		if err != nil {
			t.Fatal(err)
		}
		x, g, left, right := dense.NewMatrix[T](n, n), columns[T](n, m, 1, 1, 4), dense.NewMatrix[T](n, m), dense.NewMatrix[T](m, n)
		gt := dense.NewMatrix[T](m, n)
		od := &dense.Opts[T]{Threads: threads, Work: nan(r.DenseWork(threads))}
		ol := &dense.Opts[T]{Threads: threads, Work: nan(r.ApplyWork(blas.Left, m, threads))}
		or := &dense.Opts[T]{Threads: threads, Work: nan(r.ApplyWork(blas.Right, m, threads))}
		all := func() {
			_, _ = r.Root(b, 0.01, Inverse(4), nil, o)
			r.Dense(x, od)
			r.Apply(blas.Left, g, left, ol)
			r.Apply(blas.Right, gt, right, or)
		}
		all()
		if threads == 1 {
			first, firstLeft, firstCert = x.Clone(), left.Clone(), cert
		}
		if cert != firstCert {
			t.Fatalf("%d threads: %+v, want %+v", threads, cert, firstCert)
		}
		for i, v := range x.Data {
			if v != first.Data[i] || i < len(left.Data) && left.Data[i] != firstLeft.Data[i] {
				t.Fatalf("%d threads: element %d differs", threads, i)
			}
		}
		if got := testing.AllocsPerRun(3, all); got != 0 {
			t.Errorf("%d threads: %v allocations", threads, got)
		}
		for i, o := range []*dense.Opts[T]{o, od, ol, or} {
			o.Work = o.Work[1:]
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("workspace %d: one element less does not panic", i)
					}
				}()
				switch i {
				case 0:
					_, _ = r.Root(b, 0.01, Inverse(4), nil, o)
				case 1:
					r.Dense(x, o)
				case 2:
					r.Apply(blas.Left, g, left, o)
				case 3:
					r.Apply(blas.Right, gt, right, o)
				}
			}()
		}
	}
}
