package dense

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/precond-go/precond/internal/hard"
	"gonum.org/v1/gonum/blas"
)

// hardMatrix returns a general matrix of a class with some padding.
func hardMatrix[T Float](c hard.Class, m, n, extra int) Matrix[T] {
	return padded(matrixOf(hard.General[T](c, m, n)), extra)
}

// triangleOfR returns the upper trapezoid of a factored matrix.
func triangleOfR[T Float](f Matrix[T], k int) Matrix[T] {
	r := NewMatrix[T](k, f.Cols)
	for i := range k {
		copy(r.Row(i)[i:], f.Row(i)[i:])
	}
	return r
}

// factorRatio returns ‖A − QR‖₁/(m·u·‖A‖₁), u half of ε, as LAPACK's testers take it
// (dqrt01).
func factorRatio[T Float](a, q, r Matrix[T]) float64 {
	shift := shiftOf(a)
	w := wide(a, shift)
	return scaled[T](minusProduct(w, blas.NoTrans, wide(q, 0), blas.NoTrans, wide(r, shift)), w, max(1, a.Rows, a.Cols), shift)
}

// orthogonalRatio returns ‖QᵀQ − I‖₁/(m·u).
func orthogonalRatio[T Float](q Matrix[T]) float64 {
	n := q.Cols
	if n == 0 {
		return 0
	}
	g := NewMatrix[T](n, n)
	for i := range n {
		g.Set(i, i, -1)
	}
	Gemm(blas.Trans, blas.NoTrans, 1, q, q, 1, g, nil)
	return float64(Norm1(g, nil)) / (float64(q.Rows) * epsilonOf[T]() / 2)
}

// eachGeneral calls f for classes and shapes: square ones as eachHard does, and some
// that are tall or wide. Some have padding.
func eachGeneral[T Float](f func(c hard.Class, a Matrix[T])) {
	eachHard(func(c hard.Class, n int) { f(c, hardMatrix[T](c, n, n, n%3)) })
	for i, s := range [][2]int{{1, 40}, {40, 1}, {33, 7}, {7, 33}, {200, 65}, {65, 200}, {700, 31}, {130, 310}} {
		for _, c := range hard.Classes() {
			if testing.Short() && (int(c)+i)%3 > 0 {
				continue
			}
			f(c, hardMatrix[T](c, s[0], s[1], i%2))
		}
	}
}

func TestQRHard(t *testing.T) { both(t, testQRHard[float32], testQRHard[float64]) }

func testQRHard[T Float](t *testing.T) {
	w := newWorst(t)
	o := &Opts[T]{Threads: 1}
	eachGeneral(func(c hard.Class, a Matrix[T]) {
		m, n := a.Rows, a.Cols
		k := min(m, n)
		f, tau := cloneData(a), make([]T, k)
		QR(f, tau, o)
		q := draw[T](2, m, k, m%2)
		QRForm(f, tau, q, o)
		w.add(typed[T]("QR"), c, n, factorRatio(a, q, triangleOfR(f, k)))
		w.add(typed[T]("QRForm"), c, n, orthogonalRatio(q))
	})
	w.log()
}

func TestQRForm(t *testing.T) { both(t, testQRForm[float32], testQRForm[float64]) }

// testQRForm checks the square Q, parts of it and Q in place against the thin one,
// and that Q is what QRApply applies.
func testQRForm[T Float](t *testing.T) {
	for _, s := range [][2]int{{0, 0}, {3, 0}, {0, 3}, {1, 1}, {5, 3}, {3, 5}, {40, 40}, {70, 33}, {33, 70}, {130, 100}, {300, 40}, {290, 270}} {
		m, n := s[0], s[1]
		k := min(m, n)
		f, tau := draw[T](1, m, n, 2), make([]T, k)
		QR(f, tau, nil)
		full := draw[T](2, m, m, 1)
		QRForm(f, tau, full, nil)
		if r := orthogonalRatio(full); !(r <= 10) {
			t.Errorf("%v: square Q: %g", s, r)
		}
		for _, p := range []int{k, (k + m) / 2} {
			q := draw[T](3, m, p, 0)
			QRForm(f, tau, q, nil)
			for i := range m {
				equalBits(t, fmt.Sprintf("%v: %d columns", s, p), q.Row(i), full.Row(i)[:p])
			}
		}
		if m >= n {
			q := cloneData(f)
			QRForm(q, tau, q, nil)
			for i := range m {
				equalBits(t, fmt.Sprintf("%v: in place", s), q.Row(i), full.Row(i)[:n])
			}
		}
		for _, side := range []blas.Side{blas.Left, blas.Right} {
			for _, trans := range []blas.Transpose{blas.NoTrans, blas.Trans} {
				for _, p := range []int{0, 1, 45} {
					c, want := draw[T](4, m, p, 3), NewMatrix[T](m, p)
					if side == blas.Right {
						c, want = draw[T](4, p, m, 3), NewMatrix[T](p, m)
						Gemm(blas.NoTrans, trans, 1, c, full, 0, want, nil)
					} else {
						Gemm(trans, blas.NoTrans, 1, full, c, 0, want, nil)
					}
					QRApply(side, trans, f, tau, c, nil)
					Accumulate(-1, c, 1, want, nil)
					r := float64(NormMax(want, nil)) / epsilonOf[T]() / math.Sqrt(float64(m+1))
					if !(r <= 10) {
						t.Errorf("%v %c %c p=%d: %g", s, side, trans, p, r)
					}
				}
			}
		}
	}
}

