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

// svdRatios are the scaled residuals of a decomposition, in the measure of LAPACK's
// testers.
type svdRatios struct {
	residual float64 // ‖A − U·S·Vᵀ‖₁ / (max(m, n)·ε·‖A‖₁)
	u, v     float64 // ‖UᵀU − I‖₁ / (max(m, n)·ε)
	values   float64 // largest error of a value / (ε·s[0]), if they are known
}

func (r *svdRatios) worst() float64 { return max(r.residual, r.u, r.v, r.values) }

// orthogonality returns ‖XᵀX − I‖₁.
func orthogonality(x Matrix[float64]) float64 {
	g := NewMatrix[float64](x.Cols, x.Cols)
	identity(g)
	Gemm(blas.Trans, blas.NoTrans, 1, x, x, -1, g, nil)
	return Norm1(g, nil)
}

// ratiosOf measures a decomposition of a in float64. values may be nil.
func ratiosOf[T Float](a, u Matrix[T], s []T, vt Matrix[T], values []float64) (r svdRatios) {
	m, n := a.Rows, a.Cols
	if m == 0 || n == 0 {
		return r
	}
	eps, shift := hard.Epsilon[T](), shiftOf(a)
	x, us, v := wide(a, shift), wide(u, 0), wide(vt, 0)
	size := float64(max(m, n))
	bound := size * (eps*Norm1(x, nil) + math.Ldexp(hard.Tiny[T](), shift))
	r.u = orthogonality(us) / (size * eps)
	r.v = orthogonality(transposeOf(v)) / (size * eps)
	for i := range m {
		for j, sj := range s {
			us.Data[i*us.Stride+j] *= math.Ldexp(float64(sj), shift)
		}
	}
	Gemm(blas.NoTrans, blas.NoTrans, -1, us, v, 1, x, nil)
	r.residual = Norm1(x, nil) / bound
	for i, want := range values {
		diff := math.Abs(math.Ldexp(float64(s[i]), shift) - math.Ldexp(want, shift))
		r.values = max(r.values, diff/(eps*math.Ldexp(values[0], shift)+math.Ldexp(hard.Tiny[T](), shift)))
	}
	for i, sj := range s {
		if !(sj >= 0) || i > 0 && sj > s[i-1] {
			r.values = math.Inf(1)
		}
	}
	return r
}

// double is an unevaluated sum of two float64, with some 100 bits.
type double struct{ hi, lo float64 }

func (a double) add(b double) double {
	s := a.hi + b.hi
	t := s - a.hi
	e := (a.hi - (s - t)) + (b.hi - t) + a.lo + b.lo
	return double{s + e, e - ((s + e) - s)}
}

func (a double) mul(b double) double {
	p := a.hi * b.hi
	e := math.FMA(a.hi, b.hi, -p) + a.hi*b.lo + a.lo*b.hi
	return double{p + e, e - ((p + e) - p)}
}

// rsqrt returns 1/√a.
func (a double) rsqrt() double {
	r := double{hi: 1 / math.Sqrt(a.hi)}
	correction := double{hi: 1}.add(a.mul(r).mul(r).mul(double{hi: -1}))
	return r.add(r.mul(correction).mul(double{hi: 0.5}))
}

func dotDouble(x, y []double) (s double) {
	for i := range x {
		s = s.add(x[i].mul(y[i]))
	}
	return s
}

