//go:build !purego

package asm

// Register tile of the NEON kernels: 8 rows times 3 vector registers of columns.
const (
	neonMR   = 8
	neonNR32 = 12
	neonNR64 = 6
)

//go:noescape
func gemmNEONF32(m, n, k int, alpha float32, a *float32, rsa, csa int, b *float32, ldb, psb int, c *float32, ldc int, mode int)

//go:noescape
func gemmNEONF64(m, n, k int, alpha float64, a *float64, rsa, csa int, b *float64, ldb, psb int, c *float64, ldc int, mode int)
