package kron_test

import (
	"fmt"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/kron"
	"gonum.org/v1/gonum/blas"
)

// A Kronecker product times a matrix, and the same with the product formed.
func ExampleApply() {
	a := dense.MatrixOf(2, 2, []float64{1, 2, 0, 1})
	b := dense.MatrixOf(2, 3, []float64{1, 0, 1, 0, 3, 0})
	x := dense.MatrixOf(2, 3, []float64{1, 2, 3, 4, 5, 6})
	y := dense.NewMatrix[float64](2, 2)
	kron.Apply(blas.NoTrans, blas.NoTrans, 1, a, b, x, 0, y, nil)
	fmt.Println(y.Data)

	k := dense.NewMatrix[float64](4, 6)
	kron.Product([]dense.Matrix[float64]{a, b}, k)
	dense.Gemv(blas.NoTrans, 1, k, x.Data, 0, y.Data, nil)
	fmt.Println(y.Data)
	// Output:
	// [24 36 10 15]
	// [24 36 10 15]
}

// A step of K-FAC for one layer: statistics, damping, inverses, and the gradient turned
// into a direction.
func Example_kfac() {
	inputs := dense.MatrixOf(4, 2, []float64{1, 0, 0, 1, 1, 1, 2, -1})
	grads := dense.MatrixOf(4, 2, []float64{1, -1, 2, 0, 0, 1, 1, 1}) // of each example's own loss
	a, g := dense.NewMatrix[float64](3, 3), dense.NewMatrix[float64](2, 2)
	kron.Moment(1./4, inputs, true, 0, a, nil) // with a bias: 3×3
	kron.Moment(1./4, grads, false, 0, g, nil)

	alpha, beta, err := kron.Tikhonov(0.1, g, a)
	if err != nil {
		panic(err)
	}
	kron.Damp(blas.Lower, alpha, g, g) // of a copy, if g is to be averaged further
	kron.Damp(blas.Lower, beta, a, a)
	for _, f := range []dense.Matrix[float64]{g, a} {
		if err := dense.Cholesky(blas.Lower, f, nil); err != nil {
			panic(err)
		}
	}
	gradient := dense.MatrixOf(2, 3, []float64{1, 0, 1, 0, -1, 0})
	kron.CholeskySolve(blas.Lower, g, a, gradient, nil) // G⁻¹·∇W·A⁻¹
	fmt.Printf("%.3f\n", gradient.Data)
	// Output:
	// [0.099 -0.060 0.355 -0.475 -1.128 0.577]
}

// The factor A of a convolution with a 3×3 kernel, from images of 8×8 with two channels.
func ExampleConvMoment() {
	g := kron.ConvGeometry{Height: 8, Width: 8, Channels: 2, Out: 4, KernelH: 3, KernelW: 3,
		StrideH: 1, StrideW: 1, PadH: 1, PadW: 1, DilationH: 1, DilationW: 1, Groups: 1}
	images := dense.NewMatrix[float32](10*8*8, 2)
	images.Fill(1)
	a := dense.NewMatrix[float32](g.Patch()+1, g.Patch()+1)
	kron.ConvMoment(1./(10*float32(g.Places())), g, 0, images, true, 0, a, nil)
	fmt.Println(a.Rows, a.At(8, 8), a.At(18, 18)) // the centre of the kernel, the bias
	fmt.Printf("%.4f\n", a.At(0, 0))              // its corner lacks 15 of 64 pixels
	// Output:
	// 19 1 1
	// 0.7656
}
