package dense

import (
	"math"
	"unsafe"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/internal/par"
	"gonum.org/v1/gonum/blas"
)

// This file holds Householder reflectors and blocks of them, for all
// factorisations that are made of them.
//
// Vectors are kept as rows: kernels want them contiguous, and in a row-major matrix a
// row is. What stands in columns is transposed on the way in and out.

// reflector makes the elementary reflector H = I − tau·v·vᵀ, v = (1, x'), that maps
// (alpha, x) to (beta, 0, …, 0), and replaces x by x'. beta has the norm of
// (alpha, x) and the sign opposite to alpha's, so that alpha − beta does not cancel;
// 1 ≤ tau ≤ 2. If x is zero, then tau = 0, H = I and beta = alpha.
//
// Neither overflow nor underflow of squares does any harm: where the sum of squares
// is not a normal number, x and alpha are scaled by a power of two. beta is Inf
// only if the norm overflows. NaN or Inf among the elements give NaN.
// Source: Golub and Van Loan, Matrix computations, 4th ed., algorithm 5.1.1, with
// the sign of LAPACK's larfg.
func reflector[T Float](k *asm.Kernels[T], alpha T, x []T) (beta, tau T) {
	s := sumSquares(k, x)
	norm2 := asm.FMA(alpha, alpha, s)
	unscale := T(1)
	if !normal(s) || !normal(norm2) {
		largest := MaxAbs(x, &Opts[T]{Threads: 1})
		if largest == 0 {
			return alpha, 0
		}
		scale := toUnit(max(largest, T(math.Abs(float64(alpha)))))
		if scale != scale {
			scale, unscale = 0, scale // beta and x' become NaN
		} else {
			unscale = 1 / scale
		}
		scaleInChunks(k, scale, x)
		alpha = T(alpha * scale)
		norm2 = asm.FMA(alpha, alpha, sumSquares(k, x))
	}
	beta = T(math.Copysign(math.Sqrt(float64(norm2)), -float64(alpha)))
	tau = (beta - alpha) / beta
	scaleInChunks(k, 1/(alpha-beta), x)
	return T(beta * unscale), tau
}

// toUnit returns a power of two, normal as its reciprocal is, that brings x > 0
// closest to [1/2, 1). For Inf and NaN it returns NaN.
func toUnit[T Float](x T) T {
	if x-x != 0 {
		return T(math.NaN())
	}
	_, e := math.Frexp(float64(x))
	limit := 1022
	if unsafe.Sizeof(x) == 4 {
		limit = 126
	}
	return T(math.Ldexp(1, max(-limit, min(limit, -e))))
}

// safeNorm returns √Σ x_i² on one thread and without a buffer, safe from overflow and
// underflow as Nrm2 is.
func safeNorm[T Float](k *asm.Kernels[T], x []T) T {
	s := sumSquares(k, x)
	if normal(s) {
		return T(math.Sqrt(float64(s)))
	}
	largest := MaxAbs(x, &Opts[T]{Threads: 1})
	scale := toUnit(largest)
	if largest == 0 || scale != scale {
		return largest
	}
	s = 0
	for _, v := range x {
		v = T(v * scale)
		s = asm.FMA(v, v, s)
	}
	return T(T(math.Sqrt(float64(s))) / scale)
}

// maxAbsOf returns max |a_ij|, NaN if any element is NaN, as NormMax does, on one
// thread and without a buffer.
func maxAbsOf[T Float](k *asm.Kernels[T], a Matrix[T]) (largest T) {
	for i := range a.Rows {
		row := a.Row(i)
		for ; len(row) > asm.Chunk; row = row[asm.Chunk:] {
			largest = larger(largest, k.MaxAbs(row[:asm.Chunk]))
		}
		largest = larger(largest, k.MaxAbs(row))
	}
	return largest
}

// safeScale returns the power of two by which a matrix whose largest element is
// largest is multiplied, so that its factorisation neither overflows nor loses
// digits to underflow: 1 if it is of ordinary size, zero or not finite.
func safeScale[T Float](largest T) T {
	digits, exponent := 53, 1023
	if unsafe.Sizeof(largest) == 4 {
		digits, exponent = 24, 127
	}
	x := float64(largest)
	switch {
	case x == 0 || x-x != 0:
		return 1
	case x < math.Ldexp(1, 1-exponent+digits):
		return toUnit(largest)
	case x > math.Ldexp(1, exponent-digits):
		return T(math.Ldexp(1, -digits)) // no more than needed, for the sake of small columns
	}
	return 1
}

