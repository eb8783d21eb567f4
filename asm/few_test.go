package asm

import (
	"math"
	"testing"
)

// TestFewMatchesTwin compares what stands in for kernels with the twins, with
// elements that make zeros of either sign, subnormal products and overflow.
func TestFewMatchesTwin(t *testing.T) {
	t.Run("f32", testFewMatchesTwin[float32])
	t.Run("f64", testFewMatchesTwin[float64])
}

func testFewMatchesTwin[T Float](t *testing.T) {
	tiny := T(0x1p-80)
	if !is32[T]() {
		tiny = T(0x1p-600)
	}
	negative := T(math.Copysign(0, -1))
	kinds := [][]T{
		{1, -0.3, 7.25, 1e-3, -12.5},
		{0, negative},
		{negative, 1},
		{tiny, -tiny, 3 * tiny},
		{tiny, negative, 0},
		{1, T(math.Inf(1)), -2},
		{1 / tiny, -1 / tiny, 1},
	}
	k := kernels[T](all[len(all)-1]) // generic
	for n := range 41 {
		for a, u := range kinds {
			for b, v := range kinds {
				x, y := make([]T, n), make([]T, n)
				for i := range x {
					x[i], y[i] = u[i*i%len(u)], v[(i+b)%len(v)]
				}
				if got, want := DotFew(k, x, y), k.Dot(x, y); !sameFew(got, want) {
					t.Errorf("DotFew n=%d kinds %d, %d: %g, want %g", n, a, b, got, want)
				}
				if got, want := rowDot(k, x, y), k.Dot(x, y); !sameFew(got, want) {
					t.Errorf("rowDot n=%d kinds %d, %d: %g, want %g", n, a, b, got, want)
				}
				got, want := append([]T(nil), y...), append([]T(nil), y...)
				AxpyFew(k, 0.7, x, got)
				k.Axpy(0.7, x, want)
				for i := range got {
					if !sameFew(got[i], want[i]) {
						t.Errorf("AxpyFew n=%d kinds %d, %d: element %d is %g, want %g", n, a, b, i, got[i], want[i])
					}
				}
			}
		}
	}
}

// sameFew returns whether a and b are the same number, zeros with their sign, or NaN.
func sameFew[T Float](a, b T) bool {
	return a == b && math.Signbit(float64(a)) == math.Signbit(float64(b)) || a != a && b != b
}
