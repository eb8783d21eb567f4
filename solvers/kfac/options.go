package kfac

import (
	"fmt"

	"github.com/precond-go/precond/solvers"
)

// Statistics says whose gradients the curvature is made of.
type Statistics int

const (
	// MonteCarlo takes targets drawn from the model's own distribution: an unbiased
	// estimate of the Fisher matrix.
	MonteCarlo Statistics = iota
	// Empirical takes the true targets, whose gradients the model has computed
	// anyway: the empirical Fisher matrix.
	Empirical
	// Exact takes one backward pass per output: the exact Gauss–Newton matrix, for
	// models with few outputs.
	Exact
)

// needs returns what the statistics ask of the model.
func (s Statistics) needs() solvers.Needs {
	return [...]solvers.Needs{MonteCarlo: solvers.NeedSampledLayers, Empirical: solvers.NeedLayers, Exact: solvers.NeedExactLayers}[s]
}

// Form says which approximation of the curvature is inverted, and how.
type Form int

const (
	// Cholesky inverts each layer's damped factors, (A + πγI)⁻¹ ⊗ (G + γ/π·I)⁻¹, by
	// Cholesky factorisation: two products a layer and step.
	Cholesky Form = iota
	// Eigen inverts (A⊗G + γ²I) without splitting the damping, through the
	// eigenvectors of A and G: four products a layer and step, and any damping
	// at no cost.
	Eigen
	// Corrected is EKFAC: Eigen with the second moments of the gradients along the
	// eigenvectors in place of the products of eigenvalues.
	Corrected
	// Tridiagonal is the block-tridiagonal inverse: Cholesky's blocks, coupled with those of
	// the layers before and behind. The tensors have to be in the order of the layers, which
	// are fully connected. About six products a layer and step, and eigendecompositions at each
	// refresh.
	Tridiagonal
)

// Sharing says how the curvature of a weight that an example uses at several positions, in a
// convolution or along a sequence, becomes one Kronecker product (Eschenhagen et al. 2023).
type Sharing int

const (
	// Expand takes the positions for examples of their own: A is summed over them
	// and G averaged (Grosse & Martens 2016). It is exact for a deep linear network with
	// squared loss whose loss is a sum over positions.
	Expand Sharing = iota
	// Reduce first takes the mean of the inputs of an example and the sum of its gradients: A
	// and G cost as many flops as those of a layer with one position. It is exact for a deep linear
	// network with squared loss whose output is a sum or mean over positions.
	Reduce
)

// Options are the parameters of an Estimator. The zero value of each is its default.
type Options struct {
	Statistics Statistics
	Form       Form
	// Decay is the greatest weight of the old value in the averages of the
	// statistics: the k-th observation finds the weight min(1 − 1/k, Decay).
	// Default 0.95.
	Decay float64
	// Damping is γ², what is added to the eigenvalues of the curvature, in units of the
	// curvature of the mean loss. A policy may set another with SetDamping.
	// Default 0.01.
	Damping float64
	// StatisticsEvery and InverseEvery are the intervals in steps at which statistics
	// are observed and at which inverses (or bases) are computed. Defaults 1 and 20.
	// In the beginning, when an observation changes the averages most, inverses also follow the
	// observations 1, 2, 3, 5, 7, 10, 14, 19, 26, ..., as long as these are less than
	// InverseEvery steps apart.
	StatisticsEvery, InverseEvery int
	// Share is the part of the examples, of those that the layers show, from which
	// statistics are taken: the first ⌈Share·n⌉. Martens & Grosse take an eighth.
	// Default 1.
	Share float64
	// Sharing is for layers with several positions. The second moments of Corrected are exact
	// with either.
	Sharing Sharing
	// Groups has the number of groups of the convolution for each tensor; nil means 1
	// for all. Each group is a block of its own.
	Groups []int
	// Lag is the number of steps after which what a refresh computes takes effect; another
	// goroutine computes it meanwhile, on as many threads again. So inverses are between Lag
	// and Lag + InverseEvery steps old. At most InverseEvery; with 0, the default, the step
	// itself computes.
	Lag int
	// Tolerance is how often in a row refreshes may fail and how old inverses may
	// get before Refresh returns an error.
	Tolerance solvers.Tolerance
	// Threads is the number of threads to use, 0 for GOMAXPROCS. Results do not
	// depend on it.
	Threads int
}

// resolve returns o with defaults filled in; it panics on impossible values.
func (o Options) resolve() Options {
	if o.Decay == 0 {
		o.Decay = 0.95
	}
	if o.Damping == 0 {
		o.Damping = 0.01
	}
	for _, d := range []struct {
		p    *int
		deft int
	}{{&o.StatisticsEvery, 1}, {&o.InverseEvery, 20}} {
		if *d.p == 0 {
			*d.p = d.deft
		}
	}
	if o.Share == 0 {
		o.Share = 1
	}
	switch {
	case !(o.Share > 0 && o.Share <= 1):
		panic(fmt.Sprintf("kfac: New: Share is %v, want a number up to 1", o.Share))
	case o.Statistics < MonteCarlo || o.Statistics > Exact:
		panic(fmt.Sprintf("kfac: New: unknown statistics %d", o.Statistics))
	case o.Form < Cholesky || o.Form > Tridiagonal:
		panic(fmt.Sprintf("kfac: New: unknown form %d", o.Form))
	case o.Sharing < Expand || o.Sharing > Reduce:
		panic(fmt.Sprintf("kfac: New: unknown sharing %d", o.Sharing))
	case !(o.Decay > 0 && o.Decay < 1):
		panic(fmt.Sprintf("kfac: New: Decay is %v, want a number between 0 and 1", o.Decay))
	case o.StatisticsEvery < 1 || o.InverseEvery < 1 || o.Tolerance.Staleness < 0 || o.Threads < 0:
		panic(fmt.Sprintf("kfac: New: negative interval or count in %+v", o))
	case o.Lag < 0 || o.Lag > o.InverseEvery:
		panic(fmt.Sprintf("kfac: New: Lag is %d, want at most the interval of %d", o.Lag, o.InverseEvery))
	}
	checkDamping("New", o.Damping)
	return o
}

func checkDamping(op string, d float64) {
	if !(d > 0 && d <= 1e300) {
		panic(fmt.Sprintf("kfac: %s: damping is %v, want a positive number", op, d))
	}
}
