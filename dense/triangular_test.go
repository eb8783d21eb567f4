package dense

import (
	"fmt"
	"math"
	"testing"
	"unsafe"

	"github.com/precond-go/precond/asm"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
	"gonum.org/v1/gonum/blas/blas64"
)

// triangularForm is one of the 16 combinations of flags of Trsm and Trmm.
type triangularForm struct {
	side  blas.Side
	uplo  blas.Uplo
	trans blas.Transpose
	diag  blas.Diag
}

func (f triangularForm) String() string {
	return fmt.Sprintf("%c%c%c%c", f.side, f.uplo, f.trans, f.diag)
}

func triangularForms() (out []triangularForm) {
	for _, s := range []blas.Side{blas.Left, blas.Right} {
		for _, u := range []blas.Uplo{blas.Lower, blas.Upper} {
			for _, t := range transposes {
				for _, d := range []blas.Diag{blas.NonUnit, blas.Unit} {
					out = append(out, triangularForm{s, u, t, d})
				}
			}
		}
	}
	return out
}

// triangularFunc is Trsm or Trmm.
type triangularFunc[T Float] func(blas.Side, blas.Uplo, blas.Transpose, blas.Diag, T, Matrix[T], Matrix[T], *Opts[T])

// shape returns the shape of B where the triangle has order n and there are cols
// right-hand sides.
func (f triangularForm) shape(n, cols int) (rows, columns int) {
	if f.side == blas.Right {
		return cols, n
	}
	return n, cols
}

// drawTriangle returns a triangle whose solutions stay bounded; all that must not
// be read is NaN.
func drawTriangle[T Float](f triangularForm, seed uint64, n, extra int) Matrix[T] {
	a := draw[T](seed, n, n, extra)
	for i := range n {
		for j := range n {
			switch {
			case i == j && f.diag == blas.Unit, i < j && f.uplo == blas.Lower, i > j && f.uplo == blas.Upper:
				a.Set(i, j, T(math.NaN()))
			case i == j:
				a.Set(i, i, a.At(i, i)+T(math.Copysign(1, float64(a.At(i, i)))))
			default:
				a.Set(i, j, a.At(i, j)*2/T(n))
			}
		}
	}
	return a
}

// triangularView presents a form as L·X = B with L lower, in forward order.
type triangularView[T Float] struct {
	f        triangularForm
	b        Matrix[T]
	n, cols  int
	reversed bool
	lower    []T // L, row-major
}

func newTriangularView[T Float](f triangularForm, a, b Matrix[T]) triangularView[T] {
	v := triangularView[T]{f: f, b: b, n: a.Rows, cols: b.Cols, lower: make([]T, a.Rows*a.Rows)}
	if f.side == blas.Right {
		v.cols = b.Rows
	}
	taken := (f.trans != blas.NoTrans) != (f.side == blas.Right)
	v.reversed = (f.uplo == blas.Lower) == taken
	for i := range v.n {
		for p := range i + 1 {
			r, c := v.row(i), v.row(p)
			if taken {
				r, c = c, r
			}
			v.lower[i*v.n+p] = a.At(r, c)
		}
		if f.diag == blas.Unit {
			v.lower[i*v.n+i] = 1
		}
	}
	return v
}

func (v *triangularView[T]) row(i int) int {
	if v.reversed {
		return v.n - 1 - i
	}
	return i
}

func (v *triangularView[T]) l(i, p int) T { return v.lower[i*v.n+p] }

func (v *triangularView[T]) x(i, j int) *T {
	i = v.row(i)
	if v.f.side == blas.Right {
		i, j = j, i
	}
	return &v.b.Data[i*v.b.Stride+j]
}

// reference computes Trsm or Trmm in the documented order, element by element.
func (v *triangularView[T]) reference(solve bool, alpha T) {
	kc := asm.KC[T]()
	nb := (v.n + kc - 1) / kc
	for s := range nb {
		block := s
		if !solve {
			block = nb - 1 - s
		}
		lo, hi := v.n*block/nb, v.n*(block+1)/nb
		for r := range hi - lo {
			i := lo + r
			if !solve {
				i = hi - 1 - r
			}
			for j := range v.cols {
				x := v.x(i, j)
				if solve {
					*x = T(alpha * *x)
					v.beside(lo, i, j, -1)
					for p := lo; p < i; p++ {
						*x = asm.FMA(-v.l(i, p), *v.x(p, j), *x)
					}
					if inv := 1 / v.l(i, i); inv >= smallest[T]() && inv <= largest[T]() || inv <= -smallest[T]() && inv >= -largest[T]() {
						*x = T(*x * inv)
					} else {
						*x /= v.l(i, i)
					}
					continue
				}
				var acc T
				for p := lo; p <= i; p++ {
					acc = asm.FMA(v.l(i, p), *v.x(p, j), acc)
				}
				*x = T(alpha * acc)
				v.beside(lo, i, j, alpha)
			}
		}
	}
}

