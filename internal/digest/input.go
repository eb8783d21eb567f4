package digest

import (
	"math"
	"unsafe"

	"github.com/precond-go/precond/dense"
)

// mix is the output function of SplitMix64 (Steele, Lea, Flood 2014), a
// bijection of 64-bit words.
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// word returns word i of a stream: a counter-based generator, since it is a
// function of the key and the index alone.
func word(stream, i uint64) uint64 {
	return mix(mix(stream) + i*0x9e3779b97f4a7c15)
}

// streamOf returns the stream of a name (FNV-1a), so that the inputs of an
// operation do not depend on which others there are.
func streamOf(name string) uint64 {
	h := uint64(0xcbf29ce484222325)
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 0x100000001b3
	}
	return h
}

// class is a distribution of input values.
type class int

const (
	plain class = iota // magnitudes 2⁻⁶ to 2⁷, random mantissas
	small              // magnitudes 2⁻¹² to 2⁻⁶
	wide               // all finite values, subnormals and zeros among them
	hard               // plain, and one value in eight from the list of special ones
)

// special returns the values where operations go wrong, for the element type.
func special[T dense.Float]() []T {
	f := func(exp int, mantissa uint64) T { return assemble[T](false, exp, mantissa) }
	ones := ^uint64(0)
	s := []T{
		0, 1, T(math.Inf(1)),
		f(-bias[T](), ones), f(1-bias[T](), 0), // the largest subnormal, the least normal
		f(-bias[T](), 1<<(64-mantissaBits[T]())), // the least subnormal
		f(bias[T](), ones), f(bias[T](), 0),      // the largest finite value, its binade
		f(-1, ones), f(mantissaBits[T](), 0), // below one, first without fraction bits
	}
	for _, v := range s[:len(s):len(s)] {
		s = append(s, -v)
	}
	return append(s, T(math.NaN()))
}

// bias and mantissaBits describe the binary format of the element type.
func bias[T dense.Float]() int {
	if unsafe.Sizeof(T(0)) == 4 {
		return 127
	}
	return 1023
}

func mantissaBits[T dense.Float]() int {
	if unsafe.Sizeof(T(0)) == 4 {
		return 23
	}
	return 52
}

// assemble returns the value with the given sign, unbiased exponent (−bias for
// subnormals) and mantissa, of which it takes the high bits.
func assemble[T dense.Float](negative bool, exp int, mantissa uint64) T {
	e := uint64(exp + bias[T]())
	m := mantissa >> (64 - mantissaBits[T]())
	b := e<<mantissaBits[T]() | m
	if unsafe.Sizeof(T(0)) == 4 {
		if negative {
			b |= 1 << 31
		}
		return T(math.Float32frombits(uint32(b)))
	}
	if negative {
		b |= 1 << 63
	}
	return T(math.Float64frombits(b))
}

// value returns value i of a stream.
func value[T dense.Float](c class, stream, i uint64) T {
	w := word(stream, i)
	negative := w&1 != 0
	pick := w >> 1 & 0x7ff // eleven bits, apart from those that the mantissa takes
	mantissa := mix(w)
	switch {
	case c == wide:
		return assemble[T](negative, int(pick)%(2*bias[T]()+1)-bias[T](), mantissa)
	case c == hard && pick%8 == 0:
		s := special[T]()
		return s[mantissa%uint64(len(s))]
	}
	exp := int(pick>>3)%13 - 6
	if c == small {
		exp = int(pick>>3)%6 - 12
	}
	return assemble[T](negative, exp, mantissa)
}

// vec returns n values of a class; every call takes another stream.
func (e *env[T]) vec(c class, n int) []T {
	e.stream = mix(e.stream + 1)
	x := make([]T, n)
	for i := range x {
		x[i] = value[T](c, e.stream, uint64(i))
	}
	return x
}

// mat returns a rows×cols matrix of values of a class, with the given number
// of elements between the end of a row and the beginning of the next.
func (e *env[T]) mat(c class, rows, cols, gap int) dense.Matrix[T] {
	stride := max(1, cols+gap)
	return dense.Matrix[T]{Rows: rows, Cols: cols, Stride: stride, Data: e.vec(c, rows*stride)}
}

// putMat hashes everything that lies in m's slice, so also what lies between
// the rows and must not have changed.
func (e *env[T]) putMat(m dense.Matrix[T]) { e.put(m.Data...) }
