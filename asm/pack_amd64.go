//go:build amd64 && !purego

package asm

//go:generate go run -C gen . -family pack -isa avx2 -out ../pack_avx2_amd64.s -stubs ../pack_avx2_amd64.go -pkg asm
//go:generate go run -C gen . -family pack -isa avx512 -out ../pack_avx512_amd64.s -stubs ../pack_avx512_amd64.go -pkg asm

// band is the number of rows that are packed at once. All panels take their part
// of a band before the next, so that rows of the source are read in long pieces.
const band = 8

// packUpTo returns Kernels.Pack made of a kernel for bands of panels of at most
// limit columns and the generic twin for wider ones.
func packUpTo[T Float](limit int, narrow func(k, n, w int, src *T, ld int, dst *T, ps int)) func(k, n, w int, src *T, ld int, dst *T) {
	return func(k, n, w int, src *T, ld int, dst *T) {
		if w > limit {
			pack(k, n, w, src, ld, dst)
			return
		}
		for l := 0; l < k; l += band {
			narrow(min(band, k-l), n, w, at(src, l*ld), ld, at(dst, l*w), k*w)
		}
	}
}
