package gonumblas

import (
	"sync"
	"unsafe"

	"github.com/precond-go/precond/dense"
)

// buffer is pooled memory, into which vectors with an increment are gathered.
type buffer[T dense.Float] struct{ data []T }

var (
	pool32 = sync.Pool{New: func() any { return new(buffer[float32]) }}
	pool64 = sync.Pool{New: func() any { return new(buffer[float64]) }}
)

func pool[T dense.Float]() *sync.Pool {
	if unsafe.Sizeof(T(0)) == 4 {
		return &pool32
	}
	return &pool64
}

// borrow returns a buffer of at least n elements.
func borrow[T dense.Float](n int) *buffer[T] {
	b := pool[T]().Get().(*buffer[T])
	if len(b.data) < n {
		b.data = make([]T, n+n/4)
	}
	return b
}

func (b *buffer[T]) giveBack() {
	if b != nil {
		pool[T]().Put(b)
	}
}

// first returns the index of the first of n elements at the distance inc.
func first(n, inc int) int {
	if inc < 0 {
		return (1 - n) * inc
	}
	return 0
}

// gather copies the elements of x at i, i+inc, … to dst.
func gather[T dense.Float](dst, x []T, i, inc int) {
	for ; len(dst) >= 4; dst = dst[4:] {
		dst[0], dst[1], dst[2], dst[3] = x[i], x[i+inc], x[i+2*inc], x[i+3*inc]
		i += 4 * inc
	}
	for j := range dst {
		dst[j] = x[i]
		i += inc
	}
}

// scatter copies src to the elements of x at i, i+inc, …
func scatter[T dense.Float](src, x []T, i, inc int) {
	for ; len(src) >= 4; src = src[4:] {
		x[i], x[i+inc], x[i+2*inc], x[i+3*inc] = src[0], src[1], src[2], src[3]
		i += 4 * inc
	}
	for _, v := range src {
		x[i] = v
		i += inc
	}
}
