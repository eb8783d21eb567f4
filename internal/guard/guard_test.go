package guard

import (
	"runtime/debug"
	"testing"
	"unsafe"
)

func TestBuffer(t *testing.T) {
	t.Run("f32", testBuffer[float32])
	t.Run("f64", testBuffer[float64])
	t.Run("u16", testBuffer[uint16])
}

// faults reports whether reading, and whether writing at p crashes.
func faults[T Elem](p unsafe.Pointer) (read, write bool) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	try := func(f func()) (crashed bool) {
		defer func() { crashed = recover() != nil }()
		f()
		return
	}
	var sink T
	read = try(func() { sink = *(*T)(p) })
	write = try(func() { *(*T)(p) = sink })
	return read, write
}

func testBuffer[T Elem](t *testing.T) {
	b := New[T](t, 1000)
	size := int(unsafe.Sizeof(T(0)))
	for _, n := range []int{0, 1, 7, 1000} {
		x, y := b.Begin(n), b.End(n)
		if len(x) != n || cap(x) != n || len(y) != n || cap(y) != n {
			t.Fatalf("n = %d: lengths %d, %d, capacities %d, %d", n, len(x), len(y), cap(x), cap(y))
		}
		for i := range n {
			x[i], y[i] = 1, 2
		}
		if r, w := faults[T](unsafe.Add(unsafe.Pointer(unsafe.SliceData(x)), -size)); !r || !w {
			t.Errorf("n = %d: no fault before Begin: read %v, write %v", n, r, w)
		}
		if r, w := faults[T](unsafe.Add(unsafe.Pointer(unsafe.SliceData(y)), n*size)); !r || !w {
			t.Errorf("n = %d: no fault behind End: read %v, write %v", n, r, w)
		}
		if n > 0 {
			if r, w := faults[T](unsafe.Pointer(&y[n-1])); r || w {
				t.Errorf("n = %d: fault inside", n)
			}
		}
	}
}
