package nn

import (
	"math"
	"unsafe"

	"github.com/precond-go/precond/asm"
)

// This file holds the activations on slices that fit the first-level cache. Their
// derivatives are functions of the output a = f(z), which therefore takes z's place.
// Arithmetic is done by kernels where there are any: a scalar loop would take longer
// than the memory traffic.

// A bench is what one worker computes with: kernels, a vector of ones, and scratch.
type bench[T asm.Float] struct {
	k     *asm.Kernels[T]
	ones  []T
	tmp   [4][]T
	words []uint64
}

// activate computes z = f(z).
func (b *bench[T]) activate(act Activation, z []T) {
	switch act {
	case Logistic:
		b.k.SigmoidTo(z, z)
	case Tanh:
		b.k.TanhTo(z, z)
	case ReLU:
		for i, v := range z {
			z[i] = max(v, 0)
		}
	case Softplus:
		x := b.tmp[0][:len(z)]
		for i, v := range z {
			z[i] = max(v, 0)
			x[i] = min(v, -v)
		}
		b.log1pExp(x)
		b.k.AddTo(z, x, z)
	}
}

// log1pExp computes x = log(1+exp(x)) for x ≤ 0, to a few units in the last place of
// the result: what rounding w = 1+e loses comes back to first order as (e−(w−1))/w. x
// is not among the scratch from the second on.
func (b *bench[T]) log1pExp(x []T) {
	n := len(x)
	e, w, ones := b.tmp[1][:n], b.tmp[2][:n], b.ones[:n]
	b.k.ExpTo(x, e)
	b.k.AddTo(ones, e, w)
	b.k.SubTo(w, ones, x)
	b.k.SubTo(e, x, x)
	b.k.DivTo(x, w, x)
	b.k.LogTo(w, w)
	b.k.AddTo(x, w, x)
}

// slope returns f'(z), in scratch, for the output a = f(z). It does not do so for Linear.
func (b *bench[T]) slope(act Activation, a []T) []T {
	n := len(a)
	t, u, ones := b.tmp[0][:n], b.tmp[1][:n], b.ones[:n]
	switch act {
	case Logistic: // a(1−a)
		b.k.SubTo(ones, a, t)
		b.k.MulTo(t, a, t)
	case Tanh: // (1−a)(1+a)
		b.k.SubTo(ones, a, t)
		b.k.AddTo(ones, a, u)
		b.k.MulTo(t, u, t)
	case ReLU:
		positive(a, t)
	case Softplus: // 1−exp(−a) = 2h/(1+h) with h = tanh(a/2)
		b.k.ScalTo(0.5, a, t)
		b.k.TanhTo(t, t)
		b.k.AddTo(ones, t, u)
		b.k.Scal(2, t)
		b.k.DivTo(t, u, t)
	}
	return t
}

// bent returns f”/f' in scratch for the output a, nil if that is zero.
func (b *bench[T]) bent(act Activation, a []T) []T {
	t := b.tmp[1][:len(a)]
	switch act {
	case Logistic: // 1−2a
		copy(t, b.ones)
		b.k.Axpy(-2, a, t)
	case Tanh: // −2a
		b.k.ScalTo(-2, a, t)
	case Softplus: // exp(−a)
		b.k.ScalTo(-1, a, t)
		b.k.ExpTo(t, t)
	default:
		return nil
	}
	return t
}

// positive sets t to 1 where a > 0 or NaN and to 0 where a is +0; a has no other values.
// It has no branches: signs are as good as random.
func positive[T asm.Float](a, t []T) {
	if unsafe.Sizeof(T(0)) == 4 {
		for i, v := range a {
			w := math.Float32bits(float32(v))
			t[i] = T(math.Float32frombits((w | -w) >> 31 * math.Float32bits(1)))
		}
		return
	}
	for i, v := range a {
		w := math.Float64bits(float64(v))
		t[i] = T(math.Float64frombits((w | -w) >> 63 * math.Float64bits(1)))
	}
}
