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

// A preconditioner whose matrix has changed a little keeps its basis while that is good
// enough, and corrects it otherwise.
func ExampleEigenSymRefresh() {
	a := dense.MatrixOf(2, 2, []float64{3, 0, 0, 1})
	values, vectors := make([]float64, 2), dense.NewMatrix[float64](2, 2)
	if err := dense.EigenSym(blas.Lower, a, values, vectors, nil); err != nil {
		fmt.Println(err)
	}
	a.Set(1, 0, 0.1)
	for {
		off, err := dense.RayleighQuotients(blas.Lower, a, vectors, values, nil)
		if err != nil {
			fmt.Println(err)
		}
		fmt.Printf("off-diagonal mass %.5f\n", off)
		if off < 0.01 {
			break
		}
		if _, err := dense.EigenSymRefresh(blas.Lower, a, values, vectors, nil); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// off-diagonal mass 0.04468
	// off-diagonal mass 0.00011
}

// The eigenvectors are computed in float32 and then made as accurate as float64 allows.
func ExampleEigenSymRefine() {
	a := dense.MatrixOf(2, 2, []float64{2, 0, 1, 5})
	low, v := dense.NewMatrix[float32](2, 2), dense.NewMatrix[float32](2, 2)
	for i, x := range a.Data {
		low.Data[i] = float32(x)
	}
	if err := dense.EigenSym(blas.Lower, low, make([]float32, 2), v, nil); err != nil {
		fmt.Println(err)
	}
	values, vectors := make([]float64, 2), dense.NewMatrix[float64](2, 2)
	for i, x := range v.Data {
		vectors.Data[i] = float64(x)
	}
	if err := dense.EigenSymRefine(blas.Lower, a, values, vectors, nil); err != nil {
		fmt.Println(err)
	}
	fmt.Printf("%.13f\n", values)
	// Output: [1.6972243622680 5.3027756377320]
}
