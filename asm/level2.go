package asm

// This file holds the generic twins of the level-2 kernels. The matrix a is m×n,
// row-major with row stride lda ≥ n; x and y are contiguous. Callers cut the
// matrix such that one call covers at most some [Chunk] elements of it, by rows:
// that changes no result.

// row returns row i of a, which may have no elements at all.
func row[T Float](a []T, i, lda, n int) []T {
	if n == 0 {
		return nil
	}
	return a[i*lda : i*lda+n]
}

// gemvN is the generic twin of Kernels.GemvN: y += alpha·a·x. len(x) ≥ n,
// len(y) ≥ m.
//
// Order: y[i] = fma(alpha, Dot(a[i,:], x), y[i]), with the lanes of Dot.
func gemvN[T Float](m, n int, alpha T, a []T, lda int, x, y []T) {
	for i := range m {
		y[i] = fma(alpha, dot(row(a, i, lda, n), x), y[i])
	}
}

// gemvT is the generic twin of Kernels.GemvT: y += alpha·aᵀ·x. len(x) ≥ m,
// len(y) ≥ n.
//
// Order: for i = 0 … m−1: y[j] = fma(T(alpha·x[i]), a[i,j], y[j]), which is Axpy
// row by row.
func gemvT[T Float](m, n int, alpha T, a []T, lda int, x, y []T) {
	for i := range m {
		axpy(T(alpha*x[i]), row(a, i, lda, n), y)
	}
}

// ger is the generic twin of Kernels.Ger: a += alpha·x·yᵀ. len(x) ≥ m,
// len(y) ≥ n.
//
// Each element: a[i,j] = fma(T(alpha·x[i]), y[j], a[i,j]).
func ger[T Float](m, n int, alpha T, x, y []T, a []T, lda int) {
	for i := range m {
		axpy(T(alpha*x[i]), y[:n], row(a, i, lda, n))
	}
}

// dotAxpy is the generic twin of Kernels.DotAxpy: it returns Dot(a, x) and does
// Axpy(t, a, y), reading a once. x and y do not overlap.
func dotAxpy[T Float](t T, a, x, y []T) T {
	d := dot(a, x)
	axpy(t, a, y)
	return d
}

// gemvNT is the generic twin of Kernels.GemvNT: DotAxpy row by row, d[i] being its
// result for row i. len(f), len(d) ≥ m, len(x), len(y) ≥ n; x, y and d do not overlap.
func gemvNT[T Float](m, n int, f []T, a []T, lda int, x, y, d []T) {
	gemvNTBy(dotAxpy[T])(m, n, f, a, lda, x, y, d)
}

// gemvNTBy makes GemvNT of a kernel DotAxpy.
func gemvNTBy[T Float](dotAxpy func(t T, a, x, y []T) T) func(m, n int, f []T, a []T, lda int, x, y, d []T) {
	return func(m, n int, f []T, a []T, lda int, x, y, d []T) {
		for i := range m {
			d[i] = dotAxpy(f[i], row(a, i, lda, n), x, y)
		}
	}
}
