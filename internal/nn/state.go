package nn

import (
	"fmt"
	"math"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/random"
	"github.com/precond-go/precond/solvers"
)

// A state is the passage of one batch through a network: its activations, what was made of
// them, and the workspaces. A buffer of stage l holds, for each example, one pixel after
// the other, so that an image is a long vector to the next layer without a copy.
type state[T dense.Float] struct {
	net     *Network[T]
	n       int    // examples
	fits    int    // number of examples that the workspace of products was last found to fit
	room    int    // examples that there are buffers for
	workers int    // workers that there are workspaces for
	x, t    []T    // of the batch, contiguous
	copied  [2][]T // room for them if they are not

	act     [][]T               // act[l]: outputs of stage l
	pick    [][]int32           // of a max pool: which element each output is
	delta   [][]T               // gradients of the loss with respect to stage outputs, then to pre-activations
	sampled [][]T               // the same for sampled targets
	sets    [][][]T             // the same for the exact sets
	tangent [][]T               // directional derivatives of the outputs
	bent    [][]T               // directional derivatives of the pre-activations
	back    [][]T               // of a curvature product: what delta is to the gradient
	at      []solvers.Tensor[T] // the parameters that act, and delta if fresh, belong to
	known   bool                // whether at holds them
	fresh   bool                // whether delta belongs to them too

	sweep *sweep[T]
	opts  dense.Opts[T]
	plane *plane[T]
}

// batch makes x and t (unless that is empty) the state's batch.
func (s *state[T]) batch(op string, x, t dense.Matrix[T]) {
	n := s.net
	if t.Data != nil || t.Rows != 0 {
		n.check(op, x, t, "t")
	}
	s.known = false
	s.n = x.Rows
	s.reserve()
	s.x = s.contiguous(0, x)
	s.t = s.contiguous(1, t)
}

// contiguous returns the elements of x without gaps between the rows.
func (s *state[T]) contiguous(i int, x dense.Matrix[T]) []T {
	size := x.Rows * x.Cols
	if x.Stride == x.Cols || x.Rows <= 1 {
		return x.Data[:size]
	}
	if len(s.copied[i]) < size {
		s.copied[i] = make([]T, size)
	}
	dense.MatrixOf(x.Rows, x.Cols, s.copied[i][:size]).Copy(x)
	return s.copied[i][:size]
}

// reserve makes room for the batch, unless there is.
func (s *state[T]) reserve() {
	net := s.net
	if s.n == s.fits && net.workers() == s.workers {
		return
	}
	if s.n > s.room || net.workers() != s.workers {
		s.room, s.workers = max(s.n, s.room), net.workers()
		s.act, s.pick = s.buffers(), make([][]int32, len(net.stages))
		s.delta, s.sampled, s.sets, s.tangent, s.bent, s.back = nil, nil, nil, nil, nil, nil
		var shapes [][2]int
		for l := range net.stages {
			st := &net.stages[l]
			shapes = append(shapes, [2]int{s.room * st.out.Pixels(), st.width})
			if st.kind == maxPool {
				s.pick[l] = make([]int32, s.room*st.out.Len())
			}
		}
		s.sweep = newSweep[T](s.workers, shapes)
		s.plane = newPlane[T](net.stages, s.room, s.workers)
		s.opts = dense.Opts[T]{Threads: s.workers}
	}
	work := 0
	for l := range net.stages {
		if st := &net.stages[l]; st.pointwise() {
			work = max(work, fullWork[T](st, s.n*st.positions, s.workers))
		}
	}
	if work > len(s.opts.Work) {
		s.opts.Work = make([]T, work)
	}
	s.fits = s.n
}

// narrow leaves only the first examples of the batch, as far as passes go, and returns how many
// there were: what narrow wants in order to bring the others back.
func (s *state[T]) narrow(examples int) (before int) {
	before, s.n = s.n, examples
	s.reserve()
	return before
}

