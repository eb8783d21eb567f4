package dense

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/precond-go/precond/internal/hard"
	"gonum.org/v1/gonum/blas"
)

// operatorOf returns the operator of a symmetric matrix.
func operatorOf[T Float](a Matrix[T]) func(x, y []T) {
	return func(x, y []T) { Symv(blas.Lower, 1, a, x, 0, y, &Opts[T]{Threads: 1}) }
}

func TestLanczosEigen(t *testing.T) { both(t, testLanczosEigen[float32], testLanczosEigen[float64]) }

// testLanczosEigen compares with EigenSym, and the residuals with those in float64.
func testLanczosEigen[T Float](t *testing.T) {
	eps := epsilonOf[T]()
	for _, c := range hard.Classes() {
		for _, n := range []int{1, 2, 7, 60, 150} {
			for _, selective := range []bool{false, true} {
				end := End(n % 2)
				k := min(n, 4)
				name := fmt.Sprintf("%v n=%d selective=%v", c, n, selective)
				a := matrixOf(hard.Symmetric[T](c, n))
				want := make([]T, n)
				if err := EigenSymValues(blas.Lower, a, want, nil); err != nil {
					t.Fatal(err)
				}
				norm := math.Max(math.Abs(float64(want[0])), math.Abs(float64(want[n-1])))
				values, vectors, residuals := make([]T, k), draw[T](1, n, k, 2), make([]T, k)
				l := LanczosOpts{Steps: n, Selective: selective, Seed: 5}
				_, err := LanczosEigen(operatorOf(a), n, end, values, vectors, residuals, l, nil)
				var limit *NoConvergenceError
				if err != nil && (!errors.As(err, &limit) || !(limit.Residual <= 1000*float64(n)*eps*norm+100*hard.Tiny[T]()*float64(n))) {
					t.Errorf("%s: %v", name, err)
					continue
				}
				bound := float64(10*n) * (eps*norm + hard.Tiny[T]())
				for i := range k {
					w := want[i]
					if end == Largest {
						w = want[n-1-i]
					}
					if e := math.Abs(float64(values[i] - w)); !(e <= 60*eps*norm+bound) {
						t.Errorf("%s: eigenvalue %d is %g, want %g", name, i, values[i], w)
					}
					r := 0.
					for j := range n {
						s := 0.
						for m := range n {
							s += math.Ldexp(float64(a.At(j, m)), -shiftBy(norm)) * float64(vectors.At(m, i))
						}
						s -= math.Ldexp(float64(values[i]), -shiftBy(norm)) * float64(vectors.At(j, i))
						r += s * s
					}
					r = math.Ldexp(math.Sqrt(r), shiftBy(norm))
					if d := math.Abs(r - float64(residuals[i])); !(d <= bound) {
						t.Errorf("%s: residual %g, said to be %g", name, r, residuals[i])
					}
				}
				g := NewMatrix[T](k, k)
				Gemm(blas.Trans, blas.NoTrans, 1, vectors, vectors, 0, g, nil)
				tol := float64(10*n) * eps
				if selective {
					tol = float64(n) * math.Sqrt(eps)
				}
				for i := range k {
					g.Set(i, i, g.At(i, i)-1)
				}
				if e := float64(NormMax(g, nil)); !(e <= tol) {
					t.Errorf("%s: ‖XᵀX − I‖ = %g", name, e)
				}
			}
		}
	}
}

// shiftBy returns a power of two near x.
func shiftBy(x float64) int {
	_, e := math.Frexp(x)
	return e
}

func TestLanczosEnds(t *testing.T) { both(t, testLanczosEnds[float32], testLanczosEnds[float64]) }

