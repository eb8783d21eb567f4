package dense

import (
	"fmt"
	"math"
	"testing"

	"github.com/precond-go/precond/asm"
	"gonum.org/v1/gonum/blas"
)

var (
	triangles = []blas.Uplo{blas.Lower, blas.Upper}
	diagonals = []blas.Diag{blas.NonUnit, blas.Unit}
)

// columnOf returns x as a matrix of one column.
func columnOf[T Float](x []T) Matrix[T] { return Matrix[T]{len(x), min(1, len(x)), 1, x} }

func filled[T Float](n int, v T) []T {
	x := make([]T, n)
	for i := range x {
		x[i] = v
	}
	return x
}

var level2Dims = []struct{ m, n int }{
	{0, 0}, {0, 3}, {3, 0}, {1, 1}, {1, 70}, {70, 1}, {2, 3}, {4, 4}, {5, 7}, {8, 16}, {9, 33}, {31, 65}, {64, 64},
	{100, 127}, {255, 257}, {511, 513}, {700, 301}, {5, asm.Chunk + 3}, {asm.Chunk + 3, 5}, {10, 2*asm.Chunk + 7},
}

func TestGemv(t *testing.T) { both(t, testGemv[float32], testGemv[float64]) }

func testGemv[T Float](t *testing.T) {
	for _, d := range level2Dims {
		for _, trans := range transposes {
			for x, ab := range [][2]T{{1, 0}, {-0.5, 1}, {2, -0.75}, {0, 0.5}, {0, 0}} {
				a := draw[T](1, d.m, d.n, x%2*5)
				ny, nx := whole2(trans, d.m, d.n)
				xv, y0 := vector[T](2, nx), vector[T](3, ny)
				alpha, beta := ab[0], ab[1]
				if alpha == 0 && x == 4 {
					xv = filled(nx, T(math.NaN())) // is not read
				}
				name := fmt.Sprintf("Gemv %dx%d %c alpha=%v beta=%v", d.m, d.n, trans, alpha, beta)
				want, size := naive(trans, blas.NoTrans, alpha, a, columnOf(xv), beta, columnOf(y0))
				var first []T
				for threads := 1; threads <= 3; threads++ {
					y := append([]T(nil), y0...)
					if beta == 0 {
						y = filled(ny, T(math.NaN()))
					}
					Gemv(trans, alpha, a, xv, beta, y, &Opts[T]{Threads: threads})
					closeTo(t, name, min(nx, 3*asm.Chunk), 0, columnOf(y), want, size)
					if first == nil {
						first = y
					}
					equalBits(t, fmt.Sprintf("%s threads=%d", name, threads), y, first)
				}
				// The order of operations that the comment promises.
				y := append([]T(nil), y0...)
				for i := range y {
					y[i] = T(beta * y[i])
					if beta == 0 {
						y[i] = 0
					}
					switch {
					case alpha == 0:
					case trans == blas.NoTrans:
						y[i] = asm.FMA(alpha, Dot(a.View(i, 0, 1, d.n).Data, xv, nil), y[i])
					default:
						for j, v := range xv {
							y[i] = asm.FMA(T(alpha*v), a.At(j, i), y[i])
						}
					}
				}
				equalBits(t, name+" order", first, y)
			}
		}
	}
}

func TestGer(t *testing.T) { both(t, testGer[float32], testGer[float64]) }

func testGer[T Float](t *testing.T) {
	for _, d := range level2Dims {
		for _, extra := range []int{0, 5} {
			for _, alpha := range []T{1, -0.3, 0} {
				x, y := vector[T](1, d.m), vector[T](2, d.n)
				want := draw[T](3, d.m, d.n, extra)
				for i := range d.m {
					for j := range d.n {
						if alpha != 0 {
							want.Set(i, j, asm.FMA(T(alpha*x[i]), y[j], want.At(i, j)))
						}
					}
				}
				for threads := 1; threads <= 3; threads++ {
					got := draw[T](3, d.m, d.n, extra)
					Ger(alpha, x, y, got, &Opts[T]{Threads: threads})
					if !sameBits(got, want) {
						t.Errorf("Ger %dx%d+%d alpha=%v threads=%d differs", d.m, d.n, extra, alpha, threads)
					}
				}
			}
		}
	}
}

