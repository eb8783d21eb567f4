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

// eigenLimit is what the tests allow each residual.
const eigenLimit = 10

// widened returns a in float64, both triangles.
func widened[T Float](a Matrix[T]) Matrix[float64] {
	w := NewMatrix[float64](a.Rows, a.Cols)
	for i := range a.Rows {
		for j, v := range a.Row(i) {
			w.Set(i, j, float64(v))
		}
	}
	return w
}

// residualsOf measures a decomposition as LAPACK's testers do, in float64:
// ‖A·V − V·Λ‖₁/(n·ε·‖A‖₁), which for all vectors is ‖A − V·Λ·Vᵀ‖ up to the error of
// orthogonality, and ‖VᵀV − I‖₁/(n·ε).
func residualsOf[T Float](a Matrix[float64], values []T, v Matrix[T]) (residual, orthogonality float64) {
	n, k := a.Rows, v.Cols
	if k == 0 {
		return 0, 0
	}
	eps := hard.Epsilon[T]()
	vd := widened(v)
	r := vd.Clone()
	for i := range n {
		row := r.Row(i)
		for j := range row {
			row[j] *= float64(values[j])
		}
	}
	Gemm(blas.NoTrans, blas.NoTrans, 1, a, vd, -1, r, nil)
	g := NewMatrix[float64](k, k)
	for i := range k {
		g.Set(i, i, -1)
	}
	Gemm(blas.Trans, blas.NoTrans, 1, vd, vd, 1, g, nil)
	// An eigenvalue that is subnormal is rounded to a multiple of the least number.
	return Norm1(r, nil) / (float64(n)*eps*Norm1(a, nil) + math.Sqrt(float64(n))*hard.Tiny[T]()), Norm1(g, nil) / (float64(n) * eps)
}

// valueError returns the largest difference of eigenvalues divided by ε·‖A‖₂.
func valueError[T, U Float](got []T, want []U) (worst float64) {
	if len(want) == 0 {
		return 0
	}
	scale := max(math.Abs(float64(want[0])), math.Abs(float64(want[len(want)-1])))
	for i, w := range want {
		if d := math.Abs(float64(got[i]) - float64(w)); !(d <= worst) {
			worst = d
		}
	}
	return worst / (hard.Epsilon[T]()*scale + hard.Tiny[T]())
}

// eigenOrders are the orders of the tests of accuracy, around all block sizes.
func eigenOrders(short bool) (orders []int) {
	for n := range 131 {
		if !short || n < 20 || n%13 == 0 {
			orders = append(orders, n)
		}
	}
	if !short {
		orders = append(orders, 255, 256, 257, 511, 1000)
	}
	return orders
}

func TestEigenSymOnHardMatrices(t *testing.T) {
	both(t, testEigenSymHard[float32], testEigenSymHard[float64])
}

// testEigenSymHard prints the worst ratios of each class. The eigenvalues are compared
// with those that are known, or else in float32 with those in float64.
func testEigenSymHard[T Float](t *testing.T) {
	for _, c := range hard.Classes() {
		var residual, orthogonality, value, only float64
		for _, n := range eigenOrders(testing.Short()) {
			h := hard.Symmetric[T](c, n)
			a := MatrixOf(n, n, h.Data)
			values, vectors := make([]T, n), NewMatrix[T](n, n)
			if err := EigenSym(blas.Lower, a, values, vectors, nil); err != nil {
				t.Fatalf("%v n=%d: %v", c, n, err)
			}
			alone := make([]T, n)
			if err := EigenSymValues(blas.Upper, a, alone, nil); err != nil {
				t.Fatalf("%v n=%d: %v", c, n, err)
			}
			if !slices.IsSorted(values) || !slices.IsSorted(alone) {
				t.Errorf("%v n=%d: eigenvalues are not sorted", c, n)
			}
			a64 := widened(a)
			want := h.Values
			if want == nil && hard.Epsilon[T]() > 1e-10 && n <= 257 {
				want = make([]float64, n)
				if err := EigenSymValues(blas.Lower, a64, want, nil); err != nil {
					t.Fatal(err)
				}
			}
			r, o := residualsOf(a64, values, vectors)
			v, w := valueError(values, want), valueError(alone, values)
			if want != nil {
				w = valueError(alone, want)
			}
			if !(max(r, o, v, w) <= eigenLimit) {
				t.Errorf("%v n=%d: residual %.3g, orthogonality %.3g, eigenvalues %.3g, alone %.3g", c, n, r, o, v, w)
			}
			residual, orthogonality, value, only = max(residual, r), max(orthogonality, o), max(value, v), max(only, w)
		}
		t.Logf("%-22v residual %5.3f  orthogonality %5.3f  eigenvalues %5.2f  alone %5.2f", c, residual, orthogonality, value, only)
	}
}

func TestEigenSymRange(t *testing.T) { both(t, testEigenSymRange[float32], testEigenSymRange[float64]) }

