package invroot

import (
	"math"

	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/blas"
)

// maxOrder is the largest order of the coupled iterations.
const maxOrder = 6

// lanczosOpts are those of the estimates of the ends of the spectrum.
var lanczosOpts = dense.LanczosOpts{Steps: 24}

// bounds returns an interval that holds the largest eigenvalue of the semidefinite b, by
// the norms of b or, if that is less, by Lanczos.
func (c *call[T]) bounds() (lower, upper float64, err error) {
	norm := min(float64(dense.NormFrobenius(c.b, &c.plain)), float64(dense.NormInf(c.b, &c.plain)))
	norm = float64(norm * (1 + float64(float64(4*c.n)*epsilon[T]())))
	lo, hi, err := dense.LanczosNorm(c.symv, c.n, lanczosOpts, &c.lanczos)
	return float64(lo), min(norm, float64(hi)), err
}

// setRidge finds the ridge of a method that does not compute eigenvalues.
func (c *call[T]) setRidge() error {
	mean := 0.
	for i := range c.n {
		mean += float64(c.b.Data[i*c.b.Stride+i]) / float64(c.n)
	}
	lo, hi, err := c.bounds()
	if err != nil {
		return err
	}
	c.ridge = c.ridgeOf(lo, mean)
	c.upper, c.ritz = hi+c.ridge, lo+c.ridge
	c.cert.Ridge, c.cert.Shift, c.cert.Rank = c.unscaled(c.ridge), 0, c.n
	c.cert.Largest = c.unscaled(c.upper)
	if !(c.upper > 0) {
		return &SpectrumError{}
	}
	return nil
}

// root sets x to the root A^(−1/P) that an iteration has found, times factor, which it notes.
// The iterates are symmetric but for rounding; this makes it exact.
func (c *call[T]) root(x dense.Matrix[T], factor float64) {
	c.factor = factor
	symmetrize(x, c.x)
}

// symmetrize sets dst, which may be x, to (x + xᵀ)/2.
func symmetrize[T dense.Float](x, dst dense.Matrix[T]) {
	for i := range x.Rows {
		row, to := x.Row(i), dst.Row(i)
		for j := range i {
			to[j] = T(0.5 * (row[j] + x.Data[j*x.Stride+i]))
		}
		to[i] = row[i]
	}
	dense.Mirror(blas.Lower, dst)
}

// accept measures the root A^(−1/P) that an iteration has found, and raises and scales it. It
// is refused if its error exceeds the tolerance.
func (c *call[T]) accept() error {
	residual, weighted := c.measure(Inverse(c.e.P))
	rate := float64(c.e.Q) / float64(c.e.P)
	c.cert.Residual, c.cert.Error = residual, float64(rate*weighted)+float64(2*epsilon[T]())
	norm := 0.
	for i := range min(probeRows, c.n) { // ‖z·X‖/‖z‖
		norm = max(norm, math.Sqrt(squares(c.probe.z.View(probeRows+i, 0, 1, c.n))/squares(c.probe.z.View(i, 0, 1, c.n))))
	}
	for i := range c.n {
		norm = max(norm, float64(c.factor*float64(c.x.Data[i*c.x.Stride+i])))
	}
	least := 1 / whole(norm, c.e.P) // of the eigenvalues, from above
	c.cert.Smallest, c.cert.Condition = c.unscaled(least), c.upper/least
	if !(c.cert.Error <= c.s.Tolerance) {
		if c.cert.Error != c.cert.Error {
			c.cert.Error = math.Inf(1)
		}
		return errPrecision
	}
	c.raise()
	if !c.scale(c.factor) {
		return &RangeError{c.cert.Smallest, c.e}
	}
	return nil
}

// power returns x^(−q/p) for one x > 0.
func power(x float64, e Exponent) float64 {
	frac, exp := math.Frexp(x)
	root := 1. // frac^(−1/p), by Newton's method from below
	for range 100 {
		step := float64(root*(1-float64(frac*whole(root, e.P)))) / float64(e.P)
		root += step
		if !(math.Abs(step) > float64(0x1p-52*root)) {
			break
		}
	}
	m, k := scaling(-exp, Exponent{1, e.P})
	return whole(float64(math.Ldexp(m, k)*root), e.Q)
}

// multiply sets dst to a·b and counts it.
func (c *call[T]) multiply(a, b, dst dense.Matrix[T]) {
	dense.Gemm(blas.NoTrans, blas.NoTrans, 1, a, b, 0, dst, &c.inner)
	c.cert.Products++
}

// square sets dst to a² for a symmetric a, and counts it.
func (c *call[T]) square(a, dst dense.Matrix[T]) {
	dense.Syrk(blas.Lower, blas.NoTrans, 1, a, 0, dst, &c.inner)
	dense.Mirror(blas.Lower, dst)
	c.cert.Products += 0.5
}

