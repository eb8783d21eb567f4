package dense

import (
	"fmt"
	"math"
	"unsafe"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/internal/par"
)

// This file holds the reductions over vectors. All of them cut the vector into
// chunks of asm.Chunk elements, reduce each with a kernel in the lanes of package
// asm, and add the results in order; threads take whole chunks. They keep the
// results of chunks in a pooled buffer, and do not use Opts.Work.

// Dot returns the inner product Σ x_i·y_i of two vectors of one length.
//
// Cost: 2n flops. Accuracy: |error| ≤ (n/Lanes + 6 + n/Chunk)·ε·Σ|x_i·y_i| to
// first order, for n ≤ Chunk at most (Chunk/Lanes + 6)·ε·Σ|x_i·y_i|.
func Dot[T Float](x, y []T, o *Opts[T]) T {
	if len(x) != len(y) {
		badLengths("Dot", "x", len(x), "y", len(y))
	}
	if len(x) <= asm.Chunk {
		return asm.DotFew(asm.For[T](), x, y)
	}
	t := pass[T]{op: opDot, x: vectorRow(x), y: vectorRow(y)}
	return t.reduceVector(len(x), o)
}

// Sum returns Σ x_i.
func Sum[T Float](x []T, o *Opts[T]) T {
	if len(x) <= asm.Chunk {
		return asm.For[T]().Sum(x)
	}
	t := pass[T]{op: opSum, x: vectorRow(x)}
	return t.reduceVector(len(x), o)
}

// AbsSum returns Σ |x_i|, the 1-norm (BLAS's asum).
func AbsSum[T Float](x []T, o *Opts[T]) T {
	if len(x) <= asm.Chunk {
		return asm.For[T]().AbsSum(x)
	}
	t := pass[T]{op: opAbsSum, x: vectorRow(x)}
	return t.reduceVector(len(x), o)
}

// SumSq returns Σ x_i², which overflows and underflows where the squares do; it
// has the bits of Dot(x, x). Nrm2 is the safe one.
func SumSq[T Float](x []T, o *Opts[T]) T {
	if len(x) <= asm.Chunk {
		return asm.For[T]().SumSq(x)
	}
	t := pass[T]{op: opSumSq, x: vectorRow(x)}
	return t.reduceVector(len(x), o)
}

// MaxAbs returns max |x_i|, the infinity norm: 0 if x is empty, NaN if any
// element is NaN.
func MaxAbs[T Float](x []T, o *Opts[T]) T {
	if len(x) <= asm.Chunk {
		return asm.For[T]().MaxAbs(x)
	}
	t := pass[T]{op: opMaxAbs, x: vectorRow(x)}
	return t.reduceVector(len(x), o)
}

// IMaxAbs returns the first index of the largest |x_i|, −1 if x is empty. NaN is
// passed over, as a comparison with it is false; but nothing exceeds a NaN in
// front, so then it is 0. (That is BLAS's i?amax, counted from 0.) It uses one
// thread.
func IMaxAbs[T Float](x []T) int {
	k := asm.For[T]()
	if len(x) <= asm.Chunk {
		return k.IMaxAbs(x)
	}
	best, at := T(math.NaN()), 0
	for lo := 0; lo < len(x); {
		if lo > 0 && x[lo] != x[lo] {
			lo++ // a NaN that is not in front must not be in front of a part
			continue
		}
		hi := min(lo+asm.Chunk, len(x))
		i := lo + k.IMaxAbs(x[lo:hi])
		v := x[i]
		if v < 0 {
			v = -v
		}
		if lo == 0 || v > best {
			best, at = v, i
		}
		lo = hi
	}
	return at
}

// Nrm2 returns the Euclidean norm √Σ x_i². Neither overflow nor underflow of the
// squares harms it: where the plain sum of squares leaves the normal range, it
// sums again with the elements scaled by a power of two.
//
// Inf gives Inf and NaN gives NaN; both together give NaN.
// Accuracy: relative error ≤ (n/Lanes + 8 + n/Chunk)·ε/2 to first order, unless
// the norm itself is subnormal or overflows.
func Nrm2[T Float](x []T, o *Opts[T]) T {
	if len(x) <= asm.Chunk {
		if s := asm.For[T]().SumSq(x); normal(s) {
			return T(math.Sqrt(float64(s)))
		}
	}
	t := pass[T]{x: vectorRow(x), rows: 1, cols: len(x)}
	return t.norm2(o)
}

// badLengths panics over two vectors that should have the same length.
func badLengths(op, xname string, nx int, yname string, ny int) {
	panic(fmt.Sprintf("dense: %s: %s has %d elements, %s has %d", op, xname, nx, yname, ny))
}

