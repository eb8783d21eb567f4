package dense

import (
	"math"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/internal/par"
)

// secular solves the secular equation of a merge,
//
//	f(λ) = 1/ρ + Σ z_i²/(d_i − λ) = 0,
//
// and writes the eigenvectors to rows of s. Between its roots, z is computed anew from
// the roots by Löwner's formula, so that the vectors are those of a matrix close
// to the given one, and orthogonal, however close roots are (Gu and Eisenstat).
// Workers share roots, elements of z and vectors out; row is for one vector.
func (v *divide[T]) secular(m *eigenMerge[T], team *par.Team, w, workers int, row []T) {
	if m.k == 0 {
		return
	}
	wait := func() {
		if team != nil {
			team.Wait()
		}
	}
	k := m.k
	poles, weights := v.pole[m.lo:m.lo+k], v.weight[m.lo:m.lo+k]
	origin, tau := v.origin[m.lo:m.lo+k], v.tau[m.lo:m.lo+k]
	f := secularFunction[T]{kern: v.kern, poles: poles, weights: weights, inverse: 1 / m.rho, sum: sumSquares(v.kern, weights)}
	lo, hi := par.Range(k, workers, w, 1)
	for i := lo; i < hi; i++ {
		o, t := f.root(i)
		origin[i], tau[i] = int32(o), t
	}
	wait()
	if lo, hi := par.Range(k, workers, w, alignSlack[T]()); lo < hi {
		v.loewnerOf(m, lo, hi)
	}
	wait()
	want := v.wanted(m)
	lo, hi = par.Range(want.hi-want.lo, workers, w, 1)
	column := v.column[m.lo : m.lo+k]
	row = row[:k]
	for i := want.lo + lo; i < want.lo+hi; i++ {
		v.kern.Cauchy(poles, v.loewner[m.lo:m.lo+k], poles[origin[i]], tau[i], row)
		scale := T(1 / math.Sqrt(float64(v.kern.SumSq(row))))
		if v.ends {
			first, last := v.packedEnds(m)
			out := v.q.Row(m.lo + i)
			out[0], out[1] = T(scale*v.kern.Dot(row, first)), T(scale*v.kern.Dot(row, last))
			continue
		}
		out := v.s.Row(m.lo + i)[m.lo : m.lo+k]
		for j, x := range row {
			out[column[j]] = T(scale * x)
		}
	}
}

// loewnerOf computes elements lo to hi of z from the poles and the roots:
//
//	ẑ_i² = Π_j (λ_j − d_i) / Π_{j≠i} (d_j − d_i) up to a factor, with the sign of z_i.
func (v *divide[T]) loewnerOf(m *eigenMerge[T], lo, hi int) {
	k := m.k
	poles := v.pole[m.lo : m.lo+k]
	z := v.loewner[m.lo : m.lo+k]
	for i := lo; i < hi; i++ {
		z[i] = 1
	}
	for j := range k {
		o, t := poles[v.origin[m.lo+j]], v.tau[m.lo+j]
		if end := min(j, hi); lo < end {
			v.kern.Loewner(poles[lo:end], o, t, poles[j], z[lo:end])
		}
		if j >= lo && j < hi {
			z[j] = T(z[j] * ((poles[j] - o) - t))
		}
		if from := max(j+1, lo); from < hi {
			v.kern.Loewner(poles[from:hi], o, t, poles[j], z[from:hi])
		}
	}
	for i := lo; i < hi; i++ {
		z[i] = T(math.Copysign(math.Sqrt(math.Abs(float64(z[i]))), float64(v.weight[m.lo+i])))
	}
}

// A secularFunction is f of a merge, with increasing poles.
type secularFunction[T Float] struct {
	kern           *asm.Kernels[T]
	poles, weights []T
	inverse        T // 1/ρ
	sum            T // Σ z²
}

// sample is f at a point between two poles.
type sample[T Float] struct {
	f, size    T // f and the sum of the magnitudes of its terms
	dpsi, dphi T // the derivatives of the sums over the poles below and above
}

// at evaluates f at poles[org] + tau, which lies above pole i and below the next.
func (s *secularFunction[T]) at(i, org int, tau T) sample[T] {
	o := s.poles[org]
	psi, dpsi := s.kern.Secular(s.poles[:i+1], s.weights[:i+1], o, tau)
	phi, dphi := s.kern.Secular(s.poles[i+1:], s.weights[i+1:], o, tau)
	return sample[T]{s.inverse + psi + phi, s.inverse - psi + phi, dpsi, dphi}
}

