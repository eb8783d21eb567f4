package guard

import (
	"testing"
	"unsafe"
)

const (
	margin = 4096 // bytes on each side of a buffer between patterns
	filler = 0xff // of them: a NaN in each of the types
)

// newPattern returns a buffer for at least n elements, as many as pages of 4 KiB
// hold, between stretches that are filled with a pattern.
func newPattern[T Elem](tb testing.TB, n int) *Buffer[T] {
	tb.Helper()
	size := int(unsafe.Sizeof(T(0)))
	inner := max(1, (n*size+margin-1)/margin) * margin
	words := make([]uint64, (inner+2*margin)/8) // aligned for all types
	mem := unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), inner+2*margin)
	fences := [][]byte{mem[:margin], mem[margin+inner:]}
	for _, fence := range fences {
		for i := range fence {
			fence[i] = filler
		}
	}
	tb.Cleanup(func() {
		for i, fence := range fences {
			for at, v := range fence {
				if v != filler {
					tb.Errorf("guard: the byte at %d of the %d %s a buffer was overwritten", at, margin, []string{"before", "after"}[i])
					break
				}
			}
		}
	})
	return &Buffer[T]{unsafe.Slice((*T)(unsafe.Pointer(&mem[margin])), inner/size)}
}
