package dense

import (
	"fmt"
	"math"
	"unsafe"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/internal/par"
	"gonum.org/v1/gonum/blas"
)

// NormSpectral returns the spectral norm, the largest singular value of a, and 0 if a is
// empty.
//
// Cost, workspace, errors and accuracy are those of [SingularValues], with the length
// NormSpectralWork(m, n, threads). [SpectralBounds] costs less.
func NormSpectral[T Float](a Matrix[T], o *Opts[T]) (T, error) {
	var norm T
	err := withValues("NormSpectral", &a, o, func(s []T) { norm = s[0] })
	return norm, err
}

// NormNuclear returns the nuclear norm, the sum of the singular values of a, and 0 if
// a is empty.
//
// Cost, workspace and errors are those of [SingularValues], with the length
// NormNuclearWork(m, n, threads). Accuracy: the error is at most
// 10·min(m, n)·ε times the spectral norm. [NuclearBounds] costs less.
func NormNuclear[T Float](a Matrix[T], o *Opts[T]) (T, error) {
	var norm T
	err := withValues("NormNuclear", &a, o, func(s []T) { norm = Sum(s, &Opts[T]{Threads: 1}) })
	return norm, err
}

// withValues calls f with the singular values of a, if there are any.
func withValues[T Float](op string, a *Matrix[T], o *Opts[T], f func(s []T)) error {
	a.check(op, "a")
	k := min(a.Rows, a.Cols)
	if k == 0 {
		return nil
	}
	inner := Opts[T]{Threads: o.threads()}
	work, pooled := scratch(o, op, normWork[T](a.Rows, a.Cols, inner.Threads)-alignSlack[T]())
	defer release(pooled)
	var s []T
	s, inner.Work = cut(work, k)
	if err := SingularValues(*a, s[:k], &inner); err != nil {
		return err
	}
	f(s[:k])
	return nil
}

// NormSpectralWork returns the length of the workspace of NormSpectral for an m×n
// matrix on the given number of threads.
func NormSpectralWork[T Float](m, n, threads int) int { return normWork[T](m, n, threads) }

// NormNuclearWork returns the length of the workspace of NormNuclear for an m×n matrix
// on the given number of threads.
func NormNuclearWork[T Float](m, n, threads int) int { return normWork[T](m, n, threads) }

func normWork[T Float](m, n, threads int) int {
	if min(m, n) == 0 {
		return 0
	}
	return roundUp(min(m, n), alignSlack[T]()) + SingularValuesWork[T](m, n, threads) + alignSlack[T]()
}

// NormBounds is an interval that holds a norm, rounding errors included.
type NormBounds[T Float] struct{ Lower, Upper T }

// SpectralBounds returns bounds of the spectral norm of a. squarings says what they may
// cost, with k = min(m, n):
//
//   - 0: 14·m·n flops. Upper is the lesser of the Frobenius norm and √(‖a‖₁·‖a‖_∞). Lower is
//     what two steps of the power iteration reach from the longest row.
//   - p > 0: m·n·k + (p−1)·k³ + 6·m·n flops. With G the k×k Gram matrix and q = 2^(p−1), Upper
//     is at most ‖G^q‖_F^(1/2q), so at most k^(1/4q) times the norm: 1.22 times for k = 512 and
//     p = 4, 1.05 times for p = 6. Lower is ‖a·x‖/‖x‖ for the longest column x of G^q.
//
// More than 20 squarings are as good as 20.
// Errors: *NonFiniteError if a has a NaN or an infinity.
// Workspace: SpectralBoundsWork(m, n, squarings, threads).
func SpectralBounds[T Float](a Matrix[T], squarings int, o *Opts[T]) (NormBounds[T], error) {
	b, err := boundNorms("SpectralBounds", &a, squarings, o)
	return b.unscaled(b.spectral), err
}

// SpectralBoundsWork returns the length of the workspace of SpectralBounds for an
// m×n matrix on the given number of threads.
func SpectralBoundsWork[T Float](m, n, squarings, threads int) int {
	if m == 0 || n == 0 {
		return 0
	}
	b := newBounding[T](m, n, squarings, par.Threads(threads))
	return b.length() + alignSlack[T]()
}

