package invroot

import (
	"math"

	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/mat"
)

// A spectrum is the oracle of the tests: the eigenvalues of a matrix, in units of 2^exp and in
// increasing order, and its eigenvectors, as rows.
type spectrum struct {
	values  []float64
	vectors dense.Matrix[float64]
	exp     int
}

// spectrumOf decomposes the matrix whose lower triangle a has. The eigenvectors are gonum's,
// whose eigenvalues are wrong by some n·ε·‖A‖, differently so where the compiler fuses. VᵀAV
// in twice the precision, and Jacobi rotations of what is left off its diagonal, make each
// eigenvalue accurate to some ε of its own and n·ε² of the largest.
func spectrumOf[T dense.Float](a dense.Matrix[T]) spectrum {
	n := a.Rows
	m, largest := dense.NewMatrix[float64](n, n), 0.
	for i := range n {
		for j := range n {
			m.Data[i*n+j] = float64(a.At(max(i, j), min(i, j)))
			largest = max(largest, math.Abs(m.Data[i*n+j]))
		}
	}
	_, exp := math.Frexp(largest)
	for i := range m.Data {
		m.Data[i] = math.Ldexp(m.Data[i], -exp)
	}
	var eig mat.EigenSym
	if !eig.Factorize(mat.NewSymDense(n, m.Clone().Data), true) {
		panic("gonum found no eigenvalues")
	}
	var v mat.Dense
	eig.VectorsTo(&v)
	vt := dense.NewMatrix[float64](n, n)
	dense.Transpose(dense.FromDense(&v), vt, nil)

	d := dense.NewMatrix[float64](n, n)
	high, low := make([]float64, n), make([]float64, n)
	for i := range n {
		for k := range n {
			high[k], low[k] = dot(0, m.Row(k), vt.Row(i), nil)
		}
		for j := range i + 1 {
			h, l := dot(0, high, vt.Row(j), low)
			d.Set(i, j, h+l)
			d.Set(j, i, h+l)
		}
	}
	diagonal := make([]float64, n)
	for i := range n {
		diagonal[i] = d.At(i, i)
	}
	for i := range n { // for vectors that are orthonormal but for VᵀV − I
		for j := range i + 1 {
			one := 0.
			if i == j {
				one = 1
			}
			h, l := dot(-one, vt.Row(i), vt.Row(j), nil)
			d.Set(i, j, d.At(i, j)-(h+l)*(diagonal[i]+diagonal[j])/2)
			d.Set(j, i, d.At(i, j))
		}
	}
	s := spectrum{diagonal, vt, exp}
	rotate(d, vt)
	for i := range n {
		s.values[i] = d.At(i, i)
	}
	for i := range n { // rotations may have changed the order of close ones
		for k := i; k > 0 && s.values[k] < s.values[k-1]; k-- {
			s.values[k], s.values[k-1] = s.values[k-1], s.values[k]
			dense.Swap(vt.Row(k), vt.Row(k-1), nil)
		}
	}
	return s
}

// dot returns start + Σ (x + low)·y as the sum of two numbers (Ogita, Rump, Oishi, SIAM J. Sci.
// Comput. 26 (2005), algorithm 5.3).
func dot(start float64, x, y, low []float64) (sum, rest float64) {
	sum = start
	for i, v := range x {
		p := float64(v * y[i])
		rest += math.FMA(v, y[i], -p)
		if low != nil {
			rest = math.FMA(low[i], y[i], rest)
		}
		next := sum + p
		part := next - sum
		rest += (sum - (next - part)) + (p - part)
		sum = next
	}
	return sum, rest
}

// rotate diagonalises d, which nearly is diagonal, by Jacobi's method, with the rows
// of vt.
func rotate(d, vt dense.Matrix[float64]) {
	n := d.Rows
	for done := false; !done; {
		done = true
		for p := range n {
			for q := range p {
				a, b, c := d.At(p, p), d.At(q, q), d.At(p, q)
				if c == 0 || math.Abs(c) <= 0x1p-54*math.Sqrt(math.Abs(a*b)) || math.Abs(c) < 0x1p-110 {
					continue
				}
				done = false
				theta := (b - a) / (2 * c)
				t := math.Copysign(1, theta) / (math.Abs(theta) + math.Hypot(1, theta))
				cos := 1 / math.Hypot(1, t)
				sin := t * cos
				for k := range n {
					x, y := d.At(k, p), d.At(k, q)
					d.Set(k, p, cos*x-sin*y)
					d.Set(k, q, sin*x+cos*y)
				}
				x, y := d.Row(p), d.Row(q)
				v, w := vt.Row(p), vt.Row(q)
				for k := range n {
					x[k], y[k] = cos*x[k]-sin*y[k], sin*x[k]+cos*y[k]
					v[k], w[k] = cos*v[k]-sin*w[k], sin*v[k]+cos*w[k]
				}
				d.Set(p, p, a-t*c)
				d.Set(q, q, b+t*c)
				d.Set(p, q, 0)
				d.Set(q, p, 0)
			}
		}
	}
}

// root returns (A + ridge·I)^(−q/p).
func (s spectrum) root(e Exponent, ridge float64) dense.Matrix[float64] {
	n := len(s.values)
	x, scaled := dense.NewMatrix[float64](n, n), s.vectors.Clone()
	power := -float64(e.Q) / float64(e.P)
	for k, v := range s.values {
		// math.Pow is not accurate for subnormal numbers
		f := math.Pow(v+math.Ldexp(ridge, -s.exp), power) * math.Exp2(power*float64(s.exp))
		row := scaled.Row(k)
		for i := range row {
			row[i] *= f
		}
	}
	dense.Gemm(blas.Trans, blas.NoTrans, 1, scaled, s.vectors, 0, x, nil)
	return x
}

// eigenvalues returns those of A.
func (s spectrum) eigenvalues() []float64 {
	values := make([]float64, len(s.values))
	for i, v := range s.values {
		values[i] = math.Ldexp(v, s.exp)
	}
	return values
}