// sumSquares is SumSq on one thread.
func sumSquares[T Float](k *asm.Kernels[T], x []T) (s T) {
	for ; len(x) > asm.Chunk; x = x[asm.Chunk:] {
		s += k.SumSq(x[:asm.Chunk])
	}
	return s + k.SumSq(x)
}

// scaleInChunks multiplies x by alpha on one thread.
func scaleInChunks[T Float](k *asm.Kernels[T], alpha T, x []T) {
	for ; len(x) > asm.Chunk; x = x[asm.Chunk:] {
		k.Scal(alpha, x[:asm.Chunk])
	}
	k.Scal(alpha, x)
}

// blockReflector is the product of w reflectors H₁·H₂⋯H_w = I − Vᵀ·T·V in the
// compact WY form of Schreiber and Van Loan (SIAM J. Sci. Stat. Comput. 10, 1989).
type blockReflector[T Float] struct {
	v Matrix[T] // w×m, row i is the vector of H_i with its ones and zeros written out
	t Matrix[T] // w×w, upper triangular; zeros below the diagonal are written out
}

// reflectorLeaf is the number of reflectors whose T is computed column by column.
// It fixes the order of operations.
const reflectorLeaf = 8

// formT computes h.t from the vectors h.v and the factors tau of the reflectors.
// work has formTWork elements; h.v is not modified.
//
// Cost: m·w² flops. Order: the inner products are those of Syrk; T comes from them by
// halves, see mergeT, of which parts of reflectorLeaf are computed by columns.
func (h *blockReflector[T]) formT(k *asm.Kernels[T], tau []T, work []T) {
	w := h.v.Rows
	if w == 0 {
		return
	}
	gram, work := cut(work, w*w)
	g := Matrix[T]{w, w, w, gram}
	Syrk(blas.Upper, blas.NoTrans, 1, h.v, 0, g, &Opts[T]{Threads: 1, Work: work})
	h.partOfT(k, g, tau, work, 0, w)
}

// partOfT computes T[lo:hi, lo:hi] from the inner products of the vectors.
func (h *blockReflector[T]) partOfT(k *asm.Kernels[T], g Matrix[T], tau, work []T, lo, hi int) {
	if hi-lo <= reflectorLeaf {
		column := work[:reflectorLeaf]
		for j := lo; j < hi; j++ {
			for i := lo; i < j; i++ {
				column[i-lo] = g.Data[i*g.Stride+j]
			}
			h.columnOfT(k, lo, j, tau[j], column)
		}
		return
	}
	mid := middle(lo, hi)
	h.partOfT(k, g, tau, work, lo, mid)
	h.partOfT(k, g, tau, work, mid, hi)
	h.mergeT(g.View(lo, mid, mid-lo, hi-mid), work, lo, mid, hi)
}

// middle cuts the reflectors lo to hi in two, at a multiple of reflectorLeaf from lo.
func middle(lo, hi int) int {
	return lo + (hi-lo+2*reflectorLeaf-1)/(2*reflectorLeaf)*reflectorLeaf
}

// columnOfT computes T[lo:j+1, j] = −tau·T[lo:j, lo:j]·g and tau below, where g are
// the inner products of v_j with the vectors lo to j−1. To the left of it it
// writes zeros.
func (h *blockReflector[T]) columnOfT(k *asm.Kernels[T], lo, j int, tau T, g []T) {
	t, ld := h.t.Data, h.t.Stride
	clear(t[j*ld+lo : j*ld+j])
	for i := lo; i < j; i++ { // row i of the triangle meets g from i on
		t[i*ld+j] = T(-tau * k.Dot(t[i*ld+i:i*ld+j], g[i-lo:]))
	}
	t[j*ld+j] = tau
}

// mergeT computes T[lo:mid, mid:hi] = −T[lo:mid, lo:mid]·g·T[mid:hi, mid:hi], where g
// are the inner products of the vectors lo to mid with those of mid to hi, and
// writes zeros on the other side of the diagonal. work has the size of g.
func (h *blockReflector[T]) mergeT(g Matrix[T], work []T, lo, mid, hi int) {
	rows, cols := mid-lo, hi-mid
	x := Matrix[T]{rows, cols, cols, work[:rows*cols]}
	Gemm(blas.NoTrans, blas.NoTrans, 1, g, h.t.View(mid, mid, cols, cols), 0, x, nil)
	Gemm(blas.NoTrans, blas.NoTrans, -1, h.t.View(lo, lo, rows, rows), x, 0, h.t.View(lo, mid, rows, cols), nil)
	h.t.View(mid, lo, cols, rows).Fill(0)
}

