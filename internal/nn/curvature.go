package nn

import (
	"bytes"
	"fmt"
	"unsafe"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/solvers"
)

// Curvature implements solvers.Curvature for a batch. It keeps what the forward pass has
// made as long as the parameters have the same bits.
type Curvature[T dense.Float] struct {
	state *state[T]
	first int   // of First, 0 for all examples
	forms [][]T // derivatives of the outputs in the directions of GaussNewtonForm
}

var _ solvers.Curvature[float32] = (*Curvature[float32])(nil)

// Curvature returns the curvature of the mean loss of a batch of its own, which may be
// another one than Evidence's: x and t are read in place, as by Evidence, and must stay as they
// are. It has its own buffers, which Reset uses again.
func (n *Network[T]) Curvature(x, t dense.Matrix[T]) *Curvature[T] {
	c := &Curvature[T]{state: &state[T]{net: n}}
	c.Reset(x, t)
	return c
}

// Reset makes c the curvature of another batch. It must not be used on that of an Evidence.
func (c *Curvature[T]) Reset(x, t dense.Matrix[T]) {
	if c.state == &c.state.net.main {
		panic("nn: Reset: the curvature belongs to an Evidence")
	}
	c.state.batch("Reset", x, t)
}

// First returns the curvature of the mean loss of the first examples of c's batch, of this one
// and, as long as they have so many, of all that follow. The activations are c's, so that products
// with it need no forward pass of their own: for a policy that takes the gradient of the
// whole batch and the curvature of a part of it. It panics if there are not so many.
func (c *Curvature[T]) First(examples int) *Curvature[T] {
	if examples == 0 {
		panic("nn: First: no examples")
	}
	part := &Curvature[T]{state: c.state, first: examples}
	c.state.narrow(part.part("First"))
	return part
}

// part leaves only the examples of c in the batch. It returns what narrow wants in order to bring
// the others back.
func (c *Curvature[T]) part(op string) (before int) {
	s := c.state
	if c.first == 0 {
		return s.n
	}
	if c.first < 0 || c.first > s.n {
		panic(fmt.Sprintf("nn: %s: the first %d examples of %d", op, c.first, s.n))
	}
	return s.narrow(c.first)
}

// Loss returns the mean loss.
//
// Errors: *dense.NonFiniteError if it is not finite.
func (c *Curvature[T]) Loss() (float64, error) {
	s := c.state
	s.known = false
	s.forward()
	loss := s.lossOf(nil)
	if err := s.checkLoss(loss); err != nil {
		return 0, err
	}
	s.remember()
	s.fresh = false
	if c.first != 0 {
		defer s.narrow(c.part("Loss"))
		loss = s.lossOf(nil)
	}
	return loss / float64(s.n), nil
}

// Jacobian sets out to the derivative of the outputs in the direction v of the
// parameters: row i for example i.
//
// Cost: twice that of a forward pass.
func (c *Curvature[T]) Jacobian(v []solvers.Tensor[T], out dense.Matrix[T]) error {
	s := c.state
	c.check("Jacobian", v)
	n := s.n
	if c.first != 0 {
		n = c.first
	}
	if size := s.net.Output().Len(); out.Rows != n || out.Cols != size {
		panic(fmt.Sprintf("nn: Jacobian: out is %dx%d, want %dx%d", out.Rows, out.Cols, n, size))
	}
	if err := s.refresh(false); err != nil {
		return err
	}
	defer s.narrow(c.part("Jacobian"))
	s.push(v, s.need(&s.tangent))
	out.Copy(dense.MatrixOf(out.Rows, out.Cols, s.of(s.tangent, len(s.act)-1)))
	return nil
}

// GaussNewton sets out = G·v for the generalised Gauss–Newton matrix G = E[JᵀHJ], J being
// the Jacobian of an example's outputs and H the Hessian of its loss with respect to them.
//
// Cost: five thirds of a gradient; a forward pass more if the parameters have changed.
// Errors: *dense.NonFiniteError if the loss is not finite; out is then unchanged.
// Source: Schraudolph, Fast curvature matrix-vector products for second-order gradient
// descent, Neural Computation 14 (2002).
func (c *Curvature[T]) GaussNewton(v, out []solvers.Tensor[T]) error {
	s := c.state
	c.check("GaussNewton", v)
	c.check("GaussNewton", out)
	if err := s.refresh(false); err != nil {
		return err
	}
	defer s.narrow(c.part("GaussNewton"))
	last := len(s.act) - 1
	s.push(v, s.need(&s.tangent))
	s.sweep.y, s.sweep.z = s.of(s.tangent, last), s.of(s.need(&s.back), last)
	s.top(sweepHessian)
	s.backward(s.back, out)
	return nil
}

// GaussNewtonForm sets form[i][j] = v[i]ᵀ·G·v[j].
//
// Cost: two thirds of a gradient for each direction.
// Errors: *dense.NonFiniteError if the loss is not finite; form is then unchanged.
func (c *Curvature[T]) GaussNewtonForm(v [][]solvers.Tensor[T], form dense.Matrix[float64]) error {
	s := c.state
	for _, v := range v {
		c.check("GaussNewtonForm", v)
	}
	if form.Rows != len(v) || form.Cols != len(v) {
		panic(fmt.Sprintf("nn: GaussNewtonForm: form is %dx%d for %d directions", form.Rows, form.Cols, len(v)))
	}
	if err := s.refresh(false); err != nil {
		return err
	}
	defer s.narrow(c.part("GaussNewtonForm"))
	last := len(s.act) - 1
	size := s.n * s.net.Output().Len()
	for i, v := range v {
		if i == len(c.forms) {
			c.forms = append(c.forms, nil)
		}
		if len(c.forms[i]) < size {
			c.forms[i] = make([]T, size)
		}
		s.push(v, s.need(&s.tangent))
		copy(c.forms[i], s.of(s.tangent, last))
	}
	for j := range v {
		h := s.of(s.need(&s.back), last)
		s.sweep.y, s.sweep.z = c.forms[j], h
		s.top(sweepHessian)
		for i := range j + 1 {
			s.sweep.x, s.sweep.y = c.forms[i], h
			s.sweep.run(sweepDot, s.n*s.net.Output().Pixels(), s.net.Output().Channels)
			sum := s.sweep.total() / float64(s.n)
			form.Set(i, j, sum)
			form.Set(j, i, sum)
		}
	}
	return nil
}

