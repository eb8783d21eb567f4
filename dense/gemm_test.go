package dense

import (
	"fmt"
	"math"
	"testing"

	"github.com/precond-go/precond/asm"
	"gonum.org/v1/gonum/blas"
)

var transposes = []blas.Transpose{blas.NoTrans, blas.Trans}

// naive computes C = alpha·op(A)·op(B) + beta·C in float64, and the same of
// absolute values, which bounds the rounding error.
func naive[T Float](tA, tB blas.Transpose, alpha T, a, b Matrix[T], beta T, c Matrix[T]) (want, size Matrix[float64]) {
	at := func(m Matrix[T], t blas.Transpose, i, j int) float64 {
		if t != blas.NoTrans {
			i, j = j, i
		}
		return float64(m.Data[i*m.Stride+j])
	}
	k := a.Cols
	if tA != blas.NoTrans {
		k = a.Rows
	}
	want, size = NewMatrix[float64](c.Rows, c.Cols), NewMatrix[float64](c.Rows, c.Cols)
	for i := range c.Rows {
		for j := range c.Cols {
			var s, z float64
			if alpha != 0 {
				for l := range k {
					p := at(a, tA, i, l) * at(b, tB, l, j)
					s += p
					z += math.Abs(p)
				}
				s, z = s*float64(alpha), z*math.Abs(float64(alpha))
			}
			if beta != 0 {
				p := float64(beta) * at(c, blas.NoTrans, i, j)
				s += p
				z += math.Abs(p)
			}
			want.Set(i, j, s)
			size.Set(i, j, z)
		}
	}
	return want, size
}

// closeTo fails the test unless got is within (n+3)·ε·size of want in every
// element of the triangle tri.
func closeTo[T Float](t *testing.T, name string, n int, tri triangle, got Matrix[T], want, size Matrix[float64]) {
	t.Helper()
	eps := epsilonOf[T]()
	for i := range got.Rows {
		for j := range got.Cols {
			if (tri == lowerTriangle && j > i) || (tri == upperTriangle && j < i) {
				continue
			}
			g, w := float64(got.At(i, j)), want.At(i, j)
			if math.IsNaN(w) && math.IsNaN(g) || g == w {
				continue
			}
			if d := math.Abs(g - w); !(d <= float64(n+3)*eps*size.At(i, j)) {
				t.Fatalf("%s: element (%d, %d) is %v, want %v", name, i, j, g, w)
			}
		}
	}
}

func epsilonOf[T Float]() float64 {
	if asm.KC[T]() == asm.KC32 {
		return 0x1p-23
	}
	return 0x1p-52
}

// draw returns a rows×cols matrix with the given extra stride; elements are
// uniform in (−1, 1), the padding is NaN.
func draw[T Float](seed uint64, rows, cols, extra int) Matrix[T] {
	m := Matrix[T]{Rows: rows, Cols: cols, Stride: max(1, cols+extra)}
	m.Data = make([]T, rows*m.Stride)
	for i := range m.Data {
		m.Data[i] = T(math.NaN())
	}
	for i := range rows {
		for j := range cols {
			seed = seed*6364136223846793005 + 1442695040888963407
			m.Set(i, j, T(float64(int64(seed)>>11)/(1<<52)))
		}
	}
	return m
}

// sameBits returns whether two matrices agree bit for bit, padding included.
func sameBits[T Float](a, b Matrix[T]) bool {
	for i, x := range a.Data {
		y := b.Data[i]
		if x != y && (x == x || y == y) || math.Signbit(float64(x)) != math.Signbit(float64(y)) && x == x {
			return false
		}
	}
	return len(a.Data) == len(b.Data)
}

func whole2(tA blas.Transpose, rows, cols int) (int, int) {
	if tA != blas.NoTrans {
		return cols, rows
	}
	return rows, cols
}

type dims struct{ m, n, k int }

func gemmDims[T Float]() []dims {
	kc := asm.KC[T]()
	out := []dims{
		{0, 3, 4}, {3, 0, 4}, {3, 4, 0}, {1, 1, 1}, {1, 70, 33}, {70, 1, 33}, {97, 65, 1},
		{13, 31, 7}, {14, 32, 8}, {15, 33, 9}, {29, 65, 17}, {97, 97, 97}, {130, 129, 131},
		{5, 6, kc - 1}, {5, 6, kc}, {100, 40, kc + 1}, {7, 100, 2*kc + 3}, {110, 1100, 40}, {300, 20, 200},
	}
	for n := 2; n <= 20; n++ {
		out = append(out, dims{n, n, n})
	}
	return out
}

func TestGemm(t *testing.T) {
	t.Run("f32", testGemm[float32])
	t.Run("f64", testGemm[float64])
}

