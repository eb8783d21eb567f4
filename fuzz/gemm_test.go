package fuzz

import (
	"fmt"
	"math"
	"testing"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/blas"
)

func FuzzGemm(f *testing.F) { attack(f, gemm[float32], gemm[float64]) }

// most is the number of multiply-adds that a case may have: some more than what
// makes package dense use several threads.
const most = 1 << 20

func gemm[T dense.Float](t *testing.T, r *reader) {
	tA, tB, alpha, beta := r.trans(), r.trans(), scalar[T](r), scalar[T](r)
	m, n := r.dim(400), r.dim(400)
	k := inside[T](r, most/max(1, m*n))
	a, b, c := flipped[T](r, tA, m, k), flipped[T](r, tB, k, n), matrix[T](r, m, n)
	a0, b0 := clone(a), clone(b)
	got := everywhere(t, c, func(c dense.Matrix[T], o *dense.Opts[T]) {
		dense.Gemm(tA, tB, alpha, a, b, beta, c, o)
	})
	untouched(t, "a", a, a0, nil)
	untouched(t, "b", b, b0, nil)
	untouched(t, "c", got, c, func(i, j int) bool { return true })
	for i := range m {
		for j := range n {
			what := func() string {
				return fmt.Sprintf("Gemm(%c, %c, alpha %v, beta %v, m %d, n %d, k %d) at (%d, %d)", tA, tB, alpha, beta, m, n, k, i, j)
			}
			row, col := func(l int) T { return element(a, tA, i, l) }, func(l int) T { return element(b, tB, l, j) }
			if want := inOrder(k, alpha, row, col, beta, c.At(i, j)); !same(got.At(i, j), want) {
				t.Fatalf("%s is %v, want %v", what(), got.At(i, j), want)
			}
			near(t, got.At(i, j), inner(k, alpha, row, col, beta, c.At(i, j)), k+4, what)
		}
	}
}

// inside returns an inner dimension of at most limit, in one case of four around
// the ends of the blocks that it is cut into.
func inside[T dense.Float](r *reader, limit int) int {
	if r.byte()%4 == 0 {
		return min(limit, asm.KC[T]()*(1+int(r.byte()%2))+int(r.byte()%8)-3)
	}
	return r.dim(limit)
}

// flipped returns a matrix which is rows×cols after the flip.
func flipped[T dense.Float](r *reader, trans blas.Transpose, rows, cols int) dense.Matrix[T] {
	if trans == blas.Trans {
		rows, cols = cols, rows
	}
	return matrix[T](r, rows, cols)
}

// element returns element (i, j) of a after the flip.
func element[T dense.Float](a dense.Matrix[T], trans blas.Transpose, i, j int) T {
	if trans == blas.Trans {
		i, j = j, i
	}
	return a.At(i, j)
}

// times returns beta·c; 0 and 1 do not multiply.
func times[T dense.Float](beta, c T) T {
	switch beta {
	case 0:
		return 0
	case 1:
		return c
	}
	return T(beta * c)
}

// inOrder returns alpha·Σ row·col + beta·c in the order that Gemm documents.
func inOrder[T dense.Float](k int, alpha T, row, col func(l int) T, beta, c T) T {
	c = times(beta, c)
	if alpha == 0 {
		return c
	}
	blocks := (k + asm.KC[T]() - 1) / asm.KC[T]()
	for b := range blocks {
		var acc T
		for l := k * b / blocks; l < k*(b+1)/blocks; l++ {
			acc = asm.FMA(row(l), col(l), acc)
		}
		if b == 0 && beta == 0 {
			c = T(alpha * acc)
		} else {
			c = asm.FMA(alpha, acc, c)
		}
	}
	return c
}

// inner returns the same in plain float64.
func inner[T dense.Float](k int, alpha T, row, col func(l int) T, beta, c T) (s term) {
	if beta != 0 {
		s.add(float64(beta) * float64(c))
	}
	if alpha != 0 {
		for l := range k {
			p := float64(row(l)) * float64(col(l))
			s.add(float64(alpha) * p)
			s.peak += math.Abs(p)
		}
	}
	return s
}
