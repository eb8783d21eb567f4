package fuzz

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/blas"
)

// A reader makes the arguments of an operation from bytes: shapes and flags from
// a byte each, values from a generator that is keyed by a few bytes more. After
// the last byte it reads zeros.
type reader struct {
	data []byte
	rng  *rand.Rand
}

func newReader(data []byte) *reader {
	r := &reader{data: data}
	var seed [8]byte
	for i := range seed {
		seed[i] = r.byte()
	}
	r.rng = rand.New(rand.NewPCG(binary.LittleEndian.Uint64(seed[:]), 1))
	return r
}

func (r *reader) byte() byte {
	if len(r.data) == 0 {
		return 0
	}
	b := r.data[0]
	r.data = r.data[1:]
	return b
}

func (r *reader) bool() bool { return r.byte()&1 != 0 }

// dim returns a dimension of at most limit: mostly small, sometimes beyond what
// one register tile or one cache block holds.
func (r *reader) dim(limit int) int {
	b := int(r.byte())
	switch {
	case b < 96:
		b %= 10
	case b < 232:
		b = (b - 96) / 2
	default:
		b = 9*b - 2000 // 88 to 295
	}
	return min(b, limit)
}

// The flags of BLAS.

func (r *reader) trans() blas.Transpose {
	return []blas.Transpose{blas.NoTrans, blas.Trans}[r.byte()&1]
}
func (r *reader) uplo() blas.Uplo { return []blas.Uplo{blas.Lower, blas.Upper}[r.byte()&1] }
func (r *reader) side() blas.Side { return []blas.Side{blas.Left, blas.Right}[r.byte()&1] }
func (r *reader) diag() blas.Diag { return []blas.Diag{blas.NonUnit, blas.Unit}[r.byte()&1] }

// scalar returns an alpha or beta: those with a path of their own and others.
func scalar[T dense.Float](r *reader) T {
	s := []float64{0, 1, -1, 2, 0.7, -1.3, 1e-30, math.NaN(), math.Inf(1)}
	return T(s[int(r.byte())%len(s)])
}

// values returns what fills one operand.
func values[T dense.Float](r *reader) func() T {
	uniform := func() T { return T(2*r.rng.Float64() - 1) }
	switch r.byte() % 8 {
	case 0: // integers, whose sums are exact and often zero
		return func() T { return T(r.rng.IntN(7) - 3) }
	case 1: // any bits
		return func() T { return anyBits[T](r.rng) }
	case 2: // hardly ever finite sums
		return func() T {
			if r.rng.IntN(8) == 0 {
				return []T{T(math.NaN()), T(math.Inf(1)), T(math.Inf(-1)), T(math.Copysign(0, -1))}[r.rng.IntN(4)]
			}
			return uniform()
		}
	case 3: // one exceptional value in hundreds
		return func() T {
			if r.rng.IntN(300) == 0 {
				return anyBits[T](r.rng)
			}
			return uniform()
		}
	}
	return uniform
}

func anyBits[T dense.Float](rng *rand.Rand) T {
	if unsafe.Sizeof(T(0)) == 4 {
		return T(math.Float32frombits(rng.Uint32()))
	}
	return T(math.Float64frombits(rng.Uint64()))
}

// matrix returns a rows×cols matrix with a stride of its own.
func matrix[T dense.Float](r *reader, rows, cols int) dense.Matrix[T] {
	stride := max(1, cols+int(r.byte()%8))
	m := dense.Matrix[T]{Rows: rows, Cols: cols, Stride: stride, Data: make([]T, rows*stride)}
	next := values[T](r)
	for i := range m.Data {
		m.Data[i] = next()
	}
	return m
}

// vector returns n values.
func vector[T dense.Float](r *reader, n int) dense.Matrix[T] {
	m := dense.NewMatrix[T](n, 1)
	next := values[T](r)
	for i := range m.Data {
		m.Data[i] = next()
	}
	return m
}

// attack makes a target of a test body for both types; the first byte after the
// key picks the type.
func attack(f *testing.F, f32, f64 func(t *testing.T, r *reader)) {
	add(f, 60)
	f.Fuzz(func(t *testing.T, data []byte) {
		if r := newReader(data); r.bool() {
			f32(t, r)
		} else {
			f64(t, r)
		}
	})
}

// add adds fixed pseudo-random seeds to a target.
func add(f *testing.F, n int) {
	rng := rand.New(rand.NewPCG(2, 3))
	for range n {
		b := make([]byte, 32)
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		f.Add(b)
	}
	f.Add([]byte{})
}
