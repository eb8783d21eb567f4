package gonumblas

import (
	"unsafe"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/dense"
)

// Vectors with increments are gathered chunk by chunk and, where they are written,
// scattered back, so that they give the bits of the same elements in a row. A few
// elements that are only exchanged or scaled are a plain loop.

// inRow returns whether a vector of n elements is not empty, contiguous, and one
// that a kernel takes at once. What such vectors are passed to goes to the kernel
// directly, since a short one costs no more than two or three calls.
func inRow(n, length, inc int) bool { return inc == 1 && 0 < n && n <= min(length, asm.Chunk) }

// pair is two vectors with increments that are worked off in contiguous chunks.
type pair[T dense.Float] struct {
	b          *buffer[T]
	x, y       []T
	incX, incY int
	ix, iy     int // of the chunk
	left       int // elements that have not been taken
}

func pairOf[T dense.Float](n int, x []T, incX int, y []T, incY int) pair[T] {
	return pair[T]{borrow[T](2 * min(n, asm.Chunk)), x, y, incX, incY, first(n, incX), first(n, incY), n}
}

// take returns the next chunk of both vectors.
func (p *pair[T]) take() (x, y []T) {
	c := min(p.left, asm.Chunk)
	x, y = chunkOf(p.x, p.ix, p.incX, p.b.data[:c]), chunkOf(p.y, p.iy, p.incY, p.b.data[c:2*c])
	p.left -= c
	return x, y
}

func chunkOf[T dense.Float](x []T, i, inc int, buf []T) []T {
	if inc == 1 {
		return x[i : i+len(buf)]
	}
	gather(buf, x, i, inc)
	return buf
}

// next goes on to the next chunk.
func (p *pair[T]) next(c int) {
	p.ix += c * p.incX
	p.iy += c * p.incY
	if p.left == 0 {
		p.b.giveBack()
	}
}

func dot[T dense.Float](n int, x []T, incX int, y []T, incY int) T {
	if inRow(n, len(x), incX) && inRow(n, len(y), incY) {
		return asm.DotFew(asm.For[T](), x[:n], y[:n])
	}
	if !checkPair(n, len(x), incX, len(y), incY) {
		return 0
	}
	if incX == 1 && incY == 1 {
		return dense.Dot(x[:n], y[:n], nil)
	}
	k := asm.For[T]()
	var s T
	for p := pairOf(n, x, incX, y, incY); p.left > 0; {
		u, v := p.take()
		d := k.Dot(u, v)
		p.next(len(u))
		if n <= asm.Chunk {
			return d // not 0 + d, which loses the sign of −0
		}
		s += d
	}
	return s
}

// dotDouble is the inner product of single precision vectors in double precision,
// where every product is exact.
func dotDouble(n int, x []float32, incX int, y []float32, incY int) float64 {
	if !checkPair(n, len(x), incX, len(y), incY) {
		return 0
	}
	b := borrow[float64](2 * min(n, asm.Chunk))
	k := asm.For[float64]()
	var s float64
	ix, iy := first(n, incX), first(n, incY)
	for left := n; left > 0; {
		c := min(left, asm.Chunk)
		u, v := b.data[:c], b.data[c:2*c]
		for i := range u {
			u[i], v[i] = float64(x[ix]), float64(y[iy])
			ix += incX
			iy += incY
		}
		s += k.Dot(u, v)
		left -= c
	}
	b.giveBack()
	return s
}

func nrm2[T dense.Float](n int, x []T, incX int) T {
	must(incX != 0, zeroIncX)
	if incX < 0 {
		return 0
	}
	must(holds(len(x), n, incX), shortX)
	must(n >= 0, nLT0)
	if incX == 1 {
		return dense.Nrm2(x[:n], nil)
	}
	b := gathered(n, x, incX)
	s := dense.Nrm2(b.data[:n], nil)
	b.giveBack()
	return s
}

func asum[T dense.Float](n int, x []T, incX int) T {
	must(n >= 0, nLT0)
	must(incX != 0, zeroIncX)
	if incX < 0 {
		return 0
	}
	must(holds(len(x), n, incX), shortX)
	if incX == 1 {
		return dense.AbsSum(x[:n], nil)
	}
	b := gathered(n, x, incX)
	s := dense.AbsSum(b.data[:n], nil)
	b.giveBack()
	return s
}

func iamax[T dense.Float](n int, x []T, incX int) int {
	must(incX != 0, zeroIncX)
	if incX < 0 {
		return -1
	}
	must(holds(len(x), n, incX), shortX)
	must(n >= 0, nLT0)
	if incX == 1 {
		return dense.IMaxAbs(x[:n])
	}
	b := gathered(n, x, incX)
	i := dense.IMaxAbs(b.data[:n])
	b.giveBack()
	return i
}

