package asm

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The generic twins define what every kernel returns; here they are held against
// the mathematics, computed in float64 and, for float64 itself, with the bounds
// of the same analysis.

func TestReductionTwins(t *testing.T) {
	t.Run("f32", testReductionTwins[float32])
	t.Run("f64", testReductionTwins[float64])
}

func unit[T Float]() float64 {
	if is32[T]() {
		return 0x1p-24
	}
	return 0x1p-53
}

// exactSum adds float64 with an error that does not count here (Neumaier).
func exactSum(terms []float64) float64 {
	s, c := 0.0, 0.0
	for _, v := range terms {
		u := s + v
		if math.Abs(s) >= math.Abs(v) {
			c += (s - u) + v
		} else {
			c += (v - u) + s
		}
		s = u
	}
	return s + c
}

// testReductionTwins checks the bound of a sum of lanes: an element goes through
// ⌈n/Lanes⌉ additions in its lane and log₂ Lanes in the fold.
func testReductionTwins[T Float](t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	lanes := Lanes[T]()
	for _, n := range []int{0, 1, 2, 7, lanes - 1, lanes, lanes + 1, 1000, 4097} {
		x, y := make([]T, n), make([]T, n)
		var xs, as, sq, xy, xyLow, mag []float64
		for i := range x {
			x[i], y[i] = value[T](r, wide), value[T](r, wide)
			a, b := float64(x[i]), float64(y[i])
			p := a * b
			xs, as, sq, xy = append(xs, a), append(as, math.Abs(a)), append(sq, a*a), append(xy, p)
			xyLow, mag = append(xyLow, math.FMA(a, b, -p)), append(mag, math.Abs(p))
		}
		depth := float64((n+lanes-1)/lanes + 6)
		for _, c := range []struct {
			name            string
			got             T
			want, magnitude float64
		}{
			{"sum", sum(x), exactSum(xs), exactSum(as)},
			{"absSum", absSum(x), exactSum(as), exactSum(as)},
			{"sumSq", sumSq(x), exactSum(sq), exactSum(sq)},
			{"dot", dot(x, y), exactSum(append(xy, xyLow...)), exactSum(mag)},
		} {
			tol := depth*unit[T]()*c.magnitude*(1+1e-6) + 1e-40
			if !(math.Abs(float64(c.got)-c.want) <= tol) {
				t.Errorf("n = %d: %s = %v, want %v ± %g", n, c.name, c.got, c.want, tol)
			}
		}
	}
}

// TestReductionOrder has sums that come out right in the order of the contract
// only: each lane alone, then l with l + h.
func TestReductionOrder(t *testing.T) {
	t.Run("f32", testReductionOrder[float32])
	t.Run("f64", testReductionOrder[float64])
}

func testReductionOrder[T Float](t *testing.T) {
	n := Lanes[T]()
	big := T(1 / unit[T]()) // big + 1 = big, a tie to even
	x := make([]T, 2*n)
	x[0], x[n] = big, -big // meet in lane 0, after nothing else
	for i := 1; i < n; i++ {
		x[i] = 1
	}
	if got := sum(x); got != T(n-1) {
		t.Errorf("sum = %v, want %v", got, n-1)
	}
	x[n], x[n/2] = 1, -big // lanes 0 and n/2 meet first in the fold, but lane 0 has taken a 1
	if got := sum(x); got != T(n-2) {
		t.Errorf("sum = %v, want %v", got, n-2)
	}
}

// TestMaxima has the semantics of the two maxima on NaN, as gonum's Idamax has
// them for the index.
func TestMaxima(t *testing.T) {
	t.Run("f32", testMaxima[float32])
	t.Run("f64", testMaxima[float64])
}

func testMaxima[T Float](t *testing.T) {
	nan, inf := T(math.NaN()), T(math.Inf(1))
	for _, isa := range ISAs() {
		k := ForISA[T](isa)
		for _, c := range []struct {
			x     []T
			max   T
			index int
		}{
			{nil, 0, -1},
			{[]T{0}, 0, 0},
			{[]T{T(math.Copysign(0, -1)), 0}, 0, 0},
			{[]T{-3, 3, 2}, 3, 0},
			{[]T{1, -inf, inf}, inf, 1},
			{[]T{nan}, nan, 0},
			{[]T{nan, 5}, nan, 0},
			{[]T{1, nan, 5, nan, -5}, nan, 2},
			{[]T{0, nan}, nan, 0},
			{[]T{inf, nan}, nan, 0},
		} {
			if got := k.MaxAbs(c.x); !sameBits(got, c.max) {
				t.Errorf("%s: MaxAbs(%v) = %v, want %v", isa, c.x, got, c.max)
			}
			if got := k.IMaxAbs(c.x); got != c.index {
				t.Errorf("%s: IMaxAbs(%v) = %d, want %d", isa, c.x, got, c.index)
			}
		}
		// A maximum that comes twice, on both sides of the blocks of a long vector.
		x := make([]T, 10000)
		x[4095], x[4096], x[9999] = 1, -2, 2
		if got := k.IMaxAbs(x); got != 4096 {
			t.Errorf("%s: IMaxAbs = %d, want 4096", isa, got)
		}
	}
}

// TestOptimiserTwins follows the textbook formulas of the optimisers, in float64
// and with their own bias corrections, for a few steps.
func TestOptimiserTwins(t *testing.T) {
	t.Run("f32", testOptimiserTwins[float32])
	t.Run("f64", testOptimiserTwins[float64])
}

