package dense

import (
	"math"
	"sync"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/internal/par"
	"gonum.org/v1/gonum/blas"
)

// A divide computes the eigenvalues and eigenvectors of a symmetric tridiagonal
// matrix by divide and conquer. The matrix is cut into parts of at most
// divideLeaf rows, which implicit QL solves; then pairs of neighbours are merged. Two
// parts that are solved, with the off-diagonal element between them, are a diagonal
// matrix D plus a matrix of rank one, ρ·z·zᵀ; see merge.
//
// Eigenvectors are the rows of q, such that all that is moved, rotated or
// multiplied is contiguous. The diagonal block of q that belongs to a part has its
// vectors; the rest is zero. Where only eigenvalues are wanted, q has two columns: the
// first and the last element of each vector of a part, which is all that z is made of.
// Source: Cuppen, Numer. Math. 36 (1981); Gu and Eisenstat, SIAM J. Matrix Anal.
// Appl. 16 (1995).
type divide[T Float] struct {
	kern   *asm.Kernels[T]
	n      int
	levels int // the matrix is cut into 1<<levels parts
	d, e   []T
	ends   bool      // no eigenvectors but their ends
	q      Matrix[T] // n×n, or n×2 for the ends
	packed []T       // n×n: rows of q that take part in a merge; 2n for the ends
	s      Matrix[T] // n×n: the eigenvectors of D + ρ·z·zᵀ, as rows
	space  []T       // for products: each for every worker
	each   int

	// For every row: z; of the rows that are not deflated, in increasing order, pole and
	// z; z by Löwner's formula; the root as a distance tau from the pole origin.
	z, pole, weight, loewner, tau []T
	origin                        []int32
	order                         []int32 // rows of every part in increasing order of d
	kept, column, dropped, kind   []int32
	merged                        []int32
	row                           []T // n and a leaf for every worker
	failed                        []int32

	level int           // parts are merged to 1<<level
	one   eigenMerge[T] // the merge that all workers share, if there is one
	step  divideStep
	last  window // of the eigenvectors that are wanted at the end
}

// window is the range [lo, hi) of eigenvalues whose vectors are wanted.
type window struct{ lo, hi int }

// divideStep is what workers do.
type divideStep int8

const (
	solveLeaves divideStep = iota
	mergeLevel
	solveSecular
)

// divideLeaf is the largest order that is solved by implicit QL. It fixes the order
// of operations.
const divideLeaf = 16

// reserve takes the workspace for order n from w, but for d and e.
func (v *divide[T]) reserve(w *arena[T], n, threads int, ends bool) {
	v.n, v.ends = n, ends
	for v.levels = 0; blocks(n, 1<<v.levels) > divideLeaf; v.levels++ {
	}
	cols := n
	if ends {
		cols = 2
	}
	v.q = w.matrix(n, cols)
	v.order, v.failed = w.Indices(n), w.Indices(1<<v.levels)
	v.row = w.Take(threads * v.rowLength())
	if v.levels == 0 {
		return
	}
	v.packed = w.Take(n * cols)
	v.z, v.pole, v.weight, v.loewner, v.tau = w.Take(n), w.Take(n), w.Take(n), w.Take(n), w.Take(n)
	v.origin, v.kept, v.column = w.Indices(n), w.Indices(n), w.Indices(n)
	v.dropped, v.kind, v.merged = w.Indices(n), w.Indices(n), w.Indices(n)
	if !ends {
		v.s = w.matrix(n, n)
		v.each = roundUp(gemmRoom[T](n, n, n, 1), alignSlack[T]())
		v.space = w.Take(threads * v.each)
	}
}

// solve computes the decomposition: afterwards row order[i] of q is the eigenvector
// of the i-th smallest eigenvalue d[order[i]], for those in the window. It returns
// whether all leaves converged.
func (v *divide[T]) solve(threads int, wanted window) bool {
	v.last = wanted
	for i := range v.n {
		clear(v.q.Row(i))
	}
	for p := 1; p < 1<<v.levels; p++ {
		b := v.cut(p, v.levels)
		e := T(math.Abs(float64(v.e[b-1])))
		v.d[b-1] -= e
		v.d[b] -= e
	}
	v.step = solveLeaves
	v.run(min(threads, 1<<v.levels))
	for _, f := range v.failed[:1<<v.levels] {
		if f != 0 {
			return false
		}
	}
	for v.level = v.levels - 1; v.level >= 0; v.level-- {
		if parts := 1 << v.level; threads == 1 || parts >= threads {
			v.step = mergeLevel
			v.run(min(threads, parts))
			continue
		}
		for p := range 1 << v.level {
			v.mergeWith(p, threads)
		}
	}
	return true
}

