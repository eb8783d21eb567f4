//go:build amd64 && !purego

package asm

import "github.com/precond-go/precond/internal/cpu"

// overlay replaces the entries of t that the instruction set has kernels for.
func overlay(t *tables, isa string) {
	switch isa {
	case cpu.Generic:
		generic(t)
	case cpu.AVX2:
	case cpu.AVX512:
	}
}
