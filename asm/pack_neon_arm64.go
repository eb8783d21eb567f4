//go:build !purego

package asm

import "unsafe"

//go:noescape
func copyRowsNEON(m, size int, src unsafe.Pointer, ld int, dst unsafe.Pointer, ldd int)

// copyToNEON is Kernels.CopyTo: rows of up to four registers in assembly, longer
// ones by the runtime's copy.
func copyToNEON[T Float](m, n int, src *T, ld int, dst *T, ldd int) {
	size := int(unsafe.Sizeof(*src))
	if m > 0 && n*size >= 16 && n*size <= 64 {
		copyRowsNEON(m, n*size, unsafe.Pointer(src), ld*size, unsafe.Pointer(dst), ldd*size)
		return
	}
	for i := range m {
		copy(unsafe.Slice(at(dst, i*ldd), n), unsafe.Slice(at(src, i*ld), n))
	}
}

// packNEON is Kernels.Pack: a panel is a copy of rows.
func packNEON[T Float](k, n, w int, src *T, ld int, dst *T) {
	for j := 0; j < n; j += w {
		have := min(w, n-j)
		panel := at(dst, j*k)
		copyToNEON(k, have, at(src, j), ld, panel, w)
		if have < w {
			for l := range k {
				clear(unsafe.Slice(at(panel, l*w+have), w-have))
			}
		}
	}
}

//go:noescape
func transBand8NEONF32(n int, src *float32, ld int, dst *float32, ldd int)

//go:noescape
func transBand4NEONF32(n int, src *float32, ld int, dst *float32, ldd int)

//go:noescape
func transBand4NEONF64(n int, src *float64, ld int, dst *float64, ldd int)

//go:noescape
func transBand2NEONF64(n int, src *float64, ld int, dst *float64, ldd int)

// transToNEONF32 is Kernels.TransTo. Bands of rows that are not a multiple of four
// end with one that overlaps the band before it.
func transToNEONF32(m, n int, src *float32, ld int, dst *float32, ldd int) {
	if m < 4 || n < 4 {
		transTo(m, n, src, ld, dst, ldd)
		return
	}
	i := 0
	for ; i+8 <= m; i += 8 {
		transBand8NEONF32(n, at(src, i*ld), ld, at(dst, i), ldd)
	}
	for ; i < m; i += 4 {
		i = min(i, m-4)
		transBand4NEONF32(n, at(src, i*ld), ld, at(dst, i), ldd)
	}
}

// transToNEONF64 is Kernels.TransTo.
func transToNEONF64(m, n int, src *float64, ld int, dst *float64, ldd int) {
	if m < 2 || n < 2 {
		transTo(m, n, src, ld, dst, ldd)
		return
	}
	i := 0
	for ; i+4 <= m; i += 4 {
		transBand4NEONF64(n, at(src, i*ld), ld, at(dst, i), ldd)
	}
	for ; i < m; i += 2 {
		i = min(i, m-2)
		transBand2NEONF64(n, at(src, i*ld), ld, at(dst, i), ldd)
	}
}
