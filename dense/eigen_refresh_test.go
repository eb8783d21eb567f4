package dense

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/precond-go/precond/internal/hard"
	"gonum.org/v1/gonum/blas"
)

// changed returns a and an orthonormal eigenbasis of it, then changes a by delta times
// its norm.
func changed[T Float](t *testing.T, c hard.Class, n int, delta float64) (a, v Matrix[T]) {
	t.Helper()
	a, v = MatrixOf(n, n, hard.Symmetric[T](c, n).Data), NewMatrix[T](n, n)
	values := make([]T, n)
	if err := EigenSym(blas.Lower, a, values, v, nil); err != nil {
		t.Fatal(err)
	}
	e := MatrixOf(n, n, hard.Symmetric[T](hard.Random, n+1).Data[:n*n])
	f := delta * float64(NormFrobenius(a, nil)) / float64(NormFrobenius(e, nil))
	if f == 0 {
		return a, v
	}
	for i := range n {
		for j := range i + 1 {
			x := a.At(i, j) + T(f*float64(e.At(i, j)+e.At(j, i))/math.Sqrt2)
			a.Set(i, j, x)
			a.Set(j, i, x)
		}
	}
	return a, v
}

// offMass computes the relative off-diagonal mass of VᵀAV in float64.
func offMass[T Float](a, v Matrix[T]) float64 {
	n := a.Rows
	vd, y, b := widened(v), NewMatrix[float64](n, n), NewMatrix[float64](n, n)
	Gemm(blas.NoTrans, blas.NoTrans, 1, widened(a), vd, 0, y, nil)
	Gemm(blas.Trans, blas.NoTrans, 1, vd, y, 0, b, nil)
	all := NormFrobenius(b, nil)
	if all == 0 {
		return 0
	}
	for i := range n {
		b.Set(i, i, 0)
	}
	return NormFrobenius(b, nil) / all
}

func TestEigenSymRefresh(t *testing.T) {
	both(t, testEigenSymRefresh[float32], testEigenSymRefresh[float64])
}

func testEigenSymRefresh[T Float](t *testing.T) {
	eps := hard.Epsilon[T]()
	for _, n := range []int{1, 2, 5, 33, 100, 128, 129, 200} {
		for _, c := range []hard.Class{hard.Random, hard.Tridiagonal, hard.Clustered} {
			name := fmt.Sprintf("%v n=%d", c, n)
			a, v := changed[T](t, c, n, 0.01)
			values := make([]T, n)
			want := offMass(a, v)
			off, err := RayleighQuotients(blas.Upper, a, v, values, nil)
			if err != nil || !(math.Abs(float64(off)-want) <= math.Sqrt(40*float64(n)*eps)) {
				t.Errorf("%s: off-diagonal mass is %.4g, want %.4g (%v)", name, off, want, err)
			}
			for i := range n { // the quotients themselves
				sum := 0.
				for p := range n {
					for q := range n {
						sum += float64(v.At(p, i)) * float64(a.At(p, q)) * float64(v.At(q, i))
					}
				}
				if d := math.Abs(sum - float64(values[i])); !(d <= 10*float64(n)*eps*float64(NormFrobenius(a, nil))) {
					t.Fatalf("%s: quotient %d is %v, want %v", name, i, values[i], sum)
				}
			}
			off, err = EigenSymRefresh(blas.Lower, a, values, v, nil)
			if err != nil || !(math.Abs(float64(off)-want) <= 1e-3*want+20*float64(n)*eps) {
				t.Errorf("%s: EigenSymRefresh found %.4g, want %.4g (%v)", name, off, want, err)
			}
			if after := offMass(a, v); n > 1 && c != hard.Clustered && !(after <= 0.5*want) {
				t.Errorf("%s: off-diagonal mass went from %.3g to %.3g", name, want, after)
			}
			_, orthogonality := residualsOf(widened(a), values, v)
			if !(orthogonality <= eigenLimit) {
				t.Errorf("%s: orthogonality %.3g", name, orthogonality)
			}
		}
	}
}