var triangleSizes = []int{0, 1, 2, 3, 4, 7, 8, 9, 33, 64, 65, 100, 255, 256, 257, 520, 801}

// inTriangle returns whether (i, j) is in the triangle.
func inTriangle(u blas.Uplo, i, j int) bool { return (u == blas.Lower) == (j < i) || i == j }

func TestSyr(t *testing.T) { both(t, testSyr[float32], testSyr[float64]) }

func testSyr[T Float](t *testing.T) {
	for _, n := range triangleSizes {
		for _, u := range triangles {
			for _, alpha := range []T{1, -0.3, 0} {
				x, y := vector[T](1, n), vector[T](2, n)
				want, want2 := draw[T](3, n, n, 2), draw[T](3, n, n, 2)
				for i := range n {
					for j := range n {
						if alpha == 0 || !inTriangle(u, i, j) {
							continue
						}
						a := want.At(i, j)
						want.Set(i, j, asm.FMA(T(alpha*x[i]), x[j], a))
						want2.Set(i, j, asm.FMA(T(alpha*y[i]), x[j], asm.FMA(T(alpha*x[i]), y[j], a)))
					}
				}
				for threads := 1; threads <= 3; threads++ {
					got, got2 := draw[T](3, n, n, 2), draw[T](3, n, n, 2)
					Syr(u, alpha, x, got, &Opts[T]{Threads: threads})
					Syr2(u, alpha, x, y, got2, &Opts[T]{Threads: threads})
					if !sameBits(got, want) {
						t.Errorf("Syr %c n=%d alpha=%v threads=%d differs", u, n, alpha, threads)
					}
					if !sameBits(got2, want2) {
						t.Errorf("Syr2 %c n=%d alpha=%v threads=%d differs", u, n, alpha, threads)
					}
				}
			}
		}
	}
}

func TestSymv(t *testing.T) { both(t, testSymv[float32], testSymv[float64]) }

func testSymv[T Float](t *testing.T) {
	nan := T(math.NaN())
	for _, n := range append(triangleSizes, 9*symvBlock-1) {
		for _, u := range triangles {
			a := draw[T](1, n, n, 3)
			full := NewMatrix[T](n, n)
			for i := range n {
				for j := range n {
					if inTriangle(u, i, j) {
						full.Set(i, j, a.At(i, j))
						full.Set(j, i, a.At(i, j))
					} else {
						a.Set(i, j, nan) // is not read
					}
				}
			}
			x, y0 := vector[T](2, n), vector[T](3, n)
			for _, ab := range [][2]T{{1, 0}, {-0.5, 1}, {2, -0.75}, {0, 0.5}} {
				alpha, beta := ab[0], ab[1]
				name := fmt.Sprintf("Symv %c n=%d alpha=%v beta=%v", u, n, alpha, beta)
				want, size := naive(blas.NoTrans, blas.NoTrans, alpha, full, columnOf(x), beta, columnOf(y0))
				var first []T
				for threads := 1; threads <= 3; threads++ {
					y := append([]T(nil), y0...)
					if beta == 0 {
						y = filled(n, nan)
					}
					// The workspace has exactly the length that is asked for, and NaN in it.
					o := &Opts[T]{Threads: threads, Work: filled(SymvWork[T](n, threads), nan)}
					Symv(u, alpha, a, x, beta, y, o)
					closeTo(t, name, n, 0, columnOf(y), want, size)
					if first == nil {
						first = y
					}
					equalBits(t, fmt.Sprintf("%s threads=%d", name, threads), y, first)
				}
			}
			if n > symvBlock {
				o := &Opts[T]{Threads: 1, Work: make([]T, SymvWork[T](n, 1)-1)}
				wantPanic(t, fmt.Sprintf("dense: Symv: workspace has %d elements, needs %d", len(o.Work), len(o.Work)+1), func() {
					Symv(u, 1, a, x, 0, append([]T(nil), y0...), o)
				})
			}
		}
	}
}