// addDiagonal adds v to the diagonal of m.
func addDiagonal[T dense.Float](m dense.Matrix[T], v float64) {
	for i := range m.Rows {
		m.Data[i*m.Stride+i] = T(float64(m.Data[i*m.Stride+i]) + v)
	}
}

// start sets m to z·(b + ridge·I).
func (c *call[T]) start(z float64, m dense.Matrix[T]) {
	dense.Scale(T(z), c.b, m, &c.plain)
	addDiagonal(m, float64(z*c.ridge))
}

// coupled computes the root by the coupled iteration of the given order r: with
// E = I − M,
//
//	T = Σ_{j<r} c_j·E^j,  X ← X·T,  M ← T^p·M,  M₀ = z·A,  X₀ = z^(1/p)·I,
//
// where c_j are the coefficients of (1 − x)^(−1/p). M = A·X^p, and tends to I with order r.
// Order 2 is Newton's iteration, T = ((p+1)·I − M)/p, which converges for
// eigenvalues of M up to p+1; then z = (p+1)/2‖A‖. The others want them below 1.
// It stops where rounding keeps the residual from falling, and takes the last iterate
// before it rose; accept says what that is worth.
// Source: Guo and Higham, SIAM J. Matrix Anal. Appl. 28 (2006), (3.6); Lakić, ZAMM 78 (1998).
func (c *call[T]) coupled(order int) {
	p := c.e.P
	var coefs [maxOrder]float64
	binomials(coefs[:], p)
	z := 1 / c.upper
	if order == 2 {
		z = float64(p+1) / float64(2*c.upper) // exact
	}
	x, m, t, s, u, last := c.buf[0], c.buf[1], c.buf[2], c.buf[3], c.buf[4], c.buf[5]
	c.start(z, m)
	last.Fill(0)
	addDiagonal(last, 1)
	first := true
	before := math.Inf(1)
	idle := -math.Ilogb(epsilon[T]())
	for range c.s.MaxIterations {
		dense.Scale(-1, m, t, &c.plain) // E
		addDiagonal(t, 1)
		off := float64(dense.NormFrobenius(t, &c.plain))
		if off <= float64(float64(2*epsilon[T]())*float64(c.n)) || off < 0.01 && off > float64(0.5*before) {
			break
		}
		// Without rounding the residual falls in every iteration: below 0.9, where each
		// eigenvalue converges at order r, by more than a tenth, and above it slowly, while
		// eigenvalues of M that are close to 0 rise. Those above ε at least double.
		if off > float64(0.99*before) {
			idle--
		}
		rises := !(off <= float64(1.05*before)) // or is NaN
		if rises || idle < 0 || off < 0.9 && off > float64(0.95*before) {
			c.cert.Stagnated = true
			if rises {
				x = last
			}
			break
		}
		before = off
		c.cert.Iterations++
		t, s = c.polynomial(coefs[:order], t, s, u)
		if first {
			x.Copy(t)
			first = false
		} else {
			c.multiply(x, t, u)
			x, u, last = u, last, x
		}
		// M ← T^p·M by the bits of p
		for k := p; ; {
			if k&1 != 0 {
				c.multiply(t, m, u)
				m, u = u, m
			}
			if k >>= 1; k == 0 {
				break
			}
			c.square(t, s)
			t, s = s, t
		}
	}
	if first { // b is a multiple of the identity, so good a start is z
		x = last
	}
	c.root(x, power(1/z, Inverse(p)))
}

// polynomial returns Σ coefs_j·E^j, which is in e or s, and the other of them.
func (c *call[T]) polynomial(coefs []float64, e, s, u dense.Matrix[T]) (value, other dense.Matrix[T]) {
	r := len(coefs)
	if r == 2 {
		dense.Scale(T(coefs[1]), e, e, &c.plain)
		addDiagonal(e, coefs[0])
		return e, s
	}
	// Horner's rule: s = c_{r−1}·E + c_{r−2}, then s ← E·s + c_j
	dense.Scale(T(coefs[r-1]), e, s, &c.plain)
	addDiagonal(s, coefs[r-2])
	from, to := s, u
	for j := r - 3; j >= 0; j-- {
		c.multiply(e, from, to)
		addDiagonal(to, coefs[j])
		from, to = to, from
	}
	if r%2 == 1 { // an odd number of products ends in u
		s.Copy(u)
	}
	return s, e
}

// raise replaces the root by its power q.
func (c *call[T]) raise() {
	if c.e.Q == 1 {
		return
	}
	x, t, s := c.buf[1], c.buf[2], c.buf[3]
	x.Copy(c.x)
	t.Copy(c.x)
	for range c.e.Q - 1 {
		c.multiply(x, t, s)
		t, s = s, t
	}
	c.root(t, whole(c.factor, c.e.Q))
}
