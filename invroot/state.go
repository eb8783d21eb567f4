package invroot

import (
	"math"

	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/blas"
)

// A State computes roots of a matrix that changes little from call to call, such as a
// moving average. It keeps the eigendecomposition of the matrix that it last decomposed, and
// roots of matrices near to that one come from products: the method EigenUpdate. When the
// estimate of the error says that a matrix is too far away, it is decomposed.
//
// The zero value is ready to use. A State is for one goroutine at a time.
type State[T dense.Float] struct {
	n       int // order of what it holds; nothing if 0
	shift   int // the matrix is base·2^−shift
	base    dense.Matrix[T]
	vectors dense.Matrix[T]
	values  []float64
}

// Reset forgets the decomposition.
func (s *State[T]) Reset() { s.n = 0 }

// Root is Root with the help of s. What s holds after an error is what it held
// before, or the decomposition of this matrix.
//
// The update serves exponents whose P, in lowest terms, is 2, 4, 8 and so on, without Shift and Cutoff, where
// Options.Method is Auto or Eigen; all others are decomposed. The largest eigenvalue that a
// relative ridge refers to is then estimated from below, with an error of second order in
// the change.
//
// Cost: of the update, 19n³/3 + (P−1)·n³ flops or a little more, all but a third of n³ of
// them products, when two steps suffice. Workspace: RootWork(n, threads).
// Errors: those of Root. Accuracy: as for Root, Certificate.Error says.
// s allocates when the order grows.
func (s *State[T]) Root(a dense.Matrix[T], e Exponent, x dense.Matrix[T], opt *Options, o *dense.Opts[T]) (Certificate, error) {
	const op = "State.Root"
	checkOptions(op, e, opt)
	checkMatrices(op, &a, &x)
	c := callOf[T]()
	c.threads = threadsOf(o)
	c.s = settingsOf[T](opt)
	c.e, c.a, c.x, c.state = e.reduced(), a, x, s
	cert, err := c.run(op, o)
	c.free()
	return cert, err
}

// near returns whether the matrix of the call, whose largest element is less than 2^exp,
// may be near to what s holds.
func (s *State[T]) near(c *call[T], exp int) bool {
	method := c.s.Method == Auto || c.s.Method == Eigen
	return s != nil && s.n == c.n && method && !c.s.Shift && c.s.Cutoff == 0 && c.e.P > 1 && c.e.P&(c.e.P-1) == 0 &&
		exp+s.shift <= 1 && exp+s.shift >= -1
}

// keep takes over a decomposition of c.b: values, and vectors whose columns have these
// squares of norms.
func (s *State[T]) keep(c *call[T], norms []float64) {
	n := c.n
	if cap(s.values) < n {
		s.base, s.vectors, s.values = dense.NewMatrix[T](n, n), dense.NewMatrix[T](n, n), make([]float64, n)
	}
	s.base = dense.Matrix[T]{Rows: n, Cols: n, Stride: n, Data: s.base.Data[:n*n]}
	s.vectors = dense.Matrix[T]{Rows: n, Cols: n, Stride: n, Data: s.vectors.Data[:n*n]}
	s.values = s.values[:n]
	s.n, s.shift = n, c.shift
	s.base.Copy(c.b)
	copy(s.values, c.values)
	for i, v := range norms {
		c.narrow[i] = T(1 / math.Sqrt(v))
	}
	for i := range n {
		c.kern.MulTo(c.vectors.Row(i), c.narrow, s.vectors.Row(i))
	}
}

