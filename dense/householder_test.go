package dense

import (
	"fmt"
	"math"
	"math/big"
	"testing"

	"github.com/precond-go/precond/asm"
	"gonum.org/v1/gonum/blas"
)

func TestReflector(t *testing.T) { both(t, testReflector[float32], testReflector[float64]) }

// testReflector checks H·(alpha, x) = (beta, 0), H·Hᵀ = I and |beta| = ‖(alpha, x)‖ in
// extended precision, over the range of exponents.
func testReflector[T Float](t *testing.T) {
	k := asm.For[T]()
	eps := epsilonOf[T]()
	largest, least := 126, -149
	if eps < 1e-10 {
		largest, least = 1022, -1074
	}
	exponents := []int{0, 0, least, least + 3, least / 2, -20, 20, largest / 2, largest - 6}
	worst := 0.
	for _, n := range []int{1, 2, 3, 7, 16, 65, 200, asm.Chunk + 5} {
		for _, ea := range exponents {
			for _, ex := range exponents {
				if n > 200 && (ea != 0 || ex != 0) {
					continue
				}
				alpha := T(math.Ldexp(float64(vector[T](1, 1)[0]), ea))
				x := vector[T](2, n)
				for i := range x {
					x[i] = T(math.Ldexp(float64(x[i]), ex))
				}
				x0 := append([]T(nil), x...)
				beta, tau := reflector(k, alpha, x)
				if MaxAbs(x0, nil) == 0 {
					continue
				}
				norm2 := square(alpha)
				for _, v := range x0 {
					norm2.Add(norm2, square(v))
				}
				norm, _ := new(big.Float).Sqrt(norm2).Float64()
				v2, dot := exact(T(1)), exact(alpha)
				for i, v := range x {
					v2.Add(v2, square(v))
					dot.Add(dot, new(big.Float).Mul(exact(v), exact(x0[i])))
				}
				// H is orthogonal if tau·vᵀv = 2.
				name := fmt.Sprintf("n=%d alpha=%g x~2^%d", n, alpha, ex)
				w, _ := v2.Float64()
				size := float64(n)/float64(asm.Lanes[T]()) + 3
				tiny := math.Ldexp(1, least)
				check := func(what string, err, scale, floor float64) {
					r := err / (eps*scale + floor)
					if worst = max(worst, r/size); !(r <= size) {
						t.Errorf("%s: %s: error %g, %.3g times ε·%g", name, what, err, r, scale)
					}
				}
				check("norm", math.Abs(math.Abs(float64(beta))-norm), norm, tiny)
				if tau == 0 {
					t.Errorf("%s: tau = 0", name)
				}
				check("orthogonality", math.Abs(float64(tau)*w-2), 2, 0)
				if (beta > 0) == (alpha > 0) {
					t.Errorf("%s: beta = %g", name, beta)
				}
				d, _ := dot.Float64()
				check("first element", math.Abs(float64(alpha)-float64(tau)*d-float64(beta)), norm, 2*tiny)
				for i := range x {
					check("other elements", math.Abs(float64(x0[i])-float64(tau)*d*float64(x[i])), norm, 2*tiny)
				}
			}
		}
	}
	t.Logf("worst share of the bound %.2g", worst)

	for _, x := range [][]T{nil, {0}, {0, 0, 0}} {
		if beta, tau := reflector(k, -3, x); beta != -3 || tau != 0 {
			t.Errorf("nothing to do: beta, tau = %g, %g", beta, tau)
		}
	}
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		for _, x := range [][]T{{1, T(bad)}, {T(bad), 0}, {T(bad), T(bad)}} {
			if beta, tau := reflector(k, 1, x); beta == beta || tau == tau || x[0] == x[0] {
				t.Errorf("of %v: beta, tau, x[0] = %g, %g, %g", bad, beta, tau, x[0])
			}
		}
		x := []T{1, 2}
		if beta, tau := reflector(k, T(bad), x); beta == beta || tau == tau || x[0] == x[0] {
			t.Errorf("alpha %v: beta, tau, x[0] = %g, %g, %g", bad, beta, tau, x[0])
		}
	}
}

func exact[T Float](v T) *big.Float { return new(big.Float).SetPrec(2000).SetFloat64(float64(v)) }

func square[T Float](v T) *big.Float {
	x := exact(v)
	return x.Mul(x, x)
}

func TestBlockReflector(t *testing.T) {
	both(t, testBlockReflector[float32], testBlockReflector[float64])
}

