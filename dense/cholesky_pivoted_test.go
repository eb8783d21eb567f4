package dense

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/internal/hard"
	"gonum.org/v1/gonum/blas"
)

// bothPermuted returns P·a·Pᵀ for the exchanges of pivots.
func bothPermuted[T Float](a Matrix[T], pivots []int) Matrix[T] {
	b := a.Clone()
	for i, p := range pivots {
		for j := range a.Rows {
			x, y := b.At(i, j), b.At(p, j)
			b.Set(i, j, y)
			b.Set(p, j, x)
		}
		for j := range a.Rows {
			x, y := b.At(j, i), b.At(j, p)
			b.Set(j, i, y)
			b.Set(j, p, x)
		}
	}
	return b
}

func TestCholeskyPivotedAccuracy(t *testing.T) {
	w := newWorst(t)
	testCholeskyPivotedAccuracy[float32](t, w)
	testCholeskyPivotedAccuracy[float64](t, w)
	w.log()
}

// testCholeskyPivotedAccuracy measures the residual of all that is kept, with what is
// left out, which the tolerance bounds.
func testCholeskyPivotedAccuracy[T Float](t *testing.T, w *worst) {
	eachHard(func(c hard.Class, n int) {
		a := matrixOf(hard.Semidefinite[T](c, n))
		l, pivots := a.Clone(), make([]int, n)
		rank, err := CholeskyPivoted(blas.Lower, l, pivots, -1, nil)
		if err != nil {
			t.Errorf("%v n=%d: %v", c, n, err)
			return
		}
		if want := map[hard.Class]int{hard.RankOne: min(n, 1), hard.RankHalf: (n + 1) / 2}; want[c] > 0 && rank != want[c] {
			t.Errorf("%v n=%d: rank %d, want %d", c, n, rank, want[c])
		}
		shift := shiftOf(a)
		pa := wide(bothPermuted(a, pivots), shift)
		l64 := triangle64(blas.Lower, blas.NonUnit, l.View(0, 0, n, rank), shift/2)
		r := minusProduct(pa, blas.NoTrans, l64, blas.Trans, l64)
		w.add(typed[T]("CholeskyPivoted"), c, n, scaled[T](r, pa, max(n, 1), shift)/max(1, float64(n-rank)))
	})
}

func TestCholeskyPivotedBits(t *testing.T) {
	both(t, testCholeskyPivotedBits[float32], testCholeskyPivotedBits[float64])
}

// testCholeskyPivotedBits compares with the loops of Cholesky on the permuted matrix.
func testCholeskyPivotedBits[T Float](t *testing.T) {
	for _, n := range []int{0, 1, 2, 17, 63, 64, 65, 129, 200, 300} {
		for _, tol := range []T{0, 0.4} { // the second ends it early
			a := matrixOf(hard.Semidefinite[T](hard.Random, n))
			for threads := 1; threads <= 3; threads++ {
				for _, uplo := range triangles {
					got, pivots := padded(a, 3), make([]int, n)
					poison(uplo, got)
					rank, err := CholeskyPivoted(uplo, got, pivots, tol, &Opts[T]{Threads: threads})
					if err != nil {
						t.Fatal(err)
					}
					want := padded(bothPermuted(a, pivots), 3)
					poison(blas.Lower, want)
					// The loops end where a negative element makes them.
					choleskySteps(want, rank)
					if uplo == blas.Upper {
						want = padded(transposedOf(want), 3)
					}
					if !sameBits(got, want) {
						t.Fatalf("n=%d tol=%v uplo=%c threads=%d rank=%d: other bits", n, tol, uplo, threads, rank)
					}
					if (rank < n) != (tol > 0 && n > 1) && n > 2 {
						t.Errorf("n=%d tol=%v: rank %d", n, tol, rank)
					}
					for i := range n {
						if d := float64(got.At(i, i)); i < rank && i > 0 && !(d <= float64(got.At(i-1, i-1))) || i >= rank && !(d <= float64(tol)) {
							t.Errorf("n=%d: diagonal element %d is %v", n, i, d)
						}
					}
				}
			}
		}
	}
	a := NewMatrix[T](3, 3)
	a.Set(1, 1, T(math.NaN()))
	var bad *NonFiniteError
	if rank, err := CholeskyPivoted(blas.Lower, a, make([]int, 3), -1, nil); rank != 0 || !errors.As(err, &bad) {
		t.Errorf("NaN: rank %d, error %v", rank, err)
	}
	a.Fill(0)
	if rank, err := CholeskyPivoted(blas.Lower, a, make([]int, 3), -1, nil); rank != 0 || err != nil {
		t.Errorf("zero: rank %d, error %v", rank, err)
	}
}

// choleskySteps does the given number of steps of choleskyLoops.
func choleskySteps[T Float](a Matrix[T], steps int) {
	if steps < a.Rows {
		saved := a.At(steps, steps)
		a.Set(steps, steps, T(math.NaN()))
		choleskyLoops(a)
		// The element itself, by the same chain of the row that is finished.
		for p := range steps {
			saved = asm.FMA(-a.At(steps, p), a.At(steps, p), saved)
		}
		a.Set(steps, steps, saved)
		return
	}
	choleskyLoops(a)
}

