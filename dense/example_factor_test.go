package dense_test

import (
	"errors"
	"fmt"

	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/blas"
)

// A matrix is factored in place and the factor used for as many solutions as wanted; an
// indefinite one is found out.
func ExampleCholesky() {
	a := dense.MatrixOf(2, 2, []float64{4, 0, 2, 5}) // the lower triangle counts
	if err := dense.Cholesky(blas.Lower, a, nil); err != nil {
		fmt.Println(err)
	}
	x := []float64{8, 12}
	dense.CholeskySolveVec(blas.Lower, a, x, nil)
	fmt.Println(a.Data, x)

	b := dense.MatrixOf(2, 2, []float64{1, 0, 2, 1})
	var indefinite *dense.NotPositiveDefiniteError
	if err := dense.Cholesky(blas.Lower, b, nil); errors.As(err, &indefinite) {
		fmt.Println("pivot", indefinite.Pivot)
	}
	// Output:
	// [2 0 1 2] [1 2]
	// pivot 1
}

func ExampleCholeskyPivoted() {
	a := dense.MatrixOf(3, 3, []float64{1, 0, 0, 2, 4, 0, 3, 6, 9}) // u·uᵀ, u = (1, 2, 3)
	pivots := make([]int, 3)
	rank, err := dense.CholeskyPivoted(blas.Lower, a, pivots, -1, nil)
	fmt.Println(rank, pivots, err)
	// Output: 1 [2 1 2] <nil>
}

func ExampleLU() {
	a := dense.MatrixOf(2, 2, []float64{1, 2, 2, 8})
	pivots := make([]int, 2)
	if err := dense.LU(a, pivots, nil); err != nil {
		fmt.Println(err)
	}
	x := []float64{5, 18}
	dense.LUSolveVec(blas.NoTrans, a, pivots, x, nil)
	fmt.Println(pivots, x, dense.LUDet(a, pivots))
	// Output: [1 1] [1 2] 4
}

// The inertia tells how many eigenvalues are positive, negative and zero.
func ExampleLDL() {
	a := dense.MatrixOf(2, 2, []float64{0, 3, 3, 0})
	e, pivots := make([]float64, 2), make([]int, 2)
	if err := dense.LDL(blas.Lower, a, e, pivots, nil); err != nil {
		fmt.Println(err)
	}
	fmt.Println(dense.LDLInertia(a, e))
	// Output: 1 1 0
}
