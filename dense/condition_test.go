package dense

import (
	"math"
	"testing"

	"github.com/precond-go/precond/internal/hard"
	"gonum.org/v1/gonum/blas"
)

func TestCondition(t *testing.T) { both(t, testCondition[float32], testCondition[float64]) }

// testCondition compares estimates with the norm of the inverse: at least the
// reciprocal condition number, and rarely more than three times as much.
func testCondition[T Float](t *testing.T) {
	far, all := 0, 0
	check := func(name string, c hard.Class, n int, norm, inverse, got float64) {
		t.Helper()
		want := 1 / norm / inverse
		if want < 100*float64(n)*epsilonOf[T]() {
			if !(got <= 1000*float64(n)*epsilonOf[T]()) {
				t.Errorf("%s %v n=%d: %g, want about %g", name, c, n, got, want)
			}
			return // so ill-conditioned that the inverse says little
		}
		all++
		if got > 3*want {
			far++
		}
		if !(got >= want*0.9) || !(got <= 20*want) {
			t.Errorf("%s %v n=%d: %g, want %g", name, c, n, got, want)
		}
	}
	for _, c := range hard.Classes() {
		if c == hard.NearOverflow || c == hard.NearUnderflow || c == hard.Denormal {
			continue // the same matrices as Random
		}
		for _, n := range []int{1, 2, 3, 10, 37, 100} {
			if c.Definite() {
				a := matrixOf(hard.SPD[T](c, n))
				norm := Norm1Symmetric(blas.Lower, a, nil)
				if up, full := Norm1Symmetric(blas.Upper, a, nil), Norm1(a, nil); !(math.Abs(float64(norm-full)) <= 8*epsilonOf[T]()*float64(full)) || !(math.Abs(float64(up-full)) <= 8*epsilonOf[T]()*float64(full)) {
					t.Errorf("%v n=%d: norms %v, %v, want %v", c, n, norm, up, full)
				}
				if err := Cholesky(blas.Lower, a, nil); err != nil {
					t.Fatal(err)
				}
				got := CholeskyCondition(blas.Lower, a, norm, nil)
				if err := CholeskyInverse(blas.Lower, a, nil); err != nil {
					t.Fatal(err)
				}
				check("CholeskyCondition", c, n, float64(norm), float64(Norm1Symmetric(blas.Lower, a, nil)), float64(got))
			}
			a := matrixOf(hard.General[T](c, n, n))
			norm, pivots := Norm1(a, nil), make([]int, n)
			if LU(a, pivots, nil) != nil {
				if got := LUCondition(a, pivots, norm, nil); got != 0 {
					t.Errorf("%v n=%d: %v of a singular matrix", c, n, got)
				}
				continue
			}
			got := LUCondition(a, pivots, norm, nil)
			if err := LUInverse(a, pivots, nil); err != nil {
				t.Fatal(err)
			}
			check("LUCondition", c, n, float64(norm), float64(Norm1(a, nil)), float64(got))
		}
	}
	if far > all/20 || all < 50 {
		t.Errorf("%d of %d estimates are off by more than 3", far, all)
	}
}
