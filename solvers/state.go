package solvers

import "github.com/precond-go/precond/dense"

// State is a visitor over everything that a checkpoint has to hold: each part names its
// fields, in a fixed order, and the same walk writes or reads them. The lengths of the
// slices are those of the configuration and do not depend on what has been learnt.
type State struct {
	visit     func(name string, data any)
	prefix    string
	reading   bool // for a checkpoint to be restored: either the check of names and lengths or the restoring walk
	restoring bool
}

// Stateful is what has a state.
type Stateful interface{ State(s *State) }

// Floats names a slice of elements.
func Floats[T dense.Float](s *State, name string, x []T) { s.visit(s.prefix+name, x) }

// Int names a counter.
func (s *State) Int(name string, x *int) { s.visit(s.prefix+name, x) }

// Float names a number.
func (s *State) Float(name string, x *float64) { s.visit(s.prefix+name, x) }

// Bool names a flag.
func (s *State) Bool(name string, x *bool) { s.visit(s.prefix+name, x) }

// Within calls walk for fields whose names begin with that of their part and a slash.
func (s *State) Within(part string, walk func(s *State)) {
	inner := *s
	inner.prefix += part + "/"
	walk(&inner)
}

// Restoring returns whether the walk is the one that sets the fields: what is derived
// from them is to be computed anew after they have been named.
func (s *State) Restoring() bool { return s.restoring }
