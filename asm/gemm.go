package asm

import "unsafe"

// at returns the element at offset i from p.
func at[T Float](p *T, i int) *T {
	return (*T)(unsafe.Add(unsafe.Pointer(p), i*int(unsafe.Sizeof(*p))))
}

// gemm is the generic twin of Kernels.Gemm, the product of one strip:
//
//	C[0:m, 0:n] ∘= alpha · A[0:m, 0:k] · B[0:k, 0:n]
//
// with m ≤ MR and any n and k. Element (i, l) of A is at a[i·rsa + l·csa], and
// one of rsa and csa is 1. Columns of B come in panels of NR: element (l, j) is
// at b[(j/NR)·psb + l·ldb + j mod NR], so that both a packed B (ldb = NR,
// psb = k·NR) and a row-major B in place (psb = NR) can be used. Element (i, j)
// of C is at c[i·ldc + j]. Strides may be negative. Nothing outside the named
// elements is read or written.
//
// Order: every element of C has one accumulator, and l increases:
// acc = fma(A[i,l], B[l,j], acc). Mode says where acc starts and where it goes.
func gemm[T Float](m, n, k int, alpha T, a *T, rsa, csa int, b *T, ldb, psb int, c *T, ldc int, mode int) {
	for j := range n {
		bj := (j/genericNR)*psb + j%genericNR
		for i := range m {
			cij := at(c, i*ldc+j)
			var acc T
			if mode == Chain {
				acc = *cij
			}
			for l := range k {
				acc = fma(*at(a, i*rsa+l*csa), *at(b, bj+l*ldb), acc)
			}
			switch mode {
			case Store:
				acc = T(alpha * acc)
			case Add:
				acc = fma(alpha, acc, *cij)
			}
			*cij = acc
		}
	}
}

// Register tile of the generic kernel.
const genericMR, genericNR = 4, 8

// pack is the generic twin of Kernels.Pack: it copies the row-major k×n matrix
// src into panels of w columns, element (l, j) to dst[(j/w)·k·w + l·w + j mod w].
// Columns that the last panel lacks are set to zero.
func pack[T Float](k, n, w int, src *T, ld int, dst *T) {
	packStrided(k, n, w, src, ld, 1, dst)
}

// packT is the generic twin of Kernels.PackT: Pack of the transpose of the
// row-major n×k matrix src, so element (l, j) is src[j·ld + l].
func packT[T Float](k, n, w int, src *T, ld int, dst *T) {
	packStrided(k, n, w, src, 1, ld, dst)
}

func packStrided[T Float](k, n, w int, src *T, rs, cs int, dst *T) {
	for j0 := 0; j0 < n; j0 += w {
		for l := range k {
			for j := range w {
				var v T
				if j0+j < n {
					v = *at(src, l*rs+(j0+j)*cs)
				}
				*at(dst, j0*k+l*w+j) = v
			}
		}
	}
}

// transTo is the generic twin of Kernels.TransTo: dst, n×m with row stride ldd,
// becomes the transpose of the m×n matrix src with row stride ld.
func transTo[T Float](m, n int, src *T, ld int, dst *T, ldd int) {
	for i := range m {
		for j := range n {
			*at(dst, j*ldd+i) = *at(src, i*ld+j)
		}
	}
}
