//go:build (amd64 || arm64) && !purego

package asm

import "unsafe"

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
