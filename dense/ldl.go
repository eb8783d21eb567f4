package dense

import (
	"fmt"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/internal/par"
	"gonum.org/v1/gonum/blas"
)

// LDL factors the symmetric matrix a, which may be indefinite, in place: P·a·Pᵀ = L·D·Lᵀ
// in the lower triangle or, the transpose of the same bits, Uᵀ·D·U in the upper one. L
// has ones on its diagonal; D is block diagonal with blocks of order 1 and 2, whose
// diagonal is that of a afterwards. e[k] is the element of D beside the diagonal in
// a block of order 2 that begins at k, and zero for all other k. P exchanges rows k and
// pivots[k] for k = 0, 1, …. The other triangle is neither read nor written.
//
// Shapes: a is n×n, e and pivots have n elements. Cost: n³/3 flops.
// Workspace: LDLWork(n, threads).
// Errors: *SingularError if a block of D is zero or has a NaN; the factorisation is
// complete all the same.
// Order: panels of 48 columns, in which element (i, j) subtracts L[i,p]·(D·Lᵀ)[p,j] for
// p = 0, 1, …, each step a fused multiply-add.
// Accuracy: ‖P·A·Pᵀ − L·D·Lᵀ‖₁ ≤ 10·n·ε·‖A‖₁ on all matrices of the tests; L is not bounded.
// Source: Bunch and Kaufman 1977, partial pivoting, algorithm A; blocked as in
// Golub and Van Loan, Matrix Computations, 4th ed., section 4.4.
func LDL[T Float](uplo blas.Uplo, a Matrix[T], e []T, pivots []int, o *Opts[T]) error {
	const op = "LDL"
	t := ldlCall[T]{op: op, kern: asm.For[T](), n: a.Rows, threads: 1, e: e, pivots: pivots}
	low := lower(op, uplo)
	checkLDL(op, &a, e, pivots)
	if t.n == 0 {
		return nil
	}
	if !o.single() && t.n > 4*ldlPanel {
		t.threads = o.threads()
	}
	w, buf := scratch(o, op, t.length())
	w = t.cut(w)
	t.u = a
	if low {
		t.u = Matrix[T]{Rows: t.n, Cols: t.n, Stride: t.n, Data: w[:t.n*t.n]}
		moveLower(t.kern, a, t.u, true)
	}
	singular := t.run()
	if low {
		moveLower(t.kern, a, t.u, false)
	}
	release(buf)
	if singular < t.n {
		return &SingularError{Pivot: singular}
	}
	return nil
}

// LDLWork returns the length of the workspace of LDL for a matrix of order n on the
// given number of threads.
func LDLWork[T Float](n, threads int) int {
	t := ldlCall[T]{kern: asm.For[T](), n: n, threads: par.Threads(threads)}
	return t.length() + alignSlack[T]()
}

func checkLDL[T Float](op string, a *Matrix[T], e []T, pivots []int) {
	checkSquare(op, "a", a)
	if len(e) != a.Rows || len(pivots) != a.Rows {
		panic(fmt.Sprintf("dense: %s: a is %dx%d, e has %d elements, %d pivots", op, a.Rows, a.Cols, len(e), len(pivots)))
	}
}

// moveLower copies the lower triangle of a to the upper one of u, transposed, or back.
// Inside of blocks on the diagonal it copies what is beyond the diagonal, too, to u.
func moveLower[T Float](k *asm.Kernels[T], a, u Matrix[T], in bool) {
	const tile = transposeTile
	for i := 0; i < a.Rows; i += tile {
		rows := min(tile, a.Rows-i)
		for j := 0; j <= i; j += tile {
			cols := min(tile, a.Rows-j)
			x, y := &a.Data[i*a.Stride+j], &u.Data[j*u.Stride+i]
			switch {
			case in:
				k.TransTo(rows, cols, x, a.Stride, y, u.Stride)
			case j < i:
				k.TransTo(cols, rows, y, u.Stride, x, a.Stride)
			default:
				for r := i; r < i+rows; r++ {
					for c := i; c <= r; c++ {
						a.Data[r*a.Stride+c] = u.Data[c*u.Stride+r]
					}
				}
			}
		}
	}
}

