package hard

import "math"

// A rotation is a random dense orthogonal matrix that is applied in n·log n
// additions to a vector: signs, Walsh–Hadamard transforms of the first and of the last
// 2^k elements, where 2^k is the largest such power, twice.
type rotation struct {
	n, size int
	signs   [4][]float64
}

func newRotation(n int, s *source) *rotation {
	r := &rotation{n: n, size: 1}
	for 2*r.size <= n {
		r.size *= 2
	}
	for i := range r.signs {
		r.signs[i] = make([]float64, n)
		for j := range r.signs[i] {
			r.signs[i][j] = s.sign()
		}
	}
	return r
}

// apply multiplies the n×cols matrix a from the left by the rotation.
func (r *rotation) apply(a []float64, cols int) {
	if r.n == 0 {
		return
	}
	for round, signs := range r.signs {
		for i, sign := range signs {
			row := a[i*cols : (i+1)*cols]
			for j := range row {
				row[j] = float64(sign * row[j])
			}
		}
		lo := 0
		if round%2 == 1 {
			lo = r.n - r.size
		}
		norm := 1 / math.Sqrt(float64(r.size))
		if round >= 2 { // so that the errors of the two cancel
			norm = 1 / float64(norm*float64(r.size))
		}
		hadamard(a[lo*cols:(lo+r.size)*cols], r.size, cols, norm)
	}
}

// hadamard multiplies the size×cols matrix a by the Walsh–Hadamard matrix, whose
// elements are ±1, and by norm.
func hadamard(a []float64, size, cols int, norm float64) {
	for h := 1; h < size; h *= 2 {
		for i := range size {
			if i&h != 0 {
				continue
			}
			x, y := a[i*cols:(i+1)*cols], a[(i+h)*cols:(i+h+1)*cols]
			for j, u := range x {
				v := y[j]
				x[j], y[j] = u+v, u-v
			}
		}
	}
	for i := range a {
		a[i] = float64(a[i] * norm)
	}
}

// transposed returns the transpose of the m×n matrix a.
func transposed(m, n int, a []float64) []float64 {
	t := make([]float64, m*n)
	for i := range m {
		for j := range n {
			t[j*m+i] = a[i*n+j]
		}
	}
	return t
}

// diagonal returns the m×n matrix with diagonal d.
func diagonal(m, n int, d []float64) []float64 {
	a := make([]float64, m*n)
	for i, v := range d {
		a[i*n+i] = v
	}
	return a
}

// similar returns a dense symmetric matrix with eigenvalues d.
func similar(d []float64, s *source) []float64 {
	n := len(d)
	q := newRotation(n, s)
	a := diagonal(n, n, d)
	q.apply(a, n)
	a = transposed(n, n, a)
	q.apply(a, n)
	for i := range n {
		for j := range i {
			a[j*n+i] = a[i*n+j]
		}
	}
	return a
}

// rotated returns a dense m×n matrix with singular values d.
func rotated(m, n int, d []float64, s *source) []float64 {
	a := diagonal(m, n, d)
	newRotation(m, s).apply(a, n)
	a = transposed(m, n, a)
	newRotation(n, s).apply(a, m)
	return transposed(n, m, a)
}