// beside adds factor times row i of the blocks left of column n, applied to
// right-hand side j, in the order of Gemm.
func (v *triangularView[T]) beside(n, i, j int, factor T) {
	kc := asm.KC[T]()
	parts := (n + kc - 1) / kc
	x := v.x(i, j)
	for c := range parts {
		var acc T
		for q := n * c / parts; q < n*(c+1)/parts; q++ {
			p := q
			if v.reversed {
				p = n - 1 - q
			}
			acc = asm.FMA(v.l(i, p), *v.x(p, j), acc)
		}
		*x = asm.FMA(factor, acc, *x)
	}
}

func smallest[T Float]() T {
	if unsafe.Sizeof(T(0)) == 4 {
		return 0x1p-126
	}
	s := 0x1p-1022
	return T(s)
}

func largest[T Float]() T {
	if unsafe.Sizeof(T(0)) == 4 {
		return math.MaxFloat32
	}
	s := math.MaxFloat64
	return T(s)
}

// triangularSizes lists orders and numbers of right-hand sides.
func triangularSizes[T Float]() (out [][2]int) {
	for n := range 21 {
		for _, cols := range []int{0, 1, 2, 3, 7, 8, 17, 33} {
			out = append(out, [2]int{n, cols})
		}
	}
	for _, n := range []int{23, 31, 32, 33, 47, 63, 64, 65, 127, 128, 129, 131} {
		for _, cols := range []int{1, 5, 24, 47, 49, 64} {
			out = append(out, [2]int{n, cols})
		}
	}
	kc := asm.KC[T]()
	return append(out, [2]int{7, 300}, [2]int{40, 533}, [2]int{200, 65}, [2]int{kc - 1, 9}, [2]int{kc, 9}, [2]int{kc + 1, 50}, [2]int{2*kc + 3, 7})
}

func TestTrsm(t *testing.T) {
	t.Run("f32", func(t *testing.T) { testTriangular(t, Trsm[float32], true) })
	t.Run("f64", func(t *testing.T) { testTriangular(t, Trsm[float64], true) })
}

func TestTrmm(t *testing.T) {
	t.Run("f32", func(t *testing.T) { testTriangular(t, Trmm[float32], false) })
	t.Run("f64", func(t *testing.T) { testTriangular(t, Trmm[float64], false) })
}

// testTriangular checks every form and size for accuracy, for the bits of the
// documented order on 1, 2 and 3 threads, and that nothing else is read or
// written.
func testTriangular[T Float](t *testing.T, f triangularFunc[T], solve bool) {
	alphas := []T{1, -0.5, 2, 1, T(1) / 3}
	for x, size := range triangularSizes[T]() {
		for y, form := range triangularForms() {
			n, cols := size[0], size[1]
			if n > 100 && (x+y)%3 != 0 || testing.Short() && n > 20 && (x+y)%5 != 0 {
				continue
			}
			alpha, extra := alphas[(x+y)%len(alphas)], (x+y)%3*3
			name := fmt.Sprintf("%v n=%d cols=%d alpha=%v", form, n, cols, alpha)
			a := drawTriangle[T](form, uint64(x), n, extra)
			rows, columns := form.shape(n, cols)
			b := draw[T](uint64(x+1), rows, columns, extra)
			a0, b0, want := cloneData(a), cloneData(b), cloneData(b)
			f(form.side, form.uplo, form.trans, form.diag, alpha, a, b, &Opts[T]{Threads: 1})
			if !sameBits(a, a0) {
				t.Fatalf("%s: a was modified", name)
			}
			v := newTriangularView(form, a, want)
			v.reference(solve, alpha)
			if !sameBits(b, want) { // which includes the padding
				t.Fatalf("%s: not the bits of the documented order", name)
			}
			if solve {
				checkBackward(t, name, form, a, b, b0, alpha)
			} else {
				checkBackward(t, name, form, a, b0, b, 1/alpha)
			}
			for threads := 2; threads <= 3 && n > 20; threads++ {
				again := cloneData(b0)
				f(form.side, form.uplo, form.trans, form.diag, alpha, a, again, &Opts[T]{Threads: threads})
				if !sameBits(b, again) {
					t.Fatalf("%s: %d threads give other bits than one", name, threads)
				}
			}
		}
	}
}