func testEigenSymRange[T Float](t *testing.T) {
	for _, n := range []int{1, 2, 17, 40, 130, 257} {
		if testing.Short() && n > 100 {
			continue
		}
		for _, c := range hard.Classes() {
			a := MatrixOf(n, n, hard.Symmetric[T](c, n).Data)
			all, v := make([]T, n), NewMatrix[T](n, n)
			if err := EigenSym(blas.Lower, a, all, v, nil); err != nil {
				t.Fatal(err)
			}
			k := max(1, n/5)
			for _, r := range []window{{0, k}, {n - k, n}, {n / 3, n/3 + k}, {n / 2, n / 2}, {0, n}} {
				name := fmt.Sprintf("%v n=%d [%d, %d)", c, n, r.lo, r.hi)
				values, vectors := make([]T, r.hi-r.lo), NewMatrix[T](n, r.hi-r.lo)
				if err := EigenSymRange(blas.Lower, a, r.lo, r.hi, values, vectors, nil); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				equalBits(t, name, values, all[r.lo:r.hi])
				res, o := residualsOf(widened(a), values, vectors)
				if !(max(res, o) <= eigenLimit) {
					t.Errorf("%s: residual %.3g, orthogonality %.3g", name, res, o)
				}
			}
		}
	}
}

// eigenCall is an operation of this family as a function of one output matrix, whose
// first row takes the eigenvalues.
type eigenCall[T Float] struct {
	work func(n, threads int) int
	call func(out Matrix[T], o *Opts[T])
}

// eigenCalls returns all operations on a, and an output matrix that has an approximate
// eigenbasis.
func eigenCalls[T Float](a Matrix[T]) (calls map[string]eigenCall[T], start Matrix[T]) {
	n := a.Rows
	type entry = eigenCall[T]
	must := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	start = draw[T](7, n+1, n, 3)
	basis := start.View(1, 0, n, n)
	must(EigenSym(blas.Lower, a, make([]T, n), basis, nil))
	for i := range n { // turn pairs of columns by a few degrees
		row := basis.Row(i)
		for j := 0; j+1 < n; j += 2 {
			row[j], row[j+1] = (24*row[j]+7*row[j+1])/25, (24*row[j+1]-7*row[j])/25
		}
	}
	calls = map[string]entry{
		"RayleighQuotients": {RayleighQuotientsWork[T], func(out Matrix[T], o *Opts[T]) {
			off, err := RayleighQuotients(blas.Lower, a, basis, out.Row(0), o)
			must(err)
			out.Set(1, 0, off)
		}},
		"EigenSymRefresh": {EigenSymRefreshWork[T], func(out Matrix[T], o *Opts[T]) {
			off, err := EigenSymRefresh(blas.Upper, a, out.Row(0), out.View(1, 0, n, n), o)
			must(err)
			out.Set(1, 0, off)
		}},
		"EigenSymRefine": {EigenSymRefineWork[T], func(out Matrix[T], o *Opts[T]) {
			must(EigenSymRefine(blas.Upper, a, out.Row(0), out.View(1, 0, n, n), o))
		}},
		"EigenSym": {EigenSymWork[T], func(out Matrix[T], o *Opts[T]) {
			must(EigenSym(blas.Lower, a, out.Row(0), out.View(1, 0, n, n), o))
		}},
		"EigenSymValues": {EigenSymValuesWork[T], func(out Matrix[T], o *Opts[T]) {
			must(EigenSymValues(blas.Upper, a, out.Row(0), o))
		}},
		"EigenSymRange": {func(n, threads int) int { return EigenSymRangeWork[T](n, n/3, threads) }, func(out Matrix[T], o *Opts[T]) {
			must(EigenSymRange(blas.Upper, a, n-n/3, n, out.Row(0)[:n/3], out.View(1, 0, n, n/3), o))
		}},
	}
	return calls, start
}

func TestEigenSymThreadsAndWorkspace(t *testing.T) {
	both(t, testEigenSymThreads[float32], testEigenSymThreads[float64])
}

// testEigenSymThreads compares threads and workspaces bit for bit.
func testEigenSymThreads[T Float](t *testing.T) {
	for _, n := range []int{3, 16, 17, 75, 200, 470} {
		if testing.Short() && n > 100 {
			continue
		}
		a := MatrixOf(n, n, hard.Symmetric[T](hard.Random, n).Data)
		calls, start := eigenCalls(a)
		for name, c := range calls {
			want := cloneData(start)
			c.call(want, &Opts[T]{Threads: 1})
			for threads := 1; threads <= 3; threads++ {
				checkWorkspace(t, fmt.Sprintf("%s n=%d", name, n), threads, c.work(n, threads), start, c.call)
				got := cloneData(start)
				c.call(got, &Opts[T]{Threads: threads})
				if !sameBits(got, want) {
					t.Errorf("%s n=%d: %d threads give other bits than one", name, n, threads)
				}
			}
		}
	}
}