// ldlCall is one call of LDL. It works on the upper triangle of a row-major
// matrix, where row p holds column p of L. A panel of rows is finished with the matrix
// below as it was, W = D·Lᵀ kept beside it, then the rest is updated in one product.
type ldlCall[T Float] struct {
	op      string
	kern    *asm.Kernels[T]
	n       int
	u       Matrix[T]
	e       []T
	pivots  []int
	threads int
	w       Matrix[T] // W of the panel: row p belongs to row k0+p of u
	x       []T       // a column of w
	space   []T       // workspace of the products
}

// ldlPanel is the number of rows of a panel. It changes the bits.
const ldlPanel = 48

// panelProducts returns the length of the workspace of the products that update what is
// below panels of up to the given number of rows in a triangle of order n.
func panelProducts[T Float](kern *asm.Kernels[T], n, panel, threads int) (size int) {
	for k := 1; k <= min(panel, n-1); k++ {
		g := panelProduct(kern, n-1, k)
		g.plan(threads)
		size = max(size, g.shape.workers*g.shape.each)
	}
	return size
}

// panelProduct returns the product that subtracts what k rows of a panel contribute to the
// upper triangle of the last n rows, without its operands.
func panelProduct[T Float](kern *asm.Kernels[T], n, k int) product[T] {
	return product[T]{
		kern: kern, m: n, n: n, k: k, alpha: 1, beta: 1, minus: true, tri: upperTriangle,
		a: operand[T]{rs: 1}, b: operand[T]{cs: 1},
	}
}

// updateBelow subtracts from the upper triangle of u below row end the product of the
// transpose of w and rows k to end of u; rows of w have stride ldw, and its first
// element belongs to column end.
func updateBelow[T Float](kern *asm.Kernels[T], u Matrix[T], k, end int, w *T, ldw, threads int, space []T) {
	if end == u.Rows || k == end {
		return
	}
	g := panelProduct(kern, u.Rows-end, end-k)
	g.a = operand[T]{w, 1, ldw}
	g.b = operand[T]{&u.Data[k*u.Stride+end], u.Stride, 1}
	g.c, g.ldc = &u.Data[end*u.Stride+end], u.Stride
	g.plan(threads)
	g.space = space
	if g.shape.workers == 1 {
		g.Work(nil, 0)
	} else {
		par.Share(poolOf[T](&products32, &products64), g.shape.workers, &g)
	}
}

// exchangeAbove does the exchanges of columns [k, end) in the rows before k of u.
func exchangeAbove[T Float](u Matrix[T], pivots []int, k, end int) {
	for p := range k {
		row := u.Row(p)
		for i := k; i < end; i++ {
			row[i], row[pivots[i]] = row[pivots[i]], row[i]
		}
	}
}

func (t *ldlCall[T]) length() int {
	return roundUp((ldlPanel+1)*t.n, alignSlack[T]()) + roundUp(ldlPanel+1, alignSlack[T]()) +
		roundUp(panelProducts(t.kern, t.n, ldlPanel, t.threads), alignSlack[T]()) + t.n*t.n
}

func (t *ldlCall[T]) cut(w []T) []T {
	t.w = Matrix[T]{Rows: ldlPanel + 1, Cols: t.n, Stride: t.n}
	t.w.Data, w = cut(w, t.w.Rows*t.n)
	t.x, w = cut(w, ldlPanel+1)
	t.space, w = cut(w, panelProducts(t.kern, t.n, ldlPanel, t.threads))
	return w
}

// run factors u and returns the first singular block, or n.
func (t *ldlCall[T]) run() int {
	clear(t.e)
	singular := t.n
	for k := 0; k < t.n; {
		done, bad := t.panel(k)
		singular = min(singular, bad)
		if end := k + done; end < t.n {
			updateBelow(t.kern, t.u, k, end, &t.w.Data[end], t.w.Stride, t.threads, t.space)
		}
		exchangeAbove(t.u, t.pivots, k, k+done)
		k += done
	}
	return singular
}

