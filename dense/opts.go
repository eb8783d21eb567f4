package dense

import (
	"fmt"

	"github.com/precond-go/precond/internal/par"
	"github.com/precond-go/precond/internal/space"
)

// Opts are the common options of an operation. A nil *Opts is the default. The
// results never depend on them.
type Opts[T Float] struct {
	// Threads is the number of threads that the call may use; 0 means
	// GOMAXPROCS. Small problems use one in any case.
	Threads int
	// Work is the workspace. It must have at least the length that the
	// operation's Work function returns; nil takes one from a pool.
	// Its contents do not matter before and mean nothing after.
	Work []T
}

// threads returns the number of threads that o grants.
func (o *Opts[T]) threads() int {
	if o == nil {
		return par.Threads(0)
	}
	return par.Threads(o.Threads)
}

// single returns whether o restricts the call to one thread.
func (o *Opts[T]) single() bool { return o != nil && o.Threads == 1 }

// alignSlack is the number of extra elements that make room for alignment.
func alignSlack[T Float]() int { return space.Line[T]() }

// buffer is a pooled workspace.
type buffer[T Float] = space.Buffer[T]

// scratch returns an aligned workspace of n elements: from o if it has one
// (which must then hold n plus alignSlack), else from the pool. The second result
// is to be handed to release, also when it is nil.
func scratch[T Float](o *Opts[T], op string, n int) ([]T, *buffer[T]) {
	var work []T
	if o != nil {
		work = o.Work
	}
	return space.Get("dense", op, work, n)
}

// checkRoom panics if there is a workspace and it is shorter than need says. It is for
// operations that hand parts of their workspace on to others.
func checkRoom[T Float](op string, work []T, need func() int) {
	if work == nil {
		return
	}
	if n := need(); len(work) < n {
		panic(fmt.Sprintf("dense: %s: workspace has %d elements, needs %d", op, len(work), n))
	}
}

// release gives a pooled workspace back.
func release[T Float](b *buffer[T]) { space.Put(b) }
