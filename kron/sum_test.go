package kron

import (
	"errors"
	"math"
	"testing"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/hard"
	"gonum.org/v1/gonum/blas"
)

func TestSumInverse(t *testing.T) { both(t, testSumInverse[float32], testSumInverse[float64]) }

// testSumInverse compares with an LU solution of the dense sum in float64.
func testSumInverse[T float](t *testing.T) {
	for _, s := range [][2]int{{0, 3}, {1, 1}, {3, 5}, {8, 6}, {12, 1}} {
		for _, c := range []T{1, -1, 0, 0.5} {
			for _, uplo := range []blas.Uplo{blas.Lower, blas.Upper} {
				m, n := s[0], s[1]
				a1, b1 := spd[T](hard.Random, m), spd[T](hard.Random, n)
				a2, b2 := spd[T](hard.Random, m), symmetric[T](7, n)
				if c < 0 { // keep the difference definite, as in K-FAC: what is taken away is smaller
					for i := range a2.Data {
						a2.Data[i] /= 256
					}
				}
				full := kronecker(wide(a1), wide(b1))
				dense.Accumulate(float64(c), kronecker(wide(a2), wide(b2)), 1, full, nil)
				x := draw[T](3, m, n, 1)
				want := wide(x)
				lu, pivots := full.Clone(), make([]int, m*n)
				if err := dense.LU(lu, pivots, nil); err != nil {
					t.Fatal(err)
				}
				dense.LUSolve(blas.NoTrans, lu, pivots, dense.MatrixOf(m*n, 1, want.Data), nil)
				for _, f := range []matrix[T]{a1, b1, a2, b2} { // only the triangle is read
					for r := range f.Rows {
						for k := range f.Cols {
							if r != k && (r < k) == (uplo == blas.Lower) {
								f.Set(r, k, T(math.NaN()))
							}
						}
					}
				}
				inv := NewSumInverse[T](m, n)
				if err := inv.Factor(uplo, c, a1, b1, a2, b2, nil); err != nil {
					t.Fatalf("%v c=%v: %v", s, c, err)
				}
				y := draw[T](4, m, n, 2)
				inv.Solve(x, y, nil)
				size := make([]float64, m*n)
				for i := range size {
					size[i] = norm(want)
				}
				condition := 64. * 64 * 64 / min(1, math.Abs(float64(inv.Least())))
				near(t, "Solve", elements(y), want.Data, size, 10*(m+n+1)*int(condition/64))
				inv.Solve(x, x, nil)
				if !sameBits(elements(x), elements(y)) {
					t.Error("in place: other bits")
				}
			}
		}
	}
}

// symmetric returns a symmetric matrix that is not definite.
func symmetric[T float](seed uint64, n int) matrix[T] {
	m := draw[T](seed, n, n, 1)
	dense.Mirror(blas.Lower, m)
	return m
}

// TestSumInverseLeast compares Least with the generalised eigenvalue, and takes an
// indefinite sum and a singular one.
func TestSumInverseLeast(t *testing.T) {
	diagonal := func(d ...float64) matrix[float64] {
		m := dense.NewMatrix[float64](len(d), len(d))
		for i, v := range d {
			m.Set(i, i, v)
		}
		return m
	}
	inv := NewSumInverse[float64](2, 2)
	one, two := diagonal(1, 2), diagonal(1, 4)
	if err := inv.Factor(blas.Lower, -1, one, two, diagonal(0.5, 4), diagonal(0.5, 1), nil); err != nil {
		t.Fatal(err)
	}
	if want := 1 - 2*0.5; inv.Least() != want && !(math.Abs(inv.Least()-want) < 1e-15) {
		t.Errorf("Least() = %v, want %v", inv.Least(), want)
	}
	if err := inv.Factor(blas.Lower, -1, one, two, diagonal(0.5, 6), diagonal(0.5, 1), nil); err != nil || !(math.Abs(inv.Least()+0.5) < 1e-15) {
		t.Errorf("an indefinite sum: %v, least %v, want -0.5", err, inv.Least())
	}
	unit := diagonal(1, 1) // the least is that of the two negative eigenvalues
	if err := inv.Factor(blas.Lower, -1, unit, unit, diagonal(-1, 0.5), diagonal(-0.75, 0.25), nil); err != nil || inv.Least() != 0.25 {
		t.Errorf("negative eigenvalues: %v, least %v, want 0.25", err, inv.Least())
	}
	var singular *dense.SingularError
	if err := inv.Factor(blas.Lower, -1, diagonal(1, 1), diagonal(1, 1), diagonal(0.5, 1), diagonal(0.5, 1), nil); !errors.As(err, &singular) || singular.Pivot != 3 {
		t.Errorf("a singular sum: %v", err)
	}
	var block *dense.BlockError
	var indefinite *dense.NotPositiveDefiniteError
	if err := inv.Factor(blas.Lower, 1, one, diagonal(1, -1), one, one, nil); !errors.As(err, &block) || block.Block != 1 || !errors.As(err, &indefinite) || indefinite.Pivot != 1 {
		t.Errorf("an indefinite b1: %v", err)
	}
	var infinite *dense.NonFiniteError
	if err := inv.Factor(blas.Lower, 1, one, one, diagonal(1, math.NaN()), one, nil); !errors.As(err, &block) || block.Block != 0 || !errors.As(err, &infinite) {
		t.Errorf("NaN in a2: %v", err)
	}
	mustPanic(t, "kron: Factor: order 2 and 2, a1 is 2x2, b1 is 1x1", func() { _ = inv.Factor(blas.Lower, 1, one, diagonal(1), one, one, nil) })
	mustPanic(t, "kron: Solve: order 2 and 2, x is 2x2, y is 1x1", func() { inv.Solve(one, diagonal(1), nil) })
}

func TestSumInverseOpts(t *testing.T) {
	both(t, testSumInverseOpts[float32], testSumInverseOpts[float64])
}

func testSumInverseOpts[T float](t *testing.T) {
	const m, n = 40, 70
	a, b := spd[T](hard.Random, m), spd[T](hard.Random, n)
	inv, x, y := NewSumInverse[T](m, n), draw[T](1, m, n, 0), draw[T](2, m, n, 3)
	checkOpts(t, "Factor", func(threads int) int { return inv.FactorWork(threads) }, func(o *options[T]) [][]T {
		if err := inv.Factor(blas.Lower, 0.5, a, b, a, b, o); err != nil {
			t.Fatal(err)
		}
		return [][]T{append([]T(nil), inv.scale...), append([]T(nil), inv.vectors[1].Data...)}
	}, func(o *options[T]) { _ = inv.Factor(blas.Lower, 0.5, a, b, a, b, o) })
	checkOpts(t, "Solve", func(threads int) int { return inv.SolveWork(threads) }, func(o *options[T]) [][]T {
		y := draw[T](2, m, n, 3)
		inv.Solve(x, y, o)
		return [][]T{y.Data}
	}, func(o *options[T]) { inv.Solve(x, y, o) })
}
