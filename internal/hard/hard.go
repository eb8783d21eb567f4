// Package hard generates the matrices that factorisations fail on: graded and
// clustered spectra, glued Wilkinson matrices, entries at the ends of the range of
// floating-point numbers, and so on. Tests and fuzz targets range over [Classes]
// and take each class as a symmetric ([Symmetric]), positive semidefinite
// ([Semidefinite]), positive definite ([SPD]) or rectangular matrix ([General]).
//
// A matrix is a function of class, kind, shape and element type alone: random
// numbers are counter-based. Where the eigenvalues or singular values follow from
// the construction they come with it.
//
// For tests only. The package imports nothing of this module, so that tests
// inside any package can use it.
package hard

import (
	"math"
	"slices"
	"unsafe"
)

// Float is the set of element types.
type Float interface{ float32 | float64 }

// A Class is a class of matrices.
type Class int

// The classes. What is said of eigenvalues holds for singular values of general
// matrices; those of [Symmetric] have random signs unless said otherwise.
const (
	Random              Class = iota // independent elements in (−1, 1); definite: eigenvalues in [1/64, 1]
	Graded                           // eigenvalues from 1 to 1e-16 in geometric progression
	GradedDown                       // elements that fall by 1e-16 from the first row to the last; D·S·D if symmetric
	GradedUp                         // GradedDown upside down
	Clustered                        // three clusters of eigenvalues, each some 64 ε wide
	Repeated                         // three different eigenvalues
	GluedWilkinson                   // Wilkinson's W21⁺ again and again, joined by elements of √ε
	Hilbert                          // 1/(i+j+1)
	Arrowhead                        // diagonal, first row and first column
	RankOne                          // u·vᵀ for vectors of small integers, exact
	RankHalf                         // half of the eigenvalues are zero up to rounding
	IdentityPlusRankOne              // I + u·vᵀ, exact; symmetric ones I − u·uᵀ
	NearOverflow                     // a norm within a few n of the largest finite number
	NearUnderflow                    // elements around the least normal number
	Denormal                         // all elements subnormal
	Diagonal                         // a random diagonal
	Tridiagonal                      // Kac's matrix, whose eigenvalues are integers; general: random
	PermutedBlocks                   // block diagonal, blocks of order 1 to 5, rows and columns permuted
	numClasses
)

var names = [numClasses]string{
	"random", "graded", "graded-down", "graded-up", "clustered", "repeated", "glued-wilkinson", "hilbert",
	"arrowhead", "rank-one", "rank-half", "identity-plus-rank-one", "near-overflow", "near-underflow", "denormal",
	"diagonal", "tridiagonal", "permuted-blocks",
}

// String returns the name of the class.
func (c Class) String() string { return names[c] }

// Definite returns whether [SPD] has matrices of this class.
func (c Class) Definite() bool { return c != RankOne && c != RankHalf }

// Classes returns all classes.
func Classes() []Class {
	all := make([]Class, numClasses)
	for i := range all {
		all[i] = Class(i)
	}
	return all
}

// A Matrix is a row-major matrix whose rows follow each other without a gap.
type Matrix[T Float] struct {
	Rows, Cols int
	Data       []T
	// Values are the eigenvalues of a symmetric matrix in increasing order or
	// the singular values of a general one in decreasing order, nil if they
	// are not known. They belong to the matrix before its elements were rounded to T,
	// so they are in error by a few ε times the largest.
	Values []float64
}

// Epsilon returns the distance from 1 to the next larger number.
func Epsilon[T Float]() float64 { return math.Ldexp(1, 1-digits[T]()) }

// Tiny returns the least positive number. Rounding costs up to half of it where
// results are subnormal, so bounds on residuals of NearUnderflow and Denormal have a term
// with it beside the one with ε.
func Tiny[T Float]() float64 { return math.Ldexp(1, minExp[T]()-digits[T]()+1) }

// digits returns the precision of T in bits, minExp the exponent of the least
// normal number, maxExp that of the largest power of two.
func digits[T Float]() int {
	if unsafe.Sizeof(T(0)) == 4 {
		return 24
	}
	return 53
}

