package dense

import (
	"fmt"
	"math"
	"testing"

	"github.com/precond-go/precond/asm"
)

// both runs a generic test for the two element types.
func both(t *testing.T, f32, f64 func(t *testing.T)) {
	t.Run("f32", f32)
	t.Run("f64", f64)
}

func vector[T Float](seed uint64, n int) []T { return draw[T](seed, 1, n, 0).Data[:n] }

// equalBits fails the test unless got has the bits of want, NaN being equal to NaN.
func equalBits[T Float](t *testing.T, name string, got, want []T) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d elements, want %d", name, len(got), len(want))
	}
	for i, g := range got {
		w := want[i]
		if g != g && w != w {
			continue
		}
		if g != w || math.Signbit(float64(g)) != math.Signbit(float64(w)) {
			t.Fatalf("%s: element %d is %v, want %v", name, i, g, w)
		}
	}
}

// lengths are around the lanes, the chunks and what is worth more threads.
func lengths() []int {
	return []int{0, 1, 2, 3, 4, 5, 31, 32, 33, 63, 64, 65, 127, 128, 129, 1000,
		asm.Chunk - 1, asm.Chunk, asm.Chunk + 1, 3*asm.Chunk + 70, 7*asm.Chunk + 13}
}

// inOrder reduces chunk by chunk with the generic kernels, the definition of a
// long reduction.
func inOrder[T Float](n int, kernel func(k *asm.Kernels[T], lo, hi int) T) T {
	k := asm.ForISA[T]("generic")
	if n <= asm.Chunk {
		return kernel(k, 0, n)
	}
	var s T
	for lo := 0; lo < n; lo += asm.Chunk {
		s += kernel(k, lo, min(lo+asm.Chunk, n))
	}
	return s
}

// exactly sums x·y in twice the precision of float64 (Ogita, Rump and Oishi 2005).
func exactly(n int, term func(i int) (x, y float64)) (sum, size float64) {
	var low float64
	for i := range n {
		x, y := term(i)
		p := float64(x * y)
		s := sum + p
		z := s - sum
		low += (sum - (s - z)) + (p - z) + math.FMA(x, y, -p)
		sum = s
		size += math.Abs(p)
	}
	return sum + low, size
}

func TestReductions(t *testing.T) { both(t, testReductions[float32], testReductions[float64]) }

func testReductions[T Float](t *testing.T) {
	for _, n := range lengths() {
		x, y := vector[T](1, n), vector[T](2, n)
		cases := []struct {
			name string
			f    func(o *Opts[T]) T
			k    func(k *asm.Kernels[T], lo, hi int) T
			term func(i int) (x, y float64)
		}{
			{"Dot", func(o *Opts[T]) T { return Dot(x, y, o) },
				func(k *asm.Kernels[T], lo, hi int) T { return k.Dot(x[lo:hi], y[lo:hi]) },
				func(i int) (float64, float64) { return float64(x[i]), float64(y[i]) }},
			{"Sum", func(o *Opts[T]) T { return Sum(x, o) },
				func(k *asm.Kernels[T], lo, hi int) T { return k.Sum(x[lo:hi]) },
				func(i int) (float64, float64) { return float64(x[i]), 1 }},
			{"AbsSum", func(o *Opts[T]) T { return AbsSum(x, o) },
				func(k *asm.Kernels[T], lo, hi int) T { return k.AbsSum(x[lo:hi]) },
				func(i int) (float64, float64) { return math.Abs(float64(x[i])), 1 }},
			{"SumSq", func(o *Opts[T]) T { return SumSq(x, o) },
				func(k *asm.Kernels[T], lo, hi int) T { return k.SumSq(x[lo:hi]) },
				func(i int) (float64, float64) { return float64(x[i]), float64(x[i]) }},
		}
		for _, c := range cases {
			name := fmt.Sprintf("%s n=%d", c.name, n)
			got := c.f(nil)
			equalBits(t, name, []T{got}, []T{inOrder(n, c.k)})
			for threads := 1; threads <= 3; threads++ {
				equalBits(t, fmt.Sprintf("%s threads=%d", name, threads), []T{c.f(&Opts[T]{Threads: threads})}, []T{got})
			}
			want, size := exactly(n, c.term)
			steps := min(n, asm.Chunk)/asm.Lanes[T]() + 8 + n/asm.Chunk
			if d := math.Abs(float64(got) - want); !(d <= float64(steps)*epsilonOf[T]()*size) {
				t.Errorf("%s: %v, want %v", name, got, want)
			}
		}
	}
}

