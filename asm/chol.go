package asm

import "math"

// chol is the generic twin of Kernels.Chol, a diagonal block of a Cholesky
// factorisation A = Uᵀ·U, row-major and in place of the upper triangle of A, row p
// at u[p·ldu]. The k rows above the block are factored already; of them the kernel
// reads columns k to k+m, of the m rows of the block the upper triangle of the
// same columns, which becomes that of U. inv receives the m reciprocals of the
// diagonal. m is at most Kernels.CholMax.
//
// Order: element (i, j) is a, then a = fma(−u[p,i], u[p,j], a) for p = 0 … i−1; on the
// diagonal that gives the pivot d, u[i,i] = √d and inv[i] = 1/u[i,i]; elsewhere
// u[i,j] = T(inv[i]·a). So the order does not depend on how the matrix is cut.
//
// It returns the number of rows that are finished: less than m if the next
// pivot is not positive or not finite. The rows from there on are unchanged.
func chol[T Float](m, k int, u *T, ldu int, inv *T) int {
	var row [genericCholMax]T
	for i := range m {
		for j := i; j < m; j++ {
			a := *at(u, (k+i)*ldu+k+j)
			for p := range k + i {
				a = fma(-*at(u, p*ldu+k+i), *at(u, p*ldu+k+j), a)
			}
			row[j] = a
		}
		d := row[i]
		if !(d > 0 && !math.IsInf(float64(d), 1)) {
			return i
		}
		row[i] = sqrt(d)
		r := 1 / row[i]
		*at(inv, i) = r
		*at(u, (k+i)*ldu+k+i) = row[i]
		for j := i + 1; j < m; j++ {
			*at(u, (k+i)*ldu+k+j) = T(r * row[j])
		}
	}
	return m
}

// Largest block of the generic kernel.
const genericCholMax = 16
