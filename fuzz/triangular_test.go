package fuzz

import (
	"fmt"
	"math"
	"testing"

	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/blas"
)

func FuzzTrmm(f *testing.F) {
	attack(f, func(t *testing.T, r *reader) { triangular(t, r, "Trmm", dense.Trmm[float32], product[float32]) },
		func(t *testing.T, r *reader) { triangular(t, r, "Trmm", dense.Trmm[float64], product[float64]) })
}

func FuzzTrsm(f *testing.F) {
	attack(f, func(t *testing.T, r *reader) { triangular(t, r, "Trsm", dense.Trsm[float32], residual[float32]) },
		func(t *testing.T, r *reader) { triangular(t, r, "Trsm", dense.Trsm[float64], residual[float64]) })
}

type triangularFunc[T dense.Float] func(side blas.Side, uplo blas.Uplo, trans blas.Transpose, diag blas.Diag, alpha T, a, b dense.Matrix[T], o *dense.Opts[T])

// A check compares element (i, j) of a result with plain float64; tri gives row i
// (or column j) of the triangle, and whether it has such an element; before and
// after give what it is multiplied by.
type check[T dense.Float] func(t *testing.T, got T, alpha, b T, order int, tri func(l int) (T, bool), before, after func(l int) T, what func() string)

func triangular[T dense.Float](t *testing.T, r *reader, name string, f triangularFunc[T], agrees check[T]) {
	side, uplo, trans, diag, alpha := r.side(), r.uplo(), r.trans(), r.diag(), scalar[T](r)
	order := r.dim(300)
	other := r.dim(2 * most / max(1, order*order))
	m, n := order, other
	if side == blas.Right {
		m, n = other, order
	}
	a, b := matrix[T](r, order, order), matrix[T](r, m, n)
	a0 := clone(a)
	got := everywhere(t, b, func(b dense.Matrix[T], o *dense.Opts[T]) {
		f(side, uplo, trans, diag, alpha, a, b, o)
	})
	untouched(t, "a", a, a0, nil)
	untouched(t, "b", got, b, func(i, j int) bool { return true })

	// What lies outside of the triangle, and a unit diagonal, is not read.
	for i := range order {
		for j := range order {
			if !within(uplo, i, j) || i == j && diag == blas.Unit {
				a.Set(i, j, T(math.NaN()))
			}
		}
	}
	again := clone(b)
	f(side, uplo, trans, diag, alpha, a, again, nil)
	if at := differ(again.Data, got.Data); at >= 0 {
		t.Fatalf("%s(%c, %c, %c, %c, %v) reads what is outside of the triangle: other bits at %s", name, side, uplo, trans, diag, alpha, place(b, at))
	}

	triangle := func(i, j int) (T, bool) { // element (i, j) of op(A)
		if trans == blas.Trans {
			i, j = j, i
		}
		if i == j && diag == blas.Unit {
			return 1, true
		}
		return a.At(i, j), within(uplo, i, j)
	}
	for i := range m {
		for j := range n {
			what := func() string {
				return fmt.Sprintf("%s(%c, %c, %c, %c, alpha %v, m %d, n %d) at (%d, %d)", name, side, uplo, trans, diag, alpha, m, n, i, j)
			}
			if side == blas.Left {
				agrees(t, got.At(i, j), alpha, b.At(i, j), order, func(l int) (T, bool) { return triangle(i, l) },
					func(l int) T { return b.At(l, j) }, func(l int) T { return got.At(l, j) }, what)
			} else {
				agrees(t, got.At(i, j), alpha, b.At(i, j), order, func(l int) (T, bool) { return triangle(l, j) },
					func(l int) T { return b.At(i, l) }, func(l int) T { return got.At(i, l) }, what)
			}
		}
	}
}

// product expects got = alpha·Σ tri·before.
func product[T dense.Float](t *testing.T, got T, alpha, _ T, order int, tri func(l int) (T, bool), before, _ func(l int) T, what func() string) {
	var want term
	for l := range order {
		if v, ok := tri(l); ok && alpha != 0 {
			p := float64(v) * float64(before(l))
			want.add(float64(alpha) * p)
			want.peak += math.Abs(p)
		}
	}
	near(t, got, want, order+4, what)
}

// residual expects Σ tri·after = alpha·b, to the precision of the terms. It says
// nothing where the reciprocal of an element might leave the normal range.
func residual[T dense.Float](t *testing.T, _ T, alpha, b T, order int, tri func(l int) (T, bool), _, after func(l int) T, what func() string) {
	if alpha == 0 {
		b = 0
	}
	var want term
	want.add(float64(alpha) * float64(b))
	for l := range order {
		v, ok := tri(l)
		if !ok {
			continue
		}
		size := math.Abs(float64(v))
		if size != 0 && !(size > 0x1p-100 && size < 0x1p100) {
			return
		}
		want.add(-float64(v) * float64(after(l)))
		want.gain += size
	}
	near(t, T(0), want, order+6, what)
}
