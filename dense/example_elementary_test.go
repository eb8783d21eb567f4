package dense_test

import (
	"fmt"
	"math"

	"github.com/precond-go/precond/dense"
)

func ExampleExp() {
	x := []float64{math.Inf(-1), -1, 0, 1, 1000}
	dense.Exp(x, x, nil) // in place
	fmt.Printf("%.15g\n", x)
	// Output: [0 0.367879441171442 1 2.71828182845905 +Inf]
}

func ExampleLog() {
	x := []float64{0, 5e-324, 1, math.E, -1}
	y := make([]float64, len(x))
	dense.Log(x, y, nil)
	fmt.Printf("%.15g\n", y)
	// Output: [-Inf -744.440071921381 0 1 NaN]
}

func ExampleTanh() {
	x := []float32{-20, -0.5, 1e-30, 0.5, 20}
	dense.Tanh(x, x, nil)
	fmt.Printf("%.7g\n", x)
	// Output: [-1 -0.4621172 1e-30 0.4621172 1]
}

func ExampleSigmoid() {
	x := []float32{-80, -1, 0, 1, 80}
	dense.Sigmoid(x, x, &dense.Opts[float32]{Threads: 1})
	fmt.Printf("%.7g\n", x)
	// Output: [1.804851e-35 0.2689414 0.5 0.7310586 1]
}

func ExampleToBFloat16() {
	x := []float32{1, math.Pi, 3.4e38}
	b := make([]dense.BFloat16, len(x))
	dense.ToBFloat16(x, b, nil)
	y := make([]float32, len(b))
	dense.FromBFloat16(b, y, nil)
	fmt.Printf("%#04x %v %v\n", b, y, b[1].Float32())
	// Output: [0x3f80 0x4049 0x7f80] [1 3.140625 +Inf] 3.140625
}
