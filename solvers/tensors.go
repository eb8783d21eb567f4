package solvers

import (
	"fmt"
	"math"
	"slices"

	"github.com/precond-go/precond/dense"
)

// Inner returns the inner product Σ x·y of two lists of tensors: dense.Dot of each
// pair, added in float64 in order.
func Inner[T dense.Float](x, y []Tensor[T], o *dense.Opts[T]) float64 {
	CheckLike("solvers: Inner", "x", x, "y", y)
	var s float64
	for i := range x {
		s += float64(dense.Dot(x[i].Data, y[i].Data, o))
	}
	return s
}

// Norm returns the Euclidean norm of a list of tensors. Overflow and underflow of squares
// do no harm. Errors: *dense.NonFiniteError, which names the first tensor that is not
// finite or whose norm is not.
func Norm[T dense.Float](x []Tensor[T], o *dense.Opts[T]) (float64, error) {
	var total sumOfSquares
	for i := range x {
		n, err := finiteNorm("", x[i].Name, x[i].Data, o)
		if err != nil {
			return 0, err
		}
		total.add(n)
	}
	return total.root(), nil
}

// finiteNorm returns the Euclidean norm of x, or an error that says what of which tensor it
// is if an element or the norm is not finite.
func finiteNorm[T dense.Float](what, name string, x []T, o *dense.Opts[T]) (float64, error) {
	n := float64(dense.Nrm2(x, o))
	if n-n == 0 {
		return n, nil
	}
	if m := float64(dense.MaxAbs(x, o)); m-m == 0 {
		what = "norm of " + what
	}
	return 0, &dense.NonFiniteError{Where: what + name}
}

// sumOfSquares adds squares of numbers ≥ 0 without overflow: s·scale².
type sumOfSquares struct{ scale, s float64 }

func (t *sumOfSquares) add(x float64) {
	switch {
	case x > t.scale:
		r := t.scale / x
		t.s = math.FMA(float64(r*r), t.s, 1)
		t.scale = x
	case x > 0:
		r := x / t.scale
		t.s = math.FMA(r, r, t.s)
	}
}

func (t *sumOfSquares) root() float64 { return float64(t.scale * math.Sqrt(t.s)) }

// CheckLike panics unless y has the shapes of x; op is the package and the operation that
// the message begins with.
func CheckLike[T dense.Float](op, xname string, x []Tensor[T], yname string, y []Tensor[T]) {
	if len(x) != len(y) {
		panic(fmt.Sprintf("%s: %s has %d tensors, %s has %d", op, xname, len(x), yname, len(y)))
	}
	for i := range x {
		if !slices.Equal(x[i].Shape, y[i].Shape) || len(x[i].Data) != len(y[i].Data) {
			panic(fmt.Sprintf("%s: tensor %d (%s): %s has shape %v and %d elements, %s has %v and %d",
				op, i, x[i].Name, xname, x[i].Shape, len(x[i].Data), yname, y[i].Shape, len(y[i].Data)))
		}
	}
}
