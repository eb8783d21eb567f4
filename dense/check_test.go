package dense

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/blas"
)

// TestCheckHuge has shapes whose number of elements does not fit an int: they must
// not pass for small ones.
func TestCheckHuge(t *testing.T) {
	data := make([]float64, 16)
	for _, c := range []struct {
		rows, cols, stride int
		ok                 bool
	}{
		{1 << 40, 1 << 40, 1 << 40, false}, // (rows−1)·stride + cols is 0 modulo 2⁶⁴
		{1<<32 + 1, 16, 1 << 32, false},    // it is 16
		{math.MaxInt, math.MaxInt, math.MaxInt, false},
		{math.MaxInt, 1, 1, false},
		{2, 1, math.MaxInt, false},
		{1, 16, math.MaxInt, true},
		{4, 4, 4, true},
		{4, 3, 4, true},
		{4, 4, 5, false},
		{1, 17, 17, false},
		{math.MinInt, 1, 1, false},
		{-1, -1, 1, false},
		{1, 1, -1, false},
		{1, 1, math.MinInt, false},
	} {
		m := Matrix[float64]{c.rows, c.cols, c.stride, data}
		if got := m.valid(); got != c.ok {
			t.Errorf("%dx%d with stride %d in 16 elements: valid is %v", c.rows, c.cols, c.stride, got)
		}
	}
	// An empty inner dimension lets factors be of any height and width.
	want := fmt.Sprintf("dense: Gemm: c is %dx%d with stride %[1]d in a slice of 16", 1<<40, 1<<40)
	defer func() {
		if r := recover(); r != want {
			t.Errorf("got panic %v, want %s", r, want)
		}
	}()
	tall, wide := Matrix[float64]{Rows: 1 << 40}, Matrix[float64]{Cols: 1 << 40}
	Gemm(blas.NoTrans, blas.NoTrans, 1, tall, wide, 0, Matrix[float64]{1 << 40, 1 << 40, 1 << 40, data}, nil)
}