func TestEigenSymDoesNotAllocate(t *testing.T) {
	const n = 100
	a := MatrixOf(n, n, hard.Symmetric[float64](hard.Random, n).Data)
	calls, start := eigenCalls(a)
	for name, c := range calls {
		out := cloneData(start)
		o := &Opts[float64]{Threads: 1, Work: make([]float64, c.work(n, 1))}
		if got := testing.AllocsPerRun(5, func() { c.call(out, o) }); got != 0 {
			t.Errorf("%s allocates %v times", name, got)
		}
	}
}

func TestEigenSymReadsOneTriangle(t *testing.T) {
	both(t, testEigenSymTriangle[float32], testEigenSymTriangle[float64])
}

func testEigenSymTriangle[T Float](t *testing.T) {
	for _, n := range []int{1, 5, 33, 70, 131} {
		full := MatrixOf(n, n, hard.Symmetric[T](hard.Random, n).Data)
		want := NewMatrix[T](n+1, n)
		if err := EigenSym(blas.Lower, full, want.Row(0), want.View(1, 0, n, n), nil); err != nil {
			t.Fatal(err)
		}
		for _, uplo := range []blas.Uplo{blas.Lower, blas.Upper} {
			a := draw[T](3, n, n, 2)
			for i := range n {
				for j := range n {
					a.Set(i, j, full.At(i, j))
					if !inTriangle(uplo, i, j) {
						a.Set(i, j, T(math.NaN()))
					}
				}
			}
			before := cloneData(a)
			got := NewMatrix[T](n+1, n)
			if err := EigenSym(uplo, a, got.Row(0), got.View(1, 0, n, n), nil); err != nil {
				t.Fatalf("n=%d %c: %v", n, uplo, err)
			}
			if !sameBits(got, want) {
				t.Errorf("n=%d: the triangles give other bits", n)
			}
			if !sameBits(a, before) {
				t.Errorf("n=%d %c: a is modified", n, uplo)
			}
		}
	}
}

func TestEigenSymFindsNonFinite(t *testing.T) {
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		for _, at := range [][2]int{{0, 0}, {9, 3}, {39, 39}, {39, 0}} {
			const n = 40
			a := MatrixOf(n, n, hard.Symmetric[float64](hard.Random, n).Data)
			a.Set(at[0], at[1], bad)
			values, vectors := filled(n, 5.), NewMatrix[float64](n, n)
			vectors.Fill(5)
			err := EigenSym(blas.Lower, a, values, vectors, nil)
			var nonFinite *NonFiniteError
			if !errors.As(err, &nonFinite) || nonFinite.Where != fmt.Sprintf("row %d of a", at[0]) {
				t.Errorf("%v at %v: error %v", bad, at, err)
			}
			equalBits(t, "values", values, filled(n, 5.))
			equalBits(t, "vectors", vectors.Data, filled(n*n, 5.))
			if err := EigenSym(blas.Upper, a, values, vectors, nil); (err != nil) != (at[0] == at[1]) {
				t.Errorf("%v at %v, other triangle: error %v", bad, at, err)
			}
		}
	}
}

func TestEigenSymPanics(t *testing.T) {
	a, values := NewMatrix[float64](3, 3), make([]float64, 3)
	v := NewMatrix[float64](3, 3)
	for text, f := range map[string]func(){
		"dense: EigenSym: a is 3x2, want square":         func() { EigenSym(blas.Lower, a.View(0, 0, 3, 2), values, v, nil) },
		"dense: EigenSym: values has 2 elements, want 3": func() { EigenSym(blas.Lower, a, values[:2], v, nil) },
		"dense: EigenSym: vectors is 3x2, want 3x3":      func() { EigenSym(blas.Lower, a, values, v.View(0, 0, 3, 2), nil) },
		"dense: EigenSym: vectors overlaps a":            func() { EigenSym(blas.Lower, a, values, a, nil) },
		"dense: EigenSym: values overlaps a":             func() { EigenSym(blas.Lower, a, a.Row(1), v, nil) },
		"dense: EigenSym: vectors overlaps values":       func() { EigenSym(blas.Lower, a, v.Row(1), v, nil) },
		"dense: EigenSym: unknown triangle 'x'":          func() { EigenSym('x', a, values, v, nil) },
		"dense: EigenSymRange: eigenvalues 2 to 1 of 3":  func() { EigenSymRange(blas.Lower, a, 2, 1, nil, v, nil) },
		"dense: EigenSymRange: eigenvalues 0 to 4 of 3":  func() { EigenSymRange(blas.Lower, a, 0, 4, values, v, nil) },
		"dense: EigenSymValues: values has 1 elements, want 3": func() {
			EigenSymValues(blas.Lower, a, values[:1], nil)
		},
	} {
		wantPanic(t, text, f)
	}
}