// NuclearBounds returns bounds of the nuclear norm of a: with F the Frobenius norm and
// k = min(m, n), Lower is F²/u for an upper bound u of the spectral norm, and Upper is
// the least of √k·F, the sum of the norms of the rows and that of the columns.
//
// squarings are for the bound of the spectral norm, with cost, errors and workspace
// as in [SpectralBounds].
func NuclearBounds[T Float](a Matrix[T], squarings int, o *Opts[T]) (NormBounds[T], error) {
	b, err := boundNorms("NuclearBounds", &a, squarings, o)
	return b.unscaled(b.nuclear), err
}

// NuclearBoundsWork returns the length of the workspace of NuclearBounds for an m×n
// matrix on the given number of threads.
func NuclearBoundsWork[T Float](m, n, squarings, threads int) int {
	return SpectralBoundsWork[T](m, n, squarings, threads)
}

// bounding is the work on the bounds of the norms of an m×n matrix. It works on x, the
// matrix times a power of two that brings its largest element near 1.
type bounding[T Float] struct {
	oddSteps[T] // its matrices, and the Gram matrix
	squarings   int
	unit        T
	v, w        []T // of n and m elements
	spectral    NormBounds[T]
	nuclear     NormBounds[T]
}

func newBounding[T Float](m, n, squarings, threads int) bounding[T] {
	return bounding[T]{oddSteps: newOddSteps[T](m, n, threads), squarings: min(squarings, maxSquarings)}
}

const maxSquarings = 20

func (b *bounding[T]) length() int {
	size := panelStride[T](b.m) + panelStride[T](b.n)
	if b.squarings == 0 {
		return size + b.m*panelStride[T](b.n)
	}
	return size + b.oddSteps.length()
}

func (b *bounding[T]) take(work []T) {
	b.v, work = work[:b.n], work[panelStride[T](b.n):]
	b.w, work = work[:b.m], work[panelStride[T](b.m):]
	if b.squarings == 0 {
		b.x, _ = cutMatrix(work, b.m, b.n)
	} else {
		b.oddSteps.take(work)
	}
}

// boundNorms is SpectralBounds and NuclearBounds. Bounds of a zero matrix are zero.
func boundNorms[T Float](op string, a *Matrix[T], squarings int, o *Opts[T]) (b bounding[T], err error) {
	a.check(op, "a")
	if squarings < 0 {
		panic(fmt.Sprintf("dense: %s: %d squarings", op, squarings))
	}
	if a.Rows == 0 || a.Cols == 0 {
		return b, nil
	}
	b = newBounding[T](a.Rows, a.Cols, squarings, o.threads())
	plain := &Opts[T]{Threads: b.threads}
	largest := NormMax(*a, plain)
	if largest-largest != 0 {
		return b, &NonFiniteError{Where: op + ": a"}
	}
	if largest == 0 {
		return b, nil
	}
	work, pooled := scratch(o, op, b.length())
	defer release(pooled)
	b.take(work)
	b.unit = toUnit(largest)
	Scale(b.unit, *a, b.x, plain)
	b.spectral = NormBounds[T]{Lower: T(largest * b.unit), Upper: normAbove(b.x, plain)}
	if b.squarings == 0 {
		copy(b.v, b.x.Row(longestRow(b.x)))
		b.multiply()
		b.multiply()
	} else {
		b.spectral.Upper = min(b.spectral.Upper, b.power())
	}
	b.spectral.Lower = max(b.spectral.Lower, b.rayleigh())
	b.boundNuclear()
	return b, nil
}

// unscaled returns what bounds of x mean for the matrix.
func (b *bounding[T]) unscaled(r NormBounds[T]) NormBounds[T] {
	if r.Upper == 0 {
		return r
	}
	return NormBounds[T]{Lower: nextTo(T(r.Lower*(1/b.unit)), 0), Upper: nextTo(T(r.Upper*(1/b.unit)), math.Inf(1))}
}

// nextTo returns the number next to x ≥ 0 in the given direction.
func nextTo[T Float](x T, direction float64) T {
	if unsafe.Sizeof(x) == 4 {
		return T(math.Nextafter32(float32(x), float32(direction)))
	}
	return T(math.Nextafter(float64(x), direction))
}

// longestRow returns the index of the row of x with the largest norm.
func longestRow[T Float](x Matrix[T]) (at int) {
	best := T(-1)
	for i := range x.Rows {
		if s := sumSquares(asm.For[T](), x.Row(i)); s > best {
			best, at = s, i
		}
	}
	return at
}

