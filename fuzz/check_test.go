package fuzz

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"unsafe"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/dense"
)

// targets holds a copy of the table of every instruction set, taken before any
// is replaced, so that one process can compute with each of them.
type targets[T dense.Float] struct {
	names  []string
	tables []asm.Kernels[T]
}

func newTargets[T dense.Float]() targets[T] {
	var s targets[T]
	for _, isa := range asm.ISAs() {
		s.names = append(s.names, isa)
		s.tables = append(s.tables, *asm.ForISA[T](isa))
	}
	return s
}

var (
	targets32 = newTargets[float32]()
	targets64 = newTargets[float64]()
)

// targetsOf returns the targets of the element type.
func targetsOf[T dense.Float]() *targets[T] {
	if unsafe.Sizeof(T(0)) == 4 {
		return (*targets[T])(unsafe.Pointer(&targets32))
	}
	return (*targets[T])(unsafe.Pointer(&targets64))
}

// everywhere runs f on every instruction set and with 1, 2 and 3 threads, each
// time on a copy of out, and returns the copy that all of them agree on. It fails
// if two differ in anything but the kind of NaN.
func everywhere[T dense.Float](t *testing.T, out dense.Matrix[T], f func(c dense.Matrix[T], o *dense.Opts[T])) dense.Matrix[T] {
	t.Helper()
	active := asm.For[T]()
	saved := *active
	defer func() { *active = saved }()
	var first dense.Matrix[T]
	s := targetsOf[T]()
	for i := range s.tables {
		*active = s.tables[i]
		for threads := 1; threads <= 3; threads++ {
			c := out
			c.Data = slices.Clone(out.Data)
			f(c, &dense.Opts[T]{Threads: threads})
			if i == 0 && threads == 1 {
				first = c
				continue
			}
			if at := differ(c.Data, first.Data); at >= 0 {
				t.Fatalf("%s with %d threads gives %v at %s, %s with 1 thread gives %v", s.names[i], threads,
					c.Data[at], place(c, at), s.names[0], first.Data[at])
			}
		}
	}
	return first
}

func place[T dense.Float](m dense.Matrix[T], at int) string {
	return fmt.Sprintf("(%d, %d) of %dx%d", at/m.Stride, at%m.Stride, m.Rows, m.Cols)
}

// differ returns the first index at which x and y have other bits, NaNs aside; −1
// if there is none.
func differ[T dense.Float](x, y []T) int {
	for i, v := range x {
		if !same(v, y[i]) {
			return i
		}
	}
	return -1
}

func same[T dense.Float](x, y T) bool {
	return x == y && math.Signbit(float64(x)) == math.Signbit(float64(y)) || x != x && y != y
}

// untouched fails if an input is not what it was, or if an output changed
// outside of the elements (i, j) that written names.
func untouched[T dense.Float](t *testing.T, name string, now, before dense.Matrix[T], written func(i, j int) bool) {
	t.Helper()
	for at, v := range now.Data {
		i, j := at/now.Stride, at%now.Stride
		if j < now.Cols && written != nil && written(i, j) {
			continue
		}
		if !same(v, before.Data[at]) {
			t.Fatalf("%s changed at %s from %v to %v", name, place(now, at), before.Data[at], v)
		}
	}
}

func clone[T dense.Float](m dense.Matrix[T]) dense.Matrix[T] {
	m.Data = slices.Clone(m.Data)
	return m
}

// A term collects one element of a reference result in float64.
type term struct {
	value float64 // the result
	size  float64 // sum of the magnitudes that entered it
	peak  float64 // sum of the magnitudes that came by on the way, before a small alpha
	gain  float64 // how often an absolute error of an underflow may be counted, apart from once per step
}

func (s *term) add(x float64) {
	s.value += x
	s.size += math.Abs(x)
	s.peak += math.Abs(x)
}

// scaled accounts for a product alpha·x that is rounded to T before it meets
// other: it may overflow though alpha·x·other does not, or underflow, and then its
// error comes times other.
func scaled[T dense.Float](s *term, alpha, x, other T) {
	eps, least, _ := limits[T]()
	f := math.Abs(float64(T(alpha * x)))
	if math.IsInf(f, 1) {
		s.peak = f
	}
	if normal := least / (2 * eps); x != 0 && f < normal {
		s.gain += math.Abs(float64(other))
	}
}

// limits returns the unit roundoff, the least and the largest positive number of T.
func limits[T dense.Float]() (eps, least, most float64) {
	if unsafe.Sizeof(T(0)) == 4 {
		return math.Ldexp(1, -24), math.SmallestNonzeroFloat32, math.MaxFloat32
	}
	return math.Ldexp(1, -53), math.SmallestNonzeroFloat64, math.MaxFloat64
}

// near fails unless got is within n roundings of the reference, which itself took
// as many in float64. Where magnitudes leave the range of T it says nothing.
func near[T dense.Float](t *testing.T, got T, want term, n int, what func() string) {
	t.Helper()
	eps, least, most := limits[T]()
	if !(want.peak < most/4) {
		return
	}
	bound := 2*float64(n)*eps*want.size + (float64(n)+want.gain)*least
	if !(math.Abs(float64(got)-want.value) <= bound) {
		t.Fatalf("%s is %v, want %v within %v", what(), got, want.value, bound)
	}
}