func TestMaxAbs(t *testing.T) { both(t, testMaxAbs[float32], testMaxAbs[float64]) }

func testMaxAbs[T Float](t *testing.T) {
	nan, inf := T(math.NaN()), T(math.Inf(1))
	for _, n := range lengths() {
		x := vector[T](3, n)
		check := func(name string) {
			t.Helper()
			var want T
			at := -1
			for i, v := range x {
				a := T(math.Abs(float64(v)))
				if want == want && (a > want || a != a) {
					want = a
				}
				if at < 0 || a > T(math.Abs(float64(x[at]))) {
					at = i
				}
			}
			for threads := 0; threads <= 3; threads++ {
				equalBits(t, fmt.Sprintf("MaxAbs %s n=%d threads=%d", name, n, threads), []T{MaxAbs(x, &Opts[T]{Threads: threads})}, []T{want})
			}
			if got := IMaxAbs(x); got != at {
				t.Errorf("IMaxAbs %s n=%d: %d, want %d", name, n, got, at)
			}
		}
		check("random")
		for _, i := range []int{0, 1, n / 2, asm.Chunk - 1, asm.Chunk, asm.Chunk + 1, 2 * asm.Chunk, n - 1} {
			if i < 0 || i >= n {
				continue
			}
			old := x[i]
			x[i] = -7
			check(fmt.Sprintf("x[%d]=-7", i))
			x[n-1] = 7 // equal in size, but later
			check(fmt.Sprintf("x[%d]=-7, x[n-1]=7", i))
			x[i] = nan
			check(fmt.Sprintf("x[%d]=NaN", i))
			x[n/3] = -inf
			check(fmt.Sprintf("x[%d]=NaN, x[n/3]=-Inf", i))
			x[i] = old
		}
	}
	all := make([]T, 2*asm.Chunk+2)
	for i := range all[1:] {
		all[i+1] = nan
	}
	if got := IMaxAbs(all); got != 0 {
		t.Errorf("IMaxAbs of 0, NaN, …: %d, want 0", got)
	}
}

func TestNrm2(t *testing.T) { both(t, testNrm2[float32], testNrm2[float64]) }

func testNrm2[T Float](t *testing.T) {
	huge, tiny := 0x1p1023, 0x1p-1074
	if asm.KC[T]() == asm.KC32 {
		huge, tiny = 0x1p127, 0x1p-149
	}
	inf, nan := math.Inf(1), math.NaN()
	for _, n := range []int{1, 2, 3, 64, 100, asm.Chunk, asm.Chunk + 1, 7*asm.Chunk + 13} {
		for _, scale := range []float64{1, tiny, 3 * tiny, 1e6 * tiny, math.Sqrt(tiny), 0.1 * math.Sqrt(tiny),
			math.Sqrt(huge), huge / 1e6, huge / float64(n)} {
			x := vector[T](uint64(n), n)
			var m float64
			for i := range x {
				x[i] = T(float64(x[i]) * scale)
				m = max(m, math.Abs(float64(x[i])))
			}
			want := 0.0
			if m > 0 {
				s, _ := exactly(n, func(i int) (float64, float64) { return float64(x[i]) / m, float64(x[i]) / m })
				want = m * math.Sqrt(s)
			}
			got := Nrm2(x, nil)
			steps := min(n, asm.Chunk)/asm.Lanes[T]() + 10 + n/asm.Chunk
			if d := math.Abs(float64(got) - want); !(d <= float64(steps)/2*epsilonOf[T]()*want+tiny) {
				t.Errorf("n=%d scale=%g: %v, want %v", n, scale, got, want)
			}
			for threads := 1; threads <= 3; threads++ {
				equalBits(t, fmt.Sprintf("n=%d scale=%g threads=%d", n, scale, threads), []T{Nrm2(x, &Opts[T]{Threads: threads})}, []T{got})
			}
		}
	}
	for _, c := range []struct {
		x    []float64
		want float64
	}{
		{nil, 0}, {[]float64{0, 0}, 0}, {[]float64{-3, 4}, 5}, {[]float64{3 * huge / 4, huge}, 5 * huge / 4},
		{[]float64{3 * tiny, -4 * tiny}, 5 * tiny}, {[]float64{tiny}, tiny}, {[]float64{huge, huge, huge, huge}, inf},
		{[]float64{1, -inf}, inf}, {[]float64{nan, 1}, nan}, {[]float64{inf, nan}, nan}, {[]float64{nan, tiny}, nan},
		{[]float64{huge, tiny}, huge}, {[]float64{huge, nan}, nan},
	} {
		x := make([]T, len(c.x))
		for i, v := range c.x {
			x[i] = T(v)
		}
		equalBits(t, fmt.Sprintf("Nrm2(%g)", c.x), []T{Nrm2(x, nil)}, []T{T(c.want)})
	}
}

