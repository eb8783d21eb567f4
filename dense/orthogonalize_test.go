package dense

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/precond-go/precond/internal/hard"
	"gonum.org/v1/gonum/blas"
)

// TestPolarExpress checks that the bound holds at many points and is attained, that the
// error of each polynomial levels at degree/2 + 3/2 points, which makes it the best
// (Chebyshev), and that the bounds are those of the documentation.
func TestPolarExpress(t *testing.T) {
	for _, lower := range []float64{1e-9, 1e-3, 0.01, 0.1, 0.5, 0.9, 0.999, 1} {
		for _, degree := range []int{3, 5} {
			last := 1.
			for steps := range 9 {
				p := PolarExpress(lower, degree, steps)
				worst := 0.
				const points = 20000
				for i := range points + 1 {
					x := lower + (1-lower)*float64(i*i)/(points*points)
					for _, c := range p.Coef {
						x = c[0]*x + c[1]*x*x*x + c[2]*x*x*x*x*x
					}
					worst = max(worst, math.Abs(x-1))
				}
				if !(worst <= p.Bound) || p.Bound > worst*1.01+1e-13 || p.Bound > last+1e-14 || len(p.Coef) != steps || p.Lower != lower {
					t.Errorf("lower %g, degree %d, %d steps: bound %g, seen %g, before %g", lower, degree, steps, p.Bound, worst, last)
				}
				last = p.Bound
			}
			for lo := lower; lo < 0.98; lo = lo*1.3 + 1e-3 {
				c := bestOdd(lo, 1.5, degree)
				q, r := turning(c)
				points := []float64{lo, math.Sqrt(q), math.Sqrt(r), 1.5}
				if degree == 3 {
					points = []float64{lo, math.Sqrt(q), 1.5}
				}
				e := 1 - odd(c, lo)
				for i, x := range points {
					if i > 0 && !(x > points[i-1]) || !(math.Abs(1-odd(c, x)-e*float64(1-2*(i%2))) <= 1e-9*e+1e-13) || e <= 0 {
						t.Errorf("degree %d on [%g, 1.5]: error %g at %g, %g at the left end", degree, lo, 1-odd(c, x), x, e)
					}
				}
			}
		}
	}
	for i, want := range []float64{0.12, 1e-3, 2e-9, 1e-14} {
		if p := PolarExpress(1e-3, 5, 5+i); p.Bound > want {
			t.Errorf("%d steps: bound %g, documented %g", 5+i, p.Bound, want)
		}
	}
	if p := MuonPolynomials(0.01, 5); !(p.Bound < 0.32) || len(p.Coef) != 5 {
		t.Errorf("Muon: bound %g", p.Bound)
	}
	panicsWith(t, "dense: PolarExpress: lower is 0, degree 5, 3 steps", func() { PolarExpress(0, 5, 3) })
	panicsWith(t, "dense: PolarExpress: lower is 0.5, degree 4", func() { PolarExpress(0.5, 4, 3) })
	panicsWith(t, "dense: MuonPolynomials: lower is NaN", func() { MuonPolynomials(math.NaN(), 3) })
}

func TestOrthogonalize(t *testing.T) { both(t, testOrthogonalize[float32], testOrthogonalize[float64]) }