// knownValues returns the singular values of a small matrix by one-sided Jacobi
// rotations (Hestenes 1958) in twice the precision of float64; nil for a larger one.
func knownValues[T Float](a Matrix[T]) []float64 {
	if a.Rows > a.Cols {
		a = transposeOf(a)
	}
	n := a.Rows
	if n == 0 || n*n*a.Cols > 20*20*20 {
		return nil
	}
	shift := shiftOf(a)
	x := make([][]double, n)
	for i := range x {
		for _, v := range a.Row(i) {
			x[i] = append(x[i], double{hi: math.Ldexp(float64(v), shift)})
		}
	}
	for sweep, turned := 0, true; turned && sweep < 60; sweep++ {
		turned = false
		for i := range n {
			for j := range i {
				p, q := x[i], x[j]
				alpha, beta, gamma := dotDouble(p, p).hi, dotDouble(q, q).hi, dotDouble(p, q).hi
				if math.Abs(gamma) <= 1e-20*math.Sqrt(alpha*beta) {
					continue
				}
				turned = true
				zeta := (beta - alpha) / (2 * gamma)
				tan := double{hi: math.Copysign(1/(math.Abs(zeta)+math.Hypot(1, zeta)), zeta)}
				cos := double{hi: 1}.add(tan.mul(tan)).rsqrt()
				sin := tan.mul(cos)
				for k := range p {
					p[k], q[k] = cos.mul(p[k]).add(sin.mul(q[k]).mul(double{hi: -1})), sin.mul(p[k]).add(cos.mul(q[k]))
				}
			}
		}
	}
	s := make([]float64, n)
	for i := range s {
		s[i] = math.Ldexp(math.Sqrt(dotDouble(x[i], x[i]).hi), -shift)
	}
	slices.Sort(s)
	slices.Reverse(s)
	return s
}

func TestSVD(t *testing.T) { both(t, testSVD[float32], testSVD[float64]) }

// testSVD holds the decomposition of every class to LAPACK's bounds, and prints the
// worst ratio of each.
func testSVD[T Float](t *testing.T) {
	w := newWorst(t)
	eachHard(func(c hard.Class, n int) { checkSVD[T](t, w, c, n, n, 0) })
	for _, c := range hard.Classes() {
		for _, s := range [][3]int{{5, 3, 2}, {3, 5, 2}, {5, 4, 1}, {70, 33, 5}, {33, 70, 5}, {80, 65, 1}, {65, 80, 1},
			{200, 40, 0}, {40, 200, 0}, {300, 1, 1}, {1, 300, 1}, {2, 100, 0}, {130, 129, 0}} {
			checkSVD[T](t, w, c, s[0], s[1], s[2])
		}
	}
	w.log()
}

// checkSVD decomposes the m×n matrix of a class, with extra elements between rows.
func checkSVD[T Float](t *testing.T, w *worst, class hard.Class, m, n, extra int) {
	t.Helper()
	a := hardMatrix[T](class, m, n, extra)
	k := min(m, n)
	u, vt, s := draw[T](2, m, k, extra), draw[T](3, k, n, extra), make([]T, k)
	before := cloneData(a)
	if err := SVD(a, u, s, vt, nil); err != nil {
		t.Errorf("%v %dx%d: %v", class, m, n, err)
		return
	}
	if !sameBits(a, before) {
		t.Errorf("%v %dx%d: a is written", class, m, n)
	}
	checkPadding(t, u)
	checkPadding(t, vt)
	r := ratiosOf(a, u, s, vt, knownValues(a))
	for name, ratio := range map[string]float64{"residual": r.residual, "left": r.u, "right": r.v, "values": r.values} {
		w.add(typed[T]("SVD "+name), class, n, ratio)
	}
	only := make([]T, k)
	if err := SingularValues(a, only, nil); err != nil || !sameBits(rowVector(only), rowVector(s)) {
		t.Errorf("%v %dx%d: values only: %v, or other bits", class, m, n, err)
	}
}

// checkPadding requires that what lies between the rows of x is still NaN.
func checkPadding[T Float](t *testing.T, x Matrix[T]) {
	t.Helper()
	for i, v := range x.Data {
		if i%x.Stride >= x.Cols && v == v {
			t.Fatalf("element %d of row %d is written, of %d", i%x.Stride, i/x.Stride, x.Cols)
		}
	}
}

// TestSVDValues compares with the values that follow from the construction.
func TestSVDValues(t *testing.T) { both(t, testSVDValues[float32], testSVDValues[float64]) }

