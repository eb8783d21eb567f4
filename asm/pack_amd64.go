//go:build amd64 && !purego

package asm

//go:generate go run -C gen . -family pack -isa avx2 -out ../pack_avx2_amd64.s -stubs ../pack_avx2_amd64.go -pkg asm
//go:generate go run -C gen . -family pack -isa avx512 -out ../pack_avx512_amd64.s -stubs ../pack_avx512_amd64.go -pkg asm

// packUpTo returns Kernels.Pack made of a kernel for panels of at most limit
// columns and the generic twin for wider ones.
func packUpTo[T Float](limit int, narrow func(k, n, w int, src *T, ld int, dst *T)) func(k, n, w int, src *T, ld int, dst *T) {
	return func(k, n, w int, src *T, ld int, dst *T) {
		if w <= limit {
			narrow(k, n, w, src, ld, dst)
		} else {
			pack(k, n, w, src, ld, dst)
		}
	}
}
