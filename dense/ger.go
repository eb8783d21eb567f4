package dense

import (
	"fmt"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/internal/par"
	"gonum.org/v1/gonum/blas"
)

// Ger adds alpha·x·yᵀ to a, the rank-one update a_ij = fma(alpha·x_i, y_j, a_ij).
//
// Shapes: a is len(x)×len(y) and must not overlap x or y. It does not use
// Opts.Work. Cost: 2mn flops, one pass over a.
// As in BLAS, alpha == 0 leaves a as it is and does not read x and y.
func Ger[T Float](alpha T, x, y []T, a Matrix[T], o *Opts[T]) {
	const op = "Ger"
	a.check(op, "a")
	if len(x) != a.Rows || len(y) != a.Cols {
		panic(fmt.Sprintf("dense: Ger: x has %d elements, y has %d, a is %dx%d", len(x), len(y), a.Rows, a.Cols))
	}
	checkUpdated(op, &a, x, "x")
	checkUpdated(op, &a, y, "y")
	size := a.Rows * a.Cols
	if alpha == 0 || size == 0 {
		return
	}
	k := asm.For[T]()
	if size <= asm.Chunk {
		k.Ger(a.Rows, a.Cols, alpha, x, y, a.Data, a.Stride)
		return
	}
	t := pass[T]{op: opGer, k: k, alpha: alpha, a: a, x: vectorRow(x), y: vectorRow(y)}
	t.run(min(threadsFor(o, size), a.Rows))
}

// ger updates the rows of worker w.
func (t *pass[T]) ger(w, workers int) {
	lo, hi := par.Range(t.a.Rows, workers, w, 1)
	n, ld := t.a.Cols, t.a.Stride
	for j := 0; j < n; j += asm.Chunk {
		width := min(asm.Chunk, n-j)
		step := rowsPerCall[T](width)
		for i := lo; i < hi; i += step {
			t.k.Ger(min(step, hi-i), width, t.alpha, t.x.data[i:], t.y.data[j:], t.a.Data[i*ld+j:], ld)
		}
	}
}

// Syr adds alpha·x·xᵀ to the triangle uplo of the symmetric matrix a,
// a_ij = fma(alpha·x_i, x_j, a_ij). The other triangle is neither read nor
// written.
//
// Shapes: a is len(x)×len(x) and must not overlap x. It does not use Opts.Work.
// Cost: n² flops, one pass over the triangle.
// As in BLAS, alpha == 0 leaves a as it is and does not read x.
func Syr[T Float](uplo blas.Uplo, alpha T, x []T, a Matrix[T], o *Opts[T]) {
	const op = "Syr"
	t := pass[T]{op: opSyr, alpha: alpha, flag: lower(op, uplo), a: a, x: vectorRow(x)}
	t.updateTriangle(op, o)
}

// Syr2 adds alpha·x·yᵀ + alpha·y·xᵀ to the triangle uplo of the symmetric matrix a,
// a_ij = fma(alpha·y_i, x_j, fma(alpha·x_i, y_j, a_ij)). The other triangle is
// neither read nor written.
//
// Shapes: x and y have one length n; a is n×n and must not overlap x or y. It does
// not use Opts.Work. Cost: 2n² flops, one pass over the triangle.
// As in BLAS, alpha == 0 leaves a as it is and does not read x and y.
func Syr2[T Float](uplo blas.Uplo, alpha T, x, y []T, a Matrix[T], o *Opts[T]) {
	const op = "Syr2"
	if len(x) != len(y) {
		badLengths(op, "x", len(x), "y", len(y))
	}
	t := pass[T]{op: opSyr2, alpha: alpha, flag: lower(op, uplo), a: a, x: vectorRow(x), y: vectorRow(y)}
	checkUpdated(op, &a, y, "y")
	t.updateTriangle(op, o)
}

// updateTriangle checks and does Syr and Syr2.
func (t *pass[T]) updateTriangle(op string, o *Opts[T]) {
	t.a.check(op, "a")
	if n := len(t.x.data); t.a.Rows != n || t.a.Cols != n {
		panic(fmt.Sprintf("dense: %s: x has %d elements, a is %dx%d", op, n, t.a.Rows, t.a.Cols))
	}
	checkUpdated(op, &t.a, t.x.data, "x")
	if t.alpha == 0 {
		return
	}
	t.k = asm.For[T]()
	t.run(threadsFor(o, t.a.Rows*t.a.Rows/2))
}

// triangleRows is the number of consecutive rows of a triangle that go to one
// worker; the rows are dealt out in turn, as they differ in length.
const triangleRows = 8

// syr updates the rows of worker w for Syr and Syr2. Rows are not cut into chunks:
// they only get long in matrices of many gigabytes.
func (t *pass[T]) syr(w, workers int) {
	x, y, n := t.x.data, t.y.data, t.a.Rows
	for i0 := w * triangleRows; i0 < n; i0 += workers * triangleRows {
		for i := i0; i < min(i0+triangleRows, n); i++ {
			lo, hi := i, n
			if t.flag {
				lo, hi = 0, i+1
			}
			row := t.a.Data[i*t.a.Stride+lo : i*t.a.Stride+hi]
			if t.op == opSyr {
				asm.AxpyFew(t.k, T(t.alpha*x[i]), x[lo:hi], row)
			} else {
				asm.AxpyFew(t.k, T(t.alpha*x[i]), y[lo:hi], row)
				asm.AxpyFew(t.k, T(t.alpha*y[i]), x[lo:hi], row)
			}
		}
	}
}

// checkUpdated panics if the matrix a that is written overlaps x.
func checkUpdated[T Float](op string, a *Matrix[T], x []T, xname string) {
	xm := rowVector(x)
	checkApart(op, a, "a", &xm, xname)
}
