package dense

import (
	"fmt"
	"math"
)

// OddPolynomials is a composition of odd polynomials p₁, p₂, … of degree 3 or 5 that
// brings every number of an interval (lower, 1] close to 1. Applied to the singular
// values of a matrix, by products alone, it orthogonalises the matrix; see
// [Orthogonalize].
type OddPolynomials struct {
	// Coef holds the coefficients of x, x³ and x⁵ of each polynomial, in the order in
	// which they are applied. Those of x⁵ are zero for degree 3.
	Coef [][3]float64
	// Lower is the least number that the bound holds for.
	Lower float64
	// Bound is an upper bound of |p(x) − 1| for the composition p and x in [Lower, 1], in
	// exact arithmetic. Below Lower, p increases from p(0) = 0.
	Bound float64
}

// PolarExpress returns the composition of so many odd polynomials of the given
// degree (3 or 5) with the least Bound for the interval [lower, 1], 10⁻¹² ≤ lower ≤ 1. Each
// is the best uniform approximation of 1 on the interval that those before it leave.
//
// With degree 5, lower = 10⁻³ and 5, 6, 7, 8 steps, Bound is 0.12, 10⁻³, 2·10⁻⁹ and
// less than ε; each step costs three products, which degree 3 makes two.
// Source: Amsel, Persson, Musco and Gower, The Polar Express, 2025.
func PolarExpress(lower float64, degree, steps int) *OddPolynomials {
	if !(lower >= leastLower && lower <= 1) || degree != 3 && degree != 5 || steps < 0 {
		panic(fmt.Sprintf("dense: PolarExpress: lower is %g, degree %d, %d steps", lower, degree, steps))
	}
	p := &OddPolynomials{Lower: lower}
	lo, hi := lower, 1.
	for range steps {
		var c [3]float64
		c, lo, hi = BestOdd(lo, hi, degree)
		p.Coef = append(p.Coef, c)
	}
	p.Bound = max(1-lo, hi-1)
	return p
}

// BestOdd returns the odd polynomial of degree 3 or 5 that is closest to 1 on [lo, hi] in
// the uniform norm, 0 < lo ≤ hi and lo ≥ 10⁻¹²·hi: the coefficients of x, x³ and x⁵, and the range of
// the polynomial over the interval. It is one step of [PolarExpress], for those who choose
// intervals as they go.
func BestOdd(lo, hi float64, degree int) (coef [3]float64, least, largest float64) {
	if !(lo > 0 && lo <= hi && lo >= float64(leastLower*hi)) || hi-hi != 0 || degree != 3 && degree != 5 {
		panic(fmt.Sprintf("dense: BestOdd: interval from %g to %g, degree %d", lo, hi, degree))
	}
	coef = bestOdd(lo, hi, degree)
	least, largest = oddRange(coef, lo, hi)
	return coef, least, largest
}

// MuonPolynomials returns the composition of so many times the quintic of Jordan's
// Muon, 3.4445·x − 4.775·x³ + 2.0315·x⁵. It raises small singular values fast but brings
// none close to 1: after five steps, numbers in [0.01, 1] are in [0.68, 1.14]. Bound
// is that for the given lower.
func MuonPolynomials(lower float64, steps int) *OddPolynomials {
	if !(lower >= leastLower && lower <= 1) || steps < 0 {
		panic(fmt.Sprintf("dense: MuonPolynomials: lower is %g, %d steps", lower, steps))
	}
	p := &OddPolynomials{Lower: lower}
	lo, hi := lower, 1.
	for range steps {
		c := [3]float64{3.4445, -4.775, 2.0315}
		p.Coef = append(p.Coef, c)
		lo, hi = oddRange(c, lo, hi)
	}
	p.Bound = max(1-lo, hi-1)
	return p
}

// leastLower is the least lower end of an interval. Much smaller ones drown in the
// rounding errors of the coefficients.
const leastLower = 1e-12

// odd evaluates c₀x + c₁x³ + c₂x⁵.
func odd(c [3]float64, x float64) float64 {
	y := float64(x * x)
	return float64(x * math.FMA(math.FMA(c[2], y, c[1]), y, c[0]))
}

// turning returns the squares of the two points where the derivative of an odd
// quintic is zero, NaN if there are none.
func turning(c [3]float64) (q, r float64) {
	if c[2] == 0 {
		q = -c[0] / float64(3*c[1])
		return q, q
	}
	root := math.Sqrt(math.FMA(float64(9*c[1]), c[1], -float64(20*float64(c[0]*c[2]))))
	a, b := float64(-3*c[1])-root, float64(-3*c[1])+root
	return a / float64(10*c[2]), b / float64(10*c[2])
}

