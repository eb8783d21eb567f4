package dense

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/precond-go/precond/internal/hard"
	"gonum.org/v1/gonum/blas"
)

// ldlResidual returns ‖P·A·Pᵀ − L·D·Lᵀ‖₁ / (n·ε·‖A‖₁), where l has the factor in its lower
// triangle.
func ldlResidual[T Float](a, l Matrix[T], e []T, pivots []int) float64 {
	n, shift := a.Rows, shiftOf(a)
	pa := wide(a, shift)
	for i, p := range pivots {
		for j := range n {
			x, y := pa.At(i, j), pa.At(p, j)
			pa.Set(i, j, y)
			pa.Set(p, j, x)
		}
		for j := range n {
			x, y := pa.At(j, i), pa.At(j, p)
			pa.Set(j, i, y)
			pa.Set(j, p, x)
		}
	}
	l64, d := triangle64(blas.Lower, blas.Unit, l, 0), NewMatrix[float64](n, n)
	for i := range n {
		d.Set(i, i, math.Ldexp(float64(l.At(i, i)), shift))
		if e[i] != 0 {
			d.Set(i, i+1, math.Ldexp(float64(e[i]), shift))
			d.Set(i+1, i, math.Ldexp(float64(e[i]), shift))
		}
	}
	ld := NewMatrix[float64](n, n)
	Gemm(blas.NoTrans, blas.NoTrans, 1, l64, d, 0, ld, nil)
	return scaled[T](minusProduct(pa, blas.NoTrans, ld, blas.Trans, l64), pa, max(n, 1), shift)
}

func TestLDLAccuracy(t *testing.T) {
	w := newWorst(t)
	testLDLAccuracy[float32](t, w)
	testLDLAccuracy[float64](t, w)
	w.log()
}

func testLDLAccuracy[T Float](t *testing.T, w *worst) {
	eachHard(func(c hard.Class, n int) {
		a := matrixOf(hard.Symmetric[T](c, n))
		l, e, pivots := a.Clone(), make([]T, n), make([]int, n)
		var singular *SingularError
		err := LDL(blas.Lower, l, e, pivots, nil)
		if err != nil && !errors.As(err, &singular) {
			t.Fatal(err)
		}
		w.add(typed[T]("LDL"), c, n, ldlResidual(a, l, e, pivots))
		if err != nil || n == 0 || c == hard.RankOne || c == hard.RankHalf || c == hard.NearUnderflow || c == hard.Hilbert {
			return // singular, or the solution may not be finite
		}
		b := rightSides(a, 2)
		x, v := b.Clone(), NewMatrix[T](n, 1)
		LDLSolve(blas.Lower, l, e, pivots, x, nil)
		w.add(typed[T]("LDLSolve"), c, n, solveResidual(a, x, b))
		v.Copy(b.View(0, 1, n, 1))
		LDLSolveVec(blas.Lower, l, e, pivots, v.Data, nil)
		w.add(typed[T]("LDLSolveVec"), c, n, solveResidual(a, v, b.View(0, 1, n, 1)))
	})
}

func TestLDLForms(t *testing.T) { both(t, testLDLForms[float32], testLDLForms[float64]) }

