package asm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/precond-go/precond/internal/guard"
)

// The level-3 entries of every instruction set against their generic twins, bit
// for bit. Operands lie in fenced memory at its very begin or end, so that an
// access outside of them faults; where memory surrounds an operand it is
// compared as well.

func TestGemmMatchesTwin(t *testing.T) {
	t.Run("f32", testGemm[float32])
	t.Run("f64", testGemm[float64])
}

func TestGemmIncrementalChain(t *testing.T) {
	t.Run("f32", testGemmChain[float32])
	t.Run("f64", testGemmChain[float64])
}

func TestPackMatchesTwin(t *testing.T) {
	t.Run("f32", testPack[float32])
	t.Run("f64", testPack[float64])
}

func TestTransToMatchesTwin(t *testing.T) {
	t.Run("f32", testTransTo[float32])
	t.Run("f64", testTransTo[float64])
}

// fenced returns n elements, a whole number of pages, that lie between two pages
// without access rights.
func fenced[T Float](t testing.TB, n int) []T { return guard.New[T](t, n).Begin(n) }

// eachTarget runs f for the table of every instruction set but the generic one.
func eachTarget[T Float](t *testing.T, f func(t *testing.T, k *Kernels[T])) {
	for _, isa := range ISAs() {
		if k := ForISA[T](isa); k.ISA != "generic" {
			t.Run(isa, func(t *testing.T) { f(t, k) })
		}
	}
}

// A layout says where the elements of a rows×cols matrix lie: element (i, j) is
// at i·rs + j·cs, or with panels of w > 0 columns at (j/w)·ps + i·rs + (j mod w)·cs.
type layout struct{ rows, cols, rs, cs, w, ps int }

func (l layout) at(i, j int) int {
	if l.w == 0 {
		return i*l.rs + j*l.cs
	}
	return j/l.w*l.ps + i*l.rs + j%l.w*l.cs
}

// extent returns the smallest and the largest offset, and 0, −1 if empty.
func (l layout) extent() (lo, hi int) {
	if l.rows == 0 || l.cols == 0 {
		return 0, -1
	}
	for _, i := range [2]int{0, l.rows - 1} {
		for j := range l.cols {
			lo, hi = min(lo, l.at(i, j)), max(hi, l.at(i, j))
		}
	}
	return lo, hi
}

// An operand is a matrix in fenced memory.
type operand[T Float] struct {
	layout
	window []T // the span of the elements and what lies around it
	base   int // of element (0, 0) in window; its length if the matrix is empty
	before []T // copy of window, as the operand was placed
}

// margin is the number of elements around an operand that are watched, where
// there are any before the fence.
const margin = 40

// place lays out the matrix with elements v(i, j) in mem, which lies between two
// fences, at its begin or its end. All else in the window is NaN.
func place[T Float](mem []T, end bool, l layout, v func(i, j int) T) operand[T] {
	lo, hi := l.extent()
	span := hi - lo + 1
	o := operand[T]{layout: l}
	if size := span + margin; end {
		o.window, o.base = mem[len(mem)-size:], margin-lo
	} else {
		o.window, o.base = mem[:size], -lo
	}
	for i := range o.window {
		o.window[i] = T(math.NaN())
	}
	for i := range l.rows {
		for j := range l.cols {
			o.window[o.base+l.at(i, j)] = v(i, j)
		}
	}
	o.before = append([]T(nil), o.window...)
	return o
}

// ptr points at element (0, 0), also if that is just behind the memory.
func (o *operand[T]) ptr() *T {
	return (*T)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(o.window)), o.base*int(unsafe.Sizeof(T(0)))))
}

// twin returns a copy of o as it was placed, in ordinary memory.
func (o *operand[T]) twin() operand[T] {
	c := *o
	c.window = append(make([]T, 0, len(o.before)+1), o.before...)
	return c
}

// differs says where the window of the operand called name is not want's; empty
// if nowhere.
func (o *operand[T]) differs(name string, want []T) string {
	for i, w := range want {
		if g := o.window[i]; !sameBits(g, w) {
			return fmt.Sprintf("%s: %v at offset %d of (%d×%d, strides %d, %d), want %v; ", name, g, i-o.base, o.rows, o.cols, o.rs, o.cs, w)
		}
	}
	return ""
}

// sameBits compares the bits, except that all NaN are equal.
func sameBits[T Float](a, b T) bool {
	if a != a || b != b {
		return a != a && b != b
	}
	return a == b && math.Signbit(float64(a)) == math.Signbit(float64(b))
}

// A source makes test data: numbers whose products and sums round, and, if
// hostile, now and then a NaN, an infinity, a zero of either sign, a
// subnormal or a number near overflow.
type source[T Float] struct {
	*rand.Rand
	hostile bool
}

