package kron

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/blas"
)

// appended returns x in float64 with a column of ones if bias is set.
func appended[T float](x matrix[T], bias bool) matrix[float64] {
	m := dense.NewMatrix[float64](x.Rows, x.Cols+homogeneous(bias))
	m.Fill(1)
	m.View(0, 0, x.Rows, x.Cols).Copy(wide(x))
	return m
}

// combination returns alpha·xᵀy + beta·c and the sum of the magnitudes.
func combination[T float](alpha T, x, y matrix[float64], beta T, c matrix[T]) (want, size matrix[float64]) {
	want, size = dense.NewMatrix[float64](x.Cols, y.Cols), dense.NewMatrix[float64](x.Cols, y.Cols)
	if beta != 0 {
		want.Copy(wide(c))
		size.Copy(absolute(want))
	}
	dense.Gemm(blas.Trans, blas.NoTrans, float64(alpha), x, y, float64(beta), want, nil)
	dense.Gemm(blas.Trans, blas.NoTrans, math.Abs(float64(alpha)), absolute(x), absolute(y), math.Abs(float64(beta)), size, nil)
	return want, size
}

// lowerOf returns the elements of the lower triangle.
func lowerOf[T float](m matrix[T]) (out []T) {
	for i := range m.Rows {
		out = append(out, m.Row(i)[:min(i+1, m.Cols)]...)
	}
	return out
}

// poisonUpper fills what is above the diagonal with NaN.
func poisonUpper[T float](m matrix[T]) {
	for i := range m.Rows {
		for j := i + 1; j < m.Cols; j++ {
			m.Set(i, j, T(math.NaN()))
		}
	}
}

func TestMoment(t *testing.T) { both(t, testMoment[float32], testMoment[float64]) }

func testMoment[T float](t *testing.T) {
	for _, s := range [][2]int{{1, 1}, {5, 3}, {3, 5}, {0, 4}, {4, 0}, {700, 33}, {64, 100}} {
		for _, bias := range []bool{false, true} {
			for _, c := range [][2]float64{{1, 0}, {0.05, 0.95}, {1, 1}, {0, 0.5}} {
				n, d := s[0], s[1]
				alpha, beta := T(c[0]), T(c[1])
				x := draw[T](1, n, d, 2)
				m := draw[T](2, d+homogeneous(bias), d+homogeneous(bias), 1)
				if beta == 0 {
					m.Fill(T(math.NaN()))
				}
				poisonUpper(m)
				ones := appended(x, bias)
				want, size := combination(alpha, ones, ones, beta, m)
				got := copyOf(m)
				Moment(alpha, x, bias, beta, got, nil)
				near(t, fmt.Sprint(s, bias, c), lowerOf(got), lowerOf(want), lowerOf(size), n+4)
				for i := range m.Rows {
					for j := i + 1; j < m.Cols; j++ {
						if v := got.At(i, j); v == v {
							t.Fatalf("%v: the upper triangle was written", s)
						}
					}
				}
			}
		}
	}
	x, m := draw[T](1, 300, 80, 3), draw[T](2, 81, 81, 0)
	steady := copyOf(m)
	checkOpts(t, "Moment", func(threads int) int { return MomentWork[T](300, 80, true, threads) },
		func(o *options[T]) [][]T {
			c := copyOf(m)
			Moment(0.1, x, true, 0.9, c, o)
			return [][]T{c.Data}
		}, func(o *options[T]) { Moment(0.1, x, true, 0.9, steady, o) })
	mustPanic(t, "kron: Moment: x is 300x80, bias false, c is 81x81", func() { Moment(1, x, false, 0, m, nil) })
	mustPanic(t, "kron: Moment: c overlaps x", func() { Moment(1, x, false, 0, x.View(0, 0, 80, 80), nil) })
}

func TestCrossMoment(t *testing.T) { both(t, testCrossMoment[float32], testCrossMoment[float64]) }