// update computes the root from the decomposition base = VΛVᵀ of a matrix near to b: with
// B = Λ + Vᵀ(b − base)V and Y = B^(1/P), it is V·Y⁻¹·Vᵀ. Since b − base is small, so are
// the errors of its products.
func (c *call[T]) update() error {
	s := c.state
	b, y, r, t := c.buf[1], c.buf[2], c.buf[3], c.buf[4]
	delta := c.difference(y)
	t.Copy(s.vectors)
	dense.Trmm(blas.Left, blas.Lower, blas.NoTrans, blas.NonUnit, 1, y, t, &c.inner)
	dense.Syr2k(blas.Lower, blas.Trans, 1, s.vectors, t, 0, b, &c.inner)
	c.cert.Products += 1.5
	if err := c.dampUpdate(b, delta); err != nil {
		return err
	}
	dense.Mirror(blas.Lower, b)
	from := b
	for p := c.e.P; p > 1; p /= 2 {
		if !c.sqrtNear(from, y, r) {
			return errPrecision
		}
		from, y = y, from
		if p == c.e.P { // b is still wanted
			y = t
		}
	}
	residual := c.measureUpdate(b, from)
	rate := float64(c.e.Q) / float64(c.e.P)
	c.cert.Residual, c.cert.Error = residual, float64(rate*residual)+c.updateError(delta)
	if !(c.cert.Error <= c.s.Tolerance) {
		return errPrecision
	}
	r.Copy(from)
	if err := dense.Cholesky(blas.Lower, r, &c.inner); err != nil {
		return errPrecision
	}
	t.Copy(s.vectors)
	dense.Trsm(blas.Right, blas.Lower, blas.Trans, blas.NonUnit, 1, r, t, &c.inner)
	dense.Syrk(blas.Lower, blas.NoTrans, 1, t, 0, c.x, &c.inner)
	dense.Mirror(blas.Lower, c.x)
	c.cert.Products += 7. / 6
	c.factor = 1
	c.raise()
	if !c.scale(c.factor) {
		return &RangeError{c.cert.Smallest, c.e}
	}
	return nil
}

// difference sets the lower triangle of m to that of b − base, the diagonal halved, and
// returns the Frobenius norm of b − base.
func (c *call[T]) difference(m dense.Matrix[T]) float64 {
	sum := 0.
	for i := range c.n {
		row := m.Row(i)
		c.kern.SubTo(c.b.Row(i)[:i+1], c.state.base.Row(i)[:i+1], row[:i+1])
		d := float64(row[i])
		sum += float64(2*float64(c.kern.SumSq(row[:i]))) + float64(d*d)
		row[i] = T(0.5 * row[i])
	}
	return math.Sqrt(sum)
}

// dampUpdate adds the kept eigenvalues and the ridge to the diagonal of m. That is the
// spectrum but for terms of second order.
func (c *call[T]) dampUpdate(m dense.Matrix[T], delta float64) error {
	largest, mean := math.Inf(-1), 0.
	for i, v := range c.state.values {
		c.values[i] = v + float64(m.Data[i*m.Stride+i])
		largest = max(largest, c.values[i])
		mean += c.values[i] / float64(c.n)
	}
	c.ridge = c.ridgeOf(largest, mean)
	least := math.Inf(1)
	for i, v := range c.values {
		v += c.ridge
		c.values[i] = v
		m.Data[i*m.Stride+i] = T(v)
		least = min(least, v)
	}
	largest += c.ridge
	c.cert.Ridge, c.cert.Shift, c.cert.Rank = c.unscaled(c.ridge), 0, c.n
	c.cert.Largest, c.cert.Smallest, c.cert.Condition = c.unscaled(largest), c.unscaled(least), largest/least
	if !(least > float64(valueError*float64(0x1p-52*largest))) {
		return errPrecision
	}
	return nil
}

// updateSteps is the largest number of steps of sqrtNear.
const updateSteps = 8