// oddRange returns the range of an odd polynomial over [lo, hi], with room for its
// rounding errors.
func oddRange(c [3]float64, lo, hi float64) (least, largest float64) {
	a, b := odd(c, lo), odd(c, hi)
	least, largest = min(a, b), max(a, b)
	q, r := turning(c)
	for _, s := range []float64{q, r} {
		if x := math.Sqrt(s); x > lo && x < hi {
			v := odd(c, x)
			least, largest = min(least, v), max(largest, v)
		}
	}
	// |c₀|x + |c₁|x³ + |c₂|x⁵ has no cancellation.
	margin := float64(0x1p-50 * odd([3]float64{math.Abs(c[0]), math.Abs(c[1]), math.Abs(c[2])}, hi))
	return least - margin, largest + margin
}

// narrow is the relative width of an interval below which the best polynomial is the
// one of Newton and Schulz (degree 3) or its extension to degree 5, as far as it matters.
const narrow = 0x1p-7

// bestOdd returns the odd polynomial of degree 3 or 5 closest to 1 on [lo, hi] in the
// uniform norm. Its error takes its largest value, with alternating signs, at one
// point more than it has coefficients: at both ends and where the derivative
// vanishes between them (Chebyshev). The exchange of Remez finds these points.
func bestOdd(lo, hi float64, degree int) [3]float64 {
	if degree == 3 {
		return bestCubic(lo, hi)
	}
	if hi-lo <= float64(narrow*hi) {
		s := 2 / (lo + hi)
		s2 := float64(s * s)
		return [3]float64{float64(1.875 * s), -float64(1.25 * float64(s*s2)), float64(0.375 * float64(s*float64(s2*s2)))}
	}
	l := lo / hi
	points := [4]float64{l, (float64(3*l) + 1) / 4, (l + 3) / 4, 1}
	var c [3]float64
	for range 60 {
		c = levelled(points)
		q, r := turning(c)
		q, r = math.Sqrt(q), math.Sqrt(r)
		if !(q > l && r > q && r < 1) {
			break
		}
		moved := math.Abs(q-points[1]) + math.Abs(r-points[2])
		points[1], points[2] = q, r
		if moved <= 0x1p-50 {
			break
		}
	}
	s := 1 / hi
	s2 := float64(s * s)
	return [3]float64{float64(c[0] * s), float64(c[1] * float64(s*s2)), float64(c[2] * float64(s*float64(s2*s2)))}
}

// bestCubic is bestOdd for degree 3, where the condition can be solved: the error
// at the turning point is opposite to that at the ends, which are equal. So x ↦ a·x − b·x³
// has equal values at lo and hi, a = b·(lo² + lo·hi + hi²), and the mean of value and
// maximum is 1.
func bestCubic(lo, hi float64) [3]float64 {
	sum := math.FMA(lo, lo, math.FMA(lo, hi, float64(hi*hi)))
	end := float64(float64(lo*hi) * (lo + hi)) // value at the ends for b = 1
	top := float64(float64(2*sum) * float64(math.Sqrt(sum/3)/3))
	b := 2 / (end + top)
	return [3]float64{float64(b * sum), -b, 0}
}

// levelled returns the odd quintic c with c(x) = 1 ∓ e alternately at four points.
func levelled(x [4]float64) [3]float64 {
	var m [4][5]float64
	for i, v := range x {
		v2 := float64(v * v)
		m[i] = [5]float64{v, float64(v * v2), float64(v * float64(v2*v2)), float64(1 - 2*(i%2)), 1}
	}
	for k := range 4 { // elimination with row exchanges
		p := k
		for i := k + 1; i < 4; i++ {
			if math.Abs(m[i][k]) > math.Abs(m[p][k]) {
				p = i
			}
		}
		m[k], m[p] = m[p], m[k]
		for i := range 4 {
			if i == k {
				continue
			}
			f := m[i][k] / m[k][k]
			for j := k; j < 5; j++ {
				m[i][j] = math.FMA(-f, m[k][j], m[i][j])
			}
		}
	}
	return [3]float64{m[0][4] / m[0][0], m[1][4] / m[1][1], m[2][4] / m[2][2]}
}