func TestTriangularVector(t *testing.T) {
	both(t, testTriangularVector[float32], testTriangularVector[float64])
}

func testTriangularVector[T Float](t *testing.T) {
	nan := T(math.NaN())
	for _, n := range triangleSizes {
		for _, u := range triangles {
			for _, trans := range transposes {
				for _, diag := range diagonals {
					name := fmt.Sprintf("%c%c%c n=%d", u, trans, diag, n)
					a, full := draw[T](1, n, n, 3), NewMatrix[T](n, n)
					for i := range n {
						for j := range n {
							switch {
							case !inTriangle(u, i, j):
								a.Set(i, j, nan)
							case i != j:
								a.Set(i, j, a.At(i, j)/T(n)) // keeps the condition moderate
								full.Set(i, j, a.At(i, j))
							case diag == blas.Unit:
								a.Set(i, j, nan)
								full.Set(i, j, 1)
							default:
								a.Set(i, j, 1+a.At(i, j)/2)
								full.Set(i, j, a.At(i, j))
							}
						}
					}
					b, zero := vector[T](2, n), make([]T, n)
					x := append([]T(nil), b...)
					Trmv(u, trans, diag, a, x, nil)
					want, size := naive(trans, blas.NoTrans, 1, full, columnOf(b), 0, columnOf(zero))
					closeTo(t, "Trmv "+name, n, 0, columnOf(x), want, size)

					// The residual of a solution is bounded by (n+2)·ε·|A|·|x|.
					copy(x, b)
					Trsv(u, trans, diag, a, x, nil)
					ax, size := naive(trans, blas.NoTrans, 1, full, columnOf(x), 0, columnOf(zero))
					closeTo(t, "Trsv "+name, n, 0, columnOf(b), ax, size)
				}
			}
		}
	}
}

// wantPanic fails the test unless f panics with the text.
func wantPanic(t *testing.T, text string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if r := recover(); r != text {
			t.Errorf("panic: %v, want %q", r, text)
		}
	}()
	f()
}

// NaN and Inf reach the results that depend on them, also through a zero factor.
func TestLevel2SpreadsNaN(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	a := MatrixOf(2, 2, []float64{nan, 1, 1, inf})
	zero, one := []float64{0, 0}, []float64{1, 1}
	for _, trans := range transposes {
		y := []float64{5, 5}
		Gemv(trans, 1, a, zero, 1, y, nil)
		equalBits(t, "Gemv with x = 0", y, []float64{nan, nan})
		Gemv(trans, 1, a, one, 0, y, nil)
		equalBits(t, "Gemv with x = 1", y, []float64{nan, inf})
	}
	for _, u := range triangles {
		y := []float64{5, 5}
		Symv(u, 1, a, zero, 1, y, nil)
		equalBits(t, "Symv with x = 0", y, []float64{nan, nan})
	}
	c := NewMatrix[float64](2, 2)
	Ger(1, zero, []float64{nan, inf}, c, nil)
	equalBits(t, "Ger with x = 0", c.Data, []float64{nan, nan, nan, nan})
	c = NewMatrix[float64](2, 2)
	Syr(blas.Lower, 1, []float64{0, nan}, c, nil)
	equalBits(t, "Syr", c.Data, []float64{0, 0, nan, nan})
	x := []float64{0, 1}
	Trsv(blas.Lower, blas.NoTrans, blas.NonUnit, MatrixOf(2, 2, []float64{0, 0, 1, 1}), x, nil)
	equalBits(t, "Trsv with a zero on the diagonal", x, []float64{nan, nan})
}

