package solvers

import (
	"fmt"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/kron"
)

// Tensor is one parameter of a model, or a gradient or a step of its shape: the
// elements in row-major order. Copies share the elements.
type Tensor[T dense.Float] struct {
	Name  string
	Shape []int
	Data  []T
}

// NewTensor returns a zero tensor. It panics on a negative dimension.
func NewTensor[T dense.Float](name string, shape ...int) Tensor[T] {
	n := 1
	for _, d := range shape {
		if d < 0 {
			panic(fmt.Sprintf("solvers: NewTensor: %s has shape %v", name, shape))
		}
		n *= d
	}
	return Tensor[T]{name, shape, make([]T, n)}
}

// Matrix returns the tensor as a matrix that shares its elements: the first
// dimension by all the others.
func (t Tensor[T]) Matrix() dense.Matrix[T] {
	rows, cols := 1, 1
	if len(t.Shape) > 0 {
		rows = t.Shape[0]
		for _, d := range t.Shape[1:] {
			cols *= d
		}
	}
	return dense.MatrixOf(rows, cols, t.Data)
}

// Like returns zero tensors of the names and shapes of ts.
func Like[T dense.Float](ts []Tensor[T]) []Tensor[T] {
	out := make([]Tensor[T], len(ts))
	for i, t := range ts {
		out[i] = Tensor[T]{t.Name, t.Shape, make([]T, len(t.Data))}
	}
	return out
}

// Layer is what the methods on layer statistics need of a layer (K-FAC's ā and g):
// its inputs and the gradients with respect to its pre-activations, for a batch.
//
// The layer's weight is the tensor Param of shape out×(in+1) with Bias, where the
// last column is the bias (the homogeneous coordinate), or out×in without. Inputs
// do not hold the 1 that the bias multiplies.
//
// Grads holds, for each example, the gradient of that example's own loss: nothing
// in it is divided by the number of examples. So the mean gradient of the weight
// is GradsᵀĀ/Examples.
type Layer[T dense.Float] struct {
	Name     string
	Param    int // index of the weight among the model's tensors
	Bias     bool
	Examples int
	Inputs   dense.Matrix[T] // (Examples·Positions)×in, an example's positions in consecutive rows
	Grads    dense.Matrix[T] // (Examples·Positions)×out
	// Positions is the number of places at which an example uses the weight: 1
	// for a fully connected layer, the length of a sequence, the number of output
	// pixels of a convolution.
	Positions int
	// Conv is the geometry of a convolution, nil otherwise. Inputs is then the
	// layer's input image, (Examples·Height·Width)×Channels, and not its patches.
	Conv *kron.ConvGeometry
}

// Curvature is what the methods on curvature products need of a model: products
// with the curvature of the mean loss of a batch, and that loss. The parameters
// are those of the tensors at the time of the call.
type Curvature[T dense.Float] interface {
	// Loss returns the mean loss of the batch at the current parameters.
	Loss() (float64, error)
	// GaussNewton sets out = G·v, the generalised Gauss–Newton matrix (for the
	// losses of exponential families the Fisher matrix) of the mean loss.
	GaussNewton(v, out []Tensor[T]) error
	// Hessian sets out = H·v.
	Hessian(v, out []Tensor[T]) error
	// GaussNewtonForm sets form[i][j] = vᵢᵀGvⱼ for a few directions, by forward
	// products only: about half the cost of GaussNewton each. form is
	// len(v)×len(v).
	GaussNewtonForm(v [][]Tensor[T], form dense.Matrix[float64]) error
}

// Needs says what a method wants to be given beside the gradients at a step: a
// sum of the constants below.
type Needs uint

const (
	// NeedLayers asks for Evidence.Layers with gradients of the true targets (the
	// empirical Fisher matrix).
	NeedLayers Needs = 1 << iota
	// NeedSampledLayers asks for Evidence.Layers with the gradients of targets
	// drawn from the model's own distribution (the Fisher matrix by Monte Carlo).
	NeedSampledLayers
	// NeedExactLayers asks for one set of Evidence.Layers per output, scaled so
	// that their sum is the exact Gauss–Newton matrix.
	NeedExactLayers
	// NeedCurvature asks for Evidence.Curvature.
	NeedCurvature
)

// Evidence is what a model has to say about one batch.
type Evidence[T dense.Float] struct {
	Loss     float64     // mean loss of the batch
	Examples int         // size of the batch
	Grads    []Tensor[T] // gradient of the mean loss
	// Layers are the statistics asked for by Needs, each set one entry per layer;
	// several sets with NeedExactLayers, which add up.
	Layers    [][]Layer[T]
	Curvature Curvature[T] // nil if not asked for

	norms []float64 // of Grads, where Optimizer has computed them
}

// Norm returns the Euclidean norm of Grads[i].
func (e *Evidence[T]) Norm(i int) float64 {
	if e.norms != nil {
		return e.norms[i]
	}
	return float64(dense.Nrm2(e.Grads[i].Data, nil))
}

// Preconditioner estimates curvature and turns gradients into directions. It keeps
// to the order Observe, Refresh, Apply, once each in a step. Errors name the layer or block
// and leave the state as it was before the call. What depends on how much has been
// observed (bias corrections) counts that itself: step is there for schedules, and
// the same step is tried again after an error.
type Preconditioner[T dense.Float] interface {
	// Needs returns what Observe wants at a step.
	Needs(step int) Needs
	// Observe takes in what a step's batch says of the curvature.
	Observe(step int, e *Evidence[T]) error
	// Refresh brings up to date what Apply uses, where that is due at this step.
	// A block that fails keeps its last good state; the report says so.
	Refresh(step int, r *Report) error
	// Apply sets dst = P·grads. dst may be grads. It may keep moving averages of
	// what it is given.
	Apply(step int, grads, dst []Tensor[T]) error
	// Dense returns the matrix P of the tensor at index param, for tests.
	Dense(param int) dense.Matrix[float64]
	// State names everything that a checkpoint has to hold.
	State(v *State)
}

// Checker is a Preconditioner that can say beforehand whether Observe will fail: so a method
// made of several does not let one of them observe what another refuses.
type Checker[T dense.Float] interface {
	// Check returns the error that Observe would return now, and changes nothing.
	Check(step int, e *Evidence[T]) error
}

// Policy turns directions into steps and takes them: learning rate, momentum,
// clipping, weight decay, damping.
type Policy[T dense.Float] interface {
	Needs(step int) Needs
	// Update moves params by means of the directions dirs = P·grads, which it
	// only reads: they may be e.Grads. An error leaves params and the state as
	// they were.
	Update(step int, params, dirs []Tensor[T], e *Evidence[T], r *Report) error
	State(v *State)
}
