package kron

import (
	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/space"
	"gonum.org/v1/gonum/blas"
)

// Apply multiplies a Kronecker product of two matrices with a matrix,
// Y = alpha·op(A)·X·op(B)ᵀ + beta·Y, which is (op(A)⊗op(B))·vec(X) in row-major order.
//
// With the eigenvectors of two symmetric matrices for A and B, Apply(Trans, Trans) turns X
// into the eigenbasis of A⊗B and Apply(NoTrans, NoTrans) turns it back.
//
// Shapes: op(A) is p×m, op(B) is q×n, x is m×n, y is p×q. y may overlap x or be x itself; it
// must not overlap a or b.
// Cost: 2pmn + 2pnq flops, or 2mnq + 2pmq if that is less. Workspace:
// ApplyWork(tA, tB, a, b, threads).
// With beta == 0 y is not read; with alpha == 0 a, b and x are not read.
// Order: two calls of dense.Gemm, the cheaper order of the two; A comes first on a tie.
// Accuracy: |error| ≤ (m + n + 4)·ε·|alpha|·|A|·|X|·|Bᵀ| + ε·|beta·Y|, to first order.
func Apply[T dense.Float](tA, tB blas.Transpose, alpha T, a, b, x dense.Matrix[T], beta T, y dense.Matrix[T], o *dense.Opts[T]) {
	const op = "Apply"
	p := newPair(op, tA, tB, &a, &b)
	if x.Rows != p.m || x.Cols != p.n || y.Rows != p.p || y.Cols != p.q {
		misuse(op, "op(a) is %dx%d, op(b) is %dx%d, x is %s, y is %s", p.p, p.m, p.q, p.n, shape(x), shape(y))
	}
	if dense.Overlap(y, a) || dense.Overlap(y, b) {
		misuse(op, "y overlaps a or b")
	}
	t := threads(o)
	w, buf := scratch(o, op, p.reserve(new(arena[T]), t))
	defer space.Put(buf)
	p.reserve(&w, t)
	if p.leftFirst() {
		if alpha != 0 {
			dense.Gemm(tA, blas.NoTrans, 1, a, x, 0, p.mid, &p.o)
		}
		dense.Gemm(blas.NoTrans, other(tB), alpha, p.mid, b, beta, y, &p.o)
	} else {
		if alpha != 0 {
			dense.Gemm(blas.NoTrans, other(tB), 1, x, b, 0, p.mid, &p.o)
		}
		dense.Gemm(tA, blas.NoTrans, alpha, a, p.mid, beta, y, &p.o)
	}
}

// ApplyWork returns the length of the workspace of Apply for factors of the shapes of a
// and b on the given number of threads. It reads no elements.
func ApplyWork[T dense.Float](tA, tB blas.Transpose, a, b dense.Matrix[T], threads int) int {
	p := newPair("ApplyWork", tA, tB, &a, &b)
	return room[T](p.reserve(new(arena[T]), threads))
}

// pair is one call of Apply.
type pair[T dense.Float] struct {
	tA, tB     blas.Transpose
	p, m, q, n int             // op(A) is p×m, op(B) is q×n
	mid        dense.Matrix[T] // the product with one of them
	o          dense.Opts[T]
}

func newPair[T dense.Float](op string, tA, tB blas.Transpose, a, b *dense.Matrix[T]) pair[T] {
	r := pair[T]{tA: tA, tB: tB}
	r.p, r.m = shapeOf(transposed(op, tA), a)
	r.q, r.n = shapeOf(transposed(op, tB), b)
	return r
}

// leftFirst returns whether A·X takes no more operations to begin with than X·Bᵀ.
func (r *pair[T]) leftFirst() bool {
	return r.p*r.n*(r.m+r.q) <= r.m*r.q*(r.n+r.p)
}

