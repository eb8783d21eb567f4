//go:build !purego

package asm

import "unsafe"

// A triangle goes to the kernels in blocks of neonMR rows: what the rows above a
// block contribute is a matrix product, what is left is a triangle of at most
// eight rows that triangleSolve and triangleMul do in registers.

//go:noescape
func triangleSolveNEONF32(m, n int, t *float32, b *float32, ldb int)

//go:noescape
func triangleSolveNEONF64(m, n int, t *float64, b *float64, ldb int)

//go:noescape
func triangleMulNEONF32(m, n int, alpha float32, t *float32, b *float32, ldb int, w *float32, ldw int)

//go:noescape
func triangleMulNEONF64(m, n int, alpha float64, t *float64, b *float64, ldb int, w *float64, ldw int)

// neonDepth is the depth of the blocks of a triangle that are copied, and
// neonChunk the number of columns that are multiplied with a triangle at a time;
// both only bound buffers on the stack.
const neonDepth, neonChunk = 64, 48

// neonTriangle copies the strict lower triangle l of order m and the diagonal d to
// t in the layout of the kernels.
func neonTriangle[T Float](m int, l *T, rsl, csl int, d *T, t *[neonMR * neonMR]T) {
	for i := range m {
		for p := range i {
			t[i*neonMR+p] = *at(l, i*rsl+p*csl)
		}
		t[i*neonMR+neonMR-1] = *at(d, i)
	}
}

// trsmNEON is Kernels.Trsm.
func trsmNEON[T Float](m, n, k int, alpha T, l *T, rsl, csl int, inv *T, b *T, ldb int) {
	if n == 0 {
		return
	}
	if alpha != 1 { // 1·b is b
		for i := k; i < k+m; i++ {
			scal(alpha, unsafe.Slice(at(b, i*ldb), n))
		}
	}
	var t [neonMR * neonMR]T
	var a [neonMR * neonDepth]T
	for ; m > 0; m -= neonMR {
		h := min(m, neonMR)
		x := at(b, k*ldb)
		for p := 0; p < k; p += neonDepth {
			depth := min(neonDepth, k-p)
			for i := range h {
				for q := range depth {
					a[q*neonMR+i] = -*at(l, i*rsl+(p+q)*csl)
				}
			}
			gemmNEON(h, n, depth, 1, &a[0], 1, neonMR, at(b, p*ldb), ldb, x, ldb, Chain)
		}
		neonTriangle(h, at(l, k*csl), rsl, csl, inv, &t)
		if is32[T]() {
			triangleSolveNEONF32(h, n, (*float32)(unsafe.Pointer(&t)), (*float32)(unsafe.Pointer(x)), ldb)
		} else {
			triangleSolveNEONF64(h, n, (*float64)(unsafe.Pointer(&t)), (*float64)(unsafe.Pointer(x)), ldb)
		}
		l, inv, k = at(l, neonMR*rsl), at(inv, neonMR), k+neonMR
	}
}

// trmmNEON is Kernels.Trmm.
func trmmNEON[T Float](m, n, k int, alpha T, l *T, rsl, csl int, d *T, b *T, ldb int) {
	var t [neonMR * neonMR]T
	var a [neonMR * neonDepth]T
	var w [neonMR * neonChunk]T
	direct := rsl == 1 || csl == 1
	for i := (m - 1) / neonMR * neonMR; m > 0; i, m = i-neonMR, i {
		h, above := m-i, k+i
		li := at(l, i*rsl)
		neonTriangle(h, at(li, above*csl), rsl, csl, at(d, i), &t)
		for j := 0; j < n; j += neonChunk {
			width := min(neonChunk, n-j)
			x := at(b, above*ldb+j)
			if direct {
				gemmNEON(h, width, above, 1, li, rsl, csl, at(b, j), ldb, &w[0], neonChunk, Store)
			} else {
				mode := Store // with 1·acc
				for p := 0; p == 0 || p < above; p += neonDepth {
					depth := min(neonDepth, above-p)
					for r := range h {
						for q := range depth {
							a[q*neonMR+r] = *at(li, r*rsl+(p+q)*csl)
						}
					}
					gemmNEON(h, width, depth, 1, &a[0], 1, neonMR, at(b, p*ldb+j), ldb, &w[0], neonChunk, mode)
					mode = Chain
				}
			}
			if is32[T]() {
				triangleMulNEONF32(h, width, float32(alpha), (*float32)(unsafe.Pointer(&t)), (*float32)(unsafe.Pointer(x)), ldb, (*float32)(unsafe.Pointer(&w)), neonChunk)
			} else {
				triangleMulNEONF64(h, width, float64(alpha), (*float64)(unsafe.Pointer(&t)), (*float64)(unsafe.Pointer(x)), ldb, (*float64)(unsafe.Pointer(&w)), neonChunk)
			}
		}
	}
}

// gemmNEON is Kernels.Gemm with a row-major B in place, called such that nothing
// escapes.
func gemmNEON[T Float](m, n, k int, alpha T, a *T, rsa, csa int, b *T, ldb int, c *T, ldc int, mode int) {
	if is32[T]() {
		gemmNEONF32(m, n, k, float32(alpha), (*float32)(unsafe.Pointer(a)), rsa, csa,
			(*float32)(unsafe.Pointer(b)), ldb, neonNR32, (*float32)(unsafe.Pointer(c)), ldc, mode)
	} else {
		gemmNEONF64(m, n, k, float64(alpha), (*float64)(unsafe.Pointer(a)), rsa, csa,
			(*float64)(unsafe.Pointer(b)), ldb, neonNR64, (*float64)(unsafe.Pointer(c)), ldc, mode)
	}
}
