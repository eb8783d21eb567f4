package dense

import (
	"unsafe"

	"github.com/precond-go/precond/asm"
	"gonum.org/v1/gonum/blas"
)

// TriangularInverse inverts the triangle uplo of a in place, with ones on its
// diagonal if diag says so. The other triangle is neither read nor written, nor
// is a unit diagonal.
//
// Shapes: a is n×n. Cost: n³/3 flops. Workspace: TriangularInverseWork(n, threads).
// Errors: *SingularError if an element of the diagonal is zero; a is unchanged.
// Order: halves down to order 64, where Lᵀ·Xᵀ = I is solved as [Trsm] does. The result
// for the upper triangle is the transpose of that for the lower one, bit for bit.
// Accuracy: |X·L − I| ≤ c·n·ε·|X|·|L| for X the inverse (Higham 2002, section 14.2).
func TriangularInverse[T Float](uplo blas.Uplo, diag blas.Diag, a Matrix[T], o *Opts[T]) error {
	const op = "TriangularInverse"
	v := inverseCall[T]{op: op, uplo: uplo, diag: diag, lower: lower(op, uplo)}
	one := unit(op, diag)
	checkSquare(op, "a", &a)
	if !one {
		for i := range a.Rows {
			if a.Data[i*a.Stride+i] == 0 {
				return &SingularError{Pivot: i}
			}
		}
	}
	buf := v.begin(a.Rows, o)
	v.triangle(a)
	release(buf)
	return nil
}

// TriangularInverseWork returns the length of the workspace of TriangularInverse for
// a matrix of order n on the given number of threads.
func TriangularInverseWork[T Float](n, threads int) int { return inverseWork[T](n, threads) }

// CholeskyInverse replaces the factor that [Cholesky] left in the triangle uplo
// of a by the same triangle of the inverse of the matrix. The other triangle is
// neither read nor written; [Mirror] fills it.
//
// Shapes: a is n×n. Cost: 2n³/3 flops. Workspace: CholeskyInverseWork(n, threads).
// Errors: *SingularError if an element of the diagonal is zero, which no factor has;
// a is unchanged.
// Order: [TriangularInverse], then the product of its result with the transpose in
// halves down to order 64. The triangles are transposes bit for bit.
// Accuracy: ‖A·X − I‖ ≤ c·n·ε·‖A‖·‖X‖ (Higham 2002, section 14.3).
func CholeskyInverse[T Float](uplo blas.Uplo, a Matrix[T], o *Opts[T]) error {
	const op = "CholeskyInverse"
	v := inverseCall[T]{op: op, uplo: uplo, diag: blas.NonUnit, lower: lower(op, uplo)}
	checkSquare(op, "a", &a)
	for i := range a.Rows {
		if a.Data[i*a.Stride+i] == 0 {
			return &SingularError{Pivot: i}
		}
	}
	buf := v.begin(a.Rows, o)
	v.triangle(a)
	v.gram(a)
	release(buf)
	return nil
}

// CholeskyInverseWork returns the length of the workspace of CholeskyInverse for a
// matrix of order n on the given number of threads.
func CholeskyInverseWork[T Float](n, threads int) int { return inverseWork[T](n, threads) }

// SPDInverse replaces the symmetric positive definite matrix in the triangle uplo of
// a by its inverse, in the same triangle: [Cholesky] and [CholeskyInverse]. The other
// triangle is neither read nor written; [Mirror] fills it.
//
// Shapes: a is n×n. Cost: n³ flops. Workspace: SPDInverseWork(n, threads).
// Errors: *NotPositiveDefiniteError; a then holds what Cholesky leaves.
func SPDInverse[T Float](uplo blas.Uplo, a Matrix[T], o *Opts[T]) error {
	const op = "SPDInverse"
	v := inverseCall[T]{op: op, uplo: uplo, diag: blas.NonUnit, lower: lower(op, uplo)}
	checkSquare(op, "a", &a)
	if o != nil {
		checkRoom(op, o.Work, func() int { return SPDInverseWork[T](a.Rows, o.Threads) })
	}
	if err := cholesky(op, v.lower, &a, o); err != nil {
		return err
	}
	buf := v.begin(a.Rows, o)
	v.triangle(a)
	v.gram(a)
	release(buf)
	return nil
}

// SPDInverseWork returns the length of the workspace of SPDInverse for a matrix of
// order n on the given number of threads.
func SPDInverseWork[T Float](n, threads int) int {
	return max(CholeskyWork[T](n, threads), inverseWork[T](n, threads))
}

