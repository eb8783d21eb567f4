package solvers

import (
	"fmt"
	"math"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/dense"
)

// MomentumConfig are the hyper-parameters of Momentum. With the directions d and the
// momentum m, a step is
//
//	d ← ν·d                      clipping
//	m ← μ·m + d                  heavy ball; with EMA  μ·m + (1−μ)·d
//	u = m                        with Nesterov  μ·m + d, with EMA too  μ·m + (1−μ)·d
//	p ← p − η·λ·p − η·u
type MomentumConfig struct {
	Rate     Schedule // η, the learning rate; needed
	Momentum Schedule // μ; nil for none
	EMA      bool     // the momentum is a moving average and not a decaying sum
	Nesterov bool     // look ahead: Sutskever, Martens, Dahl, Hinton, ICML 2013
	// Decay is λ, the decoupled weight decay, in units of 1/η (Loshchilov and
	// Hutter, ICLR 2019). For the decay that is the gradient of a penalty, see
	// Optimizer.L2.
	Decay     Schedule
	Undecayed []int // indices of tensors that Decay leaves alone: biases, gains
	// ClipNorm bounds the Euclidean norm of the direction, all tensors together.
	// For the norm of the gradient, see Optimizer.ClipNorm. 0 for no bound.
	ClipNorm Schedule
	// ClipKL bounds η²·⟨d, gradient⟩, which for d = F⁻¹·gradient is twice the
	// Kullback–Leibler divergence that the step causes, to second order:
	// ν = min(1, √(ClipKL/(η²·|⟨d, gradient⟩|))). So the effective rate is that
	// of ACKTR's trust region δ = ClipKL/2 (Wu, Mansimov, Liao, Grosse, Ba,
	// NeurIPS 2017, §4.1). 0 for no bound.
	ClipKL  Schedule
	Threads int // 0 means GOMAXPROCS
}

// Momentum is the policy that most methods use: learning rate, momentum, clipping
// and decoupled weight decay, in that order. Without momentum it keeps nothing.
type Momentum[T dense.Float] struct {
	c       MomentumConfig
	decayed []bool
	m       []Tensor[T]         // empty without momentum
	h       *[asm.MomentumLen]T // scalars of the kernel
	opts    dense.Opts[T]
}

// NewMomentum returns a policy for params.
func NewMomentum[T dense.Float](params []Tensor[T], c MomentumConfig) *Momentum[T] {
	if c.Rate == nil {
		panic("solvers: NewMomentum: no Rate")
	}
	if c.Momentum == nil && (c.EMA || c.Nesterov) {
		panic("solvers: NewMomentum: EMA or Nesterov without Momentum")
	}
	s := &Momentum[T]{c: c, decayed: make([]bool, len(params)), h: new([asm.MomentumLen]T), opts: dense.Opts[T]{Threads: c.Threads}}
	for i := range s.decayed {
		s.decayed[i] = true
	}
	for _, i := range c.Undecayed {
		if i < 0 || i >= len(params) {
			panic(fmt.Sprintf("solvers: NewMomentum: Undecayed has %d, there are %d tensors", i, len(params)))
		}
		s.decayed[i] = false
	}
	if c.Momentum != nil {
		s.m = Like(params)
	}
	return s
}

// Needs returns 0: gradients are enough.
func (s *Momentum[T]) Needs(int) Needs { return 0 }

// Update makes the step. Errors: *dense.NonFiniteError if the norm or the inner product that
// clipping needs overflows; nothing has changed then.
func (s *Momentum[T]) Update(step int, params, dirs []Tensor[T], e *Evidence[T], r *Report) error {
	rate, mu, decay := s.c.Rate.At(step), s.c.Momentum.At(step), s.c.Decay.At(step)
	if !(rate >= 0 && mu >= 0 && decay >= 0) || math.IsInf(rate+mu+decay, 0) {
		panic(fmt.Sprintf("solvers: Momentum: step %d: rate %g, momentum %g, decay %g", step, rate, mu, decay))
	}
	clip, err := s.clip(step, rate, dirs, e)
	if err != nil {
		return err
	}
	r.Rate, r.Momentum = rate, mu
	r.Clip = float64(r.Clip * clip)
	shrink := float64(rate * decay)
	if s.m == nil {
		for i, p := range params {
			keep := 1.0
			if s.decayed[i] {
				keep -= shrink
			}
			dense.Axpby(T(-float64(rate*clip)), dirs[i].Data, T(keep), p.Data, &s.opts)
		}
		return nil
	}
	gain, lookM, lookG := 1.0, 1.0, 0.0
	if s.c.EMA {
		gain = 1 - mu
	}
	if s.c.Nesterov {
		lookM, lookG = mu, gain
	}
	*s.h = [asm.MomentumLen]T{asm.MomentumMu: T(mu), asm.MomentumGain: T(gain), asm.MomentumLookM: T(lookM),
		asm.MomentumLookG: T(lookG), asm.MomentumRate: T(rate), asm.MomentumScale: T(clip)}
	for i, p := range params {
		s.h[asm.MomentumDecay] = 0
		if s.decayed[i] {
			s.h[asm.MomentumDecay] = T(shrink)
		}
		dense.Momentum(s.h, dirs[i].Data, s.m[i].Data, p.Data, &s.opts)
	}
	return nil
}

// clip returns ν.
func (s *Momentum[T]) clip(step int, rate float64, dirs []Tensor[T], e *Evidence[T]) (float64, error) {
	clip := 1.0
	if bound := s.c.ClipNorm.At(step); bound > 0 {
		norm, err := Norm(dirs, &s.opts)
		if err != nil {
			return 0, err
		}
		clip = min(clip, bound/norm) // 1 if the norm is 0
	}
	if bound := s.c.ClipKL.At(step); bound > 0 {
		dot := math.Abs(Inner(dirs, e.Grads, &s.opts))
		if math.IsNaN(dot) || math.IsInf(dot, 0) {
			return 0, &dense.NonFiniteError{Where: "inner product of direction and gradient"}
		}
		clip = min(clip, math.Sqrt(bound/dot)/rate)
	}
	return clip, nil
}

// State names the momentum.
func (s *Momentum[T]) State(v *State) {
	for _, m := range s.m {
		Floats(v, "momentum "+m.Name, m.Data)
	}
}
