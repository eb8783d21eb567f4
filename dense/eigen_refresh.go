package dense

import (
	"fmt"
	"math"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/internal/par"
	"gonum.org/v1/gonum/blas"
)

// RayleighQuotients measures how well an orthonormal basis, such as the eigenvectors of
// an earlier matrix, still diagonalises the symmetric matrix A that is given by the
// triangle uplo of a. values takes the diagonal of VᵀAV, in the order of the columns. The
// result is the off-diagonal mass: the Frobenius norm of what is not on the diagonal
// of VᵀAV, divided by that of A. It comes from the difference of the squares of norms,
// and below √(n·ε) it is no more than that.
//
// Shapes: a and vectors are n×n, values has n elements; values overlaps neither.
// Cost: n³ flops, a quarter of those of VᵀAV: A is L + Lᵀ with a triangle L, so that
// vᵀAv = 2·vᵀLv. Workspace: RayleighQuotientsWork(n, threads).
// Errors: *NonFiniteError if A has a NaN or an infinity, where nothing is written.
func RayleighQuotients[T Float](uplo blas.Uplo, a, vectors Matrix[T], values []T, o *Opts[T]) (off T, err error) {
	const op = "RayleighQuotients"
	isLower, n := checkBasis(op, uplo, &a, values, &vectors)
	threads := o.threads()
	space, pooled := scratch(o, op, RayleighQuotientsWork[T](n, threads)-alignSlack[T]())
	defer release(pooled)
	k := asm.For[T]()
	largest, err := largestOf(k, isLower, a)
	if err != nil || n == 0 {
		return 0, err
	}
	w := arenaOver(space)
	half, y, rest := w.matrix(n, n), w.matrix(n, n), w.Rest()
	scale := toUnit(largest)
	var norm2 float64 // ‖A‖² in units of scale
	for i := range n {
		lo, hi := i+1, n
		if isLower {
			lo, hi = 0, i
		}
		row := half.Row(i)
		k.ScalTo(scale, a.Row(i)[lo:hi], row[lo:hi])
		d := T(scale * a.Data[i*a.Stride+i])
		row[i] = T(d * 0.5)
		norm2 += float64(2*float64(k.SumSq(row[lo:hi]))) + float64(float64(d)*float64(d))
		copy(y.Row(i), vectors.Row(i))
	}
	Trmm(blas.Left, uplo, blas.NoTrans, blas.NonUnit, 1, half, y, &Opts[T]{Threads: threads, Work: rest})
	clear(values)
	for i := range n {
		k.MulAdd(vectors.Row(i), y.Row(i), values)
	}
	k.Scal(2, values)
	var on float64
	for _, v := range values {
		on += float64(float64(v) * float64(v))
	}
	k.Scal(1/scale, values)
	if norm2 == 0 {
		return 0, nil
	}
	return T(math.Sqrt(max(0, norm2-on) / norm2)), nil
}

// RayleighQuotientsWork returns the length of the workspace of RayleighQuotients for an
// n×n matrix on the given number of threads.
func RayleighQuotientsWork[T Float](n, threads int) int {
	var w arena[T]
	w.matrix(n, n)
	w.matrix(n, n)
	w.Take(TrmmWork[T](blas.Left, n, n, par.Threads(threads)))
	return w.Used() + alignSlack[T]()
}

