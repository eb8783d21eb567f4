package fuzz

import (
	"fmt"
	"testing"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/blas"
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
		what := func() string {
			return fmt.Sprintf("Gemv(%c, alpha %v, beta %v, %dx%d) at %d", trans, alpha, beta, m, n, i)
		}
		row, col := func(l int) T { return element(a, trans, i, l) }, func(l int) T { return x.Data[l] }
		plain, want := inner(n, alpha, row, col, beta, y.Data[i]), times(beta, y.Data[i])
		switch {
		case alpha == 0 || n == 0:
		case trans == blas.NoTrans:
			want = asm.FMA(alpha, inLanes(0, n, row, col), want)
		default:
			for l := range n {
				want = asm.FMA(T(alpha*col(l)), row(l), want)
				scaled(&plain, alpha, col(l), row(l))
			}
		}
		if !same(got.Data[i], want) {
			t.Fatalf("%s is %v, want %v", what(), got.Data[i], want)
		}
		near(t, got.Data[i], plain, n+8, what)
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
		what := func() string {
			return fmt.Sprintf("Symv(%c, alpha %v, beta %v, n %d) at %d", uplo, alpha, beta, n, i)
		}
		row, col := func(j int) T {
			if within(uplo, i, j) {
				return a.At(i, j)
			}
			return a.At(j, i)
		}, func(l int) T { return x.Data[l] }
		plain, want := inner(n, alpha, row, col, beta, y.Data[i]), times(beta, y.Data[i])
		if alpha != 0 {
			want = symvInOrder(n, i, uplo, alpha, row, col, want)
			for l := range n {
				if !within(uplo, i, l) {
					scaled(&plain, alpha, col(l), row(l))
				}
			}
		}
		if !same(got.Data[i], want) {
			t.Fatalf("%s is %v, want %v", what(), got.Data[i], want)
		}
		near(t, got.Data[i], plain, n+8, what)
	}
}

// symvInOrder adds alpha·Σ row·col for row i of a symmetric matrix to y in the
// order that Symv documents.
func symvInOrder[T dense.Float](n, i int, uplo blas.Uplo, alpha T, row, col func(l int) T, y T) T {
	const block = 256
	begin, end := i+1, n
	if uplo == blas.Lower {
		begin, end = 0, i
	}
	add := func(s T, l int) T { // what row l of the triangle contributes
		switch {
		case l == i:
			return asm.FMA(alpha, asm.FMA(row(i), col(i), inLanes(begin, end, row, col)), s)
		case within(uplo, l, i):
			return asm.FMA(T(alpha*col(l)), row(l), s)
		}
		return s
	}
	if n <= block {
		for l := range n {
			y = add(y, l)
		}
		return y
	}
	for lo := 0; lo < n; lo += block {
		hi := min(lo+block, n)
		if uplo == blas.Lower && i >= hi || uplo == blas.Upper && i < lo {
			continue // nothing is added, not even zero
		}
		var s T
		for l := lo; l < hi; l++ {
			s = add(s, l)
		}
		y += s
	}
	return y
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
			what := func() string { return fmt.Sprintf("Ger(alpha %v, %dx%d) at (%d, %d)", alpha, m, n, i, j) }
			plain, want := inner(1, alpha, func(int) T { return x.Data[i] }, func(int) T { return y.Data[j] }, 1, a.At(i, j)), a.At(i, j)
			if alpha != 0 {
				want = asm.FMA(T(alpha*x.Data[i]), y.Data[j], want)
				scaled(&plain, alpha, x.Data[i], y.Data[j])
			}
			if !same(got.At(i, j), want) {
				t.Fatalf("%s is %v, want %v", what(), got.At(i, j), want)
			}
			near(t, got.At(i, j), plain, 5, what)
		}
	}
}

// inLanes returns Σ row·col for l in [lo, hi) in the order of Dot, for less than
// a chunk of elements.
func inLanes[T dense.Float](lo, hi int, row, col func(l int) T) T {
	acc := make([]T, asm.Lanes[T]())
	for l := lo; l < hi; l++ {
		lane := (l - lo) % len(acc)
		acc[lane] = asm.FMA(row(l), col(l), acc[lane])
	}
	for h := len(acc) / 2; h > 0; h /= 2 {
		for l := range h {
			acc[l] += acc[l+h]
		}
	}
	return acc[0]
}
