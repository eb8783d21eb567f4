// Package crew shares out independent pieces of work of different sizes among threads,
// the largest first. It is for the methods of package solvers, whose layers and blocks
// are such pieces.
package crew

import (
	"slices"
	"sync/atomic"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/par"
)

// Crew is a list of pieces of work. It serves one goroutine at a time.
type Crew[T dense.Float] struct {
	opts  []dense.Opts[T] // of each worker
	order []int
	next  atomic.Int32
	piece func(i int, o *dense.Opts[T])
	body  func(t *par.Team, w int)
}

// New returns a crew for pieces of the given costs, each of which needs work
// elements of workspace on a number of threads. piece does piece i on o.Threads threads and
// the workspace o.Work. 0 threads mean GOMAXPROCS.
func New[T dense.Float](costs []float64, threads int, work func(threads int) int, piece func(i int, o *dense.Opts[T])) *Crew[T] {
	outer, inner := par.Split(par.Threads(threads), len(costs))
	c := &Crew[T]{opts: make([]dense.Opts[T], outer), order: make([]int, len(costs)), piece: piece}
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

// Run does all pieces. It allocates nothing.
func (c *Crew[T]) Run() {
	c.next.Store(0)
	par.Run(len(c.opts), c.body)
}
