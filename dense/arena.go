package dense

import "unsafe"

// An arena hands out the parts of a workspace. Without a workspace it only counts, so
// that one function says how much an operation needs and takes it.
type arena[T Float] struct {
	space []T
	used  int
}

// take returns the next n elements, aligned.
func (a *arena[T]) take(n int) []T {
	lo := a.used
	a.used += roundUp(n, alignSlack[T]())
	if a.space == nil {
		return nil
	}
	return a.space[lo : lo+n : a.used]
}

// matrix returns the next rows×cols matrix. Its stride is an odd number of cache
// lines, so that columns do not fall on few sets of a cache.
func (a *arena[T]) matrix(rows, cols int) Matrix[T] {
	line := alignSlack[T]()
	ld := roundUp(max(1, cols), line)
	if ld/line%2 == 0 {
		ld += line
	}
	return Matrix[T]{rows, cols, ld, a.take(rows * ld)}
}

// rest returns all that is left of the workspace.
func (a *arena[T]) rest() []T { return a.space[a.used:] }

// indices returns the next n integers.
func (a *arena[T]) indices(n int) []int32 {
	w := a.take((4*n + int(unsafe.Sizeof(T(0))) - 1) / int(unsafe.Sizeof(T(0))))
	if w == nil {
		return nil
	}
	return unsafe.Slice((*int32)(unsafe.Pointer(unsafe.SliceData(w))), n)
}
