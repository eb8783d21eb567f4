package kron

import (
	"fmt"
	"math"
	"testing"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/hard"
	"gonum.org/v1/gonum/blas"
)

func TestProduct(t *testing.T) { both(t, testProduct[float32], testProduct[float64]) }

// testProduct compares with gonum, where a product of two is exact in float64 but for the
// last rounding.
func testProduct[T float](t *testing.T) {
	for _, shapes := range [][][2]int{{}, {{3, 4}}, {{3, 4}, {2, 5}}, {{1, 1}, {4, 3}}, {{2, 3}, {0, 2}}, {{2, 3}, {1, 2}, {3, 2}}, {{2, 2}, {3, 1}, {1, 3}, {2, 2}}} {
		var f []matrix[T]
		for i, s := range shapes {
			f = append(f, draw[T](uint64(i), s[0], s[1], i))
		}
		want := kronecker(wides(f)...)
		got := draw[T](9, want.Rows, want.Cols, 2)
		Product(f, got)
		near(t, fmt.Sprint(shapes), elements(got), want.Data, absolute(want).Data, len(f)+1)
	}
	mustPanic(t, "kron: Product: factors make 6x6, c is 5x6", func() {
		Product([]matrix[T]{draw[T](1, 2, 3, 0), draw[T](1, 3, 2, 0)}, draw[T](1, 5, 6, 0))
	})
}

func TestApply(t *testing.T) { both(t, testApply[float32], testApply[float64]) }

// testApply compares with the dense Kronecker product times vec(X), row-major.
func testApply[T float](t *testing.T) {
	for i, s := range [][4]int{{1, 1, 1, 1}, {2, 3, 4, 5}, {7, 7, 5, 5}, {9, 2, 3, 11}, {2, 9, 11, 3}, {1, 6, 8, 1}, {0, 3, 2, 2}, {3, 0, 2, 2}, {3, 2, 4, 0}, {20, 17, 6, 25}} {
		p, m, q, n := s[0], s[1], s[2], s[3]
		for _, tA := range transposes {
			for _, tB := range transposes {
				a, b := draw[T](1, p, m, i%3), draw[T](2, q, n, i%2)
				if tA == blas.Trans {
					a = draw[T](1, m, p, i%3)
				}
				if tB == blas.Trans {
					b = draw[T](2, n, q, i%2)
				}
				x, y0 := draw[T](3, m, n, 1), draw[T](4, p, q, 2)
				k := kronecker(whole(tA, a), whole(tB, b))
				for _, c := range [][2]float64{{1, 0}, {-1.5, 1}, {0, 0.5}, {2, -0.25}} {
					alpha, beta := T(c[0]), T(c[1])
					want := timesVec(k, wide(x).Data)
					size := timesVec(absolute(k), absolute(wide(x)).Data)
					for j, v := range wide(y0).Data {
						want[j] = float64(alpha)*want[j] + float64(beta)*v
						size[j] = math.Abs(float64(alpha))*size[j] + math.Abs(float64(beta)*v)
					}
					y := copyOf(y0)
					if beta == 0 {
						y = draw[T](4, p, q, 2)
						y.Fill(T(math.NaN()))
					}
					Apply(tA, tB, alpha, a, b, x, beta, y, nil)
					near(t, fmt.Sprintf("%v %c %c %v", s, tA, tB, c), elements(y), want, size, m+n+4)
				}
			}
		}
	}
}

func TestApplyOpts(t *testing.T) { both(t, testApplyOpts[float32], testApplyOpts[float64]) }

