package solvers_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/random"
	. "github.com/precond-go/precond/solvers"
)

// mustPanic checks that f panics with a text that begins with prefix.
func mustPanic(t *testing.T, name, prefix string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if r := recover(); r == nil || !strings.HasPrefix(fmt.Sprint(r), prefix) {
			t.Errorf("%s: panic %v, want %s…", name, r, prefix)
		}
	}()
	f()
}

// model returns tensors of various shapes, filled from the stream: one of them is large
// enough for several threads, one is empty, one is a scalar.
func model[T dense.Float](stream uint64) []Tensor[T] {
	ts := []Tensor[T]{NewTensor[T]("w1", 40, 33), NewTensor[T]("empty", 0, 7), NewTensor[T]("b1", 40), NewTensor[T]("scalar"),
		NewTensor[T]("w2", 130, 1100), NewTensor[T]("conv", 3, 2, 5, 5)}
	fill(ts, stream, 0)
	return ts
}

// small is model without the large tensor.
func small[T dense.Float](stream uint64) []Tensor[T] {
	m := model[T](stream)
	return append(m[:4:4], m[5])
}

func fill[T dense.Float](ts []Tensor[T], stream, step uint64) {
	for i, p := range ts {
		random.Normal(random.New(1, stream<<8+uint64(i), step), 0, p.Data)
	}
}

// bits returns the elements of all tensors as bits.
func bits[T dense.Float](ts []Tensor[T]) (b []uint64) {
	for _, p := range ts {
		for _, v := range p.Data {
			b = append(b, math.Float64bits(float64(v)))
		}
	}
	return b
}

func both(t *testing.T, f32, f64 func(t *testing.T)) {
	t.Run("float32", f32)
	t.Run("float64", f64)
}

// eps returns the unit roundoff times 2.
func eps[T dense.Float]() float64 {
	if T(1)+0x1p-30 == 1 {
		return 0x1p-23
	}
	return 0x1p-52
}

// evidence returns what a model with gradients g says.
func evidence[T dense.Float](g []Tensor[T]) *Evidence[T] {
	return &Evidence[T]{Loss: 1, Examples: 1, Grads: g}
}
