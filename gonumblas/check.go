package gonumblas

import "gonum.org/v1/gonum/blas"

// Texts of the panics over arguments; they are those of gonum's own
// implementation, so that a program that knows them need not change.
const (
	zeroIncX = "blas: zero x index increment"
	zeroIncY = "blas: zero y index increment"

	mLT0 = "blas: m < 0"
	nLT0 = "blas: n < 0"
	kLT0 = "blas: k < 0"

	badUplo      = "blas: illegal triangle"
	badTranspose = "blas: illegal transpose"
	badDiag      = "blas: illegal diagonal"
	badSide      = "blas: illegal side"
	badFlag      = "blas: illegal rotm flag"

	badLdA = "blas: bad leading dimension of A"
	badLdB = "blas: bad leading dimension of B"
	badLdC = "blas: bad leading dimension of C"

	shortX = "blas: insufficient length of x"
	shortY = "blas: insufficient length of y"
	shortA = "blas: insufficient length of a"
	shortB = "blas: insufficient length of b"
	shortC = "blas: insufficient length of c"
)

// must panics with the text unless ok.
func must(ok bool, text string) {
	if !ok {
		panic(text)
	}
}

// holds returns whether a slice of the given length holds n elements at the
// distance inc.
func holds(length, n, inc int) bool {
	if inc < 0 {
		inc = -inc
	}
	return length > (n-1)*inc
}

// checkPair checks the arguments of a routine over two vectors of n elements, and
// returns whether there is anything to do.
func checkPair(n, lenX, incX, lenY, incY int) bool {
	must(incX != 0, zeroIncX)
	must(incY != 0, zeroIncY)
	must(n >= 0, nLT0)
	if n == 0 {
		return false
	}
	must(holds(lenX, n, incX), shortX)
	must(holds(lenY, n, incY), shortY)
	return true
}

func checkUplo(u blas.Uplo) { must(u == blas.Lower || u == blas.Upper, badUplo) }

func checkTrans(t blas.Transpose) {
	must(t == blas.NoTrans || t == blas.Trans || t == blas.ConjTrans, badTranspose)
}

func checkDiag(d blas.Diag) { must(d == blas.NonUnit || d == blas.Unit, badDiag) }

func checkSide(s blas.Side) { must(s == blas.Left || s == blas.Right, badSide) }
