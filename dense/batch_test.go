package dense

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/blas"
)

// batches are lists of sizes: small, large, empty and unequal ones, such that
// workers share products out, meet in the middle of one, or all work on the same.
func batches[T Float]() map[string][]dims {
	repeat := func(n int, d ...dims) (out []dims) {
		for range n {
			out = append(out, d...)
		}
		return out
	}
	tiny := repeat(40, dims{4, 4, 4}, dims{8, 8, 8}, dims{1, 1, 1}, dims{16, 3, 7}, dims{0, 4, 4}, dims{5, 0, 2}, dims{6, 7, 0}, dims{33, 17, 20})
	return map[string][]dims{
		"none":         {},
		"empty":        repeat(3, dims{0, 0, 0}),
		"one":          {{3, 4, 5}},
		"one large":    {{150, 131, 129}},
		"tall":         {{1200, 20, 60}},
		"tiny":         tiny,
		"equal":        repeat(9, dims{64, 64, 64}),
		"first is all": slices.Concat([]dims{{200, 180, 90}}, tiny),
		"last is all":  slices.Concat(tiny, []dims{{90, 300, 110}}),
		"two":          {{100, 100, 100}, {97, 130, 101}},
		"deep":         {{7, 9, 1000}, {100, 20, 800}, {40, 600, 100}},
	}
}

// draws returns a matrix for each size that shape makes of it.
func draws[T Float](seed uint64, sizes []dims, extra int, shape func(d dims) (rows, cols int)) []Matrix[T] {
	var out []Matrix[T]
	for i, d := range sizes {
		r, c := shape(d)
		out = append(out, draw[T](seed+uint64(i), r, c, extra))
	}
	return out
}

func cloneAll[T Float](list []Matrix[T]) []Matrix[T] {
	out := slices.Clone(list)
	for i := range out {
		out[i] = cloneData(out[i])
	}
	return out
}

func sameAll[T Float](t *testing.T, name string, got, want []Matrix[T]) {
	t.Helper()
	for i := range got {
		if !sameBits(got[i], want[i]) {
			t.Fatalf("%s: matrix %d differs", name, i)
		}
	}
}

func TestGemmBatch(t *testing.T) {
	t.Run("f32", testGemmBatch[float32])
	t.Run("f64", testGemmBatch[float64])
}

func testGemmBatch[T Float](t *testing.T) {
	nan, inf := T(math.NaN()), T(math.Inf(1))
	for label, sizes := range batches[T]() {
		for x, ab := range [][2]T{{1, 0}, {1, 1}, {-0.5, -0.75}, {0, 0.5}, {0, 0}, {2, nan}, {nan, 1}, {inf, 0}} {
			tA, tB := transposes[x%2], transposes[x/2%2]
			extra := x % 3 * 2
			a := draws[T](1, sizes, extra, func(d dims) (int, int) { return whole2(tA, d.m, d.k) })
			b := draws[T](500, sizes, extra, func(d dims) (int, int) { return whole2(tB, d.k, d.n) })
			c := draws[T](900, sizes, extra, func(d dims) (int, int) { return d.m, d.n })
			for i := range a { // exceptional values here and there
				if n := len(a[i].Data); x == 1 && i%5 == 1 && n > 0 {
					a[i].Data[n/2] = []T{nan, inf, -inf, 0}[i%4]
				}
				if ab[1] == 0 {
					c[i].Fill(nan)
				}
			}
			a0, b0, want := cloneAll(a), cloneAll(b), cloneAll(c)
			for i := range want {
				Gemm(tA, tB, ab[0], a[i], b[i], ab[1], want[i], &Opts[T]{Threads: 1})
			}
			for _, threads := range []int{1, 2, 3, 7, 0} {
				name := fmt.Sprintf("%s %c%c %v threads=%d", label, tA, tB, ab, threads)
				got := cloneAll(c)
				GemmBatch(tA, tB, ab[0], a, b, ab[1], got, &Opts[T]{Threads: threads})
				sameAll(t, name, got, want)
				sameAll(t, name+": a", a, a0)
				sameAll(t, name+": b", b, b0)
			}
		}
	}
}

