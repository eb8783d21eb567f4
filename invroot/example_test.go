package invroot_test

import (
	"fmt"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/invroot"
)

func ExampleRoot() {
	a := dense.MatrixOf(2, 2, []float64{2.5, 1.5, 1.5, 2.5}) // eigenvalues 1 and 4
	x := dense.NewMatrix[float64](2, 2)
	cert, err := invroot.Root(a, invroot.Inverse(2), x, nil, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.4f %.4f\n%.4f %.4f\n", x.At(0, 0), x.At(0, 1), x.At(1, 0), x.At(1, 1))
	fmt.Printf("%v, condition %.1f\n", cert.Method, cert.Condition)
	// Output:
	// 0.7500 -0.2500
	// -0.2500 0.7500
	// eigen, condition 4.0
}

func ExampleRoot_ridge() {
	a := dense.MatrixOf(2, 2, []float32{4, 0, 0, 0}) // singular
	x := dense.NewMatrix[float32](2, 2)
	_, err := invroot.Root(a, invroot.Inverse(2), x, nil, nil)
	fmt.Println(err != nil)
	_, err = invroot.Root(a, invroot.Inverse(2), x, &invroot.Options{Ridge: 0.01, Kind: invroot.RelativeToMax}, nil)
	fmt.Printf("%.2f %.2f %v\n", x.At(0, 0), x.At(1, 1), err)
	// Output:
	// true
	// 0.50 5.00 <nil>
}

func ExampleState() {
	a := dense.MatrixOf(2, 2, []float64{2.5, 1.5, 1.5, 2.5})
	x := dense.NewMatrix[float64](2, 2)
	var s invroot.State[float64]
	for range 3 {
		cert, err := s.Root(a, invroot.Inverse(4), x, nil, nil)
		fmt.Println(cert.Method, err)
		a.Set(0, 0, a.At(0, 0)+0.001) // a little later
	}
	// Output:
	// eigen <nil>
	// eigen-update <nil>
	// eigen-update <nil>
}