func TestLevel1And2Panics(t *testing.T) {
	x3, x4 := make([]float64, 3), make([]float64, 4)
	long := make([]float64, 32)
	a := NewMatrix[float64](3, 4)
	sq := MatrixOf(4, 4, long[:16])
	for _, c := range []struct {
		text string
		f    func()
	}{
		{"dense: Dot: x has 3 elements, y has 4", func() { Dot(x3, x4, nil) }},
		{"dense: Axpy: x has 3 elements, y has 4", func() { Axpy(1, x3, x4, nil) }},
		{"dense: Axpy: y overlaps x", func() { Axpy(1, long[:5], long[1:6], nil) }},
		{"dense: Axpby: y overlaps x", func() { Axpby(1, long[4:9], 1, long[:5], nil) }},
		{"dense: Swap: y overlaps x", func() { Swap(x3, x3, nil) }},
		{"dense: Rot: y overlaps x", func() { Rot(1, 1, long[:2], long[1:3], nil) }},
		{"dense: AddTo: dst overlaps y", func() { AddTo(x3, long[:3], long[2:5], nil) }},
		{"dense: AddTo: y has 4 elements, dst has 3", func() { AddTo(x3, x4, x3, nil) }},
		{"dense: Adam: p overlaps m", func() { Adam(&[asm.AdamLen]float64{}, x3, long[:3], long[3:6], long[:3], nil) }},
		{"dense: Add: a is 3x4, b is 4x4", func() { Add(a, sq, a, nil) }},
		{"dense: Add: a is 3x4, c is 4x4", func() { Add(a, a, sq, nil) }},
		{"dense: Scale: c overlaps a", func() { Scale(2, sq.View(0, 0, 3, 3), sq.View(1, 1, 3, 3), nil) }},
		{"dense: Gemv: a is 3x4, x has 3 elements, y has 4", func() { Gemv(blas.NoTrans, 1, a, x3, 0, x4, nil) }},
		{"dense: Gemv: a is 3x4 transposed, x has 4 elements, y has 3", func() { Gemv(blas.Trans, 1, a, x4, 0, x3, nil) }},
		{"dense: Gemv: unknown transpose 'X'", func() { Gemv('X', 1, a, x4, 0, x3, nil) }},
		{"dense: Gemv: y overlaps x", func() { Gemv(blas.NoTrans, 1, sq, long[20:24], 0, long[23:27], nil) }},
		{"dense: Gemv: y overlaps a", func() { Gemv(blas.NoTrans, 1, sq, x4, 0, long[15:19], nil) }},
		{"dense: Gemv: a is 3x4 with stride 3", func() { Gemv(blas.NoTrans, 1, Matrix[float64]{3, 4, 3, long}, x4, 0, x3, nil) }},
		{"dense: Ger: x has 4 elements, y has 3, a is 3x4", func() { Ger(1, x4, x3, a, nil) }},
		{"dense: Ger: a overlaps y", func() { Ger(1, x4, long[12:16], sq, nil) }},
		{"dense: Syr: unknown triangle 'A'", func() { Syr(blas.All, 1, x4, sq, nil) }},
		{"dense: Syr: x has 3 elements, a is 4x4", func() { Syr(blas.Lower, 1, x3, sq, nil) }},
		{"dense: Syr2: x has 3 elements, y has 4", func() { Syr2(blas.Lower, 1, x3, x4, sq, nil) }},
		{"dense: Syr2: a overlaps y", func() { Syr2(blas.Lower, 1, x4, long[13:17], sq, nil) }},
		{"dense: Symv: a is 3x4, x has 4 elements, y has 3", func() { Symv(blas.Lower, 1, a, x4, 0, x3, nil) }},
		{"dense: Symv: y overlaps a", func() { Symv(blas.Lower, 1, sq, x4, 0, long[:4], nil) }},
		{"dense: Trmv: a is 4x4, x has 3 elements", func() { Trmv(blas.Lower, blas.Trans, blas.Unit, sq, x3, nil) }},
		{"dense: Trmv: unknown diagonal 'D'", func() { Trmv(blas.Lower, blas.Trans, 'D', sq, x3, nil) }},
		{"dense: Trsv: x overlaps a", func() { Trsv(blas.Lower, blas.Trans, blas.Unit, sq, long[3:7], nil) }},
		{"dense: Transpose: a is 3x4, dst is 3x4", func() { Transpose(a, NewMatrix[float64](3, 4), nil) }},
		{"dense: Transpose: dst overlaps a", func() { Transpose(sq, sq, nil) }},
		{"dense: TransposeInPlace: a is 3x4", func() { TransposeInPlace(a, nil) }},
		{"dense: Norm1: a is 3x4 with stride 4 in a slice of 11", func() { Norm1(Matrix[float64]{3, 4, 4, long[:11]}, nil) }},
	} {
		wantPanic(t, c.text, c.f)
	}
	for _, v := range [][]float64{long, x3, x4, a.Data} {
		for _, e := range v {
			if e != 0 {
				t.Fatal("an operand was written before the panic")
			}
		}
	}
	// Rows and columns of one matrix interleave without overlapping.
	Gemv(blas.NoTrans, 1, sq.View(1, 0, 3, 3), sq.Row(0)[:3], 0, x3, nil)
	Ger(1, x3, sq.Row(0)[:3], sq.View(1, 0, 3, 3), nil)
	Gemv(blas.Trans, 1, sq.View(1, 0, 3, 4), x3, 0, sq.Row(0), nil)
}

