package dense_test

import (
	"fmt"

	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/blas"
)

func ExampleEigenSym() {
	a := dense.MatrixOf(2, 2, []float64{2, 0, 1, 2}) // only the lower triangle counts
	values, vectors := make([]float64, 2), dense.NewMatrix[float64](2, 2)
	if err := dense.EigenSym(blas.Lower, a, values, vectors, nil); err != nil {
		fmt.Println(err)
	}
	fmt.Printf("%.3f\n", values)
	v := vectors.At(0, 1) / vectors.At(1, 1) // signs are arbitrary
	fmt.Printf("(%.3f, 1) belongs to the larger\n", v)
	// Output:
	// [1.000 3.000]
	// (1.000, 1) belongs to the larger
}

// The two largest of four eigenvalues.
func ExampleEigenSymRange() {
	a := dense.MatrixOf(4, 4, []float64{4, 0, 0, 0, 0, 1, 0, 0, 0, 0, 3, 0, 0, 0, 0, 2})
	values, vectors := make([]float64, 2), dense.NewMatrix[float64](4, 2)
	if err := dense.EigenSymRange(blas.Lower, a, 2, 4, values, vectors, nil); err != nil {
		fmt.Println(err)
	}
	fmt.Println(values)
	// Output: [3 4]
}
