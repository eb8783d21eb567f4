// Command minimax computes the polynomials of asm/elementary.go and prints them
// with the errors that they reach.
//
// Every function that is approximated is a power series that converges fast on
// its interval, so nothing but rational arithmetic is needed. The method is
// Remez' second algorithm with a weight (Muller, Elementary Functions, 3rd ed.,
// section 3.6), run in 300-bit arithmetic. Coefficients are then rounded to the
// element type one by one, lowest power first, and the free ones are fitted anew
// after each, so that a rounding is made up for by those after it (a simple form
// of the search in Brisebarre and Chevillard, Efficient polynomial
// L∞-approximations, 2007).
//
//	go run -C gen ./minimax
package main

import (
	"fmt"
	"math"
	"math/big"
)

// A problem is the approximation of Σ series(k)·xᵏ on [lo, hi] by a polynomial,
// such that the maximum of |weight·error| is least.
type problem struct {
	name   string
	bits   int // of the significand of the coefficients
	degree int
	lo, hi float64
	series func(k int64) *big.Rat
	weight func(x float64) float64
	fixed  []float64 // leading coefficients that are prescribed

	taylor []*big.Float // series, converted
	nodes  []node       // where the error is looked at
}

func main() {
	// exp(r) = 1 + r + r²·q(r); the weight makes the error of r + r²·q relative
	// to exp(r) − 1, which is what tanh needs near zero, but stays positive at
	// zero as the theory wants it. The interval is ln2/2 and what the rounding
	// of x·log2(e) can add.
	exp := problem{
		series: func(k int64) *big.Rat {
			f := new(big.Int).MulRange(1, k+2)
			return new(big.Rat).SetFrac(big.NewInt(1), f)
		},
		weight: func(r float64) float64 { return max(r*r, 0.01) / max(math.Abs(math.Expm1(r)), 0.1) },
		fixed:  []float64{0.5},
	}
	// log((1+s)/(1−s)) = 2·s + s³·l(s²), s in [−1/7, 1/5]; the weight makes the
	// error relative to the logarithm.
	log := problem{
		lo: 0, hi: 0.04,
		series: func(k int64) *big.Rat { return big.NewRat(2, 2*k+3) },
		weight: func(z float64) float64 { return z / 2 },
	}
	for _, p := range []problem{
		exp.with("exp float32", 24, 5, 0.34661), exp.with("exp float64", 53, 10, 0.34658),
		log.with("log float32", 24, 2, 0), log.with("log float64", 53, 6, 0),
	} {
		c, ideal := p.solve()
		fmt.Printf("%s: degree %d on [%g, %g], largest weighted error 2^%.2f (unrounded 2^%.2f)\n",
			p.name, p.degree, p.lo, p.hi, math.Log2(p.extrema(c, nil)), math.Log2(ideal))
		for j := p.degree; j >= 0; j-- {
			f, _ := c[j].Float64()
			fmt.Printf("\tc%d = %x = %.17g\n", j, f, f)
		}
	}
}

// with completes a problem; r is the half-width of its interval unless it is 0.
func (p problem) with(name string, bits, degree int, r float64) problem {
	p.name, p.bits, p.degree = name, bits, degree
	if r != 0 {
		p.lo, p.hi = -r, r
	}
	for k := range int64(60) {
		p.taylor = append(p.taylor, zero().SetRat(p.series(k)))
	}
	for i := range grid { // denser towards the ends
		x := (p.lo+p.hi)/2 - (p.hi-p.lo)/2*math.Cos(math.Pi*(float64(i)+0.5)/grid)
		p.nodes = append(p.nodes, node{x, num(x), horner(p.taylor, num(x)), p.weight(x)})
	}
	return p
}

// A node is a point of the grid, with the function and the weight there.
type node struct {
	x      float64
	bx, f  *big.Float
	weight float64
}

// err returns the error of c at the node.
func (n *node) err(c []*big.Float) float64 {
	d := horner(c, n.bx)
	e, _ := d.Sub(d, n.f).Float64()
	return e * n.weight
}

const prec = 300

func num(x float64) *big.Float { return new(big.Float).SetPrec(prec).SetFloat64(x) }

