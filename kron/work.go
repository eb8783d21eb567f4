package kron

import (
	"fmt"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/par"
	"github.com/precond-go/precond/internal/space"
	"gonum.org/v1/gonum/blas"
)

// An arena hands out the parts of a workspace, matrices among them.
type arena[T dense.Float] struct{ space.Arena[T] }

// matrix returns the next rows×cols matrix.
func (a *arena[T]) matrix(rows, cols int) dense.Matrix[T] {
	ld, data := a.Rows(rows, cols)
	return dense.Matrix[T]{Rows: rows, Cols: cols, Stride: ld, Data: data}
}

// room returns the length of a workspace of which so many elements are used.
func room[T dense.Float](used int) int { return used + space.Line[T]() }

// scratch returns an arena over n elements from o or the pool; the second result is to
// be handed to space.Put.
func scratch[T dense.Float](o *dense.Opts[T], op string, n int) (arena[T], *space.Buffer[T]) {
	var work []T
	if o != nil {
		work = o.Work
	}
	w, buf := space.Get("kron", op, work, n)
	return arena[T]{space.Over(w)}, buf
}

// threads returns the number of threads that o grants.
func threads[T dense.Float](o *dense.Opts[T]) int {
	if o == nil {
		return par.Threads(0)
	}
	return par.Threads(o.Threads)
}

// grain is the number of elements that make one more thread worth its start where
// elements are only passed over.
const grain = 1 << 15

// misuse panics with a message in the name of operation op.
func misuse(op, format string, args ...any) {
	panic("kron: " + op + ": " + fmt.Sprintf(format, args...))
}

// shape returns the shape of m as messages have it.
func shape[T dense.Float](m dense.Matrix[T]) string { return fmt.Sprintf("%dx%d", m.Rows, m.Cols) }

// transposed returns whether t asks for a transpose; it panics if t is unknown.
func transposed(op string, t blas.Transpose) bool {
	switch t {
	case blas.NoTrans:
		return false
	case blas.Trans, blas.ConjTrans:
		return true
	}
	misuse(op, "unknown transpose %q", rune(t))
	return false
}

// other returns the other one of NoTrans and Trans.
func other(t blas.Transpose) blas.Transpose {
	if t == blas.NoTrans {
		return blas.Trans
	}
	return blas.NoTrans
}

// shapeOf returns the shape of op(m).
func shapeOf[T dense.Float](t bool, m *dense.Matrix[T]) (rows, cols int) {
	if t {
		return m.Cols, m.Rows
	}
	return m.Rows, m.Cols
}

// checkTriangle panics unless uplo is one.
func checkTriangle(op string, uplo blas.Uplo) {
	if uplo != blas.Lower && uplo != blas.Upper {
		misuse(op, "unknown triangle %q", rune(uplo))
	}
}
