package dense

import (
	"sync"
	"unsafe"
)

// poolOf returns the pool of the element type.
func poolOf[T Float](f32, f64 *sync.Pool) *sync.Pool {
	if unsafe.Sizeof(T(0)) == 4 {
		return f32
	}
	return f64
}
