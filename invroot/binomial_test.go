package invroot

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/blas"
)

// TestBinomial has one update from a multiple of the identity, where the remainder of
// the series bounds the error.
func TestBinomial(t *testing.T) { both(t, testBinomial[float32], testBinomial[float64]) }

func testBinomial[T dense.Float](t *testing.T) {
	for _, n := range []int{1, 2, 33} {
		s := logSpaced[T](n, 1e3, 5)
		for _, p := range []int{1, 2, 3, 4, 8} {
			for _, scale := range []float64{1, 1e-8, 1e8} {
				for _, radius := range []float64{1, 0.5, 0.1} {
					if p == 1 && radius == 1 { // where 1 − E may be singular
						continue
					}
					last := math.Inf(1)
					for terms := 1; terms < maxOrder; terms++ {
						name := fmt.Sprintf("n=%d p=%d scale %g radius %g terms %d", n, p, scale, radius, terms)
						b := NewBinomial[T](n, p, scale)
						beta, cert, err := b.Update(s, &BinomialOptions{Radius: radius, Terms: terms, Tolerance: 1, Single: true}, nil)
						if err != nil || cert.Method != BinomialUpdate || cert.Flag != OK {
							t.Fatalf("%s: %v, %+v", name, err, cert)
						}
						norm := float64(dense.NormFrobenius(s, nil)) / float64(T(scale))
						if want := norm / (norm + radius); !(math.Abs(beta/want-1) <= 1e-5) {
							t.Errorf("%s: β = %g, want %g", name, beta, want)
						}
						var coefs [maxOrder + 1]float64
						binomials(coefs[:], p)
						bound := coefs[terms+1] * math.Pow(radius, float64(terms+1)) * math.Pow(1+radius, 1/float64(p))
						got := relative(b.Root(), spectrumOf(b.Statistic()).root(Inverse(p), 0))
						if !(got <= 1.01*bound+40*epsilon[T]()) {
							t.Errorf("%s: error %.3g, remainder %.3g", name, got, bound)
						}
						// an estimate of first order from eight random vectors
						if !(got <= 3*cert.Error+20*epsilon[T]()) || !(cert.Error <= 5*got+200*epsilon[T]()) {
							t.Errorf("%s: error %.3g, certified %.3g", name, got, cert.Error)
						}
						if got > 1e3*epsilon[T]() && !(got < last) {
							t.Errorf("%s: error %.3g with a term less %.3g", name, got, last)
						}
						last = got
					}
				}
			}
		}
	}
}

// TestBinomialStationary has 200 updates by the same statistic: L tends to it, and X to its root,
// by the series alone where that is stable.
func TestBinomialStationary(t *testing.T) {
	both(t, testBinomialStationary[float32], testBinomialStationary[float64])
}

func testBinomialStationary[T dense.Float](t *testing.T) {
	const n = 24
	for _, c := range []struct {
		kappa, off float64
		opts       BinomialOptions
	}{
		{3, 1e-2, BinomialOptions{Single: true}},
		{100, 1e-2, BinomialOptions{Beta: 0.95, Single: true}},
		{3, 1e-3, BinomialOptions{Terms: 4, Radius: 0.5, Single: true}},
		{100, 0.1, BinomialOptions{}}, // not stable by itself
	} {
		name := fmt.Sprintf("κ=%g %+v", c.kappa, c.opts)
		s := logSpaced[T](n, c.kappa, 5)
		b := NewBinomial[T](n, 4, 1)
		fallbacks := 0
		for step := range 200 {
			_, cert, err := b.Update(s, &c.opts, nil)
			if err != nil {
				t.Fatalf("%s step %d: %v, %+v", name, step, err, cert)
			}
			if cert.Flag == Fallback {
				fallbacks++
			}
			if got := relative(b.Root(), spectrumOf(b.Statistic()).root(Inverse(4), 0)); !(got <= 3*cert.Error+20*epsilon[T]()) {
				t.Errorf("%s step %d: error %.3g: %+v", name, step, got, cert)
			}
		}
		wide := dense.NewMatrix[float64](n, n)
		for i, v := range s.Data {
			wide.Data[i] = float64(v)
		}
		off, got := relative(b.Statistic(), wide), relative(b.Root(), spectrumOf(s).root(Inverse(4), 0))
		t.Logf("%s: statistic off by %.2g, root by %.2g, %d decompositions", name, off, got, fallbacks)
		if !(off <= 1e-4) || !(got <= c.off) || (fallbacks == 0) != c.opts.Single || fallbacks > 40 {
			t.Errorf("%s: statistic off by %.3g, root by %.3g, %d decompositions", name, off, got, fallbacks)
		}
	}
}

// TestBinomialChange has statistics that do not commute, of low rank, which grow and fall by a
// factor of 900 on the way. What is accepted is as certified, and L follows.
func TestBinomialChange(t *testing.T) {
	both(t, testBinomialChange[float32], testBinomialChange[float64])
}