// sqrtNear sets y to the square root of the symmetric positive definite b, of which the lower
// triangle is read, if b is nearly diagonal relative to its diagonal. From Y = D^½ for the
// diagonal D of b, it takes the steps
//
//	Y ← Y + δ,  δ_ij = (B − Y²)_ij/(y_i + y_j),
//
// of Newton's method with the derivative for a diagonal Y, each of which multiplies the error
// by what is off the diagonal, relative to it. It returns false where that does not
// converge to a quarter of the tolerance, relative to D^½. Both triangles of y are set; r is for scratch.
func (c *call[T]) sqrtNear(b, y, r dense.Matrix[T]) bool {
	n := c.n
	root, inverse, sums, ones := c.narrow, c.quarter, c.sums, c.ones
	for i := range n {
		d := math.Sqrt(float64(b.Data[i*b.Stride+i]))
		if !(d > 0) {
			return false
		}
		root[i], inverse[i], ones[i] = T(d), T(1/math.Sqrt(d)), 1
	}
	before := math.Inf(1)
	limit := float64(0.25*float64(c.s.Tolerance*math.Sqrt(float64(n)))) / float64(c.e.Q)
	for step := range updateSteps {
		from := b
		if step > 0 {
			for i := range n {
				copy(r.Row(i)[:i+1], b.Row(i)[:i+1])
			}
			dense.Syrk(blas.Lower, blas.NoTrans, -1, y, 1, r, &c.inner)
			c.cert.Products += 0.5
			from = r
		}
		size := 0. // ‖D^(−¼)·δ·D^(−¼)‖_F²
		for i := range n {
			row, to := from.Row(i)[:i+1], y.Row(i)[:i+1]
			copy(sums[:i+1], root)
			c.kern.Axpy(root[i], ones[:i+1], sums)
			c.kern.DivTo(row, sums, sums[:i+1])
			if step == 0 {
				copy(to, sums)
				to[i], sums[i] = root[i], 0
			} else {
				c.kern.AddTo(to, sums[:i+1], to)
			}
			c.kern.MulTo(sums[:i+1], inverse, sums)
			f := float64(inverse[i])
			d := float64(sums[i])
			size += float64(float64(f*f) * (float64(2*float64(c.kern.SumSq(sums[:i]))) + float64(d*d)))
		}
		dense.Mirror(blas.Lower, y)
		size = math.Sqrt(size)
		c.cert.Iterations++
		switch {
		case size == 0:
			return true
		case step == 0:
		case !(size < float64(0.5*before)):
			return false
		case float64(size*float64(size/before)) <= limit: // which the next one would have
			return true
		}
		before = size
	}
	return false
}

// measureUpdate estimates the relative error of Y⁻¹, times P, in the Frobenius norm, from the
// residual R = Y^P − B, whose rows it multiplies with random vectors in float64. The error
// in Y⁻¹ of first order has elements −r_ij/(y_i·y_j·Σ_{k<P} y_i^k·y_j^(P−1−k)), and the sum
// is at least P·(y_i·y_j)^((P−1)/2).
func (c *call[T]) measureUpdate(b, y dense.Matrix[T]) float64 {
	p, weights := &c.probe, c.weights
	z := p.z.View(0, 0, probeRows, c.n)
	copy(weights, c.values)
	powers(weights, c.scratch, Exponent{c.e.P + 1, 2 * c.e.P})
	fill(z)
	for i := range probeRows {
		dense.MulTo(z.Row(i), weights, z.Row(i), &one)
	}
	from := z
	for range c.e.P {
		to := p.y.View(0, 0, probeRows, c.n)
		apply(p, from, 1, y, 0, to)
		from = to
		p.y, p.t = p.t, p.y
	}
	to := p.y.View(0, 0, probeRows, c.n)
	apply(p, z, 1, b, 0, to)
	all := 0.
	for _, v := range c.values {
		v = power(v, Exponent{2, c.e.P})
		all += v
	}
	for i := range probeRows {
		x, y := from.Row(i), to.Row(i)
		for j := range y {
			y[j] = float64((x[j] - y[j]) * weights[j])
		}
	}
	return math.Sqrt(squares(to) / float64(float64(probeRows)*all))
}

// updateError estimates the part of the relative error of the root that measureUpdate does
// not see: that of the kept eigenvalues and vectors, and that of Vᵀ(b − base)V, whose
// elements are off by some ε·‖b − base‖_F/n.
func (c *call[T]) updateError(delta float64) float64 {
	powers(c.values, c.scratch, Inverse(c.e.P))
	var inner, all float64
	for i, v := range c.values {
		all += float64(v * v)
		inner += v / c.scratch[i]
	}
	rate := float64(c.e.Q) / float64(c.e.P)
	size := float64(typicalError*float64(epsilon[T]()*delta)) / float64(c.n)
	norm := max(c.state.values[c.n-1], -c.state.values[0])
	return c.eigenError(float64(typicalError*float64(0x1p-52*norm))) + float64(rate*float64(size*inner))/math.Sqrt(all)
}
