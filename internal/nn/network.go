package nn

import (
	"fmt"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/par"
	"github.com/precond-go/precond/internal/random"
	"github.com/precond-go/precond/solvers"
)

// Network is a feed-forward network with its parameters and the buffers for one batch.
// It may be used by one goroutine at a time.
type Network[T dense.Float] struct {
	// Threads is the number of threads to use, 0 for GOMAXPROCS. No result depends on it.
	Threads int
	// Seed chooses the random numbers of sampled targets, together with the step.
	Seed uint64
	// Sampled is the share of a batch that NeedSampledLayers is about: the first
	// ⌈Sampled·n⌉ examples. 0 means all.
	Sampled float64

	loss   Loss
	input  Shape
	stages []stage
	params []solvers.Tensor[T]
	grads  []solvers.Tensor[T]
	main   state[T] // of Evidence
	eval   state[T] // of Loss, Outputs and Predict
	ev     solvers.Evidence[T]
	curv   Curvature[T]
}

// New returns a network of the given layers, from the first on, with all parameters zero:
// see Init. It panics if the layers do not fit each other.
//
// The weight of each layer is one tensor of out×(in+1), whose last column is the bias;
// out×in with NoBias.
func New[T dense.Float](loss Loss, input Shape, layers ...Layer) *Network[T] {
	if loss < BinaryCrossEntropy || loss > SoftmaxCrossEntropy {
		panic(fmt.Sprintf("nn: New: unknown loss %d", loss))
	}
	if input.Height < 1 || input.Width < 1 || input.Channels < 1 {
		panic(fmt.Sprintf("nn: New: input shape %v", input))
	}
	n := &Network[T]{loss: loss, input: input}
	shape := input
	for i, l := range layers {
		s, err := l.stage(shape)
		if err != nil {
			panic(fmt.Sprintf("nn: New: layer %d: %v", i, err))
		}
		s.in = shape
		shape = s.out
		if s.weighted() {
			if s.act < Linear || s.act > Softplus {
				panic(fmt.Sprintf("nn: New: layer %d: unknown activation %d", i, s.act))
			}
			s.name = fmt.Sprintf("%s%d", [...]string{"full", "conv"}[s.kind], i)
			s.param = len(n.params)
			cols := s.fanIn
			if s.bias {
				cols++
			}
			n.params = append(n.params, solvers.NewTensor[T](s.name, s.width, cols))
		}
		n.stages = append(n.stages, s)
	}
	if len(n.params) == 0 {
		panic("nn: New: no layer has a weight")
	}
	n.grads = solvers.Like(n.params)
	n.main.net, n.eval.net, n.curv.state = n, n, &n.main
	return n
}

// Params returns the weights, in the order of the layers. They are the network's own.
func (n *Network[T]) Params() []solvers.Tensor[T] { return n.params }

// Input returns the shape of an example.
func (n *Network[T]) Input() Shape { return n.input }

// Output returns the shape of an example's outputs.
func (n *Network[T]) Output() Shape { return n.stages[len(n.stages)-1].out }

// Evidence returns the mean loss of a batch and its gradient, and what else needs asks for.
// x has an example a row, pixel by pixel, and t its targets. Both are read in place,
// unless their rows have gaps, and must stay as they are while the evidence is in use:
// until the next call. So does all that the evidence holds, but the layers: the next use of its
// Curvature at other parameters writes over them.
//
// Of NeedLayers, NeedSampledLayers and NeedExactLayers one can be asked for at a time.
// The targets of NeedSampledLayers are those of (Seed, step), and its layers have the share
// Sampled of the examples. NeedExactLayers gives as many
// sets as an example has outputs, each at the price of a backward pass and its memory.
//
// Cost: forward and backward, 2 flops three times for each weight, position and example but
// for the first layer (two times); without a gradient for its inputs. Sets of layers
// take one third of it more, each.
// Errors: *dense.NonFiniteError if the loss is not finite; it names what first was not. The
// gradient is then not computed.
func (n *Network[T]) Evidence(x, t dense.Matrix[T], needs solvers.Needs, step int) (*solvers.Evidence[T], error) {
	if !(n.Sampled >= 0 && n.Sampled <= 1) {
		panic(fmt.Sprintf("nn: Evidence: Sampled is %v, want a share", n.Sampled))
	}
	s := &n.main
	switch needs & (solvers.NeedLayers | solvers.NeedSampledLayers | solvers.NeedExactLayers) {
	case 0, solvers.NeedLayers, solvers.NeedSampledLayers, solvers.NeedExactLayers:
	default:
		panic("nn: Evidence: more than one kind of layer statistics at a time")
	}
	s.batch("Evidence", x, t)
	loss, err := s.lossAndDelta()
	if err != nil {
		return nil, err
	}
	s.backward(s.delta, n.grads)
	n.ev = solvers.Evidence[T]{Loss: loss, Examples: s.n, Grads: n.grads, Layers: n.ev.Layers[:0]}
	switch {
	case needs&solvers.NeedLayers != 0:
		s.layers(0, s.delta)
	case needs&solvers.NeedSampledLayers != 0:
		s.sample(random.New(n.Seed, streamTargets, uint64(step)))
	case needs&solvers.NeedExactLayers != 0:
		s.exact()
	}
	if needs&solvers.NeedCurvature != 0 {
		s.remember()
		s.fresh = true
		n.ev.Curvature = &n.curv
	}
	return &n.ev, nil
}