// TestEigenSymRefreshConverges applies a refresh again and again.
func TestEigenSymRefreshConverges(t *testing.T) {
	const n = 60
	a, v := changed[float64](t, hard.Tridiagonal, n, 0.01)
	values := make([]float64, n)
	for range 5 {
		off, err := EigenSymRefresh(blas.Lower, a, values, v, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("off-diagonal mass %.3g", off)
	}
	r, o := residualsOf(a, values, v)
	if !(max(r, o) <= eigenLimit) {
		t.Errorf("residual %.3g, orthogonality %.3g", r, o)
	}
}

// TestEigenSymRefine takes results in float32 to float64.
func TestEigenSymRefine(t *testing.T) {
	for _, c := range hard.Classes() {
		var residual, orthogonality, value float64
		for _, n := range []int{0, 1, 2, 7, 16, 33, 70, 130, 200} {
			h := hard.Symmetric[float64](c, n)
			a := MatrixOf(n, n, h.Data)
			low, v32 := NewMatrix[float32](n, n), NewMatrix[float32](n, n)
			scale := 1.
			if m := NormMax(a, nil); m > 0 {
				scale = toUnit(m)
			}
			for i, x := range h.Data {
				low.Data[i] = float32(x * scale)
			}
			if err := EigenSym(blas.Lower, low, make([]float32, n), v32, nil); err != nil {
				t.Fatal(err)
			}
			v, values := widened(v32), make([]float64, n)
			if err := EigenSymRefine(blas.Lower, a, values, v, nil); err != nil {
				t.Errorf("%v n=%d: %v", c, n, err)
				continue
			}
			want := make([]float64, n)
			if err := EigenSymValues(blas.Lower, a, want, nil); err != nil {
				t.Fatal(err)
			}
			r, o := residualsOf(a, values, v)
			e := valueError(values, want)
			residual, orthogonality, value = max(residual, r), max(orthogonality, o), max(value, e)
			if !(max(r, o) <= eigenLimit) || !(e <= 2*eigenLimit) {
				t.Errorf("%v n=%d: residual %.3g, orthogonality %.3g, eigenvalues %.3g", c, n, r, o, e)
			}
		}
		t.Logf("%-22v residual %5.3f  orthogonality %5.3f  eigenvalues %5.2f", c, residual, orthogonality, value)
	}
}

// TestEigenSymRefreshKeepsOrthonormality refreshes many times, with the matrix going to and
// fro, so that errors could add up; and begins with columns that are not orthonormal.
func TestEigenSymRefreshKeepsOrthonormality(t *testing.T) {
	both(t, testEigenSymRefreshKeeps[float32], testEigenSymRefreshKeeps[float64])
}

func testEigenSymRefreshKeeps[T Float](t *testing.T) {
	for _, n := range []int{60, 150} {
		a, v := changed[T](t, hard.Random, n, 0.01)
		other, _ := changed[T](t, hard.Random, n, 0.02)
		values := make([]T, n)
		for i := range n { // a triangle, so that the columns are far from orthogonal
			row := v.Row(i)
			for j := 1; j < n; j++ {
				row[j] += row[j-1] / 2
			}
		}
		for k := range 60 {
			if k%2 == 1 {
				a, other = other, a
			}
			if _, err := EigenSymRefresh(blas.Lower, a, values, v, nil); err != nil {
				t.Fatal(err)
			}
			if _, o := residualsOf(widened(a), values, v); !(o <= eigenLimit) {
				t.Fatalf("n=%d: orthogonality %.3g after %d refreshes", n, o, k+1)
			}
		}
		if off := offMass(a, v); !(off <= 0.005) {
			t.Errorf("n=%d: off-diagonal mass %.3g after many refreshes", n, off)
		}
	}
}

func TestEigenSymRefreshErrors(t *testing.T) {
	const n = 20
	a, v := changed[float64](t, hard.Random, n, 0.01)
	values := make([]float64, n)
	basis := v.Clone()
	calls := map[string]func(a, v Matrix[float64]) error{
		"EigenSymRefresh": func(a, v Matrix[float64]) error {
			_, err := EigenSymRefresh(blas.Lower, a, values, v, nil)
			return err
		},
		"EigenSymRefine": func(a, v Matrix[float64]) error { return EigenSymRefine(blas.Lower, a, values, v, nil) },
		"RayleighQuotients": func(a, v Matrix[float64]) error {
			_, err := RayleighQuotients(blas.Lower, a, v, values, nil)
			return err
		},
	}
	for name, call := range calls {
		bad := a.Clone()
		bad.Set(7, 3, math.Inf(1))
		var nonFinite *NonFiniteError
		if err := call(bad, v); !errors.As(err, &nonFinite) || nonFinite.Where != "row 7 of a" {
			t.Errorf("%s: error %v", name, err)
		}
		wantPanic(t, "dense: "+name+": vectors is 20x19, want 20x20", func() { call(a, v.View(0, 0, n, n-1)) })
		wantPanic(t, "dense: "+name+": a is 20x19, want square", func() { call(a.View(0, 0, n, n-1), v) })
		if name == "RayleighQuotients" {
			continue
		}
		wantPanic(t, "dense: "+name+": vectors overlaps a", func() { call(a, a) })
		v.Set(4, 0, math.NaN())
		if err := call(a, v); !errors.As(err, &nonFinite) || nonFinite.Where != "row 4 of vectors" {
			t.Errorf("%s: error %v", name, err)
		}
		zero := NewMatrix[float64](n, n)
		var notDefinite *NotPositiveDefiniteError
		if err := call(a, zero); !errors.As(err, &notDefinite) || !sameBits(zero, NewMatrix[float64](n, n)) {
			t.Errorf("%s of zero vectors: error %v", name, err)
		}
		v.Copy(basis)
	}
}

// TestEigenSymRefineGivesUp takes a basis that has nothing to do with the matrix.
func TestEigenSymRefineGivesUp(t *testing.T) {
	const n = 40
	a, _ := changed[float64](t, hard.Random, n, 0)
	v := NewMatrix[float64](n, n)
	for i := range n {
		v.Set(i, n-1-i, 1)
	}
	values := make([]float64, n)
	err := EigenSymRefine(blas.Lower, a, values, v, nil)
	if err == nil { // all columns were taken together
		r, o := residualsOf(a, values, v)
		if !(max(r, o) <= eigenLimit) {
			t.Errorf("residual %.3g, orthogonality %.3g and no error", r, o)
		}
		return
	}
	var noConvergence *NoConvergenceError
	if !errors.As(err, &noConvergence) || noConvergence.Iterations != refineSteps || !(noConvergence.Residual > 0) {
		t.Errorf("error %v", err)
	}
}
