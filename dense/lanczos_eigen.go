package dense

import (
	"fmt"
	"math"

	"github.com/precond-go/precond/asm"
	"gonum.org/v1/gonum/blas"
)

// LanczosEigen computes the k eigenvalues at one end of the spectrum of a symmetric
// operator of order n, and their eigenvectors, by the Lanczos method: apply(x, y) sets
// y to A·x and leaves x alone. values takes the eigenvalues, the columns of vectors the
// eigenvectors, and residuals, for each pair, ‖A·x − θ·x‖/‖x‖ as computed at the end:
// some eigenvalue of A lies within it of θ, up to the rounding errors of apply.
// That it is the wanted one is a matter of the random start: one that is orthogonal to an
// eigenvector misses it, which has probability zero. A multiple eigenvalue may be
// found once only, unless the Krylov space ends, where another start follows.
//
// Shapes: values and residuals have k elements, 1 ≤ k ≤ n, vectors is n×k. It returns
// the number of steps. Cost: apply and 4·n·steps flops a step, without Selective 8.
// Workspace: LanczosEigenWork(n, k, l, threads), which has the basis, n·steps.
// Errors: *NonFiniteError if apply gives what is not finite, where the outputs hold
// nothing; *NoConvergenceError if the residuals are above l.Tolerance after l.Steps
// steps, where the outputs hold the best pairs, with their residuals.
// Accuracy: orthonormal vectors within 10·n·ε; with Selective within n·√ε of each
// other, while values and residuals are as good (tested).
// Source: Parlett, The symmetric eigenvalue problem, chapter 13; Simon 1984.
func LanczosEigen[T Float](apply func(x, y []T), n int, end End, values []T, vectors Matrix[T], residuals []T, l LanczosOpts, o *Opts[T]) (steps int, err error) {
	const op = "LanczosEigen"
	k := len(values)
	vectors.check(op, "vectors")
	if k < 1 || k > n || len(residuals) != k || vectors.Rows != n || vectors.Cols != k {
		panic(fmt.Sprintf("dense: %s: order %d, %d values, vectors is %dx%d, %d residuals", op, n, k, vectors.Rows, vectors.Cols, len(residuals)))
	}
	if end != Largest && end != Smallest {
		panic(fmt.Sprintf("dense: %s: unknown end %d", op, end))
	}
	var r lanczosPairs[T]
	var w arena[T]
	r.reserve(&w, n, k, l)
	space, pooled := scratch(o, op, w.Used())
	defer release(pooled)
	w = arenaOver(space)
	r.reserve(&w, n, k, l)
	r.kern, r.apply, r.selective, r.seed, r.o = asm.For[T](), apply, l.Selective, l.Seed, lanczosThreads(o)
	tol := l.Tolerance
	if tol == 0 {
		tol = float64(100 * unitRoundoff[T]()) // exact
	}
	reached, err := r.iterate(end, k, tol)
	if err != nil {
		return r.m, err
	}
	if err := r.vectorsOf(end, values, vectors, residuals); err != nil {
		return r.m, err
	}
	if !reached {
		return r.m, &NoConvergenceError{Iterations: r.m, Residual: float64(MaxAbs(residuals, nil))}
	}
	return r.m, nil
}

// LanczosEigenWork returns the length of the workspace of LanczosEigen for k
// eigenpairs of an operator of order n. It does not depend on the number of threads.
func LanczosEigenWork[T Float](n, k int, l LanczosOpts) int {
	var r lanczosPairs[T]
	var w arena[T]
	r.reserve(&w, n, k, l)
	return w.Used() + alignSlack[T]()
}

// lanczosPairs is a run that looks for eigenpairs.
type lanczosPairs[T Float] struct {
	lanczos[T]
	q      []float64 // eigenvectors of T
	chosen Matrix[T] // those wanted, limit×k
	x      []T
	rest   []T // workspace of the product that makes eigenvectors
}

func (r *lanczosPairs[T]) reserve(w *arena[T], n, k int, l LanczosOpts) {
	steps := l.Steps
	if steps <= 0 {
		steps = 20*k + 100
	}
	steps = min(n, max(steps, k))
	r.lanczos.reserve(w, n, steps)
	r.q = w.Doubles(steps * steps)
	r.chosen = w.matrix(steps, k)
	r.x = w.Take(n)
	r.rest = w.Take(gemmRoom[T](n, k, steps, 1))
}