// EigenSymRefresh brings the eigenvectors of an earlier matrix closer to those of the
// symmetric matrix A that is given by the triangle uplo of a, by one Jacobi-like
// correction of all columns at once. vectors is overwritten by another orthonormal basis;
// values takes estimates of the eigenvalues in the order of the columns, which a
// refresh does not change. The result is the off-diagonal mass that the basis had before,
// see RayleighQuotients; unlike there it is accurate however small.
//
// V becomes V·Q with the Cayley transform Q = (I − X/2)⁻¹·(I + X/2) of the skew-symmetric X,
// x_ij = b_ij/(λ_j − λ_i) for b = VᵀAV. Q is orthogonal whatever X, and the matrix to
// solve with has singular values of at least 1, so that this is safe. Where |x_ij| would
// exceed 1/4, eigenvalues are too close for it and the pair is left alone, which matters
// little to functions of A. Apart from such pairs off-diagonal mass is squared: from 1%
// it goes to some 0.02% or, at n = 1000 with its close eigenvalues, to a tenth.
//
// Rounding errors of one refresh after the other add up. So products with a few vectors of
// random signs estimate ‖VᵀV − I‖ first; where it is not within 4·n·ε, the columns are
// made orthonormal by a Cholesky factor of their inner products. Up to n = 128 this is
// done every time, with V·(I + X) in place of V·Q.
//
// Shapes: a and vectors are n×n, values has n elements; outputs do not overlap a or
// each other. The columns of vectors should be orthonormal.
// Cost: 17n³/3 flops, 7n³/3 more where orthonormality is restored, all of them products.
// EigenSym has no more flops, but slower ones, at small n much slower: a refresh in float32
// takes 1/5 of its time at n = 64, 2/5 at 256 and 2/3 at 1024, on one thread. b alone
// takes 3n³. RayleighQuotients tells for n³ whether a refresh is due.
// Workspace: EigenSymRefreshWork(n, threads), about 3n².
// Errors: *NonFiniteError if a or vectors has a NaN or an infinity, where nothing is written;
// *NotPositiveDefiniteError if the columns of vectors are numerically dependent,
// where vectors is left as it was.
// Accuracy: ‖VᵀV − I‖₁ ≤ 10·n·ε, however many refreshes came before (tested).
// Source: the correction is that of Ogita and Aishima, Japan J. Indust. Appl. Math. 35
// (2018), for an orthonormal basis.
func EigenSymRefresh[T Float](uplo blas.Uplo, a Matrix[T], values []T, vectors Matrix[T], o *Opts[T]) (off T, err error) {
	const op = "EigenSymRefresh"
	isLower, n := checkBasis(op, uplo, &a, values, &vectors)
	checkApart(op, &vectors, "vectors", &a, "a")
	space, pooled := scratch(o, op, EigenSymRefreshWork[T](n, o.threads())-alignSlack[T]())
	defer release(pooled)
	r := refresh[T]{kern: asm.For[T](), uplo: uplo, a: a, v: vectors}
	if err := r.begin(isLower); err != nil || n == 0 {
		return 0, err
	}
	w := arenaOver(space)
	r.reserve(&w, n, o.threads())
	if n > refreshByProducts {
		if err := r.orthonormalise(); err != nil {
			return 0, err
		}
	}
	r.measure()
	off = r.quotients(values)
	r.skew(values)
	if n > refreshByProducts {
		r.cayley()
	} else {
		err = r.turn()
	}
	r.kern.Scal(1/r.scale, values)
	return off, err
}

// EigenSymRefreshWork returns the length of the workspace of EigenSymRefresh for an n×n
// matrix on the given number of threads.
func EigenSymRefreshWork[T Float](n, threads int) int {
	var r refresh[T]
	var w arena[T]
	r.reserve(&w, n, par.Threads(threads))
	return w.Used() + alignSlack[T]()
}

// checkBasis checks the arguments of an operation on an n×n matrix and a basis.
func checkBasis[T Float](op string, uplo blas.Uplo, a *Matrix[T], values []T, vectors *Matrix[T]) (isLower bool, n int) {
	isLower = lower(op, uplo)
	a.check(op, "a")
	vectors.check(op, "vectors")
	n = a.Rows
	switch {
	case a.Cols != n:
		panic(fmt.Sprintf("dense: %s: a is %dx%d, want square", op, n, a.Cols))
	case vectors.Rows != n || vectors.Cols != n:
		panic(fmt.Sprintf("dense: %s: vectors is %dx%d, want %dx%d", op, vectors.Rows, vectors.Cols, n, n))
	case len(values) != n:
		panic(fmt.Sprintf("dense: %s: values has %d elements, want %d", op, len(values), n))
	}
	v := rowVector(values)
	checkApart(op, &v, "values", a, "a")
	checkApart(op, &v, "values", vectors, "vectors")
	return isLower, n
}