func TestElementWise(t *testing.T) { both(t, testElementWise[float32], testElementWise[float64]) }

// testElementWise compares with the generic kernels over the whole vector.
func testElementWise[T Float](t *testing.T) {
	g := asm.ForISA[T]("generic")
	momentum := &[asm.MomentumLen]T{0.9, 0.7, 1, 0.1, 0.01, 0.001, 0.1, 2}
	adam := &[asm.AdamLen]T{0.9, 0.99, 1e-3, 0.1, 1.5, 0.01, 0.1, 2}
	type vectors [4][]T
	for _, c := range []struct {
		name string
		f    func(v vectors, o *Opts[T])
		want func(v vectors)
	}{
		{"Axpy", func(v vectors, o *Opts[T]) { Axpy(0.3, v[0], v[1], o) }, func(v vectors) { g.Axpy(0.3, v[0], v[1]) }},
		{"Axpby", func(v vectors, o *Opts[T]) { Axpby(0.3, v[0], 0.7, v[1], o) }, func(v vectors) { g.Axpby(0.3, v[0], 0.7, v[1]) }},
		{"Axpby0", func(v vectors, o *Opts[T]) { Axpby(0.3, v[0], 0, v[1], o) }, func(v vectors) { g.ScalTo(0.3, v[0], v[1]) }},
		{"Scal", func(v vectors, o *Opts[T]) { Scal(0.3, v[0], o) }, func(v vectors) { g.Scal(0.3, v[0]) }},
		{"ScalTo", func(v vectors, o *Opts[T]) { ScalTo(0.3, v[0], v[1], o) }, func(v vectors) { g.ScalTo(0.3, v[0], v[1]) }},
		{"Swap", func(v vectors, o *Opts[T]) { Swap(v[0], v[1], o) }, func(v vectors) { g.Swap(v[0], v[1]) }},
		{"Rot", func(v vectors, o *Opts[T]) { Rot(0.6, 0.8, v[0], v[1], o) }, func(v vectors) { g.Rot(0.6, 0.8, v[0], v[1]) }},
		{"AddTo", func(v vectors, o *Opts[T]) { AddTo(v[0], v[1], v[2], o) }, func(v vectors) { g.AddTo(v[0], v[1], v[2]) }},
		{"SubTo", func(v vectors, o *Opts[T]) { SubTo(v[0], v[1], v[2], o) }, func(v vectors) { g.SubTo(v[0], v[1], v[2]) }},
		{"SubTo in place", func(v vectors, o *Opts[T]) { SubTo(v[0], v[1], v[1], o) }, func(v vectors) { g.SubTo(v[0], v[1], v[1]) }},
		{"MulTo", func(v vectors, o *Opts[T]) { MulTo(v[0], v[1], v[2], o) }, func(v vectors) { g.MulTo(v[0], v[1], v[2]) }},
		{"DivTo", func(v vectors, o *Opts[T]) { DivTo(v[0], v[1], v[2], o) }, func(v vectors) { g.DivTo(v[0], v[1], v[2]) }},
		{"MulAdd", func(v vectors, o *Opts[T]) { MulAdd(v[0], v[0], v[2], o) }, func(v vectors) { g.MulAdd(v[0], v[0], v[2]) }},
		{"SqrtTo", func(v vectors, o *Opts[T]) { SqrtTo(v[3], v[1], o) }, func(v vectors) { g.SqrtTo(v[3], v[1]) }},
		{"SqrtDivTo", func(v vectors, o *Opts[T]) { SqrtDivTo(0.1, v[0], v[3], v[1], o) }, func(v vectors) { g.SqrtDivTo(0.1, v[0], v[3], v[1]) }},
		{"EMA", func(v vectors, o *Opts[T]) { EMA(0.9, v[0], v[1], o) }, func(v vectors) { g.EMA(0.9, v[0], v[1]) }},
		{"EMASq", func(v vectors, o *Opts[T]) { EMASq(0.9, v[0], v[1], o) }, func(v vectors) { g.EMASq(0.9, v[0], v[1]) }},
		{"Momentum", func(v vectors, o *Opts[T]) { Momentum(momentum, v[0], v[1], v[2], o) }, func(v vectors) { g.Momentum(momentum, v[0], v[1], v[2]) }},
		{"Adam", func(v vectors, o *Opts[T]) { Adam(adam, v[0], v[1], v[3], v[2], o) }, func(v vectors) { g.Adam(adam, v[0], v[1], v[3], v[2]) }},
		{"AdaMax", func(v vectors, o *Opts[T]) { AdaMax(adam, v[0], v[1], v[3], v[2], o) }, func(v vectors) { g.AdaMax(adam, v[0], v[1], v[3], v[2]) }},
	} {
		for _, n := range []int{0, 1, 5, 65, 1000, asm.Chunk + 1, 3*grain + 13} {
			fresh := func() (v vectors) {
				for i := range v {
					v[i] = vector[T](uint64(i), n)
				}
				for i := range v[3] {
					v[3][i] *= v[3][i]
				}
				if n > 3 {
					v[0][n/2], v[0][n/3], v[1][n/2] = T(math.NaN()), T(math.Inf(-1)), 0
				}
				return v
			}
			want := fresh()
			c.want(want)
			for threads := 0; threads <= 3; threads++ {
				got := fresh()
				c.f(got, &Opts[T]{Threads: threads})
				for i := range got {
					equalBits(t, fmt.Sprintf("%s n=%d threads=%d vector %d", c.name, n, threads, i), got[i], want[i])
				}
			}
		}
	}
	x, y := []T{T(math.NaN())}, []T{3}
	if Axpy(0, x, y, nil); y[0] != 3 {
		t.Errorf("Axpy with alpha = 0 made %v of 3", y[0])
	}
	if Axpby(1, y, 0, x, nil); x[0] != 3 {
		t.Errorf("Axpby with beta = 0 read y: %v", x[0])
	}
}