// reserve takes the workspace from w and returns its length.
func (r *pair[T]) reserve(w *arena[T], threads int) int {
	tB := other(r.tB)
	var size int
	if r.leftFirst() {
		r.mid = w.matrix(r.p, r.n)
		size = max(dense.GemmWork[T](r.tA, blas.NoTrans, r.p, r.n, r.m, threads), dense.GemmWork[T](blas.NoTrans, tB, r.p, r.q, r.n, threads))
	} else {
		r.mid = w.matrix(r.m, r.q)
		size = max(dense.GemmWork[T](blas.NoTrans, tB, r.m, r.q, r.n, threads), dense.GemmWork[T](r.tA, blas.NoTrans, r.p, r.q, r.m, threads))
	}
	r.o = dense.Opts[T]{Threads: threads, Work: w.Take(size)}
	return w.Used()
}

// CholeskySolve solves (A⊗B)·vec(X) = vec(Y) in place of x, X = A⁻¹·Y·B⁻¹, where the
// triangles uplo of a and b hold the factors that dense.Cholesky made of A and B.
//
// Shapes: a is m×m, b is n×n, x is m×n and must not overlap a or b.
// Cost: 2mn(m + n) flops. Workspace: CholeskySolveWork(m, n, threads).
// Accuracy: X is A⁻¹ applied to Z with relative backward errors of some m·ε in A and n·ε in
// B, each column of Z and each row of X its own (Higham 2002, theorem 10.4).
func CholeskySolve[T dense.Float](uplo blas.Uplo, a, b, x dense.Matrix[T], o *dense.Opts[T]) {
	const op = "CholeskySolve"
	checkTriangle(op, uplo)
	if a.Rows != a.Cols || b.Rows != b.Cols || x.Rows != a.Rows || x.Cols != b.Rows {
		misuse(op, "a is %s, b is %s, x is %s", shape(a), shape(b), shape(x))
	}
	if dense.Overlap(x, a) || dense.Overlap(x, b) {
		misuse(op, "x overlaps a or b")
	}
	t := threads(o)
	w, buf := scratch(o, op, solveRoom[T](x.Rows, x.Cols, t))
	defer space.Put(buf)
	inner := dense.Opts[T]{Threads: t, Work: w.Rest()}
	first := blas.NoTrans // B = UᵀU: X·U⁻¹·U⁻ᵀ
	if uplo == blas.Lower {
		first = blas.Trans // B = LLᵀ: X·L⁻ᵀ·L⁻¹
	}
	dense.CholeskySolve(uplo, a, x, &inner)
	dense.Trsm(blas.Right, uplo, first, blas.NonUnit, 1, b, x, &inner)
	dense.Trsm(blas.Right, uplo, other(first), blas.NonUnit, 1, b, x, &inner)
}

// CholeskySolveWork returns the length of the workspace of CholeskySolve for an m×n
// matrix x on the given number of threads.
func CholeskySolveWork[T dense.Float](m, n, threads int) int {
	return room[T](solveRoom[T](m, n, threads))
}

func solveRoom[T dense.Float](m, n, threads int) int {
	return max(dense.CholeskySolveWork[T](m, n, threads), dense.TrsmWork[T](blas.Right, m, n, threads))
}

// Product writes the Kronecker product F₁⊗F₂⊗…⊗F_k of the factors to c. It is what the
// other functions avoid, for small problems and for tests.
//
// Shapes: the rows and the columns of c are the products of those of the factors; c must
// not overlap a factor. Without factors c is 1×1.
// Order: elements are products from left to right, each rounded.
func Product[T dense.Float](factors []dense.Matrix[T], c dense.Matrix[T]) {
	const op = "Product"
	rows, cols := 1, 1
	for i := range factors {
		rows *= factors[i].Rows
		cols *= factors[i].Cols
		if dense.Overlap(c, factors[i]) {
			misuse(op, "c overlaps factor %d", i)
		}
	}
	if c.Rows != rows || c.Cols != cols {
		misuse(op, "factors make %dx%d, c is %s", rows, cols, shape(c))
	}
	for i := range rows {
		row := c.Row(i)
		for j := range row {
			v := T(1)
			r, s := i, j
			high, wide := rows, cols // of what is left of the product
			for _, f := range factors {
				high /= f.Rows
				wide /= f.Cols
				v = T(v * f.Data[r/high*f.Stride+s/wide])
				r, s = r%high, s%wide
			}
			row[j] = v
		}
	}
}
