package asm

import (
	"math"
	"testing"
)

// The two kernels on triangles, as in level3_test.go.

func TestTrsmMatchesTwin(t *testing.T) {
	t.Run("f32", func(t *testing.T) {
		testTriangle(t, func(k *Kernels[float32]) triangleFunc[float32] { return k.Trsm }, trsm[float32])
	})
	t.Run("f64", func(t *testing.T) {
		testTriangle(t, func(k *Kernels[float64]) triangleFunc[float64] { return k.Trsm }, trsm[float64])
	})
}

func TestTrmmMatchesTwin(t *testing.T) {
	t.Run("f32", func(t *testing.T) {
		testTriangle(t, func(k *Kernels[float32]) triangleFunc[float32] { return k.Trmm }, trmm[float32])
	})
	t.Run("f64", func(t *testing.T) {
		testTriangle(t, func(k *Kernels[float64]) triangleFunc[float64] { return k.Trmm }, trmm[float64])
	})
}

type triangleFunc[T Float] func(m, n, k int, alpha T, l *T, rsl, csl int, d *T, b *T, ldb int)

func testTriangle[T Float](t *testing.T, entry func(*Kernels[T]) triangleFunc[T], twin triangleFunc[T]) {
	memL, memD, memB := fenced[T](t, 16<<10), fenced[T](t, 8<<10), fenced[T](t, 16<<10)
	eachTarget(t, func(t *testing.T, kern *Kernels[T]) {
		s := newSource[T](5)
		f := entry(kern)
		for m := 0; m <= 25; m++ {
			for n := 0; n <= 70; n++ {
				if testing.Short() && s.IntN(8) > 0 {
					continue
				}
				for form := range 4 {
					s.hostile = s.IntN(4) == 0
					k := pick(s.Rand, 0, 0, 1, 2, 3, 4, 7, 8, 15, 33)
					// The block row without what is on and above the diagonal: there
					// is nothing right of the last row's element before the diagonal.
					cols := max(0, k+m-1)
					ll := layout{rows: m, cols: cols, rs: pick(s.Rand, cols, cols+5), cs: 1}
					if form&1 != 0 {
						ll.rs, ll.cs = 1, pick(s.Rand, m, m+3)
					}
					lb := layout{rows: k + m, cols: n, rs: pick(s.Rand, n, n+5), cs: 1}
					if form&2 != 0 {
						ll.rs, ll.cs, lb.rs = -ll.rs, -ll.cs, -lb.rs
					}
					l := place(memL, s.IntN(2) == 0, ll, func(i, p int) T {
						if p < k+i {
							return s.value(i, p)
						}
						return T(math.NaN())
					})
					d := place(memD, s.IntN(2) == 0, layout{rows: 1, cols: m, cs: 1}, s.value)
					b := place(memB, s.IntN(2) == 0, lb, s.value)
					alpha := pick(s.Rand, 1, -1, 0.5, 0, T(math.NaN()), 1.1)
					want, tl, td := b.twin(), l.twin(), d.twin()
					twin(m, n, k, alpha, tl.ptr(), ll.rs, ll.cs, td.ptr(), want.ptr(), lb.rs)
					f(m, n, k, alpha, l.ptr(), ll.rs, ll.cs, d.ptr(), b.ptr(), lb.rs)
					if diff := b.differs("b", want.window) + l.differs("l", l.before) + d.differs("d", d.before); diff != "" {
						t.Fatalf("m=%d n=%d k=%d alpha=%v L strides %d,%d B stride %d: %s", m, n, k, alpha, ll.rs, ll.cs, lb.rs, diff)
					}
				}
			}
		}
	})
}

func TestCopyToMatchesTwin(t *testing.T) {
	t.Run("f32", testCopyTo[float32])
	t.Run("f64", testCopyTo[float64])
}

func testCopyTo[T Float](t *testing.T) {
	memS, memD := fenced[T](t, 16<<10), fenced[T](t, 16<<10)
	eachTarget(t, func(t *testing.T, kern *Kernels[T]) {
		s := newSource[T](6)
		s.hostile = true
		for _, m := range []int{0, 1, 2, 5, 8, 17} {
			for n := range 150 {
				src := place(memS, s.IntN(2) == 0, layout{rows: m, cols: n, rs: pick(s.Rand, n, n+5, -n-5), cs: 1}, s.value)
				dst := place(memD, s.IntN(2) == 0, layout{rows: m, cols: n, rs: pick(s.Rand, n, n+5, -n-5), cs: 1}, nan[T])
				want, tsrc := dst.twin(), src.twin()
				copyTo(m, n, tsrc.ptr(), src.rs, want.ptr(), dst.rs)
				kern.CopyTo(m, n, src.ptr(), src.rs, dst.ptr(), dst.rs)
				if d := dst.differs("dst", want.window) + src.differs("src", src.before); d != "" {
					t.Fatalf("m=%d n=%d: %s", m, n, d)
				}
			}
		}
	})
}
