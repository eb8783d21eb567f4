package asm

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// exactFMA rounds x·y+z once, from its exact value. All are finite.
func exactFMA(x, y, z float32) float32 {
	b := func(v float32) *big.Float { return new(big.Float).SetPrec(1200).SetFloat64(float64(v)) }
	p := new(big.Float).SetPrec(1200).Mul(b(x), b(y))
	r, _ := p.Add(p, b(z)).Float32() // to nearest, ties to even, also below the normal range
	return r
}

func checkFMA(t *testing.T, x, y, z float32) {
	t.Helper()
	if got, want := fma32(x, y, z), exactFMA(x, y, z); !sameBits(got, want) {
		t.Fatalf("fma(%x, %x, %x) = %x, want %x", x, y, z, got, want)
	}
}

// TestFMA32Ties makes sums that lie on a tie between two float32, or next to one
// by much less than the 53 bits of a float64 can tell: there rounding twice is
// wrong. They are placed in all of the range: normal, at the border of the
// subnormal numbers and below it, and around overflow.
func TestFMA32Ties(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	wrong := 0 // how often rounding twice fails
	for range 300000 {
		// z is the upper part with an exponent e, x·y about half a unit of z.
		e := []int{-149 + r.IntN(30), -126 + r.IntN(4), r.IntN(40) - 20, 127 - r.IntN(3)}[r.IntN(4)]
		z := float32(math.Ldexp(float64(1<<23+r.IntN(1<<23)), e-23))
		half := max(e-24, -150)
		x := float32(math.Ldexp(1, half/2))
		y := float32(math.Ldexp(1, half-half/2))
		switch r.IntN(4) {
		case 0: // the tie itself
		case 1:
			y = math.Nextafter32(y, 0)
		case 2:
			y = math.Nextafter32(y, 1)
		case 3: // (1+2⁻²³)·(1−2⁻²³) = 1−2⁻⁴⁶, a hair below
			x, y = x*(1+0x1p-23), y*(1-0x1p-23)
		}
		if r.IntN(2) == 0 {
			x = -x
		}
		if r.IntN(2) == 0 {
			z = -z
		}
		checkFMA(t, x, y, z)
		if twice := float32(float64(x)*float64(y) + float64(z)); !sameBits(twice, exactFMA(x, y, z)) {
			wrong++
		}
	}
	if wrong < 1000 {
		t.Errorf("only %d of the cases are hard", wrong)
	}
}

// TestFMA32Small has z far below x·y, which is a tie by itself.
func TestFMA32Small(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for range 300000 {
		// An odd number of 25 bits is a tie; make it as a product.
		a, b := r.IntN(1<<12)|1|1<<11, r.IntN(1<<12)|1|1<<12
		e := r.IntN(250) - 160
		x, y := float32(a), float32(math.Ldexp(float64(b), max(e, -149+13)))
		z := float32(math.Ldexp(r.Float64()*2-1, r.IntN(150)-149))
		checkFMA(t, x, y, z)
		checkFMA(t, -x, y, z)
	}
}

func TestFMA32Random(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	finite := func() float32 {
		for {
			if v := math.Float32frombits(r.Uint32()); v-v == 0 {
				return v
			}
		}
	}
	for range 300000 {
		x, y := finite(), finite()
		checkFMA(t, x, y, finite())
		p := float64(x) * float64(y)
		if z := float32(-p); z-z == 0 { // what is left is the rounding error of the product
			checkFMA(t, x, y, z)
			checkFMA(t, x, y, math.Nextafter32(z, 0))
		}
	}
}

func TestFMASpecial(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	zero := float32(0)
	minus := float32(math.Copysign(0, -1))
	for _, c := range [][4]float32{
		{inf, 1, 1, inf}, {inf, -1, inf, nan}, {inf, 0, 1, nan}, {0, inf, nan, nan}, {nan, 1, 1, nan}, {1, 1, nan, nan},
		{1, 1, -inf, -inf}, {zero, 1, minus, 0}, {minus, 1, minus, minus}, {minus, 1, zero, 0}, {1, 1, -1, 0}, {-1, 1, 1, 0},
		{math.MaxFloat32, 2, -math.MaxFloat32, math.MaxFloat32}, {math.MaxFloat32, math.MaxFloat32, -inf, -inf},
		{math.SmallestNonzeroFloat32, math.SmallestNonzeroFloat32, minus, 0}, {math.SmallestNonzeroFloat32, -0.5, minus, minus},
		{math.SmallestNonzeroFloat32, -0.5, 0, minus}, {math.SmallestNonzeroFloat32, 0.75, 0, math.SmallestNonzeroFloat32},
	} {
		if got := fma(c[0], c[1], c[2]); !sameBits(got, c[3]) {
			t.Errorf("fma(%v, %v, %v) = %v, want %v", c[0], c[1], c[2], got, c[3])
		}
	}
}
