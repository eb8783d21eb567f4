package solvers

import "github.com/precond-go/precond/dense"

// State is a visitor over everything that a checkpoint has to hold: each part names its fields, in
// a fixed order, and the same walk writes or reads them.
type State struct {
	visit func(name string, data any)
}

// Floats names a slice of elements.
func Floats[T dense.Float](s *State, name string, x []T) { s.visit(name, x) }

// Int names a counter.
func (s *State) Int(name string, x *int) { s.visit(name, x) }

// Float names a number.
func (s *State) Float(name string, x *float64) { s.visit(name, x) }
