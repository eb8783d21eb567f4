package space

import "unsafe"

// An Arena hands out the parts of a workspace. The zero value has none and only counts,
// so that one function says how much an operation needs and takes it.
type Arena[T Float] struct {
	space []T
	used  int
}

// Over returns an Arena over an aligned workspace.
func Over[T Float](space []T) Arena[T] { return Arena[T]{space: space} }

// Used returns the number of elements that were taken.
func (a *Arena[T]) Used() int { return a.used }

// Take returns the next n elements, aligned.
func (a *Arena[T]) Take(n int) []T {
	line := Line[T]()
	lo := a.used
	a.used += (n + line - 1) / line * line
	if a.space == nil {
		return nil
	}
	return a.space[lo : lo+n : a.used]
}

// Rows returns the stride and the elements of a rows×cols matrix. The stride is an odd
// number of cache lines, so that columns do not fall on few sets of a cache.
func (a *Arena[T]) Rows(rows, cols int) (stride int, data []T) {
	line := Line[T]()
	stride = (max(1, cols) + line - 1) / line * line
	if stride/line%2 == 0 {
		stride += line
	}
	return stride, a.Take(rows * stride)
}

// Rest returns all that is left of the workspace.
func (a *Arena[T]) Rest() []T { return a.space[a.used:] }

// Indices returns the next n integers.
func (a *Arena[T]) Indices(n int) []int32 {
	return view[int32](a, n)
}

// Ints returns the next n integers of the machine's size.
func (a *Arena[T]) Ints(n int) []int {
	return view[int](a, n)
}

// Doubles returns the next n numbers of float64.
func (a *Arena[T]) Doubles(n int) []float64 {
	return view[float64](a, n)
}

// view returns the next n elements of another type.
func view[E int | int32 | float64, T Float](a *Arena[T], n int) []E {
	size, each := int(unsafe.Sizeof(E(0))), int(unsafe.Sizeof(T(0)))
	w := a.Take((n*size + each - 1) / each)
	if w == nil {
		return nil
	}
	return unsafe.Slice((*E)(unsafe.Pointer(unsafe.SliceData(w))), n)
}
