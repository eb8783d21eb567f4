package dense

import (
	"math"
	"unsafe"

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
// element is NaN.
//
// Order: each column is summed in increasing i. Workspace: Norm1Work(a.Cols).
func Norm1[T Float](a Matrix[T], o *Opts[T]) T {
	a.check("Norm1", "a")
	if a.Rows == 0 || a.Cols == 0 {
		return 0
	}
	work, pooled := scratch(o, "Norm1", a.Cols)
	t := pass[T]{op: opNormColumns, a: a, part: work}
	t.run(min(threadsFor(o, a.Rows*a.Cols), (a.Cols+normColumnsAlign-1)/normColumnsAlign))
	m := MaxAbs(work, o)
	release(pooled)
	return m
}

// Norm1Work returns the length of the workspace of Norm1.
func Norm1Work[T Float](cols int) int { return cols + alignSlack[T]() }

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

// normColumnsAlign is what the columns of one worker begin at a multiple of.
const normColumnsAlign = 16

// normColumns leaves the sums of the columns of worker w in t.part. Four rows at
// a time save loads and stores of the sums; the order is that of one at a time.
func (t *pass[T]) normColumns(w, workers int) {
	lo, hi := par.Range(t.a.Cols, workers, w, normColumnsAlign)
	s := t.part[lo:hi]
	clear(s)
	i := 0
	for ; i+4 <= t.a.Rows; i += 4 {
		r0, r1, r2, r3 := t.a.Row(i)[lo:hi], t.a.Row(i + 1)[lo:hi], t.a.Row(i + 2)[lo:hi], t.a.Row(i + 3)[lo:hi]
		for j, v := range r0 {
			s[j] = s[j] + abs(v) + abs(r1[j]) + abs(r2[j]) + abs(r3[j])
		}
	}
	for ; i < t.a.Rows; i++ {
		for j, v := range t.a.Row(i)[lo:hi] {
			s[j] += abs(v)
		}
	}
}

// abs returns |x| by its bits.
func abs[T Float](x T) T {
	if unsafe.Sizeof(x) == 4 {
		return T(math.Float32frombits(math.Float32bits(float32(x)) &^ (1 << 31)))
	}
	return T(math.Abs(float64(x)))
}
