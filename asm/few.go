package asm

import (
	"math"
	"unsafe"
)

// This file holds what stands in for kernels on vectors of a few elements, with the
// same bits: there, a call of a kernel takes longer than the work.

// dotFew and axpyFew are the numbers of elements up to which DotFew and AxpyFew do
// without a kernel.
const (
	dotFew  = 8
	axpyFew = 8
)

// DotFew is k.Dot, also for short vectors.
//
// Elements up to half of the lanes are alone in theirs. Such a lane is fma(x, y, +0),
// which is x·y but for the sign of zero; the lanes without elements are +0. So what
// is left of the tree that adds up the lanes is the sum below, and as a sum is −0
// only if all of its terms are, adding +0 once, at the end, does for all lanes.
func DotFew[T Float](k *Kernels[T], x, y []T) T {
	y = y[:len(x)]
	switch len(x) {
	case 0:
		return 0
	case 1:
		return T(x[0]*y[0]) + 0
	case 2:
		return (T(x[0]*y[0]) + T(x[1]*y[1])) + 0
	case 3:
		return ((T(x[0]*y[0]) + T(x[2]*y[2])) + T(x[1]*y[1])) + 0
	case 4:
		return ((T(x[0]*y[0]) + T(x[2]*y[2])) + (T(x[1]*y[1]) + T(x[3]*y[3]))) + 0
	case 5:
		return (((T(x[0]*y[0]) + T(x[4]*y[4])) + T(x[2]*y[2])) + (T(x[1]*y[1]) + T(x[3]*y[3]))) + 0
	case 6:
		return (((T(x[0]*y[0]) + T(x[4]*y[4])) + T(x[2]*y[2])) + ((T(x[1]*y[1]) + T(x[5]*y[5])) + T(x[3]*y[3]))) + 0
	case 7:
		return (((T(x[0]*y[0]) + T(x[4]*y[4])) + (T(x[2]*y[2]) + T(x[6]*y[6]))) + ((T(x[1]*y[1]) + T(x[5]*y[5])) + T(x[3]*y[3]))) + 0
	case 8:
		return (((T(x[0]*y[0]) + T(x[4]*y[4])) + (T(x[2]*y[2]) + T(x[6]*y[6]))) + ((T(x[1]*y[1]) + T(x[5]*y[5])) + (T(x[3]*y[3]) + T(x[7]*y[7])))) + 0
	}
	return k.Dot(x, y)
}

// rowDot is k.Dot for a row of a triangle, where y may have been stored right before
// in pieces other than a kernel loads: so a loop pays up to twice dotFew elements.
func rowDot[T Float](k *Kernels[T], x, y []T) T {
	if dotFew < len(x) && len(x) <= 2*dotFew {
		return dotTwice(x, y)
	}
	return DotFew(k, x, y)
}

// dotTwice is Kernels.Dot for more than dotFew elements, but at most twice as many.
func dotTwice[T Float](x, y []T) T {
	y = y[:len(x)]
	var p [dotFew]T
	for i, v := range x[:dotFew] {
		p[i] = T(v * y[i])
	}
	for i, v := range x[dotFew:] {
		p[i&(dotFew-1)] += T(v * y[dotFew+i])
	}
	return (((p[0] + p[4]) + (p[2] + p[6])) + ((p[1] + p[5]) + (p[3] + p[7]))) + 0
}

// AxpyFew is k.Axpy. A loop pays for a few float64 in rows of triangles, one after the
// other: the next row loads what the last one has stored, which takes long unless it
// is loaded in the same pieces.
func AxpyFew[T Float](k *Kernels[T], alpha T, x, y []T) {
	if is32[T]() || len(x) > axpyFew {
		k.Axpy(alpha, x, y)
		return
	}
	axpy64(float64(alpha), as64(x), as64(y))
}

func axpy64(alpha float64, x, y []float64) {
	y = y[:len(x)]
	for i, v := range x {
		y[i] = math.FMA(alpha, v, y[i])
	}
}

// as64 returns x, whose elements are float64.
func as64[T Float](x []T) []float64 {
	return unsafe.Slice((*float64)(unsafe.Pointer(unsafe.SliceData(x))), len(x))
}
