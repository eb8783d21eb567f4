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

// choleskyLoops is the factorisation as three nested loops, in the documented
// order, on the lower triangle. It returns the number of columns that are finished;
// the rest of the triangle is the Schur complement.
func choleskyLoops[T Float](a Matrix[T]) int {
	for q := range a.Rows {
		d := a.At(q, q)
		if !(d > 0) || math.IsInf(float64(d), 1) {
			return q
		}
		d = T(math.Sqrt(float64(d)))
		a.Set(q, q, d)
		inv := 1 / d
		for i := q + 1; i < a.Rows; i++ {
			a.Set(i, q, T(inv*a.At(i, q)))
		}
		for i := q + 1; i < a.Rows; i++ {
			for j := q + 1; j <= i; j++ {
				a.Set(i, j, asm.FMA(-a.At(i, q), a.At(j, q), a.At(i, j)))
			}
		}
	}
	return a.Rows
}

// transposedOf returns the transpose of m.
func transposedOf[T Float](m Matrix[T]) Matrix[T] {
	r := NewMatrix[T](m.Cols, m.Rows)
	for i := range m.Rows {
		for j := range m.Cols {
			r.Set(j, i, m.At(i, j))
		}
	}
	return r
}

func TestCholeskyBits(t *testing.T) { both(t, testCholeskyBits[float32], testCholeskyBits[float64]) }

// testCholeskyBits compares with the three loops bit for bit, both triangles, any
// number of threads, and where the factorisation breaks down early, in the middle or late.
func testCholeskyBits[T Float](t *testing.T) {
	orders := []int{0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 23, 24, 25, 33, 47, 48, 49, 50, 72, 97, 127, 128, 129, 193, 255, 256, 257, 300, 385, 449}
	if testing.Short() {
		orders = orders[:len(orders)-2]
	}
	for _, n := range orders {
		for _, broken := range []int{n, n / 3, n - 1, 2 * n / 3} {
			a := draw[T](uint64(n), n, n, 0)
			for i := range n {
				a.Set(i, i, T(n)/2+1)
			}
			if broken < n {
				if broken < 0 || n > 200 && broken != 2*n/3 {
					continue
				}
				a.Set(broken, broken, T([]float64{-1, math.NaN(), math.Inf(1)}[n%3]))
			}
			want := padded(a, 3)
			poison(blas.Lower, want)
			finished := choleskyLoops(want)
			for _, uplo := range triangles {
				w := want
				if uplo == blas.Upper {
					w = padded(transposedOf(want), 3)
				}
				for threads := 1; threads <= 3; threads++ {
					got := padded(a, 3)
					if uplo == blas.Upper {
						got.Copy(transposedOf(a))
					}
					poison(uplo, got)
					err := Cholesky(uplo, got, &Opts[T]{Threads: threads})
					name := fmt.Sprintf("n=%d broken=%d uplo=%c threads=%d", n, broken, uplo, threads)
					var e *NotPositiveDefiniteError
					switch {
					case finished == n && err != nil:
						t.Errorf("%s: %v", name, err)
					case finished < n && (!errors.As(err, &e) || e.Pivot != finished):
						t.Errorf("%s: error %v, want pivot %d", name, err, finished)
					case !sameBits(got, w):
						t.Errorf("%s: other bits than the loops", name)
					}
					if t.Failed() {
						return
					}
				}
			}
		}
	}
}

func TestCholeskyAccuracy(t *testing.T) {
	w := newWorst(t)
	testCholeskyAccuracy[float32](t, w)
	testCholeskyAccuracy[float64](t, w)
	w.log()
}

func testCholeskyAccuracy[T Float](t *testing.T, w *worst) {
	eachHard(func(c hard.Class, n int) {
		if !c.Definite() {
			return
		}
		a := matrixOf(hard.SPD[T](c, n))
		l := a.Clone()
		if err := Cholesky(blas.Lower, l, nil); err != nil {
			t.Errorf("%v n=%d: %v", c, n, err)
			return
		}
		shift := shiftOf(a)
		a64, l64 := wide(a, shift), triangle64(blas.Lower, blas.NonUnit, l, shift/2)
		w.add(typed[T]("Cholesky"), c, n, scaled[T](minusProduct(a64, blas.NoTrans, l64, blas.Trans, l64), a64, n, shift))
	})
}

func TestCholeskyWork(t *testing.T) { both(t, testCholeskyWork[float32], testCholeskyWork[float64]) }

func testCholeskyWork[T Float](t *testing.T) {
	for _, n := range []int{1, 5, 60, 200, 300} {
		a := matrixOf(hard.SPD[T](hard.Random, n))
		for _, uplo := range triangles {
			l := a.Clone()
			checkWork(t, "Cholesky", CholeskyWork[T](n, 1), func(o *Opts[T]) []Matrix[T] {
				l := a.Clone()
				if err := Cholesky(uplo, l, o); err != nil {
					t.Error(err)
				}
				return []Matrix[T]{l}
			}, func(o *Opts[T]) {
				l.Copy(a)
				if err := Cholesky(uplo, l, o); err != nil {
					t.Error(err)
				}
			})
		}
	}
	l := NewMatrix[T](600, 600)
	a := matrixOf(hard.SPD[T](hard.Random, 600))
	o := &Opts[T]{Threads: 2, Work: make([]T, CholeskyWork[T](600, 2))}
	if n := testing.AllocsPerRun(3, func() { l.Copy(a); _ = Cholesky(blas.Lower, l, o) }); n != 0 {
		t.Errorf("%v allocations on two threads", n)
	}
}
