package asm

// trmm is the generic twin of Kernels.Trmm, a block row of a product with a
// lower triangle, in place. The operands are those of trsm, except that d holds
// the diagonal itself: the last m of the k+m rows of b are replaced by the
// product of the block row of the triangle with all of them, times alpha.
//
// Order: row i of the m, from the last to the first, takes acc = +0, then
// acc = fma(l[i,p], b[p], acc) for p = 0 … k+i−1, then acc = fma(d[i], b[k+i], acc),
// and becomes T(alpha·acc).
func trmm[T Float](m, n, k int, alpha T, l *T, rsl, csl int, d *T, b *T, ldb int) {
	for i := m - 1; i >= 0; i-- {
		row := at(b, (k+i)*ldb)
		for j := range n {
			var acc T
			for p := range k + i {
				acc = fma(*at(l, i*rsl+p*csl), *at(b, p*ldb+j), acc)
			}
			acc = fma(*at(d, i), *at(row, j), acc)
			*at(row, j) = T(alpha * acc)
		}
	}
}
