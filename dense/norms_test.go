package dense

import (
	"fmt"
	"math"
	"testing"
)

var normDims = []struct{ m, n int }{
	{0, 0}, {0, 3}, {3, 0}, {1, 1}, {1, 70}, {70, 1}, {5, 7}, {9, 33}, {64, 64}, {100, 127}, {511, 513}, {30000, 7}, {7, 40000},
}

func TestNorms(t *testing.T) { both(t, testNorms[float32], testNorms[float64]) }

func testNorms[T Float](t *testing.T) {
	nan := T(math.NaN())
	for _, d := range normDims {
		for _, extra := range []int{0, 3} {
			for _, hole := range []bool{false, true} {
				a := draw[T](1, d.m, d.n, extra)
				if hole {
					if d.m*d.n == 0 {
						continue
					}
					a.Set(d.m/2, d.n/3, nan)
				}
				name := fmt.Sprintf("%dx%d+%d NaN=%v", d.m, d.n, extra, hole)
				var rows, most float64
				flat, cols := make([]T, 0, d.m*d.n), NewMatrix[T](d.n, d.m)
				for i := range d.m {
					var s float64
					for j := range d.n {
						v := a.At(i, j)
						flat = append(flat, v)
						s += math.Abs(float64(v))
						cols.Set(j, i, v)
						most = math.Max(most, math.Abs(float64(v)))
					}
					rows = math.Max(rows, s)
				}
				var largest T
				for j := range d.n {
					var s T
					for i := 0; i < d.m; i += transposeTile {
						s += AbsSum(cols.Row(j)[i:min(i+transposeTile, d.m)], nil)
					}
					largest = max(largest, s)
				}
				for threads := 1; threads <= 3; threads++ {
					o := &Opts[T]{Threads: threads}
					equalBits(t, "NormFrobenius "+name, []T{NormFrobenius(a, o)}, []T{Nrm2(flat, nil)})
					equalBits(t, "NormMax "+name, []T{NormMax(a, o)}, []T{T(most)})
					got := NormInf(a, o)
					if d := math.Abs(float64(got) - rows); !(d <= 1e3*epsilonOf[T]()*rows) && !hole || hole && got == got {
						t.Errorf("NormInf %s threads=%d: %v, want %v", name, threads, got, rows)
					}
					equalBits(t, "Norm1 "+name, []T{Norm1(a, o)}, []T{largest})
				}
			}
		}
	}
	wide := NewMatrix[T](2, 3)
	wide.Fill(T(math.Inf(1)))
	equalBits(t, "of Inf", []T{NormFrobenius(wide, nil), NormMax(wide, nil), Norm1(wide, nil), NormInf(wide, nil)}, filled(4, T(math.Inf(1))))
}

func TestTranspose(t *testing.T) { both(t, testTranspose[float32], testTranspose[float64]) }

func testTranspose[T Float](t *testing.T) {
	for _, d := range []struct{ m, n int }{
		{0, 0}, {0, 3}, {3, 0}, {1, 1}, {1, 70}, {70, 1}, {2, 3}, {5, 7}, {16, 16}, {63, 65}, {64, 64}, {64, 128}, {129, 66}, {500, 511}, {1030, 40}, {33, 1100},
	} {
		for _, extra := range []int{0, 3} {
			a := draw[T](1, d.m, d.n, extra)
			want := draw[T](2, d.n, d.m, extra)
			for i := range d.m {
				for j := range d.n {
					want.Set(j, i, a.At(i, j))
				}
			}
			for threads := 1; threads <= 3; threads++ {
				got := draw[T](2, d.n, d.m, extra)
				Transpose(a, got, &Opts[T]{Threads: threads})
				if !sameBits(got, want) {
					t.Errorf("Transpose %dx%d+%d threads=%d differs", d.m, d.n, extra, threads)
				}
			}
		}
	}
	for _, n := range []int{0, 1, 2, 17, 63, 64, 65, 127, 128, 129, 600} {
		for _, extra := range []int{0, 3} {
			a, want := draw[T](1, n, n, extra), draw[T](1, n, n, extra)
			for i := range n {
				for j := range n {
					want.Set(j, i, a.At(i, j))
				}
			}
			for threads := 1; threads <= 3; threads++ {
				got := draw[T](1, n, n, extra)
				o := &Opts[T]{Threads: threads, Work: filled(TransposeInPlaceWork[T](threads), T(math.NaN()))}
				TransposeInPlace(got, o)
				if !sameBits(got, want) {
					t.Errorf("TransposeInPlace %d+%d threads=%d differs", n, extra, threads)
				}
			}
		}
	}
}
