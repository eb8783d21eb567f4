package asm

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/precond-go/precond/internal/guard"
)

// What the functions do at every length, in place and beside pages without access
// is in the cases of harness_test.go; here are their values.

// elementaryBound is the documented error in units in the last place. The largest
// errors that were seen, over all arguments of float32 and 1.5 million of float64
// for each function, are
//
//	          float32   float64
//	exp        0.871     0.845
//	log        0.829     0.799
//	tanh       0.740     0.638
//	sigmoid    0.777     0.759
const elementaryBound = 1

// An elementaryCase is one function: its kernel, what it is, and the largest
// arguments that are interesting.
type elementaryCase[T Float] struct {
	name   string
	kernel func(k *Kernels[T]) func(x, dst []T)
	exact  func(x float64) *big.Float // for finite x where the function is finite
	quick  func(x float64) float64    // in float64, for float32
	reach  float64
}

func elementaryCases[T Float]() []elementaryCase[T] {
	reach := 760.0
	if is32[T]() {
		reach = 106
	}
	sigmoid := func(x float64) float64 {
		if x < 0 {
			return math.Exp(x) / (1 + math.Exp(x))
		}
		return 1 / (1 + math.Exp(-x))
	}
	return []elementaryCase[T]{
		{"exp", func(k *Kernels[T]) func(x, dst []T) { return k.ExpTo }, func(x float64) *big.Float { return bigExp(bigOf(x)) }, math.Exp, reach},
		{"log", func(k *Kernels[T]) func(x, dst []T) { return k.LogTo }, bigLog, math.Log, 4},
		{"tanh", func(k *Kernels[T]) func(x, dst []T) { return k.TanhTo }, bigTanh, math.Tanh, 22},
		{"sigmoid", func(k *Kernels[T]) func(x, dst []T) { return k.SigmoidTo }, bigSigmoid, sigmoid, reach},
	}
}

// ulps returns the error of got = f(x), where f(x) is finite.
func (c *elementaryCase[T]) ulps(got, x T) float64 {
	if is32[T]() {
		if w := c.quick(float64(x)); !math.IsInf(w, 0) && w != 0 {
			return ulps(got, bigOf(w))
		}
	}
	return ulps(got, c.exact(float64(x)))
}

// finite returns whether f(x) is finite without rounding.
func (c *elementaryCase[T]) finite(x T) bool {
	return x-x == 0 && (c.name != "log" || x > 0)
}

// argument returns a random argument: any bits, in reach, of any small size, or
// close to 1.
func (c *elementaryCase[T]) argument(r *rand.Rand) T {
	u := r.Float64()*2 - 1
	switch r.IntN(8) {
	case 0, 1:
		return value[T](r, bits)
	case 2, 3, 4:
		return T(u * c.reach)
	case 5:
		return T(u * 2)
	case 6:
		return T(math.Ldexp(u, -r.IntN(60)))
	}
	return T(1 + math.Ldexp(u, -r.IntN(50)))
}

func TestElementaryMatchesTwin(t *testing.T) {
	t.Run("f32", func(t *testing.T) {
		const stride = 40009 // an odd one, so all exponents and low bits occur
		x := make([]float32, 1<<32/stride)
		for i := range x {
			x[i] = math.Float32frombits(uint32(i * stride))
		}
		for _, c := range elementaryCases[float32]() {
			c.matchTwin(t, x)
		}
	})
	t.Run("f64", func(t *testing.T) {
		r := rand.New(rand.NewPCG(3, 4))
		x := make([]float64, 100_000)
		for _, c := range elementaryCases[float64]() {
			for i := range x {
				x[i] = c.argument(r)
			}
			c.matchTwin(t, x)
		}
	})
}

// matchTwin compares all targets with the twin.
func (c *elementaryCase[T]) matchTwin(t *testing.T, x []T) {
	t.Helper()
	want, got := make([]T, len(x)), make([]T, len(x))
	c.kernel(ForISA[T]("generic"))(x, want)
	for _, isa := range ISAs() {
		c.kernel(ForISA[T](isa))(x, got)
		for i, w := range want {
			if !sameBits(got[i], w) {
				t.Fatalf("%s: %s(%x) = %x, twin has %x", isa, c.name, x[i], got[i], w)
			}
		}
	}
}

func TestElementaryAccuracy(t *testing.T) {
	t.Run("f32", testElementaryAccuracy[float32])
	t.Run("f64", testElementaryAccuracy[float64])
}

func testElementaryAccuracy[T Float](t *testing.T) {
	n := 10_000
	if is32[T]() {
		n = 100_000
	}
	for _, c := range elementaryCases[T]() {
		worst, at := c.worst(For[T](), n, rand.New(rand.NewPCG(1, 2)))
		t.Logf("%s: largest error of %d: %.4f units, at %x", c.name, n, worst, at)
		if !(worst <= elementaryBound) {
			t.Errorf("%s(%x) is %.4f units off, bound %v", c.name, at, worst, elementaryBound)
		}
	}
}

