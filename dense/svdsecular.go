package dense

import (
	"sync"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/internal/par"
)

// secular is the singular value problem of the k×k matrix
//
//	M = ⎛ z_0 z_1 … z_k₋₁ ⎞
//	    ⎜     d_1         ⎟ ,   0 = d_0 < d_1 < … < d_k₋₁,
//	    ⎝          ⋱ d_k₋₁⎠
//
// in which no z is negligible and no two d are close. Its singular values are the
// roots σ of f(σ²) = 1 + Σ z_j²/(d_j² − σ²), and d_i < σ_i < d_i+1.
//
// Each root is found as a distance x from the nearer pole, σ² = d_o² + x, so that
// all d_j² − σ² = (d_j−d_o)(d_j+d_o) − x have small relative errors, which is what the
// vectors need: they are the exact ones of the matrix whose z gives just these
// roots (Gu and Eisenstat 1995, theorem by Löwner).
type secular[T Float] struct {
	kern    *asm.Kernels[T]
	d, z    []T
	sigma   []T       // the singular values, ascending
	delta   Matrix[T] // d_j² − σ_i² in row i; in the end the left vectors, if wanted
	right   Matrix[T] // the right vectors in the rows
	left    bool      // whether left vectors are wanted
	order   []int     // the elements of vectors stand in this order of j
	zz      []T       // the z that has just these roots
	ones    []T       // k ones
	buffers []T       // 2·k elements for each worker
	fails   []bool    // of workers: some root was not found
}

var seculars32, seculars64 sync.Pool

// rootsPerWorker is the least number of roots that is worth a worker.
const rootsPerWorker = 32

// run finds the roots and the vectors. It returns false if a root was not found
// within the bound on iterations.
func (s *secular[T]) run(threads int) bool {
	k := len(s.d)
	threads = max(1, min(threads, k/rootsPerWorker, len(s.fails)))
	clear(s.fails)
	if threads == 1 {
		s.roots(0, 0, k)
		s.loewner(0, 0, k)
		s.vectors(0, 0, k)
	} else {
		par.Share(poolOf[T](&seculars32, &seculars64), threads, s)
	}
	for _, f := range s.fails {
		if f {
			return false
		}
	}
	return true
}

// work does the part of worker w.
func (s *secular[T]) Work(team *par.Team, w int) {
	lo, hi := par.Range(len(s.d), team.Workers(), w, 1)
	s.roots(w, lo, hi)
	team.Wait()
	clo, chi := par.Range(len(s.d), team.Workers(), w, alignSlack[T]())
	s.loewner(w, clo, chi)
	team.Wait()
	s.vectors(w, lo, hi)
}

// buffer returns buffer b of worker w, of n elements.
func (s *secular[T]) buffer(w, b, n int) []T {
	k := len(s.d)
	return s.buffers[(2*w+b)*k : (2*w+b)*k+n]
}

func (s *secular[T]) roots(w, lo, hi int) {
	for i := lo; i < hi; i++ {
		if !s.root(w, i) {
			s.fails[w] = true
		}
	}
}

// base sets dst_j = (d_j − d_o)(d_j + d_o) for j in [lo, hi).
func (s *secular[T]) base(o T, lo, hi int, dst, scratch []T) {
	d := s.d[lo:hi]
	copy(dst, d)
	copy(scratch, d)
	s.kern.Axpy(-o, s.ones[:len(d)], dst)
	s.kern.Axpy(o, s.ones[:len(d)], scratch)
	s.kern.MulTo(dst, scratch[:len(d)], dst)
}

// value is f and its derivative at a point, in the parts that the poles up to the
// root and those after it contribute.
type value[T Float] struct {
	f, slope   T
	psi, phi   T // Σ z_j²/(d_j² − σ²) for j ≤ i, and for j > i
	dpsi, dphi T
}

// evaluate computes f at x from the pole that base belongs to, for root i.
func (s *secular[T]) evaluate(i int, x T, base []T) (v value[T]) {
	v.psi, v.dpsi = s.kern.Secular(base[:i+1], s.z, 0, x)
	v.phi, v.dphi = s.kern.Secular(base[i+1:], s.z[i+1:], 0, x)
	v.f = 1 + v.psi + v.phi
	v.slope = v.dpsi + v.dphi
	return v
}

// settled returns whether f is no more than its rounding error.
func (v *value[T]) settled() bool {
	return magnitude(v.f) <= T(T(8*roundoff[T]())*(1+magnitude(v.psi)+magnitude(v.phi)))
}

// rootSteps bounds the steps of the iteration for one root. Four or five are usual;
// the bound leaves room for bisection.
const rootSteps = 120