// normal returns whether s ≥ 0 is finite and not subnormal (or zero). A sum of
// squares that is has lost nothing to underflow: each step is a fused
// multiply-add, so its rounding error is at most half a subnormal unit or ε/2 of
// its result, and both are within ε/2 of the sum.
func normal[T Float](s T) bool {
	if unsafe.Sizeof(s) == 4 {
		return float64(s) >= 0x1p-126 && float64(s) <= math.MaxFloat32
	}
	return float64(s) >= 0x1p-1022 && float64(s) <= math.MaxFloat64
}

// norm2 is Nrm2 over the elements of t.x.
func (t *pass[T]) norm2(o *Opts[T]) T {
	t.op = opSumSq
	s := t.reduce(o)
	if normal(s) || s != s {
		return T(math.Sqrt(float64(s)))
	}
	// Powers of two that bring any x whose square overflowed or underflowed, and
	// its square, into the normal range, with room for the sum.
	scale := 0x1p600
	if unsafe.Sizeof(s) == 4 {
		scale = 0x1p90
	}
	if s > 1 {
		scale = 1 / scale
	}
	t.op, t.alpha = opSumSqScaled, T(scale)
	root := T(math.Sqrt(float64(t.reduce(o))))
	return T(root * T(1/scale))
}

func (t *pass[T]) reduceVector(n int, o *Opts[T]) T {
	t.rows, t.cols = 1, n
	return t.reduce(o)
}

// reduce returns the reduction of the elements of t.x (and t.y), t.rows×t.cols, in
// row-major order, so that the result depends on no stride.
func (t *pass[T]) reduce(o *Opts[T]) T {
	t.k = asm.For[T]()
	n := t.rows * t.cols
	chunks := (n + asm.Chunk - 1) / asm.Chunk
	var s T
	threads := min(threadsFor(o, n), max(1, chunks))
	if threads == 1 {
		buf, pooled := t.gatherBuffer()
		for c := range chunks {
			s = t.combine(s, t.reduceChunk(c, buf))
		}
		release(pooled)
		return s
	}
	part, pooled := scratch[T](nil, "", chunks)
	t.part = part
	t.run(threads)
	for _, v := range part {
		s = t.combine(s, v)
	}
	release(pooled)
	return s
}

// combine adds the result v of the next chunk to the result s of those before,
// which is 0 at first.
func (t *pass[T]) combine(s, v T) T {
	if t.op == opMaxAbs {
		return larger(s, v)
	}
	return s + v
}

// larger returns the larger of s and v, NaN if either is.
func larger[T Float](s, v T) T {
	if v > s || v != v {
		return v
	}
	return s
}

// reduceChunks reduces the chunks of worker w into t.part.
func (t *pass[T]) reduceChunks(w, workers int) {
	buf, pooled := t.gatherBuffer()
	lo, hi := par.Range(len(t.part), workers, w, 1)
	for c := lo; c < hi; c++ {
		t.part[c] = t.reduceChunk(c, buf)
	}
	release(pooled)
}

// gatherBuffer returns what reduceChunk needs as its buffer.
func (t *pass[T]) gatherBuffer() ([]T, *buffer[T]) {
	if t.rows == 1 && t.op != opSumSqScaled {
		return nil, nil
	}
	return scratch[T](nil, "", asm.Chunk)
}

func (t *pass[T]) reduceChunk(c int, buf []T) T {
	lo := c * asm.Chunk
	hi := min(lo+asm.Chunk, t.rows*t.cols)
	x := t.gather(lo, hi, buf)
	switch t.op {
	case opDot:
		return t.k.Dot(x, t.y.data[lo:hi])
	case opSum:
		return t.k.Sum(x)
	case opAbsSum:
		return t.k.AbsSum(x)
	case opSumSq:
		return t.k.SumSq(x)
	case opSumSqScaled:
		buf = buf[:len(x)]
		t.k.ScalTo(t.alpha, x, buf)
		return t.k.SumSq(buf)
	default:
		return t.k.MaxAbs(x)
	}
}

// gather returns elements lo to hi of t.x in row-major order, in place if they
// are contiguous, else in buf.
func (t *pass[T]) gather(lo, hi int, buf []T) []T {
	if t.rows == 1 {
		return t.x.data[lo:hi]
	}
	got := buf[:0]
	for i, j := lo/t.cols, lo%t.cols; lo < hi; i, j = i+1, 0 {
		end := min(t.cols, j+hi-lo)
		got = append(got, t.x.at(i, j, end)...)
		lo += end - j
	}
	return got
}
