package dense

import (
	"fmt"
	"math/bits"
	"sync"
	"unsafe"

	"github.com/precond-go/precond/internal/par"
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

// alignment of workspaces in bytes.
const alignment = 64

// alignSlack is the number of extra elements that make room for alignment.
func alignSlack[T Float]() int { return alignment / int(unsafe.Sizeof(T(0))) }

// aligned returns the first n elements of w from its first aligned one on.
func aligned[T Float](w []T, n int) []T {
	if len(w) == 0 {
		return w
	}
	size := unsafe.Sizeof(T(0))
	skip := int(-uintptr(unsafe.Pointer(&w[0])) % alignment / size)
	return w[skip : skip+n : skip+n]
}

// buffer is a pooled workspace.
type buffer[T Float] struct{ data []T }

// Pools of workspaces by size: pool c holds those of 1<<c elements. Calls within
// calls ask for different sizes, and one of the wrong size would be no help.
var pools32, pools64 [bits.UintSize]sync.Pool

func pool[T Float](class int) *sync.Pool {
	if unsafe.Sizeof(T(0)) == 4 {
		return &pools32[class]
	}
	return &pools64[class]
}

// scratch returns an aligned workspace of n elements: from o if it has one
// (which must then hold n plus alignSlack), else from the pool. The second result
// is to be handed to release, also when it is nil.
func scratch[T Float](o *Opts[T], op string, n int) ([]T, *buffer[T]) {
	need := n + alignSlack[T]()
	if o != nil && o.Work != nil {
		if len(o.Work) < need {
			panic(fmt.Sprintf("dense: %s: workspace has %d elements, needs %d", op, len(o.Work), need))
		}
		return aligned(o.Work, n), nil
	}
	class := bits.Len(uint(need - 1))
	b, _ := pool[T](class).Get().(*buffer[T])
	if b == nil {
		b = &buffer[T]{make([]T, 1<<class)}
	}
	return aligned(b.data, n), b
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
func release[T Float](b *buffer[T]) {
	if b != nil {
		pool[T](bits.Len(uint(len(b.data) - 1))).Put(b)
	}
}
