//go:build arm64 && !purego

package cpu

// native lists the vector instruction sets. Advanced SIMD is part of every
// arm64 target that Go supports.
func native() []string { return []string{NEON} }
