package asm

// This file holds the operations of level 2 on triangles, row by row on top of the
// kernels of level 1, without checks. The triangle is in a, n×n and row-major with row
// stride lda; its diagonal is not read where it is unit. Rows are not cut into chunks:
// they only get long in matrices of many gigabytes.

// Trmv computes x = op(A)·x.
//
// Order: without a transpose, x_i = fma(a_ii, x_i, Dot) where Dot is over the rest of
// row i; with one, row by row x_j takes fma(x_i, a_ij, x_j). Rows are taken such that
// what a row needs of x has not been overwritten.
func Trmv[T Float](k *Kernels[T], lower, trans, unit bool, n int, a []T, lda int, x []T) {
	for s := range n {
		i := s
		if lower != trans {
			i = n - 1 - s
		}
		r, from, to := a[i*lda:i*lda+n], 0, i
		if !lower {
			from, to = i+1, n
		}
		row, xs := r[from:to], x[from:to]
		switch {
		case trans:
			AxpyFew(k, x[i], row, xs)
			if !unit {
				x[i] = T(r[i] * x[i])
			}
		case unit:
			x[i] += rowDot(k, row, xs)
		default:
			x[i] = fma(r[i], x[i], rowDot(k, row, xs))
		}
	}
}

// Trsv solves op(A)·x = b in place of b.
//
// Order: without a transpose, x_i = (x_i − Dot)/a_ii where Dot is over the rest of
// row i; with one, x_i = x_i/a_ii, and then x_j takes fma(−x_i, a_ij, x_j). Rows are
// taken in the reverse order of Trmv.
func Trsv[T Float](k *Kernels[T], lower, trans, unit bool, n int, a []T, lda int, x []T) {
	for s := range n {
		i := s
		if lower == trans {
			i = n - 1 - s
		}
		r, from, to := a[i*lda:i*lda+n], 0, i
		if !lower {
			from, to = i+1, n
		}
		row, xs := r[from:to], x[from:to]
		v := x[i]
		if !trans {
			v -= rowDot(k, row, xs)
		}
		if !unit {
			v /= r[i]
		}
		x[i] = v
		if trans {
			AxpyFew(k, -v, row, xs)
		}
	}
}

// SymvRows adds to s what the rows lo to hi of a triangle contribute to alpha·A·x,
// where A is symmetric.
//
// Order: row i adds fma(alpha·x_i, a_ij, s_j) to s_j beside the diagonal, and then
// fma(alpha, fma(a_ii, x_i, d), s_i) to its own, where d is the Dot of the same
// elements with x.
func SymvRows[T Float](k *Kernels[T], lower bool, lo, hi, n int, alpha T, a []T, lda int, x, s []T) {
	for i := lo; i < hi; i++ {
		r, from, to := a[i*lda:i*lda+n], 0, i
		if !lower {
			from, to = i+1, n
		}
		row, xs, ss := r[from:to], x[from:to], s[from:to]
		f := T(alpha * x[i])
		var d T
		if is32[T]() || len(row) > axpyFew {
			d = k.DotAxpy(f, row, xs, ss)
		} else {
			d = rowDot(k, row, xs)
			axpy64(float64(f), as64(row), as64(ss))
		}
		s[i] = fma(alpha, fma(r[i], x[i], d), s[i])
	}
}
