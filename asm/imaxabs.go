//go:build (amd64 || arm64) && !purego

package asm

// iMaxAbsBy returns Kernels.IMaxAbs made of two kernels: maxNum returns the
// largest |x[i]| that is not NaN, 0 if there is none, and indexAbs the first i
// with |x[i]| = v. The block with the maximum is searched while it is in cache.
func iMaxAbsBy[T Float](maxNum func(x []T) T, indexAbs func(x []T, v T) int) func(x []T) int {
	const block = 4096
	return func(x []T) int {
		if len(x) == 0 || isNaN(x[0]) {
			return min(len(x), 1) - 1
		}
		at, m := 0, T(-1)
		for i := 0; i < len(x); i += block {
			if a := maxNum(x[i:min(i+block, len(x))]); a > m {
				at, m = i, a
			}
		}
		return at + indexAbs(x[at:], m)
	}
}
