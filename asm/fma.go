package asm

import "math"

// fma returns x·y + z with a single rounding, the same bits on every target.
func fma[T Float](x, y, z T) T {
	if is32[T]() {
		return T(fma32(float32(x), float32(y), float32(z)))
	}
	return T(math.FMA(float64(x), float64(y), float64(z)))
}

// FMA is fma for the packages above, for the few scalar steps outside of kernels.
func FMA[T Float](x, y, z T) T { return fma(x, y, z) }

// fma32 computes a float32 fused multiply-add through float64. The product is
// exact there (48 bits). The sum is rounded to 53 bits and then to 24, which
// goes wrong where the first rounding lands on a tie of the second. Rounding
// the sum to odd instead avoids that, for normal and subnormal results alike
// (Boldo and Melquiond 2008: two extra bits suffice, here are 29). It needs the
// error of the sum, which TwoSum (Knuth) gives exactly.
func fma32(x, y, z float32) float32 {
	p := float64(x) * float64(y) // exact, so fusing with the next line would not matter
	c := float64(z)
	s := p + c
	b := math.Float64bits(s)
	// A tie of the conversion to a normal float32 ends in 1 followed by 28
	// zeros. Most sums are neither that nor small, and then one more rounding
	// is harmless.
	if b&0x1fffffff != 0x10000000 && b&0x7fffffffffffffff > 0x3810000000000000 {
		return float32(s)
	}
	t := s - p
	e := (p - (s - t)) + (c - t)
	if (e > 0 || e < 0) && b&1 == 0 {
		if (e > 0) == (s > 0) {
			b++
		} else {
			b--
		}
		s = math.Float64frombits(b)
	}
	return float32(s)
}

// sqrt, abs and friends that are exact everywhere.

func sqrt[T Float](x T) T { return T(math.Sqrt(float64(x))) } // float32: exact, 53 ≥ 2·24+2

func abs[T Float](x T) T { return T(math.Abs(float64(x))) }

func isNaN[T Float](x T) bool { return x != x }
