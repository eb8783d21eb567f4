package dense_test

import (
	"fmt"

	"github.com/precond-go/precond/dense"
)

func ExampleSVD() {
	a := dense.MatrixOf(3, 2, []float64{4, 0, 0, 3, 0, 4})
	u, vt := dense.NewMatrix[float64](3, 2), dense.NewMatrix[float64](2, 2)
	s := make([]float64, 2)
	if err := dense.SVD(a, u, s, vt, nil); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("singular values %.1f\n", s)
	// The sign of a pair of vectors is arbitrary; their product is not.
	i, j := 1, 1
	fmt.Printf("first term of a[1, 1]: %.1f\n", u.At(i, 0)*s[0]*vt.At(0, j))
	// Output:
	// singular values [5.0 4.0]
	// first term of a[1, 1]: 3.0
}
