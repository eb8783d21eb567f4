package invroot

import (
	"errors"
	"math"
	"testing"

	"github.com/precond-go/precond/dense"
)

// TestNewtonSchulz has the product form take fewer products than coupled Newton, with an error
// no larger than some ε·κ^(1/2+1/P): M = Z·Y is in error by ε·‖Z‖·‖Y‖, and so is
// what becomes of it.
func TestNewtonSchulz(t *testing.T) {
	both(t, testNewtonSchulz[float32], testNewtonSchulz[float64])
}

func testNewtonSchulz[T dense.Float](t *testing.T) {
	n := 256
	if testing.Short() {
		n = 100
	}
	for _, kappa := range []float64{1, 10, 1e2, 1e4, 1e6} {
		a := logSpaced[T](n, kappa, 2)
		known := spectrumOf(a)
		for _, e := range []Exponent{{1, 1}, {1, 2}, {1, 4}, {1, 8}, {3, 4}} {
			var products, errs [2]float64
			var certs [2]Certificate
			for i, m := range []Method{NewtonSchulz, CoupledNewton} {
				x := dense.NewMatrix[T](n, n)
				cert, err := Root(a, e, x, &Options{Method: m, Single: true, Tolerance: 1e30}, nil)
				if err != nil {
					t.Fatalf("κ=%g %v %v: %v", kappa, e, m, err)
				}
				products[i], errs[i], certs[i] = cert.Products, relative(x, known.root(e, 0)), cert
			}
			t.Logf("κ=%g %v: %.4g products, error %.2g; coupled Newton %.4g products, error %.2g",
				kappa, e, products[0], errs[0], products[1], errs[1])
			if limit := 40 * epsilon[T]() * math.Pow(kappa, 0.5+float64(e.Q)/float64(e.P)); !(errs[0] <= limit) || !(errs[0] <= 10*certs[0].Error) || certs[0].Stagnated {
				t.Errorf("κ=%g %v: error %.3g, want %.3g: %+v", kappa, e, errs[0], limit, certs[0])
			}
			if kappa >= 10 && e.P == 2 && !(products[0] < products[1]) {
				t.Errorf("κ=%g %v: %v products, coupled Newton takes %v", kappa, e, products[0], products[1])
			}
		}
	}
}

// TestNewtonSchulzSpectra has spectra whose smallest eigenvalue Lanczos finds late or not at all
// from the matrix itself.
func TestNewtonSchulzSpectra(t *testing.T) {
	const n = 120
	for _, c := range []struct {
		name  string
		value func(i int) float64
		most  float64 // products
	}{
		{"identity", func(int) float64 { return 3 }, 1},
		{"one small", func(i int) float64 { return []float64{1, 1e-6}[i/(n-1)] }, 40},
		{"one large", func(i int) float64 { return []float64{1e6, 1}[min(i, 1)] }, 40},
		{"near a tenth of 10⁻⁸ and one", func(i int) float64 { return []float64{1, 1e-9}[i%2] * (1 + float64(i)/n) }, 60},
		{"arithmetic", func(i int) float64 { return float64(1 + i) }, 30},
	} {
		a, x := dense.NewMatrix[float64](n, n), dense.NewMatrix[float64](n, n)
		for i := range n {
			a.Set(i, i, c.value(i))
		}
		cert, err := Root(a, Inverse(2), x, &Options{Method: NewtonSchulz, Single: true}, nil)
		if err != nil {
			t.Errorf("%s: %v: %+v", c.name, err, cert)
			continue
		}
		t.Logf("%s: %d iterations, %v products, error %.2g", c.name, cert.Iterations, cert.Products, cert.Error)
		for i := range n {
			if want := 1 / math.Sqrt(c.value(i)); !(math.Abs(x.At(i, i)-want) <= 1e-10*want) {
				t.Errorf("%s: element %d is %g, want %g", c.name, i, x.At(i, i), want)
			}
		}
		if cert.Products > c.most {
			t.Errorf("%s: %v products", c.name, cert.Products)
		}
	}
}

// TestNewtonSchulzExponents has the ladder go on where the denominator is no power of two.
func TestNewtonSchulzExponents(t *testing.T) {
	a, x := dense.MatrixOf(2, 2, []float64{1, 0, 0, 8}), dense.NewMatrix[float64](2, 2)
	cert, err := Root(a, Inverse(3), x, &Options{Method: NewtonSchulz}, nil)
	if err != nil || cert.Method != Eigen || cert.Flag != Fallback || !(math.Abs(x.At(1, 1)-0.5) <= 1e-14) {
		t.Errorf("%v, %+v", err, cert)
	}
	var none *dense.NoConvergenceError
	if cert, err = Root(a, Inverse(3), x, &Options{Method: NewtonSchulz, Single: true}, nil); !errors.As(err, &none) || cert.Flag != Failed || cert.Products != 0 {
		t.Errorf("%v, %+v", err, cert)
	}
	if cert, err = Root(a, Exponent{3, 6}, x, &Options{Method: NewtonSchulz, Single: true}, nil); err != nil || cert.Method != NewtonSchulz {
		t.Errorf("%v, %+v", err, cert)
	}
}