func testCrossMoment[T float](t *testing.T) {
	for _, s := range [][3]int{{1, 1, 1}, {5, 3, 4}, {0, 2, 3}, {4, 0, 2}, {400, 20, 33}} {
		for flags := range 4 {
			for _, c := range [][2]float64{{1, 0}, {0.05, 0.95}} {
				n, xBias, yBias := s[0], flags&1 != 0, flags&2 != 0
				alpha, beta := T(c[0]), T(c[1])
				x, y := draw[T](1, n, s[1], 2), draw[T](3, n, s[2], 0)
				m := draw[T](2, s[1]+homogeneous(xBias), s[2]+homogeneous(yBias), 1)
				if beta == 0 {
					m.Fill(T(math.NaN()))
				}
				want, size := combination(alpha, appended(x, xBias), appended(y, yBias), beta, m)
				got := copyOf(m)
				CrossMoment(alpha, x, xBias, y, yBias, beta, got, nil)
				near(t, fmt.Sprint(s, flags, c), elements(got), want.Data, size.Data, n+4)
			}
		}
	}
	x, y, m := draw[T](1, 300, 80, 3), draw[T](3, 300, 60, 3), draw[T](2, 81, 61, 0)
	steady := copyOf(m)
	checkOpts(t, "CrossMoment", func(threads int) int { return CrossMomentWork[T](300, 80, 60, true, true, threads) },
		func(o *options[T]) [][]T {
			c := copyOf(m)
			CrossMoment(0.1, x, true, y, true, 0.9, c, o)
			return [][]T{c.Data}
		}, func(o *options[T]) { CrossMoment(0.1, x, true, y, true, 0.9, steady, o) })
	mustPanic(t, "kron: CrossMoment: x is 300x80, bias true, y is 300x60, bias false, c is 81x61", func() { CrossMoment(1, x, true, y, false, 0, m, nil) })
}

func TestReduce(t *testing.T) { both(t, testReduce[float32], testReduce[float64]) }

func testReduce[T float](t *testing.T) {
	for _, s := range [][3]int{{1, 1, 1}, {4, 3, 5}, {0, 3, 2}, {3, 1, 4}, {3, 50, 70}} {
		n, places, d := s[0], s[1], s[2]
		x, y := draw[T](1, n*places, d, 1), draw[T](2, n, d, 2)
		alpha := 1 / T(places)
		want, size := dense.NewMatrix[float64](n, d), dense.NewMatrix[float64](n, d)
		for i := range n * places {
			for j, v := range x.Row(i) {
				want.Data[i/places*d+j] += float64(alpha) * float64(v)
				size.Data[i/places*d+j] += float64(alpha) * math.Abs(float64(v))
			}
		}
		Reduce(alpha, places, x, y, nil)
		near(t, fmt.Sprint(s), elements(y), want.Data, size.Data, places+2)
	}
	x, y := draw[T](1, 100, 30, 0), draw[T](2, 5, 30, 0)
	checkOpts(t, "Reduce", nil, func(o *options[T]) [][]T {
		y := copyOf(y)
		Reduce(1, 20, x, y, o)
		return [][]T{y.Data}
	}, func(o *options[T]) { Reduce(1, 20, x, y, o) })
	mustPanic(t, "kron: Reduce: 19 places, x is 100x30, y is 5x30", func() { Reduce(1, 19, x, y, nil) })
}

func TestTikhonov(t *testing.T) { both(t, testTikhonov[float32], testTikhonov[float64]) }

