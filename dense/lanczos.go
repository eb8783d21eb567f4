package dense

import (
	"fmt"
	"math"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/internal/par"
	"gonum.org/v1/gonum/blas"
)

// LanczosOpts are the options of the Lanczos methods. The zero value is the default.
type LanczosOpts struct {
	// Steps is the largest number of steps, each of which applies the operator once
	// and keeps a vector; no more than the order are done. 0 means 20·k + 100 for k
	// eigenpairs, and 60 otherwise.
	Steps int
	// Tolerance is the residual of an eigenpair that has converged, relative to the
	// largest Ritz value in magnitude. 0 means 50 ε.
	Tolerance float64
	// Selective reorthogonalises a vector only when a recurrence for the rounding
	// errors says that it is about to lose half of its digits of orthogonality;
	// otherwise each vector is made orthogonal to all before it, twice.
	Selective bool
	// Seed selects the random start vectors.
	Seed uint64
	// Failure is the probability that an upper bound of LanczosNorm may be wrong
	// with; 0 means 1e-9.
	Failure float64
}

// End is an end of a spectrum.
type End int8

// The ends.
const (
	Largest  End = iota // the largest eigenvalues, in decreasing order
	Smallest            // the smallest, in increasing order
)

// lanczos is a run of the Lanczos process on a symmetric operator of order n:
// A·V = V·T + b·v·eᵀ, where V are the rows of basis, orthonormal, T is
// tridiagonal with alpha and beta, and v is the next vector.
//
// Where the Krylov space ends, b = 0 and the next vector is a new random one, so that
// multiple eigenvalues are found too.
type lanczos[T Float] struct {
	kern      *asm.Kernels[T]
	apply     func(x, y []T)
	n, limit  int
	o         Opts[T]
	selective bool
	seed      uint64

	basis       Matrix[T] // (limit+1)×n
	c           []T       // limit + 1
	alpha, beta []float64
	d, e        []float64 // what implicit QL overwrites
	ends        []float64 // first and last component of each eigenvector of T
	omega, old  []float64 // estimates of the products of the last two vectors with all
	normal      []float64
	order       []int32

	m      int     // steps done
	drawn  uint64  // random vectors drawn
	scale  float64 // estimate of ‖A‖
	ended  bool    // the last step ended the Krylov space
	start  int     // step that began the space of the last step
	repeat bool    // the next vector is to be reorthogonalised too
}

// reserve takes the workspace from w.
func (l *lanczos[T]) reserve(w *arena[T], n, limit int) {
	l.n, l.limit = n, limit
	l.basis = w.matrix(limit+1, n)
	l.c = w.Take(limit + 1)
	for _, f := range []*[]float64{&l.alpha, &l.beta, &l.d, &l.e, &l.omega, &l.old} {
		*f = w.Doubles(limit + 1)
	}
	l.ends = w.Doubles(2 * limit)
	l.normal = w.Doubles(3 * normalPairs)
	l.order = w.Indices(limit)
}

// begin draws the first vector.
func (l *lanczos[T]) begin() {
	l.m, l.scale, l.ended, l.start, l.repeat = 0, 0, false, 0, false
	l.draw(0)
}

// draw makes row j of the basis a random direction orthogonal to those before it.
func (l *lanczos[T]) draw(j int) {
	v := l.basis.Row(j)
	for range 3 { // once, but for chances that do not occur
		l.drawn++
		fillNormal(v, mix64(mix64(l.seed)+l.drawn), l.normal)
		if j > 0 {
			l.project(j)
		}
		if l.normalise(v) > 0 {
			break
		}
	}
	if j > 0 {
		l.project(j)
		l.normalise(v)
	}
}

// normalise divides v by its norm, which it returns.
func (l *lanczos[T]) normalise(v []T) float64 {
	norm := safeNorm(l.kern, v)
	if norm == 0 || norm-norm != 0 {
		return float64(norm)
	}
	scale := toUnit(norm) // as the reciprocal of a subnormal norm overflows
	scaleInChunks(l.kern, scale, v)
	scaleInChunks(l.kern, 1/T(norm*scale), v)
	return float64(norm)
}

// project takes off row j of the basis its components along the rows before it, twice.
func (l *lanczos[T]) project(j int) {
	v, w, c := l.basis.View(0, 0, j, l.n), l.basis.Row(j), l.c[:j]
	for range 2 {
		Gemv(blas.NoTrans, 1, v, w, 0, c, &l.o)
		Gemv(blas.Trans, -1, v, c, 1, w, &l.o)
	}
}

// step does one step.
func (l *lanczos[T]) step() error {
	j := l.m
	if l.ended {
		l.start = j
	}
	v, w := l.basis.Row(j), l.basis.Row(j+1)
	l.apply(v, w)
	if norm := safeNorm(l.kern, w); norm-norm != 0 {
		return &NonFiniteError{Where: fmt.Sprintf("the operator's result in step %d", j)}
	}
	before := 0.
	if j > 0 && l.beta[j-1] != 0 {
		before = l.beta[j-1]
		Axpy(T(-before), l.basis.Row(j-1), w, &l.o)
	}
	a := Dot(v, w, &l.o)
	Axpy(-a, v, w, &l.o)
	l.alpha[j] = float64(a)
	l.m++
	if !l.selective {
		l.project(j + 1)
	}
	b := float64(safeNorm(l.kern, w))
	l.scale = max(l.scale, math.Abs(l.alpha[j])+before+b)
	if l.selective && l.stale(j, b) {
		l.project(j + 1)
		b = float64(safeNorm(l.kern, w))
	}
	u := float64(unitRoundoff[T]())
	l.ended = !(b > float64(float64(4*u)*float64(math.Sqrt(float64(l.n))*l.scale))) || j+1 == l.n
	l.beta[j] = b
	if !l.ended {
		l.normalise(w)
		if !proper(T(b * u)) { // what is subnormal is not orthogonal to many digits
			l.project(j + 1)
			l.normalise(w)
		}
		return nil
	}
	l.beta[j] = 0
	if j+1 < l.n && l.m < l.limit {
		l.draw(j + 1)
	}
	for i := range j + 1 {
		l.omega[i], l.old[i] = u, u
	}
	return nil
}