// secularSteps bounds the number of steps to a root. Rational interpolation takes
// some five; a step that leaves the bracket or gains little is replaced by bisection.
const secularSteps = 80

// root returns root i as the distance tau from poles[org], the nearer of the poles
// around it. A step goes to the root of a function with two poles and a constant that has
// the value of f and the derivatives of the sums over poles below and above the root
// (the "middle way" of Li, LAPACK Working Note 89, after Bunch, Nielsen, Sorensen,
// Numer. Math. 31, 1978). The two poles are those around the root or, for the last
// one, the two below it.
func (s *secularFunction[T]) root(i int) (org int, tau T) {
	k := len(s.poles)
	bound := s.sum / s.inverse // of the distance of the last root from its pole
	if k == 1 {
		return 0, bound
	}
	a, last := i, i == k-1
	gap := bound
	if last {
		a = k - 2
	} else {
		gap = s.poles[i+1] - s.poles[i]
	}
	mid := gap / 2
	v := s.at(i, i, mid)
	org = i
	lo, hi := T(0), mid
	if v.f < 0 {
		if last {
			lo, hi = mid, 2*gap // exact
		} else {
			org = i + 1
			lo, hi = -mid, 0
		}
	}
	eps := unitRoundoff[T]()
	tau = s.guess(a, i, org, mid, v.f)
	best, at, worse := T(math.Inf(1)), tau, 0
	for range secularSteps {
		if !(tau > lo && tau < hi) {
			tau = lo + (hi-lo)/2
			if tau == lo || tau == hi { // the bracket has no number inside
				break
			}
		}
		v = s.at(i, org, tau)
		f := T(math.Abs(float64(v.f)))
		gained := f <= best/2
		if worse++; f < best {
			best, at, worse = f, tau, 0
		}
		// The sum cannot be told from zero, or will not get smaller by more tries.
		if limit := T(eps * v.size); f <= limit || worse == 3 && best <= 16*limit { // exact
			break
		}
		if v.f < 0 {
			lo = tau
		} else {
			hi = tau
		}
		if gained {
			tau += s.step(a, org, tau, &v)
		} else {
			tau = lo // for the middle of the bracket
		}
	}
	return org, at
}

// guess returns a first approximation from the value f at poles[i] + mid: all but
// the terms of poles a and a+1 are taken as constant.
func (s *secularFunction[T]) guess(a, i, org int, mid, f T) T {
	z0, z1 := T(s.weights[a]*s.weights[a]), T(s.weights[a+1]*s.weights[a+1])
	c := f - z0/(s.poles[a]-s.poles[i]-mid) - z1/(s.poles[a+1]-s.poles[i]-mid)
	p0, p1 := s.poles[a]-s.poles[org], s.poles[a+1]-s.poles[org] // one is zero
	return quadraticRoot(c, T(c*(p0+p1))+z0+z1, T(z0*p1)+T(z1*p0), a == i)
}

// step returns the distance from tau to the root of c + s0/(δ0 − x) + s1/(δ1 − x),
// where δ are the differences of the poles a and a+1, or Newton's step where
// rounding spoils that.
func (s *secularFunction[T]) step(a, org int, tau T, v *sample[T]) T {
	d0 := (s.poles[a] - s.poles[org]) - tau
	d1 := (s.poles[a+1] - s.poles[org]) - tau
	dpsi, dphi := v.dpsi, v.dphi
	inside := d1 > 0
	if !inside { // the last root: its own pole takes the part of those above
		q := s.weights[a+1] / d1
		dphi = T(q * q)
		dpsi -= dphi
	}
	c := v.f - T(d0*dpsi) - T(d1*dphi)
	x := quadraticRoot(c, T((d0+d1)*v.f)-T(T(d0*d1)*(dpsi+dphi)), T(T(d0*d1)*v.f), inside)
	if !(T(v.f*x) < 0) {
		return -v.f / (dpsi + dphi)
	}
	return x
}

// quadraticRoot returns the root of c·x² − b·x + a that is (b ∓ √(b² − 4ac))/2c, minus if
// inside: that is the root of c + s0/(δ0 − x) + s1/(δ1 − x) with s0, s1 > 0 that lies
// between δ0 < δ1, or else above them.
func quadraticRoot[T Float](c, b, a T, inside bool) T {
	r := T(math.Sqrt(math.Abs(float64(T(b*b) - T(T(4*a)*c)))))
	switch {
	case inside && b > 0:
		return T(2*a) / (b + r)
	case inside:
		return (b - r) / T(2*c)
	case b < 0:
		return T(2*a) / (b - r)
	}
	return (b + r) / T(2*c)
}
