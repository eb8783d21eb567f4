package dense

import (
	"fmt"
	"math"

	"github.com/precond-go/precond/asm"

	"gonum.org/v1/gonum/blas"
)

// QRPivoted factors the m×n matrix A·P = Q·R with column pivoting, so that R shows the
// rank: each column is, when its turn comes, the one that is farthest from the
// span of those before it. |R[j,j]| does not increase with j, up to rounding, and
// bounds the columns of R behind it: Σ_{i≥j} R[i,l]² ≤ R[j,j]² for l ≥ j.
//
// a holds A on entry, Q and R as after QR on return, for QRForm, QRApply and, with
// the leading columns, QRSolve. Column j of A·P is column pivots[j] of A.
// The rank and its tolerance are up to QRRank.
//
// Shapes: a is m×n, tau has k = min(m, n) elements, pivots n.
// Cost: 4mnk − 2k²(m+n) + 4k³/3 flops, half of them in matrix-vector products.
// Workspace: QRPivotedWork(m, n, threads), more than m·n.
// A NaN or an infinity in a makes NaNs, and the pivots a permutation without meaning.
// Accuracy: ‖AP−QR‖₁ ≤ 10·m·ε·‖A‖₁ and ‖QᵀQ−I‖₁ ≤ 10·m·ε (tested).
// Source: Quintana-Ortí, Sun and Bischof, A BLAS-3 version of the QR factorization
// with column pivoting, SIAM J. Sci. Comput. 19 (1998); the norms of what is left
// of the columns are downdated as in Drmač and Bujanović, On the failure of
// rank-revealing QR factorization software, ACM TOMS 35 (2008).
func QRPivoted[T Float](a Matrix[T], tau []T, pivots []int, o *Opts[T]) {
	const op = "QRPivoted"
	checkPivoted(op, &a, tau, pivots)
	if len(tau) == 0 {
		unpermuted(pivots)
		return
	}
	scale := unitScale(maxAbsOf(asm.For[T](), a))
	c := newPivotCall[T](a.Rows, a.Cols, len(tau), threadsOf(o, a.Rows*a.Cols*len(tau)))
	w, pooled := scratch(o, op, roundUp(a.Cols*panelStride[T](a.Rows), alignSlack[T]())+c.length())
	columns, w := cut(w, a.Cols*panelStride[T](a.Rows))
	c.columns = Matrix[T]{a.Cols, a.Rows, panelStride[T](a.Rows), columns}
	unpermuted(pivots)
	c.tau, c.pivots = tau, pivots
	c.load(a, scale)
	c.run(w)
	c.store(a, scale)
	release(pooled)
}

// QRPivotedWork returns the length of the workspace of QRPivoted for an m×n matrix on
// the given number of threads.
func QRPivotedWork[T Float](m, n, threads int) int {
	k := min(m, n)
	c := newPivotCall[T](m, n, k, threadsOf(&Opts[T]{Threads: threads}, m*n*k))
	return roundUp(n*panelStride[T](m), alignSlack[T]()) + c.length() + alignSlack[T]()
}

// QRRank returns the numerical rank that R on and above the diagonal of a shows: the
// number of leading diagonal elements with |R[j,j]| > tol·|R[0,0]|. tol is
// relative; 0 stands for max(m, n)·ε, about what rounding leaves of columns that
// depend on those before them. NaN on the diagonal ends the count.
func QRRank[T Float](a Matrix[T], tol T) int {
	a.check("QRRank", "a")
	k := min(a.Rows, a.Cols)
	if tol == 0 {
		tol = T(T(2*max(a.Rows, a.Cols)) * unitRoundoff[T]())
	}
	for j := range k {
		d := T(math.Abs(float64(a.Data[j*a.Stride+j])))
		if !(d > T(tol*T(math.Abs(float64(a.Data[0]))))) {
			return j
		}
	}
	return k
}

// checkPivoted checks the arguments that the pivoted factorisations share.
func checkPivoted[T Float](op string, a *Matrix[T], tau []T, pivots []int) {
	a.check(op, "a")
	checkTau(op, tau, min(a.Rows, a.Cols), a)
	if len(pivots) != a.Cols {
		panic(fmt.Sprintf("dense: %s: a is %dx%d, pivots has %d elements", op, a.Rows, a.Cols, len(pivots)))
	}
}

// unpermuted makes pivots the identity.
func unpermuted(pivots []int) {
	for j := range pivots {
		pivots[j] = j
	}
}

// unitScale is toUnit, but 1 for zero and what is not finite. Norms of columns are
// sums of squares, so matrices are scaled in any case.
func unitScale[T Float](largest T) T {
	if largest == 0 || largest-largest != 0 {
		return 1
	}
	return toUnit(largest)
}

