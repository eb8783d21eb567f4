package asm

import (
	"math"
	"testing"
)

// The diagonal block of Cholesky, as in level3_test.go.

func TestCholMatchesTwin(t *testing.T) {
	t.Run("f32", testChol[float32])
	t.Run("f64", testChol[float64])
}

func testChol[T Float](t *testing.T) {
	memU, memI := fenced[T](t, 16<<10), fenced[T](t, 8<<10)
	eachTarget(t, func(t *testing.T, kern *Kernels[T]) {
		s := newSource[T](9)
		failed := 0
		for m := 0; m <= kern.CholMax; m++ {
			for _, k := range []int{0, 1, 2, 3, 7, 8, 9, 33} {
				for range 4 {
					s.hostile = s.IntN(4) == 0
					lu := layout{rows: k + m, cols: k + m, rs: pick(s.Rand, k+m, k+m+5), cs: 1}
					diagonal := pick(s.Rand, 2*float64(k+m), float64(k+m)/2)
					u := place(memU, s.IntN(2) == 0, lu, func(i, j int) T {
						switch {
						case i > j || i < k && j < k:
							return T(math.NaN()) // not to be read
						case i == j:
							return T(diagonal + s.Float64())
						}
						return s.value(i, j)
					})
					inv := place(memI, s.IntN(2) == 0, layout{rows: 1, cols: m, cs: 1}, s.value)
					want, wantInv := u.twin(), inv.twin()
					wantN := cholTwin(m, k, want.ptr(), lu.rs, wantInv.ptr())
					n := kern.Chol(m, k, u.ptr(), lu.rs, inv.ptr())
					if diff := u.differs("u", want.window) + inv.differs("inv", wantInv.window); diff != "" || n != wantN {
						t.Fatalf("m=%d k=%d stride %d: %d rows, want %d: %s", m, k, lu.rs, n, wantN, diff)
					}
					if n < m {
						failed++
					}
				}
			}
		}
		if failed < kern.CholMax || failed > 28*kern.CholMax {
			t.Errorf("%d of %d blocks were not definite", failed, 32*kern.CholMax)
		}
	})
}

// cholTwin is chol for blocks of any order, cut at the largest that it takes,
// with rows to the right solved as Trsm does.
func cholTwin[T Float](m, k int, u *T, ldu int, inv *T) int {
	for lo := 0; lo < m; lo += genericCholMax {
		n := min(genericCholMax, m-lo)
		done := chol(n, k+lo, u, ldu, at(inv, lo))
		if right := m - lo - n; right > 0 {
			trsm(done, right, k+lo, 1, at(u, k+lo), 1, ldu, at(inv, lo), at(u, k+lo+n), ldu)
		}
		if done < n {
			return lo + done
		}
	}
	return m
}
