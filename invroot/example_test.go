package invroot_test

import (
	"fmt"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/invroot"
	"gonum.org/v1/gonum/blas"
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

func ExampleLowRank() {
	b := dense.MatrixOf(3, 1, []float64{0, 2, 0}) // b·bᵀ has the eigenvalues 4, 0 and 0
	var r invroot.LowRank[float64]
	cert, err := r.Root(b, 0.25, invroot.Inverse(2), nil, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	g := dense.MatrixOf(3, 1, []float64{1, 1, 1})
	r.Apply(blas.Left, g, g, nil)
	fmt.Printf("%.4f %.4f %.4f\n", g.At(0, 0), g.At(1, 0), g.At(2, 0))
	fmt.Printf("condition %.1f\n", cert.Condition)
	// Output:
	// 2.0000 0.4851 2.0000
	// condition 17.0
}

func ExampleBinomial() {
	s := dense.MatrixOf(2, 2, []float64{1, 0, 0, 16})
	b := invroot.NewBinomial[float64](2, 4, 1)
	for range 100 {
		if _, _, err := b.Update(s, &invroot.BinomialOptions{Terms: 4, Radius: 0.5}, nil); err != nil {
			fmt.Println(err)
			return
		}
	}
	x := b.Root()
	fmt.Printf("%.1f %.1f\n", x.At(0, 0), x.At(1, 1))
	// Output:
	// 1.0 0.5
}