// iterate runs until k pairs at an end have converged, and reports whether they have.
func (r *lanczosPairs[T]) iterate(end End, k int, tol float64) (bool, error) {
	r.begin()
	for check := k; r.m < r.limit; {
		if err := r.step(); err != nil {
			return false, err
		}
		if r.m < check && r.m < r.limit {
			continue
		}
		check = r.m + 4 + r.m/8
		if err := r.ritz(); err != nil {
			return false, err
		}
		worst := 0.
		for i := range k {
			worst = max(worst, float64(r.beta[r.m-1]*math.Abs(r.ends[2*r.wanted(end, i)+1])))
		}
		tol := float64(tol * r.largest())
		if worst <= tol && (r.m == r.limit || r.complete(end, k, tol)) {
			return true, nil
		}
	}
	return false, nil
}

// complete returns whether the wanted Ritz values are those of A as far as can be
// seen. A Krylov space that ends has only one copy of a multiple eigenvalue. So then
// the space of the vector that comes next is to show that it adds nothing: its Ritz value
// at the end must have converged and not go beyond the k of the spaces before.
func (r *lanczosPairs[T]) complete(end End, k int, tol float64) bool {
	if r.start == 0 {
		return !r.ended
	}
	side := 1.
	if end == Smallest {
		side = -1
	}
	others, last, top, residual := 0, math.Inf(-1), math.Inf(-1), 0.
	for i := range r.m {
		j := r.wanted(end, i)
		value, component := float64(side*r.d[j]), math.Abs(r.ends[2*j+1])
		switch {
		case component == 0: // of a space before; T is made of blocks
			if others++; others == k {
				last = value
			}
		case math.IsInf(top, -1):
			top, residual = value, float64(r.beta[r.m-1]*component)
		}
	}
	return others >= k && top <= last+tol && residual <= tol
}

// vectorsOf makes the wanted Ritz pairs and their residuals.
func (r *lanczosPairs[T]) vectorsOf(end End, values []T, vectors Matrix[T], residuals []T) error {
	m, k := r.m, len(values)
	q := Matrix[float64]{m, m, m, r.q[:m*m]}
	clear(q.Data)
	for i := range m {
		q.Data[i*m+i] = 1
	}
	if err := r.tridiagonal(q); err != nil {
		return err
	}
	chosen := r.chosen.View(0, 0, m, k)
	for i := range k {
		j := r.wanted(end, i)
		values[i] = T(r.d[j])
		for l, v := range q.Row(j) {
			chosen.Data[l*chosen.Stride+i] = T(v)
		}
	}
	Gemm(blas.Trans, blas.NoTrans, 1, r.basis.View(0, 0, m, r.n), chosen, 0, vectors, &Opts[T]{Threads: 1, Work: r.rest})
	y := r.basis.Row(m)
	for i := range k {
		for j := range r.x {
			r.x[j] = vectors.Data[j*vectors.Stride+i]
		}
		norm := r.normalise(r.x)
		for j, v := range r.x {
			vectors.Data[j*vectors.Stride+i] = v
		}
		r.apply(r.x, y)
		Axpy(-values[i], r.x, y, &r.o)
		residuals[i] = safeNorm(r.kern, y)
		if norm-norm != 0 || residuals[i]-residuals[i] != 0 {
			return &NonFiniteError{Where: "the operator's result for an eigenvector"}
		}
	}
	return nil
}

// LanczosDensity estimates the spectral density of a symmetric operator of order n:
// nodes and weights such that Σ weights·f(nodes) is close to tr f(A)/n, the mean of f
// over the eigenvalues, for smooth f. Each of starts random vectors contributes a Gauss
// quadrature of l.Steps nodes, fewer where the Krylov space ends; it is exact for
// polynomials of degree below twice that, for its start vector.
//
// nodes and weights have at least starts·min(steps, n) elements. It returns how many
// are used: those of each start in increasing order, start after start; the weights are
// positive and their sum is 1. The error falls as 1/√(n·starts).
// Workspace: LanczosDensityWork(n, l). l.Tolerance is not used.
// Errors: *NonFiniteError if apply gives what is not finite; nodes and weights hold
// nothing then.
// Source: Golub and Welsch, Math. Comp. 23 (1969); Ubaru, Chen and Saad, Fast estimation
// of tr(f(A)) via stochastic Lanczos quadrature, SIAM J. Matrix Anal. Appl. 38 (2017).
func LanczosDensity[T Float](apply func(x, y []T), n, starts int, nodes, weights []T, l LanczosOpts, o *Opts[T]) (int, error) {
	const op = "LanczosDensity"
	steps := lanczosSteps(n, l)
	if n < 1 || starts < 1 || len(nodes) < starts*steps || len(weights) < starts*steps {
		panic(fmt.Sprintf("dense: %s: order %d, %d starts of %d steps, %d nodes, %d weights", op, n, starts, steps, len(nodes), len(weights)))
	}
	r, pooled := newLanczos(op, apply, n, l, o)
	defer release(pooled)
	used := 0
	for range starts {
		r.begin()
		for r.m < r.limit && !r.ended {
			if err := r.step(); err != nil {
				return 0, err
			}
		}
		if err := r.ritz(); err != nil {
			return 0, err
		}
		sum := 0.
		for i := range r.m {
			sum += float64(r.ends[2*i] * r.ends[2*i])
		}
		for _, i := range r.order[:r.m] {
			nodes[used] = T(r.d[i])
			weights[used] = T(float64(r.ends[2*i]*r.ends[2*i]) / float64(sum*float64(starts)))
			used++
		}
	}
	return used, nil
}

