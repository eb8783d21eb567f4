package invroot

import (
	"fmt"
	"math"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/space"
	"gonum.org/v1/gonum/blas"
)

// A LowRank is the root A^(−q/p) of an n×n matrix A that differs from a multiple ρ·I of the
// identity by one of rank k, as an operator: with the eigenvectors U of that part, its
// eigenvalues S, and μ = ρ plus what the options add,
//
//	A^(−q/p) = μ^(−q/p)·I + U·D·Uᵀ,  d_i = (μ + s_i)^(−q/p) − μ^(−q/p),
//
// of which it keeps U, in T, the d_i and μ^(−q/p). The difference d_i is computed without
// cancellation. Nothing of order n×n is formed but by Dense.
//
// The zero value is the root of the matrix of order 0. A LowRank is for one goroutine at a
// time while a root is computed, and for any number of them afterwards.
type LowRank[T dense.Float] struct {
	n       int
	vectors dense.Matrix[T] // n×m, m ≤ min(n, k)
	weights []T             // the d_i
	outside T               // μ^(−q/p), or 0 where the pseudo-inverse vanishes off the columns

	lowRankCall[T]
}

// A lowRankCall is one computation of a root. It works in float64 on the matrix times
// 2^shift, whose largest elements are near 1.
type lowRankCall[T dense.Float] struct {
	s       settings
	e       Exponent
	cert    Certificate
	shift   int
	product bool    // whether A is given as ρI + BBᵀ
	inside  bool    // whether the root vanishes off the columns, or nothing is off them
	base    float64 // μ
	sigma   float64 // μ^(−q/p), or 0
	largest float64 // eigenvalue of U·S·Uᵀ, in size
	given   dense.Matrix[float64]
	gram    dense.Matrix[float64] // m×m
	turn    dense.Matrix[float64] // m×m: eigenvectors of gram
	basis   dense.Matrix[float64] // n×m: U
	values  []float64             // s_i
	roots   []float64             // (μ + s_i)^(−q/p)
	d       []float64
	z, y    dense.Matrix[float64] // vectors for probes
	t       dense.Matrix[float64] // their products with the columns
	inner   dense.Opts[float64]
}

// Order returns n.
func (r *LowRank[T]) Order() int { return r.n }

// Columns returns the number of columns of U that are kept: those with d_i ≠ 0.
func (r *LowRank[T]) Columns() int { return len(r.weights) }

// Root computes the root of A = rho·I + b·bᵀ, through the eigendecomposition of bᵀb in float64,
// or of b·bᵀ if k ≥ n. Of opt, Method, Order, MaxIterations and Single mean nothing here; the
// method is Eigen.
//
// Shapes: b is n×k, of any rank; k may be 0 or exceed n.
// Cost: 3nk² + 14k³/3 flops in float64 for k < n, 7n³ or less for others. Workspace:
// LowRankWork[T](n, k, threads).
// Errors: *dense.NonFiniteError; *SpectrumError if A is not positive definite, which for
// k < n means that μ is not positive, and for others as in Root, and there is no cutoff;
// *RangeError. After an error r is what it was before.
// Accuracy: as certified. The eigenvalues of b·bᵀ have errors of some 2^−52·‖b‖₂², which
// matter against μ + s_i: Certificate.Error grows beyond the tolerance, and Flag is
// Inaccurate, if μ is smaller than that and b nearly rank-deficient. With a cutoff,
// eigenvalues of A up to Cutoff times the largest, and up to 10·2^−52·‖b‖₂², count as zero.
// Certificate.Residual is measured with U rounded to T; it is 0 where the rank is less than n.
// r allocates when its room has to grow.
func (r *LowRank[T]) Root(b dense.Matrix[T], rho float64, e Exponent, opt *Options, o *dense.Opts[T]) (Certificate, error) {
	return r.run("LowRank.Root", b, nil, rho, e, opt, o)
}