// testOrthogonalize compares with the polynomials of the singular values.
func testOrthogonalize[T Float](t *testing.T) {
	for _, class := range hard.Classes() {
		for i, s := range [][3]int{{1, 1, 0}, {5, 5, 1}, {7, 4, 2}, {4, 9, 3}, {40, 40, 0}, {130, 60, 0}, {33, 100, 1}} {
			m, n, k := s[0], s[1], min(s[0], s[1])
			a, q := hardMatrix[T](class, m, n, s[2]), draw[T](2, m, n, s[2])
			p := PolarExpress(1e-3, 5-2*(i%2), 5+i)
			if i == 3 {
				p = MuonPolynomials(1e-2, 5)
			}
			before := cloneData(a)
			cert, err := Orthogonalize(a, q, p, nil)
			if err != nil || !sameBits(a, before) || cert.Steps != len(p.Coef) || cert.Bound != p.Bound {
				t.Fatalf("%v %dx%d: %+v, %v, or a is written", class, m, n, cert, err)
			}
			checkPadding(t, q)
			shift := shiftOf(a)
			x, want := wide(a, shift), NewMatrix[float64](m, n)
			u, values, vt := NewMatrix[float64](m, k), make([]float64, k), NewMatrix[float64](k, n)
			if err := SVD(x, u, values, vt, nil); err != nil {
				t.Fatal(err)
			}
			scale := math.Ldexp(cert.Scale, shift)
			if !(values[0] <= scale && scale <= 1.001*NormFrobenius(x, nil)) {
				t.Errorf("%v %dx%d: scale %g, norm %g", class, m, n, scale, values[0])
			}
			for j := range values {
				y := values[j] / scale
				for _, c := range p.Coef {
					y = odd(c, y)
				}
				for l := range m {
					u.Data[l*u.Stride+j] *= y
				}
			}
			Gemm(blas.NoTrans, blas.NoTrans, 1, u, vt, 0, want, nil)
			got, size := wide(q, 0), float64(max(m, n))
			Sub(got, want, want, nil)
			if !(NormMax(want, nil) <= 1e5*size*hard.Epsilon[T]()) {
				t.Errorf("%v %dx%d: differs by %g", class, m, n, NormMax(want, nil))
			}
			d := orthogonalityF(got)
			if !(math.Abs(cert.Defect-d) <= 10*size*hard.Epsilon[T]()*(1+d*d)) {
				t.Errorf("%v %dx%d: defect %g, certified %g", class, m, n, d, cert.Defect)
			}
			if low := values[k-1] / scale; low >= p.Lower && !(d <= math.Sqrt(float64(k))*(2*p.Bound+p.Bound*p.Bound)+1e3*size*hard.Epsilon[T]()) {
				t.Errorf("%v %dx%d: defect %g, bound %g", class, m, n, d, p.Bound)
			}
		}
	}
}

// orthogonalityF returns ‖XᵀX − I‖_F, or that of the transpose if x is wide.
func orthogonalityF(x Matrix[float64]) float64 {
	if x.Rows < x.Cols {
		x = transposeOf(x)
	}
	g := NewMatrix[float64](x.Cols, x.Cols)
	identity(g)
	Gemm(blas.Trans, blas.NoTrans, 1, x, x, -1, g, nil)
	return NormFrobenius(g, nil)
}

func TestOrthogonalizeCall(t *testing.T) {
	both(t, testOrthogonalizeCall[float32], testOrthogonalizeCall[float64])
}

func testOrthogonalizeCall[T Float](t *testing.T) {
	p := PolarExpress(1e-3, 5, 6)
	for _, s := range [][2]int{{1, 1}, {20, 30}, {150, 140}, {140, 200}} {
		a := draw[T](1, s[0], s[1], 0)
		for _, threads := range []int{1, 2, 3} {
			if testing.Short() && s[0] > 100 && threads == 2 {
				continue
			}
			checkWorkspace(t, fmt.Sprintf("Orthogonalize %v", s), threads, OrthogonalizeWork[T](s[0], s[1], threads), draw[T](2, s[0], s[1], 0),
				func(c Matrix[T], o *Opts[T]) {
					if _, err := Orthogonalize(a, c, p, o); err != nil {
						panic(err)
					}
				})
		}
	}
	a, q := draw[T](1, 4, 3, 0), draw[T](2, 4, 3, 0)
	before := cloneData(q)
	a.Set(3, 2, T(math.NaN()))
	var e *NonFiniteError
	if _, err := Orthogonalize(a, q, p, nil); !errors.As(err, &e) || !sameBits(q, before) {
		t.Errorf("NaN: %v, or output written", err)
	}
	a.Fill(0)
	if cert, err := Orthogonalize(a, q, p, nil); err != nil || NormMax(q, nil) != 0 || cert.Defect != float64(root(T(3))) || cert.Scale != 0 {
		t.Errorf("zero matrix: %+v, %v, %v", cert, err, q)
	}
	if cert, err := Orthogonalize(Matrix[T]{}, Matrix[T]{}, p, nil); err != nil || cert.Defect != 0 {
		t.Errorf("empty matrix: %+v, %v", cert, err)
	}
	panicsWith(t, "dense: Orthogonalize: a is 4x3, q is 3x4", func() { _, _ = Orthogonalize(a, draw[T](1, 3, 4, 0), p, nil) })
	panicsWith(t, "dense: Orthogonalize: q overlaps a", func() { _, _ = Orthogonalize(a, a, p, nil) })
}
