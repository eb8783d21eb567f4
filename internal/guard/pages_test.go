//go:build linux || darwin || freebsd || netbsd || openbsd

package guard

import (
	"runtime/debug"
	"testing"
	"unsafe"
)

func TestPages(t *testing.T) {
	t.Run("f32", testPages[float32])
	t.Run("f64", testPages[float64])
	t.Run("u16", testPages[uint16])
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

func testPages[T Elem](t *testing.T) {
	b := New[T](t, 1000)
	size := int(unsafe.Sizeof(T(0)))
	for _, n := range lengths {
		x, y := ends(t, b, n)
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