func newSource[T Float](seed uint64) *source[T] {
	return &source[T]{Rand: rand.New(rand.NewPCG(seed, 7))}
}

func (s *source[T]) value(_, _ int) T {
	tiny, huge := math.SmallestNonzeroFloat64, math.MaxFloat64
	if unsafe.Sizeof(T(0)) == 4 {
		tiny, huge = math.SmallestNonzeroFloat32, math.MaxFloat32
	}
	if s.IntN(16) == 0 {
		switch s.IntN(4) {
		case 0:
			return 0
		case 1:
			return T(math.Copysign(0, -1))
		case 2:
			return T(tiny * float64(1+s.IntN(1000)))
		}
		if s.hostile {
			switch s.IntN(8) {
			case 0:
				return T(math.NaN())
			case 1:
				return T(math.Inf(1))
			case 2:
				return T(math.Inf(-1))
			case 3:
				return T(huge)
			}
		}
	}
	return T(s.Float64()*2 - 1)
}

// pick returns one of its arguments at random.
func pick[V any](r *rand.Rand, v ...V) V { return v[r.IntN(len(v))] }

func nan[T Float](_, _ int) T { return T(math.NaN()) }

var gemmDepths = []int{0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 33}

// gemmWidths returns sizes around every multiple of a quarter of a tile.
func gemmWidths(nr int) []int {
	n := []int{0, 1, 2, 3}
	for q := max(1, nr/4); q <= 2*nr; q += max(1, nr/4) {
		for _, w := range [3]int{q - 1, q, q + 1} {
			if w > n[len(n)-1] {
				n = append(n, w)
			}
		}
	}
	return append(n, 2*nr+3)
}

func testGemm[T Float](t *testing.T) {
	memA, memB, memC := fenced[T](t, 16<<10), fenced[T](t, 16<<10), fenced[T](t, 16<<10)
	eachTarget(t, func(t *testing.T, kern *Kernels[T]) {
		s := newSource[T](1)
		widths := gemmWidths(kern.NR)
		for m := 0; m <= kern.MR; m++ {
			for _, n := range widths {
				for _, k := range gemmDepths {
					if testing.Short() && s.IntN(8) > 0 {
						continue
					}
					for mode := Store; mode <= Chain; mode++ {
						for form := range 4 {
							s.hostile = s.IntN(4) == 0
							a := layout{rows: m, cols: k, rs: 1, cs: pick(s.Rand, m, kern.MR, m+3, -m-3, 1)}
							if form&1 != 0 {
								a.rs, a.cs = pick(s.Rand, k, k+1, k+5, -k-5, 1), 1
							}
							b := layout{rows: k, cols: n, rs: pick(s.Rand, n, n+5, -n-5), cs: 1, w: kern.NR, ps: kern.NR}
							if form&2 != 0 {
								b.rs, b.ps = kern.NR, k*kern.NR
							}
							c := layout{rows: m, cols: n, rs: pick(s.Rand, n, n+5, -n-5), cs: 1}
							alpha := pick(s.Rand, 1, -1, 0.5, 0, T(math.NaN()), 1.1)
							gemmCase(t, kern, s, place(memA, s.IntN(2) == 0, a, s.value),
								place(memB, s.IntN(2) == 0, b, s.value), memC, c, alpha, mode)
							if t.Failed() {
								return
							}
						}
					}
				}
			}
		}
	})
}

// gemmCase compares one call with the twin, which takes B row-major.
func gemmCase[T Float](t *testing.T, kern *Kernels[T], s *source[T], a, b operand[T], memC []T, lc layout, alpha T, mode int) {
	t.Helper()
	v := s.value
	if mode == Store {
		v = nan[T]
	}
	c := place(memC, s.IntN(2) == 0, lc, v)
	m, n, k := lc.rows, lc.cols, a.cols
	plain := make([]T, k*n+1)
	for l := range k {
		for j := range n {
			plain[l*n+j] = b.before[b.base+b.at(l, j)]
		}
	}
	want, ta := c.twin(), a.twin()
	gemm(m, n, k, alpha, ta.ptr(), a.rs, a.cs, &plain[0], n, genericNR, want.ptr(), lc.rs, mode)
	kern.Gemm(m, n, k, alpha, a.ptr(), a.rs, a.cs, b.ptr(), b.rs, b.ps, c.ptr(), lc.rs, mode)
	if d := c.differs("c", want.window) + a.differs("a", a.before) + b.differs("b", b.before); d != "" {
		t.Errorf("m=%d n=%d k=%d alpha=%v mode=%d A strides %d,%d B strides %d,%d C stride %d: %s",
			m, n, k, alpha, mode, a.rs, a.cs, b.rs, b.ps, lc.rs, d)
	}
}

