package dense

import (
	"fmt"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/internal/par"
	"gonum.org/v1/gonum/blas"
)

// Symv computes y = alpha·A·x + beta·y for the symmetric matrix A that is given by
// the triangle uplo of a. The other triangle is not read.
//
// Shapes: a is n×n, x and y have n elements; y must not overlap a or x.
// Cost: 2n² flops, one pass over the triangle. Workspace: SymvWork(n, threads).
// With beta == 0 y is not read; with alpha == 0, a and x are not read.
// Order: rows are taken in increasing order, in blocks of 256. Row i without its
// diagonal adds fma(alpha·x_i, a_ij, s_j) to a sum s_j and then
// fma(alpha, fma(a_ii, x_i, d), s_i) to its own, where d is the product of the
// same elements with x in the lanes of package asm. If n ≤ 256 the sums are the
// elements of y, which begin as beta·y; else each block sums from zero, and the
// sums are added to y in order.
func Symv[T Float](uplo blas.Uplo, alpha T, a Matrix[T], x []T, beta T, y []T, o *Opts[T]) {
	const op = "Symv"
	isLower := lower(op, uplo)
	a.check(op, "a")
	n := a.Rows
	if a.Cols != n || len(x) != n || len(y) != n {
		panic(fmt.Sprintf("dense: Symv: a is %dx%d, x has %d elements, y has %d", a.Rows, a.Cols, len(x), len(y)))
	}
	checkOutput(op, y, "y", x, "x", &a)
	k := asm.For[T]()
	scaleVector(k, beta, y)
	if alpha == 0 {
		return
	}
	t := pass[T]{op: opSymv, k: k, alpha: alpha, flag: isLower, a: a, x: vectorRow(x)}
	if n <= symvBlock {
		t.symvRows(0, n, y)
		return
	}
	threads := min(threadsFor(o, n*n/2), (n+symvBlock-1)/symvBlock)
	work, pooled := scratch(o, op, symvSums(n, threads))
	if threads == 1 {
		for i := 0; i < n; i += symvBlock {
			end := min(i+symvBlock, n)
			lo, hi := t.symvSpan(i, end, n)
			clear(work[lo:hi])
			t.symvRows(i, end, work)
			k.AddTo(y[lo:hi], work[lo:hi], y[lo:hi])
		}
	} else {
		t.part = work
		t.run(threads)
		for i := 0; i < n; i += symvBlock {
			lo, hi := t.symvSpan(i, min(i+symvBlock, n), n)
			s := work[i/symvBlock*n:]
			k.AddTo(y[lo:hi], s[lo:hi], y[lo:hi])
		}
	}
	release(pooled)
}

// SymvWork returns the length of the workspace of Symv for an n×n matrix on the
// given number of threads.
func SymvWork[T Float](n, threads int) int {
	if n <= symvBlock {
		return 0
	}
	return symvSums(n, par.Threads(threads)) + alignSlack[T]()
}

// symvBlock is the number of rows that are summed together. It fixes the order of
// additions.
const symvBlock = 256

// symvSums returns the number of sums that are kept: n at a time on one thread,
// else those of all blocks.
func symvSums(n, threads int) int {
	if threads == 1 {
		return n
	}
	return (n + symvBlock - 1) / symvBlock * n
}

// symvSpan returns the range of the sums to which the rows i to end contribute.
func (t *pass[T]) symvSpan(i, end, n int) (lo, hi int) {
	if t.flag {
		return 0, end
	}
	return i, n
}

// symv sums the blocks of worker w. They are dealt out there and back, as they
// differ in length.
func (t *pass[T]) symv(w, workers int) {
	n := t.a.Rows
	for b, turn := w, 0; b*symvBlock < n; turn++ {
		i, end := b*symvBlock, min((b+1)*symvBlock, n)
		lo, hi := t.symvSpan(i, end, n)
		s := t.part[b*n : (b+1)*n]
		clear(s[lo:hi])
		t.symvRows(i, end, s)
		if turn%2 == 0 {
			b += 2*(workers-w) - 1
		} else {
			b += 2*w + 1
		}
	}
}

// symvRows adds what the rows lo to hi contribute to the sums s.
func (t *pass[T]) symvRows(lo, hi int, s []T) {
	asm.SymvRows(t.k, t.flag, lo, hi, t.a.Rows, t.alpha, t.a.Data, t.a.Stride, t.x.data, s)
}
