package dense

import (
	"fmt"
	"math"
	"runtime/debug"
	"testing"

	"github.com/precond-go/precond/asm"
	"gonum.org/v1/gonum/blas"
)

// drawSymmetric returns a symmetric matrix with NaN in place of the triangle that
// is not stored, and the same in full.
func drawSymmetric[T Float](uplo blas.Uplo, seed uint64, n, extra int) (stored, full Matrix[T]) {
	stored = draw[T](seed, n, n, extra)
	full = NewMatrix[T](n, n)
	for i := range n {
		for j := range n {
			r, c := i, j
			if (j < i) != (uplo == blas.Lower) && i != j {
				r, c = j, i
			}
			full.Set(i, j, stored.At(r, c))
		}
	}
	for i := range n {
		for j := range n {
			if i != j && (j < i) != (uplo == blas.Lower) {
				stored.Set(i, j, T(math.NaN()))
			}
		}
	}
	return stored, full
}

func TestSymm(t *testing.T) {
	t.Run("f32", testSymm[float32])
	t.Run("f64", testSymm[float64])
}

// testSymm compares with Gemm on the full matrix, bit for bit.
func testSymm[T Float](t *testing.T) {
	kc := asm.KC[T]()
	sizes := [][2]int{{0, 3}, {3, 0}, {1, 1}, {31, 5}, {32, 32}, {33, 64}, {63, 17}, {64, 64}, {65, 3}, {97, 100}, {128, 30},
		{130, 131}, {200, 1}, {kc - 1, 20}, {kc, 7}, {kc + 1, 33}, {2*kc + 5, 40}}
	for n := 2; n <= 20; n++ {
		sizes = append(sizes, [2]int{n, n/2 + 1})
	}
	for x, size := range sizes {
		for _, side := range []blas.Side{blas.Left, blas.Right} {
			for _, uplo := range triangles {
				for y, ab := range [][2]T{{1, 0}, {-0.5, 1}, {2, -0.75}, {0, 0.5}, {0, 0}} {
					n, extra := size[0], (x+y)%3*3
					m, cols := n, size[1]
					if side == blas.Right {
						m, cols = cols, m
					}
					name := fmt.Sprintf("%c%c n=%d other=%d %v", side, uplo, n, size[1], ab)
					a, full := drawSymmetric[T](uplo, 1, n, extra)
					b, c := draw[T](2, m, cols, extra), draw[T](3, m, cols, extra)
					if ab[1] == 0 {
						c.Fill(T(math.NaN()))
					}
					a0, b0, c0, want := cloneData(a), cloneData(b), cloneData(c), cloneData(c)
					if side == blas.Left {
						Gemm(blas.NoTrans, blas.NoTrans, ab[0], full, b, ab[1], want, nil)
					} else {
						Gemm(blas.NoTrans, blas.NoTrans, ab[0], b, full, ab[1], want, nil)
					}
					for threads := 1; threads <= 3; threads++ {
						copy(c.Data, c0.Data)
						Symm(side, uplo, ab[0], a, b, ab[1], c, &Opts[T]{Threads: threads})
						if !sameBits(c, want) { // padding included
							t.Fatalf("%s: %d threads: not the bits of Gemm", name, threads)
						}
					}
					if !sameBits(a, a0) || !sameBits(b, b0) {
						t.Fatalf("%s: an input was modified", name)
					}
				}
			}
		}
	}
}

func TestSyr2k(t *testing.T) {
	t.Run("f32", testSyr2k[float32])
	t.Run("f64", testSyr2k[float64])
}