// testGemmChain cuts the inner dimension in two with Chain, which must change
// nothing, and takes A packed by PackT or Pack and B packed by Pack.
func testGemmChain[T Float](t *testing.T) {
	eachTarget(t, func(t *testing.T, kern *Kernels[T]) {
		s := newSource[T](2)
		mr, nr := kern.MR, kern.NR
		for range 200 {
			m, n, k := 1+s.IntN(mr), 1+s.IntN(3*nr), 1+s.IntN(90)
			fill := func(n int) []T {
				x := make([]T, n)
				for i := range x {
					x[i] = s.value(0, 0)
				}
				return x
			}
			a, b, c := fill(m*k), fill(k*n), fill(m*n)
			want := append([]T(nil), c...)
			gemm(m, n, k, 1, &a[0], k, 1, &b[0], n, genericNR, &want[0], n, Chain)
			cut := s.IntN(k + 1)
			for _, r := range [2][2]int{{0, cut}, {cut, k}} {
				lo, d := r[0], r[1]-r[0]
				if d == 0 {
					continue
				}
				pa, pb := make([]T, d*mr), make([]T, d*(n+nr))
				kern.PackT(d, m, mr, &a[lo], k, &pa[0])
				kern.Pack(d, n, nr, &b[lo*n], n, &pb[0])
				kern.Gemm(m, n, d, 0, &pa[0], 1, mr, &pb[0], nr, d*nr, &c[0], n, Chain)
			}
			for i := range c {
				if !sameBits(c[i], want[i]) {
					t.Fatalf("m=%d n=%d k=%d cut=%d: C[%d] = %v, want %v", m, n, k, cut, i, c[i], want[i])
				}
			}
		}
	})
}

func testPack[T Float](t *testing.T) {
	memS, memD := fenced[T](t, 32<<10), fenced[T](t, 32<<10)
	eachTarget(t, func(t *testing.T, kern *Kernels[T]) {
		s := newSource[T](3)
		s.hostile = true
		widths := []int{kern.MR, kern.NR}
		for w := 1; w <= 40; w++ {
			widths = append(widths, w)
		}
		for _, w := range widths {
			for _, k := range []int{0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33} {
				for _, n := range []int{0, 1, w / 2, w - 1, w, w + 1, 2*w - 1, 2 * w, 2*w + 3, 3*w + w/2} {
					packCase(t, s, "Pack", kern.Pack, pack[T], memS, memD, k, n, w, layout{rows: k, cols: n, rs: pick(s.Rand, n, n+5, -n-5), cs: 1})
					packCase(t, s, "PackT", kern.PackT, packT[T], memS, memD, k, n, w, layout{rows: n, cols: k, rs: pick(s.Rand, k, k+5, -k-5), cs: 1})
					if t.Failed() {
						return
					}
				}
			}
		}
	})
}

type packFunc[T Float] func(k, n, w int, src *T, ld int, dst *T)

func packCase[T Float](t *testing.T, s *source[T], name string, f, twin packFunc[T], memS, memD []T, k, n, w int, l layout) {
	t.Helper()
	src := place(memS, s.IntN(2) == 0, l, s.value)
	dst := place(memD, s.IntN(2) == 0, layout{rows: 1, cols: k * w * ((n + w - 1) / w), cs: 1}, nan[T])
	want := dst.twin()
	tsrc := src.twin()
	twin(k, n, w, tsrc.ptr(), l.rs, want.ptr())
	f(k, n, w, src.ptr(), l.rs, dst.ptr())
	if d := dst.differs("dst", want.window) + src.differs("src", src.before); d != "" {
		t.Errorf("%s k=%d n=%d w=%d ld=%d: %s", name, k, n, w, l.rs, d)
	}
}

func testTransTo[T Float](t *testing.T) {
	memS, memD := fenced[T](t, 16<<10), fenced[T](t, 16<<10)
	eachTarget(t, func(t *testing.T, kern *Kernels[T]) {
		s := newSource[T](4)
		s.hostile = true
		sizes := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 17, 23, 31, 32, 33, 50, 65}
		for _, m := range sizes {
			for _, n := range sizes {
				for range 2 {
					src := place(memS, s.IntN(2) == 0, layout{rows: m, cols: n, rs: pick(s.Rand, n, n+5, -n-5), cs: 1}, s.value)
					dst := place(memD, s.IntN(2) == 0, layout{rows: n, cols: m, rs: pick(s.Rand, m, m+5, -m-5), cs: 1}, nan[T])
					want, tsrc := dst.twin(), src.twin()
					transTo(m, n, tsrc.ptr(), src.rs, want.ptr(), dst.rs)
					kern.TransTo(m, n, src.ptr(), src.rs, dst.ptr(), dst.rs)
					if d := dst.differs("dst", want.window) + src.differs("src", src.before); d != "" {
						t.Fatalf("m=%d n=%d: %s", m, n, d)
					}
				}
			}
		}
	})
}