func zero() *big.Float { return new(big.Float).SetPrec(prec) }

// solve returns the coefficients, rounded, and the largest weighted error of the
// unrounded polynomial.
func (p *problem) solve() (c []*big.Float, ideal float64) {
	c = make([]*big.Float, 0, p.degree+1)
	for _, f := range p.fixed {
		c = append(c, num(f))
	}
	for len(c) <= p.degree {
		full := p.remez(c)
		if ideal == 0 {
			ideal = p.extrema(full, nil)
		}
		r := new(big.Float).SetPrec(uint(p.bits)).Set(full[len(c)])
		c = append(c, zero().Set(r))
	}
	return c, ideal
}

func horner(c []*big.Float, x *big.Float) *big.Float {
	y := zero()
	for j := len(c) - 1; j >= 0; j-- {
		y.Add(y.Mul(y, x), c[j])
	}
	return y
}

const grid = 1000

// extrema returns the largest weighted error of c over the grid. If at is not
// nil it receives the node of the largest error of each stretch of equal sign.
func (p *problem) extrema(c []*big.Float, at *[]*node) float64 {
	largest, here := 0.0, 0.0
	for i := range p.nodes {
		e := p.nodes[i].err(c)
		largest = max(largest, math.Abs(e))
		if at == nil {
			continue
		}
		if i == 0 || e*here < 0 {
			here = 0
			*at = append(*at, nil)
		}
		if math.Abs(e) >= math.Abs(here) {
			here = e
			(*at)[len(*at)-1] = &p.nodes[i]
		}
	}
	return largest
}

// remez returns the best polynomial whose first coefficients are those given.
func (p *problem) remez(first []*big.Float) (best []*big.Float) {
	at := make([]*node, p.degree+2-len(first))
	for i := range at {
		at[i] = &p.nodes[(2*i+1)*grid/(2*len(at))]
	}
	least := math.Inf(1)
	for range 12 {
		c := interpolate(first, at)
		var next []*node
		if e := p.extrema(c, &next); e < least {
			least, best = e, c
		}
		for len(next) > len(at) { // drop the end with the smaller error
			if math.Abs(next[0].err(c)) < math.Abs(next[len(next)-1].err(c)) {
				next = next[1:]
			} else {
				next = next[:len(next)-1]
			}
		}
		if len(next) < len(at) {
			break // with the first coefficients rounded the error need not alternate as often
		}
		at = next
	}
	return best
}

// interpolate solves for the free coefficients and the error E such that
// polynomial − function = ±E/weight at the nodes, with alternating sign.
func interpolate(first []*big.Float, at []*node) []*big.Float {
	n := len(at)
	a := make([][]*big.Float, n)
	for i, node := range at {
		power := num(1)
		for range first {
			power.Mul(power, node.bx)
		}
		for range n - 1 {
			a[i] = append(a[i], zero().Set(power))
			power.Mul(power, node.bx)
		}
		w := 1 / node.weight
		if i%2 == 1 {
			w = -w
		}
		rhs := horner(first, node.bx)
		a[i] = append(a[i], num(w), rhs.Sub(node.f, rhs))
	}
	solution := gauss(a)
	return append(append([]*big.Float{}, first...), solution[:n-1]...)
}

// gauss solves the system whose rows are coefficients and right-hand side.
func gauss(a [][]*big.Float) []*big.Float {
	n := len(a)
	for j := range n {
		pivot := j
		for i := j + 1; i < n; i++ {
			if zero().Abs(a[i][j]).Cmp(zero().Abs(a[pivot][j])) > 0 {
				pivot = i
			}
		}
		a[j], a[pivot] = a[pivot], a[j]
		for i := range n {
			if i == j {
				continue
			}
			f := zero().Quo(a[i][j], a[j][j])
			for k := j; k <= n; k++ {
				t := zero().Mul(f, a[j][k])
				a[i][k] = zero().Sub(a[i][k], t)
			}
		}
	}
	x := make([]*big.Float, n)
	for i := range n {
		x[i] = zero().Quo(a[i][n], a[i][i])
	}
	return x
}