// Mirror copies the triangle uplo of a to the other one, so that a is symmetric.
func Mirror[T Float](uplo blas.Uplo, a Matrix[T]) {
	const op = "Mirror"
	low := lower(op, uplo)
	checkSquare(op, "a", &a)
	k, n, p := asm.For[T](), a.Rows, unsafe.SliceData(a.Data)
	for i := 0; i < n; i += transposeTile {
		rows := min(transposeTile, n-i)
		for r := i; r < i+rows; r++ { // within a tile of the diagonal
			for c := i; c < r; c++ {
				from, to := offset(p, r*a.Stride+c), offset(p, c*a.Stride+r)
				if !low {
					from, to = to, from
				}
				*to = *from
			}
		}
		for j := 0; j < i; j += transposeTile { // the tile (i, j) of the lower triangle
			lo, up := offset(p, i*a.Stride+j), offset(p, j*a.Stride+i)
			if low {
				k.TransTo(rows, transposeTile, lo, a.Stride, up, a.Stride)
			} else {
				k.TransTo(transposeTile, rows, up, a.Stride, lo, a.Stride)
			}
		}
	}
}

// inverseCall is one call of an operation of this file on a triangle. The names
// are those of the lower triangle; the upper one is its transpose.
type inverseCall[T Float] struct {
	op      string
	kern    *asm.Kernels[T]
	uplo    blas.Uplo
	diag    blas.Diag
	lower   bool
	o       Opts[T] // of the operations that do the work
	in, out []T     // squares of order inverseBase
	inv     []T     // what the rows of a block are multiplied with
}

// inverseBase is the order up to which triangles are inverted at once, gramRows
// the number of rows of a product of a triangle with itself that begin at the same
// inner index. They change the bits.
const (
	inverseBase = 64
	gramRows    = 32
)

// inverseSplit returns the order of the first half, a multiple of inverseBase.
func inverseSplit(n int) int { return roundUp(n/2, inverseBase) }

// inverseWork returns the length of the workspace of all operations here.
func inverseWork[T Float](n, threads int) int { return inverseRoom[T](n) + inverseInner[T](n, threads) }

// inverseRoom returns the length of what begin takes for itself.
func inverseRoom[T Float](n int) int {
	base := min(n, inverseBase)
	return 2*roundUp(base*base, alignSlack[T]()) + roundUp(base, alignSlack[T]()) + alignSlack[T]()
}

// inverseInner returns the length of the workspace of the operations on halves.
func inverseInner[T Float](n, threads int) int {
	if n <= inverseBase {
		return 0
	}
	p := inverseSplit(n)
	q := n - p
	return max(inverseInner[T](p, threads), inverseInner[T](q, threads),
		TrsmWork[T](blas.Left, p, q, threads), TrsmWork[T](blas.Left, q, p, threads),
		TrsmWork[T](blas.Right, p, q, threads), TrsmWork[T](blas.Right, q, p, threads),
		TrmmWork[T](blas.Left, q, p, threads), TrmmWork[T](blas.Right, p, q, threads),
		SyrkWork[T](blas.Trans, p, q, threads), SyrkWork[T](blas.NoTrans, p, q, threads))
}

// begin takes the workspace for matrices of order n.
func (v *inverseCall[T]) begin(n int, o *Opts[T]) *buffer[T] {
	v.kern = asm.For[T]()
	if o != nil {
		v.o = *o
	}
	checkRoom(v.op, v.o.Work, func() int { return inverseWork[T](n, v.o.Threads) })
	w, buf := scratch(o, v.op, inverseRoom[T](n)-alignSlack[T]())
	if v.o.Work != nil {
		v.o.Work = v.o.Work[inverseRoom[T](n):]
	}
	base := min(n, inverseBase)
	v.in, w = cut(w, base*base)
	v.out, w = cut(w, base*base)
	v.inv = w[:base]
	return buf
}

// triangle inverts the triangle of a.
func (v *inverseCall[T]) triangle(a Matrix[T]) {
	if a.Rows <= inverseBase {
		v.triangleBase(a)
		return
	}
	l11, l21, l22 := v.halves(a)
	// L21 becomes −(L22⁻¹·L21)·L11⁻¹; in this order X·L is close to I, which the
	// product with the transpose needs.
	v.triangle(l22)
	if v.lower {
		Trmm(blas.Left, v.uplo, blas.NoTrans, v.diag, 1, l22, l21, &v.o)
		Trsm(blas.Right, v.uplo, blas.NoTrans, v.diag, -1, l11, l21, &v.o)
	} else {
		Trmm(blas.Right, v.uplo, blas.NoTrans, v.diag, 1, l22, l21, &v.o)
		Trsm(blas.Left, v.uplo, blas.NoTrans, v.diag, -1, l11, l21, &v.o)
	}
	v.triangle(l11)
}

