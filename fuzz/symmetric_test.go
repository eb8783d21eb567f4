package fuzz

import (
	"fmt"
	"testing"

	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/blas"
)

func FuzzSyrk(f *testing.F)  { attack(f, syrk[float32], syrk[float64]) }
func FuzzSyr2k(f *testing.F) { attack(f, syr2k[float32], syr2k[float64]) }
func FuzzSymm(f *testing.F)  { attack(f, symm[float32], symm[float64]) }

// within returns whether (i, j) lies in a triangle, diagonal included.
func within(uplo blas.Uplo, i, j int) bool { return i == j || (i > j) == (uplo == blas.Lower) }

func syrk[T dense.Float](t *testing.T, r *reader) {
	uplo, trans, alpha, beta := r.uplo(), r.trans(), scalar[T](r), scalar[T](r)
	n := r.dim(400)
	k := inside[T](r, most/max(1, n*n))
	a, c := flipped[T](r, trans, n, k), matrix[T](r, n, n)
	a0 := clone(a)
	got := everywhere(t, c, func(c dense.Matrix[T], o *dense.Opts[T]) {
		dense.Syrk(uplo, trans, alpha, a, beta, c, o)
	})
	untouched(t, "a", a, a0, nil)
	untouched(t, "c", got, c, func(i, j int) bool { return within(uplo, i, j) })
	for i := range n {
		for j := range n {
			if !within(uplo, i, j) {
				continue
			}
			what := func() string {
				return fmt.Sprintf("Syrk(%c, %c, alpha %v, beta %v, n %d, k %d) at (%d, %d)", uplo, trans, alpha, beta, n, k, i, j)
			}
			row, col := func(l int) T { return element(a, trans, i, l) }, func(l int) T { return element(a, trans, j, l) }
			if want := inOrder(k, alpha, row, col, beta, c.At(i, j)); !same(got.At(i, j), want) {
				t.Fatalf("%s is %v, want %v", what(), got.At(i, j), want)
			}
			near(t, got.At(i, j), inner(k, alpha, row, col, beta, c.At(i, j)), k+4, what)
		}
	}
}

func syr2k[T dense.Float](t *testing.T, r *reader) {
	uplo, trans, alpha, beta := r.uplo(), r.trans(), scalar[T](r), scalar[T](r)
	n := r.dim(400)
	k := inside[T](r, most/max(1, n*n))
	a, b, c := flipped[T](r, trans, n, k), flipped[T](r, trans, n, k), matrix[T](r, n, n)
	a0, b0 := clone(a), clone(b)
	got := everywhere(t, c, func(c dense.Matrix[T], o *dense.Opts[T]) {
		dense.Syr2k(uplo, trans, alpha, a, b, beta, c, o)
	})
	untouched(t, "a", a, a0, nil)
	untouched(t, "b", b, b0, nil)
	untouched(t, "c", got, c, func(i, j int) bool { return within(uplo, i, j) })
	for i := range n {
		for j := range n {
			if !within(uplo, i, j) {
				continue
			}
			what := func() string {
				return fmt.Sprintf("Syr2k(%c, %c, alpha %v, beta %v, n %d, k %d) at (%d, %d)", uplo, trans, alpha, beta, n, k, i, j)
			}
			of := func(m dense.Matrix[T], i int) func(l int) T {
				return func(l int) T { return element(m, trans, i, l) }
			}
			want := inOrder(k, alpha, of(a, i), of(b, j), beta, c.At(i, j))
			want = inOrder(k, alpha, of(b, i), of(a, j), 1, want)
			if !same(got.At(i, j), want) {
				t.Fatalf("%s is %v, want %v", what(), got.At(i, j), want)
			}
			plain := inner(k, alpha, of(a, i), of(b, j), beta, c.At(i, j))
			second := inner(k, alpha, of(b, i), of(a, j), 0, 0)
			near(t, got.At(i, j), term{value: plain.value + second.value, size: plain.size + second.size, peak: plain.peak + second.peak}, 2*k+6, what)
		}
	}
}

func symm[T dense.Float](t *testing.T, r *reader) {
	side, uplo, alpha, beta := r.side(), r.uplo(), scalar[T](r), scalar[T](r)
	order := inside[T](r, 1000)
	other := r.dim(most / max(1, order*order))
	m, n := order, other
	if side == blas.Right {
		m, n = other, order
	}
	a, b, c := matrix[T](r, order, order), matrix[T](r, m, n), matrix[T](r, m, n)
	a0, b0 := clone(a), clone(b)
	got := everywhere(t, c, func(c dense.Matrix[T], o *dense.Opts[T]) {
		dense.Symm(side, uplo, alpha, a, b, beta, c, o)
	})
	untouched(t, "a", a, a0, nil)
	untouched(t, "b", b, b0, nil)
	untouched(t, "c", got, c, func(i, j int) bool { return true })
	symmetric := func(i, j int) T {
		if within(uplo, i, j) {
			return a.At(i, j)
		}
		return a.At(j, i)
	}
	for i := range m {
		for j := range n {
			what := func() string {
				return fmt.Sprintf("Symm(%c, %c, alpha %v, beta %v, m %d, n %d) at (%d, %d)", side, uplo, alpha, beta, m, n, i, j)
			}
			row, col := func(l int) T { return symmetric(i, l) }, func(l int) T { return b.At(l, j) }
			if side == blas.Right {
				row, col = func(l int) T { return b.At(i, l) }, func(l int) T { return symmetric(l, j) }
			}
			if want := inOrder(order, alpha, row, col, beta, c.At(i, j)); !same(got.At(i, j), want) {
				t.Fatalf("%s is %v, want %v", what(), got.At(i, j), want)
			}
			near(t, got.At(i, j), inner(order, alpha, row, col, beta, c.At(i, j)), order+4, what)
		}
	}
}