// cut returns the first row of part p of 1<<level.
func (v *divide[T]) cut(p, level int) int { return v.n * p >> level }

// Pools of divides on their way to workers; see share.
var divides32, divides64 sync.Pool

func (v *divide[T]) run(workers int) {
	if workers == 1 {
		v.Work(nil, 0)
		return
	}
	par.Share(poolOf[T](&divides32, &divides64), workers, v)
}

// Work does the part of worker w of the current step.
func (v *divide[T]) Work(team *par.Team, w int) {
	workers := 1
	if team != nil {
		workers = team.Workers()
	}
	switch v.step {
	case solveLeaves:
		for p := w; p < 1<<v.levels; p += workers {
			v.leaf(p, v.workerRow(w))
		}
	case mergeLevel:
		for p := w; p < 1<<v.level; p += workers {
			m := v.deflate(p)
			v.secular(&m, nil, 0, 1, v.workerRow(w))
			if !v.ends {
				v.multiply(&m, &Opts[T]{Threads: 1, Work: v.space[w*v.each : (w+1)*v.each]})
			}
			v.finish(&m)
		}
	case solveSecular:
		v.secular(&v.one, team, w, workers, v.workerRow(w))
	}
}

// mergeWith merges the two halves of part p on several threads.
func (v *divide[T]) mergeWith(p, threads int) {
	v.one = v.deflate(p)
	if v.one.k < divideParallel {
		v.secular(&v.one, nil, 0, 1, v.workerRow(0))
	} else {
		v.step = solveSecular
		v.run(threads)
	}
	if !v.ends {
		v.multiply(&v.one, &Opts[T]{Threads: threads, Work: v.space})
	}
	v.finish(&v.one)
}

// divideParallel is the number of roots from which on a secular equation is worth
// more than one thread.
const divideParallel = 64

func (v *divide[T]) workerRow(w int) []T { return v.row[w*v.rowLength() : (w+1)*v.rowLength()] }

func (v *divide[T]) rowLength() int {
	return roundUp(max(v.n, divideLeaf*divideLeaf), alignSlack[T]())
}

// leaf solves part p by implicit QL and sorts it.
func (v *divide[T]) leaf(p int, space []T) {
	lo, hi := v.cut(p, v.levels), v.cut(p+1, v.levels)
	n := hi - lo
	q := v.q
	if v.ends {
		q = Matrix[T]{n, n, n, space[:n*n]}
		clear(q.Data)
	} else {
		q = q.View(lo, lo, n, n)
	}
	var d, e [divideLeaf]float64
	for i := range n {
		q.Data[i*q.Stride+i] = 1
		d[i], e[i] = float64(v.d[lo+i]), float64(v.e[lo+i])
	}
	v.failed[p] = 0
	if !implicitQL(v.kern, d[:n], e[:n], q) {
		v.failed[p] = 1
	}
	order := v.order[lo:hi]
	for i := range n {
		d[i] = rayleighQuotient(v.d[lo:hi], v.e[lo:hi], q.Data[i*q.Stride:i*q.Stride+n])
	}
	for i := range order {
		v.d[lo+i], order[i] = T(d[i]), int32(lo+i)
		if v.ends {
			v.q.Set(lo+i, 0, q.At(i, 0))
			v.q.Set(lo+i, 1, q.At(i, n-1))
		}
	}
	sortBy(order, v.d)
}

// rayleighQuotient returns qᵀTq/qᵀq, which is more accurate than what remains on the
// diagonal after the rotations of QL.
func rayleighQuotient[T Float](d, e, q []T) float64 {
	var sum, norm, before float64
	for i, v := range q {
		x := float64(v)
		square := float64(x * x)
		norm += square
		sum += float64(float64(d[i]) * square)
		if i > 0 {
			sum += float64(float64(2*float64(e[i-1])) * float64(before*x))
		}
		before = x
	}
	return sum / norm
}

// sortBy sorts rows by insertion such that d increases: rows are few or nearly
// sorted.
func sortBy[T Float](rows []int32, d []T) {
	for i := 1; i < len(rows); i++ {
		r, j := rows[i], i
		for ; j > 0 && d[rows[j-1]] > d[r]; j-- {
			rows[j] = rows[j-1]
		}
		rows[j] = r
	}
}