// RootOfSketch computes the root of A = rho·I + u·diag(s)·uᵀ, where the columns of u are
// orthonormal, as those of a Frequent Directions sketch. Of opt it uses what
// Root does. Elements of s may be negative.
//
// Shapes: u is n×k with k ≤ n, s has k elements.
// Cost: nk² flops in float64. Workspace: LowRankWork[T](n, k, threads).
// Errors and what r holds after one: as for Root; the spectrum is exactly known, so that only
// eigenvalues that are not positive count as zero.
// Accuracy: as certified. What u lacks of being orthonormal is measured, and is part
// of Certificate.Error.
// Source: Feinberg, Chen, Sun, Anil and Hazan, Sketchy (NeurIPS 2023).
func (r *LowRank[T]) RootOfSketch(u dense.Matrix[T], s []float64, rho float64, e Exponent, opt *Options, o *dense.Opts[T]) (Certificate, error) {
	const op = "LowRank.RootOfSketch"
	if u.Cols > u.Rows || len(s) != u.Cols {
		panic(fmt.Sprintf("invroot: %s: u is %dx%d, s has %d elements", op, u.Rows, u.Cols, len(s)))
	}
	if s == nil {
		s = []float64{}
	}
	return r.run(op, u, s, rho, e, opt, o)
}

// LowRankWork returns the length of the workspace of LowRank.Root and LowRank.RootOfSketch for
// k columns of n elements on the given number of threads.
func LowRankWork[T dense.Float](n, k, threads int) int {
	var c lowRankCall[T]
	var w space.Arena[T]
	c.inner.Threads = threads
	c.reserve(&w, n, k)
	return w.Used() + space.Line[T]()
}

// doubles takes the next rows×cols matrix of float64.
func doubles[T dense.Float](w *space.Arena[T], rows, cols int) dense.Matrix[float64] {
	return dense.Matrix[float64]{Rows: rows, Cols: cols, Stride: max(1, cols), Data: w.Doubles(rows * max(1, cols))}
}

// reserve takes the workspace from w.
func (c *lowRankCall[T]) reserve(w *space.Arena[T], n, k int) {
	m, threads := min(n, k), c.inner.Threads
	c.given, c.basis = doubles(w, n, k), doubles(w, n, m)
	c.gram, c.turn = doubles(w, m, m), doubles(w, m, m)
	c.values, c.roots, c.d = w.Doubles(m), w.Doubles(m), w.Doubles(m)
	c.z, c.y, c.t = doubles(w, probeRows, n), doubles(w, probeRows, n), doubles(w, probeRows, k)
	const no, yes = blas.NoTrans, blas.Trans
	c.inner.Work = w.Doubles(max(
		dense.SyrkWork[float64](yes, m, n, threads), dense.SyrkWork[float64](no, m, k, threads),
		dense.EigenSymWork[float64](m, threads), dense.GemmWork[float64](no, no, n, m, k, threads),
		dense.GemmWork[float64](no, no, probeRows, k, n, threads), dense.GemmWork[float64](no, yes, probeRows, n, k, threads)))
}

// run computes a root and, if that succeeds, puts it in place of the last one. s is nil where
// the columns are not orthonormal.
func (r *LowRank[T]) run(op string, b dense.Matrix[T], s []float64, rho float64, e Exponent, opt *Options, o *dense.Opts[T]) (Certificate, error) {
	checkOptions(op, e, opt)
	n, k := b.Rows, b.Cols
	c := &r.lowRankCall
	c.s, c.e, c.product = settingsOf[T](opt), e.reduced(), s == nil
	c.inner.Threads = threadsOf(o)
	var work []T
	if o != nil {
		work = o.Work
	}
	room, pooled := space.Get("invroot", op, work, LowRankWork[T](n, k, c.inner.Threads)-space.Line[T]())
	defer space.Put(pooled)
	w := space.Over(room)
	c.reserve(&w, n, k)
	c.cert = Certificate{Method: Eigen, Condition: 1}
	err := c.load(b, s, rho)
	if err == nil && n > 0 {
		err = c.root()
	}
	cert := c.cert
	if err == nil {
		r.commit(n)
	} else {
		cert.Flag = Failed
	}
	*c = lowRankCall[T]{}
	return cert, err
}

