package kfac

import (
	"slices"
	"sync/atomic"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/par"
	"github.com/precond-go/precond/solvers"
)

// A form computes what applies the inverse. It holds two halves for each block: one in
// force and a spare one, in which the next is made; so a failure leaves the block as
// it was.
type form[T dense.Float] interface {
	// load copies the factors of block i into its spare half.
	load(i int, damping float64) error
	// factorise does the expensive work of one side of block i, on the spare half only.
	factorise(i, side int, o *dense.Opts[T]) error
	work(i, threads int) int // workspace of factorise
	// commit puts the spare half of block i in force and returns the condition number
	// of what was inverted.
	commit(i int, damping float64, o *dense.Opts[T]) float64
	// damped returns whether what factorise computes depends on the damping; flip exchanges
	// all halves if so.
	damped() bool
	flip()
	// apply sets dst = P·grads by blocks.
	apply(damping float64, grads, dst []solvers.Tensor[T], o *dense.Opts[T])
	// stepWork is the workspace of commit, apply and, with a batch, of taking it in.
	stepWork(batch []solvers.Layer[T], threads int) int
	state(v *solvers.State)
}

// A crew does independent pieces of work of different sizes on several threads, the
// largest first.
type crew[T dense.Float] struct {
	opts  []dense.Opts[T] // of each worker
	order []int
	next  atomic.Int32
	piece func(i int, o *dense.Opts[T])
	body  func(t *par.Team, w int)
}

// newCrew returns a crew for pieces of the given costs, each of which needs work
// elements of workspace on a number of threads.
func newCrew[T dense.Float](costs []float64, threads int, work func(threads int) int, piece func(i int, o *dense.Opts[T])) *crew[T] {
	outer, inner := par.Split(par.Threads(threads), len(costs))
	c := &crew[T]{opts: make([]dense.Opts[T], outer), order: make([]int, len(costs)), piece: piece}
	room := work(inner)
	for w := range c.opts {
		c.opts[w] = dense.Opts[T]{Threads: inner, Work: make([]T, room)}
	}
	for i := range c.order {
		c.order[i] = i
	}
	slices.SortStableFunc(c.order, func(i, j int) int {
		switch {
		case costs[i] > costs[j]:
			return -1
		case costs[i] < costs[j]:
			return 1
		}
		return 0
	})
	c.body = func(t *par.Team, w int) {
		for k := int(c.next.Add(1)) - 1; k < len(c.order); k = int(c.next.Add(1)) - 1 {
			c.piece(c.order[k], &c.opts[w])
		}
	}
	return c
}

// run does all pieces.
func (c *crew[T]) run() {
	c.next.Store(0)
	par.Run(len(c.opts), c.body)
}