// mergeSorted writes the rows of a and b, both in increasing order of d, to dst.
func mergeSorted[T Float](a, b, dst []int32, d []T) {
	for i := range dst {
		if len(b) == 0 || len(a) > 0 && d[a[0]] <= d[b[0]] {
			dst[i], a = a[0], a[1:]
		} else {
			dst[i], b = b[0], b[1:]
		}
	}
}

// An eigenMerge joins rows lo to mid and mid to hi. Of the rows, k take part in the
// rank-one update; in s and packed they are grouped by where their eigenvectors are
// nonzero: in the first part (k1 of them), in both (k2), in the second (k3).
type eigenMerge[T Float] struct {
	lo, mid, hi   int
	k, k1, k2, k3 int
	rho           T
}

// Kinds of rows of a merge.
const (
	firstPart int32 = iota
	bothParts
	secondPart
)

// rows returns the packed rows of a merge: the first parts, the second parts, and those
// that are deflated. Merges of the same level do not overlap.
func (v *divide[T]) rows(m *eigenMerge[T]) (first, second, deflated Matrix[T]) {
	n1, n2 := m.mid-m.lo, m.hi-m.mid
	w := v.packed[m.lo*v.n : m.hi*v.n]
	take := func(rows, cols int) Matrix[T] {
		var front []T
		front, w = w[:rows*cols], w[rows*cols:]
		return MatrixOf(rows, cols, front)
	}
	return take(m.k1+m.k2, n1), take(m.k2+m.k3, n2), take(n1+n2-m.k, n1+n2)
}

// packedEnds returns the first and the last elements of the vectors of a merge: of those
// that take part in the rank-one update, in increasing order of their poles, then of the
// deflated ones.
func (v *divide[T]) packedEnds(m *eigenMerge[T]) (first, last []T) {
	n := m.hi - m.lo
	w := v.packed[2*m.lo : 2*m.hi]
	return w[:n], w[n:]
}

// multiply computes the eigenvectors of the merged part: those of the rank-one
// update times those of the two parts.
func (v *divide[T]) multiply(m *eigenMerge[T], o *Opts[T]) {
	want := v.wanted(m)
	top, count := m.lo+want.lo, want.hi-want.lo
	first, second, _ := v.rows(m)
	Gemm(blas.NoTrans, blas.NoTrans, 1, v.s.View(top, m.lo, count, first.Rows), first, 0, v.q.View(top, m.lo, count, first.Cols), o)
	Gemm(blas.NoTrans, blas.NoTrans, 1, v.s.View(top, m.lo+m.k1, count, second.Rows), second, 0, v.q.View(top, m.mid, count, second.Cols), o)
}

// finish puts the deflated rows behind the others and sorts all.
func (v *divide[T]) finish(m *eigenMerge[T]) {
	roots, deflated := v.kept[m.lo:m.lo+m.k], v.dropped[m.lo:m.hi-m.k]
	for i := range roots {
		v.z[m.lo+i] = v.root(m, i)
		roots[i] = int32(m.lo + i)
	}
	for i, r := range deflated {
		v.z[m.lo+m.k+i] = v.d[r]
		deflated[i] = int32(m.lo + m.k + i)
	}
	if !v.ends {
		_, _, rows := v.rows(m)
		for i := range deflated {
			copy(v.q.Row(m.lo + m.k + i)[m.lo:m.hi], rows.Row(i))
		}
	} else {
		first, last := v.packedEnds(m)
		for i := range m.hi - m.lo - m.k {
			row := v.q.Row(m.lo + m.k + i)
			row[0], row[1] = first[m.k+i], last[m.k+i]
		}
	}
	copy(v.d[m.lo:m.hi], v.z[m.lo:m.hi])
	mergeSorted(roots, deflated, v.order[m.lo:m.hi], v.d)
}

// root returns root i of the secular equation.
func (v *divide[T]) root(m *eigenMerge[T], i int) T {
	return v.pole[m.lo+int(v.origin[m.lo+i])] + v.tau[m.lo+i]
}

// wanted returns the range of the roots whose vectors are wanted: all, but in the last
// merge.
func (v *divide[T]) wanted(m *eigenMerge[T]) window {
	if v.level > 0 || v.last == (window{0, v.n}) {
		return window{0, m.k}
	}
	deflated := v.dropped[m.lo : m.hi-m.k]
	w, below := window{0, 0}, 0
	for i := range m.k {
		for below < len(deflated) && v.d[deflated[below]] < v.root(m, i) {
			below++
		}
		if i+below < v.last.lo {
			w.lo = i + 1
		}
		if i+below < v.last.hi {
			w.hi = i + 1
		}
	}
	return window{min(w.lo, w.hi), w.hi}
}