func testApplyOpts[T float](t *testing.T) {
	for _, s := range [][4]int{{5, 6, 7, 8}, {120, 90, 70, 140}, {33, 200, 150, 40}} {
		a, b, x, y := draw[T](1, s[0], s[1], 3), draw[T](2, s[3], s[2], 0), draw[T](3, s[1], s[2], 1), draw[T](4, s[0], s[3], 2)
		steady := copyOf(y)
		checkOpts(t, "Apply", func(threads int) int { return ApplyWork(blas.NoTrans, blas.NoTrans, a, b, threads) },
			func(o *options[T]) [][]T {
				y := copyOf(y)
				Apply(blas.NoTrans, blas.NoTrans, 1, a, b, x, 0.5, y, o)
				return [][]T{y.Data}
			}, func(o *options[T]) { Apply(blas.NoTrans, blas.NoTrans, 1, a, b, x, 0, steady, o) })
	}
	// In place.
	a, b, x := draw[T](1, 30, 30, 3), draw[T](2, 20, 20, 0), draw[T](3, 30, 20, 1)
	y := copyOf(x)
	Apply(blas.Trans, blas.NoTrans, 2, a, b, x, 0.5, y, nil)
	z := copyOf(x)
	Apply(blas.Trans, blas.NoTrans, 2, a, b, z, 0.5, z, nil)
	w := copyOf(x)
	Apply(blas.Trans, blas.NoTrans, 2, a, b, x, 0.5, w, nil)
	if !sameBits(z.Data, w.Data) || !sameBits(y.Data, w.Data) {
		t.Error("in place: other bits")
	}
	mustPanic(t, "kron: Apply: op(a) is 30x30, op(b) is 20x20, x is 30x20, y is 30x19", func() {
		Apply(blas.NoTrans, blas.NoTrans, 1, a, b, x, 0, draw[T](1, 30, 19, 0), nil)
	})
	mustPanic(t, "kron: Apply: y overlaps a or b", func() {
		Apply(blas.NoTrans, blas.NoTrans, 1, a, b, x, 0, a.View(0, 3, 30, 20), nil)
	})
	mustPanic(t, "kron: Apply: unknown transpose", func() { Apply('x', blas.NoTrans, 1, a, b, x, 0, x, nil) })
}

func TestCholeskySolve(t *testing.T) {
	both(t, testCholeskySolve[float32], testCholeskySolve[float64])
}

// testCholeskySolve checks ‖A·X·B − Y‖ against the backward errors of both solutions.
func testCholeskySolve[T float](t *testing.T) {
	for _, c := range hard.Classes() {
		if !c.Definite() || c == hard.Denormal || c == hard.NearUnderflow || c == hard.NearOverflow {
			continue // the product of two such matrices is out of range
		}
		for _, s := range [][2]int{{1, 1}, {5, 9}, {40, 23}} {
			for _, uplo := range []blas.Uplo{blas.Lower, blas.Upper} {
				m, n := s[0], s[1]
				a, b, y := spd[T](c, m), spd[T](hard.Random, n), draw[T](3, m, n, 2)
				la, lb, x := a.Clone(), b.Clone(), copyOf(y)
				if err := dense.Cholesky(uplo, la, nil); err != nil {
					continue // not definite in this precision
				}
				if err := dense.Cholesky(uplo, lb, nil); err != nil {
					t.Fatal(err)
				}
				CholeskySolve(uplo, la, lb, x, nil)
				wa, wb, wx := wide(a), wide(b), wide(x)
				ax, xb := times(wa, wx), times(wx, wb)
				r := times(ax, wb)
				dense.Sub(r, wide(y), r, nil)
				bound := 10 * eps[T]() * (float64(m)*norm(wa)*norm(xb) + float64(n)*norm(ax)*norm(wb))
				if !(norm(r) <= bound) {
					t.Errorf("%v %v %c: residual %g, bound %g", c, s, uplo, norm(r), bound)
				}
			}
		}
	}
	a, b, y := spd[T](hard.Random, 70), spd[T](hard.Random, 130), draw[T](3, 70, 130, 2)
	if dense.Cholesky(blas.Lower, a, nil) != nil || dense.Cholesky(blas.Lower, b, nil) != nil {
		t.Fatal("not definite")
	}
	x := copyOf(y)
	checkOpts(t, "CholeskySolve", func(threads int) int { return CholeskySolveWork[T](70, 130, threads) },
		func(o *options[T]) [][]T {
			x := copyOf(y)
			CholeskySolve(blas.Lower, a, b, x, o)
			return [][]T{x.Data}
		}, func(o *options[T]) { CholeskySolve(blas.Lower, a, b, x, o) })
	mustPanic(t, "kron: CholeskySolve: a is 70x70, b is 130x130, x is 70x129", func() { CholeskySolve(blas.Lower, a, b, draw[T](1, 70, 129, 0), nil) })
	mustPanic(t, "kron: CholeskySolve: x overlaps a or b", func() { CholeskySolve(blas.Lower, a, a, a, nil) })
}