// TestGemmBatchShared has factors that many products share, and outputs that are
// blocks of one matrix.
func TestGemmBatchShared(t *testing.T) {
	const n, blocks = 33, 6
	x, parent := draw[float64](1, n, n, 3), draw[float64](2, n*blocks, n*blocks, 1)
	var a, c []Matrix[float64]
	for i := range blocks * blocks {
		i = i * 5 % (blocks * blocks) // in no order
		a, c = append(a, x), append(c, parent.View(i/blocks*n, i%blocks*n, n, n))
	}
	want := cloneData(parent)
	for i := range blocks * blocks {
		Gemm(blas.Trans, blas.NoTrans, 0.5, x, x, -1, want.View(i/blocks*n, i%blocks*n, n, n), nil)
	}
	GemmBatch(blas.Trans, blas.NoTrans, 0.5, a, a, -1, c, &Opts[float64]{Threads: 3})
	if !sameBits(parent, want) {
		t.Error("blocks of one matrix: not the bits of Gemm")
	}
}

func TestGemmStrided(t *testing.T) {
	t.Run("f32", testGemmStrided[float32])
	t.Run("f64", testGemmStrided[float64])
}

func testGemmStrided[T Float](t *testing.T) {
	for _, count := range []int{0, 1, 2, 5, 200} {
		for _, d := range []dims{{0, 2, 3}, {2, 0, 3}, {2, 3, 0}, {1, 1, 1}, {8, 8, 8}, {13, 31, 7}, {16, 16, 16}, {20, 40, 60}, {110, 100, 130}} {
			if d.m*d.n*d.k*count > 1<<23 {
				continue
			}
			for x, ab := range [][2]T{{1, 0}, {-0.5, 1}, {2, -0.75}, {0, 0.5}} {
				for layout := range 3 {
					tA, tB := transposes[x%2], transposes[(x+layout)%2]
					a, lda, strideA, as := layOut[T](1, layout, count, d, func(d dims) (int, int) { return whole2(tA, d.m, d.k) })
					b, ldb, strideB, bs := layOut[T](2, (layout+x)%3, count, d, func(d dims) (int, int) { return whole2(tB, d.k, d.n) })
					c, ldc, strideC, _ := layOut[T](3, layout%2, count, d, func(d dims) (int, int) { return d.m, d.n })
					want := slices.Clone(c)
					for i := range count {
						ci := Matrix[T]{Rows: d.m, Cols: d.n, Stride: ldc}
						if d.m > 0 && d.n > 0 {
							ci.Data = want[i*strideC:]
						}
						Gemm(tA, tB, ab[0], as[i], bs[i], ab[1], ci, &Opts[T]{Threads: 1})
					}
					a0, b0 := slices.Clone(a), slices.Clone(b)
					for threads := 1; threads <= 3; threads++ {
						got := slices.Clone(c)
						GemmStrided(tA, tB, d.m, d.n, d.k, ab[0], a, lda, strideA, b, ldb, strideB, ab[1], got, ldc, strideC, count, &Opts[T]{Threads: threads})
						if !sameBits(MatrixOf(1, len(got), got), MatrixOf(1, len(want), want)) {
							t.Fatalf("%d of %v %c%c %v layout %d threads %d: not the bits of Gemm", count, d, tA, tB, ab, layout, threads)
						}
					}
					if !sameBits(MatrixOf(1, len(a), a), MatrixOf(1, len(a0), a0)) || !sameBits(MatrixOf(1, len(b), b), MatrixOf(1, len(b0), b0)) {
						t.Fatal("an input was modified")
					}
				}
			}
		}
	}
}

