package guard

import (
	"testing"
	"unsafe"
)

func TestPattern(t *testing.T) {
	t.Run("f32", testPattern[float32])
	t.Run("f64", testPattern[float64])
	t.Run("u16", testPattern[uint16])
}

// A recorder is a test that notes whether it failed instead of failing.
type recorder struct {
	testing.TB
	cleanup func()
	failed  bool
}

func (r *recorder) Cleanup(f func())      { r.cleanup = f }
func (r *recorder) Errorf(string, ...any) { r.failed = true }

// lengths are the numbers of elements that slices of a buffer are tested with.
var lengths = []int{0, 1, 7, 1000}

// ends returns the slices of length n after writing to them.
func ends[T Elem](t *testing.T, b *Buffer[T], n int) (begin, end []T) {
	t.Helper()
	x, y := b.Begin(n), b.End(n)
	if len(x) != n || cap(x) != n || len(y) != n || cap(y) != n {
		t.Fatalf("n = %d: lengths %d, %d, capacities %d, %d", n, len(x), len(y), cap(x), cap(y))
	}
	for i := range n {
		x[i], y[i] = 1, 2
	}
	return x, y
}

func testPattern[T Elem](t *testing.T) {
	size := int(unsafe.Sizeof(T(0)))
	overwrites := func(n, before, after int) bool {
		r := &recorder{TB: t}
		b := newPattern[T](r, 1000)
		x, y := ends(t, b, n)
		for i := 1; i <= before; i++ {
			*(*T)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(x)), -i*size)) = 3
		}
		for i := range after {
			*(*T)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(y)), (n+i)*size)) = 3
		}
		r.cleanup()
		return r.failed
	}
	for _, n := range lengths {
		if overwrites(n, 0, 0) {
			t.Errorf("n = %d: failed though nothing was written beside the slices", n)
		}
		if !overwrites(n, 1, 0) || !overwrites(n, 0, 1) || !overwrites(n, margin/size, margin/size) {
			t.Errorf("n = %d: a write beside the slices passed", n)
		}
	}
}