// load checks and scales the input.
func (c *lowRankCall[T]) load(b dense.Matrix[T], s []float64, rho float64) error {
	if rho-rho != 0 {
		return &dense.NonFiniteError{Where: "rho"}
	}
	var size float64 // of elements of the matrix, as a power of two
	kern := asm.For[T]()
	var largest T
	for i := range b.Rows {
		m := kern.MaxAbs(b.Row(i))
		if m-m != 0 {
			return &dense.NonFiniteError{Where: fmt.Sprintf("row %d of the columns", i)}
		}
		largest = max(largest, m)
	}
	for i, v := range s {
		if v-v != 0 {
			return &dense.NonFiniteError{Where: fmt.Sprintf("element %d of s", i)}
		}
		size = max(size, math.Abs(v))
	}
	_, exp := math.Frexp(max(size, math.Abs(rho)))
	half := 0
	if c.product {
		_, of := math.Frexp(float64(largest))
		half = max(of, (exp+1)>>1)
		if largest == 0 {
			half = (exp + 1) >> 1
		} else if rho == 0 {
			half = of
		}
		half = max(-1000, min(1000, -half))
		exp = -2 * half
	}
	c.shift = -exp
	c.base = math.Ldexp(rho, c.shift)
	scale := math.Ldexp(1, half)
	for i := range b.Rows {
		row := c.given.Row(i)
		for j, v := range b.Row(i) {
			row[j] = float64(scale * float64(v))
		}
	}
	for i, v := range s {
		c.values[i] = math.Ldexp(v, c.shift)
	}
	return nil
}

// root computes the root: values, d, basis, sigma.
func (c *lowRankCall[T]) root() error {
	n, m := c.basis.Rows, c.basis.Cols
	order, cols := float64(n), float64(c.given.Cols)
	if c.product {
		cube := func(x float64) float64 { return float64(float64(x*x) * x) }
		gram, eigen := float64(3*float64(float64(cols*cols)*order)), float64(14./3*cube(float64(m)))
		c.cert.Products = (gram + eigen) / float64(2*cube(order))
		if err := c.decompose(); err != nil {
			return err
		}
	} else {
		c.cert.Products = float64(cols*cols) / float64(2*float64(order*order))
		c.basis.Copy(c.given)
		dense.Syrk(blas.Lower, blas.Trans, 1, c.basis, 0, c.gram, &c.inner)
	}
	c.largest = 0
	for _, v := range c.values {
		c.largest = max(c.largest, math.Abs(v))
	}
	if err := c.damp(); err != nil {
		return err
	}
	if err := c.powers(); err != nil {
		return err
	}
	all := float64(float64(c.sigma*c.sigma) * (order - float64(m))) // ‖X‖_F²
	for _, v := range c.roots {
		all += float64(v * v)
	}
	c.cert.Error = c.errorOf(all)
	if !c.product && all > 0 {
		c.cert.Error += c.defect(all)
	}
	for i := range n { // as they will be kept
		row := c.basis.Row(i)
		for j, v := range row {
			row[j] = float64(T(v))
		}
	}
	if c.s.Cutoff == 0 || c.cert.Rank == n {
		c.cert.Residual = c.measure()
	}
	if !(c.cert.Error <= c.s.Tolerance) {
		c.cert.Flag = Inaccurate
	}
	return nil
}

// decompose sets basis and values to the eigenvectors and eigenvalues of B·Bᵀ. For k < n, a
// column of the basis is B·w/‖B·w‖ for an eigenvector w of BᵀB, and its eigenvalue is
// ‖B·w‖², the Rayleigh quotient. What belongs to it, s·u·uᵀ = B·w·(B·w)ᵀ, is small where s is
// small, though u then may be any vector.
func (c *lowRankCall[T]) decompose() error {
	n, m := c.basis.Rows, c.basis.Cols
	if m == 0 {
		return nil
	}
	if c.given.Cols >= n {
		dense.Syrk(blas.Lower, blas.NoTrans, 1, c.given, 0, c.gram, &c.inner)
		err := dense.EigenSym(blas.Lower, c.gram, c.values, c.turn, &c.inner)
		c.basis.Copy(c.turn)
		for i, v := range c.values {
			c.values[i] = max(0, v)
		}
		return err
	}
	dense.Syrk(blas.Lower, blas.Trans, 1, c.given, 0, c.gram, &c.inner)
	if err := dense.EigenSym(blas.Lower, c.gram, c.values, c.turn, &c.inner); err != nil {
		return err
	}
	dense.Gemm(blas.NoTrans, blas.NoTrans, 1, c.given, c.turn, 0, c.basis, &c.inner)
	clear(c.values)
	for i := range n {
		for j, v := range c.basis.Row(i) {
			c.values[j] = math.FMA(v, v, c.values[j])
		}
	}
	for j, v := range c.values {
		c.roots[j] = 0
		if v > 0 {
			c.roots[j] = 1 / math.Sqrt(v)
		}
	}
	for i := range n {
		row := c.basis.Row(i)
		dense.MulTo(row, c.roots, row, &one)
	}
	return nil
}

