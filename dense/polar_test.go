package dense

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/precond-go/precond/internal/hard"
	"gonum.org/v1/gonum/blas"
)

func TestPolar(t *testing.T) { both(t, testPolar[float32], testPolar[float64]) }

// testPolar holds A − U·H, UᵀU − I and the least eigenvalue of H to LAPACK's bounds.
func testPolar[T Float](t *testing.T) {
	w := newWorst(t)
	check := func(class hard.Class, m, n, extra int) {
		t.Helper()
		a := hardMatrix[T](class, m, n, extra)
		u, h := draw[T](2, m, n, extra), draw[T](3, n, n, extra)
		before := cloneData(a)
		cert, err := Polar(a, u, h, nil)
		if err != nil || !sameBits(a, before) {
			t.Errorf("%v %dx%d: %v, or a is written", class, m, n, err)
			return
		}
		checkPadding(t, u)
		checkPadding(t, h)
		shift := shiftOf(a)
		x, uu, hh := wide(a, shift), wide(u, 0), wide(h, shift)
		if !sameBits(hh, transposeOf(hh)) {
			t.Errorf("%v %dx%d: h is not symmetric", class, m, n)
		}
		eps := hard.Epsilon[T]()
		bound := float64(m) * (eps*Norm1(x, nil) + math.Ldexp(hard.Tiny[T](), shift))
		defect := orthogonality(uu)
		if n > 0 {
			w.add(typed[T]("Polar orthogonality"), class, n, defect/(float64(m)*eps))
		}
		if n > 0 && math.Abs(cert.Defect-defect) > float64(10*m)*eps {
			t.Errorf("%v %dx%d: defect %g, certified %g", class, m, n, defect, cert.Defect)
		}
		if n > 0 && cert.BySVD != math.IsInf(cert.Condition, 1) || cert.Iterations > polarSteps || cert.QRSteps > cert.Iterations {
			t.Errorf("%v %dx%d: %+v", class, m, n, cert)
		}
		d := minusProduct(x, blas.NoTrans, uu, blas.NoTrans, hh)
		if n > 0 {
			w.add(typed[T]("Polar residual"), class, n, Norm1(d, nil)/bound)
			if n <= 130 {
				w.add(typed[T]("Polar definite"), class, n, max(0, -leastEigenvalue(hh))/bound)
			}
		}
	}
	for _, class := range hard.Classes() {
		for n := range 131 {
			if n < 10 || (n+int(class))%11 == 0 && !(testing.Short() && n > 70) {
				check(class, n, n, 0)
			}
		}
		for _, s := range [][3]int{{5, 3, 2}, {70, 33, 5}, {200, 40, 0}, {40, 39, 1}, {300, 1, 0}, {257, 257, 0}} {
			if testing.Short() && s[0] > 200 {
				continue
			}
			check(class, s[0], s[1], s[2])
		}
	}
	w.log()
}

// leastEigenvalue returns the least eigenvalue of h, symmetric positive but for rounding,
// from the singular values of h + σ·I.
func leastEigenvalue(h Matrix[float64]) float64 {
	g, s := h.Clone(), make([]float64, h.Rows)
	shift := Norm1(h, nil)
	for i := range g.Rows {
		g.Data[i*g.Stride+i] += shift
	}
	if err := SingularValues(g, s, nil); err != nil {
		return math.Inf(-1)
	}
	return s[len(s)-1] - shift
}

// TestPolarSteps holds the number of iterations to that of the theory.
func TestPolarSteps(t *testing.T) {
	for _, c := range []struct {
		lower            float64
		iterations, byQR int
	}{{1, 3, 0}, {0.9, 3, 0}, {0.1, 4, 1}, {1e-4, 5, 2}, {1e-8, 6, 2}, {1e-13, 6, 3}} {
		const n = 40
		a := NewMatrix[float64](n, n)
		for i := range n {
			a.Set(i, (i*7)%n, math.Pow(c.lower, float64(i)/(n-1)))
		}
		u := NewMatrix[float64](n, n)
		cert, err := Polar(a, u, Matrix[float64]{}, nil)
		if err != nil || cert.BySVD || cert.Iterations > c.iterations || cert.QRSteps > c.byQR || cert.Condition < 1/c.lower*0.999 {
			t.Errorf("condition %g: %+v, %v", 1/c.lower, cert, err)
		}
		for i := range n {
			if !(math.Abs(u.At(i, (i*7)%n)-1) <= 1e-13) {
				t.Errorf("condition %g: u[%d] is %g", 1/c.lower, i, u.At(i, (i*7)%n))
			}
		}
	}
}

func TestPolarCall(t *testing.T) { both(t, testPolarCall[float32], testPolarCall[float64]) }

func testPolarCall[T Float](t *testing.T) {
	for _, s := range [][2]int{{1, 1}, {20, 20}, {90, 50}, {140, 130}} {
		m, n := s[0], s[1]
		for _, rank := range []string{"full", "deficient"} {
			a := draw[T](1, m, n, 0)
			if rank == "deficient" {
				for i := range m {
					a.Set(i, n-1, a.At(i, 0))
				}
			}
			for _, threads := range []int{1, 2, 3} {
				checkWorkspace(t, fmt.Sprintf("Polar %v %s", s, rank), threads, PolarWork[T](m, n, threads), draw[T](9, 1, m*n+n*n, 0),
					func(c Matrix[T], o *Opts[T]) {
						if _, err := Polar(a, MatrixOf(m, n, c.Data[:m*n]), MatrixOf(n, n, c.Data[m*n:]), o); err != nil {
							panic(err)
						}
					})
			}
		}
	}
	a, u, h := draw[T](1, 4, 3, 0), draw[T](2, 4, 3, 0), draw[T](3, 3, 3, 0)
	before := cloneData(u)
	a.Set(2, 1, T(math.Inf(1)))
	var e *NonFiniteError
	if _, err := Polar(a, u, h, nil); !errors.As(err, &e) || !sameBits(u, before) {
		t.Errorf("Inf: %v, or output written", err)
	}
	a.Fill(0)
	cert, err := Polar(a, u, h, nil)
	if err != nil || !cert.BySVD || u.At(2, 2) != 1 || u.At(3, 2) != 0 || NormMax(h, nil) != 0 {
		t.Errorf("zero matrix: %+v, %v, u = %v, h = %v", cert, err, u, h)
	}
	panicsWith(t, "dense: Polar: a is 3x4, u is 3x4, h is 4x4", func() { _, _ = Polar(draw[T](1, 3, 4, 0), draw[T](1, 3, 4, 0), draw[T](1, 4, 4, 0), nil) })
	panicsWith(t, "dense: Polar: u overlaps a", func() { _, _ = Polar(a, a, h, nil) })
	panicsWith(t, "dense: Polar: h overlaps u", func() { _, _ = Polar(a, u, u.View(0, 0, 3, 3), nil) })
}