// refresh is a correction of an approximate eigenbasis v of a.
type refresh[T Float] struct {
	kern   *asm.Kernels[T]
	uplo   blas.Uplo
	a, v   Matrix[T]
	scale  T         // of a
	y      Matrix[T] // scale·A·V, then V + V·X or V·(I − X/2)⁻¹
	b      Matrix[T] // scale·VᵀAV, upper triangle, then X, or the factors of I − X/2
	g      Matrix[T] // inner products of columns
	signs  Matrix[T] // random vectors that probe orthonormality, as rows
	probe  Matrix[T] // their products with V
	delta  []T       // corrections of eigenvalues
	row    []T       // of X
	pivots []int
	o      Opts[T]
}

// begin finds the scale and checks that all is finite.
func (r *refresh[T]) begin(isLower bool) error {
	largest, err := largestOf(r.kern, isLower, r.a)
	if err != nil {
		return err
	}
	r.scale = toUnit(largest)
	for i := range r.v.Rows {
		if m := r.kern.MaxAbs(r.v.Row(i)); m-m != 0 {
			return &NonFiniteError{Where: fmt.Sprintf("row %d of vectors", i)}
		}
	}
	return nil
}

// reserve takes the workspace for order n from w.
func (r *refresh[T]) reserve(w *arena[T], n, threads int) {
	r.y, r.b, r.g = w.matrix(n, n), w.matrix(n, n), w.matrix(n, n)
	r.signs, r.probe = w.matrix(refreshProbes, n), w.matrix(refreshProbes, n)
	r.delta, r.row, r.pivots = w.Take(n), w.Take(n), w.Ints(n)
	r.o = Opts[T]{Threads: threads, Work: w.Take(max(gemmRoom[T](n, n, n, threads),
		SymmWork[T](blas.Left, n, n, threads), SyrkWork[T](blas.Trans, n, n, threads),
		CholeskyWork[T](n, threads), TrsmWork[T](blas.Right, n, n, threads), LUWork[T](n, n, threads)))}
}

// refreshProbes is the number of random vectors that estimate the error of orthonormality.
const refreshProbes = 4

// departure estimates ‖VᵀV − I‖ in the Frobenius norm, from its products with random signs.
func (r *refresh[T]) departure() float64 {
	n := r.v.Rows
	for p := range refreshProbes {
		row := r.signs.Row(p)
		var bits uint64
		for i := range row {
			if i%64 == 0 {
				bits = mix64(uint64(p*n + i + 1))
			}
			row[i] = T(1 - 2*int(bits&1))
			bits >>= 1
		}
	}
	Gemm(blas.NoTrans, blas.Trans, 1, r.signs, r.v, 0, r.probe, &r.o)
	Gemm(blas.NoTrans, blas.NoTrans, 1, r.probe, r.v, -1, r.signs, &r.o)
	var sum float64
	for p := range refreshProbes {
		sum += float64(r.kern.SumSq(r.signs.Row(p)))
	}
	return math.Sqrt(sum / refreshProbes)
}

// orthonormalise replaces the columns of v by orthonormal ones of the same span, up to each
// column, unless they are orthonormal as they are. Two passes do it for columns that are
// not numerically dependent. On an error v is as it was.
func (r *refresh[T]) orthonormalise() error {
	limit := float64(float64(8*r.v.Rows) * float64(unitRoundoff[T]()))
	for pass := range 3 {
		if r.departure() <= limit {
			return nil
		}
		if pass == 0 {
			r.y.Copy(r.v)
		}
		if err := r.factor(r.v); err != nil {
			r.v.Copy(r.y)
			return err
		}
		r.divide()
	}
	return nil
}

// measure computes b.
func (r *refresh[T]) measure() {
	n := r.a.Rows
	for i := range n { // scaled first, so that sums do not overflow
		r.kern.ScalTo(r.scale, r.v.Row(i), r.b.Row(i))
	}
	Symm(blas.Left, r.uplo, 1, r.a, r.b, 0, r.y, &r.o)
	p := product[T]{
		m: n, n: n, k: n, alpha: 1, tri: upperTriangle,
		a: operandOf(&r.v, true), b: operandOf(&r.y, false), c: &r.b.Data[0], ldc: r.b.Stride,
	}
	p.run("EigenSymRefresh", &r.o)
}

// quotients copies the diagonal of b to values and returns the mass of the rest relative
// to all.
func (r *refresh[T]) quotients(values []T) T {
	var off, on float64
	for i := range values {
		d := r.b.Data[i*r.b.Stride+i]
		values[i] = d
		off += float64(r.kern.SumSq(r.b.Row(i)[i+1:]))
		on += float64(float64(d) * float64(d))
	}
	off *= 2 // exact
	if off == 0 {
		return 0
	}
	return T(math.Sqrt(off / (off + on)))
}