// LanczosDensityWork returns the length of the workspace of LanczosDensity and
// LanczosNorm for an operator of order n. It does not depend on the number of threads.
func LanczosDensityWork[T Float](n int, l LanczosOpts) int {
	var r lanczos[T]
	var w arena[T]
	r.reserve(&w, n, lanczosSteps(n, l))
	return w.Used() + alignSlack[T]()
}

// lanczosSteps returns the number of steps where no eigenpairs are wanted.
func lanczosSteps(n int, l LanczosOpts) int {
	if l.Steps <= 0 {
		l.Steps = 60
	}
	return min(n, l.Steps)
}

// newLanczos makes a run with a workspace from o or the pool.
func newLanczos[T Float](op string, apply func(x, y []T), n int, l LanczosOpts, o *Opts[T]) (lanczos[T], *buffer[T]) {
	var r lanczos[T]
	space, pooled := scratch(o, op, LanczosDensityWork[T](n, l)-alignSlack[T]())
	w := arenaOver(space)
	r.reserve(&w, n, lanczosSteps(n, l))
	r.kern, r.apply, r.selective, r.seed, r.o = asm.For[T](), apply, l.Selective, l.Seed, lanczosThreads(o)
	return r, pooled
}

// LanczosNorm bounds the spectral norm of a symmetric operator of order n from both
// sides. lower is the largest Ritz value in magnitude, which the norm never falls below, up
// to rounding. upper holds except with probability l.Failure over the seeds, whatever the
// operator; it is Inf if l.Steps are too few for that, and lower but for rounding where the
// Krylov space ends. 60 steps bring them within a factor of 1.15 for n up to 10⁶.
//
// Workspace: LanczosDensityWork(n, l).
// Errors: *NonFiniteError if apply gives what is not finite.
// Source: Kuczyński and Woźniakowski, Estimating the largest eigenvalue by the power and
// Lanczos algorithms with a random start, SIAM J. Matrix Anal. Appl. 13 (1992),
// theorem 4.2, for A².
func LanczosNorm[T Float](apply func(x, y []T), n int, l LanczosOpts, o *Opts[T]) (lower, upper T, err error) {
	const op = "LanczosNorm"
	if n < 1 {
		panic(fmt.Sprintf("dense: %s: order %d", op, n))
	}
	r, pooled := newLanczos(op, apply, n, l, o)
	defer release(pooled)
	r.begin()
	for r.m < r.limit && !r.ended {
		if err := r.step(); err != nil {
			return 0, 0, err
		}
	}
	if err := r.ritz(); err != nil {
		return 0, 0, err
	}
	lower = T(r.largest())
	excess := 1 + float64(float64(4*math.Sqrt(float64(n)))*float64(unitRoundoff[T]()))
	if !r.ended {
		excess /= math.Sqrt(max(0, 1-missed(n, r.m, l.Failure)))
	}
	return lower, T(float64(r.largest() * excess)), nil
}

// missed returns a relative error of the largest Ritz value of A², after m steps with A of
// order n, that is exceeded with no more than the given probability.
//
// The largest Ritz value of A after m steps is no less than ‖A·x‖ for any unit vector x of
// the Krylov space of m−1 steps, since the image lies in that of m. So its square is no
// less than what ⌊m/2⌋ steps with A² give, for which the theorem has
// 1.648·√n·exp(−√ε·(2·⌊m/2⌋−1)) as the probability of an error above ε.
func missed(n, m int, probability float64) float64 {
	if probability <= 0 {
		probability = 1e-9
	}
	if m < 2 {
		return 1
	}
	_, e := math.Frexp(float64(1.648*math.Sqrt(float64(n))) / probability)
	root := float64(float64(e)*math.Ln2) / float64(2*(m/2)-1) // the logarithm rounded up
	return min(1, float64(root*root))
}