func testLanczosEnds[T Float](t *testing.T) {
	n := 300
	diagonal := func(x, y []T) {
		for i := range x {
			y[i] = T(T(i) * x[i])
		}
	}
	values, vectors, residuals := make([]T, 2), NewMatrix[T](n, 2), make([]T, 2)
	// Too few steps: an error, and pairs with their residuals.
	steps, err := LanczosEigen(diagonal, n, Largest, values, vectors, residuals, LanczosOpts{Steps: 9}, nil)
	var limit *NoConvergenceError
	if !errors.As(err, &limit) || steps != 9 || limit.Iterations != 9 || limit.Residual != float64(MaxAbs(residuals, nil)) {
		t.Errorf("%d steps, %v", steps, err)
	}
	if e := T(n-1) - values[0]; !(e >= 0 && e < 100) {
		t.Errorf("largest %g after 9 steps", values[0])
	}
	// A hundredth of the norm is soon reached.
	steps, err = LanczosEigen(diagonal, n, Smallest, values, vectors, residuals, LanczosOpts{Tolerance: 0.01}, nil)
	if err != nil || steps > 100 || !(residuals[1] <= 3.5) || !(values[0] < 5) {
		t.Errorf("%d steps, values %g, residuals %g, %v", steps, values, residuals, err)
	}
	for name, f := range map[string]func(x, y []T){
		"zero":     func(x, y []T) { clear(y) },
		"identity": func(x, y []T) { copy(y, x) },
	} {
		if _, err := LanczosEigen(f, n, Largest, values, vectors, residuals, LanczosOpts{}, nil); err != nil || !(math.Abs(float64(values[0]-values[1])) <= 10*epsilonOf[T]()) {
			t.Errorf("%s: %g, %v", name, values, err)
		}
	}
	for _, bad := range []float64{math.NaN(), math.Inf(1)} {
		calls := 0
		f := func(x, y []T) {
			diagonal(x, y)
			if calls++; calls == 4 {
				y[7] = T(bad)
			}
		}
		var where *NonFiniteError
		if _, err := LanczosEigen(f, n, Largest, values, vectors, residuals, LanczosOpts{}, nil); !errors.As(err, &where) {
			t.Errorf("%g: %v", bad, err)
		}
	}
}

func TestLanczosDensity(t *testing.T) {
	both(t, testLanczosDensity[float32], testLanczosDensity[float64])
}

// testLanczosDensity checks the moments of a density.
func testLanczosDensity[T Float](t *testing.T) {
	for _, n := range []int{1, 2, 40, 400} {
		a := matrixOf(hard.Symmetric[T](hard.Random, n))
		starts, steps := 20, 12
		nodes, weights := make([]T, starts*steps), make([]T, starts*steps)
		used, err := LanczosDensity(operatorOf(a), n, starts, nodes, weights, LanczosOpts{Steps: steps}, nil)
		if err != nil || used > starts*min(n, steps) || used == 0 {
			t.Fatalf("n=%d: %d nodes, %v", n, used, err)
		}
		var got, want [3]float64
		for i, v := range nodes[:used] {
			for p := range got {
				got[p] += float64(weights[i]) * math.Pow(float64(v), float64(p))
			}
		}
		for i := range n {
			want[0]++
			want[1] += float64(a.At(i, i))
			for j := range n {
				want[2] += float64(a.At(i, j)) * float64(a.At(i, j))
			}
		}
		scale := math.Sqrt(want[2] / float64(n))
		for p := range got {
			tol := 6 * math.Pow(scale, float64(p)) / math.Sqrt(float64(n*starts))
			if p == 0 {
				tol = float64(used) * epsilonOf[T]()
			}
			if e := math.Abs(got[p] - want[p]/float64(n)); !(e <= tol) {
				t.Errorf("n=%d: moment %d is %g, want %g", n, p, got[p], want[p]/float64(n))
			}
		}
	}
}

func TestLanczosNorm(t *testing.T) { both(t, testLanczosNorm[float32], testLanczosNorm[float64]) }