// checkBackward fails unless |L·x − alpha·b| ≤ (n+4)·ε·(|L|·|x| + |alpha·b|) in
// every element.
func checkBackward[T Float](t *testing.T, name string, form triangularForm, a, x, b Matrix[T], alpha T) {
	t.Helper()
	vx, vb := newTriangularView(form, a, x), newTriangularView(form, a, b)
	eps := epsilonOf[T]()
	for i := range vx.n {
		for j := range vx.cols {
			r := float64(alpha) * float64(*vb.x(i, j))
			size := math.Abs(r)
			for p := range i + 1 {
				q := float64(vx.l(i, p)) * float64(*vx.x(p, j))
				r -= q
				size += math.Abs(q)
			}
			if !(math.Abs(r) <= float64(vx.n+4)*eps*size) {
				t.Fatalf("%s: residual of element (%d, %d) is %g of %g", name, i, j, r, size)
			}
		}
	}
}

// TestTriangularGonum compares with gonum.
func TestTriangularGonum(t *testing.T) {
	for _, form := range triangularForms() {
		for _, n := range []int{3, 17, 64, 130} {
			a := drawTriangle[float64](form, 5, n, 2)
			rows, columns := form.shape(n, n+3)
			b := draw[float64](6, rows, columns, 1)
			for _, solve := range []bool{true, false} {
				got, want := cloneData(b), cloneData(b)
				tri := blas64.Triangular{Uplo: form.uplo, Diag: form.diag, N: n, Stride: a.Stride, Data: a.Data}
				f, g := Trmm[float64], blas64.Trmm
				if solve {
					f, g = Trsm[float64], blas64.Trsm
				}
				f(form.side, form.uplo, form.trans, form.diag, 1.5, a, got, nil)
				g(form.side, form.trans, 1.5, tri, To64(want))
				for i := range rows {
					for j := range columns {
						if d := math.Abs(got.At(i, j) - want.At(i, j)); !(d <= 1e-12) {
							t.Fatalf("%v n=%d solve=%v: (%d, %d) is %v, gonum has %v", form, n, solve, i, j, got.At(i, j), want.At(i, j))
						}
					}
				}
			}
			a32 := drawTriangle[float32](form, 5, n, 2)
			got, want := draw[float32](6, rows, columns, 1), draw[float32](6, rows, columns, 1)
			Trsm(form.side, form.uplo, form.trans, form.diag, 1.5, a32, got, nil)
			blas32.Trsm(form.side, form.trans, 1.5, blas32.Triangular{Uplo: form.uplo, Diag: form.diag, N: n, Stride: a32.Stride, Data: a32.Data}, To32(want))
			for i := range rows {
				for j := range columns {
					if d := math.Abs(float64(got.At(i, j) - want.At(i, j))); !(d <= 1e-4) {
						t.Fatalf("%v n=%d float32: (%d, %d) is %v, gonum has %v", form, n, i, j, got.At(i, j), want.At(i, j))
					}
				}
			}
		}
	}
}

func TestTriangularHardDiagonals(t *testing.T) {
	t.Run("f32", testHardDiagonals[float32])
	t.Run("f64", testHardDiagonals[float64])
}

