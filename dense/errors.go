package dense

import "fmt"

// NotPositiveDefiniteError says that a symmetric matrix is not positive definite, as
// far as the factorisation can tell.
type NotPositiveDefiniteError struct {
	Pivot int // index of the first pivot that is not positive, or NaN
}

func (e *NotPositiveDefiniteError) Error() string {
	return fmt.Sprintf("dense: matrix is not positive definite: pivot %d", e.Pivot)
}

// SingularError says that a matrix is exactly singular: a pivot is zero, or NaN.
type SingularError struct {
	Pivot int // index of the first such pivot
}

func (e *SingularError) Error() string {
	return fmt.Sprintf("dense: matrix is singular: pivot %d", e.Pivot)
}

// NoConvergenceError says that an iteration did not converge within its bound.
type NoConvergenceError struct {
	Iterations int     // iterations that were done
	Residual   float64 // what was reached, in the measure that the operation documents
}

func (e *NoConvergenceError) Error() string {
	return fmt.Sprintf("dense: no convergence after %d iterations: residual %g", e.Iterations, e.Residual)
}

// NonFiniteError says that an input has an infinity or a NaN.
type NonFiniteError struct {
	Where string // the argument or the element
}

func (e *NonFiniteError) Error() string {
	return "dense: " + e.Where + " is not finite"
}

// BlockError says in which of many matrices or layers something went wrong.
type BlockError struct {
	Block int // index of the first of them
	Err   error
}

func (e *BlockError) Error() string { return fmt.Sprintf("block %d: %v", e.Block, e.Err) }

// Unwrap returns what went wrong.
func (e *BlockError) Unwrap() error { return e.Err }