func TestMatrixElementWise(t *testing.T) {
	both(t, testMatrixElementWise[float32], testMatrixElementWise[float64])
}

func testMatrixElementWise[T Float](t *testing.T) {
	for _, d := range []struct{ m, n int }{{0, 3}, {3, 0}, {1, 1}, {1, 100}, {100, 1}, {5, 7}, {64, 64}, {513, 511}, {3, asm.Chunk + 5}} {
		for _, extra := range []int{0, 5} {
			a, b := draw[T](1, d.m, d.n, extra), draw[T](2, d.m, d.n, extra)
			for _, c := range []struct {
				name string
				f    func(c Matrix[T], o *Opts[T])
				want func(a, b, c T) T
			}{
				{"Add", func(c Matrix[T], o *Opts[T]) { Add(a, b, c, o) }, func(a, b, _ T) T { return a + b }},
				{"Sub", func(c Matrix[T], o *Opts[T]) { Sub(a, b, c, o) }, func(a, b, _ T) T { return a - b }},
				{"Hadamard", func(c Matrix[T], o *Opts[T]) { Hadamard(a, b, c, o) }, func(a, b, _ T) T { return a * b }},
				{"Scale", func(c Matrix[T], o *Opts[T]) { Scale(3, a, c, o) }, func(a, _, _ T) T { return 3 * a }},
				{"Accumulate", func(c Matrix[T], o *Opts[T]) { Accumulate(3, a, 0.3, c, o) }, func(a, _, c T) T { return asm.FMA(3, a, T(0.3*c)) }},
				{"Accumulate0", func(c Matrix[T], o *Opts[T]) { Accumulate(3, a, 0, c, o) }, func(a, _, _ T) T { return 3 * a }},
			} {
				want := draw[T](3, d.m, d.n, extra)
				for i := range d.m {
					for j := range d.n {
						want.Set(i, j, c.want(a.At(i, j), b.At(i, j), want.At(i, j)))
					}
				}
				for threads := 1; threads <= 3; threads++ {
					got := draw[T](3, d.m, d.n, extra)
					c.f(got, &Opts[T]{Threads: threads})
					if !sameBits(got, want) {
						t.Errorf("%s %dx%d+%d threads=%d differs", c.name, d.m, d.n, extra, threads)
					}
				}
			}
			want, got := draw[T](1, d.m, d.n, extra), draw[T](1, d.m, d.n, extra)
			Add(want, b, want, nil) // in place, and two ways to the same view
			Add(got, b, got.View(0, 0, d.m, d.n), nil)
			if !sameBits(got, want) {
				t.Errorf("Add in place %dx%d+%d differs", d.m, d.n, extra)
			}
		}
	}
}
