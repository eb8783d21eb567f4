package dense

import (
	"fmt"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/internal/par"
	"gonum.org/v1/gonum/blas"
)

// OrthogonalizeCertificate says what an approximate orthogonalisation is worth.
type OrthogonalizeCertificate struct {
	// Steps is the number of polynomials that were applied.
	Steps int
	// Scale is what a was divided by, an upper bound of its spectral norm.
	Scale float64
	// Bound is OddPolynomials.Bound: singular values of the result differ from 1 by no
	// more, but for rounding, if those of a are at least Lower·Scale.
	Bound float64
	// Defect is ‖QᵀQ − I‖_F (‖QQᵀ − I‖_F for wide q), measured. If it is d < 1, all
	// singular values of the result are in [√(1−d), √(1+d)], whatever a was.
	Defect float64
}

// Orthogonalize brings all singular values of a close to 1 by products alone: for
// a = U·S·Vᵀ it computes q ≈ U·Vᵀ, the orthogonal factor of the polar decomposition, as
// Muon and Shampoo-like methods use it. p is the composition of polynomials to apply,
// from [PolarExpress] for the best bound or [MuonPolynomials].
//
// Shapes: a is m×n and only read, q is m×n and must not overlap it.
// Cost: with k = min(m, n), each step 3·m·n·k + k³ flops (degree 3: 3·m·n·k); then
// m·n·k flops for the certificate. Workspace: OrthogonalizeWork(m, n, threads).
// a is first divided by the smaller of its Frobenius norm and √(‖a‖₁·‖a‖_∞), times a
// little more than 1. Singular values of zero stay zero, and a zero matrix gives zero;
// those below p.Lower times that norm end anywhere between 0 and 1 + p.Bound. The
// certificate shows it.
// Errors: *NonFiniteError if a has a NaN or an infinity; q is not written then.
// Accuracy: the elements of q differ from those of the exact composition by no more
// than 10⁵·max(m, n)·ε if p.Lower ≥ 10⁻³ (tested): the first polynomials are steep at 0
// and 1, and what they multiply are also rounding errors. Where Bound is near zero these
// vanish again, and Defect is near n·ε.
func Orthogonalize[T Float](a, q Matrix[T], p *OddPolynomials, o *Opts[T]) (OrthogonalizeCertificate, error) {
	const op = "Orthogonalize"
	a.check(op, "a")
	q.check(op, "q")
	if a.Rows != q.Rows || a.Cols != q.Cols {
		panic(fmt.Sprintf("dense: %s: a is %dx%d, q is %dx%d", op, a.Rows, a.Cols, q.Rows, q.Cols))
	}
	checkApart(op, &q, "q", &a, "a")
	cert := OrthogonalizeCertificate{Steps: len(p.Coef), Bound: p.Bound}
	if a.Rows == 0 || a.Cols == 0 {
		return cert, nil
	}
	s := newOddSteps[T](a.Rows, a.Cols, o.threads())
	largest := NormMax(a, &Opts[T]{Threads: s.threads})
	if largest-largest != 0 {
		return cert, &NonFiniteError{Where: op + ": a"}
	}
	norm := normAbove(a, &Opts[T]{Threads: s.threads}) // before the scratch, as it takes from the pool too
	work, pooled := scratch(o, op, s.length())
	defer release(pooled)
	s.take(work)
	x, y := q, s.x
	if len(p.Coef)%2 == 1 {
		x, y = y, x // such that the last step writes to q
	}
	cert.Scale = s.start(a, x, largest, norm)
	for _, c := range p.Coef {
		s.step(c, x, y)
		x, y = y, x
	}
	cert.Defect = s.defect(q)
	return cert, nil
}

// OrthogonalizeWork returns the length of the workspace of Orthogonalize for an
// m×n matrix on the given number of threads.
func OrthogonalizeWork[T Float](m, n, threads int) int {
	if m == 0 || n == 0 {
		return 0
	}
	s := newOddSteps[T](m, n, par.Threads(threads))
	return s.length() + alignSlack[T]()
}

// oddSteps applies odd polynomials to the singular values of m×n matrices, by the
// k×k Gram matrix on the shorter side.
type oddSteps[T Float] struct {
	m, n, k, threads int
	gram, poly, x    Matrix[T]
	inner            Opts[T]
}

func newOddSteps[T Float](m, n, threads int) oddSteps[T] {
	return oddSteps[T]{m: m, n: n, k: min(m, n), threads: threads}
}

