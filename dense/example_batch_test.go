package dense_test

import (
	"fmt"

	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/blas"
)

// Each layer's gradient is preconditioned with the layer's own matrix; layers
// have different shapes.
func ExampleGemmBatch() {
	inverse := []dense.Matrix[float64]{
		dense.MatrixOf(2, 2, []float64{2, 0, 0, 3}),
		dense.MatrixOf(1, 1, []float64{10}),
	}
	gradient := []dense.Matrix[float64]{
		dense.MatrixOf(2, 3, []float64{1, 2, 3, 4, 5, 6}),
		dense.MatrixOf(1, 2, []float64{7, 8}),
	}
	step := []dense.Matrix[float64]{dense.NewMatrix[float64](2, 3), dense.NewMatrix[float64](1, 2)}
	dense.GemmBatch(blas.NoTrans, blas.NoTrans, 1, inverse, gradient, 0, step, nil)
	fmt.Println(step[0].Row(0), step[0].Row(1), step[1].Row(0))
	// Output: [2 4 6] [12 15 18] [70 80]
}

// One matrix times each of three blocks that lie side by side in the rows of x.
func ExampleGemmStrided() {
	a := []float64{0, 1, 1, 0} // exchanges two rows
	x := []float64{
		1, 2, 3,
		4, 5, 6,
	}
	y := make([]float64, len(x))
	dense.GemmStrided(blas.NoTrans, blas.NoTrans, 2, 1, 2, 1, a, 2, 0, x, 3, 1, 0, y, 3, 1, 3, nil)
	fmt.Println(y)
	// Output: [4 5 6 1 2 3]
}
