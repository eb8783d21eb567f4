//go:build arm64 && !purego

package limits

import "github.com/precond-go/precond/internal/cpu"

//go:noescape
func fmaNEONF32(n int, x, y *float32)

//go:noescape
func fmaNEONF64(n int, x, y *float64)

//go:noescape
func readNEON(x, y *float64, n int)

//go:noescape
func updateNEON(x, y *float64, n int)

//go:noescape
func axpyNEON(x, y *float64, n int)

//go:noescape
func copyNEON(x, y *float64, n int)

//go:noescape
func writeNEON(x, y *float64, n int)

func native(isa string) *loops {
	if isa != cpu.NEON {
		return nil
	}
	return &loops{
		fma32: fmaNEONF32, flops32: 24 * 4 * 2,
		fma64: fmaNEONF64, flops64: 24 * 2 * 2,
		pass: [streams][]pass{
			Read:   {readNEON},
			Update: {updateNEON},
			Axpy:   {axpyNEON},
			Copy:   {copyNEON},
			Write:  {writeNEON},
		},
	}
}
