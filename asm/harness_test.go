package asm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/precond-go/precond/internal/guard"
)

// The level-1 and level-2 entries and the fused updates of every instruction set
// against their generic twins, bit for bit. Adding an entry to vectorCases or
// matrixCases is all it takes to have it compared here, next to pages without
// access, and fuzzed.

func TestVectorKernelsMatchTwins(t *testing.T) {
	t.Run("f32", testVectorKernels[float32])
	t.Run("f64", testVectorKernels[float64])
}

func TestMatrixKernelsMatchTwins(t *testing.T) {
	t.Run("f32", testMatrixKernels[float32])
	t.Run("f64", testMatrixKernels[float64])
}

// dims are the arguments of a kernel that are sizes; level 1 has n only.
type dims struct{ m, n, lda int }

// A kernelCase is one way to call one entry of the table. call gets as many
// scalars as it asks for and slices of the lengths that size returns, some of
// which it overwrites; a result that is not a T is returned as one.
type kernelCase[T Float] struct {
	name    string
	scalars int
	size    func(d dims) []int
	call    func(k *Kernels[T], d dims, s []T, v [][]T) T
}

// vectors returns the size function of count vectors of length n.
func vectors(count int) func(d dims) []int {
	return func(d dims) []int {
		s := make([]int, count)
		for i := range s {
			s[i] = d.n
		}
		return s
	}
}

