//go:build !purego

package asm

// The elementary functions and the conversions of bfloat16 for NEON; see the
// generic twins.

//go:noescape
func expNEONF32(x, dst []float32)

//go:noescape
func logNEONF32(x, dst []float32)

//go:noescape
func tanhNEONF32(x, dst []float32)

//go:noescape
func sigmoidNEONF32(x, dst []float32)

//go:noescape
func expNEONF64(x, dst []float64)

//go:noescape
func logNEONF64(x, dst []float64)

//go:noescape
func tanhNEONF64(x, dst []float64)

//go:noescape
func sigmoidNEONF64(x, dst []float64)

//go:noescape
func toBF16NEON(x []float32, dst []uint16)

//go:noescape
func fromBF16NEON(x []uint16, dst []float32)