// Streams of random numbers.
const (
	streamTargets = 0x6e6e0001
	streamInit    = 0x6e6e1000 // plus the index of the weight
)

// evalExamples is the number of examples that go through the network at once where
// nothing but the outputs is asked for.
const evalExamples = 1024

// Outputs sets row i of out to the outputs of the network for row i of x.
func (n *Network[T]) Outputs(x, out dense.Matrix[T]) { n.outputs("Outputs", x, out, false) }

// Predict sets row i of out to the mean of the model's distribution of the targets for
// row i of x: probabilities for the cross-entropies, the outputs for SquaredError.
func (n *Network[T]) Predict(x, out dense.Matrix[T]) { n.outputs("Predict", x, out, true) }

func (n *Network[T]) outputs(op string, x, out dense.Matrix[T], mean bool) {
	n.check(op, x, out, "out")
	s := &n.eval
	for i := 0; i < x.Rows; i += evalExamples {
		rows := min(evalExamples, x.Rows-i)
		s.batch(op, x.View(i, 0, rows, x.Cols), dense.Matrix[T]{})
		s.forward()
		s.predictions(out.View(i, 0, rows, out.Cols), mean)
	}
}

// predictions sets out to the outputs of the forward pass or, in their place, to the means.
func (s *state[T]) predictions(out dense.Matrix[T], mean bool) {
	if mean {
		s.top(sweepMean)
	}
	out.Copy(dense.MatrixOf(out.Rows, out.Cols, s.outputs()))
}

// Loss returns the mean loss of any number of examples.
//
// Errors: *dense.NonFiniteError if it is not finite; it names what first was not.
func (n *Network[T]) Loss(x, t dense.Matrix[T]) (float64, error) {
	n.check("Loss", x, t, "t")
	return n.lossOf("Loss", x, t, dense.Matrix[T]{})
}

// lossOf returns the mean loss and sets out to the predictions, unless it is empty.
func (n *Network[T]) lossOf(op string, x, t, out dense.Matrix[T]) (float64, error) {
	s, sum := &n.eval, 0.0
	for i := 0; i < x.Rows; i += evalExamples {
		rows := min(evalExamples, x.Rows-i)
		s.batch(op, x.View(i, 0, rows, x.Cols), t.View(i, 0, rows, t.Cols))
		s.forward()
		loss := s.lossOf(nil)
		if err := s.checkLoss(loss); err != nil {
			return 0, err
		}
		sum += loss
		if out.Rows > 0 {
			s.predictions(out.View(i, 0, rows, out.Cols), true)
		}
	}
	return sum / float64(x.Rows), nil
}

// Evaluate is Loss and Predict by one pass: it returns the mean loss of any number of
// examples and sets row i of out to the prediction for row i of x.
//
// Errors: those of Loss; out then holds the predictions of some of the first rows.
func (n *Network[T]) Evaluate(x, t, out dense.Matrix[T]) (float64, error) {
	n.check("Evaluate", x, t, "t")
	n.check("Evaluate", x, out, "out")
	return n.lossOf("Evaluate", x, t, out)
}

// check panics unless x and t are a batch and targets or outputs for it.
func (n *Network[T]) check(op string, x, t dense.Matrix[T], tname string) {
	in, out := n.input.Len(), n.Output().Len()
	if x.Rows < 1 || x.Cols != in {
		panic(fmt.Sprintf("nn: %s: x is %dx%d, want examples of %d elements", op, x.Rows, x.Cols, in))
	}
	if t.Rows != x.Rows || t.Cols != out {
		panic(fmt.Sprintf("nn: %s: %s is %dx%d, want %dx%d", op, tname, t.Rows, t.Cols, x.Rows, out))
	}
}

// workers returns the number of workers that the network uses.
func (n *Network[T]) workers() int { return par.Threads(n.Threads) }