// refreshLimit bounds the elements of X.
const refreshLimit = 0.25

// skew replaces b by X, whose largest element it returns, and corrects the eigenvalues by
// the terms of second order.
func (r *refresh[T]) skew(values []T) (largest T) {
	clear(r.delta)
	for i, d := range values {
		b, x, above := r.b.Row(i)[i+1:], r.row[i+1:len(values)], values[i+1:]
		for j, v := range above {
			x[j] = v - d
		}
		r.kern.DivTo(b, x, x)
		if m := r.kern.MaxAbs(x); !(m < refreshLimit) {
			for j, v := range x {
				if !(math.Abs(float64(v)) < refreshLimit) {
					x[j], b[j] = 0, 0
				}
			}
		}
		largest = max(largest, r.kern.MaxAbs(x))
		r.delta[i] -= r.kern.Dot(x, b)
		r.kern.MulAdd(x, b, r.delta[i+1:])
		copy(b, x)
		r.b.Data[i*r.b.Stride+i] = 0
	}
	r.kern.AddTo(values, r.delta, values)
	Mirror(blas.Upper, r.b)
	for i := range values {
		r.kern.Scal(-1, r.b.Row(i)[:i])
	}
	return largest
}

// refreshByProducts is the largest order at which I + X and a Cholesky factor take less time
// than a Cayley transform, which takes fewer flops. It fixes the order of operations.
const refreshByProducts = 128

// turn multiplies v by I + X and makes its columns orthonormal. On an error v is as it was.
func (r *refresh[T]) turn() error {
	r.y.Copy(r.v)
	Gemm(blas.NoTrans, blas.NoTrans, 1, r.v, r.b, 1, r.y, &r.o)
	if err := r.factor(r.y); err != nil {
		return err
	}
	r.v.Copy(r.y)
	r.divide()
	return nil
}

// factor computes the Cholesky factor of the inner products of the columns of m, in g.
func (r *refresh[T]) factor(m Matrix[T]) error {
	Syrk(blas.Upper, blas.Trans, 1, m, 0, r.g, &r.o)
	return Cholesky(blas.Upper, r.g, &r.o)
}

// divide makes the columns of v orthonormal, of which g is the factor.
func (r *refresh[T]) divide() {
	Trsm(blas.Right, blas.Upper, blas.NoTrans, blas.NonUnit, 1, r.g, r.v, &r.o)
}

// cayley multiplies v by the Cayley transform of X, which is 2·(I − X/2)⁻¹ − I. Small squares
// of X vanish when they are added to the diagonal of a factor one by one, by which columns
// become too long; so their lengths are made 1 in the end.
func (r *refresh[T]) cayley() {
	r.y.Copy(r.v)
	for i := range r.b.Rows {
		row := r.b.Row(i)
		r.kern.Scal(-0.5, row)
		row[i] = 1
	}
	if err := LU(r.b, r.pivots, &r.o); err != nil {
		panic("dense: EigenSymRefresh: a matrix with the symmetric part I is singular")
	}
	Trsm(blas.Right, blas.Upper, blas.NoTrans, blas.NonUnit, 1, r.b, r.y, &r.o)
	Trsm(blas.Right, blas.Lower, blas.NoTrans, blas.Unit, 1, r.b, r.y, &r.o)
	for j := len(r.pivots) - 1; j >= 0; j-- {
		if p := r.pivots[j]; p != j {
			for i := range r.y.Rows {
				row := r.y.Row(i)
				row[j], row[p] = row[p], row[j]
			}
		}
	}
	squares := r.row
	clear(squares)
	for i := range r.v.Rows {
		row := r.v.Row(i)
		r.kern.Axpby(2, r.y.Row(i), -1, row)
		r.kern.MulAdd(row, row, squares)
	}
	for j, s := range squares {
		squares[j] = 1 / T(math.Sqrt(float64(s)))
	}
	for i := range r.v.Rows {
		r.kern.MulTo(squares, r.v.Row(i), r.v.Row(i))
	}
}
