//go:build amd64 && !purego

package asm

import "unsafe"

//go:generate go run -C gen . -family pack -isa avx2 -out ../pack_avx2_amd64.s -stubs ../pack_avx2_amd64.go -pkg asm
//go:generate go run -C gen . -family pack -isa avx512 -out ../pack_avx512_amd64.s -stubs ../pack_avx512_amd64.go -pkg asm

// packUpTo returns Kernels.Pack made of a kernel for panels of at most limit
// columns and the generic twin for wider ones.
func packUpTo[T Float](limit int, narrow func(k, n, w int, src *T, ld int, dst *T)) func(k, n, w int, src *T, ld int, dst *T) {
	return func(k, n, w int, src *T, ld int, dst *T) {
		if w <= limit {
			narrow(k, n, w, src, ld, dst)
		} else {
			pack(k, n, w, src, ld, dst)
		}
	}
}

// packTBy returns Kernels.PackT made of Kernels.TransTo: a panel is the
// transpose of w rows.
func packTBy[T Float](trans func(m, n int, src *T, ld int, dst *T, ldd int)) func(k, n, w int, src *T, ld int, dst *T) {
	return func(k, n, w int, src *T, ld int, dst *T) {
		for j := 0; j < n; j += w {
			have := min(w, n-j)
			panel := at(dst, j*k)
			trans(have, k, at(src, j*ld), ld, panel, w)
			if have < w {
				for l := range k {
					clear(unsafe.Slice(at(panel, l*w+have), w-have))
				}
			}
		}
	}
}
