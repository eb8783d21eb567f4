package gonumblas_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/gonumblas"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/blas/gonum"
	"gonum.org/v1/gonum/mat"
)

var impl gonumblas.Implementation

// strided returns the elements of x at the distance inc, in reverse if inc < 0,
// with NaN between them.
func strided(x []float64, inc int) []float64 {
	step := max(inc, -inc)
	out := make([]float64, (len(x)-1)*step+1)
	for i := range out {
		out[i] = math.NaN()
	}
	for i, v := range x {
		j := i * step
		if inc < 0 {
			j = len(out) - 1 - j
		}
		out[j] = v
	}
	return out
}

func noise(n int, seed uint64) []float64 {
	x := make([]float64, n)
	for i := range x {
		seed = seed*6364136223846793005 + 1442695040888963407
		x[i] = float64(int64(seed)>>11) / (1 << 52)
	}
	return x
}

// A vector with an increment gives the bits of the same elements in a row.
func TestIncrementsDoNotChangeBits(t *testing.T) {
	for _, n := range []int{1, 2, 31, 33, 100, asm.Chunk + 7} {
		x, y := noise(n, 1), noise(n, 2)
		for _, inc := range [][2]int{{1, 2}, {2, 1}, {3, 3}, {-1, 1}, {-1, -2}, {2, -3}} {
			xs, ys := strided(x, inc[0]), strided(y, inc[1])
			if got, want := impl.Ddot(n, xs, inc[0], ys, inc[1]), impl.Ddot(n, x, 1, y, 1); got != want {
				t.Errorf("Ddot n=%d %v: %v, want %v", n, inc, got, want)
			}
			if got, want := impl.Dnrm2(n, strided(x, 3), 3), impl.Dnrm2(n, x, 1); got != want {
				t.Errorf("Dnrm2 n=%d: %v, want %v", n, got, want)
			}
			if got, want := impl.Dasum(n, strided(x, 2), 2), impl.Dasum(n, x, 1); got != want {
				t.Errorf("Dasum n=%d: %v, want %v", n, got, want)
			}
			same := func(name string, got, want []float64, inc int) {
				t.Helper()
				for i, v := range strided(want, inc) {
					if g := got[i]; g != v && (g == g || v == v) {
						t.Fatalf("%s n=%d %v: element %d is %v, want %v", name, n, inc, i, g, v)
					}
				}
			}
			want := append([]float64(nil), y...)
			impl.Daxpy(n, 0.3, x, 1, want, 1)
			got := append([]float64(nil), ys...)
			impl.Daxpy(n, 0.3, xs, inc[0], got, inc[1])
			same("Daxpy", got, want, inc[1])

			wantX, gotX := append([]float64(nil), x...), append([]float64(nil), xs...)
			impl.Drot(n, wantX, 1, want, 1, 0.6, 0.8)
			impl.Drot(n, gotX, inc[0], got, inc[1], 0.6, 0.8)
			same("Drot x", gotX, wantX, inc[0])
			same("Drot y", got, want, inc[1])
			if n > 100 {
				continue
			}
			a := noise(n*n, 3)
			for _, tA := range []blas.Transpose{blas.NoTrans, blas.Trans} {
				impl.Dgemv(tA, n, n, 0.3, a, n, x, 1, 0.7, want, 1)
				impl.Dgemv(tA, n, n, 0.3, a, n, xs, inc[0], 0.7, got, inc[1])
				same("Dgemv", got, want, inc[1])
			}
		}
	}
}

func TestSingleInDouble(t *testing.T) {
	// 2¹³+1 squared, 67125249, is no single precision number, and the sum cancels;
	// what is subtracted is 67125248.
	x, y := []float32{8193, 1, 67125249}, []float32{8193, 0.5, -1}
	if got := impl.Dsdot(3, x, 1, y, 1); got != 1.5 {
		t.Errorf("Dsdot: %v, want 1.5", got)
	}
	if got := impl.Sdsdot(2, 1, x[1:], 1, y[1:], -1); got != 1+float32(67125248*0.5-1) {
		t.Errorf("Sdsdot: %v", got)
	}
}

// Operands of level 1 that overlap are worked off one element after the other.
func TestOverlapInLevel1(t *testing.T) {
	x := []float64{1, 2, 3, 4, 5}
	impl.Daxpy(4, 1, x, 1, x[1:], 1)
	if want := []float64{1, 3, 6, 10, 15}; fmt.Sprint(x) != fmt.Sprint(want) {
		t.Errorf("Daxpy on itself: %v, want %v", x, want)
	}
	x = []float64{1, 2, 3, 4, 5}
	impl.Daxpy(5, 1, x, 1, x, 1)
	if want := []float64{2, 4, 6, 8, 10}; fmt.Sprint(x) != fmt.Sprint(want) {
		t.Errorf("Daxpy of a vector to itself: %v, want %v", x, want)
	}
	impl.Dswap(3, x, 1, x[1:], 1)
	if want := []float64{4, 6, 8, 2, 10}; fmt.Sprint(x) != fmt.Sprint(want) {
		t.Errorf("Dswap on itself: %v, want %v", x, want)
	}
}

