package dense

import (
	"fmt"
	"math/bits"
	"unsafe"

	"gonum.org/v1/gonum/blas"
)

// check panics unless m is a valid matrix: name is its name in the messages of
// operation op.
func (m *Matrix[T]) check(op, name string) {
	if !m.valid() {
		m.checkSlow(op, name)
	}
}

// valid returns whether m is a valid matrix that is not empty.
func (m *Matrix[T]) valid() bool {
	hi, before := bits.Mul64(uint64(m.Rows-1), uint64(m.Stride)) // elements before the last row; hi if they are too many for an int
	return m.Rows > 0 && m.Cols > 0 && m.Stride >= m.Cols && len(m.Data) >= m.Cols && hi == 0 && before <= uint64(len(m.Data)-m.Cols)
}

// Overlap returns whether two matrices share an element. Blocks of one matrix may lie
// between each other without doing so.
func Overlap[T Float](a, b Matrix[T]) bool { return !disjoint(&a, &b) && !separate(&a, &b) }

// disjoint returns whether the slices of two matrices are disjoint. If they are
// not, the matrices may still be.
func disjoint[T Float](c, a *Matrix[T]) bool {
	c0 := uintptr(unsafe.Pointer(unsafe.SliceData(c.Data)))
	a0 := uintptr(unsafe.Pointer(unsafe.SliceData(a.Data)))
	size := unsafe.Sizeof(T(0))
	return c0+uintptr(len(c.Data))*size <= a0 || a0+uintptr(len(a.Data))*size <= c0
}

func (m *Matrix[T]) checkSlow(op, name string) {
	switch {
	case m.Rows < 0 || m.Cols < 0:
		panic(fmt.Sprintf("dense: %s: %s has negative shape %dx%d", op, name, m.Rows, m.Cols))
	case m.Rows == 0 || m.Cols == 0:
	case m.Stride < m.Cols:
		panic(fmt.Sprintf("dense: %s: %s is %dx%d with stride %d", op, name, m.Rows, m.Cols, m.Stride))
	default:
		panic(fmt.Sprintf("dense: %s: %s is %dx%d with stride %d in a slice of %d", op, name, m.Rows, m.Cols, m.Stride, len(m.Data)))
	}
}

// known returns whether t is one of the constants.
func known(t blas.Transpose) bool {
	return t == blas.NoTrans || t == blas.Trans || t == blas.ConjTrans
}

// transposed returns whether t asks for a transpose; it panics if t is unknown.
func transposed(op string, t blas.Transpose) bool {
	switch t {
	case blas.NoTrans:
		return false
	case blas.Trans, blas.ConjTrans:
		return true
	}
	panic(fmt.Sprintf("dense: %s: unknown transpose %q", op, rune(t)))
}

// lower returns whether u is the lower triangle; it panics if u is unknown.
func lower(op string, u blas.Uplo) bool {
	switch u {
	case blas.Lower:
		return true
	case blas.Upper:
		return false
	}
	panic(fmt.Sprintf("dense: %s: unknown triangle %q", op, rune(u)))
}

// left returns whether s is the left side; it panics if s is unknown.
func left(op string, s blas.Side) bool {
	switch s {
	case blas.Left:
		return true
	case blas.Right:
		return false
	}
	panic(fmt.Sprintf("dense: %s: unknown side %q", op, rune(s)))
}

// unit returns whether d is a unit diagonal; it panics if d is unknown.
func unit(op string, d blas.Diag) bool {
	switch d {
	case blas.Unit:
		return true
	case blas.NonUnit:
		return false
	}
	panic(fmt.Sprintf("dense: %s: unknown diagonal %q", op, rune(d)))
}

// checkApart panics if the elements of the output c and the input a overlap.
func checkApart[T Float](op string, c *Matrix[T], cname string, a *Matrix[T], aname string) {
	if disjoint(c, a) || separate(c, a) {
		return
	}
	panic(fmt.Sprintf("dense: %s: %s overlaps %s", op, cname, aname))
}

// separate returns whether two valid matrices share no element.
func separate[T Float](c, a *Matrix[T]) bool {
	if c.Rows == 0 || c.Cols == 0 || a.Rows == 0 || a.Cols == 0 {
		return true
	}
	c0 := uintptr(unsafe.Pointer(unsafe.SliceData(c.Data)))
	a0 := uintptr(unsafe.Pointer(unsafe.SliceData(a.Data)))
	size := unsafe.Sizeof(T(0))
	c1 := c0 + uintptr((c.Rows-1)*c.Stride+c.Cols)*size
	a1 := a0 + uintptr((a.Rows-1)*a.Stride+a.Cols)*size
	return c1 <= a0 || a1 <= c0 || !overlap(c, a, (int(a0)-int(c0))/int(size))
}

// overlap returns whether two matrices in one stretch of memory share an
// element; d is the offset of a's first element from c's. Rectangles in one parent
// matrix interleave without overlapping.
func overlap[T Float](c, a *Matrix[T], d int) bool {
	if c.Stride == a.Stride {
		// Row i of a begins in row i+r of c, column q, and may end in the next.
		r := d / c.Stride
		if d < r*c.Stride {
			r--
		}
		q := d - r*c.Stride
		return q < c.Cols && r < c.Rows && r+a.Rows > 0 ||
			q+a.Cols > c.Stride && r+1 < c.Rows && r+1+a.Rows > 0
	}
	for i := range a.Rows {
		lo := d + i*a.Stride // row i of a is [lo, lo+a.Cols) in units of c
		hi := lo + a.Cols
		// rows r of c with r·Stride < hi and r·Stride + Cols > lo
		r := 0
		if lo-c.Cols >= 0 {
			r = (lo-c.Cols)/c.Stride + 1
		}
		if r < c.Rows && r*c.Stride < hi {
			return true
		}
	}
	return false
}
