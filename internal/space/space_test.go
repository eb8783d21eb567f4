package space

import (
	"testing"
	"unsafe"
)

func TestSpace(t *testing.T) {
	t.Run("f32", testSpace[float32])
	t.Run("f64", testSpace[float64])
}

func offset[E any](s []E) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(s))) % Alignment }

func testSpace[T Float](t *testing.T) {
	line := Line[T]()
	for _, n := range []int{0, 1, line - 1, line, 1000} {
		exact := make([]T, n+line+1)[1:] // at any offset
		w, b := Get("space", "op", exact, n)
		if len(w) != n || b != nil || n > 0 && offset(w) != 0 {
			t.Errorf("n = %d: %d elements at offset %d of the caller's", n, len(w), offset(w))
		}
		Put(b)
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("n = %d: no panic for a workspace that is too short", n)
				}
			}()
			Get("space", "op", exact[1:], n)
		}()
		if w, b = Get[T]("space", "op", nil, n); len(w) != n || n > 0 && offset(w) != 0 {
			t.Errorf("n = %d: %d elements at offset %d of the pool's", n, len(w), offset(w))
		}
		Put(b)
		if k := testing.AllocsPerRun(10, func() { _, b := Get[T]("space", "op", nil, n); Put(b) }); k != 0 {
			t.Errorf("n = %d: %v allocations", n, k)
		}
	}
}

func TestArena(t *testing.T) {
	t.Run("f32", testArena[float32])
	t.Run("f64", testArena[float64])
}

// testArena writes to all parts of an arena of the size that the same calls counted; each
// must keep what was written to it.
func testArena[T Float](t *testing.T) {
	var x, y []T
	var ld int
	var i []int32
	var d []float64
	take := func(a *Arena[T]) {
		x = a.Take(3)
		ld, y = a.Rows(5, 33)
		i = a.Indices(7)
		d = a.Doubles(5)
	}
	var count Arena[T]
	take(&count)
	if x != nil || y != nil || i != nil || d != nil {
		t.Fatal("parts of no workspace")
	}
	space, b := Get[T]("space", "op", nil, count.Used()+2)
	defer Put(b)
	a := Over(space)
	take(&a)
	if a.Used() != count.Used() || len(a.Rest()) != 2 {
		t.Errorf("%d of %d elements used, %d left", a.Used(), count.Used(), len(a.Rest()))
	}
	if len(x) != 3 || len(y) != 5*ld || ld < 33 || ld/Line[T]()%2 == 0 || ld%Line[T]() != 0 || len(i) != 7 || len(d) != 5 {
		t.Fatalf("parts of %d, 5×%d in %d, %d, %d", len(x), ld, len(y), len(i), len(d))
	}
	for _, at := range []uintptr{offset(x), offset(y), offset(i), offset(d)} {
		if at != 0 {
			t.Errorf("a part at offset %d", at)
		}
	}
	for k := range x {
		x[k] = 1
	}
	for k := range y {
		y[k] = 2
	}
	for k := range i {
		i[k] = 3
	}
	for k := range d {
		d[k] = 4
	}
	for k := range a.Rest() {
		a.Rest()[k] = 5
	}
	sum := 0.
	for _, v := range x {
		sum += float64(v)
	}
	for _, v := range y {
		sum += float64(v)
	}
	for _, v := range i {
		sum += float64(v)
	}
	for _, v := range d {
		sum += v
	}
	if want := float64(3 + 2*5*ld + 3*7 + 4*5); sum != want {
		t.Errorf("the parts sum to %v, want %v", sum, want)
	}
}
