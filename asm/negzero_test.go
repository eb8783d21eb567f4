package asm

import (
	"math"
	"testing"
)

// Lanes without a further element are left alone, not incremented by zero. The
// difference is the sign of a zero: products that underflow from below make every
// lane −0, and so the result, at any length from Lanes on.

func TestDotOfUnderflowsIsNegativeZero(t *testing.T) {
	t.Run("f32", testNegativeZero[float32])
	t.Run("f64", testNegativeZero[float64])
}

func testNegativeZero[T Float](t *testing.T) {
	small := math.SmallestNonzeroFloat64
	if is32[T]() {
		small = math.SmallestNonzeroFloat32
	}
	lanes := Lanes[T]()
	for _, isa := range ISAs() {
		k := ForISA[T](isa)
		for n := lanes; n <= 3*lanes; n++ {
			x, y, z := make([]T, n), make([]T, n), make([]T, n)
			for i := range x {
				x[i], y[i] = T(small), T(-small)
			}
			minus := T(math.Copysign(0, -1))
			check := func(name string, got T) {
				t.Helper()
				if got != 0 || !math.Signbit(float64(got)) {
					t.Errorf("%s: %s of %d underflows is %v, want −0", isa, name, n, got)
				}
			}
			check("Dot", k.Dot(x, y))
			check("DotAxpy", k.DotAxpy(0, x, y, z))
			row := []T{minus}
			k.GemvN(1, n, 1, x, n, y, row)
			check("GemvN", row[0])
		}
	}
}
