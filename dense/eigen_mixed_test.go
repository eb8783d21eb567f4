package dense

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/precond-go/precond/internal/hard"
	"gonum.org/v1/gonum/blas"
)

// TestEigenSymMixed compares with EigenSym of the same matrix in float64.
func TestEigenSymMixed(t *testing.T) {
	for _, c := range hard.Classes() {
		for _, n := range []int{0, 1, 2, 3, 16, 17, 33, 66, 131, 257} {
			if testing.Short() && n > 100 {
				continue
			}
			name := fmt.Sprintf("%v n=%d", c, n)
			a := MatrixOf(n, n, hard.Symmetric[float32](c, n).Data)
			wide := widened(a)
			want, got, v := make([]float64, n), make([]float64, n), NewMatrix[float32](n, n)
			if err := EigenSym(blas.Lower, wide, want, NewMatrix[float64](n, n), nil); err != nil {
				t.Fatal(err)
			}
			uplo := []blas.Uplo{blas.Lower, blas.Upper}[n%2]
			if err := EigenSymMixed(uplo, a, got, v, nil); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			narrow := make([]float32, n)
			for i, x := range got {
				narrow[i] = float32(x)
			}
			r, o := residualsOf(wide, narrow, v)
			if d := valueError(got, want); !(max(r, o, d) <= eigenLimit) {
				t.Errorf("%s: residual %.3g, orthogonality %.3g, eigenvalues %.3g", name, r, o, d)
			}
		}
	}
}

// TestEigenSymMixedVectors compares the vectors of small eigenvalues, which EigenSym in
// float32 knows nothing of, with those of float64.
func TestEigenSymMixedVectors(t *testing.T) {
	const n = 120
	a := MatrixOf(n, n, hard.SPD[float32](hard.Graded, n).Data)
	w64, v64 := make([]float64, n), NewMatrix[float64](n, n)
	if err := EigenSym(blas.Lower, widened(a), w64, v64, nil); err != nil {
		t.Fatal(err)
	}
	w, v := make([]float64, n), NewMatrix[float32](n, n)
	if err := EigenSymMixed(blas.Lower, a, w, v, nil); err != nil {
		t.Fatal(err)
	}
	compared := 0
	for j := 1; j+1 < n; j++ {
		gap := min(w64[j]-w64[j-1], w64[j+1]-w64[j])
		if gap < 1e-12 {
			continue
		}
		compared++
		dot := 0.
		for i := range n {
			dot += float64(v.At(i, j)) * v64.At(i, j)
		}
		worst := 0.
		for i := range n {
			worst = max(worst, math.Abs(float64(v.At(i, j))-math.Copysign(v64.At(i, j), dot*v64.At(i, j))))
		}
		if !(worst <= 8*0x1p-23) {
			t.Errorf("vector %d of eigenvalue %g: error %.3g", j, w64[j], worst)
		}
	}
	if compared < 30 {
		t.Fatalf("%d vectors compared", compared)
	}
}

func TestEigenSymMixedArguments(t *testing.T) {
	const n = 200
	a := MatrixOf(n, n, hard.Symmetric[float32](hard.Random, n).Data)
	var first []float32
	for _, threads := range []int{1, 2, 3} {
		w, v := make([]float64, n), NewMatrix[float32](n, n)
		work := make([]float32, EigenSymMixedWork(n, threads))
		for i := range work {
			work[i] = float32(math.NaN())
		}
		o := &Opts[float32]{Threads: threads, Work: work}
		if err := EigenSymMixed(blas.Lower, a, w, v, o); err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = v.Data
		}
		equalBits(t, "vectors", v.Data, first)
		if k := testing.AllocsPerRun(1, func() { _ = EigenSymMixed(blas.Lower, a, w, v, o) }); k != 0 {
			t.Errorf("%v allocations on %d threads", k, threads)
		}
		func() {
			defer func() {
				if recover() == nil {
					t.Error("no panic for a workspace that is too short")
				}
			}()
			_ = EigenSymMixed(blas.Lower, a, w, v, &Opts[float32]{Threads: threads, Work: work[1:]})
		}()
	}
	bad := a.Clone()
	bad.Set(3, 2, float32(math.Inf(1)))
	w, v := make([]float64, n), NewMatrix[float32](n, n)
	var nonFinite *NonFiniteError
	if err := EigenSymMixed(blas.Lower, bad, w, v, nil); !errors.As(err, &nonFinite) {
		t.Errorf("error %v", err)
	}
	if slices.ContainsFunc(w, func(x float64) bool { return x != 0 }) {
		t.Error("values were written")
	}
}
