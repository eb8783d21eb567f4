package asm

import "testing"

// The kernels on interleaved matrices, as in level3_test.go.

func TestLanesMatchTwins(t *testing.T) {
	t.Run("f32", testLanes[float32])
	t.Run("f64", testLanes[float64])
}

func testLanes[T Float](t *testing.T) {
	memS, memR, memI, memX := fenced[T](t, 32<<10), fenced[T](t, 4<<10), fenced[T](t, 4<<10), fenced[T](t, 4<<10)
	w := GroupLen[T]()
	eachTarget(t, func(t *testing.T, kern *Kernels[T]) {
		r := newSource[T](21)
		for n := range 34 {
			for form := range 4 {
				r.hostile = form == 3
				rs, cs := n, 1
				if form%2 == 1 {
					rs, cs = 1, n
				}
				s := place(memS, form < 2, layout{rows: n * n, cols: w, rs: w, cs: 1}, func(e, l int) T {
					if e/max(1, n) == e%max(1, n) {
						return T(n)/2 + r.value(e, l)
					}
					return r.value(e, l)
				})
				groups := layout{rows: n, cols: w, rs: w, cs: 1}
				root, inv, x := place(memR, form < 2, groups, nan[T]), place(memI, form < 2, groups, nan[T]), place(memX, form < 2, groups, r.value)
				ws, wr, wi, wx := s.twin(), root.twin(), inv.twin(), x.twin()
				cholLanes(n, ws.ptr(), rs, cs, wr.ptr(), wi.ptr())
				kern.CholLanes(n, s.ptr(), rs, cs, root.ptr(), inv.ptr())
				solveLanes(n, ws.ptr(), rs, cs, wi.ptr(), wx.ptr())
				kern.SolveLanes(n, s.ptr(), rs, cs, inv.ptr(), x.ptr())
				if d := s.differs("s", ws.window) + root.differs("root", wr.window) + inv.differs("inv", wi.window) + x.differs("x", wx.window); d != "" {
					t.Fatalf("n=%d strides %d,%d: %s", n, rs, cs, d)
				}
			}
		}
	})
}
