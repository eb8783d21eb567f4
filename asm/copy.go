package asm

import "unsafe"

//go:generate go run -C gen . -family copy -isa avx2 -out ../copy_avx2_amd64.s -stubs ../copy_avx2_amd64.go -pkg asm
//go:generate go run -C gen . -family copy -isa avx512 -out ../copy_avx512_amd64.s -stubs ../copy_avx512_amd64.go -pkg asm

// copyTo is the generic twin of Kernels.CopyTo: dst, with row stride ldd, becomes
// a copy of the m×n matrix src with row stride ld. It exists because rows are
// often too short for one copy each. Strides may be negative.
func copyTo[T Float](m, n int, src *T, ld int, dst *T, ldd int) {
	if n <= 0 {
		return
	}
	for i := range m {
		copy(unsafe.Slice(at(dst, i*ldd), n), unsafe.Slice(at(src, i*ld), n))
	}
}
