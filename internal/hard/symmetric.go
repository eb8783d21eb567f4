package hard

import (
	"math"
	"slices"
)

// Symmetric returns a symmetric, in general indefinite, n×n matrix of class c.
func Symmetric[T Float](c Class, n int) Matrix[T] {
	return symmetric[T](c, n, sourceOf(c, 0, n, n), 0, true)
}

// Semidefinite returns a symmetric n×n matrix of class c without negative
// eigenvalues, except that rounding to T may have made some of those that are next to zero
// negative.
func Semidefinite[T Float](c Class, n int) Matrix[T] {
	return symmetric[T](c, n, sourceOf(c, 1, n, n), 0, false)
}

// SPD returns a symmetric positive definite n×n matrix of class c, definite enough
// that a Cholesky factorisation in T succeeds: where the class has eigenvalues
// near zero, they are raised to at least 16·n·ε times the largest. It panics for classes that
// are not Definite.
func SPD[T Float](c Class, n int) Matrix[T] {
	if !c.Definite() {
		panic("hard: SPD: class " + c.String() + " is singular")
	}
	return symmetric[T](c, n, sourceOf(c, 1, n, n), 16*float64(n)*Epsilon[T](), false) // exact up to a rounding
}

// symmetric generates a matrix of class c; eigenvalues are at least floor, and
// have both signs if indefinite.
func symmetric[T Float](c Class, n int, s *source, floor float64, indefinite bool) Matrix[T] {
	d, ok := spectrum[T](c, n, s)
	if ok {
		for i := range d {
			d[i] = max(d[i], floor)
			if indefinite {
				d[i] = math.Copysign(d[i], s.sign())
			}
		}
	}
	var a []float64
	switch {
	case c == Random && indefinite:
		a, d = make([]float64, n*n), nil
		for i := range n {
			for j := range i + 1 {
				a[i*n+j] = s.symmetric()
				a[j*n+i] = a[i*n+j]
			}
		}
	case c == Diagonal:
		a = diagonal(n, n, d)
	case c == PermutedBlocks:
		a = permutedBlocks(d, s)
	case ok:
		a = similar(d, s)
	default:
		a, d = structured[T](c, n, s, floor, indefinite)
	}
	slices.Sort(d)
	return round[T](n, n, a, scale[T](c, n), d)
}

// structured generates the classes that are not made from a spectrum.
func structured[T Float](c Class, n int, s *source, floor float64, indefinite bool) (a, values []float64) {
	a = make([]float64, n*n)
	set := func(i, j int, v float64) { a[i*n+j], a[j*n+i] = v, v }
	switch c {
	case GradedDown, GradedUp:
		return gradedRows(c, n, s, indefinite), nil
	case GluedWilkinson:
		for i := range n {
			v, beside := wilkinson[T](i)
			if !indefinite {
				v += 2
			}
			set(i, i, v)
			if i+1 < n {
				set(i+1, i, beside)
			}
		}
	case Hilbert:
		for i := range n {
			for j := range i {
				set(i, j, 1/float64(i+j+1))
			}
			set(i, i, 1/float64(2*i+1)+floor)
		}
	case Arrowhead:
		for i := range n {
			if indefinite {
				set(i, i, s.symmetric())
				set(i, 0, s.symmetric())
			} else {
				set(i, i, 1)
				set(i, 0, s.symmetric()/2)
			}
		}
		if n > 0 && !indefinite {
			set(0, 0, float64(n))
		}
	case RankOne, IdentityPlusRankOne:
		u := s.integers(n)
		values = make([]float64, n)
		sign, norm := 1., 0.
		if indefinite {
			sign = -1
		}
		for i := range n {
			norm += u[i] * u[i] // exact
			for j := range i + 1 {
				set(i, j, sign*u[i]*u[j]) // exact
			}
			if c == IdentityPlusRankOne {
				a[i*n+i]++
				values[i]++
			}
		}
		if n > 0 {
			values[0] += sign * norm // exact
		}
	case Tridiagonal:
		values = make([]float64, n)
		shift := float64(n)
		if indefinite {
			shift = 0
		}
		for i := range n {
			set(i, i, shift)
			if i+1 < n {
				set(i+1, i, math.Sqrt(float64((i+1)*(n-1-i))))
			}
			values[i] = float64(2*i+1-n) + shift
		}
	}
	return a, values
}

// gradedRows returns D·S·D, where the squares of the diagonal matrix D are in
// geometric progression and S is random, or random with eigenvalues in [1/2, 1].
func gradedRows(c Class, n int, s *source, indefinite bool) []float64 {
	var a []float64
	if indefinite {
		a = make([]float64, n*n)
		for i := range n {
			for j := range i + 1 {
				a[i*n+j] = s.symmetric()
				a[j*n+i] = a[i*n+j]
			}
		}
	} else {
		d := make([]float64, n)
		for i := range d {
			d[i] = (1 + s.uniform()) / 2
		}
		a = similar(d, s)
	}
	for i := range n {
		for j := range n {
			d := float64(grade(c, i, n) * grade(c, j, n))
			a[i*n+j] = float64(a[i*n+j] * math.Sqrt(d))
		}
	}
	return a
}

// grade returns the factor of row i of n rows of GradedDown or GradedUp.
func grade(c Class, i, n int) float64 {
	if c == GradedUp {
		i = n - 1 - i
	}
	return geometric(i, n)
}

// wilkinson returns diagonal element i of the glued matrices and the one to the
// right of it.
func wilkinson[T Float](i int) (at, beside float64) {
	const order = 21
	k := i % order
	if k == order-1 {
		return order / 2, math.Sqrt(Epsilon[T]())
	}
	return math.Abs(float64(order/2 - k)), 1
}

// permutedBlocks returns a matrix with eigenvalues d whose blocks are
// similar(…) of pieces of d, on permuted rows and columns.
func permutedBlocks(d []float64, s *source) []float64 {
	n := len(d)
	a, p := make([]float64, n*n), s.permutation(n)
	for lo := 0; lo < n; {
		hi := min(n, lo+1+s.below(5))
		b := similar(d[lo:hi], s)
		for i := range hi - lo {
			for j := range hi - lo {
				a[p[lo+i]*n+p[lo+j]] = b[i*(hi-lo)+j]
			}
		}
		lo = hi
	}
	return a
}