// worst returns the largest error among n random arguments.
func (c *elementaryCase[T]) worst(k *Kernels[T], n int, r *rand.Rand) (worst float64, at T) {
	x, got := make([]T, 1000), make([]T, 1000)
	for range n / len(x) {
		for i := range x {
			x[i] = c.argument(r)
		}
		c.kernel(k)(x, got)
		for i, x := range x {
			if !c.finite(x) {
				continue
			}
			if e := c.ulps(got[i], x); !(e <= worst) {
				worst, at = e, x
			}
		}
	}
	return worst, at
}

func TestElementarySpecial(t *testing.T) {
	t.Run("f32", testElementarySpecial[float32])
	t.Run("f64", testElementarySpecial[float64])
}

func testElementarySpecial[T Float](t *testing.T) {
	inf, nan, zero, minus := T(math.Inf(1)), T(math.NaN()), T(0), T(math.Copysign(0, -1))
	large, tiny, over, under, flat := math.MaxFloat64, math.SmallestNonzeroFloat64, 709.79, -745.14, 19.1
	if is32[T]() {
		large, tiny, over, under, flat = math.MaxFloat32, math.SmallestNonzeroFloat32, 88.73, -103.98, 9.02
	}
	type value struct{ x, want T }
	values := map[string][]value{
		"exp": {{nan, nan}, {inf, inf}, {-inf, 0}, {zero, 1}, {minus, 1}, {T(large), inf}, {T(-large), 0},
			{T(tiny), 1}, {T(-tiny), 1}, {T(over), inf}, {T(under), 0}},
		"log": {{nan, nan}, {inf, inf}, {-inf, nan}, {zero, -inf}, {minus, -inf}, {1, 0}, {-1, nan},
			{T(-large), nan}, {T(-tiny), nan}},
		"tanh": {{nan, nan}, {inf, 1}, {-inf, -1}, {zero, zero}, {minus, minus}, {T(large), 1}, {T(-large), -1},
			{T(tiny), T(tiny)}, {T(-tiny), T(-tiny)}, {T(flat), 1}, {T(-flat), -1}},
		"sigmoid": {{nan, nan}, {inf, 1}, {-inf, 0}, {zero, 0.5}, {minus, 0.5}, {T(large), 1}, {T(-large), 0},
			{T(tiny), 0.5}, {T(-tiny), 0.5}, {T(under), 0}},
	}
	eachTarget(t, func(t *testing.T, k *Kernels[T]) {
		for _, c := range elementaryCases[T]() {
			for _, v := range values[c.name] {
				x := make([]T, 2*maxLanes+3) // in all parts of a kernel
				for i := range x {
					x[i] = v.x
				}
				c.kernel(k)(x, x)
				for i, got := range x {
					if !sameBits(got, v.want) {
						t.Errorf("%s(%v) = %v, want %v; element %d", c.name, v.x, got, v.want, i)
						break
					}
				}
			}
		}
	})
}

// FuzzElementary gives every function any argument and asserts what is
// documented: all targets agree, and the error is within the bound.
func FuzzElementary(f *testing.F) {
	for _, x := range []float64{0, 1, -1, 0.75, 1.5, math.Ln2 / 2, 88.72, 709.78, -103.97, -745.13, 9.01, 19.06, 0x1p-149, 0x1p-1074, math.Inf(1), math.NaN()} {
		f.Add(math.Float64bits(x), uint8(5))
	}
	f.Fuzz(func(t *testing.T, b uint64, n uint8) {
		fuzzElementary(t, math.Float64frombits(b), int(n))
		fuzzElementary(t, float32(math.Float64frombits(b)), int(n))
		fuzzElementary(t, math.Float32frombits(uint32(b)), int(n))
	})
}

func fuzzElementary[T Float](t *testing.T, x T, n int) {
	for _, c := range elementaryCases[T]() {
		in, got := make([]T, n+1), []T{0}
		for i := range in {
			in[i] = T(x * T(1+i))
		}
		c.matchTwin(t, in)
		c.kernel(For[T]())([]T{x}, got)
		if !c.finite(x) {
			continue
		}
		if e := c.ulps(got[0], x); !(e <= elementaryBound) {
			t.Errorf("%s(%x) = %x is %v units off", c.name, x, got[0], e)
		}
	}
}