func TestQRSolve(t *testing.T) { both(t, testQRSolve[float32], testQRSolve[float64]) }

func testQRSolve[T Float](t *testing.T) {
	for _, s := range [][3]int{{0, 0, 2}, {4, 0, 2}, {1, 1, 1}, {9, 4, 0}, {10, 10, 3}, {60, 20, 5}, {300, 100, 70}} {
		m, n, p := s[0], s[1], s[2]
		a, x, b := draw[T](1, m, n, 1), draw[T](2, n, p, 0), draw[T](3, m, p, 2)
		for i := range n {
			a.Row(i)[i] += 4 // well conditioned
		}
		b0 := cloneData(b)
		f, tau := cloneData(a), make([]T, n)
		QR(f, tau, nil)
		if err := QRSolve(f, tau, b, nil); err != nil {
			t.Fatalf("%v: %v", s, err)
		}
		// The residual is orthogonal to the columns of A, and has the norm that is told.
		r := b0
		Gemm(blas.NoTrans, blas.NoTrans, -1, a, b.View(0, 0, n, p), 1, r, nil)
		g := NewMatrix[T](n, p)
		Gemm(blas.Trans, blas.NoTrans, 1, a, r, 0, g, nil)
		bound := 20 * epsilonOf[T]() * float64(m+1) * float64(NormFrobenius(a, nil)+1)
		if e := float64(NormMax(g, nil)); !(e <= bound) {
			t.Errorf("%v: Aᵀ·residual = %g, bound %g", s, e, bound)
		}
		told, is := NormFrobenius(b.View(n, 0, m-n, p), nil), NormFrobenius(r, nil)
		if e := math.Abs(float64(told - is)); !(e <= bound) {
			t.Errorf("%v: residual %g, told %g", s, is, told)
		}
		// A right-hand side in the range gives its X back.
		Gemm(blas.NoTrans, blas.NoTrans, 1, a, x, 0, b, nil)
		if err := QRSolve(f, tau, b, nil); err != nil {
			t.Fatal(err)
		}
		Accumulate(-1, x, 1, b.View(0, 0, n, p), nil)
		if e := float64(NormMax(b.View(0, 0, n, p), nil)); !(e <= bound) {
			t.Errorf("%v: X is off by %g, bound %g", s, e, bound)
		}
	}
	a, tau := NewMatrix[T](5, 3), make([]T, 3)
	copy(a.Data, []T{1, 2, 3, 1, 2, 3, 0, 0, 1})
	a.Fill(0)
	a.Set(0, 0, 1)
	QR(a, tau, nil)
	var singular *SingularError
	if err := QRSolve(a, tau, NewMatrix[T](5, 1), nil); !errors.As(err, &singular) || singular.Pivot != 1 {
		t.Errorf("error %v, want pivot 1", err)
	}
}

// TestQRThreads checks that no result depends on the number of threads or on the
// workspace.
func TestQRThreads(t *testing.T) { both(t, testQRThreads[float32], testQRThreads[float64]) }