// buffers returns a buffer for the outputs of each stage.
func (s *state[T]) buffers() [][]T {
	b := make([][]T, len(s.net.stages))
	for l := range b {
		b[l] = make([]T, s.room*s.net.stages[l].out.Len())
	}
	return b
}

// need makes the buffers of a set, unless there are.
func (s *state[T]) need(set *[][]T) [][]T {
	if *set == nil {
		*set = s.buffers()
	}
	return *set
}

// input returns what goes into stage l.
func (s *state[T]) input(l int) []T {
	if l == 0 {
		return s.x[:s.n*s.net.input.Len()]
	}
	return s.act[l-1][:s.n*s.net.stages[l].in.Len()]
}

// of returns the buffer of stage l in a set, for the examples of the batch.
func (s *state[T]) of(set [][]T, l int) []T { return set[l][:s.n*s.net.stages[l].out.Len()] }

// outputs returns the outputs of the network.
func (s *state[T]) outputs() []T { return s.of(s.act, len(s.act)-1) }

// weight returns the weight of a stage without the bias, in a list of tensors.
func weight[T dense.Float](st *stage, ts []solvers.Tensor[T]) dense.Matrix[T] {
	return ts[st.param].Matrix().View(0, 0, st.width, st.fanIn)
}

// setBias gives the sweep the bias of a stage in a list of tensors.
func (s *state[T]) setBias(st *stage, ts []solvers.Tensor[T]) {
	if st.bias {
		s.sweep.bias = ts[st.param].Matrix().View(0, st.fanIn, st.width, 1)
	}
}

// forward computes the activations.
func (s *state[T]) forward() {
	for l := range s.net.stages {
		st := &s.net.stages[l]
		x, y := s.input(l), s.of(s.act, l)
		if !st.weighted() {
			s.plane.pool(poolProduct, st, s.n, x, y, s.pick[l])
			continue
		}
		s.product(st, weight(st, s.net.params), x, 0, y)
		s.sweep.x, s.sweep.act = y, st.act
		s.setBias(st, s.net.params)
		s.sweep.run(sweepForward, s.n*st.positions, st.width)
	}
}

// lossOf returns the sum of the losses of the batch and sets g to their gradients, unless
// that is nil.
func (s *state[T]) lossOf(g []T) float64 {
	s.sweep.y, s.sweep.z = s.t, g
	s.top(sweepLoss)
	return s.sweep.total()
}

// top runs a pass over the outputs.
func (s *state[T]) top(op sweepOp) {
	out := s.net.Output()
	s.sweep.x, s.sweep.loss, s.sweep.positions = s.outputs(), s.net.loss, out.Pixels()
	s.sweep.run(op, s.n*out.Pixels(), out.Channels)
}

// lossAndDelta does the forward pass and returns the mean loss, with its gradient for the
// outputs in delta.
func (s *state[T]) lossAndDelta() (float64, error) {
	s.forward()
	loss := s.lossOf(s.of(s.need(&s.delta), len(s.act)-1))
	if err := s.checkLoss(loss); err != nil {
		return 0, err
	}
	return loss / float64(s.n), nil
}

// backward turns the gradient with respect to the outputs, in set, into those with
// respect to all pre-activations, and sets grads to the mean gradient of the weights,
// unless that is nil.
func (s *state[T]) backward(set [][]T, grads []solvers.Tensor[T]) {
	mean := 1 / T(s.n)
	for l := len(s.net.stages) - 1; l >= 0; l-- {
		st := &s.net.stages[l]
		d := s.of(set, l)
		if !st.weighted() {
			if s.trained(l) {
				s.plane.pool(poolAdjoint, st, s.n, s.of(set, l-1), d, s.pick[l])
			}
			continue
		}
		s.sweep.x, s.sweep.y, s.sweep.act = d, s.of(s.act, l), st.act
		s.sweep.run(sweepBack, s.n*st.positions, st.width)
		if grads != nil {
			s.biasGradient(st, mean, grads)
			s.gradient(st, mean, d, s.input(l), 0, weight(st, grads))
		}
		if s.trained(l) {
			s.adjoint(st, weight(st, s.net.params), d, 0, s.of(set, l-1))
		}
	}
}