func testSVDValues[T Float](t *testing.T) {
	for _, class := range hard.Classes() {
		for _, n := range []int{1, 2, 20, 90, 200} {
			h := hard.General[T](class, n+n/3, n)
			if h.Values == nil {
				continue
			}
			s := make([]T, n)
			if err := SingularValues(MatrixOf(h.Rows, h.Cols, h.Data), s, nil); err != nil {
				t.Fatal(err)
			}
			for i, want := range h.Values {
				if diff := math.Abs(float64(s[i]) - want); !(diff <= 16*hard.Epsilon[T]()*h.Values[0]+float64(n)*hard.Tiny[T]()) {
					t.Errorf("%v n=%d: value %d is %g, want %g", class, n, i, s[i], want)
				}
			}
		}
	}
}

// TestSVDStalls decomposes a matrix with clusters in which rounding errors keep the QR
// iteration of a leaf from what is negligible at first (in float32).
func TestSVDStalls(t *testing.T) {
	w := newWorst(t)
	checkSVD[float32](t, w, hard.Repeated, 511, 511, 0)
	checkSVD[float64](t, w, hard.Repeated, 511, 511, 0)
	w.log()
}

// TestBidiagonalSVD runs the divide and conquer on matrices whose elements have
// magnitudes all over the range, where deflation and clusters abound.
func TestBidiagonalSVD(t *testing.T) { both(t, testBidiagonalSVD[float32], testBidiagonalSVD[float64]) }

func testBidiagonalSVD[T Float](t *testing.T) {
	for seed := range uint64(60) {
		n := 33 + int(seed*37%170)
		d, e := draw[T](seed, 1, n, 0).Data, draw[T](seed+1000, 1, n, 0).Data
		spread := []int{0, 8, 24, 40, 120, 900}[seed%6]
		if hard.Epsilon[T]() > 1e-10 {
			spread = min(spread, 120)
		}
		for i := range n {
			p, q := draw[T](seed, n, 2, 0).At(i, 0), draw[T](seed, n, 2, 0).At(i, 1)
			d[i] *= T(math.Ldexp(1, int(float64(p)*float64(spread))-spread))
			e[i] *= T(math.Ldexp(1, int(float64(q)*float64(spread))-spread))
			switch {
			case seed%5 == 0:
				d[i] = 1
			case seed%7 == 0 && i%3 == 0:
				d[i], e[i] = 0, 0
			}
		}
		b := NewMatrix[T](n, n)
		for i := range n {
			b.Set(i, i, d[i])
			if i < n-1 {
				b.Set(i, i+1, e[i])
			}
		}
		tree := bidiagonalSVD[T]{d: d, e: e[:n-1], ut: NewMatrix[T](n, n), vt: NewMatrix[T](n, n), workers: 1}
		tree.space = filled(treeSpace[T](n, 1), T(math.NaN()))
		if failed := tree.solve(1); failed > 0 {
			t.Fatalf("seed %d: %d parts failed", seed, failed)
		}
		u, vt, s := NewMatrix[T](n, n), NewMatrix[T](n, n), make([]T, n)
		for i := range n {
			from := tree.index[n-1-i]
			s[i] = tree.d[from]
			copy(vt.Row(i), tree.vt.Row(from))
			for j := range n {
				u.Set(j, i, tree.ut.At(from, j))
			}
		}
		tree.finish()
		if r := ratiosOf(b, u, s, vt, knownValues(b)); !(r.worst() <= 10) {
			t.Errorf("seed %d, n=%d: %+v", seed, n, r)
		}
	}
}

// TestSVDGraded takes matrices whose elements have sizes of their own, over the whole
// range of exponents.
func TestSVDGraded(t *testing.T) { both(t, testSVDGraded[float32], testSVDGraded[float64]) }

func testSVDGraded[T Float](t *testing.T) {
	for seed := range uint64(2000) {
		m, n := 1+int(seed%7), 1+int(seed/7%6)
		a, sizes := draw[T](seed, m, n, 0), draw[T](seed+5000, m, n, 0)
		spread := []float64{8, 60, 500, 1000}[seed%4]
		if hard.Epsilon[T]() > 1e-10 {
			spread /= 8
		}
		for i := range m {
			for j := range n {
				a.Set(i, j, T(math.Ldexp(float64(a.At(i, j)), int(spread*float64(sizes.At(i, j))))))
			}
		}
		k := min(m, n)
		u, vt, s := NewMatrix[T](m, k), NewMatrix[T](k, n), make([]T, k)
		if err := SVD(a, u, s, vt, nil); err != nil {
			t.Fatal(err)
		}
		if r := ratiosOf(a, u, s, vt, knownValues(a)); !(r.worst() <= 10) {
			t.Errorf("seed %d, %dx%d: %+v", seed, m, n, r)
		}
	}
}