func testOptimiserTwins[T Float](t *testing.T) {
	const (
		n, steps     = 50, 20
		rate, eps    = 0.01, 1e-8
		beta1, beta2 = 0.875, 0.9921875 // exact in both types
		mu, damp     = 0.875, 0.25
		decay        = 0.125
	)
	for _, c := range []struct {
		name                  string
		decoupled, l2         float64
		nesterov, ada, adamax bool
	}{
		{"heavy ball", 0, 0, false, false, false},
		{"heavy ball, decoupled decay", decay, 0, false, false, false},
		{"nesterov, L2", 0, decay, true, false, false},
		{"adam", 0, 0, false, true, false},
		{"adamw", decay, 0, false, true, false},
		{"adam, L2", 0, decay, false, true, false},
		{"adamax", 0, 0, false, false, true},
		{"adamax, decoupled decay", decay, 0, false, false, true},
	} {
		r := rand.New(rand.NewPCG(5, 5))
		g, m, v, p := make([]T, n), make([]T, n), make([]T, n), make([]T, n)
		M, V, P := make([]float64, n), make([]float64, n), make([]float64, n)
		for i := range p {
			p[i] = T(r.NormFloat64())
			P[i] = float64(p[i])
		}
		b1, b2 := 1.0, 1.0
		for range steps {
			for i := range g {
				g[i] = T(r.NormFloat64())
			}
			b1, b2 = b1*beta1, b2*beta2
			h := [AdamLen]T{AdamBeta1: beta1, AdamBeta2: beta2, AdamEps: eps, AdamRate: T(rate / (1 - b1)),
				AdamRoot: T(1 / math.Sqrt(1-b2)), AdamDecay: T(rate * c.decoupled), AdamL2: T(c.l2), AdamScale: 0.5}
			switch {
			case c.ada:
				adam(&h, g, m, v, p)
			case c.adamax:
				adaMax(&h, g, m, v, p)
			default:
				s := [MomentumLen]T{MomentumMu: mu, MomentumGain: 1 - damp, MomentumLookM: 1, MomentumRate: rate,
					MomentumDecay: T(rate * c.decoupled), MomentumL2: T(c.l2), MomentumScale: 0.5}
				if c.nesterov {
					s[MomentumLookM], s[MomentumLookG] = mu, 1
				}
				momentum(&s, g, m, p)
			}
			for i := range P {
				grad := float64(g[i])/2 + c.l2*P[i]
				P[i] -= rate * c.decoupled * P[i]
				switch {
				case c.ada:
					M[i] = beta1*M[i] + (1-beta1)*grad
					V[i] = beta2*V[i] + (1-beta2)*grad*grad
					P[i] -= rate * (M[i] / (1 - b1)) / (math.Sqrt(V[i]/(1-b2)) + eps)
				case c.adamax:
					M[i] = beta1*M[i] + (1-beta1)*grad
					V[i] = max(beta2*V[i], math.Abs(grad)+eps)
					P[i] -= rate / (1 - b1) * M[i] / V[i]
				default:
					M[i] = mu*M[i] + (1-damp)*grad
					if c.nesterov {
						P[i] -= rate * (grad + mu*M[i])
					} else {
						P[i] -= rate * M[i]
					}
				}
			}
		}
		for i := range P {
			if tol := 30 * unit[T]() * (1 + math.Abs(P[i])); !(math.Abs(float64(p[i])-P[i]) <= tol) {
				t.Errorf("%s: p[%d] = %v, want %v ± %.1g", c.name, i, p[i], P[i], tol)
			}
		}
	}
}

// TestIdleLanes sees whether lanes without a further element are left alone. A
// product that underflows from below leaves −0 in a lane, which adding a zero
// would turn into +0; the result is −0 only if every lane is.
func TestIdleLanes(t *testing.T) {
	t.Run("f32", testIdleLanes[float32])
	t.Run("f64", testIdleLanes[float64])
}

func testIdleLanes[T Float](t *testing.T) {
	small := T(math.SmallestNonzeroFloat64)
	if is32[T]() {
		small = math.SmallestNonzeroFloat32
	}
	minus := T(math.Copysign(0, -1))
	const rows = 5 // four at once and one
	for _, isa := range ISAs() {
		k := ForISA[T](isa)
		for n := range longest + 1 {
			x, a := make([]T, n), make([]T, rows*n)
			for i := range x {
				x[i] = small
			}
			for i := range a {
				a[i] = -small
			}
			want := minus
			if n < Lanes[T]() {
				want = 0
			}
			if got := k.Dot(x, a[:n]); !sameBits(got, want) {
				t.Errorf("%s: n = %d: Dot = %v, want %v", isa, n, got, want)
			}
			if got := k.DotAxpy(0, a[:n], x, make([]T, n)); !sameBits(got, want) {
				t.Errorf("%s: n = %d: DotAxpy = %v, want %v", isa, n, got, want)
			}
			y := []T{minus, minus, minus, minus, minus}
			k.GemvN(rows, n, 1, a, n, x, y)
			for i, got := range y {
				if !sameBits(got, want) {
					t.Errorf("%s: n = %d: GemvN row %d = %v, want %v", isa, n, i, got, want)
				}
			}
		}
	}
}