func (s *oddSteps[T]) length() int {
	return 2*s.k*panelStride[T](s.k) + s.m*panelStride[T](s.n) + max(
		SyrkWork[T](s.flip(), s.k, max(s.m, s.n), s.threads),
		SyrkWork[T](blas.NoTrans, s.k, s.k, s.threads),
		SymmWork[T](s.side(), s.m, s.n, s.threads))
}

// side is the side on which a polynomial of the Gram matrix stands.
func (s *oddSteps[T]) side() blas.Side {
	if s.m >= s.n {
		return blas.Right
	}
	return blas.Left
}

// flip says how Syrk makes the Gram matrix.
func (s *oddSteps[T]) flip() blas.Transpose {
	if s.m >= s.n {
		return blas.Trans
	}
	return blas.NoTrans
}

func (s *oddSteps[T]) take(w []T) {
	s.gram, w = cutMatrix(w, s.k, s.k)
	s.poly, w = cutMatrix(w, s.k, s.k)
	s.x, w = cutMatrix(w, s.m, s.n)
	s.inner = Opts[T]{Threads: s.threads, Work: w}
}

// start writes a to x, divided by norm, a bound of its norm, or by a better one where
// that is not of ordinary size. It returns the bound.
func (s *oddSteps[T]) start(a, x Matrix[T], largest, norm T) (scale float64) {
	o := &Opts[T]{Threads: s.threads}
	if largest == 0 {
		x.Fill(0)
		return 0
	}
	unit := T(1)
	if !proper(norm) || !proper(1/norm) {
		unit = toUnit(largest)
		Scale(unit, a, x, o)
		a, norm = x, normAbove(x, o)
	}
	Scale(1/norm, a, x, o)
	return float64(norm) / float64(unit)
}

// normAbove returns an upper bound of the spectral norm of x, the smaller of the
// Frobenius norm and √(‖x‖₁·‖x‖_∞), with room for the rounding errors of these norms
// and of one operation on each element with it.
func normAbove[T Float](x Matrix[T], o *Opts[T]) T {
	norm := min(NormFrobenius(x, o), T(root(Norm1(x, o))*root(NormInf(x, o))))
	return T(norm * (1 + sumMargin[T](x.Rows, x.Cols)))
}

// sumMargin bounds the relative error of the norms of an m×n matrix that are sums of its
// elements or their squares, and of a few operations more.
func sumMargin[T Float](m, n int) T {
	steps := 16 + min(m*n, asm.Chunk)/asm.Lanes[T]() + m*n/asm.Chunk + max(m, n)/transposeTile
	return T(T(steps) * T(2*roundoff[T]()))
}

// step computes y = c₀·X + c₁·X·G + c₂·X·G², where G is the Gram matrix of X.
func (s *oddSteps[T]) step(c [3]float64, x, y Matrix[T]) {
	Syrk(blas.Lower, s.flip(), 1, x, 0, s.gram, &s.inner)
	poly := s.gram
	if c[2] == 0 {
		for i := range s.k {
			asm.For[T]().Scal(T(c[1]), s.gram.Row(i)[:i+1])
		}
	} else {
		mirror(s.gram)
		poly = s.poly
		poly.Copy(s.gram)
		Syrk(blas.Lower, blas.NoTrans, T(c[2]), s.gram, T(c[1]), poly, &s.inner)
	}
	for i := range s.k {
		poly.Data[i*poly.Stride+i] += T(c[0])
	}
	Symm(s.side(), blas.Lower, 1, poly, x, 0, y, &s.inner)
}

// mirror copies the lower triangle of a to the upper one.
func mirror[T Float](a Matrix[T]) {
	for lo := 0; lo < a.Rows; lo += transposeTile {
		h := min(transposeTile, a.Rows-lo)
		transposeTiles(asm.For[T](), a.View(lo, 0, h, lo), a.View(0, lo, lo, h))
		for i := lo; i < lo+h; i++ {
			for j := lo; j < i; j++ {
				a.Data[j*a.Stride+i] = a.Data[i*a.Stride+j]
			}
		}
	}
}

// defect returns ‖QᵀQ − I‖_F, or ‖QQᵀ − I‖_F if q is wide.
func (s *oddSteps[T]) defect(q Matrix[T]) float64 {
	Syrk(blas.Lower, s.flip(), 1, q, 0, s.gram, &s.inner)
	for i := range s.k {
		s.gram.Data[i*s.gram.Stride+i] -= 1
	}
	mirror(s.gram)
	return float64(NormFrobenius(s.gram, &Opts[T]{Threads: s.threads}))
}