// trained returns whether there is a weight in front of stage l.
func (s *state[T]) trained(l int) bool {
	for i := range l {
		if s.net.stages[i].weighted() {
			return true
		}
	}
	return false
}

// biasGradient sets the bias in grads to alpha times the column sums of the last pass.
func (s *state[T]) biasGradient(st *stage, alpha T, grads []solvers.Tensor[T]) {
	if st.bias {
		s.sweep.columnSums(alpha, grads[st.param].Matrix(), st.fanIn)
	}
}

// sample makes the set of layer statistics with targets drawn from the model, for the share
// Sampled of the examples.
func (s *state[T]) sample(stream random.Stream) {
	set := s.need(&s.sampled)
	if share := s.net.Sampled; share > 0 {
		defer s.narrow(s.narrow(int(math.Ceil(float64(share * float64(s.n))))))
	}
	s.sweep.z, s.sweep.stream = s.of(set, len(set)-1), stream
	s.top(sweepSample)
	s.backward(set, nil)
	s.layers(0, set)
}

// exact makes the sets of layer statistics that add up to the Gauss–Newton matrix.
func (s *state[T]) exact() {
	if s.sets == nil {
		s.sets = make([][][]T, s.net.Output().Len())
	}
	for i := range s.sets {
		set := s.need(&s.sets[i])
		s.sweep.z, s.sweep.set = s.of(set, len(set)-1), i
		s.top(sweepExact)
		s.backward(set, nil)
		s.layers(i, set)
	}
}

// layers makes the gradients in set the evidence's set of layer statistics at index i.
func (s *state[T]) layers(i int, set [][]T) {
	ev := &s.net.ev
	if i < cap(ev.Layers) {
		ev.Layers = ev.Layers[:i+1]
	} else {
		ev.Layers = append(ev.Layers, nil)
	}
	list := ev.Layers[i][:0]
	for l := range s.net.stages {
		st := &s.net.stages[l]
		if !st.weighted() {
			continue
		}
		rows, cols := s.n*st.positions, st.fanIn
		if st.conv != nil {
			rows, cols = s.n*st.in.Pixels(), st.in.Channels
		}
		in := dense.MatrixOf(rows, cols, s.input(l))
		list = append(list, solvers.Layer[T]{Name: st.name, Param: st.param, Bias: st.bias, Examples: s.n, Inputs: in,
			Grads: dense.MatrixOf(s.n*st.positions, st.width, s.of(set, l)), Positions: st.positions, Conv: st.conv})
	}
	ev.Layers[i] = list
}

// checkLoss returns an error unless the loss is finite; it looks for the first thing that is
// not.
func (s *state[T]) checkLoss(loss float64) error {
	if !math.IsInf(loss, 0) && !math.IsNaN(loss) {
		return nil
	}
	finite := func(x []T) bool {
		m := float64(dense.MaxAbs(x, &s.opts))
		return m <= math.MaxFloat64
	}
	where := func(format string, a ...any) error {
		return fmt.Errorf("nn: %w", &dense.NonFiniteError{Where: fmt.Sprintf(format, a...)})
	}
	switch {
	case !finite(s.x):
		return where("the batch's input")
	case !finite(s.t):
		return where("the batch's target")
	}
	for _, p := range s.net.params {
		if !finite(p.Data) {
			return where("the weight of layer %s", p.Name)
		}
	}
	for l := range s.act {
		if !finite(s.of(s.act, l)) {
			return where("the output of layer %s", s.net.stages[l].name)
		}
	}
	return where("the loss")
}
