package kfac

import (
	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/solvers"
)

// A form computes what applies the inverse. It has two or three slots for each block, and the
// block says which of them has which role; so a failure leaves the block as it was.
type form[T dense.Float] interface {
	// load copies the statistics of block i into the slot of a role, with the damping.
	load(i int, r role, damping float64) error
	// factorise does the expensive work of one side of block i, in the slot of a role only.
	factorise(i, side int, r role, o *dense.Opts[T]) error
	work(i, threads int) int // workspace of factorise
	// commit puts the slot of a role of block i in force and returns the condition number
	// of what was inverted.
	commit(i int, r role, damping float64, o *dense.Opts[T]) float64
	// damped returns whether what factorise computes depends on the damping.
	damped() bool
	// apply sets dst = P·grads by blocks.
	apply(damping float64, grads, dst []solvers.Tensor[T], o *dense.Opts[T])
	// stepWork is the workspace of commit, apply and, with a batch, of taking it in.
	stepWork(batch []solvers.Layer[T], threads int) int
	state(v *solvers.State)
}
