package kfac

import (
	"github.com/precond-go/precond/dense"
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