// A zero alpha means that x is not read.
func TestZeroAlpha(t *testing.T) {
	nan := []float64{math.NaN(), math.NaN(), math.NaN()}
	for inc := 1; inc <= 2; inc++ {
		y := []float64{1, 2, 3}
		impl.Daxpy(2, 0, nan, inc, y, 1)
		impl.Dgemv(blas.NoTrans, 2, 2, 0, append(nan, 1), 2, nan, inc, 1, y, 1)
		impl.Dger(1, 2, 0, nan, inc, nan, inc, y, 2)
		if fmt.Sprint(y) != "[1 2 3]" {
			t.Errorf("increment %d: y is %v, want [1 2 3]", inc, y)
		}
	}
}

func TestAllocations(t *testing.T) {
	const n = 100
	a, b, c := noise(n*n, 1), noise(n*n, 2), noise(n*n, 3)
	x, y := noise(2*n, 4), noise(2*n, 5)
	big, big2 := noise(1<<18, 6), noise(1<<18, 7)
	for name, f := range map[string]func(){
		"Ddot":          func() { impl.Ddot(n, x, 1, y, 1) },
		"Ddot strided":  func() { impl.Ddot(n, x, 2, y, -2) },
		"Ddot large":    func() { impl.Ddot(1<<18, big, 1, big2, 1) },
		"Dnrm2 strided": func() { impl.Dnrm2(n, x, 2) },
		"Daxpy":         func() { impl.Daxpy(n, 0.1, x, 1, y, 2) },
		"Daxpy large":   func() { impl.Daxpy(1<<18, 0.1, big, 1, big2, 1) },
		"Dgemv":         func() { impl.Dgemv(blas.NoTrans, n, n, 1, a, n, x, 2, 0, y, 2) },
		"Dgemv large":   func() { impl.Dgemv(blas.Trans, 512, 512, 1, big, 512, big2, 1, 0, c, 1) },
		"Dger":          func() { impl.Dger(n, n, 1, x, 1, y, 2, a, n) },
		"Dsymv":         func() { impl.Dsymv(blas.Lower, n, 1, a, n, x, 1, 0, y, 2) },
		"Dsymv large":   func() { impl.Dsymv(blas.Lower, 512, 1, big, 512, big2, 1, 0, c, 1) },
		"Dsyr":          func() { impl.Dsyr(blas.Upper, n, 1e-9, x, 2, a, n) },
		"Dtrsv":         func() { impl.Dtrsv(blas.Upper, blas.Trans, blas.Unit, n, a, n, x, 2) },
		"Dgemm":         func() { impl.Dgemm(blas.NoTrans, blas.Trans, n, n, n, 1, a, n, b, n, 0, c, n) },
		"Dsyrk":         func() { impl.Dsyrk(blas.Lower, blas.Trans, n, n, 1, a, n, 0, c, n) },
		"Dtrsm":         func() { impl.Dtrsm(blas.Left, blas.Lower, blas.NoTrans, blas.Unit, n, n, 1, a, n, c, n) },
	} {
		if got := testing.AllocsPerRun(50, f); got != 0 {
			t.Errorf("%s: %v allocations per call, want 0", name, got)
		}
	}
}

// A program on gonum's mat gives the same with this implementation, up to rounding.
func TestMat(t *testing.T) {
	defer blas64.Use(gonum.Implementation{})
	const n = 200
	a, b := mat.NewDense(n, n, noise(n*n, 1)), mat.NewDense(n, 3, noise(3*n, 2))
	run := func() (out []*mat.Dense) {
		var product, gram, solved, least mat.Dense
		product.Mul(a, a.T())
		out = append(out, &product)

		spd := mat.NewSymDense(n, nil)
		spd.SymOuterK(1, a)
		for i := range n {
			spd.SetSym(i, i, spd.At(i, i)+1)
		}
		gram.CloneFrom(spd)
		var chol mat.Cholesky
		if !chol.Factorize(spd) {
			t.Fatal("Cholesky: not positive definite")
		}
		if err := chol.SolveTo(&solved, b); err != nil {
			t.Fatal(err)
		}
		var qr mat.QR
		qr.Factorize(a.Slice(0, n, 0, n/2))
		if err := qr.SolveTo(&least, false, b); err != nil {
			t.Fatal(err)
		}
		var residual mat.Dense // A'(Ax − b) is 0 at the least squares solution
		residual.Mul(a.Slice(0, n, 0, n/2), &least)
		residual.Sub(&residual, b)
		var normal mat.Dense
		normal.Mul(a.Slice(0, n, 0, n/2).T(), &residual)
		if worst := mat.Norm(&normal, math.Inf(1)); !(worst < 1e-10) {
			t.Errorf("QR: A'(Ax-b) is %g", worst)
		}
		return append(out, &gram, &solved, &least)
	}
	blas64.Use(gonum.Implementation{})
	want := run()
	blas64.Use(gonumblas.Implementation{})
	got := run()
	for i := range want {
		if !mat.EqualApprox(got[i], want[i], 1e-10) {
			t.Errorf("result %d differs from gonum's", i)
		}
	}
}
