//go:build amd64 && !purego

package asm

import "github.com/precond-go/precond/internal/cpu"

// overlay replaces the entries of t that the instruction set has kernels for.
func overlay(t *tables, isa string) {
	switch isa {
	case cpu.Generic:
		generic(t)
	case cpu.AVX2:
		levelsAVX2(t)
		elementaryAVX2(t)
		t.f32.CholMax, t.f32.Chol = 16, cholAVX2F32
		t.f32.CholLanes, t.f32.SolveLanes = cholLanesAVX2F32, solveLanesAVX2F32
		t.f64.CholMax, t.f64.Chol = 8, cholAVX2F64
		t.f64.CholLanes, t.f64.SolveLanes = cholLanesAVX2F64, solveLanesAVX2F64
		t.f32.Trsm, t.f32.Trmm = trsmAVX2F32, trmmAVX2F32
		t.f32.CopyTo = copyToAVX2F32
		t.f64.Trsm, t.f64.Trmm = trsmAVX2F64, trmmAVX2F64
		t.f64.CopyTo = copyToAVX2F64
		t.f32.MR, t.f32.NR, t.f32.Gemm = 6, 16, gemmAVX2F32
		t.f32.Pack, t.f32.PackT, t.f32.TransTo = packUpTo(16, packAVX2F32), packTBy(transToAVX2F32), transToAVX2F32
		t.f64.MR, t.f64.NR, t.f64.Gemm = 6, 8, gemmAVX2F64
		t.f64.Pack, t.f64.PackT, t.f64.TransTo = packUpTo(8, packAVX2F64), packTBy(transToAVX2F64), transToAVX2F64
	case cpu.AVX512:
		levelsAVX512(t)
		elementaryAVX512(t)
		t.f32.CholMax, t.f32.Chol = 48, cholAVX512F32
		t.f32.CholLanes, t.f32.SolveLanes = cholLanesAVX512F32, solveLanesAVX512F32
		t.f64.CholMax, t.f64.Chol = 24, cholAVX512F64
		t.f64.CholLanes, t.f64.SolveLanes = cholLanesAVX512F64, solveLanesAVX512F64
		t.f32.Trsm, t.f32.Trmm = trsmAVX512F32, trmmAVX512F32
		t.f32.CopyTo = copyToAVX512F32
		t.f64.Trsm, t.f64.Trmm = trsmAVX512F64, trmmAVX512F64
		t.f64.CopyTo = copyToAVX512F64
		t.f32.MR, t.f32.NR, t.f32.Gemm = 14, 32, gemmAVX512F32
		t.f32.Pack, t.f32.PackT, t.f32.TransTo = packUpTo(32, packAVX512F32), packTBy(transToAVX512F32), transToAVX512F32
		t.f64.MR, t.f64.NR, t.f64.Gemm = 14, 16, gemmAVX512F64
		t.f64.Pack, t.f64.PackT, t.f64.TransTo = packUpTo(16, packAVX512F64), packTBy(transToAVX512F64), transToAVX512F64
	}
}
