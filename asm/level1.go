package asm

// This file holds the generic twins of the level-1 kernels of Kernels, which
// define what every instruction set returns. Vectors are contiguous (callers
// gather strided ones), the first has the number of elements as its length, and
// where there is a dst it may be the same slice as any operand.
//
// Callers cut vectors into chunks of at most [Chunk] elements, since a kernel
// cannot be preempted; where a reduction runs over more than one chunk, the
// order of combining the results is the caller's contract.

// Chunk is the number of elements that callers pass to one call of a level-1
// kernel at most: some microseconds from cache, about 20 from memory.
const Chunk = 1 << 15

// maxLanes is the larger of Lanes[float32] and Lanes[float64].
const maxLanes = 64

// fold adds up the lanes of a reduction: lane l takes lane l+h for h = half of
// the lanes, a quarter, …, 1.
func fold[T Float](acc []T) T {
	for h := len(acc) / 2; h > 0; h /= 2 {
		for l := range h {
			acc[l] += acc[l+h]
		}
	}
	return acc[0]
}

// dot is the generic twin of Kernels.Dot.
//
// Order: lane i mod Lanes takes fma(x[i], y[i], lane), i increasing; then fold.
func dot[T Float](x, y []T) T {
	var lanes [maxLanes]T
	acc := lanes[:Lanes[T]()]
	y = y[:len(x)]
	for len(x) > len(acc) {
		for l := range acc {
			acc[l] = fma(x[l], y[l], acc[l])
		}
		x, y = x[len(acc):], y[len(acc):]
	}
	for l := range x {
		acc[l] = fma(x[l], y[l], acc[l])
	}
	return fold(acc)
}

// sum is the generic twin of Kernels.Sum.
//
// Order: lane i mod Lanes takes lane + x[i], i increasing; then fold.
func sum[T Float](x []T) T {
	var lanes [maxLanes]T
	acc := lanes[:Lanes[T]()]
	for len(x) > len(acc) {
		for l := range acc {
			acc[l] += x[l]
		}
		x = x[len(acc):]
	}
	for l := range x {
		acc[l] += x[l]
	}
	return fold(acc)
}

// absSum is the generic twin of Kernels.AbsSum: sum of |x|, in the same order.
func absSum[T Float](x []T) T {
	var lanes [maxLanes]T
	acc := lanes[:Lanes[T]()]
	for len(x) > len(acc) {
		for l := range acc {
			acc[l] += abs(x[l])
		}
		x = x[len(acc):]
	}
	for l := range x {
		acc[l] += abs(x[l])
	}
	return fold(acc)
}

// sumSq is the generic twin of Kernels.SumSq: the bits of dot(x, x).
func sumSq[T Float](x []T) T { return dot(x, x) }

// maxAbs is the generic twin of Kernels.MaxAbs: the largest |x[i]|, 0 if there is
// none, NaN if any element is NaN.
func maxAbs[T Float](x []T) T {
	var m T
	for _, v := range x {
		if a := abs(v); a > m || isNaN(a) {
			m = a
		}
	}
	return m
}

// iMaxAbs is the generic twin of Kernels.IMaxAbs. It is BLAS's i?amax as gonum
// has it, counted from zero: the first index whose |x[i]| is not exceeded, −1 if
// x is empty. As a comparison with NaN is false, NaN is passed over, except that
// nothing exceeds a NaN in front: then the index is 0.
func iMaxAbs[T Float](x []T) int {
	if len(x) == 0 {
		return -1
	}
	k, m := 0, abs(x[0])
	for i, v := range x {
		if a := abs(v); a > m {
			k, m = i, a
		}
	}
	return k
}

// axpy is the generic twin of Kernels.Axpy: y = fma(alpha, x, y).
func axpy[T Float](alpha T, x, y []T) {
	y = y[:len(x)]
	for i, v := range x {
		y[i] = fma(alpha, v, y[i])
	}
}

// axpby is the generic twin of Kernels.Axpby: y = fma(alpha, x, T(beta·y)).
func axpby[T Float](alpha T, x []T, beta T, y []T) {
	y = y[:len(x)]
	for i, v := range x {
		y[i] = fma(alpha, v, T(beta*y[i]))
	}
}

// scal is the generic twin of Kernels.Scal: x = alpha·x.
func scal[T Float](alpha T, x []T) {
	for i, v := range x {
		x[i] = T(alpha * v)
	}
}

// scalTo is the generic twin of Kernels.ScalTo: dst = alpha·x.
func scalTo[T Float](alpha T, x, dst []T) {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] = T(alpha * v)
	}
}

// swap is the generic twin of Kernels.Swap: x and y change places.
func swap[T Float](x, y []T) {
	y = y[:len(x)]
	for i, v := range x {
		x[i], y[i] = y[i], v
	}
}

// rot is the generic twin of Kernels.Rot, the plane rotation of BLAS's ?rot:
//
//	x, y = fma(c, x, T(s·y)), fma(c, y, −T(s·x))
func rot[T Float](c, s T, x, y []T) {
	y = y[:len(x)]
	for i, v := range x {
		w := y[i]
		x[i] = fma(c, v, T(s*w))
		y[i] = fma(c, w, -T(s*v))
	}
}

// addTo is the generic twin of Kernels.AddTo: dst = x + y.
func addTo[T Float](x, y, dst []T) {
	y, dst = y[:len(x)], dst[:len(x)]
	for i, v := range x {
		dst[i] = v + y[i]
	}
}

// subTo is the generic twin of Kernels.SubTo: dst = x − y.
func subTo[T Float](x, y, dst []T) {
	y, dst = y[:len(x)], dst[:len(x)]
	for i, v := range x {
		dst[i] = v - y[i]
	}
}

// mulTo is the generic twin of Kernels.MulTo: dst = x·y, the Hadamard product.
func mulTo[T Float](x, y, dst []T) {
	y, dst = y[:len(x)], dst[:len(x)]
	for i, v := range x {
		dst[i] = T(v * y[i])
	}
}

// divTo is the generic twin of Kernels.DivTo: dst = x / y.
func divTo[T Float](x, y, dst []T) {
	y, dst = y[:len(x)], dst[:len(x)]
	for i, v := range x {
		dst[i] = v / y[i]
	}
}

// mulAdd is the generic twin of Kernels.MulAdd: z = fma(x, y, z). x and y may be
// the same slice: that accumulates squares, as AdaGrad does.
func mulAdd[T Float](x, y, z []T) {
	y, z = y[:len(x)], z[:len(x)]
	for i, v := range x {
		z[i] = fma(v, y[i], z[i])
	}
}

// sqrtTo is the generic twin of Kernels.SqrtTo: dst = √x, correctly rounded.
func sqrtTo[T Float](x, dst []T) {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] = sqrt(v)
	}
}
