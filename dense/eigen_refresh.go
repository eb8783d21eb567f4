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
// V becomes V·(I + X) with skew-symmetric X, x_ij = b_ij/(λ_j − λ_i) for b = VᵀAV, made
// orthonormal by a Cholesky factor of its inner products; the singular values of I + X
// are at least 1, so that this is safe. Where |x_ij| would exceed 1/4, eigenvalues are
// too close for it and the pair is left alone, which matters little to functions of A.
// Apart from such pairs off-diagonal mass is squared: from 1% it goes to some
// 0.02% or, at n = 1000 with its close eigenvalues, to a tenth.
//
// Shapes: a and vectors are n×n, values has n elements; outputs do not overlap a or
// each other. The columns of vectors have to be orthonormal.
// Cost: 22n³/3 flops, all of them products: the larger n, the less does it gain on EigenSym,
// which has no more flops but slower ones; RayleighQuotients tells for n³ whether it is due.
// Workspace: EigenSymRefreshWork(n, threads), about 3n².
// Errors: *NonFiniteError if a or vectors has a NaN or an infinity, where nothing is
// written; *NotPositiveDefiniteError if the columns of vectors are far from orthonormal,
// where vectors is left as it was.
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
	r.measure()
	off = r.quotients(values)
	r.skew(values)
	r.turn()
	err = r.orthonormal()
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
	kern  *asm.Kernels[T]
	uplo  blas.Uplo
	a, v  Matrix[T]
	scale T         // of a
	y     Matrix[T] // scale·A·V, then what v becomes
	b     Matrix[T] // scale·VᵀAV, upper triangle, then X
	g     Matrix[T] // inner products of columns
	delta []T       // corrections of eigenvalues
	o     Opts[T]
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
	r.y, r.b, r.g, r.delta = w.matrix(n, n), w.matrix(n, n), w.matrix(n, n), w.Take(n)
	r.o = Opts[T]{Threads: threads, Work: w.Take(max(gemmRoom[T](n, n, n, threads),
		SymmWork[T](blas.Left, n, n, threads), SyrkWork[T](blas.Trans, n, n, threads), SyrkWork[T](blas.NoTrans, n, n, threads),
		CholeskyWork[T](n, threads), TrsmWork[T](blas.Right, n, n, threads)))}
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

// skew replaces b by X, whose largest element it returns, and corrects the eigenvalues by
// the terms of second order.
func (r *refresh[T]) skew(values []T) (largest T) {
	n := len(values)
	clear(r.delta)
	for i, d := range values {
		b := r.b.Row(i)
		b[i] = 0
		for j := i + 1; j < n; j++ {
			x, gap := b[j], values[j]-d
			if math.Abs(float64(T(4*x))) >= math.Abs(float64(gap)) {
				b[j] = 0
				continue
			}
			b[j] = x / gap
			change := T(b[j] * x)
			r.delta[i] -= change
			r.delta[j] += change
		}
		largest = max(largest, r.kern.MaxAbs(b[i:]))
	}
	r.kern.AddTo(values, r.delta, values)
	Mirror(blas.Upper, r.b)
	for i := range n {
		r.kern.Scal(-1, r.b.Row(i)[:i])
	}
	return largest
}

// turn computes v + v·X in y.
func (r *refresh[T]) turn() {
	r.y.Copy(r.v)
	Gemm(blas.NoTrans, blas.NoTrans, 1, r.v, r.b, 1, r.y, &r.o)
}

// orthonormal replaces v by the columns of y, made orthonormal. If they are nearly
// dependent, v is left as it is.
func (r *refresh[T]) orthonormal() error {
	Syrk(blas.Upper, blas.Trans, 1, r.y, 0, r.g, &r.o)
	if err := Cholesky(blas.Upper, r.g, &r.o); err != nil {
		return err
	}
	r.v.Copy(r.y)
	Trsm(blas.Right, blas.Upper, blas.NoTrans, blas.NonUnit, 1, r.g, r.v, &r.o)
	return nil
}