func testGemm[T Float](t *testing.T) {
	for _, d := range gemmDims[T]() {
		for _, tA := range transposes {
			for _, tB := range transposes {
				for x, ab := range [][2]T{{1, 0}, {-0.5, 1}, {2, -0.75}, {0, 0.5}, {0, 0}} {
					extra := (x % 2) * 5
					r, c := whole2(tA, d.m, d.k)
					a := draw[T](1, r, c, extra)
					r, c = whole2(tB, d.k, d.n)
					b := draw[T](2, r, c, extra)
					out := draw[T](3, d.m, d.n, extra)
					if ab[1] == 0 {
						out.Fill(T(math.NaN()))
					}
					want, size := naive(tA, tB, ab[0], a, b, ab[1], out)
					name := fmt.Sprintf("%v %c%c %v", d, tA, tB, ab)
					a0, b0 := cloneData(a), cloneData(b)
					Gemm(tA, tB, ab[0], a, b, ab[1], out, &Opts[T]{Threads: 1})
					closeTo(t, name, d.k, whole, out, want, size)
					if !sameBits(a, a0) || !sameBits(b, b0) {
						t.Fatalf("%s: an input was modified", name)
					}
					for i := range out.Rows {
						for j := out.Cols; j < out.Stride && i*out.Stride+j < len(out.Data); j++ {
							if v := out.Data[i*out.Stride+j]; v == v {
								t.Fatalf("%s: padding of c was written", name)
							}
						}
					}
					for threads := 2; threads <= 5; threads++ {
						again := draw[T](3, d.m, d.n, extra)
						Gemm(tA, tB, ab[0], a, b, ab[1], again, &Opts[T]{Threads: threads})
						if !sameBits(out, again) {
							t.Fatalf("%s: %d threads give other bits than one", name, threads)
						}
					}
				}
			}
		}
	}
}

func cloneData[T Float](m Matrix[T]) Matrix[T] {
	m.Data = append([]T(nil), m.Data...)
	return m
}

// TestGemmOrder holds the documented order of operations against a plain loop.
func TestGemmOrder(t *testing.T) {
	t.Run("f32", testGemmOrder[float32])
	t.Run("f64", testGemmOrder[float64])
}

func testGemmOrder[T Float](t *testing.T) {
	kc := asm.KC[T]()
	for _, k := range []int{1, 5, kc, kc + 1, 2*kc + 7} {
		a, b, c := draw[T](1, 3, k, 0), draw[T](2, k, 5, 0), draw[T](3, 3, 5, 0)
		alpha, beta := T(0.7), T(-1.3)
		want := c.Clone()
		parts := (k + kc - 1) / kc
		for i := range 3 {
			for j := range 5 {
				s := T(beta * c.At(i, j))
				for p := range parts {
					var acc T
					for l := k * p / parts; l < k*(p+1)/parts; l++ {
						acc = asm.FMA(a.At(i, l), b.At(l, j), acc)
					}
					s = asm.FMA(alpha, acc, s)
				}
				want.Set(i, j, s)
			}
		}
		Gemm(blas.NoTrans, blas.NoTrans, alpha, a, b, beta, c, nil)
		if !sameBits(c, want) {
			t.Errorf("k=%d: not the documented order", k)
		}
	}
}

func TestSyrk(t *testing.T) {
	t.Run("f32", testSyrk[float32])
	t.Run("f64", testSyrk[float64])
}

func testSyrk[T Float](t *testing.T) {
	kc := asm.KC[T]()
	for _, d := range []dims{{n: 0, k: 3}, {n: 3, k: 0}, {n: 1, k: 1}, {n: 5, k: 7}, {n: 14, k: 3}, {n: 33, k: 20}, {n: 64, k: 64},
		{n: 97, k: kc + 3}, {n: 131, k: 40}, {n: 200, k: 60}, {n: 1100, k: 3}} {
		for _, uplo := range []blas.Uplo{blas.Lower, blas.Upper} {
			for _, trans := range transposes {
				for _, ab := range [][2]T{{1, 0}, {-0.5, 1}, {2, -0.75}, {0, 0.5}} {
					name := fmt.Sprintf("n=%d k=%d %c%c %v", d.n, d.k, uplo, trans, ab)
					r, c := whole2(trans, d.n, d.k)
					a := draw[T](1, r, c, 3)
					full := draw[T](3, d.n, d.n, 2)
					other := blas.Trans
					if trans != blas.NoTrans {
						other = blas.NoTrans
					}
					start := cloneData(full)
					Gemm(trans, other, ab[0], a, a, ab[1], full, nil)
					// the other triangle is full of NaN and stays so
					tri := triangleOf("", uplo)
					for i := range d.n {
						for j := range d.n {
							if (tri == lowerTriangle && j > i) || (tri == upperTriangle && j < i) {
								full.Set(i, j, T(math.NaN()))
								start.Set(i, j, T(math.NaN()))
							}
						}
					}
					for threads := 1; threads <= 4; threads++ {
						out := cloneData(start)
						Syrk(uplo, trans, ab[0], a, ab[1], out, &Opts[T]{Threads: threads})
						if !sameBits(out, full) {
							t.Fatalf("%s: %d threads: not the bits of Gemm", name, threads)
						}
					}
				}
			}
		}
	}
}

