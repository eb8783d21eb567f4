package asm

// trsm is the generic twin of Kernels.Trsm, a block row of a forward
// substitution. b holds k rows that are solved already and m more, all n long,
// row p at b[p·ldb]. The m×(k+m) block row of the lower triangle has its element
// (i, p) at l[i·rsl + p·csl]; what lies on and above the diagonal, p ≥ k+i, is
// not read. inv holds the m reciprocals of the diagonal (ones for a unit
// diagonal). Strides may be negative, so that upper triangles can be solved from
// the last row up, and transposed ones in place.
//
// Order: row i of the m takes b = T(alpha·b), then b = fma(−l[i,p], b[p], b) for
// p = 0 … k+i−1, then b = T(inv[i]·b). So the order does not depend on how a
// triangle is cut into block rows.
func trsm[T Float](m, n, k int, alpha T, l *T, rsl, csl int, inv *T, b *T, ldb int) {
	for i := range m {
		row := at(b, (k+i)*ldb)
		for j := range n {
			*at(row, j) = T(alpha * *at(row, j))
		}
		for p := range k + i {
			f := -*at(l, i*rsl+p*csl)
			for j := range n {
				*at(row, j) = fma(f, *at(b, p*ldb+j), *at(row, j))
			}
		}
		d := *at(inv, i)
		for j := range n {
			*at(row, j) = T(d * *at(row, j))
		}
	}
}
