package invroot

import (
	"errors"
	"math"
	"testing"

	"github.com/precond-go/precond/dense"
)

// TestChebyshevSeries has the scalar series within the error that it was asked for, with a
// degree that theory has.
func TestChebyshevSeries(t *testing.T) {
	var coefs [maxDegree + 1]float64
	for _, l := range []float64{0.9, 0.3, 0.01, 1e-3} {
		for _, e := range []Exponent{{1, 1}, {1, 2}, {3, 4}, {1, 64}, {5, 2}} {
			for _, most := range []float64{1e-3, 1e-6, 1e-11} {
				degree, ok := chebyshevSeries(coefs[:], l, e, most)
				s := float64(e.Q) / float64(e.P)
				rate := math.Log((1 + math.Sqrt(l)) / (1 - math.Sqrt(l)))
				// f is analytic within the ellipse of the rate, and l^(−s) at most on half of it
				expected := (math.Log(1/most)+(s+1)*math.Log(1/l))/rate + 4
				if !ok {
					if expected < maxDegree {
						t.Errorf("l=%g %v %g: degree %g is refused", l, e, most, expected)
					}
					continue
				}
				if float64(degree) > expected {
					t.Errorf("l=%g %v %g: degree %d, want %g", l, e, most, degree, expected)
				}
				for i := range 200 {
					angle := math.Pi * float64(i) / 199
					got := coefs[0] / 2
					for j := 1; j <= degree; j++ {
						got += coefs[j] * math.Cos(float64(j)*angle)
					}
					x := (1+l)/2 + (1-l)/2*math.Cos(angle)
					want := math.Pow(x, -s)
					if !(math.Abs(got-want) <= 1.01*most+1e-13*math.Pow(l, -s)) {
						t.Fatalf("l=%g %v %g: %g at %g, want %g", l, e, most, got, x, want)
					}
				}
			}
		}
	}
}

// TestChebyshev has roots as accurate as the tolerance says, from well-conditioned matrices and
// from those that a ridge makes so, in fewer products where less is asked for.
func TestChebyshev(t *testing.T) { both(t, testChebyshev[float32], testChebyshev[float64]) }

func testChebyshev[T dense.Float](t *testing.T) {
	const n = 100
	for _, c := range []struct{ kappa, ridge float64 }{{1, 0}, {2, 0}, {10, 0}, {100, 0}, {1e8, 0.03}} {
		a := logSpaced[T](n, c.kappa, 4)
		known := spectrumOf(a)
		for _, e := range []Exponent{{1, 1}, {1, 2}, {1, 3}, {3, 4}, {1, 8}} {
			before := math.Inf(1)
			for _, tolerance := range []float64{1e-4, 1e-3, 1e-2} {
				x := dense.NewMatrix[T](n, n)
				cert, err := Root(a, e, x, &Options{Method: Chebyshev, Ridge: c.ridge, Tolerance: tolerance, Single: true, MaxIterations: 200}, nil)
				if err != nil {
					t.Fatalf("κ=%g %v: %v: %+v", c.kappa, e, err, cert)
				}
				got := relative(x, known.root(e, c.ridge))
				t.Logf("κ=%g ridge %g %v: %v products for %g, error %.2g, certified %.2g", c.kappa, c.ridge, e, cert.Products, tolerance, got, cert.Error)
				if !(got <= tolerance) || !(got <= 8*cert.Error) || cert.Products > before || cert.Products > float64(cert.Iterations+e.Q-1) {
					t.Errorf("κ=%g %v: error %g: %+v", c.kappa, e, got, cert)
				}
				before = cert.Products
			}
		}
	}
	a, x := logSpaced[T](n, 1e5, 1), dense.NewMatrix[T](n, n)
	var none *dense.NoConvergenceError
	if cert, err := Root(a, Inverse(2), x, &Options{Method: Chebyshev, Single: true}, nil); !errors.As(err, &none) || cert.Products != 0 || cert.Flag != Failed {
		t.Errorf("κ=1e5: %v, %+v", err, cert)
	}
	if cert, err := Root(a, Inverse(2), x, &Options{Method: Chebyshev}, nil); err != nil || cert.Method != Eigen || cert.Flag != Fallback {
		t.Errorf("κ=1e5: %v, %+v", err, cert)
	}
}