// testSyr2k compares with Gemm for accuracy and bits, and sees to the triangle
// that is none of its business.
func testSyr2k[T Float](t *testing.T) {
	kc := asm.KC[T]()
	for _, d := range []dims{{n: 0, k: 3}, {n: 3, k: 0}, {n: 1, k: 1}, {n: 5, k: 7}, {n: 14, k: 3}, {n: 33, k: 20}, {n: 64, k: 64},
		{n: 97, k: kc + 3}, {n: 131, k: 40}, {n: 200, k: 60}, {n: 700, k: 3}} {
		for _, uplo := range triangles {
			for _, trans := range transposes {
				for _, ab := range [][2]T{{1, 0}, {-0.5, 1}, {2, -0.75}, {0, 0.5}, {0, 0}} {
					name := fmt.Sprintf("n=%d k=%d %c%c %v", d.n, d.k, uplo, trans, ab)
					r, c := whole2(trans, d.n, d.k)
					a, b := draw[T](1, r, c, 3), draw[T](2, r, c, 1)
					start := draw[T](3, d.n, d.n, 2)
					other := blas.Trans
					if trans != blas.NoTrans {
						other = blas.NoTrans
					}
					want := cloneData(start)
					Gemm(trans, other, ab[0], a, b, ab[1], want, nil)
					if ab[0] != 0 && d.k > 0 {
						Gemm(trans, other, ab[0], b, a, 1, want, nil)
					}
					tri := triangleOf("", uplo)
					for i := range d.n {
						for j := range d.n {
							if (tri == lowerTriangle && j > i) || (tri == upperTriangle && j < i) {
								want.Set(i, j, T(math.NaN()))
								start.Set(i, j, T(math.NaN()))
							} else if ab[1] == 0 {
								start.Set(i, j, T(math.NaN())) // not read
							}
						}
					}
					a0, b0 := cloneData(a), cloneData(b)
					for threads := 1; threads <= 3; threads++ {
						out := cloneData(start)
						Syr2k(uplo, trans, ab[0], a, b, ab[1], out, &Opts[T]{Threads: threads})
						if !sameBits(out, want) {
							t.Fatalf("%s: %d threads: not the bits of Gemm", name, threads)
						}
					}
					if !sameBits(a, a0) || !sameBits(b, b0) {
						t.Fatalf("%s: an input was modified", name)
					}
				}
			}
		}
	}
}

func TestSymmNonFinite(t *testing.T) {
	// NaN and infinities spread from the stored element to both of its places.
	a, b, c := NewMatrix[float64](40, 40), NewMatrix[float64](40, 3), NewMatrix[float64](40, 3)
	b.Fill(1)
	a.Set(30, 2, math.Inf(1))
	a.Set(2, 30, math.NaN()) // not stored
	Symm(blas.Left, blas.Lower, 1, a, b, 0, c, nil)
	for i := range 40 {
		for j := range 3 {
			if v := c.At(i, j); math.IsInf(v, 1) != (i == 2 || i == 30) || v != v {
				t.Errorf("element (%d, %d) is %v", i, j, v)
			}
		}
	}
}

