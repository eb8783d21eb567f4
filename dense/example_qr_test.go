package dense_test

import (
	"fmt"
	"math"

	"github.com/precond-go/precond/dense"
)

func ExampleQR() {
	a := dense.MatrixOf(3, 2, []float64{1, 2, 2, 3, 2, 7})
	tau := make([]float64, 2)
	dense.QR(a, tau, nil)
	q := dense.NewMatrix[float64](3, 2)
	dense.QRForm(a, tau, q, nil)
	fmt.Printf("R = %.1f %.1f\n        %.1f\n", a.At(0, 0), a.At(0, 1), a.At(1, 1))
	fmt.Printf("first column of Q: %.3f %.3f %.3f\n", q.At(0, 0), q.At(1, 0), q.At(2, 0))
	// Output:
	// R = -3.0 -7.3
	//         2.9
	// first column of Q: -0.333 -0.667 -0.667
}

func ExampleQRSolve() {
	// The straight line c₀ + c₁·x closest to four points.
	a := dense.MatrixOf(4, 2, []float64{1, 0, 1, 1, 1, 2, 1, 3})
	b := dense.MatrixOf(4, 1, []float64{1, 3, 4, 4})
	tau := make([]float64, 2)
	dense.QR(a, tau, nil)
	if err := dense.QRSolve(a, tau, b, nil); err != nil {
		fmt.Println(err)
		return
	}
	residual := math.Sqrt(b.At(2, 0)*b.At(2, 0) + b.At(3, 0)*b.At(3, 0))
	fmt.Printf("%.1f + %.1f·x, residual %.3f\n", b.At(0, 0), b.At(1, 0), residual)
	// Output:
	// 1.5 + 1.0·x, residual 1.000
}

func ExampleQRPivoted() {
	// The second column is three times the first.
	a := dense.MatrixOf(4, 3, []float64{1, 3, 2, 0, 0, 1, 2, 6, 1, 1, 3, 0})
	tau, pivots := make([]float64, 3), make([]int, 3)
	dense.QRPivoted(a, tau, pivots, nil)
	fmt.Println("rank", dense.QRRank(a, 0), "columns", pivots)
	// Output:
	// rank 2 columns [1 2 0]
}

func ExampleLanczosEigen() {
	// The second difference on 50 points, as an operator.
	n := 50
	second := func(x, y []float64) {
		for i, v := range x {
			y[i] = 2 * v
			if i > 0 {
				y[i] -= x[i-1]
			}
			if i+1 < n {
				y[i] -= x[i+1]
			}
		}
	}
	values, residuals := make([]float64, 2), make([]float64, 2)
	vectors := dense.NewMatrix[float64](n, 2)
	_, err := dense.LanczosEigen(second, n, dense.Largest, values, vectors, residuals, dense.LanczosOpts{}, nil)
	fmt.Printf("%.4f %v %v\n", values, residuals[0] < 1e-12, err)
	// Output:
	// [3.9962 3.9848] true <nil>
}
