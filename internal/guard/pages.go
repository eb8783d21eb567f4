//go:build linux || darwin || freebsd || netbsd || openbsd

package guard

import (
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// New returns a buffer for at least n elements, which is zero and lives until
// the end of the test. The stretches beside it are pages without access.
func New[T Elem](tb testing.TB, n int) *Buffer[T] {
	tb.Helper()
	page := unix.Getpagesize()
	size := int(unsafe.Sizeof(T(0)))
	inner := max(1, (n*size+page-1)/page) * page
	mem, err := unix.Mmap(-1, 0, inner+2*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		tb.Fatalf("guard: mmap: %v", err)
	}
	tb.Cleanup(func() {
		if err := unix.Munmap(mem); err != nil {
			tb.Errorf("guard: munmap: %v", err)
		}
	})
	for _, fence := range [][]byte{mem[:page], mem[page+inner:]} {
		if err := unix.Mprotect(fence, unix.PROT_NONE); err != nil {
			tb.Fatalf("guard: mprotect: %v", err)
		}
	}
	return &Buffer[T]{unsafe.Slice((*T)(unsafe.Pointer(&mem[page])), inner/size)}
}
