package dense

import (
	"fmt"
	"unsafe"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/internal/par"
	"gonum.org/v1/gonum/blas"
)

// Gemv computes y = alpha·op(A)·x + beta·y.
//
// Shapes: op(A) is len(y)×len(x); op is the transpose where trans says so. y must
// not overlap a or x. It does not use Opts.Work.
// Cost: 2mn flops, one pass over a.
// With beta == 0 y is not read; with alpha == 0, a and x are not read. With an empty
// x, y = beta·y, whatever alpha is.
// Order: without a transpose, y_i = fma(alpha, Dot(a_i, x), beta·y_i) with the bits
// of Dot; with one, y_j takes fma(alpha·x_i, a_ij, y_j) in increasing i, beginning
// with beta·y_j. Threads split y.
func Gemv[T Float](trans blas.Transpose, alpha T, a Matrix[T], x []T, beta T, y []T, o *Opts[T]) {
	const op = "Gemv"
	a.check(op, "a")
	taken := transposed(op, trans)
	m, n := a.Rows, a.Cols
	if taken {
		m, n = n, m
	}
	if len(y) != m || len(x) != n {
		panic(fmt.Sprintf("dense: Gemv: a is %s, x has %d elements, y has %d", shapeOf(a, taken), len(x), len(y)))
	}
	checkOutput(op, y, "y", x, "x", &a)
	k := asm.For[T]()
	if size := a.Rows * a.Cols; size <= asm.Chunk {
		scaleVector(k, beta, y)
		switch {
		case alpha == 0 || size == 0:
		case taken:
			k.GemvT(a.Rows, a.Cols, alpha, a.Data, a.Stride, x, y)
		default:
			k.GemvN(a.Rows, a.Cols, alpha, a.Data, a.Stride, x, y)
		}
		return
	}
	t := pass[T]{op: opGemv, k: k, alpha: alpha, beta: beta, flag: taken, a: a, x: vectorRow(x), y: vectorRow(y)}
	t.run(min(threadsFor(o, a.Rows*a.Cols), (m+gemvAlign-1)/gemvAlign))
}

// gemvAlign is what the part of y of a worker begins at a multiple of.
const gemvAlign = 16

// gemv computes the elements of y of worker w.
func (t *pass[T]) gemv(w, workers int) {
	lo, hi := par.Range(len(t.y.data), workers, w, gemvAlign)
	switch {
	case t.alpha == 0:
		scaleVector(t.k, t.beta, t.y.data[lo:hi])
	case t.flag:
		t.gemvTrans(lo, hi)
	case t.a.Cols > asm.Chunk:
		t.gemvWide(lo, hi)
	default:
		t.gemvNoTrans(lo, hi)
	}
}

// rowsPerCall returns how many rows of n elements a kernel may be given at once:
// those of half a megabyte, but enough for the kernels to work on several at once.
func rowsPerCall[T Float](n int) int {
	return max(4, (1<<19)/int(unsafe.Sizeof(T(0)))/n&^7)
}

func (t *pass[T]) gemvNoTrans(lo, hi int) {
	n, ld := t.a.Cols, t.a.Stride
	step := rowsPerCall[T](n)
	for i := lo; i < hi; i += step {
		h := min(step, hi-i)
		y := t.y.data[i : i+h]
		scaleVector(t.k, t.beta, y)
		t.k.GemvN(h, n, t.alpha, t.a.Data[i*ld:], ld, t.x.data, y)
	}
}

// gemvWide does rows of more than one chunk, each sum in the order of Dot.
func (t *pass[T]) gemvWide(lo, hi int) {
	n, ld := t.a.Cols, t.a.Stride
	sums, pooled := scratch[T](nil, "", rowsPerCall[T](n))
	for i := lo; i < hi; i += len(sums) {
		s := sums[:min(len(sums), hi-i)]
		clear(s)
		for j := 0; j < n; j += asm.Chunk {
			t.k.GemvN(len(s), min(asm.Chunk, n-j), 1, t.a.Data[i*ld+j:], ld, t.x.data[j:], s)
		}
		y := t.y.data[i : i+len(s)]
		scaleVector(t.k, t.beta, y)
		t.k.Axpy(t.alpha, s, y)
	}
	release(pooled)
}

func (t *pass[T]) gemvTrans(lo, hi int) {
	m, ld := t.a.Rows, t.a.Stride
	for j := lo; j < hi; j += gemvColumns {
		y := t.y.data[j:min(j+gemvColumns, hi)]
		scaleVector(t.k, t.beta, y)
		step := rowsPerCall[T](len(y))
		for i := 0; i < m; i += step {
			t.k.GemvT(min(step, m-i), len(y), t.alpha, t.a.Data[i*ld+j:], ld, t.x.data[i:], y)
		}
	}
}

// gemvColumns is how much of y stays in cache while the rows of a pass by.
const gemvColumns = 8192

// scaleVector multiplies y by beta, without reading y if beta is 0.
func scaleVector[T Float](k *asm.Kernels[T], beta T, y []T) {
	switch beta {
	case 0:
		clear(y)
	case 1:
	default:
		k.Scal(beta, y)
	}
}

// checkOutput panics if y overlaps x or a.
func checkOutput[T Float](op string, y []T, yname string, x []T, xname string, a *Matrix[T]) {
	ym, xm := rowVector(y), rowVector(x)
	checkApart(op, &ym, yname, &xm, xname)
	checkApart(op, &ym, yname, a, "a")
}

// rowVector returns x as a matrix of one row.
func rowVector[T Float](x []T) Matrix[T] { return Matrix[T]{1, len(x), max(1, len(x)), x} }
