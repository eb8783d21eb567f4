package fuzz

import (
	"fmt"
	"testing"

	"github.com/precond-go/precond/dense"
)

func FuzzGemv(f *testing.F) { attack(f, gemv[float32], gemv[float64]) }
func FuzzSymv(f *testing.F) { attack(f, symv[float32], symv[float64]) }
func FuzzGer(f *testing.F)  { attack(f, ger[float32], ger[float64]) }

// wide returns the shape of a matrix for level 2, in some cases so large that it
// is split over threads.
func wide(r *reader) (m, n int) {
	m, n = r.dim(400), r.dim(400)
	if r.byte()%16 == 0 {
		return m + 300, n + 500
	}
	return m, n
}

func gemv[T dense.Float](t *testing.T, r *reader) {
	trans, alpha, beta := r.trans(), scalar[T](r), scalar[T](r)
	m, n := wide(r)
	a, x, y := flipped[T](r, trans, m, n), vector[T](r, n), vector[T](r, m)
	a0, x0 := clone(a), clone(x)
	got := everywhere(t, y, func(y dense.Matrix[T], o *dense.Opts[T]) {
		dense.Gemv(trans, alpha, a, x.Data, beta, y.Data, o)
	})
	untouched(t, "a", a, a0, nil)
	untouched(t, "x", x, x0, nil)
	for i := range m {
		want := inner(n, alpha, func(l int) T { return element(a, trans, i, l) }, func(l int) T { return x.Data[l] }, beta, y.Data[i])
		near(t, got.Data[i], want, n+8, func() string {
			return fmt.Sprintf("Gemv(%c, alpha %v, beta %v, %dx%d) at %d", trans, alpha, beta, m, n, i)
		})
	}
}

func symv[T dense.Float](t *testing.T, r *reader) {
	uplo, alpha, beta := r.uplo(), scalar[T](r), scalar[T](r)
	n, _ := wide(r)
	a, x, y := matrix[T](r, n, n), vector[T](r, n), vector[T](r, n)
	a0, x0 := clone(a), clone(x)
	got := everywhere(t, y, func(y dense.Matrix[T], o *dense.Opts[T]) {
		dense.Symv(uplo, alpha, a, x.Data, beta, y.Data, o)
	})
	untouched(t, "a", a, a0, nil)
	untouched(t, "x", x, x0, nil)
	for i := range n {
		row := func(j int) T {
			if within(uplo, i, j) {
				return a.At(i, j)
			}
			return a.At(j, i)
		}
		near(t, got.Data[i], inner(n, alpha, row, func(l int) T { return x.Data[l] }, beta, y.Data[i]), n+8, func() string {
			return fmt.Sprintf("Symv(%c, alpha %v, beta %v, n %d) at %d", uplo, alpha, beta, n, i)
		})
	}
}

func ger[T dense.Float](t *testing.T, r *reader) {
	alpha := scalar[T](r)
	m, n := wide(r)
	x, y, a := vector[T](r, m), vector[T](r, n), matrix[T](r, m, n)
	got := everywhere(t, a, func(a dense.Matrix[T], o *dense.Opts[T]) {
		dense.Ger(alpha, x.Data, y.Data, a, o)
	})
	untouched(t, "a", got, a, func(i, j int) bool { return alpha != 0 })
	for i := range m {
		for j := range n {
			want := inner(1, alpha, func(int) T { return x.Data[i] }, func(int) T { return y.Data[j] }, 1, a.At(i, j))
			near(t, got.At(i, j), want, 5, func() string {
				return fmt.Sprintf("Ger(alpha %v, %dx%d) at (%d, %d)", alpha, m, n, i, j)
			})
		}
	}
}
