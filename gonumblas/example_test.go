package gonumblas_test

import (
	"fmt"

	"github.com/precond-go/precond/gonumblas"
	"gonum.org/v1/gonum/blas/blas32"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

// One line for each precision that the program uses, before anything is computed.
func Example() {
	blas64.Use(gonumblas.Implementation{})
	blas32.Use(gonumblas.Implementation{})

	a := mat.NewSymDense(2, []float64{4, 2, 2, 3})
	b := mat.NewVecDense(2, []float64{8, 8})
	var chol mat.Cholesky
	chol.Factorize(a)
	var x mat.VecDense
	if err := chol.SolveVecTo(&x, b); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.3g\n", mat.Formatted(x.T()))
	// Output: [1  2]
}
