package hard

import (
	"math"
	"slices"
)

// General returns an m×n matrix of class c.
func General[T Float](c Class, m, n int) Matrix[T] {
	s := sourceOf(c, 2, m, n)
	k := min(m, n)
	d, ok := spectrum[T](c, k, s)
	var a []float64
	switch {
	case c == Diagonal:
		a = diagonal(m, n, d)
		for i := range k {
			a[i*n+i] = math.Copysign(a[i*n+i], s.sign())
		}
	case c == Random || c == PermutedBlocks:
		a, d = elements(c, m, n, s)
	case ok:
		a = rotated(m, n, d, s)
	default:
		a, d = elements(c, m, n, s)
		if c == GluedWilkinson {
			a, d = glued[T](m, n), nil
		}
	}
	slices.Sort(d)
	slices.Reverse(d)
	return round[T](m, n, a, scale[T](c, k), d)
}

// elements generates the classes that are given by their elements.
func elements(c Class, m, n int, s *source) (a, values []float64) {
	a = make([]float64, m*n)
	switch c {
	case Random, GradedDown, GradedUp:
		for i := range m {
			d := 1.
			if c != Random {
				d = grade(c, i, m)
			}
			for j := range n {
				a[i*n+j] = float64(s.symmetric() * d)
			}
		}
	case Hilbert:
		for i := range m {
			for j := range n {
				a[i*n+j] = 1 / float64(i+j+1)
			}
		}
	case Arrowhead:
		for i := range m {
			for j := range n {
				if i == j || i == 0 || j == 0 {
					a[i*n+j] = s.symmetric()
				}
			}
		}
	case RankOne, IdentityPlusRankOne:
		u, v := s.integers(m), s.integers(n)
		for i := range m {
			for j := range n {
				a[i*n+j] = u[i] * v[j] // exact
				if i == j && c == IdentityPlusRankOne {
					a[i*n+j]++
				}
			}
		}
		if c == RankOne {
			values = make([]float64, min(m, n))
			if len(values) > 0 {
				values[0] = math.Sqrt(float64(sumOfSquares(u) * sumOfSquares(v)))
			}
		}
	case Tridiagonal:
		for i := range m {
			for j := max(0, i-1); j < min(n, i+2); j++ {
				a[i*n+j] = s.symmetric()
			}
		}
	case PermutedBlocks:
		rows, cols := s.permutation(m), s.permutation(n)
		for lo := 0; lo < min(m, n); {
			hi := min(m, n, lo+1+s.below(5))
			for i := lo; i < hi; i++ {
				for j := lo; j < hi; j++ {
					a[rows[i]*n+cols[j]] = s.symmetric()
				}
			}
			lo = hi
		}
	}
	return a, values
}

// glued returns the part of a glued Wilkinson matrix that fits.
func glued[T Float](m, n int) []float64 {
	a := make([]float64, m*n)
	for i := range min(m, n) {
		v, beside := wilkinson[T](i)
		a[i*n+i] = v
		if i+1 < m {
			a[(i+1)*n+i] = beside
		}
		if i+1 < n {
			a[i*n+i+1] = beside
		}
	}
	return a
}

func sumOfSquares(u []float64) (sum float64) {
	for _, v := range u {
		sum += v * v // exact, small integers
	}
	return sum
}