// Hessian sets out = H·v for the Hessian of the mean loss, by the R-operator. Where ReLU has
// no derivative it takes 0, and a max pool keeps its choice.
//
// Cost: about 8/3 of a gradient; a forward and a backward pass more if the parameters have
// changed.
// Errors: *dense.NonFiniteError if the loss is not finite; out is then unchanged.
// Source: Pearlmutter, Fast exact multiplication by the Hessian, Neural Computation 6
// (1994).
func (c *Curvature[T]) Hessian(v, out []solvers.Tensor[T]) error {
	s := c.state
	c.check("Hessian", v)
	c.check("Hessian", out)
	if err := s.refresh(true); err != nil {
		return err
	}
	defer s.narrow(c.part("Hessian"))
	last := len(s.act) - 1
	s.need(&s.bent)
	s.push(v, s.need(&s.tangent))
	s.sweep.y, s.sweep.z = s.of(s.tangent, last), s.of(s.need(&s.back), last)
	s.top(sweepHessian)
	s.pushBack(v, out)
	return nil
}

// check panics unless v has the shapes of the parameters.
func (c *Curvature[T]) check(op string, v []solvers.Tensor[T]) {
	params := c.state.net.params
	if len(v) != len(params) {
		panic(fmt.Sprintf("nn: %s: %d tensors for %d parameters", op, len(v), len(params)))
	}
	for i, p := range params {
		if len(v[i].Data) != len(p.Data) {
			panic(fmt.Sprintf("nn: %s: tensor %d has %d elements, %s has %d", op, i, len(v[i].Data), p.Name, len(p.Data)))
		}
	}
}

// remember keeps a copy of the parameters that the activations belong to.
func (s *state[T]) remember() {
	if s.at == nil {
		s.at = solvers.Like(s.net.params)
	}
	for i, p := range s.net.params {
		copy(s.at[i].Data, p.Data)
	}
	s.known = true
}

// refresh brings the activations up to date with the parameters, and the gradients of the
// pre-activations if asked to.
func (s *state[T]) refresh(gradients bool) error {
	if s.known {
		for i, p := range s.net.params {
			if !bytes.Equal(bytesOf(p.Data), bytesOf(s.at[i].Data)) {
				s.known = false
				break
			}
		}
	}
	if s.known && (s.fresh || !gradients) {
		return nil
	}
	if _, err := s.lossAndDelta(); err != nil {
		return err
	}
	if gradients {
		s.backward(s.delta, nil)
	}
	s.remember()
	s.fresh = gradients
	return nil
}

func bytesOf[T dense.Float](x []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), len(x)*int(unsafe.Sizeof(T(0))))
}

// push computes the derivatives of all outputs in direction v, in set; those of the
// pre-activations stay in s.bent, if that exists.
func (s *state[T]) push(v []solvers.Tensor[T], set [][]T) {
	moved := false // whether the derivative of the layer's input is not zero
	for l := range s.net.stages {
		st := &s.net.stages[l]
		y, r := s.of(s.act, l), s.of(set, l)
		if !st.weighted() {
			if moved {
				s.plane.pool(poolTangent, st, s.n, s.of(set, l-1), r, s.pick[l])
			}
			continue
		}
		z := r
		if s.bent != nil {
			z = s.of(s.bent, l)
		}
		s.product(st, weight(st, v), s.input(l), 0, z)
		if moved {
			s.product(st, weight(st, s.net.params), s.of(set, l-1), 1, z)
		}
		moved = true
		s.sweep.x, s.sweep.y, s.sweep.z, s.sweep.act = z, y, r, st.act
		s.setBias(st, v)
		s.sweep.run(sweepTangent, s.n*st.positions, st.width)
	}
}

// pushBack differentiates backward in direction v: from the derivative of the gradient with
// respect to the outputs, in s.back, to that of the gradient of the weights, in out.
func (s *state[T]) pushBack(v, out []solvers.Tensor[T]) {
	mean := 1 / T(s.n)
	for l := len(s.net.stages) - 1; l >= 0; l-- {
		st := &s.net.stages[l]
		q, d := s.of(s.back, l), s.of(s.delta, l)
		moved := s.trained(l)
		if !st.weighted() {
			if moved {
				s.plane.pool(poolAdjoint, st, s.n, s.of(s.back, l-1), q, s.pick[l])
			}
			continue
		}
		s.sweep.x, s.sweep.y, s.sweep.z, s.sweep.w, s.sweep.act = q, s.of(s.act, l), d, s.of(s.bent, l), st.act
		s.sweep.run(sweepBackTangent, s.n*st.positions, st.width)
		s.biasGradient(st, mean, out)
		s.gradient(st, mean, q, s.input(l), 0, weight(st, out))
		if moved {
			s.gradient(st, mean, d, s.of(s.tangent, l-1), 1, weight(st, out))
			s.adjoint(st, weight(st, s.net.params), q, 0, s.of(s.back, l-1))
			s.adjoint(st, weight(st, v), d, 1, s.of(s.back, l-1))
		}
	}
}
