//go:build amd64 && !purego

package cpu

import "golang.org/x/sys/cpu"

// native lists the vector instruction sets of this processor, best first.
// AVX-512 counts only as the full subset that the kernels use, and on top of
// AVX2 with FMA, because its kernels overlay the AVX2 ones.
func native() []string {
	x := &cpu.X86
	avx2 := x.HasAVX2 && x.HasFMA
	avx512 := avx2 && x.HasAVX512F && x.HasAVX512DQ && x.HasAVX512BW && x.HasAVX512VL
	switch {
	case avx512:
		return []string{AVX512, AVX2}
	case avx2:
		return []string{AVX2}
	}
	return nil
}
