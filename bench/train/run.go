package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"time"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/nn"
	"github.com/precond-go/precond/internal/random"
	"github.com/precond-go/precond/solvers"
	"github.com/precond-go/precond/solvers/kfac"
)

// point is an evaluation.
type point struct {
	steps            int
	seconds          float64
	testLoss, failed float64 // failed is the task's error
}

// result is what a run has come to. The JSON names are those of the file of -json.
type result struct {
	Solver         string   `json:"solver"`
	Seed           uint64   `json:"seed"`
	Steps          int      `json:"steps"`
	Seconds        float64  `json:"seconds"`
	MSPerStep      float64  `json:"ms_per_step"`
	TrainLoss      float64  `json:"train_loss"`
	TestLoss       float64  `json:"test_loss"`
	TestError      float64  `json:"test_error"`
	SecondsToAdam  *float64 `json:"seconds_to_adam"` // null if it was not reached, or without Adam
	StepsToAdam    *int     `json:"steps_to_adam"`
	WeightsDigest  string   `json:"weights_digest"`
	CurvatureShare float64  `json:"curvature_share"` // of the time, in the optimizer's step

	curve []point
}

// evaluations is the number of points of a curve, about.
const evaluations = 24

// trainer is a training run under way.
type trainer struct {
	task task
	net  *nn.Network[float32]
	set  *dataset
	out  dense.Matrix[float32] // predictions of as many examples as a batch has

	images, targets dense.Matrix[float32] // of the batch
	order           []int
}

// train trains with one solver, until the time or the steps are over or ctx is done. With an
// error it returns what was reached before.
func train(ctx context.Context, name string, o options, set *dataset, p *progress) (*result, error) {
	t := &trainer{task: taskOf(o.net), set: set}
	t.net = t.task.build()
	t.net.Threads, t.net.Seed = o.threads, o.seed
	t.net.Init(t.task.init, o.seed)
	testTargets := t.task.targets(set.test, set.testDigits)
	t.out = dense.NewMatrix[float32](o.batch, testTargets.Cols)
	t.images = dense.NewMatrix[float32](o.batch, set.train.Cols)
	t.targets = dense.NewMatrix[float32](o.batch, testTargets.Cols)
	t.order = make([]int, set.train.Rows)

	m := methodOf(name)
	t.net.Sampled = m.sampled
	params := t.net.Params()
	opt := m.make(params, o)
	defer opt.Close()
	r := &result{Solver: name, Seed: o.seed}
	curvature := new(kfac.Subsampled[float32])
	var inStep time.Duration
	var spent time.Duration
	budget := time.Duration(o.seconds * float64(time.Second))
	done := func() float64 { // share of the run
		if o.steps > 0 {
			return float64(r.Steps) / float64(o.steps)
		}
		return float64(spent) / float64(budget)
	}
	fail := func(err error) (*result, error) { return r, err }
	for next := 0.0; ; {
		if d := done(); d >= next || d >= 1 || ctx.Err() != nil {
			loss, failed, err := t.test()
			if err != nil {
				return fail(err)
			}
			r.curve = append(r.curve, point{r.Steps, spent.Seconds(), loss, failed})
			p.show(d, r.Steps, loss, failed)
			if d >= 1 || ctx.Err() != nil {
				break
			}
			next += 1.0 / evaluations
		}
		start := time.Now()
		t.batch(r.Steps, o)
		e, err := t.net.Evidence(t.images, t.targets, opt.Needs(), r.Steps)
		if err != nil {
			return fail(err)
		}
		if e.Curvature != nil && m.part > 0 {
			if curvature.Whole == nil {
				n := int(math.Ceil(float64(m.part * float64(o.batch))))
				curvature.Curvature, curvature.Whole = e.Curvature.(*nn.Curvature[float32]).First(n), e.Curvature
			}
			e.Curvature = curvature
		}
		middle := time.Now()
		if _, err := opt.Step(e); err != nil {
			return fail(err)
		}
		inStep += time.Since(middle)
		spent += time.Since(start)
		r.Steps++
	}
	last := r.curve[len(r.curve)-1]
	r.Seconds, r.TestLoss, r.TestError = last.seconds, last.testLoss, last.failed
	if r.Steps > 0 {
		r.MSPerStep = 1e3 * r.Seconds / float64(r.Steps)
		r.CurvatureShare = float64(inStep) / float64(spent)
	}
	r.WeightsDigest = digest(params)
	var err error
	r.TrainLoss, err = t.loss(set.train, t.task.targets(set.train, set.trainDigits))
	return r, err
}

// batch fills in the batch of a step: the examples in an order that changes with each epoch.
func (t *trainer) batch(step int, o options) {
	n := len(t.order) / o.batch
	if step%n == 0 {
		random.New(o.seed, orderStream, uint64(step/n)).Perm(t.order)
	}
	targets := t.task.targets(t.set.train, t.set.trainDigits)
	for i := range o.batch {
		j := t.order[step%n*o.batch+i]
		copy(t.images.Row(i), t.set.train.Row(j))
		copy(t.targets.Row(i), targets.Row(j))
	}
}

// orderStream is the stream of random numbers of the order of the examples.
const orderStream = 0x6f72646572

// test returns mean loss and error over the test set.
func (t *trainer) test() (loss, failed float64, err error) {
	want := t.task.targets(t.set.test, t.set.testDigits)
	if loss, err = t.loss(t.set.test, want); err != nil {
		return 0, 0, fmt.Errorf("test set: %w", err)
	}
	for i := 0; i < want.Rows; i += t.images.Rows {
		n := min(t.images.Rows, want.Rows-i)
		out := t.out.View(0, 0, n, t.out.Cols)
		t.net.Predict(t.set.test.View(i, 0, n, t.set.test.Cols), out)
		for k := range n {
			failed += t.task.wrong(out.Row(k), want.Row(i+k))
		}
	}
	return loss, failed / float64(want.Rows), nil
}

// loss returns the mean loss of many examples, as many at a time as a batch has: the
// network's buffers do not grow.
func (t *trainer) loss(x, want dense.Matrix[float32]) (sum float64, err error) {
	for i := 0; i < x.Rows; i += t.images.Rows {
		n := min(t.images.Rows, x.Rows-i)
		l, err := t.net.Loss(x.View(i, 0, n, x.Cols), want.View(i, 0, n, want.Cols))
		if err != nil {
			return 0, err
		}
		sum = math.FMA(l, float64(n), sum)
	}
	return sum / float64(x.Rows), nil
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

// compare fills in when each run came to the test loss that Adam ended at.
func compare(results []*result) {
	var adam *result
	for _, r := range results {
		if r.Solver == "adam" {
			adam = r
		}
	}
	if adam == nil {
		return
	}
	for _, r := range results {
		for _, p := range r.curve {
			if p.testLoss <= adam.TestLoss {
				r.SecondsToAdam, r.StepsToAdam = &p.seconds, &p.steps
				break
			}
		}
	}
}