func vectorCases[T Float]() []kernelCase[T] {
	type kern = *Kernels[T]
	var cases []kernelCase[T]
	reduction := func(name string, count int, f func(k kern, v [][]T) T) {
		cases = append(cases, kernelCase[T]{name, 0, vectors(count), func(k kern, _ dims, _ []T, v [][]T) T { return f(k, v) }})
	}
	update := func(name string, scalars, count int, f func(k kern, s []T, v [][]T)) {
		cases = append(cases, kernelCase[T]{name, scalars, vectors(count), func(k kern, _ dims, s []T, v [][]T) T {
			f(k, s, v)
			return 0
		}})
	}
	reduction("Dot", 2, func(k kern, v [][]T) T { return k.Dot(v[0], v[1]) })
	reduction("Dot/y=x", 1, func(k kern, v [][]T) T { return k.Dot(v[0], v[0]) })
	reduction("Sum", 1, func(k kern, v [][]T) T { return k.Sum(v[0]) })
	reduction("AbsSum", 1, func(k kern, v [][]T) T { return k.AbsSum(v[0]) })
	reduction("SumSq", 1, func(k kern, v [][]T) T { return k.SumSq(v[0]) })
	reduction("MaxAbs", 1, func(k kern, v [][]T) T { return k.MaxAbs(v[0]) })
	reduction("IMaxAbs", 1, func(k kern, v [][]T) T { return T(k.IMaxAbs(v[0])) })
	update("Axpy", 1, 2, func(k kern, s []T, v [][]T) { k.Axpy(s[0], v[0], v[1]) })
	update("Axpby", 2, 2, func(k kern, s []T, v [][]T) { k.Axpby(s[0], v[0], s[1], v[1]) })
	update("Scal", 1, 1, func(k kern, s []T, v [][]T) { k.Scal(s[0], v[0]) })
	update("ScalTo", 1, 2, func(k kern, s []T, v [][]T) { k.ScalTo(s[0], v[0], v[1]) })
	update("ScalTo/dst=x", 1, 1, func(k kern, s []T, v [][]T) { k.ScalTo(s[0], v[0], v[0]) })
	update("Swap", 0, 2, func(k kern, s []T, v [][]T) { k.Swap(v[0], v[1]) })
	update("Rot", 2, 2, func(k kern, s []T, v [][]T) { k.Rot(s[0], s[1], v[0], v[1]) })
	for i, entry := range []func(k kern) func(x, y, dst []T){
		func(k kern) func(x, y, dst []T) { return k.AddTo },
		func(k kern) func(x, y, dst []T) { return k.SubTo },
		func(k kern) func(x, y, dst []T) { return k.MulTo },
		func(k kern) func(x, y, dst []T) { return k.DivTo },
	} {
		name := []string{"AddTo", "SubTo", "MulTo", "DivTo"}[i]
		update(name, 0, 3, func(k kern, s []T, v [][]T) { entry(k)(v[0], v[1], v[2]) })
		update(name+"/dst=x", 0, 2, func(k kern, s []T, v [][]T) { entry(k)(v[0], v[1], v[0]) })
		update(name+"/dst=y", 0, 2, func(k kern, s []T, v [][]T) { entry(k)(v[0], v[1], v[1]) })
	}
	update("MulAdd", 0, 3, func(k kern, s []T, v [][]T) { k.MulAdd(v[0], v[1], v[2]) })
	update("MulAdd/y=x", 0, 2, func(k kern, s []T, v [][]T) { k.MulAdd(v[0], v[0], v[1]) })
	update("SqrtTo", 0, 2, func(k kern, s []T, v [][]T) { k.SqrtTo(v[0], v[1]) })
	update("SqrtTo/dst=x", 0, 1, func(k kern, s []T, v [][]T) { k.SqrtTo(v[0], v[0]) })
	for i, entry := range []func(k kern) func(x, dst []T){
		func(k kern) func(x, dst []T) { return k.ExpTo },
		func(k kern) func(x, dst []T) { return k.LogTo },
		func(k kern) func(x, dst []T) { return k.TanhTo },
		func(k kern) func(x, dst []T) { return k.SigmoidTo },
	} {
		name := []string{"ExpTo", "LogTo", "TanhTo", "SigmoidTo"}[i]
		update(name, 0, 2, func(k kern, s []T, v [][]T) { entry(k)(v[0], v[1]) })
		update(name+"/dst=x", 0, 1, func(k kern, s []T, v [][]T) { entry(k)(v[0], v[0]) })
	}
	update("SqrtDivTo", 1, 3, func(k kern, s []T, v [][]T) { k.SqrtDivTo(s[0], v[0], v[1], v[2]) })
	update("SqrtDivTo/dst=x", 1, 2, func(k kern, s []T, v [][]T) { k.SqrtDivTo(s[0], v[0], v[1], v[0]) })
	update("EMA", 1, 2, func(k kern, s []T, v [][]T) { k.EMA(s[0], v[0], v[1]) })
	update("EMASq", 1, 2, func(k kern, s []T, v [][]T) { k.EMASq(s[0], v[0], v[1]) })
	update("Momentum", MomentumLen, 3, func(k kern, s []T, v [][]T) {
		k.Momentum((*[MomentumLen]T)(s), v[0], v[1], v[2])
	})
	update("Adam", AdamLen, 4, func(k kern, s []T, v [][]T) {
		k.Adam((*[AdamLen]T)(s), v[0], v[1], v[2], v[3])
	})
	update("Adam/positive", AdamLen, 4, func(k kern, s []T, v [][]T) {
		for i := range v[2] {
			v[2][i] = abs(v[2][i])
		}
		s[AdamBeta2] = 0.5
		k.Adam((*[AdamLen]T)(s), v[0], v[1], v[2], v[3])
	})
	update("AdaMax", AdamLen, 4, func(k kern, s []T, v [][]T) {
		k.AdaMax((*[AdamLen]T)(s), v[0], v[1], v[2], v[3])
	})
	cases = append(cases, kernelCase[T]{"Secular", 2, vectors(2), func(k kern, _ dims, s []T, v [][]T) T {
		f, _ := k.Secular(v[0], v[1], s[0], s[1])
		return f
	}}, kernelCase[T]{"Secular/derivative", 2, vectors(2), func(k kern, _ dims, s []T, v [][]T) T {
		_, df := k.Secular(v[0], v[1], s[0], s[1])
		return df
	}})
	update("Loewner", 3, 2, func(k kern, s []T, v [][]T) { k.Loewner(v[0], s[0], s[1], s[2], v[1]) })
	update("Cauchy", 2, 3, func(k kern, s []T, v [][]T) { k.Cauchy(v[0], v[1], s[0], s[1], v[2]) })
	cases = append(cases, kernelCase[T]{"DotAxpy", 1, vectors(3), func(k kern, _ dims, s []T, v [][]T) T {
		return k.DotAxpy(s[0], v[0], v[1], v[2])
	}})
	return cases
}

