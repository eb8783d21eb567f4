//go:build !purego

package asm

// The kernels of levels 1 and 2 and the fused updates for NEON; see the generic
// twins of the same names.

//go:noescape
func dotNEONF32(x, y []float32) float32

//go:noescape
func sumNEONF32(x []float32) float32

//go:noescape
func absSumNEONF32(x []float32) float32

//go:noescape
func sumSqNEONF32(x []float32) float32

//go:noescape
func maxAbsNEONF32(x []float32) float32

//go:noescape
func maxNumNEONF32(x []float32) float32

//go:noescape
func indexAbsNEONF32(x []float32, v float32) int

//go:noescape
func axpyNEONF32(alpha float32, x, y []float32)

//go:noescape
func axpbyNEONF32(alpha float32, x []float32, beta float32, y []float32)

//go:noescape
func scalNEONF32(alpha float32, x []float32)

//go:noescape
func scalToNEONF32(alpha float32, x, dst []float32)

//go:noescape
func swapNEONF32(x, y []float32)

//go:noescape
func rotNEONF32(c, s float32, x, y []float32)

//go:noescape
func addToNEONF32(x, y, dst []float32)

//go:noescape
func subToNEONF32(x, y, dst []float32)

//go:noescape
func mulToNEONF32(x, y, dst []float32)

//go:noescape
func divToNEONF32(x, y, dst []float32)

//go:noescape
func mulAddNEONF32(x, y, z []float32)

//go:noescape
func sqrtToNEONF32(x, dst []float32)

//go:noescape
func sqrtDivToNEONF32(eps float32, x, v, dst []float32)

//go:noescape
func emaNEONF32(beta float32, x, y []float32)

//go:noescape
func emaSqNEONF32(beta float32, x, y []float32)

//go:noescape
func momentumNEONF32(h *[MomentumLen]float32, g, m, p []float32)

//go:noescape
func adamNEONF32(h *[AdamLen]float32, g, m, v, p []float32)

//go:noescape
func adaMaxNEONF32(h *[AdamLen]float32, g, m, v, p []float32)

//go:noescape
func gemvNNEONF32(m, n int, alpha float32, a []float32, lda int, x, y []float32)

//go:noescape
func axpyFourNEONF32(n int, t *[4]float32, a *float32, lda int, y *float32)

//go:noescape
func dotAxpyNEONF32(t float32, a, x, y []float32) float32

//go:noescape
func dotNEONF64(x, y []float64) float64

//go:noescape
func sumNEONF64(x []float64) float64

//go:noescape
func absSumNEONF64(x []float64) float64

//go:noescape
func sumSqNEONF64(x []float64) float64

//go:noescape
func maxAbsNEONF64(x []float64) float64

//go:noescape
func maxNumNEONF64(x []float64) float64

//go:noescape
func indexAbsNEONF64(x []float64, v float64) int

//go:noescape
func axpyNEONF64(alpha float64, x, y []float64)

//go:noescape
func axpbyNEONF64(alpha float64, x []float64, beta float64, y []float64)

//go:noescape
func scalNEONF64(alpha float64, x []float64)

//go:noescape
func scalToNEONF64(alpha float64, x, dst []float64)

//go:noescape
func swapNEONF64(x, y []float64)

//go:noescape
func rotNEONF64(c, s float64, x, y []float64)

//go:noescape
func addToNEONF64(x, y, dst []float64)

//go:noescape
func subToNEONF64(x, y, dst []float64)

//go:noescape
func mulToNEONF64(x, y, dst []float64)

//go:noescape
func divToNEONF64(x, y, dst []float64)

//go:noescape
func mulAddNEONF64(x, y, z []float64)

//go:noescape
func sqrtToNEONF64(x, dst []float64)

//go:noescape
func sqrtDivToNEONF64(eps float64, x, v, dst []float64)

//go:noescape
func emaNEONF64(beta float64, x, y []float64)

//go:noescape
func emaSqNEONF64(beta float64, x, y []float64)

//go:noescape
func momentumNEONF64(h *[MomentumLen]float64, g, m, p []float64)

//go:noescape
func adamNEONF64(h *[AdamLen]float64, g, m, v, p []float64)

//go:noescape
func adaMaxNEONF64(h *[AdamLen]float64, g, m, v, p []float64)

//go:noescape
func gemvNNEONF64(m, n int, alpha float64, a []float64, lda int, x, y []float64)

//go:noescape
func axpyFourNEONF64(n int, t *[4]float64, a *float64, lda int, y *float64)

//go:noescape
func dotAxpyNEONF64(t float64, a, x, y []float64) float64