// formTWork returns a length of the workspace of formT that suffices for w
// reflectors of length m, or fewer and shorter ones.
func formTWork[T Float](w, m int) int {
	return roundUp(w*w, alignSlack[T]()) + max(w*w, reflectorLeaf, gemmRoom[T](w, w, m, 1))
}

// applyLeft computes C = (I − Vᵀ·T·V)·C or, with trans, its transpose times C. o
// must have a workspace of applyLeftWork elements.
//
// Cost: (4m + w)·w·n flops for m×n C.
func (h *blockReflector[T]) applyLeft(trans blas.Transpose, c Matrix[T], o *Opts[T]) {
	h.applyLeftBelow(trans, c, 0, o)
}

// applyLeftBelow is applyLeft for C whose first rows, so many as zero says, are zero.
func (h *blockReflector[T]) applyLeftBelow(trans blas.Transpose, c Matrix[T], zero int, o *Opts[T]) {
	w, n, m := h.v.Rows, c.Cols, c.Rows
	if w == 0 || n == 0 {
		return
	}
	work, rest := cut(o.Work, w*n)
	x := Matrix[T]{w, n, n, work}
	inner := &Opts[T]{Threads: o.Threads, Work: rest}
	Gemm(blas.NoTrans, blas.NoTrans, 1, h.v.View(0, zero, w, m-zero), c.View(zero, 0, m-zero, n), 0, x, inner)
	Trmm(blas.Left, blas.Upper, trans, blas.NonUnit, 1, h.t, x, inner)
	Gemm(blas.Trans, blas.NoTrans, -1, h.v, x, 1, c, inner)
}

// applyLeftWork returns a length of the workspace of applyLeft that suffices for w
// reflectors and m×n C, and for fewer reflectors and smaller C, on the given
// number of threads.
func applyLeftWork[T Float](w, m, n, threads int) int {
	return roundUp(w*n, alignSlack[T]()) + blockProductRoom[T](w, m, n, threads)
}

// applyRight computes C = C·(I − Vᵀ·T·V) or, with trans, C times its transpose. o
// must have a workspace of applyRightWork elements.
//
// Cost: (4m + w)·w·n flops for n×m C.
func (h *blockReflector[T]) applyRight(trans blas.Transpose, c Matrix[T], o *Opts[T]) {
	w, n := h.v.Rows, c.Rows
	if w == 0 || n == 0 {
		return
	}
	work, rest := cut(o.Work, w*n)
	x := Matrix[T]{n, w, w, work}
	inner := &Opts[T]{Threads: o.Threads, Work: rest}
	Gemm(blas.NoTrans, blas.Trans, 1, c, h.v, 0, x, inner)
	Trmm(blas.Right, blas.Upper, trans, blas.NonUnit, 1, h.t, x, inner)
	Gemm(blas.NoTrans, blas.NoTrans, -1, x, h.v, 1, c, inner)
}

// applyRightWork is applyLeftWork for applyRight and n×m C.
func applyRightWork[T Float](w, m, n, threads int) int {
	return roundUp(w*n, alignSlack[T]()) + blockProductRoom[T](w, m, n, threads)
}

// blockProductRoom returns a length of workspace that suffices for the products with a
// block of up to w reflectors of length up to m, applied to up to n vectors.
func blockProductRoom[T Float](w, m, n, threads int) int {
	threads = par.Threads(threads)
	panel := panelBytes / int(unsafe.Sizeof(T(0)))
	triangle := roundUp(w, alignSlack[T]()) + threads*(roundUp(min(w, asm.KC[T]())*panel, alignSlack[T]())+gemmRoom[T](w, n, w, 1)+gemmRoom[T](n, w, w, 1))
	return max(gemmRoom[T](w, n, m, threads), gemmRoom[T](m, n, w, threads), gemmRoom[T](n, w, m, threads),
		gemmRoom[T](n, m, w, threads), triangle+alignSlack[T]())
}

// vectorsFromColumns copies the vectors of w reflectors from the columns of a, where
// that of column j begins below the diagonal with an implicit one on it, to the
// rows of v, which is a.Cols×a.Rows. What a has on and above the diagonal is not
// read.
func vectorsFromColumns[T Float](k *asm.Kernels[T], a, v Matrix[T]) {
	transposeTiles(k, a, v)
	for j := range v.Rows {
		row := v.Row(j)
		clear(row[:j])
		row[j] = 1
	}
}

// transposeTiles writes the transpose of a to dst on one thread. It needs no buffer,
// as dst has panelStride or fits into cache.
func transposeTiles[T Float](k *asm.Kernels[T], a, dst Matrix[T]) {
	t := pass[T]{k: k, a: a, x: matrixRows(&dst)}
	t.transposeTiles(0, a.Cols)
}
