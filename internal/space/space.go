// Package space hands out workspaces: stretches of elements that begin at a cache
// line, from the caller's memory or from a pool, and their parts.
package space

import (
	"fmt"
	"math/bits"
	"sync"
	"unsafe"
)

// Float is the set of element types.
type Float interface{ float32 | float64 }

// Alignment of workspaces and their parts in bytes.
const Alignment = 64

// Line is the number of elements of a cache line. A workspace that the caller gives
// has to have so many more than are used, as room for the alignment.
func Line[T Float]() int { return Alignment / int(unsafe.Sizeof(T(0))) }

// Aligned returns the first n elements of w from its first aligned one on.
func Aligned[T Float](w []T, n int) []T {
	if len(w) == 0 {
		return w
	}
	size := unsafe.Sizeof(T(0))
	skip := int(-uintptr(unsafe.Pointer(&w[0])) % Alignment / size)
	return w[skip : skip+n : skip+n]
}

// Buffer is a pooled workspace.
type Buffer[T Float] struct{ data []T }

// Pools of workspaces by size: pool c holds those of 1<<c elements. Calls within
// calls ask for different sizes, and one of the wrong size would be no help.
var pools32, pools64 [bits.UintSize]sync.Pool

func pool[T Float](class int) *sync.Pool {
	if unsafe.Sizeof(T(0)) == 4 {
		return &pools32[class]
	}
	return &pools64[class]
}

// Get returns an aligned workspace of n elements: from work if that is not nil (which must
// then hold n plus Line elements), else from the pool. The second result is to be handed to
// Put, also when it is nil. It panics if work is too short, in the name of operation op
// of package pkg.
func Get[T Float](pkg, op string, work []T, n int) ([]T, *Buffer[T]) {
	need := n + Line[T]()
	if work != nil {
		if len(work) < need {
			panic(fmt.Sprintf("%s: %s: workspace has %d elements, needs %d", pkg, op, len(work), need))
		}
		return Aligned(work, n), nil
	}
	class := bits.Len(uint(need - 1))
	b, _ := pool[T](class).Get().(*Buffer[T])
	if b == nil {
		b = &Buffer[T]{make([]T, 1<<class)}
	}
	return Aligned(b.data, n), b
}

// Put gives a pooled workspace back.
func Put[T Float](b *Buffer[T]) {
	if b != nil {
		pool[T](bits.Len(uint(len(b.data) - 1))).Put(b)
	}
}
