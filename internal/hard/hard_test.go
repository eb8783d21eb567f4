package hard

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
)

var orders = []int{0, 1, 2, 3, 4, 5, 8, 21, 22, 30, 43, 64}

// each calls f for every class and order in both types.
func each(t *testing.T, f32, f64 func(t *testing.T, c Class, n int)) {
	for _, c := range Classes() {
		for _, n := range orders {
			t.Run(fmt.Sprintf("%v/n=%d/f32", c, n), func(t *testing.T) { f32(t, c, n) })
			t.Run(fmt.Sprintf("%v/n=%d/f64", c, n), func(t *testing.T) { f64(t, c, n) })
		}
	}
}

func TestSymmetric(t *testing.T) { each(t, testSymmetric[float32], testSymmetric[float64]) }

func testSymmetric[T Float](t *testing.T, c Class, n int) {
	kinds := []func(Class, int) Matrix[T]{Symmetric[T], Semidefinite[T]}
	if c.Definite() {
		kinds = append(kinds, SPD[T])
	}
	for k, kind := range kinds {
		a := kind(c, n)
		if again := kind(c, n); !slices.Equal(a.Data, again.Data) || !slices.Equal(a.Values, again.Values) {
			t.Errorf("kind %d: another matrix the second time", k)
		}
		for i := range n {
			for j := range n {
				if a.Data[i*n+j] != a.Data[j*n+i] {
					t.Fatalf("kind %d: elements (%d, %d) and its mirror image differ", k, i, j)
				}
			}
		}
		checkRange(t, c, a)
		if n > 0 {
			checkEigen(t, c, a, k > 0)
		}
		if k == 2 && !factors(n, slices.Clone(a.Data)) {
			t.Error("an SPD matrix is not definite")
		}
	}
}

// checkRange tests what the class says about the size of elements.
func checkRange[T Float](t *testing.T, c Class, a Matrix[T]) {
	least := math.Ldexp(1, minExp[T]())
	largest, sum, nonzero := 0., 0., 0
	for _, v := range a.Data {
		x := math.Abs(float64(v))
		largest = max(largest, x)
		if x != 0 {
			nonzero++
		}
		x = math.Ldexp(x, -maxExp[T]())
		sum += x * x
	}
	if len(a.Data) == 0 {
		return
	}
	n := float64(max(a.Rows, a.Cols))
	switch c {
	case NearOverflow:
		if !(math.Sqrt(sum) <= 0.5 && math.Sqrt(sum) >= 1/(256*n)) {
			t.Errorf("the Frobenius norm is %g of the largest power of two", math.Sqrt(sum))
		}
	case NearUnderflow:
		if !(largest < 64*least && largest > Tiny[T]()*16) {
			t.Errorf("the largest element is %g of the least normal one", largest/least)
		}
	case Denormal:
		if !(largest < least && nonzero > 0) {
			t.Errorf("the largest element is %g of the least normal one", largest/least)
		}
	default:
		if !(largest > 0 && largest <= max(3*n, 12)) && !(c == Tridiagonal && n == 1) {
			t.Errorf("the largest element is %g", largest)
		}
	}
}

// checkEigen compares Values with eigenvalues of gonum, whose error is the larger one.
func checkEigen[T Float](t *testing.T, c Class, a Matrix[T], semidefinite bool) {
	n, data := a.Rows, make([]float64, len(a.Data))
	factor := 1 / scale[T](c, n)
	for i, v := range a.Data {
		data[i] = float64(v) * factor
	}
	var eig mat.EigenSym
	if !eig.Factorize(mat.NewSymDense(n, data), false) {
		t.Fatal("gonum found no eigenvalues")
	}
	values := eig.Values(nil)
	norm := max(math.Abs(values[0]), values[n-1])
	tol := float64(16+n/4) * norm * max(Epsilon[T](), Tiny[T]()*factor)
	if semidefinite && !(values[0] >= -tol) {
		t.Errorf("eigenvalue %g", values[0])
	}
	if a.Values == nil {
		return
	}
	for i, v := range a.Values {
		if !(math.Abs(v*factor-values[i]) <= tol) {
			t.Fatalf("eigenvalue %d is %g, want %g", i, values[i], v*factor)
		}
	}
}

// factors returns whether a Cholesky factorisation of a goes through.
func factors[T Float](n int, a []T) bool {
	for j := range n {
		for i := j; i < n; i++ {
			for k := range j {
				a[i*n+j] -= a[i*n+k] * a[j*n+k]
			}
			switch {
			case i > j:
				a[i*n+j] /= a[j*n+j]
			case !(a[j*n+j] > 0):
				return false
			default:
				a[j*n+j] = T(math.Sqrt(float64(a[j*n+j])))
			}
		}
	}
	return true
}

func TestGeneral(t *testing.T) { each(t, testGeneral[float32], testGeneral[float64]) }

func testGeneral[T Float](t *testing.T, c Class, n int) {
	for _, m := range []int{n, n/2 + 1, 2 * n} {
		a := General[T](c, m, n)
		if a.Rows != m || a.Cols != n || len(a.Data) != m*n {
			t.Fatalf("%d elements of a %dx%d matrix", len(a.Data), a.Rows, a.Cols)
		}
		if !slices.Equal(a.Data, General[T](c, m, n).Data) {
			t.Error("another matrix the second time")
		}
		checkRange(t, c, a)
		if m == 0 || n == 0 || a.Values == nil {
			continue
		}
		data := make([]float64, m*n)
		factor := 1 / scale[T](c, min(m, n))
		for i, v := range a.Data {
			data[i] = float64(v) * factor
		}
		var svd mat.SVD
		if !svd.Factorize(mat.NewDense(m, n, data), mat.SVDNone) {
			t.Fatal("gonum found no singular values")
		}
		values := svd.Values(nil)
		tol := float64(16+(m+n)/4) * values[0] * max(Epsilon[T](), Tiny[T]()*factor)
		for i, v := range a.Values {
			if !(math.Abs(v*factor-values[i]) <= tol) {
				t.Fatalf("%dx%d: singular value %d is %g, want %g", m, n, i, values[i], v*factor)
			}
		}
	}
}

// TestNames checks that every class has a name of its own.
func TestNames(t *testing.T) {
	seen := map[string]bool{"": true}
	for _, c := range Classes() {
		if seen[c.String()] {
			t.Errorf("class %d is called %q", int(c), c)
		}
		seen[c.String()] = true
	}
}
