package dense

import "github.com/precond-go/precond/internal/space"

// An arena hands out the parts of a workspace, matrices among them.
type arena[T Float] struct{ space.Arena[T] }

// arenaOver returns an arena over an aligned workspace.
func arenaOver[T Float](w []T) arena[T] { return arena[T]{space.Over(w)} }

// matrix returns the next rows×cols matrix.
func (a *arena[T]) matrix(rows, cols int) Matrix[T] {
	ld, data := a.Rows(rows, cols)
	return Matrix[T]{rows, cols, ld, data}
}
