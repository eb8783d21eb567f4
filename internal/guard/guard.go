// Package guard gives tests slices at the border of forbidden memory: a kernel
// that reads or writes one element too many, at either end, crashes the test
// instead of passing by luck. On operating systems for which it has no such memory
// it surrounds them with a pattern: a write beside them then fails the test at its
// end, and a read beside them gives NaN.
package guard

import "unsafe"

// Elem is the set of element types that kernels work on.
type Elem interface{ float32 | float64 | uint16 }

// A Buffer is memory between two stretches that must not be accessed.
type Buffer[T Elem] struct{ mem []T }

// Begin returns the first n elements of the buffer; what lies before them
// must not be accessed.
func (b *Buffer[T]) Begin(n int) []T { return b.mem[:n:n] }

// End returns the last n elements of the buffer; what lies after them must not
// be accessed. The slices of Begin and End overlap where they are long.
func (b *Buffer[T]) End(n int) []T {
	k := len(b.mem) - n
	if n == 0 { // b.mem[len:] would point to the begin
		return unsafe.Slice((*T)(unsafe.Add(unsafe.Pointer(&b.mem[0]), k*int(unsafe.Sizeof(b.mem[0])))), 0)
	}
	return b.mem[k:]
}
