package dense_test

import (
	"fmt"

	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/blas"
)

func ExampleGemm() {
	a := dense.MatrixOf(2, 3, []float64{1, 2, 3, 4, 5, 6})
	c := dense.NewMatrix[float64](2, 2)
	dense.Gemm(blas.NoTrans, blas.Trans, 1, a, a, 0, c, nil) // c = a·aᵀ
	fmt.Println(c.Row(0), c.Row(1))
	// Output: [14 32] [32 77]
}

func ExampleGemv() {
	a := dense.MatrixOf(2, 3, []float32{1, 2, 3, 4, 5, 6})
	y := make([]float32, 2)
	dense.Gemv(blas.NoTrans, 1, a, []float32{1, 0, -1}, 0, y, &dense.Opts[float32]{Threads: 1})
	fmt.Println(y)
	// Output: [-2 -2]
}

// A workspace of one's own is sized once and serves every call of that size.
func ExampleSymv() {
	a := dense.MatrixOf(2, 2, []float64{2, 0, 1, 3}) // only the lower triangle counts
	o := &dense.Opts[float64]{Threads: 2}
	o.Work = make([]float64, dense.SymvWork[float64](2, o.Threads))
	y := make([]float64, 2)
	dense.Symv(blas.Lower, 1, a, []float64{1, 1}, 0, y, o)
	fmt.Println(y)
	// Output: [3 4]
}

func ExampleNrm2() {
	x := []float64{3e300, 4e300} // the squares overflow
	fmt.Println(dense.Nrm2(x, nil))
	// Output: 5e+300
}