// unitVector divides v, whose elements are of ordinary size, by its norm.
func (b *bounding[T]) unitVector(o *Opts[T]) { Scal(1/Nrm2(b.v, o), b.v, o) }

// multiply sets v to XᵀX·v/‖v‖.
func (b *bounding[T]) multiply() {
	o := &Opts[T]{Threads: b.threads}
	b.unitVector(o)
	Gemv(blas.NoTrans, 1, b.x, b.v, 0, b.w, o)
	Gemv(blas.Trans, 1, b.x, b.w, 0, b.v, o)
}

// rayleigh returns a lower bound of the norm, ‖X·v‖/‖v‖ less its rounding errors: those of
// an element of the product are at most dotMargin·‖row‖·‖v‖.
func (b *bounding[T]) rayleigh() T {
	o := &Opts[T]{Threads: b.threads}
	b.unitVector(o)
	Gemv(blas.NoTrans, 1, b.x, b.v, 0, b.w, o)
	margin := dotMargin[T](max(b.m, b.n))
	return T(Nrm2(b.w, o)*(1-T(2*margin))) - T(T(2*margin)*NormFrobenius(b.x, o))
}

// dotMargin bounds the relative error of a sum of n squares, or that of an inner product
// relative to the norms of its factors, with a few operations more.
func dotMargin[T Float](n int) T {
	return T(T(16+n/asm.Lanes[T]()+n/asm.Chunk) * T(2*roundoff[T]()))
}

// power returns an upper bound of the norm from powers of the Gram matrix, and sets v to
// a vector close to a singular one.
//
// Matrix H_j, of Frobenius norm f_j, is the square of H_j−1/f_j−1, and H₀ is XᵀX. In the
// 2-norm, ‖H_p‖ ≤ f_p, and ‖H_j‖ = f_j·‖(H_j/f_j)²‖^½ ≤ f_j·(‖H_j+1‖ + slack)^½, where
// slack bounds the rounding errors of a product of matrices of Frobenius norm 1.
func (b *bounding[T]) power() T {
	o := &Opts[T]{Threads: b.threads}
	slack := T(T(8+b.k+max(b.m, b.n)) * T(4*roundoff[T]()))
	var norms [maxSquarings]T
	Syrk(blas.Lower, b.flip(), 1, b.x, 0, b.gram, &b.inner)
	for j := range b.squarings {
		if j > 0 {
			Scale(1/norms[j-1], b.gram, b.gram, o)
			Syrk(blas.Lower, blas.NoTrans, 1, b.gram, 0, b.poly, &b.inner)
			b.gram, b.poly = b.poly, b.gram
		}
		mirror(b.gram)
		norms[j] = T(NormFrobenius(b.gram, o) * (1 + sumMargin[T](b.k, b.k)))
	}
	if column := b.gram.Row(longestRow(b.gram)); b.m >= b.n {
		copy(b.v, column)
	} else {
		Gemv(blas.Trans, 1, b.x, column, 0, b.v, o)
	}
	bound := norms[b.squarings-1]
	for j := b.squarings - 2; j >= 0; j-- {
		bound = T(norms[j] * root(bound+slack))
	}
	fro := NormFrobenius(b.x, o)
	return T(root(bound+T(slack*T(fro*fro))) * (1 + T(8*roundoff[T]())))
}

// boundNuclear computes the bounds of the nuclear norm.
func (b *bounding[T]) boundNuclear() {
	o := &Opts[T]{Threads: b.threads}
	kern := asm.For[T]()
	var rows T
	clear(b.v)
	for i := range b.m {
		row := b.x.Row(i)
		rows += Nrm2(row, o)
		for lo := 0; lo < b.n; lo += asm.Chunk {
			part := row[lo:min(lo+asm.Chunk, b.n)]
			kern.MulAdd(part, part, b.v[lo:])
		}
	}
	SqrtTo(b.v, b.v, o)
	fro := NormFrobenius(b.x, o)
	margin := T(T(b.m+b.n) * T(2*roundoff[T]()))
	margin += sumMargin[T](b.m, b.n)
	b.nuclear.Upper = T(min(rows, Sum(b.v, o), T(root(T(b.k))*fro)) * (1 + margin))
	b.nuclear.Lower = T(max(fro, T(fro*T(fro/b.spectral.Upper))) * (1 - T(2*margin)))
}
