package invroot

import (
	"math"

	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/blas"
)

// eigenWork returns the length of the workspace of decompositions.
func eigenWork[T dense.Float](n, threads int) int {
	work := max(dense.EigenSymWork[T](n, threads), dense.SyrkWork[T](blas.NoTrans, n, n, threads))
	if isSingle[T]() {
		work = max(work, dense.EigenSymMixedWork(n, threads))
	}
	return work
}

// valueError is the error of eigenvalues in units of ε·‖A‖₂ that package dense
// documents. Few are in error by more than typicalError.
const (
	valueError   = 10
	typicalError = 2
)

// decompose computes the root by an eigendecomposition.
func (c *call[T]) decompose(m Method) error {
	eps, err := c.eigen(m)
	if err != nil {
		return err
	}
	if c.state != nil && m == Eigen {
		c.state.keep(c, c.norms())
	}
	norm := max(math.Abs(c.values[0]), math.Abs(c.values[c.n-1]))
	if err := c.damp(float64(valueError * float64(eps*norm))); err != nil {
		return err
	}
	least := c.values[c.n-max(1, c.cert.Rank)]
	powers(c.values, c.scratch, c.e)
	exp := 0
	if c.cert.Rank > 0 {
		top := c.values[c.n-c.cert.Rank]
		if _, exp = math.Frexp(top); top-top != 0 || exp > 900 || exp < -900 {
			return &RangeError{c.unscaled(least), c.e}
		}
	}
	c.factor = math.Ldexp(1, exp)
	for i, v := range c.values { // the root is at most 1, times factor
		c.values[i] = math.Ldexp(v, -exp)
	}
	c.cert.Error = c.eigenError(float64(typicalError * float64(eps*norm)))
	c.compose()
	c.cert.Residual, _ = c.measure(c.e)
	if !c.scale(c.factor) {
		return &RangeError{c.unscaled(least), c.e}
	}
	return nil
}

// eigen decomposes b. It returns the ε of the eigenvalues.
func (c *call[T]) eigen(m Method) (eps float64, err error) {
	c.cert.Products += eigenProducts
	switch c := any(c).(type) {
	case *call[float64]:
		return epsilon[float64](), dense.EigenSym(blas.Lower, c.b, c.values, c.vectors, &c.wide)
	case *call[float32]:
		if m == Eigen {
			return epsilon[float64](), dense.EigenSymMixed(blas.Lower, c.b, c.values, c.vectors, &c.wide)
		}
		err = dense.EigenSym(blas.Lower, c.b, c.narrow, c.vectors, &c.wide)
		for i, v := range c.narrow {
			c.values[i] = float64(v)
		}
	}
	return epsilon[float32](), err
}

// eigenProducts is the work of a decomposition and of putting the root together:
// 14n³/3 and n³ flops.
const eigenProducts = 17. / 6

// damp adds shift and ridge to the eigenvalues and sets those of at most the cutoff to zero.
// Those of at most limit cannot be told from zero.
func (c *call[T]) damp(limit float64) error {
	n, v := c.n, c.values
	largest := v[n-1]
	mean := 0.
	for _, x := range v {
		mean += x / float64(n)
	}
	shift := 0.
	if c.s.Shift && v[0] < 0 {
		shift = -v[0]
	}
	ridge := c.ridgeOf(largest+shift, mean+shift)
	for i := range v {
		v[i] = v[i] + shift + ridge
	}
	c.ridge = shift + ridge
	c.cert.Shift, c.cert.Ridge = c.unscaled(shift), c.unscaled(ridge)
	c.cert.Largest, c.cert.Smallest, c.cert.Rank = c.unscaled(v[n-1]), c.unscaled(v[0]), n
	if c.s.Cutoff > 0 {
		least := max(limit, float64(c.s.Cutoff*v[n-1]))
		for i, x := range v {
			if x <= least {
				v[i] = 0
				c.cert.Rank = n - 1 - i
			}
		}
		c.cert.Condition = 1
		if c.cert.Rank > 0 {
			c.cert.Condition = v[n-1] / v[n-c.cert.Rank]
		}
		return nil
	}
	if !(v[0] > limit) {
		c.cert.Condition = math.Inf(1)
		return &SpectrumError{c.cert.Smallest, c.cert.Largest, c.unscaled(limit)}
	}
	c.cert.Condition = v[n-1] / v[0]
	return nil
}

// ridgeOf returns the ridge of a matrix 2^shift·A with the given largest and mean eigenvalue.
func (c *call[T]) ridgeOf(largest, mean float64) float64 {
	switch c.s.Kind {
	case RelativeToMax:
		return float64(c.s.Ridge * max(0, largest))
	case RelativeToTrace:
		return float64(c.s.Ridge * max(0, mean))
	}
	return math.Ldexp(c.s.Ridge, c.shift)
}

// eigenError estimates the relative error of the root with the given eigenvalues, if those
// of b, in scratch, are off by delta and the eigenvectors by rounding in T: the error of
// x^(−q/p) is q/p·delta/x.
func (c *call[T]) eigenError(delta float64) float64 {
	var sum, all float64
	for i, v := range c.values {
		if v == 0 {
			continue
		}
		square := float64(v * v)
		d := delta / c.scratch[i]
		sum += float64(square * float64(d*d))
		all += square
	}
	if all == 0 {
		return 0
	}
	rate := float64(c.e.Q) / float64(c.e.P)
	return float64(rate*math.Sqrt(sum/all)) + float64(vectorError*epsilon[T]())
}

// vectorError is the part of the eigenvectors and of the last product in the error of
// the root, in units of ε.
const vectorError = 16

// norms returns the squares of the norms of the vectors, in scratch.
func (c *call[T]) norms() []float64 {
	norms := c.scratch
	clear(norms)
	for i := range c.n {
		for j, v := range c.vectors.Row(i) {
			norms[j] = math.FMA(float64(v), float64(v), norms[j])
		}
	}
	return norms
}

// compose sets x to V·D·Vᵀ for the values D. It overwrites the vectors, which are
// divided by their norms: many reflectors in float32 leave those in error by more than
// all the rest.
func (c *call[T]) compose() {
	d, norms := c.narrow, c.norms()
	for i, v := range c.values {
		d[i] = T(math.Sqrt(v / norms[i]))
	}
	for i := range c.n {
		row := c.vectors.Row(i)
		dense.MulTo(row, d, row, &c.plain)
	}
	dense.Syrk(blas.Lower, blas.NoTrans, 1, c.vectors, 0, c.x, &c.wide)
	dense.Mirror(blas.Lower, c.x)
}
