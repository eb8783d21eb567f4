package nn

import (
	"math"

	"github.com/precond-go/precond/internal/random"
)

// This file holds the losses on a few rows at a time, and the distributions that they
// are negative logarithms of.

// lossStep returns the loss of outputs x and targets t, and sets g to its gradient
// unless that is nil.
func (s *sweep[T]) lossStep(b *bench[T], x, t, g []T) float64 {
	n := len(x)
	v := b.tmp[0][:n]
	switch s.loss {
	case BinaryCrossEntropy: // max(x, 0) − t·x + log(1+exp(−|x|))
		h := b.tmp[3][:n]
		t := t[:n]
		for i, x := range x {
			h[i] = max(x, 0) - T(t[i]*x)
			v[i] = min(x, -x)
		}
		b.log1pExp(v)
		b.k.AddTo(h, v, v)
		if g != nil {
			b.k.SigmoidTo(x, g)
			b.k.SubTo(g, t, g)
		}
		return float64(b.k.Sum(v))
	case SquaredError:
		b.k.SubTo(x, t, v)
		if g != nil {
			copy(g, v)
		}
		return float64(0.5 * float64(b.k.SumSq(v)))
	}
	loss := 0.0
	for i := 0; i < n; i += s.cols {
		x, t, p := x[i:i+s.cols], t[i:i+s.cols], v[i:i+s.cols]
		lse := b.softmax(x, p)
		for j, x := range x {
			loss = math.FMA(float64(t[j]), lse-float64(x), loss)
		}
		if g != nil {
			b.k.SubTo(p, t, g[i:i+s.cols])
		}
	}
	return loss
}

// softmax sets p = exp(x)/Σexp(x), for one row, and returns log Σexp(x).
func (b *bench[T]) softmax(x, p []T) float64 {
	top := x[0]
	for _, v := range x {
		top = max(top, v)
	}
	for j, v := range x {
		p[j] = v - top
	}
	b.k.ExpTo(p, p)
	sum := b.k.Sum(p)
	log := b.tmp[1][:1]
	log[0] = sum
	b.k.LogTo(log, log)
	b.k.Scal(1/sum, p)
	return float64(top) + float64(log[0])
}

// meanStep sets x to the mean of the distribution that outputs x stand for.
func (s *sweep[T]) meanStep(b *bench[T], x []T) {
	switch s.loss {
	case BinaryCrossEntropy:
		b.k.SigmoidTo(x, x)
	case SoftmaxCrossEntropy:
		for i := 0; i < len(x); i += s.cols {
			b.softmax(x[i:i+s.cols], x[i:i+s.cols])
		}
	}
}

// sampleStep sets g to the gradient of the loss at the outputs x of rows from row on, for
// targets that are drawn from the model's distribution.
func (s *sweep[T]) sampleStep(b *bench[T], row int, x, g []T) {
	first := uint64(row) * uint64(s.cols)
	switch s.loss {
	case BinaryCrossEntropy:
		b.k.SigmoidTo(x, g)
		words := b.words[:(first+uint64(len(x))+1)/2-first/2] // each serves two elements
		s.stream.Words(first/2, words)
		for i, p := range g {
			at := first&1 + uint64(i)
			u := float64(float64(uint32(words[at/2]>>(32*(at&1))))+0.5) * 0x1p-32 // exact: a power of two
			if u < float64(p) {
				p--
			}
			g[i] = p
		}
	case SquaredError:
		random.Normal(s.stream, first, g)
	case SoftmaxCrossEntropy:
		for i := 0; i < len(x); i += s.cols {
			p := g[i : i+s.cols]
			b.softmax(x[i:i+s.cols], p)
			u := s.stream.Float64(uint64(row + i/s.cols))
			drawn := 0
			for j, v := range p { // the last that may be drawn, if rounding keeps the sum below u
				if v > 0 {
					drawn = j
				}
				if u -= float64(v); u < 0 {
					break
				}
			}
			p[drawn]--
		}
	}
}

// exactStep sets g to column s.set of a matrix R with R·Rᵀ = H, the Hessian of the
// loss of an example with respect to its outputs x. There are as many columns as
// outputs.
func (s *sweep[T]) exactStep(b *bench[T], row int, x, g []T) {
	pixel, channel := s.set/s.cols, s.set%s.cols
	clear(g)
	for i := 0; i < len(x); i, row = i+s.cols, row+1 {
		if row%s.positions != pixel {
			continue
		}
		x, g := x[i:i+s.cols], g[i:i+s.cols]
		switch s.loss {
		case BinaryCrossEntropy:
			p := b.tmp[2][:1]
			b.k.SigmoidTo(x[channel:channel+1], p)
			g[channel] = T(math.Sqrt(float64(b.slope(Logistic, p)[0])))
		case SquaredError:
			g[channel] = 1
		case SoftmaxCrossEntropy: // √p_c·(e_c − p), since H = diag p − p·pᵀ
			b.softmax(x, g)
			root := T(math.Sqrt(float64(g[channel])))
			b.k.Scal(-root, g)
			g[channel] += root
		}
	}
}

// hessianStep sets g to the Hessian of the loss with respect to the outputs x, times y.
func (s *sweep[T]) hessianStep(b *bench[T], x, y, g []T) {
	p := b.tmp[2][:len(x)]
	switch s.loss {
	case BinaryCrossEntropy:
		b.k.SigmoidTo(x, p)
		b.k.MulTo(b.slope(Logistic, p), y, g)
	case SquaredError:
		copy(g, y)
	case SoftmaxCrossEntropy:
		for i := 0; i < len(x); i += s.cols {
			p, y, g := p[i:i+s.cols], y[i:i+s.cols], g[i:i+s.cols]
			b.softmax(x[i:i+s.cols], p)
			mean := b.k.Dot(p, y)
			for j, v := range y {
				g[j] = v - mean
			}
			b.k.MulTo(g, p, g)
		}
	}
}