// svdInOne returns a function that decomposes a, and the matrix that holds all of its
// results.
func svdInOne[T Float](a Matrix[T]) (Matrix[T], func(c Matrix[T], o *Opts[T])) {
	m, n, k := a.Rows, a.Cols, min(a.Rows, a.Cols)
	all := draw[T](9, 1, m*k+k+k*n, 0)
	return all, func(c Matrix[T], o *Opts[T]) {
		x := c.Data
		if err := SVD(a, MatrixOf(m, k, x[:m*k]), x[m*k:m*k+k], MatrixOf(k, n, x[m*k+k:]), o); err != nil {
			panic(err)
		}
	}
}

func TestSVDWorkspace(t *testing.T) { both(t, testSVDWorkspace[float32], testSVDWorkspace[float64]) }

func testSVDWorkspace[T Float](t *testing.T) {
	for _, sh := range [][2]int{{1, 1}, {7, 5}, {40, 40}, {33, 150}, {150, 33}, {270, 260}} {
		for _, threads := range []int{1, 2, 3} {
			a := draw[T](1, sh[0], sh[1], 0)
			all, f := svdInOne(a)
			name := fmt.Sprintf("SVD %v", sh)
			checkWorkspace(t, name, threads, SVDWork[T](sh[0], sh[1], threads), all, f)
			checkWorkspace(t, "values of "+name, threads, SingularValuesWork[T](sh[0], sh[1], threads), draw[T](2, 1, min(sh[0], sh[1]), 0),
				func(c Matrix[T], o *Opts[T]) {
					if err := SingularValues(a, c.Data, o); err != nil {
						panic(err)
					}
				})
		}
	}
}

func TestSVDErrors(t *testing.T) { both(t, testSVDErrors[float32], testSVDErrors[float64]) }

func testSVDErrors[T Float](t *testing.T) {
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		a := draw[T](1, 6, 4, 1)
		a.Set(3, 2, T(bad))
		all, before := draw[T](9, 1, 6*4+4+4*4, 0), draw[T](9, 1, 6*4+4+4*4, 0)
		x := all.Data
		err := SVD(a, MatrixOf(6, 4, x[:24]), x[24:28], MatrixOf(4, 4, x[28:]), nil)
		only := SingularValues(a, x[24:28], nil)
		var e *NonFiniteError
		if !errors.As(err, &e) || !errors.As(only, &e) || !sameBits(all, before) {
			t.Errorf("%v: error %v and %v, or output written", bad, err, only)
		}
	}
	a := draw[T](1, 4, 3, 0)
	u, vt, s := draw[T](2, 4, 3, 0), draw[T](3, 3, 3, 0), make([]T, 3)
	panicsWith(t, "dense: SVD: a is 4x3, u is 4x3, s has 2 elements, vt is 3x3", func() { _ = SVD(a, u, s[:2], vt, nil) })
	panicsWith(t, "dense: SVD: a is 4x3, u is 3x3", func() { _ = SVD(a, vt, s, vt, nil) })
	panicsWith(t, "dense: SVD: u overlaps a", func() { _ = SVD(a, a, s, vt, nil) })
	panicsWith(t, "dense: SVD: u overlaps vt", func() { _ = SVD(a, u, s, u.View(0, 0, 3, 3), nil) })
	panicsWith(t, "dense: SVD: s overlaps vt", func() { _ = SVD(a, u, vt.Row(1), vt, nil) })
	panicsWith(t, "dense: SingularValues: s overlaps a", func() { _ = SingularValues(a, a.Row(1), nil) })
	panicsWith(t, "dense: SingularValues: a is 4x3, s has 2 elements", func() { _ = SingularValues(a, s[:2], nil) })
}