func matrixCases[T Float]() []kernelCase[T] {
	type kern = *Kernels[T]
	size := func(x, y func(d dims) int) func(d dims) []int {
		return func(d dims) []int {
			a := 0
			if d.m > 0 && d.n > 0 {
				a = (d.m-1)*d.lda + d.n
			}
			return []int{a, x(d), y(d)}
		}
	}
	m, n := func(d dims) int { return d.m }, func(d dims) int { return d.n }
	return []kernelCase[T]{
		{"GemvN", 1, size(n, m), func(k kern, d dims, s []T, v [][]T) T {
			k.GemvN(d.m, d.n, s[0], v[0], d.lda, v[1], v[2])
			return 0
		}},
		{"GemvT", 1, size(m, n), func(k kern, d dims, s []T, v [][]T) T {
			k.GemvT(d.m, d.n, s[0], v[0], d.lda, v[1], v[2])
			return 0
		}},
		{"GemvNT", 0, func(d dims) []int { return append(size(n, n)(d), d.m, d.m) }, func(k kern, d dims, s []T, v [][]T) T {
			k.GemvNT(d.m, d.n, v[3], v[0], d.lda, v[1], v[2], v[4])
			return 0
		}},
		{"Ger", 1, size(m, n), func(k kern, d dims, s []T, v [][]T) T {
			k.Ger(d.m, d.n, s[0], v[1], v[2], v[0], d.lda)
			return 0
		}},
	}
}

// A kind of test data.
type kind int

const (
	plain kind = iota // what sums and products round
	wide              // many orders of magnitude, denormals and ±0
	tiny              // products underflow
	rare              // plain with a few NaN, ±Inf and huge values
	bits              // any bits
	kinds
)

func (d kind) String() string { return [...]string{"plain", "wide", "tiny", "rare", "bits"}[d] }

// value returns a random number of the kind.
func value[T Float](r *rand.Rand, d kind) T {
	x := r.Float64()*2 - 1
	small, huge, minExp := math.SmallestNonzeroFloat64, math.MaxFloat64, -1022
	if is32[T]() {
		small, huge, minExp = math.SmallestNonzeroFloat32, math.MaxFloat32, -126
	}
	switch d {
	case wide:
		switch r.IntN(8) {
		case 0:
			return T(math.Copysign(0, x))
		case 1:
			return T(math.Copysign(small*float64(1+r.IntN(1000)), x))
		}
		return T(math.Ldexp(x, r.IntN(80)-40))
	case tiny:
		return T(math.Ldexp(x, minExp/2-12+r.IntN(24)))
	case rare:
		if r.IntN(40) == 0 {
			return T([]float64{math.NaN(), math.Inf(1), math.Inf(-1), huge, -huge, 0, math.Copysign(0, -1), small}[r.IntN(8)])
		}
	case bits:
		if is32[T]() {
			return T(math.Float32frombits(r.Uint32()))
		}
		return T(math.Float64frombits(r.Uint64()))
	}
	return T(x)
}

// A bench has guarded memory for the operands of a case.
type bench[T Float] struct {
	mem []*guard.Buffer[T]
	r   *rand.Rand
}

func newBench[T Float](t testing.TB, n int) *bench[T] {
	b := &bench[T]{r: rand.New(rand.NewPCG(11, 13))}
	for range 5 {
		b.mem = append(b.mem, guard.New[T](t, n))
	}
	return b
}

// operand returns n elements that border on forbidden memory, and the few on
// their other side, which must not change.
func (b *bench[T]) operand(i, n int, end bool) (x, beside []T) {
	const margin = 40
	if end {
		w := b.mem[i].End(n + margin)
		return b.mem[i].End(n), w[:margin]
	}
	w := b.mem[i].Begin(n + margin)
	return b.mem[i].Begin(n), w[n:]
}

// canary is what surrounds operands.
const canary = 0x1p60