func TestGemmNonFinite(t *testing.T) {
	// NaN and Inf reach exactly the elements that they reach in reference BLAS:
	// row i for a(i, l), column j for b(l, j); 0·Inf is NaN.
	for _, n := range []int{5, 40, 130} {
		a, b, c := draw[float64](1, n, n, 0), draw[float64](2, n, n, 0), NewMatrix[float64](n, n)
		a.Set(3, 2, math.NaN())
		b.Set(4, 1, math.Inf(1))
		a.Set(2, 4, 0)
		Gemm(blas.NoTrans, blas.NoTrans, 1, a, b, 0, c, nil)
		for i := range n {
			for j := range n {
				v := c.At(i, j)
				switch {
				case i == 3, i == 2 && j == 1:
					if !math.IsNaN(v) {
						t.Fatalf("n=%d (%d,%d): %v, want NaN", n, i, j, v)
					}
				case j == 1:
					if !math.IsInf(v, 0) {
						t.Fatalf("n=%d (%d,%d): %v, want Inf", n, i, j, v)
					}
				default:
					if math.IsNaN(v) || math.IsInf(v, 0) {
						t.Fatalf("n=%d (%d,%d): %v, want finite", n, i, j, v)
					}
				}
			}
		}
	}
}

func TestGemmPanics(t *testing.T) {
	m := func(r, c int) Matrix[float64] { return NewMatrix[float64](r, c) }
	big := m(10, 10)
	short := Matrix[float64]{3, 3, 3, make([]float64, 8)}
	N, T := blas.NoTrans, blas.Trans
	for _, x := range []struct {
		want string
		call func()
	}{
		{"dense: Gemm: a is 3x4, b is 5x2", func() { Gemm(N, N, 1, m(3, 4), m(5, 2), 0, m(3, 2), nil) }},
		{"dense: Gemm: a is 4x3 transposed, b is 5x2", func() { Gemm(T, N, 1, m(4, 3), m(5, 2), 0, m(3, 2), nil) }},
		{"dense: Gemm: a is 3x4, b is 4x2, c is 3x3", func() { Gemm(N, N, 1, m(3, 4), m(4, 2), 0, m(3, 3), nil) }},
		{"dense: Gemm: a is 3x3 with stride 3 in a slice of 8", func() { Gemm(N, N, 1, short, m(3, 3), 0, m(3, 3), nil) }},
		{"dense: Gemm: c overlaps a", func() { Gemm(N, N, 1, big.View(0, 0, 4, 4), m(4, 4), 0, big.View(3, 3, 4, 4), nil) }},
		{"dense: Gemm: unknown transpose 'X'", func() { Gemm('X', N, 1, m(3, 3), m(3, 3), 0, m(3, 3), nil) }},
		{"dense: Syrk: unknown triangle 'X'", func() { Syrk('X', N, 1, m(3, 3), 0, m(3, 3), nil) }},
		{"dense: Syrk: a is 3x4, c is 4x4", func() { Syrk(blas.Upper, N, 1, m(3, 4), 0, m(4, 4), nil) }},
	} {
		func() {
			defer func() {
				if r := recover(); r != x.want {
					t.Errorf("got panic %v, want %q", r, x.want)
				}
			}()
			x.call()
		}()
	}
	// Neighbours in one parent do not overlap.
	Gemm(N, N, 1, big.View(0, 0, 4, 4), big.View(4, 0, 4, 4), 0, big.View(2, 4, 4, 4), nil)
}

func TestGemmWorkspace(t *testing.T) {
	t.Run("f32", testGemmWorkspace[float32])
	t.Run("f64", testGemmWorkspace[float64])
}

func testGemmWorkspace[T Float](t *testing.T) {
	for _, d := range []dims{{30, 30, 30}, {90, 300, 100}, {130, 140, 150}, {200, 90, 600}} {
		for _, tB := range transposes {
			for threads := 1; threads <= 3; threads++ {
				r, c := whole2(tB, d.k, d.n)
				a, b := draw[T](1, d.m, d.k, 0), draw[T](2, r, c, 0)
				want, got := NewMatrix[T](d.m, d.n), NewMatrix[T](d.m, d.n)
				Gemm(blas.NoTrans, tB, 1, a, b, 0, want, nil)
				size := GemmWork[T](blas.NoTrans, tB, d.m, d.n, d.k, threads)
				o := &Opts[T]{Threads: threads, Work: make([]T, size)}
				for i := range o.Work {
					o.Work[i] = T(math.NaN())
				}
				call := func() { Gemm(blas.NoTrans, tB, 1, a, b, 0, got, o) }
				call()
				if !sameBits(got, want) {
					t.Fatalf("%v: workspace changes the result", d)
				}
				if n := testing.AllocsPerRun(10, call); n != 0 {
					t.Errorf("%v threads=%d: %v allocations with a workspace", d, threads, n)
				}
				o.Work = nil
				if n := testing.AllocsPerRun(10, call); n != 0 {
					t.Errorf("%v threads=%d: %v allocations without a workspace", d, threads, n)
				}
				if size > 0 {
					o.Work = make([]T, size-1)
					func() {
						defer func() {
							if recover() == nil {
								t.Errorf("%v: short workspace accepted", d)
							}
						}()
						call()
					}()
				}
			}
		}
	}
}
