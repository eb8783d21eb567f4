package dense

import (
	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/internal/par"
)

// NormFrobenius returns √Σ a_ij², safe against overflow and underflow as Nrm2 is:
// it has the bits of Nrm2 over the elements in row-major order, whatever the
// stride. Inf gives Inf and NaN gives NaN; both together give NaN.
func NormFrobenius[T Float](a Matrix[T], o *Opts[T]) T {
	t := pass[T]{op: opSumSq}
	if !t.elementsOfMatrix("NormFrobenius", &a) {
		return 0
	}
	return t.norm2(o)
}

// NormMax returns max |a_ij|, NaN if any element is NaN.
func NormMax[T Float](a Matrix[T], o *Opts[T]) T {
	t := pass[T]{op: opMaxAbs}
	if !t.elementsOfMatrix("NormMax", &a) {
		return 0
	}
	return t.reduce(o)
}

// elementsOfMatrix makes t a reduction over a, and returns whether a has any
// elements.
func (t *pass[T]) elementsOfMatrix(op string, a *Matrix[T]) bool {
	a.check(op, "a")
	t.rows, t.cols, t.x = a.Rows, a.Cols, matrixRows(a)
	t.flatten()
	return a.Rows > 0 && a.Cols > 0
}

// Norm1 returns the 1-norm, the largest Σ_i |a_ij| of a column j, NaN if any
// element is NaN. It does not use Opts.Work.
//
// Order: blocks of 64 rows of a column are summed as AbsSum does, and their sums
// added in order.
func Norm1[T Float](a Matrix[T], o *Opts[T]) T {
	a.check("Norm1", "a")
	if a.Rows == 0 || a.Cols == 0 {
		return 0
	}
	sums, pooled := scratch[T](nil, "", a.Cols)
	t := pass[T]{op: opNormColumns, k: asm.For[T](), a: a, part: sums}
	t.run(min(threadsFor(o, a.Rows*a.Cols), (a.Cols+transposeTile-1)/transposeTile))
	m := MaxAbs(sums, o)
	release(pooled)
	return m
}

// NormInf returns the infinity norm, the largest Σ_j |a_ij| of a row i, NaN if any
// element is NaN. The sum of a row has the bits of AbsSum. It does not use
// Opts.Work.
func NormInf[T Float](a Matrix[T], o *Opts[T]) T {
	a.check("NormInf", "a")
	if a.Rows == 0 || a.Cols == 0 {
		return 0
	}
	threads := min(threadsFor(o, a.Rows*a.Cols), a.Rows)
	work, pooled := scratch[T](nil, "", threads)
	t := pass[T]{op: opNormRows, k: asm.For[T](), a: a, part: work}
	t.run(threads)
	m := MaxAbs(work, o)
	release(pooled)
	return m
}

// normRows leaves the largest sum of the rows of worker w in t.part[w].
func (t *pass[T]) normRows(w, workers int) {
	var m T
	lo, hi := par.Range(t.a.Rows, workers, w, 1)
	for i := lo; i < hi; i++ {
		row := t.a.Row(i)
		var s T
		for ; len(row) > asm.Chunk; row = row[asm.Chunk:] {
			s += t.k.AbsSum(row[:asm.Chunk])
		}
		s += t.k.AbsSum(row)
		m = larger(m, s)
	}
	t.part[w] = m
}

// normColumns leaves the sums of the columns of worker w in t.part. It transposes
// tile by tile, so that a kernel can sum what was a column.
func (t *pass[T]) normColumns(w, workers int) {
	const e = transposeTile
	tile, pooled := scratch[T](nil, "", e*e)
	lo, hi := par.Range(t.a.Cols, workers, w, e)
	for j := lo; j < hi; j += e {
		sums := t.part[j:min(j+e, hi)]
		clear(sums)
		for i := 0; i < t.a.Rows; i += e {
			h := min(e, t.a.Rows-i)
			t.k.TransTo(h, len(sums), &t.a.Data[i*t.a.Stride+j], t.a.Stride, &tile[0], h)
			for c := range sums {
				sums[c] += t.k.AbsSum(tile[c*h : (c+1)*h])
			}
		}
	}
	release(pooled)
}
