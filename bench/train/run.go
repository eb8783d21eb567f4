package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/nn"
	"github.com/precond-go/precond/internal/random"
	"github.com/precond-go/precond/solvers"
	"github.com/precond-go/precond/solvers/kfac"
)

// trainer is a network with its solver and the batches.
type trainer struct {
	o         options
	task      task
	method    method
	set       *dataset
	net       *nn.Network[float32]
	opt       *solvers.Optimizer[float32]
	curvature kfac.Subsampled[float32] // products of the method's share of the batch

	images, targets dense.Matrix[float32] // of the batch
	order           []int
	out             dense.Matrix[float32] // predictions of the examples evaluated at once

	steps         int
	loss          float64       // of the batch, before the last step
	spent, inStep time.Duration // in steps, and of it in those of the optimizer
}

func newTrainer(name string, o options, set *dataset) *trainer {
	t := &trainer{o: o, task: taskOf(o.net), method: methodOf(name), set: set}
	t.net = t.task.build()
	t.net.Threads, t.net.Seed, t.net.Sampled = o.threads, o.seed, t.method.sampled
	t.net.Init(t.task.init, o.seed)
	t.opt = t.method.make(t.net.Params(), o)
	outputs := t.net.Output().Len()
	t.images = dense.NewMatrix[float32](o.batch, set.train.Cols)
	t.targets = dense.NewMatrix[float32](o.batch, outputs)
	t.order = make([]int, set.train.Rows)
	t.out = dense.NewMatrix[float32](min(evaluated, set.train.Rows), outputs)
	return t
}

// close ends what the solver does in the background.
func (t *trainer) close() { t.opt.Close() }

// step trains with the next batch. After an error the parameters are those before.
func (t *trainer) step() error {
	start := time.Now()
	defer func() { t.spent += time.Since(start) }()
	t.batch()
	e, err := t.net.Evidence(t.images, t.targets, t.opt.Needs(), t.steps)
	if err != nil {
		return err
	}
	if e.Curvature != nil && t.method.part > 0 {
		if c := &t.curvature; c.Whole == nil {
			n := int(math.Ceil(float64(t.method.part * float64(t.o.batch))))
			c.Curvature, c.Whole = e.Curvature.(*nn.Curvature[float32]).First(n), e.Curvature
		}
		e.Curvature = &t.curvature
	}
	t.loss = e.Loss
	middle := time.Now()
	if _, err := t.opt.Step(e); err != nil {
		return err
	}
	t.inStep += time.Since(middle)
	t.steps++
	return nil
}

// batch fills in the batch of a step: the examples in an order that changes with each epoch.
func (t *trainer) batch() {
	n := len(t.order) / t.o.batch
	if t.steps%n == 0 {
		random.New(t.o.seed, orderStream, uint64(t.steps/n)).Perm(t.order)
	}
	targets := t.task.targets(t.set.train, t.set.trainDigits)
	for i := range t.o.batch {
		j := t.order[t.steps%n*t.o.batch+i]
		copy(t.images.Row(i), t.set.train.Row(j))
		copy(t.targets.Row(i), targets.Row(j))
	}
}

// orderStream is the stream of random numbers of the order of the examples.
const orderStream = 0x6f72646572

// evaluated is the number of examples that are evaluated at once.
const evaluated = 1000

// evaluate returns mean loss and error of many examples. The error says what was evaluated.
func (t *trainer) evaluate(what string, x, want dense.Matrix[float32]) (loss, failed float64, err error) {
	for i := 0; i < x.Rows; i += t.out.Rows {
		n := min(t.out.Rows, x.Rows-i)
		y, out := want.View(i, 0, n, want.Cols), t.out.View(0, 0, n, t.out.Cols)
		l, err := t.net.Evaluate(x.View(i, 0, n, x.Cols), y, out)
		if err != nil {
			return 0, 0, fmt.Errorf("%s: %w", what, err)
		}
		loss = math.FMA(l, float64(n), loss)
		for k := range n {
			failed += t.task.wrong(out.Row(k), y.Row(k))
		}
	}
	return loss / float64(x.Rows), failed / float64(x.Rows), nil
}

// A curve has a point for each step up to resolution·2, and then at distances of a
// resolution-th of the steps.
const resolution = 24

// train trains with one solver, until the time or the steps are over, ctx is done or
// something fails.
func train(ctx context.Context, name string, o options, set *dataset, p *progress) *result {
	t := newTrainer(name, o, set)
	defer t.close()
	r := &result{Solver: name, Seed: o.seed}
	x := every(t.task.every, set.test)
	want := t.task.targets(x, every(t.task.every, set.testDigits))
	for next := 0; ; {
		share := t.share()
		p.step(share)
		over := share >= 1 || ctx.Err() != nil
		if t.steps >= next || over {
			loss, failed, err := t.evaluate("test set", x, want)
			if err != nil {
				r.err = err
				break
			}
			r.Curve = append(r.Curve, point{t.steps, t.spent.Seconds(), loss, failed})
			p.show(share, t.steps, loss, failed)
			next = t.steps + max(1, t.steps/resolution)
		}
		if over {
			break
		}
		if r.err = t.step(); r.err != nil {
			break
		}
	}
	t.conclude(r)
	return r
}

// share returns how much of the run is done.
func (t *trainer) share() float64 {
	if t.o.steps > 0 {
		return float64(t.steps) / float64(t.o.steps)
	}
	return t.spent.Seconds() / t.o.seconds
}

// conclude fills in the figures of a run that is over.
func (t *trainer) conclude(r *result) {
	nan := number(math.NaN())
	r.Steps, r.Seconds, r.MSPerStep, r.CurvatureShare = t.steps, t.spent.Seconds(), nan, nan
	if t.steps > 0 {
		r.MSPerStep = number(1e3 * r.Seconds / float64(t.steps))
		r.CurvatureShare = number(t.inStep.Seconds() / r.Seconds)
	}
	if r.err != nil {
		r.Stopped = r.err.Error()
		if nf := (*dense.NonFiniteError)(nil); errors.As(r.err, &nf) {
			r.DivergedAt = &t.steps
		}
	}
	r.WeightsDigest = digest(t.net.Params())
	loss, failed, err := t.evaluate("test set", t.set.test, t.task.targets(t.set.test, t.set.testDigits))
	if err != nil {
		last := r.last()
		r.TestLoss, r.TestError, r.TrainLoss, r.partial = number(last.Loss), number(last.Error), nan, true
	} else {
		r.TestLoss, r.TestError = number(loss), number(failed)
		loss, _, err = t.evaluate("training set", t.set.train, t.task.targets(t.set.train, t.set.trainDigits))
		if r.TrainLoss = number(loss); err != nil {
			r.TrainLoss = nan
		}
	}
	if err != nil && r.err == nil {
		// The images of the curve were well, others are not.
		r.err, r.Stopped, r.DivergedAt = err, err.Error(), &t.steps
	}
}

// digest returns the SHA-256 of the bits of all parameters.
func digest(params []solvers.Tensor[float32]) string {
	h := sha256.New()
	var b [4]byte
	for _, p := range params {
		for _, v := range p.Data {
			binary.LittleEndian.PutUint32(b[:], math.Float32bits(v))
			h.Write(b[:])
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}
