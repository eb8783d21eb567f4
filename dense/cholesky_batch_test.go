package dense

import (
	"errors"
	"fmt"
	"testing"

	"github.com/precond-go/precond/internal/hard"
	"gonum.org/v1/gonum/blas"
)

func TestCholeskyBatch(t *testing.T) { both(t, testCholeskyBatch[float32], testCholeskyBatch[float64]) }

// testCholeskyBatch compares with the single operations bit for bit.
func testCholeskyBatch[T Float](t *testing.T) {
	classes := hard.Classes()
	for _, orders := range [][]int{{}, {0}, {3}, {16}, {1, 1, 1, 1}, {0, 5, 5, 5, 33, 33, 33, 40, 2}, repeat(16, 37), repeat(7, 8), repeat(32, 50), repeat(31, 17), append(repeat(8, 20), 130)} {
		for _, uplo := range triangles {
			for bad := range 3 { // none, some, many are not definite
				var a, b, wantA, wantB []Matrix[T]
				var wantPivots []int
				firstBad := len(orders)
				for i, n := range orders {
					c := classes[i%len(classes)]
					for !c.Definite() {
						c = hard.Random
					}
					m := padded(matrixOf(hard.SPD[T](c, n)), i%3)
					if bad > 0 && n > 0 && i%(20/bad/bad) == 3 {
						m.Set(n/2, n/2, -1)
					}
					x := draw[T](uint64(i), n, 1+i%3, i%2)
					a, b = append(a, m), append(b, x)
					wa, wb := padded(m, i%3), padded(x, i%2)
					err := Cholesky(uplo, wa, nil)
					pivot := n
					var e *NotPositiveDefiniteError
					if errors.As(err, &e) {
						pivot = e.Pivot
						firstBad = min(firstBad, i)
					} else {
						CholeskySolve(uplo, wa, wb, nil)
					}
					wantA, wantB, wantPivots = append(wantA, wa), append(wantB, wb), append(wantPivots, pivot)
				}
				for threads := 1; threads <= 3; threads++ {
					name := fmt.Sprintf("orders=%v uplo=%c bad=%d threads=%d", orders, uplo, bad, threads)
					var gotA, gotB, factors, solved []Matrix[T]
					for i := range a {
						gotA, gotB = append(gotA, padded(a[i], i%3)), append(gotB, padded(b[i], i%2))
						if wantPivots[i] == orders[i] {
							factors, solved = append(factors, wantA[i]), append(solved, padded(b[i], i%2))
						}
					}
					o := &Opts[T]{Threads: threads}
					pivots := make([]int, len(a))
					err := CholeskyBatch(uplo, gotA, gotB, pivots, o)
					var block *BlockError
					var e *NotPositiveDefiniteError
					switch {
					case firstBad == len(a) && err != nil:
						t.Errorf("%s: %v", name, err)
					case firstBad < len(a) && (!errors.As(err, &block) || block.Block != firstBad || !errors.As(err, &e) || e.Pivot != wantPivots[firstBad]):
						t.Errorf("%s: error %v, want block %d, pivot %d", name, err, firstBad, wantPivots[firstBad])
					}
					CholeskySolveBatch(uplo, factors, solved, o)
					k := 0
					for i := range a {
						if !sameBits(gotA[i], wantA[i]) || !sameBits(gotB[i], wantB[i]) || pivots[i] != wantPivots[i] {
							t.Fatalf("%s: block %d differs, pivot %d, want %d", name, i, pivots[i], wantPivots[i])
						}
						if wantPivots[i] == orders[i] {
							if !sameBits(solved[k], wantB[i]) {
								t.Fatalf("%s: solution %d differs", name, i)
							}
							k++
						}
					}
				}
			}
		}
	}
}

func repeat(n, count int) []int {
	s := make([]int, count)
	for i := range s {
		s[i] = n
	}
	return s
}

func TestCholeskyBatchWork(t *testing.T) {
	both(t, testCholeskyBatchWork[float32], testCholeskyBatchWork[float64])
}

func testCholeskyBatchWork[T Float](t *testing.T) {
	for _, n := range []int{1, 16, 40} {
		src := matrixOf(hard.SPD[T](hard.Random, n))
		a, b := make([]Matrix[T], 20), make([]Matrix[T], 20)
		reset := func() {
			for i := range a {
				a[i].Copy(src)
				b[i].Fill(1)
			}
		}
		for i := range a {
			a[i], b[i] = NewMatrix[T](n, n), NewMatrix[T](n, 2)
		}
		pivots := make([]int, len(a))
		call := func(o *Opts[T]) {
			reset()
			if err := CholeskyBatch(blas.Lower, a, b, pivots, o); err != nil {
				t.Error(err)
			}
		}
		checkWork(t, "CholeskyBatch", CholeskyBatchWork(a, b, 1), func(o *Opts[T]) []Matrix[T] {
			call(o)
			return []Matrix[T]{a[7].Clone(), b[19].Clone()}
		}, call)
	}
}

func TestCholeskyBatchPanics(t *testing.T) {
	a, b := []Matrix[float64]{NewMatrix[float64](3, 3)}, []Matrix[float64]{NewMatrix[float64](4, 2)}
	for _, c := range []struct {
		want string
		f    func()
	}{
		{"dense: CholeskyBatch: a is 4x2, want square", func() { _ = CholeskyBatch(blas.Lower, b, nil, nil, nil) }},
		{"dense: CholeskyBatch: a is 3x3, b is 4x2", func() { _ = CholeskyBatch(blas.Lower, a, b, nil, nil) }},
		{"dense: CholeskyBatch: 1 matrices, 2 pivots", func() { _ = CholeskyBatch(blas.Lower, a, nil, make([]int, 2), nil) }},
		{"dense: CholeskyBatch: 1 matrices, 0 right-hand sides", func() { _ = CholeskyBatch(blas.Lower, a, b[:0], nil, nil) }},
		{"dense: CholeskySolveBatch: no right-hand sides", func() { CholeskySolveBatch(blas.Lower, a, nil, nil) }},
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); got != c.want {
					t.Errorf("panic %q, want %q", got, c.want)
				}
			}()
			c.f()
		}()
	}
}
