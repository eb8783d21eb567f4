package invroot

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/par"
)

// A Block is one of many matrices whose roots are wanted: the arguments of Root, and
// its results.
type Block[T dense.Float] struct {
	A, X     dense.Matrix[T]
	Exponent Exponent
	Cert     Certificate
	Err      error
}

// Batch computes the roots of many matrices, of any orders, each on one thread; threads
// share out the blocks, large ones first. A block that fails does not
// disturb the others: its Err says why, and its Cert has the flag Failed.
//
// Shapes: as in Root for each block. No X overlaps another X or any A.
// Cost: the sum of the costs. Workspace: BatchWork(blocks, threads).
// Errors: *dense.BlockError with the first block that failed and its error.
// Results are the same bits as those of Root.
func Batch[T dense.Float](blocks []Block[T], opt *Options, o *dense.Opts[T]) error {
	const op = "Batch"
	for i := range blocks {
		checkOptions(op, blocks[i].Exponent, opt)
		checkMatrices(op, &blocks[i].A, &blocks[i].X)
	}
	pool := &batches64
	if isSingle[T]() {
		pool = &batches32
	}
	b, _ := pool.Get().(*batch[T])
	if b == nil {
		b = new(batch[T])
		b.f = b.work
	}
	b.blocks, b.s = blocks, settingsOf[T](opt)
	workers := max(1, min(threadsOf(o), len(blocks)))
	b.room = nil
	if o != nil && o.Work != nil {
		if need := BatchWork(blocks, workers); len(o.Work) < need {
			panic(fmt.Sprintf("invroot: %s: workspace has %d elements, needs %d", op, len(o.Work), need))
		}
		b.room, b.each = o.Work, BatchWork(blocks, 1)
	}
	for len(b.calls) < workers {
		b.calls = append(b.calls, newCall[T]())
	}
	b.sort()
	b.next.Store(0)
	par.Run(workers, b.f)
	b.blocks, b.room = nil, nil
	pool.Put(b)
	for i := range blocks {
		if err := blocks[i].Err; err != nil {
			return &dense.BlockError{Block: i, Err: err}
		}
	}
	return nil
}

// BatchWork returns the length of the workspace of Batch for blocks of these orders on
// the given number of threads.
func BatchWork[T dense.Float](blocks []Block[T], threads int) int {
	n := 0
	for i := range blocks {
		n = max(n, blocks[i].A.Rows)
	}
	if n == 0 {
		return 0
	}
	return min(par.Threads(threads), len(blocks)) * RootWork[T](n, 1)
}

var batches32, batches64 sync.Pool

// batch is one call of Batch.
type batch[T dense.Float] struct {
	blocks []Block[T]
	s      settings
	order  []int // blocks by decreasing order
	next   atomic.Int64
	room   []T
	each   int
	calls  []*call[T] // of every worker
	f      func(t *par.Team, w int)
}

// sort orders the blocks such that large ones come first: by counting in place, as
// orders repeat, and without a comparison function, which would allocate.
func (b *batch[T]) sort() {
	b.order = b.order[:0]
	for i := range b.blocks {
		b.order = append(b.order, i)
	}
	size := func(i int) int { return b.blocks[b.order[i]].A.Rows }
	for gap := len(b.order) / 2; gap > 0; gap /= 2 {
		for i := gap; i < len(b.order); i++ {
			for j := i; j >= gap && size(j) > size(j-gap); j -= gap {
				b.order[j], b.order[j-gap] = b.order[j-gap], b.order[j]
			}
		}
	}
}

// work takes blocks as they come.
func (b *batch[T]) work(_ *par.Team, w int) {
	o := dense.Opts[T]{Threads: 1}
	if b.room != nil {
		o.Work = b.room[w*b.each : (w+1)*b.each]
	}
	for {
		i := int(b.next.Add(1)) - 1
		if i >= len(b.order) {
			return
		}
		k := &b.blocks[b.order[i]]
		c := b.calls[w]
		c.threads, c.s, c.e, c.a, c.x = 1, b.s, k.Exponent.reduced(), k.A, k.X
		k.Cert, k.Err = c.run("Batch", &o)
		c.clear()
	}
}
