package dense

import (
	"fmt"
	"unsafe"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/internal/par"
)

// transposeTile is the edge of the square blocks in which matrices are
// transposed: a block and its image fit into the first-level cache.
const transposeTile = 64

// Transpose writes the transpose of a to dst, which must not overlap a.
//
// Shapes: a is m×n, dst is n×m. It does not use Opts.Work.
func Transpose[T Float](a, dst Matrix[T], o *Opts[T]) {
	const op = "Transpose"
	a.check(op, "a")
	dst.check(op, "dst")
	if dst.Rows != a.Cols || dst.Cols != a.Rows {
		panic(fmt.Sprintf("dense: %s: a is %dx%d, dst is %dx%d", op, a.Rows, a.Cols, dst.Rows, dst.Cols))
	}
	checkApart(op, &dst, "dst", &a, "a")
	if a.Rows == 0 || a.Cols == 0 {
		return
	}
	t := pass[T]{op: opTranspose, k: asm.For[T](), a: a, x: matrixRows(&dst)}
	t.run(min(threadsFor(o, a.Rows*a.Cols), (a.Cols+transposeTile-1)/transposeTile))
}

// transpose writes the rows of dst of worker w.
func (t *pass[T]) transpose(w, workers int) {
	lo, hi := par.Range(t.a.Cols, workers, w, transposeTile)
	if t.a.Rows*t.a.Cols > asm.Chunk {
		t.transposePages(lo, hi)
		return
	}
	t.transposeTiles(lo, hi)
}

// transposeTiles writes the rows lo to hi of dst, tile by tile along them.
func (t *pass[T]) transposeTiles(lo, hi int) {
	src, dst := unsafe.SliceData(t.a.Data), unsafe.SliceData(t.x.data)
	for j := lo; j < hi; j += transposeTile {
		for i := 0; i < t.a.Rows; i += transposeTile {
			t.k.TransTo(min(transposeTile, t.a.Rows-i), min(transposeTile, hi-j),
				offset(src, i*t.a.Stride+j), t.a.Stride, offset(dst, j*t.x.ld+i), t.x.ld)
		}
	}
}

// transposePages writes the rows lo to hi of dst where the matrices are large. It
// goes over squares whose rows are as long as a page of memory: the processor
// remembers the addresses of so many pages, and translates each once and not for
// every tile. Strides that are powers of two map the rows of a tile to few lines of
// the caches; so a tile is copied to a buffer and its image from one, whole lines
// at a time, and transposed in between.
func (t *pass[T]) transposePages(lo, hi int) {
	size := int(unsafe.Sizeof(T(0)))
	page, e := 4096/size, 256/size
	buf, pooled := scratch[T](nil, "", 2*e*e)
	in, out := &buf[0], &buf[e*e]
	rows, ld, ldd := t.a.Rows, t.a.Stride, t.x.ld
	src, dst := unsafe.SliceData(t.a.Data), unsafe.SliceData(t.x.data)
	for j0 := lo; j0 < hi; j0 += page {
		j1 := min(j0+page, hi)
		for i0 := 0; i0 < rows; i0 += page {
			i1 := min(i0+page, rows)
			for i := i0; i < i1; i += e {
				h := min(e, i1-i)
				for j := j0; j < j1; j += e {
					v := min(e, j1-j)
					t.k.CopyTo(h, v, offset(src, i*ld+j), ld, in, e)
					t.k.TransTo(h, v, in, e, out, e)
					t.k.CopyTo(v, h, out, e, offset(dst, j*ldd+i), ldd)
				}
			}
		}
	}
	release(pooled)
}

// TransposeInPlace transposes the square matrix a.
//
// Workspace: TransposeInPlaceWork(threads).
func TransposeInPlace[T Float](a Matrix[T], o *Opts[T]) {
	const op = "TransposeInPlace"
	a.check(op, "a")
	if a.Rows != a.Cols {
		panic(fmt.Sprintf("dense: %s: a is %dx%d", op, a.Rows, a.Cols))
	}
	threads := min(threadsFor(o, a.Rows*a.Cols), max(1, a.Rows/transposeTile))
	work, pooled := scratch(o, op, threads*transposeTile*transposeTile)
	t := pass[T]{op: opTransposeInPlace, k: asm.For[T](), a: a, part: work}
	t.run(threads)
	release(pooled)
}

// TransposeInPlaceWork returns the length of the workspace of TransposeInPlace on
// the given number of threads.
func TransposeInPlaceWork[T Float](threads int) int {
	return par.Threads(threads)*transposeTile*transposeTile + alignSlack[T]()
}

// transposeInPlace exchanges the pairs of tiles of worker w. Rows of tiles are
// dealt out in turn, since those further down have fewer pairs.
func (t *pass[T]) transposeInPlace(w, workers int) {
	const e = transposeTile
	buf := t.part[w*e*e : (w+1)*e*e]
	n, ld, p := t.a.Rows, t.a.Stride, unsafe.SliceData(t.a.Data)
	for i := w * e; i < n; i += workers * e {
		h := min(e, n-i)
		for j := i; j < n; j += e {
			v := min(e, n-j)
			upper, lower := offset(p, i*ld+j), offset(p, j*ld+i)
			t.k.TransTo(h, v, upper, ld, &buf[0], h) // v×h, what is to stand below
			if i != j {
				t.k.TransTo(v, h, lower, ld, upper, ld)
			}
			for r := range v {
				copy(t.a.Data[(j+r)*ld+i:][:h], buf[r*h:(r+1)*h])
			}
		}
	}
}
