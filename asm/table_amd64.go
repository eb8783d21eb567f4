//go:build amd64 && !purego

package asm

import "github.com/precond-go/precond/internal/cpu"

// overlay replaces the entries of t that the instruction set has kernels for.
func overlay(t *tables, isa string) {
	switch isa {
	case cpu.Generic:
		generic(t)
	case cpu.AVX2:
		t.f32.MR, t.f32.NR, t.f32.Gemm = 6, 16, gemmAVX2F32
		t.f64.MR, t.f64.NR, t.f64.Gemm = 6, 8, gemmAVX2F64
	case cpu.AVX512:
		t.f32.MR, t.f32.NR, t.f32.Gemm = 14, 32, gemmAVX512F32
		t.f64.MR, t.f64.NR, t.f64.Gemm = 14, 16, gemmAVX512F64
	}
}
