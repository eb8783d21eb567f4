package dense

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/precond-go/precond/asm"
)

func TestElementary(t *testing.T) {
	t.Run("f32", testElementary[float32])
	t.Run("f64", testElementary[float64])
}

func testElementary[T Float](t *testing.T) {
	k := asm.For[T]()
	r := rand.New(rand.NewPCG(1, 1))
	for _, c := range []struct {
		name   string
		f      func(x, dst []T, o *Opts[T])
		kernel func(x, dst []T)
	}{
		{"Exp", Exp[T], k.ExpTo}, {"Log", Log[T], k.LogTo}, {"Tanh", Tanh[T], k.TanhTo}, {"Sigmoid", Sigmoid[T], k.SigmoidTo},
	} {
		for _, n := range []int{0, 1, 63, mapChunk, mapChunk + 1, 3*mapGrain + 5} {
			x, want := make([]T, n), make([]T, n)
			for i := range x {
				x[i] = T(r.NormFloat64() * 10)
			}
			c.kernel(x, want)
			for threads := range 4 {
				o := &Opts[T]{Threads: threads}
				in, dst := append([]T(nil), x...), make([]T, n)
				c.f(in, dst, o)
				sameVectors(t, c.name, dst, want)
				sameVectors(t, c.name+": x", in, x)
				c.f(in, in, o)
				sameVectors(t, c.name+" in place", in, want)
			}
			c.f(x, x, nil)
			sameVectors(t, c.name+" without options", x, want)
		}
		x := make([]T, 4*mapGrain)
		for _, threads := range []int{1, 3} {
			o := &Opts[T]{Threads: threads}
			if n := testing.AllocsPerRun(20, func() { c.f(x, x, o) }); n != 0 {
				t.Errorf("%s on %d threads allocates %v times", c.name, threads, n)
			}
		}
		panicsWith(t, "dense: "+c.name+": x has 3 elements, dst has 4", func() { c.f(x[:3], x[10:14], nil) })
		panicsWith(t, "dense: "+c.name+": dst overlaps x", func() { c.f(x[:8], x[7:15], nil) })
	}
}

func TestBFloat16(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{0, 1, 31, mapChunk + 1, 3*mapGrain + 5} {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		for threads := range 4 {
			o := &Opts[float32]{Threads: threads}
			b, y := make([]BFloat16, n), make([]float32, n)
			ToBFloat16(x, b, o)
			FromBFloat16(b, y, o)
			for i, x := range x {
				if !(math.Abs(float64(y[i]-x)) <= 0x1p-8*math.Abs(float64(x))) || y[i] != b[i].Float32() {
					t.Fatalf("%v becomes %v", x, y[i])
				}
			}
		}
	}
	x, b := make([]float32, 4*mapGrain), make([]BFloat16, 4*mapGrain)
	for _, threads := range []int{1, 3} {
		o := &Opts[float32]{Threads: threads}
		if n := testing.AllocsPerRun(20, func() { ToBFloat16(x, b, o); FromBFloat16(b, x, o) }); n != 0 {
			t.Errorf("conversions on %d threads allocate %v times", threads, n)
		}
	}
	panicsWith(t, "dense: ToBFloat16: x has 3 elements, dst has 4", func() { ToBFloat16(x[:3], b[:4], nil) })
	panicsWith(t, "dense: FromBFloat16: x has 3 elements, dst has 4", func() { FromBFloat16(b[:3], x[:4], nil) })
}

func sameVectors[T Float](t *testing.T, what string, got, want []T) {
	t.Helper()
	for i, w := range want {
		g := got[i]
		if g != w && (g == g || w == w) || math.Signbit(float64(g)) != math.Signbit(float64(w)) && w == w {
			t.Fatalf("%s: element %d of %d is %v, want %v", what, i, len(want), g, w)
		}
	}
}

func panicsWith(t *testing.T, text string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if got, _ := recover().(string); !strings.Contains(got, text) {
			t.Errorf("panic %q, want %q", got, text)
		}
	}()
	f()
}