// compare runs one case on random data and compares the result, all operands and
// what lies beside them with what the twin does. It returns what differs.
func (b *bench[T]) compare(k *Kernels[T], c kernelCase[T], d dims, what kind, end bool) error {
	s := make([]T, c.scalars)
	for i := range s {
		s[i] = value[T](b.r, what)
	}
	var in, want, got, beside [][]T
	for i, n := range c.size(d) {
		x := make([]T, n)
		for j := range x {
			x[j] = value[T](b.r, what)
		}
		g, w := b.operand(i, n, end)
		copy(g, x)
		for j := range w {
			w[j] = canary
		}
		in, want, got, beside = append(in, x), append(want, append([]T(nil), x...)), append(got, g), append(beside, w)
	}
	twin := ForISA[T]("generic")
	wantResult := c.call(twin, d, append([]T(nil), s...), want)
	result := c.call(k, d, append([]T(nil), s...), got)
	if !sameBits(result, wantResult) {
		return fmt.Errorf("%s %+v %v end=%v: result %v, want %v; scalars %v, operands %v", c.name, d, what, end, result, wantResult, s, brief(in))
	}
	for i := range want {
		for j, w := range want[i] {
			if !sameBits(got[i][j], w) {
				return fmt.Errorf("%s %+v %v end=%v: operand %d[%d] = %v (was %v), want %v; scalars %v", c.name, d, what, end, i, j, got[i][j], in[i][j], w, s)
			}
		}
		for j, w := range beside[i] {
			if w != canary {
				return fmt.Errorf("%s %+v end=%v: wrote beside operand %d (%d of the neighbours)", c.name, d, end, i, j)
			}
		}
	}
	return nil
}

func brief[T Float](v [][]T) string {
	s := ""
	for _, x := range v {
		s += fmt.Sprint(x[:min(len(x), 9)])
	}
	return s
}

// longest is twice the most elements that any kernel takes at once, and 3.
const longest = 2*maxLanes + 3

func testVectorKernels[T Float](t *testing.T) {
	const long = 3*4096 + 77
	eachTarget(t, func(t *testing.T, k *Kernels[T]) {
		b := newBench[T](t, long+64)
		for _, c := range vectorCases[T]() {
			sizes := []int{200, 255, 256, 257, 1000, 4095, 4097, long}
			for n := range longest + 1 {
				sizes = append(sizes, n)
			}
			for _, n := range sizes {
				for what := range kinds {
					for _, end := range []bool{true, false} {
						if err := b.compare(k, c, dims{n: n}, what, end); err != nil {
							t.Error(err)
						}
						if n > longest { // the twins are slow
							break
						}
					}
				}
				if t.Failed() {
					return
				}
			}
		}
	})
}

func testMatrixKernels[T Float](t *testing.T) {
	eachTarget(t, func(t *testing.T, k *Kernels[T]) {
		b := newBench[T](t, 40*(longest+40))
		for _, c := range matrixCases[T]() {
			for _, m := range []int{0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 17, 34} {
				for n := range longest + 1 {
					for _, end := range []bool{true, false} {
						what := kind(b.r.IntN(int(kinds)))
						d := dims{m, n, n + []int{0, 1, 5, 16}[b.r.IntN(4)]}
						if err := b.compare(k, c, d, what, end); err != nil {
							t.Error(err)
						}
					}
					if t.Failed() {
						return
					}
				}
			}
		}
	})
}

// FuzzVectorKernels and FuzzMatrixKernels take everything from the input: the
// kernel, the sizes, the kind of data and the seed of the data.
func FuzzVectorKernels(f *testing.F) {
	for what := range kinds {
		f.Add(uint64(what), uint8(what), uint8(what), uint16(7*what), true)
	}
	f.Fuzz(func(t *testing.T, seed uint64, which, what uint8, n uint16, end bool) {
		d := dims{n: int(n) % 2048}
		fuzzOne(t, vectorCases[float32](), seed, which, what, d, end)
		fuzzOne(t, vectorCases[float64](), seed, which, what, d, end)
	})
}

func FuzzMatrixKernels(f *testing.F) {
	for what := range kinds {
		f.Add(uint64(what), uint8(what), uint8(what), uint8(3*what), uint8(5*what), uint8(what), true)
	}
	f.Fuzz(func(t *testing.T, seed uint64, which, what, m, n, pad uint8, end bool) {
		d := dims{int(m) % 40, int(n), int(n) + int(pad)%20}
		fuzzOne(t, matrixCases[float32](), seed, which, what, d, end)
		fuzzOne(t, matrixCases[float64](), seed, which, what, d, end)
	})
}

func fuzzOne[T Float](t *testing.T, cases []kernelCase[T], seed uint64, which, what uint8, d dims, end bool) {
	c := cases[int(which)%len(cases)]
	eachTarget(t, func(t *testing.T, k *Kernels[T]) {
		b := newBench[T](t, 1+d.m*d.lda+d.n+64)
		b.r = rand.New(rand.NewPCG(seed, 0))
		if err := b.compare(k, c, d, kind(what)%kinds, end); err != nil {
			t.Error(err)
		}
	})
}