func testQRThreads[T Float](t *testing.T) {
	for _, s := range [][2]int{{150, 150}, {290, 270}, {90, 500}, {1000, 70}} {
		m, n := s[0], s[1]
		if testing.Short() && m*n > 50000 {
			continue
		}
		k := min(m, n)
		start := draw[T](1, m, n, 3)
		tau := make([]T, k)
		var first []T
		for threads := 1; threads <= 3; threads++ {
			name := fmt.Sprintf("QR %v", s)
			checkWorkspace(t, name, threads, QRWork[T](m, n, threads), start, func(c Matrix[T], o *Opts[T]) { QR(c, tau, o) })
			if first == nil {
				first = slices.Clone(tau)
			}
			equalBits(t, name, tau, first)
		}
		QR(start, tau, nil)
		for threads := 1; threads <= 3; threads++ {
			q := draw[T](2, m, k, 1)
			checkWorkspace(t, fmt.Sprintf("QRForm %v", s), threads, QRFormWork[T](m, k, k, threads), q, func(c Matrix[T], o *Opts[T]) { QRForm(start, tau, c, o) })
			checkWorkspace(t, fmt.Sprintf("QRApply %v", s), threads, QRApplyWork[T](m, k, k, threads), q, func(c Matrix[T], o *Opts[T]) {
				QRApply(blas.Left, blas.Trans, start, tau, c, o)
			})
			if m < n {
				continue
			}
			checkWorkspace(t, fmt.Sprintf("QRSolve %v", s), threads, QRSolveWork[T](m, n, k, threads), q, func(c Matrix[T], o *Opts[T]) {
				if err := QRSolve(start, tau, c, o); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// TestQRNonFinite checks that what is not finite shows, and that nothing hangs.
func TestQRNonFinite(t *testing.T) { both(t, testQRNonFinite[float32], testQRNonFinite[float64]) }

func testQRNonFinite[T Float](t *testing.T) {
	for _, n := range []int{1, 5, 40, 90} {
		for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			for _, at := range [][2]int{{0, 0}, {n - 1, 0}, {n / 2, n / 2}, {n - 1, n - 1}} {
				a, tau := draw[T](1, n, n, 0), make([]T, n)
				a.Set(at[0], at[1], T(bad))
				QR(a, tau, nil)
				if d := a.At(n-1, n-1); d-d == 0 {
					t.Errorf("n=%d %g at %v: the last element of R is %g", n, bad, at, d)
				}
			}
		}
	}
}

func TestQRPanics(t *testing.T) {
	m := NewMatrix[float64]
	tau := func(k int) []float64 { return make([]float64, k) }
	for text, f := range map[string]func(){
		"dense: QR: a is 3x4, tau has 2 elements":                func() { QR(m(3, 4), tau(2), nil) },
		"dense: QR: a is 2x3 with stride 2":                      func() { QR(Matrix[float64]{2, 3, 2, tau(9)}, tau(2), nil) },
		"dense: QRForm: a is 4x3, tau has 4 elements, q is 4x4":  func() { QRForm(m(4, 3), tau(4), m(4, 4), nil) },
		"dense: QRForm: a is 4x3, tau has 3 elements, q is 4x2":  func() { QRForm(m(4, 3), tau(3), m(4, 2), nil) },
		"dense: QRForm: a is 4x3, tau has 3 elements, q is 4x5":  func() { QRForm(m(4, 3), tau(3), m(4, 5), nil) },
		"dense: QRApply: unknown side 'x'":                       func() { QRApply('x', blas.Trans, m(4, 3), tau(3), m(4, 5), nil) },
		"dense: QRApply: unknown transpose 'x'":                  func() { QRApply(blas.Left, 'x', m(4, 3), tau(3), m(4, 5), nil) },
		"dense: QRApply: a is 4x3, tau has 3 elements, c is 3x4": func() { QRApply(blas.Left, blas.Trans, m(4, 3), tau(3), m(3, 4), nil) },
		"dense: QRSolve: a is 3x4, tau has 3 elements, b is 3x1": func() { QRSolve(m(3, 4), tau(3), m(3, 1), nil) },
		"dense: QRApply: c overlaps a":                           func() { a := m(4, 4); QRApply(blas.Left, blas.Trans, a, tau(4), a, nil) },
		"dense: QRForm: q overlaps a":                            func() { a := m(4, 4); QRForm(a.View(0, 0, 4, 3), tau(2), a.View(0, 1, 4, 3), nil) },
	} {
		wantPanic(t, text, f)
	}
}

// Rows of a matrix without columns are empty, also where there are no elements.
func TestRowWithoutColumns(t *testing.T) {
	m := NewMatrix[float64](3, 0)
	if r := m.Row(2); len(r) != 0 {
		t.Errorf("row %v", r)
	}
	m.Clone().Copy(m)
	m.Fill(1)
}