func testLanczosNorm[T Float](t *testing.T) {
	for _, c := range hard.Classes() {
		for _, n := range []int{1, 3, 50, 300} {
			a := matrixOf(hard.Symmetric[T](c, n))
			values := make([]T, n)
			if err := EigenSymValues(blas.Lower, a, values, nil); err != nil {
				t.Fatal(err)
			}
			norm := math.Max(math.Abs(float64(values[0])), math.Abs(float64(values[n-1])))
			lower, upper, err := LanczosNorm(operatorOf(a), n, LanczosOpts{Steps: 40}, nil)
			slack := 20 * (epsilonOf[T]()*norm + float64(n)*hard.Tiny[T]())
			if err != nil || !(float64(lower) <= norm+slack) || !(float64(upper) >= norm-slack) || !(float64(upper) <= 1.5*float64(lower)+slack) {
				t.Errorf("%v n=%d: norm %g in [%g, %g], %v", c, n, norm, lower, upper, err)
			}
		}
	}
	identity := func(x, y []T) { copy(y, x) }
	if _, upper, err := LanczosNorm(identity, 1000, LanczosOpts{Steps: 10}, nil); err != nil || !(upper < 1.01) {
		t.Errorf("identity: %g, %v", upper, err)
	}
	some := func(x, y []T) {
		for i := range x {
			y[i] = T(T(i%13) * x[i])
		}
	}
	if _, upper, err := LanczosNorm(some, 1000, LanczosOpts{Steps: 4}, nil); err != nil || !math.IsInf(float64(upper), 1) {
		t.Errorf("4 steps: %g, %v", upper, err)
	}
}

// TestLanczosSame checks that results depend neither on threads nor on the workspace,
// which may be no shorter than said, and that nothing is allocated.
func TestLanczosSame(t *testing.T) { both(t, testLanczosSame[float32], testLanczosSame[float64]) }

func testLanczosSame[T Float](t *testing.T) {
	n, k := 1300, 3
	f := func(x, y []T) {
		for i := range x {
			y[i] = T(T(i*i%1009) * x[i])
		}
	}
	l := LanczosOpts{Steps: 150, Tolerance: 1e-3, Selective: true}
	values, residuals := make([]T, k), make([]T, k)
	for threads := 1; threads <= 3; threads++ {
		checkWorkspace(t, "LanczosEigen", threads, LanczosEigenWork[T](n, k, l), NewMatrix[T](n, k), func(c Matrix[T], o *Opts[T]) {
			if _, err := LanczosEigen(f, n, Largest, values, c, residuals, l, o); err != nil {
				t.Error(err)
			}
		})
		l := LanczosOpts{Steps: 10}
		checkWorkspace(t, "LanczosDensity", threads, LanczosDensityWork[T](n, l), NewMatrix[T](2, 20), func(c Matrix[T], o *Opts[T]) {
			if _, err := LanczosDensity(f, n, 2, c.Row(0), c.Row(1), l, o); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestNormal checks the moments of the random numbers.
func TestNormal(t *testing.T) {
	v := make([]float64, 1<<16+1)
	fillNormal(v, 3, make([]float64, 3*normalPairs))
	n := float64(len(v))
	for p, want := range []float64{1, 0, 1, 0, 3, 0, 15} {
		s := 0.
		for _, x := range v {
			s += math.Pow(x, float64(p))
		}
		if e := math.Abs(s/n - want); !(e <= 6*math.Sqrt(math.Gamma(float64(2*p+1))/n)) {
			t.Errorf("moment %d is %g, want %g", p, s/n, want)
		}
	}
}

func TestLanczosPanics(t *testing.T) {
	f := func(x, y []float64) {}
	v := func(k int) []float64 { return make([]float64, k) }
	for text, f := range map[string]func(){
		"dense: LanczosEigen: order 3, 4 values, vectors is 3x4, 4 residuals": func() {
			LanczosEigen(f, 3, Largest, v(4), NewMatrix[float64](3, 4), v(4), LanczosOpts{}, nil)
		},
		"dense: LanczosEigen: unknown end 2": func() {
			LanczosEigen(f, 3, 2, v(2), NewMatrix[float64](3, 2), v(2), LanczosOpts{}, nil)
		},
		"dense: LanczosDensity: order 9, 2 starts of 5 steps, 10 nodes, 9 weights": func() {
			LanczosDensity(f, 9, 2, v(10), v(9), LanczosOpts{Steps: 5}, nil)
		},
		"dense: LanczosNorm: order 0": func() { LanczosNorm(f, 0, LanczosOpts{}, nil) },
	} {
		wantPanic(t, text, f)
	}
}
