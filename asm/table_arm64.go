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
		t.f32.GemvNT, t.f64.GemvNT = gemvNTBy(t.f32.DotAxpy), gemvNTBy(t.f64.DotAxpy)
		t.f32.ExpTo, t.f32.LogTo, t.f32.TanhTo, t.f32.SigmoidTo = expNEONF32, logNEONF32, tanhNEONF32, sigmoidNEONF32
		t.f64.ExpTo, t.f64.LogTo, t.f64.TanhTo, t.f64.SigmoidTo = expNEONF64, logNEONF64, tanhNEONF64, sigmoidNEONF64
		t.conv = Conversions{ToBF16: toBF16NEON, FromBF16: fromBF16NEON}
		f, d := &t.f32, &t.f64
		f.MR, f.NR, f.Gemm = neonMR, neonNR32, gemmNEONF32
		f.Pack, f.PackT, f.TransTo, f.CopyTo = packNEON[float32], packTBy(transToNEONF32), transToNEONF32, copyToNEON[float32]
		f.Trsm, f.Trmm = trsmNEON[float32], trmmNEON[float32]
		d.MR, d.NR, d.Gemm = neonMR, neonNR64, gemmNEONF64
		d.Pack, d.PackT, d.TransTo, d.CopyTo = packNEON[float64], packTBy(transToNEONF64), transToNEONF64, copyToNEON[float64]
		d.Trsm, d.Trmm = trsmNEON[float64], trmmNEON[float64]
	}
}