// damp adds shift and ridge to the base, and describes the spectrum.
func (c *lowRankCall[T]) damp() error {
	n, m := c.basis.Rows, c.basis.Cols
	c.inside = m == n
	lowest, highest := math.Inf(1), math.Inf(-1)
	mean := 0.
	for _, v := range c.values {
		lowest, highest = min(lowest, v), max(highest, v)
		mean += v / float64(n)
	}
	if m < n {
		lowest, highest = min(lowest, 0), max(highest, 0)
	}
	shift, ridge := 0., 0.
	if c.s.Shift && lowest+c.base < 0 {
		shift = -(lowest + c.base)
	}
	switch c.s.Kind {
	case Absolute:
		ridge = math.Ldexp(c.s.Ridge, c.shift)
	case RelativeToMax:
		ridge = float64(c.s.Ridge * max(0, highest+c.base+shift))
	case RelativeToTrace:
		ridge = float64(c.s.Ridge * max(0, mean+c.base+shift))
	}
	c.base += shift + ridge
	lowest, highest = lowest+c.base, highest+c.base
	c.cert.Shift, c.cert.Ridge = math.Ldexp(shift, -c.shift), math.Ldexp(ridge, -c.shift)
	c.cert.Smallest, c.cert.Largest, c.cert.Rank = math.Ldexp(lowest, -c.shift), math.Ldexp(highest, -c.shift), n
	limit := 0. // those up to it cannot be told from zero
	if c.product {
		limit = float64(valueError * float64(0x1p-52*c.largest))
	}
	if c.s.Cutoff > 0 {
		return c.cut(max(limit, float64(c.s.Cutoff*highest)), highest)
	}
	if m < n {
		limit = 0 // the smallest is the base, which is exact
	}
	if !(lowest > limit) {
		c.cert.Condition = math.Inf(1)
		return &SpectrumError{c.cert.Smallest, c.cert.Largest, math.Ldexp(limit, -c.shift)}
	}
	c.cert.Condition = highest / lowest
	return nil
}

// cut sets eigenvalues of A up to the limit to zero, by setting s_i = −μ.
func (c *lowRankCall[T]) cut(limit, highest float64) error {
	n, m := c.basis.Rows, c.basis.Cols
	least := math.Inf(1)
	if m < n {
		if c.base <= limit {
			c.cert.Rank, c.inside = m, true
		} else {
			least = c.base
		}
	}
	for i, v := range c.values {
		if v+c.base <= limit {
			c.values[i] = math.Inf(-1)
			c.cert.Rank--
			continue
		}
		least = min(least, v+c.base)
	}
	if c.cert.Rank > 0 {
		c.cert.Condition = highest / least
	}
	return nil
}

// powers sets roots, d and sigma.
func (c *lowRankCall[T]) powers() error {
	c.sigma = 0
	if !c.inside {
		c.sigma = power(c.base, c.e)
	}
	top := c.sigma
	for i, v := range c.values {
		c.roots[i], c.d[i] = 0, -c.sigma
		if v >= -c.base {
			c.roots[i] = power(v+c.base, c.e)
			c.d[i] = c.roots[i]
			if !c.inside {
				c.d[i] = powerDifference(c.base, v, c.sigma, c.roots[i], c.e)
			}
		}
		top = max(top, c.roots[i])
	}
	if c.cert.Rank == 0 {
		return nil
	}
	limit := 1022
	if isSingle[T]() {
		limit = 126
	}
	scale, exp := scaling(c.shift, c.e)
	if _, of := math.Frexp(float64(top * scale)); !(top > 0) || top-top != 0 || of+exp > limit || of+exp < -limit {
		return &RangeError{c.cert.Smallest, c.e}
	}
	return nil
}

// powerDifference returns (x + s)^(−q/p) − x^(−q/p) for x > 0 and x + s > 0, of which the
// powers are given, to some (p+q)·ε. With t = s/x and v = (1+t)^(−1/p),
//
//	(1+t)^(−q/p) − 1 = −t·v^(p−1)·(v + v² + … + v^q)/(1 + v + … + v^(p−1)),
//
// where nothing cancels: both sides are v^q − 1 = −(1−v^p)·(1 + … + v^(q−1))/(1 + … + v^(p−1)).
func powerDifference(x, s, powerX, powerSum float64, e Exponent) float64 {
	t := s / x
	if !(t < 0x1p100) || t < -0.5 { // one term is small, or both are exact enough
		return powerSum - powerX
	}
	v := power(1+t, Exponent{1, e.P})
	over, under, vj := 0., 0., 1.
	for range e.P {
		under += vj
		vj = float64(vj * v)
	}
	vj = v
	for range e.Q {
		over += vj
		vj = float64(vj * v)
	}
	return float64(float64(powerX*-t)*float64(whole(v, e.P-1)*over)) / under
}