func TestSymmPanics(t *testing.T) {
	m := func(r, c int) Matrix[float64] { return NewMatrix[float64](r, c) }
	big := m(10, 10)
	L, R, U, N := blas.Left, blas.Right, blas.Upper, blas.NoTrans
	for _, x := range []struct {
		want string
		call func()
	}{
		{"dense: Symm: a is 3x3 on the right, b is 3x4", func() { Symm(R, U, 1, m(3, 3), m(3, 4), 0, m(3, 4), nil) }},
		{"dense: Symm: a is 3x4 on the left, b is 3x4", func() { Symm(L, U, 1, m(3, 4), m(3, 4), 0, m(3, 4), nil) }},
		{"dense: Symm: b is 3x4, c is 4x3", func() { Symm(L, U, 1, m(3, 3), m(3, 4), 0, m(4, 3), nil) }},
		{"dense: Symm: unknown side 'X'", func() { Symm('X', U, 1, m(3, 3), m(3, 3), 0, m(3, 3), nil) }},
		{"dense: Symm: unknown triangle 'X'", func() { Symm(L, 'X', 1, m(3, 3), m(3, 3), 0, m(3, 3), nil) }},
		{"dense: Symm: c overlaps a", func() { Symm(L, U, 1, big.View(0, 0, 4, 4), m(4, 4), 0, big.View(3, 3, 4, 4), nil) }},
		{"dense: Symm: c overlaps b", func() { Symm(L, U, 1, m(4, 4), big.View(0, 0, 4, 4), 0, big.View(3, 3, 4, 4), nil) }},
		{"dense: Syr2k: a is 3x4, b is 4x3, c is 3x3", func() { Syr2k(U, N, 1, m(3, 4), m(4, 3), 0, m(3, 3), nil) }},
		{"dense: Syr2k: a is 4x3 transposed, b is 4x3 transposed, c is 4x4", func() { Syr2k(U, blas.Trans, 1, m(4, 3), m(4, 3), 0, m(4, 4), nil) }},
		{"dense: Syr2k: unknown triangle 'X'", func() { Syr2k('X', N, 1, m(3, 3), m(3, 3), 0, m(3, 3), nil) }},
		{"dense: Syr2k: unknown transpose 'X'", func() { Syr2k(U, 'X', 1, m(3, 3), m(3, 3), 0, m(3, 3), nil) }},
		{"dense: Syr2k: c overlaps b", func() { Syr2k(U, N, 1, m(4, 4), big.View(0, 0, 4, 4), 0, big.View(3, 3, 4, 4), nil) }},
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
}

func TestSymmWorkspace(t *testing.T) {
	t.Run("f32", testSymmWorkspace[float32])
	t.Run("f64", testSymmWorkspace[float64])
}

func testSymmWorkspace[T Float](t *testing.T) {
	for _, size := range [][2]int{{5, 3}, {40, 40}, {150, 130}, {asm.KC[T]() + 90, 60}} {
		for threads := 1; threads <= 3; threads++ {
			for _, side := range []blas.Side{blas.Left, blas.Right} {
				for _, uplo := range triangles {
					n, m, cols := size[0], size[0], size[1]
					if side == blas.Right {
						m, cols = cols, m
					}
					a, _ := drawSymmetric[T](uplo, 1, n, 0)
					b := draw[T](2, m, cols, 0)
					checkWorkspace(t, fmt.Sprintf("Symm %c%c %v", side, uplo, size), threads, SymmWork[T](side, m, cols, threads),
						draw[T](3, m, cols, 0), func(c Matrix[T], o *Opts[T]) { Symm(side, uplo, 1, a, b, 0.5, c, o) })
				}
			}
			for _, trans := range transposes {
				r, c := whole2(trans, size[0], size[1])
				a, b := draw[T](1, r, c, 0), draw[T](2, r, c, 0)
				checkWorkspace(t, fmt.Sprintf("Syr2k %c %v", trans, size), threads, Syr2kWork[T](trans, size[0], size[1], threads),
					draw[T](3, size[0], size[0], 0), func(c Matrix[T], o *Opts[T]) { Syr2k(blas.Lower, trans, 1, a, b, 0.5, c, o) })
			}
		}
	}
}

// checkWorkspace runs f on copies of start: with a workspace of exactly the
// length need full of NaN it gives what it gives without; one less panics before
// anything is written; and neither way allocates.
func checkWorkspace[T Float](t *testing.T, name string, threads, need int, start Matrix[T], f func(c Matrix[T], o *Opts[T])) {
	t.Helper()
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // it empties pools
	want, got := cloneData(start), cloneData(start)
	f(want, nil)
	o := &Opts[T]{Threads: threads, Work: make([]T, need)}
	for i := range o.Work {
		o.Work[i] = T(math.NaN())
	}
	call := func() {
		copy(got.Data, start.Data)
		f(got, o)
	}
	call()
	if !sameBits(got, want) {
		t.Fatalf("%s: workspace changes the result", name)
	}
	if k := testing.AllocsPerRun(5, call); k != 0 {
		t.Errorf("%s threads=%d: %v allocations with a workspace", name, threads, k)
	}
	o.Work = nil
	if k := testing.AllocsPerRun(5, call); k != 0 {
		t.Errorf("%s threads=%d: %v allocations without a workspace", name, threads, k)
	}
	if need == 0 {
		return
	}
	o.Work = make([]T, need-1)
	defer func() {
		if recover() == nil || !sameBits(got, start) {
			t.Errorf("%s threads=%d: short workspace accepted, or output written", name, threads)
		}
	}()
	call()
}