// testHardDiagonals solves with diagonals that have no proper reciprocal, at the
// border of those that have, and of widely different sizes; and with NaN and
// infinities in some right-hand sides.
func testHardDiagonals[T Float](t *testing.T) {
	inf, nan, zero := T(math.Inf(1)), T(math.NaN()), T(0)
	tiny, huge, denormal := smallest[T](), largest[T](), smallest[T]()*T(epsilonOf[T]())
	hard := []T{zero, -zero, tiny, tiny / 4, -tiny / 4, tiny / 8, denormal, -denormal, huge, huge / 2, huge / 8, -huge, inf, -inf, nan, 1 / tiny, 2 / tiny}
	for _, n := range []int{1, 2, 9, 70, 150} {
		for y, form := range triangularForms() {
			for x, h := range hard {
				a := drawTriangle[T](form, uint64(x), n, 1)
				if form.diag == blas.NonUnit {
					a.Set(n/2, n/2, h)
					a.Set(n-1, n-1, hard[(x+y)%len(hard)])
				}
				rows, columns := form.shape(n, 19)
				b := draw[T](uint64(x+1), rows, columns, 2)
				v := newTriangularView(form, a, b)
				*v.x(0, 3), *v.x(n/2, 5), *v.x(n-1, 7), *v.x(n/2, 9) = nan, inf, -inf, 0
				*v.x(n/2, 1) = denormal
				want := cloneData(b)
				Trsm(form.side, form.uplo, form.trans, form.diag, 1, a, b, nil)
				v = newTriangularView(form, a, want)
				v.reference(true, 1)
				if !sameBits(b, want) {
					t.Fatalf("%v n=%d diagonal %v: not the bits of a division", form, n, h)
				}
				v = newTriangularView(form, a, b)
				if form.diag == blas.Unit {
					// Columns that were finite still are; the others are not.
					for j := range v.cols {
						last := float64(*v.x(n-1, j))
						finite := !math.IsNaN(last) && !math.IsInf(last, 0)
						if bad := j == 3 || j == 5 || j == 7; bad == finite {
							t.Fatalf("%v n=%d: column %d ends in %v", form, n, j, last)
						}
					}
				}
			}
		}
	}
	// The plain cases, spelled out.
	for _, c := range []struct{ d, b, want T }{
		{zero, 1, inf}, {zero, -1, -inf}, {zero, zero, nan}, {inf, 1, zero}, {inf, inf, nan},
		{denormal, denormal, 1}, {denormal, 2 * denormal, 2}, {huge, huge, 1}, {huge, huge / 2, 0.5}, {nan, 1, nan},
	} {
		a, b := NewMatrix[T](1, 1), NewMatrix[T](1, 1)
		a.Set(0, 0, c.d)
		b.Set(0, 0, c.b)
		Trsm(blas.Left, blas.Lower, blas.NoTrans, blas.NonUnit, 1, a, b, nil)
		if g := b.At(0, 0); g != c.want && (g == g || c.want == c.want) {
			t.Errorf("%v / %v = %v, want %v", c.b, c.d, g, c.want)
		}
	}
}

// TestTrsmGraded solves with a triangle whose diagonal and columns span many
// orders of magnitude; the backward error must not notice.
func TestTrsmGraded(t *testing.T) {
	t.Run("f32", testGraded[float32])
	t.Run("f64", testGraded[float64])
}

func testGraded[T Float](t *testing.T) {
	for _, form := range triangularForms() {
		if form.diag == blas.Unit {
			continue
		}
		for _, n := range []int{20, 100, 140} {
			a := drawTriangle[T](form, 3, n, 0)
			for i := range n {
				for j := range n {
					a.Set(i, j, a.At(i, j)*T(math.Ldexp(1, (j*7)%40-20)))
				}
			}
			rows, columns := form.shape(n, 5)
			b := draw[T](4, rows, columns, 0)
			x := cloneData(b)
			Trsm(form.side, form.uplo, form.trans, form.diag, 1, a, x, nil)
			checkBackward(t, fmt.Sprintf("%v n=%d", form, n), form, a, x, b, 1)
		}
	}
}

func TestTriangularAlpha(t *testing.T) {
	nan := math.NaN()
	for name, f := range map[string]triangularFunc[float64]{"Trsm": Trsm[float64], "Trmm": Trmm[float64]} {
		for _, form := range triangularForms() {
			rows, columns := form.shape(20, 11)
			a, b := NewMatrix[float64](20, 20), draw[float64](1, rows, columns, 3)
			a.Fill(nan)
			b.Fill(nan) // neither is read
			f(form.side, form.uplo, form.trans, form.diag, 0, a, b, nil)
			for i := range rows {
				for j := range b.Stride {
					if i*b.Stride+j >= len(b.Data) {
						break
					}
					if v := b.Data[i*b.Stride+j]; j < columns && v != 0 || j >= columns && v == v {
						t.Fatalf("%s %v alpha=0: element (%d, %d) is %v", name, form, i, j, v)
					}
				}
			}
		}
	}
}

