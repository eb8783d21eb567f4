package shampoo

import (
	"fmt"

	"github.com/precond-go/precond/invroot"
	"github.com/precond-go/precond/solvers"
)

// Statistic says what the factors are estimated from.
type Statistic int

const (
	// Gram is Shampoo's: C_i averages X·Xᵀ, where X is the gradient unfolded along mode i.
	Gram Statistic = iota
	// Likelihood is KL-Shampoo's: X is the gradient multiplied in the other modes with their
	// inverse square roots before, and the average divided by the number of columns. With
	// it ⊗C_i tends to the Kronecker product that is closest to the second moment of
	// the gradients in the Kullback–Leibler divergence. It needs a moving average, and the exponent
	// −1/2 in all modes.
	Likelihood
)

// Options are the parameters of the methods. The zero value of each is its default.
type Options struct {
	// Merge merges neighbouring dimensions of a tensor while their product is at most
	// this; 0 merges none. Dimensions of 1 do not count in any case.
	Merge int
	// BlockSize cuts longer dimensions (after merging) into the fewest equal parts of at most this
	// length; the blocks that this makes are preconditioned independently. 0 cuts nothing.
	BlockSize int
	// DiagonalAbove has longer dimensions not cut but given a diagonal in place of a
	// matrix (SOAP: none). 0 means never.
	DiagonalAbove int
	// Exponent overrides the exponent of a factor, which is −1/(2k) for a tensor of order k after
	// merging, and −1/2 with Likelihood or TraceScaled. It is called once for each tensor,
	// given by index and merged shape, and mode. A zero Exponent stands for the default,
	// one with Q = 0 and P = 1 leaves the mode alone.
	Exponent func(tensor int, shape []int, mode int) invroot.Exponent

	Statistic Statistic
	// TraceScaled divides the product ⊗C_i of k factors by tr(C_i)^(k−1): where gradients have a
	// Kronecker-factored second moment, that is this moment, with its scale (and that of the
	// other modes, if Exponent leaves some alone).
	TraceScaled bool
	// Decay is the weight of the old value in the moving averages of the statistics; 1 makes
	// them sums. Default 0.95.
	Decay float64
	// Uncorrected leaves out the bias correction of moving averages, the division
	// by 1 − Decay^t.
	Uncorrected bool

	// StatisticsEvery and RefreshEvery are the intervals in steps at which gradients are
	// observed and roots (or bases) are computed. Defaults 1 and 10. The first
	// observation is followed by a refresh in any case, but for Spread.
	StatisticsEvery, RefreshEvery int
	// Spread refreshes the factors in turn, some at each step of the interval, such that all
	// steps have about the same work. In the first interval, the tensors that wait for
	// their turn have their gradients as directions; a graft can start later.
	Spread bool
	// Lag does refreshes in the background: what begins at step s takes effect at step
	// s + Lag. At most RefreshEvery. Default 0: in the step itself.
	Lag int

	// Root says how roots are computed; nil means a ridge of 1e-6 times the largest
	// eigenvalue. A ridge is in units of the statistic, after bias correction.
	Root *invroot.Options
	// Tolerance is how often in a row refreshes may fail and how old roots may get
	// before Refresh returns an error. A step in which a factor is beyond it refreshes all at once.
	Tolerance solvers.Tolerance
	// Threads is the number of threads to use, 0 for GOMAXPROCS. Results do not depend
	// on it.
	Threads int
}

// resolve returns o with defaults filled in; it panics on impossible values.
func (o Options) resolve(op string) Options {
	if o.Decay == 0 {
		o.Decay = 0.95
	}
	if o.StatisticsEvery == 0 {
		o.StatisticsEvery = 1
	}
	if o.RefreshEvery == 0 {
		o.RefreshEvery = 10
	}
	if o.Root == nil {
		o.Root = &invroot.Options{Ridge: 1e-6, Kind: invroot.RelativeToMax}
	}
	switch {
	case o.Merge < 0 || o.BlockSize < 0 || o.DiagonalAbove < 0 || o.StatisticsEvery < 1 || o.RefreshEvery < 1 || o.Lag < 0 || o.Threads < 0:
		panic(fmt.Sprintf("shampoo: %s: negative size, interval or count in %+v", op, o))
	case o.Lag > o.RefreshEvery:
		panic(fmt.Sprintf("shampoo: %s: Lag is %d, RefreshEvery %d", op, o.Lag, o.RefreshEvery))
	case !(o.Decay > 0 && o.Decay <= 1):
		panic(fmt.Sprintf("shampoo: %s: Decay is %v, want a number up to 1", op, o.Decay))
	case o.Statistic < Gram || o.Statistic > Likelihood:
		panic(fmt.Sprintf("shampoo: %s: unknown statistic %d", op, o.Statistic))
	case o.Statistic == Likelihood && o.Decay == 1:
		panic(fmt.Sprintf("shampoo: %s: Likelihood with a sum, it needs a moving average", op))
	}
	return o
}

// exponent returns the exponent of a factor, with Q = 0 if there is none.
func (o *Options) exponent(op string, tensor int, shape []int, mode int) invroot.Exponent {
	e := invroot.Inverse(2 * len(shape))
	if o.Statistic == Likelihood || o.TraceScaled {
		e = invroot.Inverse(2)
	}
	if o.Exponent == nil {
		return e
	}
	x := o.Exponent(tensor, shape, mode)
	switch {
	case x == invroot.Exponent{}:
		return e
	case x.Q < 0 || x.P < 1 || x.Q > invroot.MaxExponent || x.P > invroot.MaxExponent:
		panic(fmt.Sprintf("shampoo: %s: tensor %d, mode %d: exponent is %v", op, tensor, mode, x))
	case o.Statistic == Likelihood && x.Q != 0 && 2*x.Q != x.P:
		panic(fmt.Sprintf("shampoo: %s: tensor %d, mode %d: exponent is %v, Likelihood needs -1/2", op, tensor, mode, x))
	}
	return x
}
