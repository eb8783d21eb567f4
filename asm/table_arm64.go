//go:build arm64 && !purego

package asm

import "github.com/precond-go/precond/internal/cpu"

// overlay replaces the entries of t that the instruction set has kernels for.
func overlay(t *tables, isa string) {
	switch isa {
	case cpu.Generic:
		generic(t)
	case cpu.NEON:
		f, d := &t.f32, &t.f64
		f.MR, f.NR, f.Gemm = neonMR, neonNR32, gemmNEON32
		d.MR, d.NR, d.Gemm = neonMR, neonNR64, gemmNEON64
	}
}