// halves returns the blocks of the triangle of a, L21 transposed if it is the upper.
func (v *inverseCall[T]) halves(a Matrix[T]) (l11, l21, l22 Matrix[T]) {
	p := inverseSplit(a.Rows)
	q := a.Rows - p
	l11, l22 = a.View(0, 0, p, p), a.View(p, p, q, q)
	if v.lower {
		return l11, a.View(p, 0, q, p), l22
	}
	return l11, a.View(0, p, p, q), l22
}

// triangleBase inverts a small triangle: X·L = I, as Lᵀ·Xᵀ = I, where columns of Xᵀ
// end at the diagonal. It is solved from the last row up.
func (v *inverseCall[T]) triangleBase(a Matrix[T]) {
	n := a.Rows
	if n == 0 {
		return
	}
	l := operandOf(&a, !v.lower)
	t := triangularCall[T]{kern: v.kern, solve: true, unit: v.diag == blas.Unit, n: n, diag: v.inv[:n]}
	t.fa = operand[T]{l.at(n-1, n-1), -l.cs, -l.rs}
	t.fillDiagonal()
	clear(v.out[:n*n])
	for i := range n {
		v.out[i*n+i] = 1
	}
	for j := 0; j < n; {
		w := panelWidth[T](n - j)
		t.rows(n-j-w, n, w, 1, &v.out[(j+w-1)*n+j], -n)
		j += w
	}
	v.put(a, false, v.diag == blas.Unit)
}

// put copies the triangle of out, the lower one if low, to that of a, transposed if
// it is the other one, without the diagonal if unit.
func (v *inverseCall[T]) put(a Matrix[T], low, unit bool) {
	n, skip, from := a.Rows, 0, v.out
	if unit {
		skip = 1
	}
	if low != v.lower {
		v.kern.TransTo(n, n, &v.out[0], n, &v.in[0], n)
		from = v.in
	}
	for i := range n {
		if v.lower {
			copy(a.Row(i)[:i+1-skip], from[i*n:])
		} else {
			copy(a.Row(i)[i+skip:], from[i*n+i+skip:])
		}
	}
}

// gram replaces L by the lower triangle of Lᵀ·L.
func (v *inverseCall[T]) gram(a Matrix[T]) {
	if a.Rows <= inverseBase {
		v.gramBase(a)
		return
	}
	l11, l21, l22 := v.halves(a)
	v.gram(l11)
	if v.lower {
		Syrk(v.uplo, blas.Trans, 1, l21, 1, l11, &v.o)
		Trmm(blas.Left, v.uplo, blas.Trans, blas.NonUnit, 1, l22, l21, &v.o)
	} else {
		Syrk(v.uplo, blas.NoTrans, 1, l21, 1, l11, &v.o)
		Trmm(blas.Right, v.uplo, blas.Trans, blas.NonUnit, 1, l22, l21, &v.o)
	}
	v.gram(l22)
}

// gramBase is gram for a small triangle.
func (v *inverseCall[T]) gramBase(a Matrix[T]) {
	n := a.Rows
	if n == 0 {
		return
	}
	l := v.in
	if !v.lower {
		l = v.out
	}
	clear(l[:n*n])
	for i := range n {
		if v.lower {
			copy(l[i*n:i*n+i+1], a.Row(i))
		} else {
			copy(l[i*n+i:(i+1)*n], a.Row(i)[i:])
		}
	}
	if !v.lower {
		v.kern.TransTo(n, n, &v.out[0], n, &v.in[0], n)
	}
	for r := 0; r < n; r += gramRows {
		end := min(r+gramRows, n)
		strips := blocks(end-r, v.kern.MR)
		for s := range strips {
			s0, s1 := blockOf(end-r, s, strips)
			s0, s1 = r+s0, r+s1
			v.kern.Gemm(s1-s0, end, n-r, 1, &v.in[r*n+s0], 1, n, &v.in[r*n], n, v.kern.NR, &v.out[s0*n], n, asm.Store)
		}
	}
	v.put(a, true, false)
}
