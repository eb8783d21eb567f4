package dense

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/blas"
)

// TestScalars holds the rules for alpha and beta in all of level 3: with alpha == 0
// or an empty inner dimension the factors are not read, so their NaNs stay where
// they are, and the output is multiplied by beta; with beta == 0 it is not read; a NaN
// beta reaches every element of the output's triangle and nothing else.
func TestScalars(t *testing.T) {
	t.Run("f32", testScalars[float32])
	t.Run("f64", testScalars[float64])
}

func testScalars[T Float](t *testing.T) {
	nan := T(math.NaN())
	N, L := blas.NoTrans, blas.Lower
	filled := func(rows, cols int, v T) Matrix[T] {
		m := Matrix[T]{Rows: rows, Cols: cols, Stride: cols + 3, Data: make([]T, rows*(cols+3))}
		for i := range m.Data {
			m.Data[i] = v
		}
		return m
	}
	type update struct {
		name string
		tri  triangle
		f    func(k int, alpha T, v T, beta T, c Matrix[T])
	}
	updates := []update{
		{"Gemm", whole, func(k int, alpha, v, beta T, c Matrix[T]) {
			Gemm(N, blas.Trans, alpha, filled(c.Rows, k, v), filled(c.Cols, k, v), beta, c, nil)
		}},
		{"GemmBatch", whole, func(k int, alpha, v, beta T, c Matrix[T]) {
			GemmBatch(N, N, alpha, []Matrix[T]{filled(c.Rows, k, v)}, []Matrix[T]{filled(k, c.Cols, v)}, beta, []Matrix[T]{c}, nil)
		}},
		{"Syrk", lowerTriangle, func(k int, alpha, v, beta T, c Matrix[T]) {
			Syrk(L, N, alpha, filled(c.Rows, k, v), beta, c, nil)
		}},
		{"Syr2k", lowerTriangle, func(k int, alpha, v, beta T, c Matrix[T]) {
			Syr2k(L, N, alpha, filled(c.Rows, k, v), filled(c.Rows, k, v), beta, c, nil)
		}},
		{"Symm", whole, func(k int, alpha, v, beta T, c Matrix[T]) {
			if k > 0 { // k is the order of the symmetric factor
				Symm(blas.Left, L, alpha, filled(c.Rows, c.Rows, v), filled(c.Rows, c.Cols, v), beta, c, nil)
			} else {
				Symm(blas.Left, L, 0, filled(c.Rows, c.Rows, v), filled(c.Rows, c.Cols, v), beta, c, nil)
			}
		}},
	}
	for _, u := range updates {
		for _, n := range []int{1, 7, 40, 130} {
			for _, x := range []struct {
				k                    int
				alpha, beta, c, want T
			}{
				{5, 0, 0.5, 6, 3}, {5, 0, 1, 6, 6}, {5, 0, 0, nan, 0}, {5, 0, nan, 6, nan},
				{0, 1, 0.5, 6, 3}, {0, 1, 0, nan, 0}, {0, nan, 0.5, 6, 3}, {0, 1, nan, 6, nan},
				{5, 1, 0, 6, nan}, {5, 1, 1, 6, nan}, // the factors' NaNs
			} {
				c := filled(n, n, x.c)
				u.f(x.k, x.alpha, nan, x.beta, c)
				for i := range c.Data {
					row, col := i/c.Stride, i%c.Stride
					want := x.want
					if col >= n || u.tri == lowerTriangle && col > row {
						want = x.c
					}
					if got := c.Data[i]; got != want && (got == got || want == want) {
						t.Fatalf("%s n=%d %s: element (%d, %d) is %v, want %v", u.name, n, fmt.Sprint(x), row, col, got, want)
					}
				}
			}
		}
	}
	// Trmm and Trsm: alpha == 0 sets B to zero and reads nothing.
	for _, n := range []int{1, 9, 140} {
		for _, side := range []blas.Side{blas.Left, blas.Right} {
			for _, f := range []func(b Matrix[T]){
				func(b Matrix[T]) { Trmm(side, L, N, blas.NonUnit, 0, filled(n, n, nan), b, nil) },
				func(b Matrix[T]) { Trsm(side, L, N, blas.NonUnit, 0, filled(n, n, nan), b, nil) },
			} {
				b := filled(n, n, nan)
				f(b)
				for i, v := range b.Data {
					if (v == 0) != (i%b.Stride < n) {
						t.Fatalf("n=%d: alpha = 0 leaves %v at %d", n, v, i)
					}
				}
			}
		}
	}
}