// errorOf estimates the relative error of the root, but for what the columns lack of being
// orthonormal: see call.eigenError.
func (c *lowRankCall[T]) errorOf(all float64) float64 {
	if all == 0 {
		return 0
	}
	delta := 0.
	if c.product {
		delta = float64(typicalError * float64(0x1p-52*c.largest))
	}
	sum := 0.
	for i, v := range c.values {
		if c.roots[i] == 0 {
			continue
		}
		d := float64(c.roots[i]*delta) / (v + c.base)
		sum += float64(d * d)
	}
	rate := float64(c.e.Q) / float64(c.e.P)
	return float64(rate*math.Sqrt(sum/all)) + float64(vectorError*epsilon[T]())
}

// defect estimates the part of the error that comes from E = UᵀU − I, which gram has but for
// the I. To first order an element e_ij changes the root by no more than e_ij times the greater
// of its eigenvalues i and j and of the one off the columns, times max(1, q/p).
func (c *lowRankCall[T]) defect(all float64) float64 {
	sum := 0.
	for i := range c.gram.Rows {
		for j, v := range c.gram.Row(i)[:i+1] {
			weight := 2.
			if i == j {
				v, weight = v-1, 1
			}
			d := float64(v * max(c.roots[i], c.roots[j], c.sigma))
			sum += float64(weight * float64(d*d))
		}
	}
	rate := max(1, float64(c.e.Q)/float64(c.e.P))
	return float64(rate * math.Sqrt(sum/all))
}

// measure estimates ‖I − A^Q·X^P‖_F/√n from random vectors, with A as it was given.
func (c *lowRankCall[T]) measure() float64 {
	fill(c.z)
	c.y.Copy(c.z)
	for range c.e.Q { // times A
		if c.product {
			c.times(c.given, c.base, nil)
		} else {
			c.times(c.given, c.base, c.values)
		}
	}
	for range c.e.P {
		c.times(c.basis, c.sigma, c.d)
	}
	return distance(c.z, c.y) / math.Sqrt(float64(probeRows*c.z.Cols))
}

// times multiplies y by scale·I + m·diag(d)·mᵀ from the right.
func (c *lowRankCall[T]) times(m dense.Matrix[float64], scale float64, d []float64) {
	t := dense.Matrix[float64]{Rows: probeRows, Cols: m.Cols, Stride: max(1, m.Cols), Data: c.t.Data}
	dense.Gemm(blas.NoTrans, blas.NoTrans, 1, c.y, m, 0, t, &c.inner)
	if d != nil {
		for i := range t.Rows {
			dense.MulTo(t.Row(i), d, t.Row(i), &one)
		}
	}
	dense.Gemm(blas.NoTrans, blas.Trans, 1, t, m, scale, c.y, &c.inner)
}

// commit keeps what was computed, without the columns that do nothing.
func (r *LowRank[T]) commit(n int) {
	c := &r.lowRankCall
	m := 0
	for _, v := range c.d {
		if v != 0 {
			m++
		}
	}
	if cap(r.vectors.Data) < n*m {
		r.vectors.Data = make([]T, n*m)
	}
	if cap(r.weights) < m {
		r.weights = make([]T, m)
	}
	r.n = n
	r.vectors = dense.Matrix[T]{Rows: n, Cols: m, Stride: max(1, m), Data: r.vectors.Data[:n*m]}
	r.weights = r.weights[:m]
	scale, exp := scaling(c.shift, c.e)
	r.outside = T(math.Ldexp(float64(c.sigma*scale), exp))
	to := 0
	for _, v := range c.d {
		if v != 0 {
			r.weights[to] = T(math.Ldexp(float64(v*scale), exp))
			to++
		}
	}
	for i := range n {
		row, to := r.vectors.Row(i), 0
		for j, v := range c.basis.Row(i) {
			if c.d[j] != 0 {
				row[to] = T(v)
				to++
			}
		}
	}
}
