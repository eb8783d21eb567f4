//go:build amd64 && !purego

package limits

import "github.com/precond-go/precond/internal/cpu"

//go:noescape
func fmaAVX512F32(n int, x, y *float32)

//go:noescape
func fmaAVX512F64(n int, x, y *float64)

//go:noescape
func fmaAVX2F32(n int, x, y *float32)

//go:noescape
func fmaAVX2F64(n int, x, y *float64)

//go:noescape
func readAVX512(x, y *float64, n int)

//go:noescape
func read2AVX512(x, y *float64, n int)

//go:noescape
func updateAVX512(x, y *float64, n int)

//go:noescape
func axpyAVX512(x, y *float64, n int)

//go:noescape
func copyAVX512(x, y *float64, n int)

//go:noescape
func copyPastAVX512(x, y *float64, n int)

//go:noescape
func writeAVX512(x, y *float64, n int)

//go:noescape
func writePastAVX512(x, y *float64, n int)

//go:noescape
func readAVX2(x, y *float64, n int)

//go:noescape
func read2AVX2(x, y *float64, n int)

//go:noescape
func updateAVX2(x, y *float64, n int)

//go:noescape
func axpyAVX2(x, y *float64, n int)

//go:noescape
func copyAVX2(x, y *float64, n int)

//go:noescape
func copyPastAVX2(x, y *float64, n int)

//go:noescape
func writeAVX2(x, y *float64, n int)

//go:noescape
func writePastAVX2(x, y *float64, n int)

func native(isa string) *loops {
	switch isa {
	case cpu.AVX512:
		return &loops{
			fma32: fmaAVX512F32, flops32: 12 * 16 * 2,
			fma64: fmaAVX512F64, flops64: 12 * 8 * 2,
			pass: [streams][]pass{
				Read:   {readAVX512, read2AVX512},
				Update: {updateAVX512},
				Axpy:   {axpyAVX512},
				Copy:   {copyAVX512, copyPastAVX512},
				Write:  {writeAVX512, writePastAVX512},
			},
		}
	case cpu.AVX2:
		return &loops{
			fma32: fmaAVX2F32, flops32: 12 * 8 * 2,
			fma64: fmaAVX2F64, flops64: 12 * 4 * 2,
			pass: [streams][]pass{
				Read:   {readAVX2, read2AVX2},
				Update: {updateAVX2},
				Axpy:   {axpyAVX2},
				Copy:   {copyAVX2, copyPastAVX2},
				Write:  {writeAVX2, writePastAVX2},
			},
		}
	}
	return nil
}