// pivotBlock is the number of columns after which the rest of the matrix is updated.
// It fixes the order of operations.
const pivotBlock = 32

// pivotCall is one pivoted factorisation. The matrix is held by columns, each a row
// of columns: columns trade places and are summed up all the time.
type pivotCall[T Float] struct {
	kern    *asm.Kernels[T]
	columns Matrix[T]    // n×m
	steps   int          // columns to factor
	tau     []T          // steps
	pivots  []int        // n, or nil; trade places as the columns do
	along   [2]Matrix[T] // their rows trade places as the columns do, if they have rows
	threads int
	room    int // workspace of products

	norms []T       // norms of what is left of the columns, downdated
	fresh []T       // their values when they were last computed
	f     Matrix[T] // pivotBlock×n, row i: what column j takes of vector i of the block
	heads Matrix[T] // pivotBlock×n, the rows of the matrix that become those of R
	x     []T       // pivotBlock
	work  []T
	redo  []T // for each column, whether its norm is to be computed anew
}

func newPivotCall[T Float](m, n, steps, threads int) pivotCall[T] {
	return pivotCall[T]{kern: asm.For[T](), columns: Matrix[T]{Rows: n, Cols: m}, steps: steps, threads: threads,
		room: gemmRoom[T](n, m, pivotBlock, threads)}
}

func (c *pivotCall[T]) length() int {
	n := roundUp(c.columns.Rows, alignSlack[T]())
	return n*(3+2*pivotBlock) + roundUp(pivotBlock, alignSlack[T]()) + c.room
}

// load copies a, multiplied by scale, into columns; store copies back what the
// factorisation leaves and undoes the scaling of R.
func (c *pivotCall[T]) load(a Matrix[T], scale T) {
	transposeTiles(c.kern, a, c.columns)
	for j := range c.columns.Rows {
		scaleInChunks(c.kern, scale, c.columns.Row(j))
	}
}

func (c *pivotCall[T]) store(a Matrix[T], scale T) {
	for j := range c.columns.Rows {
		scaleInChunks(c.kern, 1/scale, c.columns.Row(j)[:min(j+1, c.columns.Cols)])
	}
	transposeTiles(c.kern, c.columns, a)
}

// run factors.
func (c *pivotCall[T]) run(w []T) {
	n := c.columns.Rows
	c.norms, w = cut(w, n)
	c.fresh, w = cut(w, n)
	c.redo, w = cut(w, n)
	ld := roundUp(n, alignSlack[T]())
	c.f, w = Matrix[T]{pivotBlock, n, ld, w[:pivotBlock*ld]}, w[pivotBlock*ld:]
	c.heads, w = Matrix[T]{pivotBlock, n, ld, w[:pivotBlock*ld]}, w[pivotBlock*ld:]
	c.x, c.work = cut(w, pivotBlock)
	clear(c.redo)
	for j := range n {
		c.measure(j, 0)
	}
	for j := 0; j < c.steps; {
		j += c.block(j)
	}
}

// measure computes the norm of column j from row i on.
func (c *pivotCall[T]) measure(j, i int) {
	v := safeNorm(c.kern, c.columns.Row(j)[i:])
	c.norms[j], c.fresh[j] = v, v
}

// block factors columns from j0 on, up to pivotBlock of them, fewer if the norm of a
// column has to be computed anew, for which that must be up to date. It returns
// how many.
func (c *pivotCall[T]) block(j0 int) int {
	n, m := c.columns.Rows, c.columns.Cols
	size := min(pivotBlock, c.steps-j0)
	transposeTiles(c.kern, c.columns.View(j0, j0, n-j0, size), c.heads.View(0, j0, size, n-j0))
	done, stale := 0, false
	for done < size && !stale {
		stale = c.step(j0, done)
		done++
	}
	end := j0 + done
	// What has become R goes back into the columns.
	for j := j0 + 1; j < end; j++ {
		for i := j0; i < j; i++ {
			c.columns.Data[j*c.columns.Stride+i] = c.heads.Data[(i-j0)*c.heads.Stride+j]
		}
	}
	if end == n {
		return done
	}
	transposeTiles(c.kern, c.heads.View(0, end, done, n-end), c.columns.View(end, j0, n-end, done))
	if end < m {
		Gemm(blas.Trans, blas.NoTrans, -1, c.f.View(0, end, done, n-end), c.columns.View(j0, end, done, m-end), 1,
			c.columns.View(end, end, n-end, m-end), &Opts[T]{Threads: c.threads, Work: c.work})
	}
	if stale {
		for j := end; j < n; j++ {
			if c.redo[j] != 0 {
				c.redo[j] = 0
				c.measure(j, min(end, m))
			}
		}
	}
	return done
}