func testTikhonov[T float](t *testing.T) {
	diagonal := func(d ...float64) matrix[T] {
		m := draw[T](1, len(d), len(d), 2)
		for i, v := range d {
			m.Set(i, i, T(v))
		}
		return m
	}
	inf, nan := math.Inf(1), math.NaN()
	most := math.MaxFloat64
	if is32[T]() {
		most = math.MaxFloat32
	}
	for _, c := range []struct {
		name        string
		lambda      float64
		a, b        matrix[T]
		alpha, beta float64
		where       string // of the error
	}{
		{"ratio", 9, diagonal(2, 6), diagonal(1, 0, 2), 6, 1.5, ""}, // π = √(4/1)
		{"no damping", 0, diagonal(2, 6), diagonal(1, 2), 0, 0, ""},
		{"zero a", 4, diagonal(0, 0), diagonal(1, 2), 2, 2, ""},
		{"zero b", 4, diagonal(1, 2), diagonal(0, 0, 0), 2, 2, ""},
		{"negative", 4, diagonal(1, -2), diagonal(1, 2), 2, 2, ""},
		{"scalar a", 4, diagonal(8), diagonal(1, 2), 0, 0.5, ""},
		{"scalar b", 4, diagonal(1, 2), diagonal(16), 0.25, 0, ""},
		{"both scalar", 4, diagonal(8), diagonal(2), 0, 0.5, ""},
		{"zero scalar", 4, diagonal(0), diagonal(2, 1), 2, 2, ""},
		{"empty", 4, diagonal(), diagonal(2, 1), 2, 2, ""},
		{"extremes", 1, diagonal(most, most), diagonal(most/4, most/4, most/4), 2, 0.5, ""},
		{"nan", 4, diagonal(1, nan), diagonal(2, 1), 0, 0, "the diagonal of a"},
		{"inf", 4, diagonal(1, 1), diagonal(2, inf), 0, 0, "the diagonal of b"},
		{"lambda", inf, diagonal(1, 1), diagonal(2, 1), 0, 0, "lambda"},
	} {
		alpha, beta, err := Tikhonov(c.lambda, c.a, c.b)
		var e *dense.NonFiniteError
		if c.where == "" && err != nil || c.where != "" && (!errors.As(err, &e) || e.Where != c.where) {
			t.Errorf("%s: error %v", c.name, err)
		}
		if !(math.Abs(alpha-c.alpha) <= 1e-14*c.alpha) || !(math.Abs(beta-c.beta) <= 1e-14*c.beta) {
			t.Errorf("%s: %v, %v, want %v, %v", c.name, alpha, beta, c.alpha, c.beta)
		}
	}
	mustPanic(t, "kron: Tikhonov: lambda is -1", func() { _, _, _ = Tikhonov(-1, diagonal(1), diagonal(1)) })
	mustPanic(t, "kron: Tikhonov: a is 2x3, b is 1x1", func() { _, _, _ = Tikhonov(1, draw[T](1, 2, 3, 0), diagonal(1)) })
}

func TestDamp(t *testing.T) { both(t, testDamp[float32], testDamp[float64]) }

func testDamp[T float](t *testing.T) {
	for _, n := range []int{0, 1, 2, 7} {
		for _, uplo := range []blas.Uplo{blas.Lower, blas.Upper} {
			a, dst := draw[T](1, n, n, 1), draw[T](2, n, n, 3)
			before, keep := copyOf(a), copyOf(dst)
			Damp(uplo, 0.25, a, dst)
			for i := range n {
				for j := range n {
					want := keep.At(i, j)
					switch {
					case i == j:
						want = T(float64(a.At(i, j)) + 0.25)
					case (i > j) == (uplo == blas.Lower):
						want = a.At(i, j)
					}
					if dst.At(i, j) != want {
						t.Fatalf("n=%d %c: (%d, %d) is %v, want %v", n, uplo, i, j, dst.At(i, j), want)
					}
				}
			}
			if !sameBits(a.Data, before.Data) {
				t.Fatal("the factor changed")
			}
			Damp(uplo, 0.25, a, a)
			for i := range n {
				if a.At(i, i) != dst.At(i, i) {
					t.Fatal("in place: another diagonal")
				}
			}
		}
	}
	a := draw[T](1, 5, 4, 0)
	mustPanic(t, "kron: Damp: dst overlaps a", func() { Damp(blas.Lower, 1, a.View(0, 0, 4, 4), a.View(1, 0, 4, 4)) })
	mustPanic(t, "kron: Damp: a is 5x4", func() { Damp(blas.Lower, 1, a, a) })
}