// stale updates the estimates of the inner products of vector j+1, b times which the
// recurrence has just made, with those before it, and returns whether it is to be
// reorthogonalised, as is the one after such a vector.
// Source: Simon, The Lanczos algorithm with partial reorthogonalization, Math. Comp. 42
// (1984), section 4.
func (l *lanczos[T]) stale(j int, b float64) bool {
	u := float64(unitRoundoff[T]())
	next := l.old // ω_{j+1}; it takes the place of ω_{j−1}
	worst, left := 0., 0.
	for k := range j + 1 {
		now := 1. // ω_{j−1,k}
		if k < j-1 {
			now = l.old[k]
		}
		x := u
		if k < j && b > 0 {
			sum := float64((l.alpha[k] - l.alpha[j]) * l.omega[k])
			if k+1 < j {
				sum += float64(l.beta[k] * l.omega[k+1])
			} else {
				sum += l.beta[k]
			}
			if k > 0 {
				sum += float64(l.beta[k-1] * left)
			}
			if j > 0 {
				sum -= float64(l.beta[j-1] * now)
			}
			x = (sum + math.Copysign(float64(float64(2*u)*l.scale), sum)) / b
		}
		left = l.omega[k]
		next[k] = x
		worst = max(worst, math.Abs(x))
	}
	l.omega, l.old = next, l.omega
	again := worst > math.Sqrt(u) || !(b > 0)
	if again || l.repeat {
		for k := range j + 1 {
			l.omega[k] = u
		}
		l.repeat = again && !l.repeat
		return true
	}
	return false
}

// ritz computes the eigenvalues of T, in l.d, and the ends of its eigenvectors, and
// sorts l.order by the eigenvalues.
func (l *lanczos[T]) ritz() error {
	m := l.m
	ends := l.ends[:2*m]
	clear(ends)
	ends[0], ends[2*m-1] = 1, 1
	return l.tridiagonal(Matrix[float64]{m, 2, 2, ends})
}

// tridiagonal computes the eigenvalues of T; the rows of q take the rotations.
func (l *lanczos[T]) tridiagonal(q Matrix[float64]) error {
	m, k := l.m, asm.For[float64]()
	scale := 1.
	if l.scale > 0 {
		scale = toUnit(l.scale)
	}
	k.ScalTo(scale, l.alpha[:m], l.d)
	k.ScalTo(scale, l.beta[:m], l.e)
	if !implicitQL(k, l.d[:m], l.e[:m], q) {
		return &NoConvergenceError{Iterations: m, Residual: math.Inf(1)}
	}
	k.Scal(1/scale, l.d[:m])
	for i := range m {
		l.order[i] = int32(i)
	}
	sortBy(l.order[:m], l.d)
	return nil
}

// wanted returns the index of the i-th Ritz value from an end.
func (l *lanczos[T]) wanted(end End, i int) int {
	if end == Largest {
		i = l.m - 1 - i
	}
	return int(l.order[i])
}

// largest returns the largest magnitude of a Ritz value.
func (l *lanczos[T]) largest() float64 {
	return max(math.Abs(l.d[l.order[0]]), math.Abs(l.d[l.order[l.m-1]]))
}

// normalPairs is the number of pairs that fillNormal makes at once.
const normalPairs = 64

// fillNormal fills v with independent normal random numbers, which are a function of
// key alone. work has 3·normalPairs elements.
// Source: Marsaglia's polar method (Marsaglia and Bray, SIAM Rev. 6, 1964).
func fillNormal[T Float](v []T, key uint64, work []float64) {
	const golden = 0x9e3779b97f4a7c15
	x, y, s := work[:normalPairs], work[normalPairs:2*normalPairs], work[2*normalPairs:]
	uniform := func(z uint64) float64 { return (float64(z>>12)+0.5)/(1<<51) - 1 }
	for count := uint64(0); len(v) > 0; {
		for i := range s {
			for s[i] = 0; s[i] <= 0 || s[i] >= 1; count += 2 {
				x[i], y[i] = uniform(mix64(key+count*golden)), uniform(mix64(key+(count+1)*golden))
				s[i] = float64(x[i]*x[i]) + float64(y[i]*y[i])
			}
		}
		n := min(len(v), 2*normalPairs)
		for i := range n {
			v[i] = T(x[i/2])
			if i%2 == 1 {
				v[i] = T(y[i/2])
			}
		}
		asm.For[float64]().LogTo(s, y) // in one go
		for i := range n {
			v[i] = T(float64(v[i]) * math.Sqrt(float64(-2*y[i/2])/s[i/2]))
		}
		v = v[n:]
	}
}

// lanczosThreads returns the options of the vectors' operations.
func lanczosThreads[T Float](o *Opts[T]) Opts[T] {
	if o == nil {
		return Opts[T]{}
	}
	return Opts[T]{Threads: par.Threads(o.Threads)}
}
