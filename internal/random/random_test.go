package random

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mathext"
)

// TestPhilox compares with the known answers of Random123 (kat_vectors,
// philox2x64, 10 rounds).
func TestPhilox(t *testing.T) {
	for _, c := range []struct{ c0, c1, k, x0, x1 uint64 }{
		{0, 0, 0, 0xca00a0459843d731, 0x66c24222c9a845b5},
		{math.MaxUint64, math.MaxUint64, math.MaxUint64, 0x65b021d60cd8310f, 0x4d02f3222f86df20},
		{0x243f6a8885a308d3, 0x13198a2e03707344, 0xa4093822299f31d0, 0x0a5e742c2997341c, 0xb0f883d38000de5d},
	} {
		if x0, x1 := philox(c.c0, c.c1, c.k); x0 != c.x0 || x1 != c.x1 {
			t.Errorf("philox(%x, %x, %x) = %x %x, want %x %x", c.c0, c.c1, c.k, x0, x1, c.x0, c.x1)
		}
	}
}

// TestPlaces asks for numbers in pieces: the place decides, not the call.
func TestPlaces(t *testing.T) {
	s := New(1, 2, 3)
	fills := map[string]func(from uint64, dst []float64){
		"Normal":     func(from uint64, dst []float64) { Normal(s, from, dst) },
		"Uniform":    func(from uint64, dst []float64) { Uniform(s, from, dst) },
		"Rademacher": func(from uint64, dst []float64) { Rademacher(s, from, dst) },
	}
	for name, fill := range fills {
		whole, pieces := make([]float64, 1000), make([]float64, 1000)
		fill(5, whole)
		for i := 0; i < len(pieces); {
			n := min(1+i%171, len(pieces)-i)
			fill(5+uint64(i), pieces[i:i+n])
			i += n
		}
		for i := range whole {
			if whole[i] != pieces[i] {
				t.Fatalf("%s: element %d is %v in one call, %v in several", name, i, whole[i], pieces[i])
			}
		}
	}
	for from := range uint64(4) {
		for n := range 6 {
			words := make([]uint64, n)
			s.Words(from, words)
			for i, w := range words {
				if want := s.Uint64(from + uint64(i)); w != want {
					t.Fatalf("Words(%d, %d): word %d is %x, want %x", from, n, i, w, want)
				}
			}
		}
	}
	if New(1, 2, 3).Uint64(0) == New(2, 1, 3).Uint64(0) || New(1, 2, 3).Uint64(0) == New(1, 2, 4).Uint64(0) {
		t.Error("two streams start with the same number")
	}
}

// TestNormal compares with gonum's quantile and looks at moments.
func TestNormal(t *testing.T) {
	s := New(7, 0, 0)
	const n = 1 << 17
	x := make([]float64, n)
	Normal(s, 0, x)
	var moments [4]float64
	for i, v := range x {
		want := mathext.NormalQuantile(s.Float64(uint64(i)))
		if !(math.Abs(v-want) <= 1e-13*(1+math.Abs(want))) {
			t.Fatalf("variate %d is %v, want %v", i, v, want)
		}
		for k, p := 0, v; k < 4; k, p = k+1, p*v {
			moments[k] += p / n
		}
	}
	// Standard deviations of the sample moments: √(1, 2, 15, 96)/√n.
	for k, want := range []float64{0, 1, 0, 3} {
		sd := math.Sqrt([]float64{1, 2, 15, 96}[k] / n)
		if !(math.Abs(moments[k]-want) <= 5*sd) {
			t.Errorf("moment %d is %v, want %v ± %v", k+1, moments[k], want, sd)
		}
	}
	// The far tail, which no sample reaches: unit's smallest value.
	if p := unit(0); !(p > 0) || !(unit(math.MaxUint64) < 1) {
		t.Error("unit leaves (0, 1)")
	}
}

// TestIntegers checks ranges, permutations and a rough uniformity.
func TestIntegers(t *testing.T) {
	s := New(3, 1, 4)
	var count [7]int
	for i := range uint64(7000) {
		count[s.IntN(i, 7)]++
	}
	for v, c := range count {
		if c < 850 || c > 1150 {
			t.Errorf("IntN(7) gave %d %d times out of 7000", v, c)
		}
	}
	for n := range 20 {
		p := make([]int, n)
		s.Perm(p)
		seen := make([]bool, n)
		for _, v := range p {
			seen[v] = true
		}
		for v, ok := range seen {
			if !ok {
				t.Errorf("Perm(%d) misses %d", n, v)
			}
		}
	}
	signs := make([]float32, 10000)
	Rademacher(s, 0, signs)
	sum := 0.0
	for _, v := range signs {
		if v != 1 && v != -1 {
			t.Fatalf("a sign of %v", v)
		}
		sum += float64(v)
	}
	if math.Abs(sum) > 500 {
		t.Errorf("the signs add up to %v", sum)
	}
}

func TestAllocations(t *testing.T) {
	x := make([]float32, 1000)
	if n := testing.AllocsPerRun(10, func() { Normal(New(1, 2, 3), 0, x) }); n != 0 {
		t.Errorf("Normal allocates %v times", n)
	}
}
