//go:build (!amd64 && !arm64) || purego

package asm

func overlay(t *tables, isa string) { generic(t) }