func TestTrmmNonFinite(t *testing.T) {
	// A product with a triangle meets NaN and infinities only where the triangle
	// has elements: rows of B above an infinite one stay finite, and a zero in
	// the triangle makes it NaN.
	for _, n := range []int{3, 12, 40, 150} {
		a, b := NewMatrix[float64](n, n), draw[float64](1, n, 9, 0)
		for i := range n {
			for j := range i + 1 {
				a.Set(i, j, 1)
			}
		}
		a.Set(n-1, 1, 0)
		b.Set(1, 4, math.Inf(1))
		Trmm(blas.Left, blas.Lower, blas.NoTrans, blas.NonUnit, 1, a, b, nil)
		for i := range n {
			for j := range 9 {
				v := b.At(i, j)
				if j == 4 && i == n-1 && !math.IsNaN(v) || j == 4 && i >= 1 && i < n-1 && !math.IsInf(v, 1) ||
					(j != 4 || i < 1) && (math.IsNaN(v) || math.IsInf(v, 0)) {
					t.Fatalf("n=%d: element (%d, %d) is %v", n, i, j, v)
				}
			}
		}
	}
}

func TestTriangularPanics(t *testing.T) {
	m := func(r, c int) Matrix[float64] { return NewMatrix[float64](r, c) }
	big := m(10, 10)
	short := Matrix[float64]{3, 3, 3, make([]float64, 8)}
	L, R, N, D := blas.Left, blas.Right, blas.NoTrans, blas.NonUnit
	for _, x := range []struct {
		want string
		call func()
	}{
		{"dense: Trsm: a is 3x4 on the left, b is 3x2", func() { Trsm(L, blas.Upper, N, D, 1, m(3, 4), m(3, 2), nil) }},
		{"dense: Trsm: a is 3x3 on the right, b is 3x2", func() { Trsm(R, blas.Upper, N, D, 1, m(3, 3), m(3, 2), nil) }},
		{"dense: Trmm: a is 4x4 on the left, b is 5x2", func() { Trmm(L, blas.Upper, N, D, 1, m(4, 4), m(5, 2), nil) }},
		{"dense: Trsm: a is 3x3 with stride 3 in a slice of 8", func() { Trsm(L, blas.Upper, N, D, 1, short, m(3, 3), nil) }},
		{"dense: Trsm: b is 3x3 with stride 3 in a slice of 8", func() { Trsm(L, blas.Upper, N, D, 1, m(3, 3), short, nil) }},
		{"dense: Trmm: b overlaps a", func() { Trmm(L, blas.Upper, N, D, 1, big.View(0, 0, 4, 4), big.View(3, 3, 4, 4), nil) }},
		{"dense: Trsm: b overlaps a", func() { Trsm(L, blas.Upper, N, D, 1, big, big, nil) }},
		{"dense: Trsm: unknown side 'X'", func() { Trsm('X', blas.Upper, N, D, 1, m(3, 3), m(3, 3), nil) }},
		{"dense: Trsm: unknown triangle 'X'", func() { Trsm(L, 'X', N, D, 1, m(3, 3), m(3, 3), nil) }},
		{"dense: Trsm: unknown transpose 'X'", func() { Trsm(L, blas.Upper, 'X', D, 1, m(3, 3), m(3, 3), nil) }},
		{"dense: Trmm: unknown diagonal 'X'", func() { Trmm(L, blas.Upper, N, 'X', 1, m(3, 3), m(3, 3), nil) }},
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
	big.Fill(1)
	Trsm(L, blas.Lower, N, D, 1, big.View(0, 0, 4, 4), big.View(0, 4, 4, 6), nil)
	Trsm(R, blas.Lower, N, D, 1, big.View(0, 0, 4, 4), big.View(4, 0, 6, 4), nil)
}

func TestTriangularWorkspace(t *testing.T) {
	t.Run("f32", testTriangularWorkspace[float32])
	t.Run("f64", testTriangularWorkspace[float64])
}

func testTriangularWorkspace[T Float](t *testing.T) {
	for _, size := range [][2]int{{5, 3}, {40, 40}, {150, 130}, {asm.KC[T]() + 90, 110}} {
		for x, form := range triangularForms() {
			for threads := 1; threads <= 3; threads++ {
				f, length := Trsm[T], TrsmWork[T]
				if (x/2+threads)%2 == 0 {
					f, length = Trmm[T], TrmmWork[T]
				}
				n := size[0]
				rows, columns := form.shape(n, size[1])
				a, b := drawTriangle[T](form, 1, n, 0), draw[T](2, rows, columns, 0)
				checkWorkspace(t, fmt.Sprintf("%v %v", size, form), threads, length(form.side, rows, columns, threads), b,
					func(b Matrix[T], o *Opts[T]) { f(form.side, form.uplo, form.trans, form.diag, 1, a, b, o) })
			}
		}
	}
}
