package asm

import "unsafe"

// GroupLen is the number of matrices that are interleaved: element (i, j) of
// matrix l of a group is at s[(i·rs + j·cs)·GroupLen + l].
func GroupLen[T Float]() int { return 64 / int(unsafe.Sizeof(T(0))) }

// cholLanes is the generic twin of Kernels.CholLanes, Cholesky factorisations A = Uᵀ·U
// of a group of interleaved n×n matrices in place of their upper triangles. root
// and inv receive n groups, the diagonal of U and its reciprocals.
//
// The order is that of chol, but there is no test: a matrix with a bad pivot has
// an infinity or a NaN in root or inv, and nothing of use in s.
func cholLanes[T Float](n int, s *T, rs, cs int, root, inv *T) {
	w := GroupLen[T]()
	for l := range w {
		u := func(i, j int) *T { return at(s, (i*rs+j*cs)*w+l) }
		for i := range n {
			for j := i; j < n; j++ {
				a := u(i, j)
				for p := range i {
					*a = fma(-*u(p, i), *u(p, j), *a)
				}
				if j == i {
					r := sqrt(*a)
					*a, *at(root, i*w+l), *at(inv, i*w+l) = r, r, 1/r
				} else {
					*a = T(*at(inv, i*w+l) * *a)
				}
			}
		}
	}
}

// solveLanes is the generic twin of Kernels.SolveLanes: it solves UᵀU·x = b for
// the factors and reciprocals that cholLanes makes, in place of the n groups x.
// The order is that of trsm, for Uᵀ and then, from the last row up, for U.
func solveLanes[T Float](n int, s *T, rs, cs int, inv, x *T) {
	w := GroupLen[T]()
	for l := range w {
		row := func(i int) *T { return at(x, i*w+l) }
		for i := range n {
			*row(i) = T(*at(inv, i*w+l) * *row(i))
			for j := i + 1; j < n; j++ {
				*row(j) = fma(-*at(s, (i*rs+j*cs)*w+l), *row(i), *row(j))
			}
		}
		for i := n - 1; i >= 0; i-- {
			*row(i) = T(*at(inv, i*w+l) * *row(i))
			for j := range i {
				*row(j) = fma(-*at(s, (j*rs+i*cs)*w+l), *row(i), *row(j))
			}
		}
	}
}