// panel finishes rows from k0 on, about ldlPanel of them, and returns how many, and
// the first singular block or n.
func (t *ldlCall[T]) panel(k0 int) (done, singular int) {
	const alpha = 0.6403882032022076 // (1 + √17)/8
	n, singular := t.n, t.n
	limit := n
	if n-k0 > ldlPanel {
		limit = k0 + ldlPanel - 1
	}
	k := k0
	for k < limit {
		w := t.w.Row(k - k0)
		t.column(w, k, k, k0)
		t.pivots[k] = k
		diag, colMax, imax := magnitude(w[k]), T(0), k
		if k+1 < n {
			imax = k + 1 + indexOfLargest(t.kern, w[k+1:])
			colMax = magnitude(w[imax])
		}
		if !(max(diag, colMax) > 0) { // zero, or NaN
			copy(t.u.Row(k)[k:], w[k:])
			singular = min(singular, k)
			k++
			continue
		}
		if diag >= T(alpha*colMax) {
			t.single(k, w)
			k++
			continue
		}
		v := t.w.Row(k - k0 + 1)
		t.column(v, imax, k, k0)
		// By symmetry v[k] is w[imax], but where the matrix is cancelled to roundoff one of
		// them may have vanished; the bounds on the growth need the larger.
		rowMax := max(colMax, MaxAbs(v[k:imax], nil), MaxAbs(v[imax+1:], nil))
		switch {
		case diag >= T(T(alpha*colMax)*(colMax/rowMax)):
			t.single(k, w)
			k++
		case magnitude(v[imax]) >= T(alpha*rowMax):
			copy(w[k:], v[k:])
			t.exchange(k, k, imax, k0, 1)
			t.single(k, w)
			k++
		default:
			t.pivots[k+1] = k + 1
			t.exchange(k, k+1, imax, k0, 2)
			if !t.double(k, w, v) {
				singular = min(singular, k)
			}
			k += 2
		}
	}
	return k - k0, singular
}

// column sets w[k:] to column j of the matrix that the rows of the panel before k leave.
func (t *ldlCall[T]) column(w []T, j, k, k0 int) {
	for i := k; i < j; i++ {
		w[i] = t.u.Data[i*t.u.Stride+j]
	}
	copy(w[j:], t.u.Row(j)[j:])
	if k == k0 {
		return
	}
	for p := range k - k0 {
		t.x[p] = t.w.Data[p*t.w.Stride+j]
	}
	eachChunk(k, t.n, func(lo, hi int) {
		t.kern.GemvT(k-k0, hi-lo, -1, t.u.Data[k0*t.u.Stride+lo:], t.u.Stride, t.x[:k-k0], w[lo:hi])
	})
}

// exchange exchanges rows and columns i and p of the matrix from row k on, of which the
// columns that are being eliminated are in the last of w already; steps is their number.
func (t *ldlCall[T]) exchange(k, i, p, k0, steps int) {
	t.pivots[i] = p
	if i == p {
		return
	}
	u, ld := t.u.Data, t.u.Stride
	u[p*ld+p] = u[i*ld+i]
	for j := i + 1; j < p; j++ {
		u[j*ld+p] = u[i*ld+j]
	}
	copy(u[p*ld+p+1:p*ld+t.n], u[i*ld+p+1:i*ld+t.n])
	for r := k0; r < k; r++ {
		u[r*ld+i], u[r*ld+p] = u[r*ld+p], u[r*ld+i]
	}
	for r := range k - k0 + steps {
		row := t.w.Row(r)
		row[i], row[p] = row[p], row[i]
	}
}

// single finishes row k with a block of order 1.
func (t *ldlCall[T]) single(k int, w []T) {
	row := t.u.Row(k)
	copy(row[k:], w[k:])
	divideBy(t.kern, row[k+1:], w[k])
}

// double finishes rows k and k+1 with a block of order 2, and returns whether it is
// regular.
func (t *ldlCall[T]) double(k int, w, v []T) bool {
	d := w[k+1]
	t.e[k] = d
	a, b := v[k+1]/d, w[k]/d
	f := 1 / (T(a*b) - 1)
	first, second := t.u.Row(k), t.u.Row(k+1)
	first[k], first[k+1], second[k+1] = w[k], 0, v[k+1]
	x, y := first[k+2:], second[k+2:]
	copy(x, v[k+2:])
	copy(y, w[k+2:])
	divideBy(t.kern, x, d)
	divideBy(t.kern, y, d)
	// x = f·(a·y − x), y = f·(b·x − y)
	fa, fb := T(f*a), T(f*b)
	for i, p := range x {
		q := y[i]
		x[i], y[i] = asm.FMA(fa, q, T(-f*p)), asm.FMA(fb, p, T(-f*q))
	}
	return f == f
}

// divideBy divides x by d: it is multiplied by the reciprocal where that is a normal
// number.
func divideBy[T Float](k *asm.Kernels[T], x []T, d T) {
	if f := 1 / d; proper(f) {
		scaleInChunks(k, f, x)
		return
	}
	for i := range x {
		x[i] /= d
	}
}
