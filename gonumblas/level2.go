package gonumblas

import (
	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/blas"
)

// in returns the n elements of x as a contiguous vector: x itself if its increment
// is 1, else a copy in the first n elements of buf. The rest of buf is returned
// too.
func in[T dense.Float](n int, x []T, inc int, buf []T) (v, rest []T) {
	if inc == 1 {
		return x[:n], buf
	}
	gather(buf[:n], x, first(n, inc), inc)
	return buf[:n], buf[n:]
}

// out copies v, which in has returned for y, back to y.
func out[T dense.Float](v, y []T, inc int) {
	if inc != 1 {
		scatter(v, y, first(len(v), inc), inc)
	}
}

// room returns a buffer for those of two vectors that in would copy, nil if none.
func room[T dense.Float](nx, incX, ny, incY int) (*buffer[T], []T) {
	n := 0
	if incX != 1 {
		n += nx
	}
	if incY != 1 {
		n += ny
	}
	if n == 0 {
		return nil, nil
	}
	b := borrow[T](n)
	return b, b.data
}

// fits returns whether a slice of the given length holds a rows×cols matrix.
func fits(length, rows, cols, ld int) bool { return length >= ld*(rows-1)+cols }

// small returns whether a is a valid m×n matrix that is not empty and that a kernel
// takes at once; see inRow.
func small(m, n, length, lda int) bool {
	return 0 < m && m <= asm.Chunk && 0 < n && n <= asm.Chunk && m*n <= asm.Chunk && lda >= n && fits(length, m, n, lda)
}

func gemv[T dense.Float](tA blas.Transpose, m, n int, alpha T, a []T, lda int, x []T, incX int, beta T, y []T, incY int) {
	if alpha != 0 && small(m, n, len(a), lda) {
		switch {
		case tA == blas.NoTrans && inRow(n, len(x), incX) && inRow(m, len(y), incY):
			k := asm.For[T]()
			scale(k, beta, y[:m])
			k.GemvN(m, n, alpha, a, lda, x, y)
			return
		case tA == blas.Trans && inRow(m, len(x), incX) && inRow(n, len(y), incY):
			k := asm.For[T]()
			scale(k, beta, y[:n])
			k.GemvT(m, n, alpha, a, lda, x, y)
			return
		}
	}
	checkTrans(tA)
	must(m >= 0, mLT0)
	must(n >= 0, nLT0)
	must(lda >= max(1, n), badLdA)
	must(incX != 0, zeroIncX)
	must(incY != 0, zeroIncY)
	if m == 0 || n == 0 {
		return
	}
	nx, ny := n, m
	if tA != blas.NoTrans {
		nx, ny = m, n
	}
	must(holds(len(x), nx, incX), shortX)
	must(holds(len(y), ny, incY), shortY)
	must(fits(len(a), m, n, lda), shortA)
	if alpha == 0 && beta == 1 {
		return
	}
	b, buf := room[T](nx, incX, ny, incY)
	xv, buf := in(nx, x, incX, buf)
	yv, _ := in(ny, y, incY, buf)
	dense.Gemv(tA, alpha, dense.Matrix[T]{Rows: m, Cols: n, Stride: lda, Data: a}, xv, beta, yv, nil)
	out(yv, y, incY)
	b.giveBack()
}

// scale multiplies y by beta, without reading y if beta is 0.
func scale[T dense.Float](k *asm.Kernels[T], beta T, y []T) {
	switch beta {
	case 0:
		clear(y)
	case 1:
	default:
		k.Scal(beta, y)
	}
}

func ger[T dense.Float](m, n int, alpha T, x []T, incX int, y []T, incY int, a []T, lda int) {
	if alpha != 0 && small(m, n, len(a), lda) && inRow(m, len(x), incX) && inRow(n, len(y), incY) {
		asm.For[T]().Ger(m, n, alpha, x, y, a, lda)
		return
	}
	must(m >= 0, mLT0)
	must(n >= 0, nLT0)
	must(lda >= max(1, n), badLdA)
	must(incX != 0, zeroIncX)
	must(incY != 0, zeroIncY)
	if m == 0 || n == 0 {
		return
	}
	must(holds(len(x), m, incX), shortX)
	must(holds(len(y), n, incY), shortY)
	must(fits(len(a), m, n, lda), shortA)
	if alpha == 0 {
		return
	}
	b, buf := room[T](m, incX, n, incY)
	xv, buf := in(m, x, incX, buf)
	yv, _ := in(n, y, incY, buf)
	dense.Ger(alpha, xv, yv, dense.Matrix[T]{Rows: m, Cols: n, Stride: lda, Data: a}, nil)
	b.giveBack()
}

// square returns the n×n matrix in a.
func square[T dense.Float](n int, a []T, lda int) dense.Matrix[T] {
	return dense.Matrix[T]{Rows: n, Cols: n, Stride: lda, Data: a}
}

