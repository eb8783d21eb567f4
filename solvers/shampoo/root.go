package shampoo

import (
	"math"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/space"
	"github.com/precond-go/precond/invroot"
	"github.com/precond-go/precond/solvers"
)

// root computes the root of factor f from its snapshot into the spare half. A statistic
// that is zero, as of a part of the model that has never had a gradient, gives zero.
func (c *core[T]) root(f *factor[T], o *dense.Opts[T]) (condition float64, err error) {
	x := f.out[1-f.half]
	if dense.NormMax(f.snap, o) == 0 {
		x.Fill(0)
		return 1, nil
	}
	if f.diagonal {
		w := space.Over(space.Aligned(o.Work, c.rootRoom(f, o.Threads)))
		return diagonalRoot(f.snap.Data, f.exponent, x.Data, w.Doubles(f.n), c.o.Root)
	}
	cert, err := invroot.Root(f.snap, f.exponent, x, c.o.Root, o)
	return cert.Condition, err
}

// rootRoom is the workspace of root without alignment.
func (c *core[T]) rootRoom(f *factor[T], threads int) int {
	if !f.diagonal {
		return invroot.RootWork[T](f.n, threads)
	}
	var w space.Arena[T]
	w.Doubles(f.n)
	return w.Used()
}

// diagonalRoot sets x = v^(−q/p) for the elements of a diagonal matrix, with ridge and cutoff of
// opt, by logarithms in float64. Errors: as invroot.Root.
func diagonalRoot[T dense.Float](v []T, e invroot.Exponent, x []T, w []float64, opt *invroot.Options) (condition float64, err error) {
	largest, smallest, mean := 0., math.Inf(1), 0.
	for i, u := range v {
		w[i] = float64(u)
		if !(w[i] >= 0) || math.IsInf(w[i], 0) {
			return 0, &dense.NonFiniteError{Where: "diagonal statistic"}
		}
		largest = max(largest, w[i])
		mean += w[i] / float64(len(v))
	}
	ridge := opt.Ridge
	switch opt.Kind {
	case invroot.RelativeToMax:
		ridge = float64(ridge * largest)
	case invroot.RelativeToTrace:
		ridge = float64(ridge * mean)
	}
	largest += ridge
	least := float64(opt.Cutoff * largest)
	for i := range w {
		w[i] += ridge
		if w[i] > least || opt.Cutoff == 0 {
			smallest = min(smallest, w[i])
		}
	}
	if !(smallest > 0) {
		return 0, &invroot.SpectrumError{Smallest: smallest, Largest: largest}
	}
	dense.Log(w, w, nil)
	rate := float64(e.Q) / float64(e.P)
	for i := range w {
		w[i] = float64(-rate * w[i])
	}
	dense.Exp(w, w, nil)
	for i, u := range v {
		if opt.Cutoff > 0 && float64(u)+ridge <= least {
			w[i] = 0
		}
		if w[i] > solvers.Greatest[T]() {
			return 0, &invroot.RangeError{Smallest: smallest, Exponent: e}
		}
		x[i] = T(w[i])
	}
	return largest / smallest, nil
}

// power returns x^p for x > 0 with the same bits everywhere. w is room for one element.
func power(x, p float64, w []float64) float64 {
	w[0] = x
	dense.Log(w, w, nil)
	w[0] = float64(p * w[0])
	dense.Exp(w, w, nil)
	return w[0]
}
