package digest

import "github.com/precond-go/precond/dense"

// denseOps lists the operations of package dense.
func denseOps[T dense.Float]() []op[T] {
	return []op[T]{}
}
