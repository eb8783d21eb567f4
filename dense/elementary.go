package dense

import (
	"sync"
	"unsafe"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/internal/par"
)

// This file holds the elementary functions of vectors. They allocate nothing and
// have the same bits on every target; package asm documents the method. Errors
// are at most 1 unit in the last place, also where results are subnormal (tested).

// Exp computes dst = exp(x), element by element; dst may be x. Results that are
// too large are +Inf; exp(−Inf) = 0.
//
// Accuracy: 1 unit in the last place.
func Exp[T Float](x, dst []T, o *Opts[T]) { elementary("Exp", asm.For[T]().ExpTo, x, dst, o) }

// Log computes the natural logarithm dst = log(x), element by element; dst may be
// x. log(±0) = −Inf, log(+Inf) = +Inf, and log(x) = NaN for x < 0.
//
// Accuracy: 1 unit in the last place.
func Log[T Float](x, dst []T, o *Opts[T]) { elementary("Log", asm.For[T]().LogTo, x, dst, o) }

// Tanh computes the hyperbolic tangent dst = tanh(x), element by element; dst may
// be x. tanh(±0) = ±0, tanh(±Inf) = ±1.
//
// Accuracy: 1 unit in the last place.
func Tanh[T Float](x, dst []T, o *Opts[T]) { elementary("Tanh", asm.For[T]().TanhTo, x, dst, o) }

// Sigmoid computes the logistic function dst = 1/(1 + exp(−x)), element by element;
// dst may be x. It is 0 at −Inf and 1 at +Inf.
//
// Accuracy: 1 unit in the last place, relative to small results too.
func Sigmoid[T Float](x, dst []T, o *Opts[T]) {
	elementary("Sigmoid", asm.For[T]().SigmoidTo, x, dst, o)
}

func elementary[T Float](op string, f func(x, dst []T), x, dst []T, o *Opts[T]) {
	checkTwo(op, x, "x", dst, "dst")
	m := mapping[T, T]{f, x, dst}
	m.run(poolOf[T](&elementary32, &elementary64), o.threads())
}

var elementary32, elementary64 sync.Pool // of copies of mapping[T, T]

// A mapping is dst = f(x), element by element. Threads take ranges of elements.
type mapping[S, D any] struct {
	f   func(x []S, dst []D)
	x   []S
	dst []D
}

const (
	// mapChunk is the number of elements that one call of a kernel takes, some
	// 20 µs for the slowest.
	mapChunk = 1 << 13
	// mapGrain is the number of elements that make one more thread worth its start.
	mapGrain = 1 << 15
)

// run does the whole mapping on at most the given number of threads.
func (m *mapping[S, D]) run(pool *sync.Pool, threads int) {
	if threads = min(threads, len(m.x)/mapGrain); threads <= 1 {
		m.part(0, len(m.x))
		return
	}
	par.Share(pool, threads, m)
}

func (m *mapping[S, D]) Work(team *par.Team, w int) {
	const line = 64 // elements that may share a cache line
	lo, hi := par.Range(len(m.x), team.Workers(), w, line)
	m.part(lo, hi)
}

func (m *mapping[S, D]) part(lo, hi int) {
	for ; lo < hi; lo += mapChunk {
		end := min(lo+mapChunk, hi)
		m.f(m.x[lo:end], m.dst[lo:end])
	}
}

// as returns x as a slice of another type with elements of the same size.
func as[D, S any](x []S) []D { return unsafe.Slice((*D)(unsafe.Pointer(unsafe.SliceData(x))), len(x)) }