// layOut returns count matrices in one slice: one after the other (layout 0), side by
// side in the rows of one matrix (1), or all the same (2).
func layOut[T Float](seed uint64, layout, count int, d dims, shape func(d dims) (int, int)) (data []T, ld, step int, list []Matrix[T]) {
	rows, cols := shape(d)
	var all Matrix[T]
	switch layout {
	case 0:
		all = draw[T](seed, rows*count, cols, 3)
		step = rows * all.Stride
	case 1:
		all = draw[T](seed, rows, cols*count, 2)
		step = cols
	case 2:
		all = draw[T](seed, rows, cols, 1)
	}
	for i := range count {
		m := Matrix[T]{Rows: rows, Cols: cols, Stride: all.Stride}
		if rows > 0 && cols > 0 {
			m.Data = all.Data[i*step:]
		}
		list = append(list, m)
	}
	return all.Data, all.Stride, step, list
}

func TestGemmBatchPanics(t *testing.T) {
	type m = Matrix[float64]
	mat := NewMatrix[float64]
	N, T := blas.NoTrans, blas.Trans
	big := mat(10, 10)
	good := func() []m { return []m{mat(3, 3), mat(3, 3), mat(3, 3)} }
	with := func(i int, x m) []m { l := good(); l[i] = x; return l }
	batch := func(tA blas.Transpose, a, b, c []m) func() []m {
		return func() []m { GemmBatch(tA, N, 1, a, b, 0, c, nil); return c }
	}
	data := make([]float64, 100)
	at := func(lda, sa, ldb, sb, ldc, sc, count int, a, b, c []float64) func() []m {
		return func() []m {
			GemmStrided(N, T, 3, 2, 4, 1, a, lda, sa, b, ldb, sb, 0, c, ldc, sc, count, nil)
			return nil
		}
	}
	d := func(n int) []float64 { return make([]float64, n) }
	shared := mat(3, 3)
	for _, x := range []struct {
		want string
		call func() []m
	}{
		{"dense: GemmBatch: 3 a, 2 b, 3 c", batch(N, good(), good()[:2], good())},
		{"dense: GemmBatch: a[2] is 3x4, b[2] is 3x3", batch(N, with(2, mat(3, 4)), good(), good())},
		{"dense: GemmBatch: a[2] is 4x3 transposed, b[2] is 3x3", batch(T, with(2, mat(4, 3)), good(), good())},
		{"dense: GemmBatch: a[1] is 3x3, b[1] is 3x3, c[1] is 3x2", batch(N, good(), good(), with(1, mat(3, 2)))},
		{"dense: GemmBatch: b[2] is 3x3 with stride 3 in a slice of 8", batch(N, good(), with(2, m{3, 3, 3, d(8)}), good())},
		{"dense: GemmBatch: c[0] has negative shape -1x3", batch(N, good(), good(), with(0, m{Rows: -1, Cols: 3}))},
		{"dense: GemmBatch: a[1] is 3x3 with stride 2", batch(N, with(1, m{3, 3, 2, d(9)}), good(), good())},
		{"dense: GemmBatch: unknown transpose 'X'", batch('X', good(), good(), good())},
		{"dense: GemmBatch: c[2] overlaps a[0]", batch(N, with(0, shared), good(), with(2, shared))},
		{"dense: GemmBatch: c[0] overlaps b[2]", batch(N, good(), with(2, big.View(2, 2, 3, 3)), with(0, big.View(4, 4, 3, 3)))},
		{"dense: GemmBatch: c[2] overlaps c[1]", batch(N, good(), good(), []m{mat(3, 3), big.View(2, 2, 3, 3), big.View(0, 0, 3, 3)})},
		{"dense: GemmStrided: m = 3, n = 2, k = -1, count = 2", func() []m { GemmStrided(N, N, 3, 2, -1, 1, d(9), 3, 9, d(9), 3, 9, 0, d(9), 3, 9, 2, nil); return nil }},
		{"dense: GemmStrided: a is 3x4 with stride 3", at(3, 12, 4, 8, 2, 6, 2, d(24), d(24), d(24))},
		{"dense: GemmStrided: b is 2x4 with stride 4 in a slice of 7", at(4, 12, 4, 8, 2, 6, 1, d(24), d(7), d(24))},
		{"dense: GemmStrided: b has stride -8", at(4, 12, 4, -8, 2, 6, 2, d(24), d(24), d(24))},
		{"dense: GemmStrided: 3 a of 3x4 with row stride 4, 12 apart, in a slice of 35", at(4, 12, 4, 8, 2, 6, 3, d(35), d(24), d(24))},
		{"dense: GemmStrided: 2 a of 3x4 with row stride 4, 4611686018427387904 apart, in a slice of 35", at(4, 1<<62, 4, 8, 2, 6, 2, d(35), d(24), d(24))},
		{"dense: GemmStrided: c[0] overlaps c[1]", at(4, 12, 4, 8, 2, 5, 3, d(36), d(24), d(24))},
		{"dense: GemmStrided: c[0] overlaps c[1]", at(4, 12, 4, 8, 2, 0, 3, d(36), d(24), d(24))},
		{"dense: GemmStrided: c[2] overlaps a[0]", at(4, 12, 4, 8, 2, 6, 3, data[12:], d(24), data)},
		{"dense: GemmStrided: c[0] overlaps b[0]", at(4, 12, 4, 8, 2, 8, 2, d(36), data[8:], data[8:])},
	} {
		func() {
			defer func() {
				r, _ := recover().(string)
				if r != x.want && !(strings.Contains(x.want, "overlaps c") && swapped(r) == x.want) {
					t.Errorf("got panic %q, want %q", r, x.want)
				}
			}()
			x.call()
		}()
	}

	// Nothing is written before a panic.
	c := with(2, mat(3, 2))
	for i := range c {
		c[i].Fill(7)
	}
	func() {
		defer func() { _ = recover() }()
		GemmBatch(N, N, 1, good(), good(), 0, c, nil)
	}()
	for i := range c {
		for _, v := range c[i].Data {
			if v != 7 {
				t.Fatalf("c[%d] was written before the panic", i)
			}
		}
	}
}

