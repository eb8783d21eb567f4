package gonumblas_test

import (
	"fmt"

	"github.com/precond-go/precond/gonumblas"
	"gonum.org/v1/gonum/blas/blas32"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack/lapack64"
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

// With both lines, the factorisations of package mat are those of package dense.
func ExampleLapack() {
	blas64.Use(gonumblas.Implementation{})
	lapack64.Use(gonumblas.Lapack{})

	a := mat.NewSymDense(2, []float64{2, 1, 1, 2})
	var eigen mat.EigenSym
	if !eigen.Factorize(a, true) {
		fmt.Println("no success")
		return
	}
	fmt.Printf("%.3g\n", eigen.Values(nil))
	// Output: [1 3]
}