func testBinomialChange[T dense.Float](t *testing.T) {
	const n, steps = 20, 240
	b := NewBinomial[T](n, 4, 1e-3)
	s := dense.NewMatrix[T](n, n)
	series := 0
	for step := range steps {
		size := 1.
		if step >= 80 && step < 160 {
			size = 30
		}
		g := columns[T](n, 12, size, 1, uint64(step))
		dense.Syrk(blas.Lower, blas.NoTrans, 1, g, 0, s, nil)
		for i := range n { // a floor
			s.Set(i, i, s.At(i, i)+T(0.01*size*size))
		}
		beta, cert, err := b.Update(s, &BinomialOptions{Beta: 0.9}, nil)
		if err != nil || !(beta >= 0.9 && beta < 1) {
			t.Fatalf("step %d: β = %g, %v, %+v", step, beta, err, cert)
		}
		if cert.Method == BinomialUpdate {
			series++
		} else if cert.Flag != Fallback {
			t.Errorf("step %d: %+v", step, cert)
		}
		got := relative(b.Root(), spectrumOf(b.Statistic()).root(Inverse(4), 0))
		if !(got <= 3*cert.Error) || !(cert.Error <= 0.1) {
			t.Errorf("step %d: error %.3g, certified %.3g: %+v", step, got, cert.Error, cert)
		}
		if norm := float64(dense.NormFrobenius(b.Statistic(), nil)) / float64(dense.NormFrobenius(s, nil)); step%80 == 79 && step < 160 && !(norm > 0.3 && norm < 3) {
			t.Errorf("step %d: the statistic has %g of the norm of what it follows", step, norm)
		}
	}
	t.Logf("%d of %d updates by the series", series, steps)
	if series < steps/4 {
		t.Errorf("%d of %d updates by the series", series, steps)
	}
}

// TestBinomialErrors has calls that fail and leave the state alone, zero, and misuse.
func TestBinomialErrors(t *testing.T) {
	both(t, testBinomialErrors[float32], testBinomialErrors[float64])
}

func testBinomialErrors[T dense.Float](t *testing.T) {
	const n = 12
	b := NewBinomial[T](n, 4, 1e-6)
	for step := range 3 {
		if _, _, err := b.Update(logSpaced[T](n, 1e4, uint64(step)), nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	x, l := b.Root().Clone(), b.Statistic().Clone()
	same := func(name string) {
		t.Helper()
		for i, v := range b.Root().Data {
			if v != x.Data[i] || b.Statistic().Data[i] != l.Data[i] {
				t.Fatalf("%s: the state has changed", name)
			}
		}
	}
	for _, v := range []float64{math.NaN(), math.Inf(1)} {
		bad := logSpaced[T](n, 10, 1)
		bad.Set(7, 3, T(v))
		var nonFinite *dense.NonFiniteError
		if _, cert, err := b.Update(bad, nil, nil); !errors.As(err, &nonFinite) || cert.Flag != Failed {
			t.Errorf("%v: %v, %+v", v, err, cert)
		}
		same("not finite")
	}
	var none *dense.NoConvergenceError
	if _, cert, err := b.Update(logSpaced[T](n, 1e4, 9), &BinomialOptions{Single: true, Tolerance: 1e-6, Beta: 0.5}, nil); !errors.As(err, &none) || cert.Flag != Failed {
		t.Errorf("too coarse: %v, %+v", err, cert)
	}
	same("too coarse")
	zero := dense.NewMatrix[T](n, n)
	if beta, cert, err := b.Update(zero, nil, nil); err != nil || beta != 1 || cert.Flag != OK {
		t.Errorf("zero: β = %g, %v, %+v", beta, err, cert)
	}
	for i, v := range b.Statistic().Data {
		if v != l.Data[i] {
			t.Fatal("zero: the statistic has changed")
		}
	}
	for i, f := range []func(){
		func() { NewBinomial[T](n, 0, 1) },
		func() { NewBinomial[T](n, 2, 0) },
		func() { NewBinomial[T](n, 2, math.NaN()) },
		func() { NewBinomial[T](n, 1, 1e-320) },
		func() { _, _, _ = b.Update(zero, &BinomialOptions{Beta: 1}, nil) },
		func() { _, _, _ = b.Update(zero, &BinomialOptions{Radius: 2}, nil) },
		func() { _, _, _ = b.Update(zero, &BinomialOptions{Terms: 6}, nil) },
		func() { _, _, _ = b.Update(zero.View(0, 0, 3, 3), nil, nil) },
		func() { _, _, _ = b.Update(b.Root(), nil, nil) },
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
	if _, _, err := NewBinomial[T](0, 4, 1).Update(dense.NewMatrix[T](0, 0), nil, nil); err != nil {
		t.Errorf("order 0: %v", err)
	}
}

// TestBinomialSame has equal bits for every number of threads and workspaces full of NaN, and
// updates that allocate nothing.
func TestBinomialSame(t *testing.T) { both(t, testBinomialSame[float32], testBinomialSame[float64]) }

func testBinomialSame[T dense.Float](t *testing.T) {
	const n = 90
	s := logSpaced[T](n, 100, 3)
	var first dense.Matrix[T]
	var firstCert Certificate
	for _, threads := range []int{1, 2, 3} {
		b := NewBinomial[T](n, 4, 1)
		o := &dense.Opts[T]{Threads: threads, Work: make([]T, RootWork[T](n, threads))}
		for i := range o.Work {
			o.Work[i] = T(math.NaN())
		}
		var last Certificate
		for range 3 {
			_, cert, err := b.Update(s, nil, o)
			if err != nil {
				t.Fatal(err)
			}
			last = cert
		}
		if threads == 1 {
			first, firstCert = b.Root().Clone(), last
		}
		if last != firstCert || last.Method != BinomialUpdate || last.Products != 4 {
			t.Fatalf("%d threads: %+v, want %+v", threads, last, firstCert)
		}
		for i, v := range b.Root().Data {
			if v != first.Data[i] {
				t.Fatalf("%d threads: element %d is %v, want %v", threads, i, v, first.Data[i])
			}
		}
		if k := testing.AllocsPerRun(2, func() { _, _, _ = b.Update(s, nil, o) }); k != 0 {
			t.Errorf("%d threads: %v allocations", threads, k)
		}
	}
}