func symv[T dense.Float](ul blas.Uplo, n int, alpha T, a []T, lda int, x []T, incX int, beta T, y []T, incY int) {
	if (ul == blas.Lower || ul == blas.Upper) && alpha != 0 && small(n, n, len(a), lda) && inRow(n, len(x), incX) && inRow(n, len(y), incY) {
		k := asm.For[T]()
		scale(k, beta, y[:n])
		asm.SymvRows(k, ul == blas.Lower, 0, n, n, alpha, a, lda, x, y)
		return
	}
	checkUplo(ul)
	must(n >= 0, nLT0)
	must(lda >= max(1, n), badLdA)
	must(incX != 0, zeroIncX)
	must(incY != 0, zeroIncY)
	if n == 0 {
		return
	}
	must(fits(len(a), n, n, lda), shortA)
	must(holds(len(x), n, incX), shortX)
	must(holds(len(y), n, incY), shortY)
	if alpha == 0 && beta == 1 {
		return
	}
	b, buf := room[T](n, incX, n, incY)
	xv, buf := in(n, x, incX, buf)
	yv, _ := in(n, y, incY, buf)
	dense.Symv(ul, alpha, square(n, a, lda), xv, beta, yv, nil)
	out(yv, y, incY)
	b.giveBack()
}

func syr[T dense.Float](ul blas.Uplo, n int, alpha T, x []T, incX int, a []T, lda int) {
	checkUplo(ul)
	must(n >= 0, nLT0)
	must(lda >= max(1, n), badLdA)
	must(incX != 0, zeroIncX)
	if n == 0 {
		return
	}
	must(holds(len(x), n, incX), shortX)
	must(fits(len(a), n, n, lda), shortA)
	if alpha == 0 {
		return
	}
	b, buf := room[T](n, incX, 0, 1)
	xv, _ := in(n, x, incX, buf)
	dense.Syr(ul, alpha, xv, square(n, a, lda), nil)
	b.giveBack()
}

func syr2[T dense.Float](ul blas.Uplo, n int, alpha T, x []T, incX int, y []T, incY int, a []T, lda int) {
	checkUplo(ul)
	must(n >= 0, nLT0)
	must(lda >= max(1, n), badLdA)
	must(incX != 0, zeroIncX)
	must(incY != 0, zeroIncY)
	if n == 0 {
		return
	}
	must(holds(len(x), n, incX), shortX)
	must(holds(len(y), n, incY), shortY)
	must(fits(len(a), n, n, lda), shortA)
	if alpha == 0 {
		return
	}
	b, buf := room[T](n, incX, n, incY)
	xv, buf := in(n, x, incX, buf)
	yv, _ := in(n, y, incY, buf)
	dense.Syr2(ul, alpha, xv, yv, square(n, a, lda), nil)
	b.giveBack()
}

// checkTriangular checks the arguments of trmv and trsv, and returns whether there
// is anything to do.
func checkTriangular(ul blas.Uplo, tA blas.Transpose, d blas.Diag, n, lenA, lda, lenX, incX int) bool {
	checkUplo(ul)
	checkTrans(tA)
	checkDiag(d)
	must(n >= 0, nLT0)
	must(lda >= max(1, n), badLdA)
	must(incX != 0, zeroIncX)
	if n == 0 {
		return false
	}
	must(fits(lenA, n, n, lda), shortA)
	must(holds(lenX, n, incX), shortX)
	return true
}

func trmv[T dense.Float](ul blas.Uplo, tA blas.Transpose, d blas.Diag, n int, a []T, lda int, x []T, incX int) {
	if !checkTriangular(ul, tA, d, n, len(a), lda, len(x), incX) {
		return
	}
	if incX == 1 {
		asm.Trmv(asm.For[T](), ul == blas.Lower, tA != blas.NoTrans, d == blas.Unit, n, a, lda, x[:n])
		return
	}
	b, buf := room[T](n, incX, 0, 1)
	xv, _ := in(n, x, incX, buf)
	dense.Trmv(ul, tA, d, square(n, a, lda), xv, nil)
	out(xv, x, incX)
	b.giveBack()
}

func trsv[T dense.Float](ul blas.Uplo, tA blas.Transpose, d blas.Diag, n int, a []T, lda int, x []T, incX int) {
	if !checkTriangular(ul, tA, d, n, len(a), lda, len(x), incX) {
		return
	}
	if incX == 1 {
		asm.Trsv(asm.For[T](), ul == blas.Lower, tA != blas.NoTrans, d == blas.Unit, n, a, lda, x[:n])
		return
	}
	b, buf := room[T](n, incX, 0, 1)
	xv, _ := in(n, x, incX, buf)
	dense.Trsv(ul, tA, d, square(n, a, lda), xv, nil)
	out(xv, x, incX)
	b.giveBack()
}