func TestLevel1And2AllocateNothing(t *testing.T) {
	both(t, testLevel1And2AllocateNothing[float32], testLevel1And2AllocateNothing[float64])
}

func testLevel1And2AllocateNothing[T Float](t *testing.T) {
	momentum, adam := new([asm.MomentumLen]T), new([asm.AdamLen]T)
	for _, n := range []int{6, 600} { // on one thread and on two
		o := &Opts[T]{Threads: 2}
		a, b, c := draw[T](1, n, n, 1), draw[T](2, n, n, 1), NewMatrix[T](n, n)
		x, y := vector[T](3, n), vector[T](4, n)
		u, v, w, p := vector[T](5, n*n), vector[T](6, n*n), vector[T](7, n*n), vector[T](8, n*n)
		for name, f := range map[string]func(){
			"Dot": func() { Dot(u, v, o) }, "Sum": func() { Sum(u, o) }, "AbsSum": func() { AbsSum(u, o) },
			"Nrm2": func() { Nrm2(u, o) }, "MaxAbs": func() { MaxAbs(u, o) }, "IMaxAbs": func() { IMaxAbs(u) },
			"Axpy": func() { Axpy(1e-9, u, v, o) }, "Scal": func() { Scal(1, u, o) }, "AddTo": func() { AddTo(u, v, w, o) },
			"Momentum": func() { Momentum(momentum, u, v, w, o) }, "Adam": func() { Adam(adam, u, v, w, p, o) },
			"Add": func() { Add(a, b, c, o) }, "Scale": func() { Scale(2, a, c, o) },
			"Norm1": func() { Norm1(a, o) }, "NormInf": func() { NormInf(a, o) }, "NormFrobenius": func() { NormFrobenius(a, o) },
			"Transpose": func() { Transpose(a, c, o) }, "TransposeInPlace": func() { TransposeInPlace(a, o) },
			"GemvN": func() { Gemv(blas.NoTrans, 1, a, x, 0, y, o) }, "GemvT": func() { Gemv(blas.Trans, 1, a, x, 0, y, o) },
			"Ger": func() { Ger(1e-9, x, y, a, o) }, "Syr": func() { Syr(blas.Lower, 1e-9, x, a, o) },
			"Symv": func() { Symv(blas.Lower, 1, a, x, 0, y, o) },
			"Trmv": func() { Trmv(blas.Lower, blas.NoTrans, blas.Unit, a, x, o) },
			"Trsv": func() { Trsv(blas.Lower, blas.Trans, blas.Unit, a, x, o) },
		} {
			if got := testing.AllocsPerRun(20, f); got != 0 {
				t.Errorf("%s n=%d: %v allocations per call, want 0", name, n, got)
			}
		}
	}
}
