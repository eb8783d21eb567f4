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

func ExamplePolar() {
	a := dense.MatrixOf(2, 2, []float64{0, -3, 2, 0})
	u, h := dense.NewMatrix[float64](2, 2), dense.NewMatrix[float64](2, 2)
	cert, err := dense.Polar(a, u, h, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("rotation by 90°: %.1f, stretch along the axes: %.1f and %.1f\n", u.At(1, 0), h.At(0, 0), h.At(1, 1))
	fmt.Println("orthogonal:", cert.Defect < 1e-14)
	// Output:
	// rotation by 90°: 1.0, stretch along the axes: 2.0 and 3.0
	// orthogonal: true
}

func ExampleOrthogonalize() {
	// What Muon makes of a momentum matrix, with polynomials that are best for
	// singular values of at least a hundredth of the norm.
	p := dense.PolarExpress(0.01, 5, 5)
	fmt.Printf("singular values within %.1g of 1\n", p.Bound)
	a, q := dense.MatrixOf(2, 3, []float32{1, 2, 0, 0, 1, 2}), dense.NewMatrix[float32](2, 3)
	cert, err := dense.Orthogonalize(a, q, p, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("measured:", cert.Defect < 1e-4)
	// Output:
	// singular values within 1e-06 of 1
	// measured: true
}

func ExampleSpectralBounds() {
	a := dense.MatrixOf(2, 2, []float64{3, 0, 0, 1})
	b, err := dense.SpectralBounds(a, 4, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.3f ≤ ‖a‖₂ ≤ %.3f\n", b.Lower, b.Upper)
	// Output:
	// 3.000 ≤ ‖a‖₂ ≤ 3.000
}
