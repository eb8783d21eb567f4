package kron

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/hard"
	"gonum.org/v1/gonum/blas"
)

func TestEigen(t *testing.T) { both(t, testEigen[float32], testEigen[float64]) }

// testEigen compares functions of the Kronecker product with those of the dense matrix,
// decomposed in float64.
func testEigen[T float](t *testing.T) {
	for _, orders := range [][]int{{}, {5}, {6, 4}, {1, 7}, {3, 4, 2}, {2, 3, 1, 4}} {
		for _, uplo := range []blas.Uplo{blas.Lower, blas.Upper} {
			var f []matrix[T]
			for _, n := range orders {
				f = append(f, spd[T](hard.Random, n))
			}
			e := NewEigen[T](orders...)
			if err := e.Decompose(uplo, f, nil); err != nil {
				t.Fatal(err)
			}
			full := kronecker(wides(f)...)
			n := full.Rows
			values, vectors := make([]float64, n), dense.NewMatrix[float64](n, n)
			if err := dense.EigenSym(blas.Lower, full, values, vectors, nil); err != nil {
				t.Fatal(err)
			}
			x, y, d := draws[T](1, n), make([]T, n), make([]T, n)
			wx := wide(vector(x)).Data
			for _, c := range [][2]float64{{-1, 0.1}, {-1, 0}, {-0.5, 0.01}, {0.5, 0}, {1, 0}, {2, 0.5}, {-0.25, 0.01}, {0, 0.3}} {
				p, damping := c[0], c[1]
				if err := e.Power(p, damping, d); err != nil {
					t.Fatal(err)
				}
				e.Scale(d, x, y, nil)
				want, largest := apply(values, vectors, func(v float64) float64 { return math.Pow(v+damping, p) }, wx)
				// The condition of v^p times the errors of eigenvalues, 10·ε·‖A‖.
				condition := 1 + math.Abs(p)*(values[n-1]+damping)/(values[0]+damping)
				bound := 50 * float64(1+n) * eps[T]() * largest * condition * math.Sqrt(float64(n))
				for i := range want {
					if !(math.Abs(float64(y[i])-want[i]) <= bound) {
						t.Fatalf("%v %c power %v damping %v: element %d is %v, want %v within %.3g", orders, uplo, p, damping, i, y[i], want[i], bound)
					}
				}
			}
			want := 0.
			for _, v := range values {
				want += math.Log(v + 0.25)
			}
			if got, err := e.LogDet(0.25); err != nil || !(math.Abs(got-want) <= 100*float64(n)*eps[T]()) {
				t.Errorf("%v: LogDet is %v, %v, want %v", orders, got, err, want)
			}
			e.Rotate(x, y, nil)
			e.RotateBack(y, y, nil)
			near(t, fmt.Sprint("back ", orders), y, wx, filled(n, 10), 20*(n+1))
		}
	}
}

func filled(n int, v float64) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = v
	}
	return x
}

// apply returns V·f(Λ)·Vᵀ·x, and the largest magnitude of f(Λ).
func apply(values []float64, vectors matrix[float64], f func(v float64) float64, x []float64) (y []float64, largest float64) {
	z := timesVec(whole(blas.Trans, vectors), x)
	for i, v := range values {
		z[i] *= f(v)
		largest = max(largest, math.Abs(f(v)))
	}
	return timesVec(vectors, z), largest
}

func TestEigenErrors(t *testing.T) { both(t, testEigenErrors[float32], testEigenErrors[float64]) }

func testEigenErrors[T float](t *testing.T) {
	e := NewEigen[T](3, 4)
	d := make([]T, 12)
	if err := e.Power(-1, 1, d); err != nil || d[11] != 0.5 {
		t.Errorf("the identity: %v, %v", d, err)
	}
	// Rounding errors below zero count as zero, even two of them.
	copy(e.Values[0], []T{-1e-6, 1, 2})
	copy(e.Values[1], []T{-1e-6, 1, 3, 4})
	if err := e.Power(-1, 0.5, d); err != nil || d[0] != 2 || d[1] != 2 || d[4] != 2 || d[5] != T(1/1.5) {
		t.Errorf("eigenvalues below zero: %v, %v", d, err)
	}
	var singular *dense.SingularError
	if err := e.Power(-0.5, 0, d); !errors.As(err, &singular) || singular.Pivot != 0 {
		t.Errorf("singular: %v", err)
	}
	if _, err := e.LogDet(0); !errors.As(err, &singular) {
		t.Errorf("LogDet of a singular matrix: %v", err)
	}
	if err := e.Power(0.25, 0, d); err != nil || d[0] != 0 || d[5] != 1 {
		t.Errorf("a root of a singular matrix: %v, %v", d, err)
	}
	e.Values[1][2] = T(math.NaN())
	var block *dense.BlockError
	var infinite *dense.NonFiniteError
	if err := e.Power(1, 1, d); !errors.As(err, &block) || block.Block != 1 || !errors.As(err, &infinite) {
		t.Errorf("NaN: %v", err)
	}
	bad := spd[T](hard.Random, 4)
	bad.Set(2, 1, T(math.Inf(1)))
	before := append([]T(nil), e.Vectors[1].Data...)
	if err := e.Decompose(blas.Lower, []matrix[T]{spd[T](hard.Random, 3), bad}, nil); !errors.As(err, &block) || block.Block != 1 || !errors.As(err, &infinite) {
		t.Errorf("Inf: %v", err)
	}
	if !sameBits(before, e.Vectors[1].Data) {
		t.Error("Inf: the eigenvectors changed")
	}
	mustPanic(t, "kron: Decompose: factor 1 is 3x3 for shape [3 4]", func() { _ = e.Decompose(blas.Lower, []matrix[T]{bad.View(0, 0, 3, 3), bad.View(0, 0, 3, 3)}, nil) })
	mustPanic(t, "kron: Scale: d has 12 elements, x 11, y 12", func() { e.Scale(d, d[:11], d, nil) })
	mustPanic(t, "kron: Power: d has 11 elements for shape [3 4]", func() { _ = e.Power(1, 0, d[:11]) })
	mustPanic(t, "kron: Power: p is -1, damping is -1", func() { _ = e.Power(-1, -1, d) })
}

func TestEigenOpts(t *testing.T) { both(t, testEigenOpts[float32], testEigenOpts[float64]) }

func testEigenOpts[T float](t *testing.T) {
	f := []matrix[T]{spd[T](hard.Random, 40), spd[T](hard.Random, 70)}
	e := NewEigen[T](40, 70)
	checkOpts(t, "Decompose", func(threads int) int { return e.DecomposeWork(threads) }, func(o *options[T]) [][]T {
		if err := e.Decompose(blas.Lower, f, o); err != nil {
			t.Fatal(err)
		}
		return [][]T{append([]T(nil), e.Values[1]...), append([]T(nil), e.Vectors[0].Data...)}
	}, func(o *options[T]) { _ = e.Decompose(blas.Lower, f, o) })
	x, y, d := draws[T](1, 2800), make([]T, 2800), draws[T](2, 2800)
	checkOpts(t, "ApplyTensor", func(threads int) int { return e.RotateWork(threads) }, func(o *options[T]) [][]T {
		y := make([]T, 2800)
		e.Scale(d, x, y, o)
		return [][]T{y}
	}, func(o *options[T]) { e.Scale(d, x, y, o) })
	for _, p := range []float64{-1, -0.5, 0.3} {
		if n := testing.AllocsPerRun(3, func() { _ = e.Power(p, 1, y); _, _ = e.LogDet(1) }); n != 0 {
			t.Errorf("Power and LogDet: %v allocations", n)
		}
	}
}