// root finds root i, by rational interpolation (Li 1993) within a bracket; steps
// that leave it, or gain too little, are replaced by bisection.
func (s *secular[T]) root(w, i int) bool {
	k := len(s.d)
	base, scratch := s.buffer(w, 0, k), s.buffer(w, 1, k)
	o := i
	s.base(s.d[o], 0, k, base, scratch)
	var x, lo, hi T // the bracket: f(lo) < 0 < f(hi), or a pole
	if i == k-1 {
		x = T(0.5 * s.kern.SumSq(s.z))
		hi = T(2.5 * x) // 2x would do but for rounding
	} else {
		gap := base[i+1]
		mid := T(0.5 * gap)
		v := s.evaluate(i, mid, base)
		z0, z1 := T(s.z[i]*s.z[i]), T(s.z[i+1]*s.z[i+1])
		// What the other poles contribute hardly changes; the rest is quadratic.
		c := v.f + T(z0/mid) - T(z1/(gap-mid))
		if v.f >= 0 {
			hi = mid
			x = smallRoot(c, T(c*gap)+z0+z1, T(z0*gap))
		} else {
			o = i + 1
			s.base(s.d[o], 0, k, base, scratch)
			lo = -mid
			x = smallRoot(c, z0+z1-T(c*gap), -T(z1*gap))
		}
	}
	fixed := true // whether the nearer pole keeps its weight, or both parts theirs
	last := T(0)
	for step := 0; step < rootSteps; step++ {
		if !(x > lo && x < hi) {
			x = between(lo, hi)
		}
		v := s.evaluate(i, x, base)
		if v.f < 0 {
			lo = x
		} else {
			hi = x
		}
		if v.settled() || !(magnitude(hi-lo) > T(T(2*roundoff[T]())*magnitude(x))) {
			// x > lo and x < hi may be wrong by now, but x is as good as they are.
			s.sigma[i] = s.d[o] + T(x/(s.d[o]+root(asm.FMA(s.d[o], s.d[o], x))))
			delta := s.delta.Row(i)
			copy(delta, base)
			s.kern.Axpy(-x, s.ones, delta)
			return true
		}
		if step > 0 && magnitude(v.f) > T(0.1*magnitude(last)) {
			fixed = !fixed
		}
		last = v.f
		if step%8 == 7 {
			x = between(lo, hi)
			continue
		}
		if i == k-1 {
			// One pole that matches value and slope: f ≈ c − s/x.
			c := asm.FMA(v.slope, x, v.f)
			x = T(T(v.slope*x) * T(x/c))
			continue
		}
		d0, d1 := base[i]-x, base[i+1]-x
		var c T
		switch {
		case !fixed:
			c = v.f - T(d0*v.dpsi) - T(d1*v.dphi)
		case o == i:
			r := T(s.z[i] / d0)
			c = v.f - T(d1*v.slope) - T(T(d0-d1)*T(r*r))
		default:
			r := T(s.z[i+1] / d1)
			c = v.f - T(d0*v.slope) - T(T(d1-d0)*T(r*r))
		}
		p := T(d0 * d1)
		eta := smallRoot(c, T((d0+d1)*v.f)-T(p*v.slope), T(p*v.f))
		if !(T(v.f*eta) < 0) { // the wrong way
			eta = -T(v.f / v.slope)
		}
		x += eta
	}
	return false
}

// smallRoot returns the root of c·x² − a·x + b that continues b/a from c = 0, or
// what comes of it: the caller checks.
func smallRoot[T Float](c, a, b T) T {
	disc := root(magnitude(asm.FMA(a, a, -T(4*T(b*c)))))
	if a <= 0 {
		return T((a - disc) / T(2*c))
	}
	return T(T(2*b) / (a + disc))
}

// between returns a point between lo and hi, which do not have opposite signs: the
// geometric mean where they differ much.
func between[T Float](lo, hi T) T {
	a, b := magnitude(lo), magnitude(hi)
	near, far := min(a, b), max(a, b)
	m := T(0.5 * (lo + hi))
	if near < T(far/16) {
		g := T(root(near) * root(far))
		if near == 0 {
			g = far / 16
		}
		if m < 0 {
			g = -g
		}
		m = g
	}
	return m
}

// loewner computes zz_j for j in [lo, hi).
func (s *secular[T]) loewner(w, lo, hi int) {
	if lo >= hi {
		return
	}
	k := len(s.d)
	pole, ratio, acc := s.buffer(w, 0, hi-lo), s.buffer(w, 1, hi-lo), s.zz[lo:hi]
	for j := range acc {
		acc[j] = -s.delta.Data[(k-1)*s.delta.Stride+lo+j]
	}
	for i := range k - 1 {
		// d_j² − d_i+1² for j ≤ i, d_j² − d_i² for j > i
		cut := min(max(i+1, lo), hi)
		s.base(s.d[i+1], lo, cut, pole, ratio)
		s.base(s.d[i], cut, hi, pole[cut-lo:], ratio)
		s.kern.DivTo(s.delta.Row(i)[lo:hi], pole, ratio)
		s.kern.MulTo(acc, ratio, acc)
	}
	for j, v := range acc {
		acc[j] = root(magnitude(v))
		if s.z[lo+j] < 0 {
			acc[j] = -acc[j]
		}
	}
}

// vectors computes the vectors of roots lo to hi.
func (s *secular[T]) vectors(w, lo, hi int) {
	k := len(s.d)
	v, u := s.buffer(w, 0, k), s.buffer(w, 1, k)
	for i := lo; i < hi; i++ {
		delta, right := s.delta.Row(i), s.right.Row(i)
		s.kern.DivTo(s.zz, delta, v)
		if s.left {
			s.kern.MulTo(s.d, v, u)
			u[0] = -1
			normalise(s.kern, u)
			for p, j := range s.order {
				delta[p] = u[j]
			}
		}
		normalise(s.kern, v)
		for p, j := range s.order {
			right[p] = v[j]
		}
	}
}

// normalise divides x by its norm.
func normalise[T Float](kern *asm.Kernels[T], x []T) {
	kern.Scal(1/Nrm2(x, nil), x)
}