func TestScalars(t *testing.T) { both(t, testScalars[float32], testScalars[float64]) }

// testScalars compares with the dense product.
func testScalars[T float](t *testing.T) {
	for i, orders := range [][]int{{}, {4}, {3, 4}, {1, 5}, {4, 2, 3}, {2, 2, 2, 3}} {
		var f, g, chol []matrix[T]
		for j, n := range orders {
			f = append(f, draw[T](uint64(10*i+j), n, n, 1))
			g = append(g, draw[T](uint64(100*i+j), n, n, 0))
			l := spd[T](hard.Random, n)
			if err := dense.Cholesky(blas.Lower, l, nil); err != nil {
				t.Fatal(err)
			}
			chol = append(chol, l)
		}
		k, k2 := kronecker(wides(f)...), kronecker(wides(g)...)
		trace, inner := 0., 0.
		for i := range k.Rows {
			trace += k.At(i, i)
			for j := range k.Cols {
				inner += k.At(i, j) * k2.At(i, j)
			}
		}
		log, sign := denseLogDet(k)
		tol := 100 * eps[T]()
		gotLog, gotSign := LogDet(f, nil)
		for _, c := range []struct {
			name      string
			got, want float64
			size      float64
		}{
			{"Trace", Trace(f), trace, 1 + math.Abs(trace)},
			{"Inner", Inner(f, g), inner, norm(k) * norm(k2)},
			{"LogDet", gotLog, log, 10 * float64(k.Rows)},
			{"sign", gotSign, sign, 0},
			{"Det", Det(f, nil), sign * math.Exp(log), 10 * float64(k.Rows) * math.Exp(log)},
		} {
			if !(math.Abs(c.got-c.want) <= tol*c.size) {
				t.Errorf("%v: %s is %v, want %v", orders, c.name, c.got, c.want)
			}
		}
		want := 0. // L⊗M is the factor of the product
		for _, l := range chol {
			n := l.Rows
			for i := range n {
				want += 2 * math.Log(float64(l.At(i, i))) * float64(k.Rows/n)
			}
		}
		if got := CholeskyLogDet(chol); !(math.Abs(got-want) <= 1e-13*float64(10*k.Rows)) {
			t.Errorf("%v: CholeskyLogDet is %v, want %v", orders, got, want)
		}
	}
	// A factor that is singular, one whose determinant alone overflows, and none at all.
	zero, one := dense.NewMatrix[T](2, 2), draw[T](1, 3, 3, 0)
	if log, sign := LogDet([]matrix[T]{zero, one}, nil); !math.IsInf(log, -1) || sign != 0 || Det([]matrix[T]{zero, one}, nil) != 0 {
		t.Errorf("singular: %v, %v", log, sign)
	}
	if log, sign := LogDet([]matrix[T]{dense.NewMatrix[T](0, 0), zero}, nil); log != 0 || sign != 1 {
		t.Errorf("empty: %v, %v", log, sign)
	}
	huge := dense.NewMatrix[T](40, 40)
	for i := range 40 {
		huge.Set(i, i, 1e30)
	}
	if log, sign := LogDet([]matrix[T]{huge, huge}, nil); !(math.Abs(log-3200*30*math.Ln10) <= 1e-6*log) || sign != 1 {
		t.Errorf("huge: %v, %v", log, sign)
	}
	mustPanic(t, "kron: Trace: factor 1 is 3x2", func() { Trace([]matrix[T]{one, draw[T](1, 3, 2, 0)}) })
}

// denseLogDet returns log |det m| and the sign.
func denseLogDet(m matrix[float64]) (log, sign float64) {
	m = m.Clone()
	pivots := make([]int, m.Rows)
	if err := dense.LU(m, pivots, nil); err != nil {
		return math.Inf(-1), 0
	}
	return dense.LULogDet(m, pivots)
}