func TestBF16(t *testing.T) {
	const most = 2*64 + 3
	x := guard.New[float32](t, most)
	h := guard.New[uint16](t, most)
	r := rand.New(rand.NewPCG(5, 6))
	for _, isa := range ISAs() {
		k := ConvertISA(isa)
		for n := range most + 1 {
			for _, part := range []struct {
				x []float32
				h []uint16
			}{{x.Begin(n), h.Begin(n)}, {x.End(n), h.End(n)}} {
				for i := range part.x {
					part.x[i] = bf16Value(r)
				}
				k.ToBF16(part.x, part.h)
				for i, x := range part.x {
					if want := nearestBF16(x); part.h[i] != want {
						t.Fatalf("%s: ToBF16(%x) = %#x, want %#x; element %d of %d", isa, x, part.h[i], want, i, n)
					}
				}
				k.FromBF16(part.h, part.x)
				for i, x := range part.x {
					if math.Float32bits(x) != uint32(part.h[i])<<16 {
						t.Fatalf("%s: FromBF16(%#x) = %x; element %d of %d", isa, part.h[i], x, i, n)
					}
				}
			}
		}
	}
}

// TestBF16All converts every bfloat16 there and back.
func TestBF16All(t *testing.T) {
	in, out := make([]uint16, 1<<16), make([]uint16, 1<<16)
	x := make([]float32, 1<<16)
	for i := range in {
		in[i] = uint16(i)
	}
	for _, isa := range ISAs() {
		k := ConvertISA(isa)
		k.FromBF16(in, x)
		k.ToBF16(x, out)
		for i, b := range in {
			if b&0x7fff > 0x7f80 {
				b |= 0x40 // NaN becomes quiet
			}
			if out[i] != b {
				t.Fatalf("%s: %#x becomes %#x", isa, in[i], out[i])
			}
		}
	}
}

// bf16Value returns any number, or one that is a tie, nearly one, or special.
func bf16Value(r *rand.Rand) float32 {
	u := r.Uint32()
	switch r.IntN(4) {
	case 0:
		u = u&^0xffff | 0x8000
	case 1:
		u = u&^0xffff | 0x8000 + uint32(r.IntN(3)) - 1
	case 2:
		u = u&0x8000ffff | 0x7f7f0000 + uint32(r.IntN(3))<<16 // around Inf and NaN
	}
	return math.Float32frombits(u)
}

// nearestBF16 rounds by comparing distances.
func nearestBF16(x float32) uint16 {
	u := math.Float32bits(x)
	lo, hi := uint16(u>>16), uint16(u>>16)+1 // next larger magnitude
	if x != x {
		return lo | 0x40
	}
	v := func(b uint16) float64 {
		if b&0x7fff == 0x7f80 { // Inf takes the place of 2¹²⁸
			return math.Copysign(0x1p128, float64(x))
		}
		return float64(math.Float32frombits(uint32(b) << 16))
	}
	if math.IsInf(float64(x), 0) {
		return lo
	}
	down, up := math.Abs(float64(x)-v(lo)), math.Abs(v(hi)-float64(x))
	if down < up || down == up && lo%2 == 0 {
		return lo
	}
	return hi
}

// The register allocator of the generator would use registers that only AVX-512
// has, in AVX2 code, if it ran out of others.
func TestAVX2Registers(t *testing.T) {
	files, err := filepath.Glob("*_avx2_amd64.s")
	if err != nil || len(files) == 0 {
		t.Fatal("no AVX2 sources", err)
	}
	wrong := regexp.MustCompile(`\b([XY](1[6-9]|2\d|3[01])|Z\d+|K[0-7])\b`)
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if m := wrong.Find(src); m != nil {
			t.Errorf("%s uses %s", file, m)
		}
	}
}

// BenchmarkElementary reports ns per element on vectors in cache.
func BenchmarkElementary(b *testing.B) {
	benchElementary[float32](b, "f32")
	benchElementary[float64](b, "f64")
}

func benchElementary[T Float](b *testing.B, typ string) {
	const n = 2048
	x, dst := make([]T, n), make([]T, n)
	for i := range x {
		x[i] = T(i%977)/50 + 0.01
	}
	for _, isa := range ISAs() {
		for _, c := range elementaryCases[T]() {
			b.Run(fmt.Sprintf("%s/%s/isa=%s", c.name, typ, isa), func(b *testing.B) {
				f := c.kernel(ForISA[T](isa))
				for b.Loop() {
					f(x, dst)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/element")
			})
		}
	}
}

// BenchmarkBF16 reports the bytes that conversions in cache read and write.
func BenchmarkBF16(b *testing.B) {
	x, h := make([]float32, 2048), make([]uint16, 2048)
	for _, isa := range ISAs() {
		k := ConvertISA(isa)
		b.Run("to/isa="+isa, func(b *testing.B) {
			b.SetBytes(int64(6 * len(x)))
			for b.Loop() {
				k.ToBF16(x, h)
			}
		})
		b.Run("from/isa="+isa, func(b *testing.B) {
			b.SetBytes(int64(6 * len(x)))
			for b.Loop() {
				k.FromBF16(h, x)
			}
		})
	}
}