// step factors column j = j0+s, the one with the largest norm, and reports whether
// some norm can no longer be downdated.
//
// With V the vectors of the block so far and F its rows of c.f, the columns that are
// not yet factored stand for themselves minus V·Fᵀ.
func (c *pivotCall[T]) step(j0, s int) (stale bool) {
	n, m := c.columns.Rows, c.columns.Cols
	j := j0 + s
	c.swap(j0, s, j, j+c.kern.IMaxAbs(c.norms[j:n]))
	column := c.columns.Row(j)
	rest := m - j
	vectors, ld := c.columns.Data[j0*c.columns.Stride+j:], c.columns.Stride
	x := c.x[:s]
	for i := range x {
		x[i] = c.f.Data[i*c.f.Stride+j]
	}
	for lo := 0; lo < rest && s > 0; lo += asm.Chunk {
		c.kern.GemvT(s, min(asm.Chunk, rest-lo), -1, vectors[lo:], ld, x, column[j+lo:])
	}
	beta, tau := reflector(c.kern, column[j], column[j+1:])
	c.tau[j] = tau
	column[j] = 1

	// F[:, s] = tau·(A − V·Fᵀ)ᵀ·v
	v, f := column[j:], c.f.Row(s)[j+1:]
	if j+1 < n {
		Gemv(blas.NoTrans, tau, c.columns.View(j+1, j, n-j-1, rest), v, 0, f, &Opts[T]{Threads: c.threads})
		if s > 0 {
			clear(x)
			for lo := 0; lo < rest; lo += asm.Chunk {
				c.kern.GemvN(s, min(asm.Chunk, rest-lo), 1, vectors[lo:], ld, v[lo:], x)
			}
			c.kern.GemvT(s, n-j-1, -tau, c.f.Data[j+1:], c.f.Stride, x, f)
		}
		// row j of R
		x = c.x[:s+1]
		for i := range x {
			x[i] = c.columns.Data[(j0+i)*ld+j]
		}
		head := c.heads.Row(s)[j+1:]
		c.kern.GemvT(s+1, n-j-1, -1, c.f.Data[j+1:], c.f.Stride, x, head)
		stale = c.downdate(j, head)
	}
	column[j] = beta
	return stale
}

// swap makes columns i and j trade places, step s of the block that begins with j0.
func (c *pivotCall[T]) swap(j0, s, i, j int) {
	if i == j {
		return
	}
	swapRows(c.kern, c.columns, i, j)
	for _, a := range c.along {
		if a.Rows > 0 && a.Cols > 0 {
			swapRows(c.kern, a, i, j)
		}
	}
	for l := range s {
		row := c.f.Row(l)
		row[i], row[j] = row[j], row[i]
	}
	for l := range min(pivotBlock, c.steps-j0) {
		row := c.heads.Row(l)
		row[i], row[j] = row[j], row[i]
	}
	c.norms[j], c.fresh[j] = c.norms[i], c.fresh[i]
	if c.pivots != nil {
		c.pivots[i], c.pivots[j] = c.pivots[j], c.pivots[i]
	}
}

// swapRows makes rows i and j of a trade places.
func swapRows[T Float](k *asm.Kernels[T], a Matrix[T], i, j int) {
	x, y := a.Row(i), a.Row(j)
	for ; len(x) > asm.Chunk; x, y = x[asm.Chunk:], y[asm.Chunk:] {
		k.Swap(x[:asm.Chunk], y[:asm.Chunk])
	}
	k.Swap(x, y)
}

// downdate takes row j of R off the norms of the columns behind j, and reports
// whether for some too little would be left of the norm to be trusted.
func (c *pivotCall[T]) downdate(j int, row []T) (stale bool) {
	limit := T(math.Sqrt(float64(2 * unitRoundoff[T]())))
	norms, fresh, redo := c.norms[j+1:][:len(row)], c.fresh[j+1:][:len(row)], c.redo[j+1:][:len(row)]
	for l, r := range row {
		norm := norms[l]
		if norm == 0 {
			continue
		}
		q := T(math.Abs(float64(r))) / norm
		left := max(0, T((1+q)*(1-q)))
		share := norm / fresh[l]
		if !(T(left*T(share*share)) > limit) {
			redo[l] = 1
			stale = true
			continue
		}
		norms[l] = T(norm * T(math.Sqrt(float64(left))))
	}
	return stale
}
