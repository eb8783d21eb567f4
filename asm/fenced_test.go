//go:build unix

package asm

import (
	"syscall"
	"testing"
	"unsafe"
)

// fenced returns n elements, a whole number of pages, that lie between two
// pages without access rights.
func fenced[T Float](t testing.TB, n int) []T {
	t.Helper()
	size := n * int(unsafe.Sizeof(T(0)))
	page := syscall.Getpagesize()
	if size%page != 0 {
		t.Fatalf("%d bytes are not whole pages", size)
	}
	mem, err := syscall.Mmap(-1, 0, size+2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Munmap(mem) })
	for _, fence := range [2][]byte{mem[:page], mem[page+size:]} {
		if err := syscall.Mprotect(fence, syscall.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&mem[page])), n)
}