// swapped returns the text of an overlap with its two matrices exchanged.
func swapped(s string) string {
	i, j := strings.LastIndexByte(s, ':')+2, strings.Index(s, " overlaps ")
	if j < 0 {
		return s
	}
	return s[:i] + s[j+len(" overlaps "):] + " overlaps " + s[i:j]
}

// TestGemmBatchOverlap compares the checks with marks on every element, for random
// blocks of one slice.
func TestGemmBatchOverlap(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	apart, found := 0, 0
	for range 20000 {
		data := make([]float32, 400)
		strides := []int{20, 20, 10, 7}[:1+rng.IntN(4)]
		n := 1 + rng.IntN(7)
		block := func(rows, cols int) Matrix[float32] {
			ld := max(cols, strides[rng.IntN(len(strides))])
			at := rng.IntN(len(data) - (rows-1)*ld - cols + 1)
			return Matrix[float32]{rows, cols, ld, data[at:]}
		}
		var a, b, c []Matrix[float32]
		inside := rng.IntN(3) // of the factors that lie in the same slice
		for range n {
			m, n, k := 1+rng.IntN(4), 1+rng.IntN(4), 1+rng.IntN(4)
			c = append(c, block(m, n))
			a, b = append(a, NewMatrix[float32](m, k)), append(b, NewMatrix[float32](k, n))
			if inside == 1 {
				a[len(a)-1] = block(m, k)
			} else if inside == 2 {
				b[len(b)-1] = block(k, n)
			}
		}
		mark := map[*float32]bool{}
		overlaps := false
		each := func(list []Matrix[float32], f func(p *float32)) {
			for _, m := range list {
				for i := range m.Rows {
					for j := range m.Cols {
						f(&m.Data[i*m.Stride+j])
					}
				}
			}
		}
		each(c, func(p *float32) { overlaps = overlaps || mark[p]; mark[p] = true })
		each(a, func(p *float32) { overlaps = overlaps || mark[p] })
		each(b, func(p *float32) { overlaps = overlaps || mark[p] })
		func() {
			defer func() {
				if r := recover(); (r != nil) != overlaps {
					t.Fatalf("overlap %v, panic %v: c %v", overlaps, r, shapes(c))
				}
			}()
			GemmBatch(blas.NoTrans, blas.NoTrans, 1, a, b, 0, c, nil)
		}()
		if overlaps {
			found++
		} else {
			apart++
		}
	}
	if found < 1000 || apart < 1000 {
		t.Fatalf("%d cases overlap, %d do not: the test is lopsided", found, apart)
	}
}