// testBlockReflector compares blocks with the same reflectors one by one, in
// float64.
func testBlockReflector[T Float](t *testing.T) {
	k := asm.For[T]()
	for _, s := range [][3]int{{0, 5, 3}, {1, 1, 1}, {1, 9, 4}, {3, 3, 5}, {8, 40, 7}, {9, 11, 9}, {23, 64, 33}, {64, 70, 130}, {40, 300, 65}} {
		w, m, n := s[0], s[1], s[2]
		a := draw[T](1, m, w, 2)
		tau := make([]T, w)
		h := blockReflector[T]{NewMatrix[T](w, m), draw[T](2, w, w, 1)}
		vectorsFromColumns(k, a, h.v)
		for j := range w {
			var s T
			for _, v := range h.v.Row(j) {
				s += T(v * v)
			}
			tau[j] = 2 / s
			if j%5 == 3 {
				tau[j] = 0
			}
		}
		h.formT(k, tau, filled(formTWork[T](w, m), T(math.NaN())))
		for _, trans := range []blas.Transpose{blas.NoTrans, blas.Trans} {
			for threads := 1; threads <= 2; threads++ {
				name := fmt.Sprintf("w=%d m=%d n=%d %c threads=%d", w, m, n, trans, threads)
				c := draw[T](3, m, n, 3)
				want, norm := oneByOne(h.v, tau, c, trans), NormFrobenius(c, nil)
				o := &Opts[T]{Threads: threads, Work: filled(applyLeftWork[T](w, m, n, threads), T(math.NaN()))}
				h.applyLeft(trans, c, o)
				near(t, name+" left", c, want, norm)

				c = draw[T](4, n, m, 1)
				ct := transposeOf(c)
				other := blas.NoTrans // (C·H)ᵀ = Hᵀ·Cᵀ
				if trans == blas.NoTrans {
					other = blas.Trans
				}
				want, norm = oneByOne(h.v, tau, ct, other), NormFrobenius(c, nil)
				o.Work = filled(applyRightWork[T](w, m, n, threads), T(math.NaN()))
				h.applyRight(trans, c, o)
				near(t, name+" right", transposeOf(c), want, norm)
			}
		}
	}
}

// oneByOne returns H₁⋯H_w·c, or its transpose times c.
func oneByOne[T Float](v Matrix[T], tau []T, c Matrix[T], trans blas.Transpose) Matrix[float64] {
	y := NewMatrix[float64](c.Rows, c.Cols)
	for i := range c.Rows {
		for j, x := range c.Row(i) {
			y.Set(i, j, float64(x))
		}
	}
	for s := range v.Rows {
		i := s
		if trans == blas.NoTrans {
			i = v.Rows - 1 - s
		}
		for j := range c.Cols {
			d := 0.
			for l, x := range v.Row(i) {
				d += float64(x) * y.At(l, j)
			}
			for l, x := range v.Row(i) {
				y.Set(l, j, y.At(l, j)-float64(tau[i])*d*float64(x))
			}
		}
	}
	return y
}

func transposeOf[T Float](a Matrix[T]) Matrix[T] {
	b := NewMatrix[T](a.Cols, a.Rows)
	Transpose(a, b, nil)
	return b
}

// near checks that got differs from want by little, measured by norm.
func near[T Float](t *testing.T, name string, got Matrix[T], want Matrix[float64], norm T) {
	t.Helper()
	bound := 20 * epsilonOf[T]() * float64(norm)
	for i := range got.Rows {
		for j, v := range got.Row(i) {
			if e := math.Abs(float64(v) - want.At(i, j)); !(e <= bound) {
				t.Fatalf("%s: element (%d, %d) is %g, want %g, %.3g times the bound", name, i, j, v, want.At(i, j), e/bound)
			}
		}
	}
}

// TestGemmRoom checks that it is enough for all products up to a size.
func TestGemmRoom(t *testing.T) { both(t, testGemmRoom[float32], testGemmRoom[float64]) }

func testGemmRoom[T Float](t *testing.T) {
	sizes := []int{1, 2, 7, 31, 33, 64, 100, 129, 257, 300, 385, 513, 1000, 2048, 2049, 3000}
	for _, m := range sizes {
		for _, n := range sizes {
			for _, k := range sizes {
				for _, trans := range []blas.Transpose{blas.NoTrans, blas.Trans} {
					for threads := 1; threads <= 3; threads += 2 {
						need := max(GemmWork[T](trans, blas.NoTrans, m, n, k, threads), GemmWork[T](trans, blas.Trans, m, n, k, threads))
						if m == n {
							need = max(need, SyrkWork[T](trans, n, k, threads))
						}
						if room := gemmRoom[T](m+1, n+5, k+3, threads); room < need {
							t.Fatalf("%dx%dx%d %c threads=%d: room %d, needs %d", m, n, k, trans, threads, room, need)
						}
					}
				}
			}
		}
	}
}