// gathered returns a buffer that begins with the n elements of x.
func gathered[T dense.Float](n int, x []T, incX int) *buffer[T] {
	b := borrow[T](n)
	gather(b.data[:n], x, first(n, incX), incX)
	return b
}

func swap[T dense.Float](n int, x []T, incX int, y []T, incY int) {
	if !checkPair(n, len(x), incX, len(y), incY) {
		return
	}
	if incX == 1 && incY == 1 && disjoint(x[:n], y[:n]) {
		dense.Swap(x[:n], y[:n], nil)
		return
	}
	ix, iy := first(n, incX), first(n, incY)
	for range n {
		x[ix], y[iy] = y[iy], x[ix]
		ix += incX
		iy += incY
	}
}

func copyVector[T dense.Float](n int, x []T, incX int, y []T, incY int) {
	if !checkPair(n, len(x), incX, len(y), incY) {
		return
	}
	switch {
	case incX == 1 && incY == 1:
		copy(y[:n], x[:n])
	case incX == 1:
		scatter(x[:n], y, first(n, incY), incY)
	case incY == 1:
		gather(y[:n], x, first(n, incX), incX)
	default:
		ix, iy := first(n, incX), first(n, incY)
		for range n {
			y[iy] = x[ix]
			ix += incX
			iy += incY
		}
	}
}

func axpy[T dense.Float](n int, alpha T, x []T, incX int, y []T, incY int) {
	if inRow(n, len(x), incX) && inRow(n, len(y), incY) && alpha != 0 && (&x[0] == &y[0] || disjoint(x[:n], y[:n])) {
		asm.For[T]().Axpy(alpha, x[:n], y[:n])
		return
	}
	if !checkPair(n, len(x), incX, len(y), incY) || alpha == 0 {
		return
	}
	if incX == 1 && incY == 1 && (&x[0] == &y[0] || disjoint(x[:n], y[:n])) {
		dense.Axpy(alpha, x[:n], y[:n], nil)
		return
	}
	if incX == 1 && incY == 1 { // they overlap
		for i, v := range x[:n] {
			y[i] = asm.FMA(alpha, v, y[i])
		}
		return
	}
	k := asm.For[T]()
	for p := pairOf(n, x, incX, y, incY); p.left > 0; {
		u, v := p.take()
		k.Axpy(alpha, u, v)
		if incY != 1 {
			scatter(v, y, p.iy, incY)
		}
		p.next(len(u))
	}
}

func scal[T dense.Float](n int, alpha T, x []T, incX int) {
	if inRow(n, len(x), incX) && alpha != 0 {
		asm.For[T]().Scal(alpha, x[:n])
		return
	}
	must(incX != 0, zeroIncX)
	if incX < 0 {
		return
	}
	must(n >= 0, nLT0)
	if n == 0 {
		return
	}
	must(holds(len(x), n, incX), shortX)
	switch {
	case incX == 1 && alpha == 0: // as gonum: NaN and Inf are cleared
		clear(x[:n])
	case incX == 1:
		dense.Scal(alpha, x[:n], nil)
	case alpha == 0:
		for i := 0; i < n*incX; i += incX {
			x[i] = 0
		}
	default:
		for i := 0; i < n*incX; i += incX {
			x[i] = T(alpha * x[i])
		}
	}
}

func rot[T dense.Float](n int, x []T, incX int, y []T, incY int, c, s T) {
	if inRow(n, len(x), incX) && inRow(n, len(y), incY) && disjoint(x[:n], y[:n]) {
		asm.For[T]().Rot(c, s, x[:n], y[:n])
		return
	}
	if !checkPair(n, len(x), incX, len(y), incY) {
		return
	}
	if incX == 1 && incY == 1 && disjoint(x[:n], y[:n]) {
		dense.Rot(c, s, x[:n], y[:n], nil)
		return
	}
	if incX == 1 && incY == 1 { // they overlap
		for i := range n {
			u, v := x[i], y[i]
			x[i] = asm.FMA(c, u, T(s*v))
			y[i] = asm.FMA(c, v, -T(s*u))
		}
		return
	}
	k := asm.For[T]()
	for p := pairOf(n, x, incX, y, incY); p.left > 0; {
		u, v := p.take()
		k.Rot(c, s, u, v)
		if incX != 1 {
			scatter(u, x, p.ix, incX)
		}
		if incY != 1 {
			scatter(v, y, p.iy, incY)
		}
		p.next(len(u))
	}
}

// disjoint returns whether x and y, which are not empty, share no element.
func disjoint[T dense.Float](x, y []T) bool {
	x0, y0 := uintptr(unsafe.Pointer(&x[0])), uintptr(unsafe.Pointer(&y[0]))
	size := unsafe.Sizeof(x[0])
	return x0+uintptr(len(x))*size <= y0 || y0+uintptr(len(y))*size <= x0
}