func shapes[T Float](list []Matrix[T]) (s []string) {
	for _, m := range list {
		s = append(s, fmt.Sprintf("%dx%d stride %d before %d", m.Rows, m.Cols, m.Stride, len(m.Data)))
	}
	return s
}

func TestGemmBatchWorkspace(t *testing.T) {
	t.Run("f32", testGemmBatchWorkspace[float32])
	t.Run("f64", testGemmBatchWorkspace[float64])
}

func testGemmBatchWorkspace[T Float](t *testing.T) {
	for label, sizes := range batches[T]() {
		for _, tB := range transposes {
			a := draws[T](1, sizes, 0, func(d dims) (int, int) { return d.m, d.k })
			b := draws[T](2, sizes, 0, func(d dims) (int, int) { return whole2(tB, d.k, d.n) })
			got := draws[T](3, sizes, 0, func(d dims) (int, int) { return d.m, d.n })
			want := cloneAll(got)
			GemmBatch(blas.NoTrans, tB, 1, a, b, 0, want, nil)
			for threads := 1; threads <= 3; threads++ {
				o := &Opts[T]{Threads: threads}
				workspaceOf(t, fmt.Sprintf("%s threads=%d", label, threads), o, GemmBatchWork(blas.NoTrans, tB, a, b, threads), func() {
					GemmBatch(blas.NoTrans, tB, 1, a, b, 0, got, o)
				})
				sameAll(t, label, got, want)
			}
		}
	}
	const n, count = 70, 12
	a, b, got, want := draw[T](1, n*count, n, 0).Data, draw[T](2, n*count, n, 0).Data, make([]T, n*n*count), make([]T, n*n*count)
	for _, tB := range transposes {
		call := func(c []T, o *Opts[T]) {
			GemmStrided(blas.NoTrans, tB, n, n, n, 1, a, n, n*n, b, n, n*n, 0, c, n, n*n, count, o)
		}
		call(want, nil)
		for threads := 1; threads <= 3; threads++ {
			o := &Opts[T]{Threads: threads}
			workspaceOf(t, fmt.Sprintf("strided threads=%d", threads), o, GemmStridedWork[T](blas.NoTrans, tB, n, n, n, count, threads), func() { call(got, o) })
			if !slices.Equal(got, want) {
				t.Fatal("workspace changes the result")
			}
		}
	}
}

// workspaceOf checks that call, which uses o, allocates nothing, takes a workspace of
// the given size full of NaN, and panics with less.
func workspaceOf[T Float](t *testing.T, name string, o *Opts[T], size int, call func()) {
	t.Helper()
	if n := testing.AllocsPerRun(5, call); n != 0 {
		t.Errorf("%s: %v allocations without a workspace", name, n)
	}
	if size == 0 {
		return
	}
	o.Work = make([]T, size)
	for i := range o.Work {
		o.Work[i] = T(math.NaN())
	}
	if n := testing.AllocsPerRun(5, call); n != 0 {
		t.Errorf("%s: %v allocations with a workspace", name, n)
	}
	o.Work = o.Work[:size-1]
	defer func() {
		if recover() == nil {
			t.Errorf("%s: short workspace accepted", name)
		}
		o.Work = nil
	}()
	call()
}
