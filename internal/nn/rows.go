package nn

import (
	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/par"
	"github.com/precond-go/precond/internal/random"
)

// A sweep is one pass over the rows of some matrices of one shape, whose rows follow
// each other without gaps: all that happens between two matrix products. Workers take
// units of rows; within a unit a few rows at a time go through all steps while they are
// in the first-level cache. Units depend on the shape alone, and sums over rows are made
// unit by unit.
type sweep[T dense.Float] struct {
	op         sweepOp
	act        Activation
	loss       Loss
	rows, cols int
	x, y, z, w []T
	bias       dense.Matrix[T] // the column that is added to each row of x; empty for none
	stream     random.Stream
	set        int // of the exact sets
	positions  int // rows per example

	tile    []T       // bias, repeated for as many rows as go at once
	sums    []T       // column sums of units
	losses  []float64 // losses of units
	benches []bench[T]
	f       func(team *par.Team, w int)
}

type sweepOp uint8

const (
	sweepForward     sweepOp = iota // x = f(x + bias)
	sweepTangent                    // z = f'∘(x + bias), where y = f
	sweepBack                       // x = x∘f', where y = f; column sums of x
	sweepBackTangent                // x = x∘f' + z∘w∘f''/f', where y = f; column sums of x
	sweepLoss                       // loss of outputs x, targets y; its gradient to z, unless that is nil
	sweepMean                       // x = mean of the distribution that x stands for
	sweepSample                     // z = gradient of the loss at outputs x for a target drawn from the model
	sweepExact                      // z = column set of a root of the loss's Hessian at outputs x
	sweepHessian                    // z = loss's Hessian at outputs x, times y
	sweepDot                        // Σ x·y
)

const (
	stepElements = 2048 // elements that go through all steps at once
	unitRows     = 32   // least number of rows of a unit
	sweepGrain   = 1 << 15
)

// stepRows returns how many rows go at once.
func stepRows(cols int) int { return max(1, stepElements/max(1, cols)) }

// unit returns the number of rows of a unit: a multiple of stepRows.
func unit(cols int) int {
	s := stepRows(cols)
	return (unitRows + s - 1) / s * s
}

// units returns the number of units.
func units(rows, cols int) int { u := unit(cols); return (rows + u - 1) / u }

// newSweep returns a sweep for up to the given number of workers and matrices of up to
// these shapes.
func newSweep[T dense.Float](workers int, shapes [][2]int) *sweep[T] {
	s := &sweep[T]{benches: make([]bench[T], workers)}
	step, sums, losses := 0, 0, 0
	for _, shape := range shapes {
		rows, cols := shape[0], shape[1]
		step = max(step, stepRows(cols)*cols)
		sums = max(sums, units(rows, cols)*cols)
		losses = max(losses, units(rows, cols))
	}
	ones := make([]T, max(step, 1))
	for i := range ones {
		ones[i] = 1
	}
	s.tile, s.sums, s.losses = make([]T, step), make([]T, sums), make([]float64, losses)
	for w := range s.benches {
		b := &s.benches[w]
		b.k, b.ones, b.words = asm.For[T](), ones, make([]uint64, step/2+2)
		for i := range b.tmp {
			b.tmp[i] = make([]T, step)
		}
	}
	s.f = s.work
	return s
}

// run does the pass op over the operands that were set. It forgets them.
func (s *sweep[T]) run(op sweepOp, rows, cols int) {
	s.op, s.rows, s.cols = op, rows, cols
	if s.bias.Rows > 0 {
		first := s.tile[:cols]
		for i := range first {
			first[i] = s.bias.Data[i*s.bias.Stride]
		}
		for i := 1; i < min(rows, stepRows(cols)); i++ {
			copy(s.tile[i*cols:(i+1)*cols], first)
		}
	}
	par.Run(max(1, min(len(s.benches), rows*cols/sweepGrain, units(rows, cols))), s.f)
	s.x, s.y, s.z, s.w, s.bias = nil, nil, nil, nil, dense.Matrix[T]{}
}

func (s *sweep[T]) work(team *par.Team, worker int) {
	unit, step := unit(s.cols), stepRows(s.cols)
	b := &s.benches[worker]
	lo, hi := par.Range(units(s.rows, s.cols), team.Workers(), worker, 1)
	for u := lo; u < hi; u++ {
		sums := s.sums[u*s.cols : (u+1)*s.cols]
		if s.op == sweepBack || s.op == sweepBackTangent {
			clear(sums)
		}
		s.losses[u] = 0
		end := min((u+1)*unit, s.rows)
		for i := u * unit; i < end; i += step {
			rows := min(step, end-i)
			s.losses[u] += s.step(b, i, rows, sums)
		}
	}
}

// at returns rows of an operand, nil if it is.
func (s *sweep[T]) at(x []T, i, rows int) []T {
	if x == nil {
		return nil
	}
	return x[i*s.cols : (i+rows)*s.cols]
}

// step takes rows i to i+rows through the pass, adds to the column sums, and returns
// their loss.
func (s *sweep[T]) step(b *bench[T], i, rows int, sums []T) float64 {
	x, y, z, w := s.at(s.x, i, rows), s.at(s.y, i, rows), s.at(s.z, i, rows), s.at(s.w, i, rows)
	if s.bias.Rows > 0 {
		b.k.AddTo(x, s.tile[:len(x)], x)
	}
	switch s.op {
	case sweepForward:
		b.activate(s.act, x)
	case sweepTangent:
		if s.act != Linear {
			b.k.MulTo(x, b.slope(s.act, y), z)
		} else if &x[0] != &z[0] {
			copy(z, x)
		}
	case sweepBack:
		if s.act != Linear {
			b.k.MulTo(x, b.slope(s.act, y), x)
		}
		b.k.GemvT(rows, s.cols, 1, x, s.cols, b.ones, sums)
	case sweepBackTangent:
		if s.act != Linear {
			b.k.MulTo(x, b.slope(s.act, y), x)
		}
		if t := b.bent(s.act, y); t != nil {
			b.k.MulTo(t, w, t)
			b.k.MulAdd(z, t, x)
		}
		b.k.GemvT(rows, s.cols, 1, x, s.cols, b.ones, sums)
	case sweepLoss:
		return s.lossStep(b, x, y, z)
	case sweepMean:
		s.meanStep(b, x)
	case sweepSample:
		s.sampleStep(b, i, x, z)
	case sweepExact:
		s.exactStep(b, i, x, z)
	case sweepHessian:
		s.hessianStep(b, x, y, z)
	case sweepDot:
		return float64(b.k.Dot(x, y))
	}
	return 0
}

// total returns the sum of the losses of the last pass.
func (s *sweep[T]) total() float64 {
	sum := 0.0
	for _, v := range s.losses[:units(s.rows, s.cols)] {
		sum += v
	}
	return sum
}

// columnSums sets column j of w to alpha times the column sums of the last pass.
func (s *sweep[T]) columnSums(alpha T, w dense.Matrix[T], j int) {
	k := s.benches[0].k
	sum := s.tile[:s.cols]
	clear(sum)
	for u := range units(s.rows, s.cols) {
		k.Axpy(1, s.sums[u*s.cols:(u+1)*s.cols], sum)
	}
	for i, v := range sum {
		w.Data[i*w.Stride+j] = T(alpha * v)
	}
}