func TestCholeskyUpdate(t *testing.T) {
	both(t, testCholeskyUpdate[float32], testCholeskyUpdate[float64])
}

// testCholeskyUpdate updates and downdates, and compares with the matrix.
func testCholeskyUpdate[T Float](t *testing.T) {
	for _, n := range []int{0, 1, 2, 9, 40, 65, 150} {
		for _, k := range []int{0, 1, 3} {
			for _, uplo := range triangles {
				a, x := matrixOf(hard.SPD[T](hard.Random, n)), draw[T](uint64(n), n, k, 2)
				l := padded(a, 1)
				poison(uplo, l)
				if err := Cholesky(uplo, l, nil); err != nil {
					t.Fatal(err)
				}
				sum := a.Clone()
				if n > 0 {
					Syrk(uplo, blas.NoTrans, 1, x, 1, sum, nil)
				}
				check := func(what string, want Matrix[T], kept float64) {
					t.Helper()
					full := want.Clone()
					Mirror(uplo, full)
					tri := triangle64(uplo, blas.NonUnit, l, 0)
					first, second := blas.NoTrans, blas.Trans
					if uplo == blas.Upper {
						first, second = second, first
					}
					w := wide(full, 0)
					r := scaled[T](minusProduct(w, first, tri, second, tri), w, max(n, 1), 0)
					if !(r*kept <= maxRatio) {
						t.Errorf("n=%d k=%d uplo=%c: residual %g after %s", n, k, uplo, r, what)
					}
					for i := range n {
						if !(l.At(i, i) > 0) {
							t.Errorf("n=%d k=%d: diagonal element %v after %s", n, k, l.At(i, i), what)
						}
					}
				}
				CholeskyUpdate(uplo, l, x, nil)
				check("update", sum, 1)
				if err := CholeskyDowndate(uplo, l, x, nil); err != nil {
					t.Fatal(err)
				}
				// Errors are relative to the larger matrix.
				check("downdate", a, 1/max(1, 100*float64(k*n)))
				if n == 0 || k == 0 {
					continue
				}
				before := padded(l, 1)
				x.Fill(2)
				var e *NotPositiveDefiniteError
				if err := CholeskyDowndate(uplo, l, x, nil); !errors.As(err, &e) || e.Pivot != 0 {
					t.Errorf("n=%d: error %v", n, err)
				}
				if !sameBits(before, l) {
					t.Errorf("n=%d: a changed", n)
				}
			}
		}
	}
}

func TestCholeskyPivotedWork(t *testing.T) {
	both(t, testCholeskyPivotedWork[float32], testCholeskyPivotedWork[float64])
}

func testCholeskyPivotedWork[T Float](t *testing.T) {
	for _, n := range []int{1, 30, 150} {
		a, pivots, small := matrixOf(hard.SPD[T](hard.Random, n)), make([]int, n), draw[T](3, n, 2, 0)
		x := a.Clone()
		small2 := small.Clone()
		for i := range small2.Data {
			small2.Data[i] /= T(100 * n)
		}
		for _, uplo := range triangles {
			for name, c := range map[string]struct {
				length int
				f      func(o *Opts[T])
			}{
				"CholeskyPivoted":  {CholeskyPivotedWork[T](n, 1), func(o *Opts[T]) { _, _ = CholeskyPivoted(uplo, x, pivots, 0, o) }},
				"CholeskyUpdate":   {CholeskyUpdateWork[T](n, 2), func(o *Opts[T]) { CholeskyUpdate(uplo, x, small, o) }},
				"CholeskyDowndate": {CholeskyUpdateWork[T](n, 2), func(o *Opts[T]) { _ = CholeskyDowndate(uplo, x, small2, o) }},
			} {
				checkWork(t, name, c.length, func(o *Opts[T]) []Matrix[T] {
					x.Copy(a)
					c.f(o)
					return []Matrix[T]{x.Clone()}
				}, func(o *Opts[T]) {
					x.Copy(a)
					c.f(o)
				})
			}
		}
	}
	for want, f := range map[string]func(){
		"dense: CholeskyPivoted: a is 2x2, 3 pivots":     func() { _, _ = CholeskyPivoted(blas.Lower, NewMatrix[T](2, 2), make([]int, 3), 0, nil) },
		"dense: CholeskyUpdate: a is 2x2, x is 3x1":      func() { CholeskyUpdate(blas.Lower, NewMatrix[T](2, 2), NewMatrix[T](3, 1), nil) },
		"dense: CholeskyDowndate: a is 2x3, want square": func() { _ = CholeskyDowndate(blas.Lower, NewMatrix[T](2, 3), NewMatrix[T](3, 1), nil) },
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); got != want {
					t.Errorf("panic %q, want %q", got, want)
				}
			}()
			f()
		}()
	}
}