func maxExp[T Float]() int {
	if unsafe.Sizeof(T(0)) == 4 {
		return 127
	}
	return 1023
}

func minExp[T Float]() int { return 1 - maxExp[T]() }

// scale returns the power of two by which a class multiplies matrices of norm 1.
func scale[T Float](c Class, n int) float64 {
	switch c {
	case NearOverflow: // the Frobenius norm stays below a quarter of the largest number
		k := maxExp[T]() - 2
		for s := 1; s < n; s *= 4 {
			k--
		}
		return math.Ldexp(1, k)
	case NearUnderflow:
		return math.Ldexp(1, minExp[T]()+5)
	case Denormal:
		return math.Ldexp(1, minExp[T]()-1)
	}
	return 1
}

// A source is a counter-based stream of random numbers.
type source struct{ key, count uint64 }

// mix is the output function of SplitMix64 (Steele, Lea, Flood 2014).
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// sourceOf returns the stream of a class, a kind of matrix and a shape.
func sourceOf(c Class, kind, m, n int) *source {
	s := &source{}
	for _, v := range []int{int(c), kind, m, n} {
		s.key = mix(s.key + uint64(v) + 0x9e3779b97f4a7c15)
	}
	return s
}

func (s *source) word() uint64 {
	s.count++
	return mix(s.key + s.count*0x9e3779b97f4a7c15)
}

// uniform returns a number in (0, 1) of 24 bits, so that it is exact in T.
func (s *source) uniform() float64 { return (float64(s.word()>>41) + 0.5) / (1 << 23) }

// symmetric returns a number in (−1, 1).
func (s *source) symmetric() float64 { return 2*s.uniform() - 1 } // exact

// below returns an integer in [0, n).
func (s *source) below(n int) int { return int(s.word() >> 33 % uint64(n)) }

// sign returns 1 or −1.
func (s *source) sign() float64 { return float64(s.word()>>63)*2 - 1 } // exact

// integers returns n integers from ±1 to ±3.
func (s *source) integers(n int) []float64 {
	u := make([]float64, n)
	for i := range u {
		u[i] = float64(s.sign() * float64(1+s.below(3)))
	}
	return u
}

// permutation returns the numbers 0 to n−1 in random order.
func (s *source) permutation(n int) []int {
	p := make([]int, n)
	for i := range p {
		j := s.below(i + 1)
		p[i], p[j] = p[j], i
	}
	return p
}

// geometric returns element i of n in a progression from 1 to 2⁻⁵³; between
// powers of two it is linear.
func geometric(i, n int) float64 {
	if n < 2 {
		return 1
	}
	e, rest := i*53/(n-1), i*53%(n-1)
	return math.Ldexp(1-float64(rest)/float64(2*(n-1)), -e)
}

// spectrum returns n nonnegative values with the distribution of a class of
// matrices that is made from a spectrum, and false for other classes.
func spectrum[T Float](c Class, n int, s *source) (d []float64, ok bool) {
	d = make([]float64, n)
	for i := range d {
		switch c {
		case Random, NearOverflow, NearUnderflow, Denormal, Diagonal, PermutedBlocks:
			d[i] = (1 + float64(63*s.uniform())) / 64
		case Graded:
			d[i] = geometric(i, n)
		case Clustered:
			d[i] = float64([]float64{1, 0.5, 0x1p-10}[3*i/n] * (1 - float64(s.uniform()*math.Ldexp(Epsilon[T](), 6))))
		case Repeated:
			d[i] = []float64{1, 0.5, 0.25}[3*i/n]
		case RankHalf:
			if i < (n+1)/2 {
				d[i] = (1 + s.uniform()) / 2
			}
		default:
			return nil, false
		}
	}
	return d, true
}

// round converts elements to T, multiplied by a power of two.
func round[T Float](m, n int, a []float64, scale float64, values []float64) Matrix[T] {
	r := Matrix[T]{Rows: m, Cols: n, Data: make([]T, m*n), Values: slices.Clone(values)}
	for i, v := range a {
		r.Data[i] = T(float64(v * scale))
	}
	for i := range r.Values {
		r.Values[i] = float64(r.Values[i] * scale)
	}
	return r
}
