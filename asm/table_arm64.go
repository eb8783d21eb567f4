//go:build arm64 && !purego

package asm

import "github.com/precond-go/precond/internal/cpu"

// overlay replaces the entries of t that the instruction set has kernels for.
func overlay(t *tables, isa string) {
	switch isa {
	case cpu.Generic:
		generic(t)
	case cpu.NEON:
		levelsNEON(t)
		f, d := &t.f32, &t.f64
		f.MR, f.NR, f.Gemm = neonMR, neonNR32, gemmNEONF32
		f.Pack, f.PackT, f.TransTo, f.CopyTo = packNEON[float32], packTBy(transToNEONF32), transToNEONF32, copyToNEON[float32]
		f.Trsm, f.Trmm = trsmNEON[float32], trmmNEON[float32]
		d.MR, d.NR, d.Gemm = neonMR, neonNR64, gemmNEONF64
		d.Pack, d.PackT, d.TransTo, d.CopyTo = packNEON[float64], packTBy(transToNEONF64), transToNEONF64, copyToNEON[float64]
		d.Trsm, d.Trmm = trsmNEON[float64], trmmNEON[float64]
	}
}