// testLDLForms tests that triangles and threads give the same bits, and the inertia.
func testLDLForms[T Float](t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 47, 48, 49, 63, 65, 96, 130, 300} {
		for _, c := range []hard.Class{hard.Random, hard.Diagonal, hard.Repeated, hard.GradedUp} {
			h := hard.Symmetric[T](c, n)
			a := matrixOf(h)
			want, wantE, wantPivots := padded(a, 2), make([]T, n), make([]int, n)
			poison(blas.Lower, want)
			if err := LDL(blas.Lower, want, wantE, wantPivots, nil); err != nil {
				t.Fatalf("n=%d %v: %v", n, c, err)
			}
			wantU := padded(transposedOf(want), 2)
			for threads := 1; threads <= 3; threads++ {
				for _, uplo := range triangles {
					got, e, pivots := padded(a, 2), make([]T, n), make([]int, n)
					poison(uplo, got)
					if err := LDL(uplo, got, e, pivots, &Opts[T]{Threads: threads}); err != nil {
						t.Fatal(err)
					}
					w := want
					if uplo == blas.Upper {
						w = wantU
					}
					if !sameBits(got, w) || fmt.Sprint(e, pivots) != fmt.Sprint(wantE, wantPivots) {
						t.Errorf("n=%d %v uplo=%c threads=%d: other bits", n, c, uplo, threads)
					}
				}
			}
			if n == 0 || h.Values == nil {
				continue
			}
			var positive int
			for _, v := range h.Values {
				if v > 0 {
					positive++
				}
			}
			if p, m, z := LDLInertia(want, wantE); p != positive || m != n-positive || z != 0 {
				t.Errorf("n=%d %v: inertia %d, %d, %d, want %d positive", n, c, p, m, z, positive)
			}
			norm := Norm1Symmetric(blas.Lower, a, nil)
			rcond := float64(LDLCondition(blas.Lower, want, wantE, wantPivots, norm, nil))
			least := math.Inf(1)
			for _, v := range h.Values {
				least = min(least, math.Abs(v))
			}
			// The 2-norm of the inverse is within √n of its 1-norm.
			k := least / float64(norm)
			if !(rcond >= k/math.Sqrt(float64(n))*0.9) || !(rcond <= k*3) {
				t.Errorf("n=%d %v: condition %g, want about %g", n, c, rcond, k)
			}
		}
	}
}

func TestLDLSingular(t *testing.T) { both(t, testLDLSingular[float32], testLDLSingular[float64]) }

func testLDLSingular[T Float](t *testing.T) {
	for _, n := range []int{1, 2, 60, 130} {
		for _, bad := range []T{0, T(math.NaN())} {
			a := matrixOf(hard.Symmetric[T](hard.Random, n))
			for i := range n {
				a.Set(i, n/2, bad)
				a.Set(n/2, i, bad)
			}
			e, pivots := make([]T, n), make([]int, n)
			err := LDL(blas.Upper, a, e, pivots, nil)
			var singular *SingularError
			if !errors.As(err, &singular) || singular.Pivot < 0 || singular.Pivot >= n {
				t.Errorf("n=%d bad=%v: error %v", n, bad, err)
			}
			if _, _, zero := LDLInertia(a, e); bad == 0 && zero != 1 {
				t.Errorf("n=%d: %d zero eigenvalues", n, zero)
			}
			if r := LDLCondition(blas.Upper, a, e, pivots, 1, nil); r != 0 {
				t.Errorf("n=%d bad=%v: condition %v", n, bad, r)
			}
		}
	}
}

func TestLDLWork(t *testing.T) { both(t, testLDLWork[float32], testLDLWork[float64]) }

func testLDLWork[T Float](t *testing.T) {
	for _, n := range []int{1, 30, 150} {
		a := matrixOf(hard.Symmetric[T](hard.Random, n))
		x, e, pivots := a.Clone(), make([]T, n), make([]int, n)
		for _, uplo := range triangles {
			call := func(o *Opts[T]) {
				x.Copy(a)
				if err := LDL(uplo, x, e, pivots, o); err != nil {
					t.Error(err)
				}
			}
			checkWork(t, "LDL", LDLWork[T](n, 1), func(o *Opts[T]) []Matrix[T] {
				call(o)
				return []Matrix[T]{x.Clone(), MatrixOf(n, 1, append([]T(nil), e...))}
			}, call)
			o := &Opts[T]{Threads: 1, Work: make([]T, max(LDLSolveWork[T](n, 2, 1), ConditionWork[T](n)))}
			b := NewMatrix[T](n, 2)
			if k := testing.AllocsPerRun(3, func() {
				LDLSolve(uplo, x, e, pivots, b, o)
				LDLSolveVec(uplo, x, e, pivots, b.Data[:n], o)
				LDLInertia(x, e)
				LDLCondition(uplo, x, e, pivots, 1, o)
			}); k != 0 {
				t.Errorf("%v allocations", k)
			}
		}
	}
}
