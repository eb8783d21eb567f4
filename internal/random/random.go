// Package random makes numbers that are functions of their place: the value at
// index i of the stream (seed, stream, step) is the same on every machine, in any
// order of asking and from any number of goroutines. There is no state to share,
// to lock or to save in a checkpoint.
//
// The generator is Philox2x64-10 (Salmon, Moraes, Dror, Shaw: Parallel Random
// Numbers: As Easy as 1, 2, 3, 2011, §4.3).
package random

import (
	"math/bits"

	"github.com/precond-go/precond/dense"
)

// Stream is a sequence of random numbers, addressed by index. The zero value is
// the stream (0, 0, 0).
type Stream struct {
	key, step uint64
}

// New returns the stream of a seed, a use of it (a layer, a purpose) and a step.
// Distinct triples give unrelated streams.
func New(seed, stream, step uint64) Stream {
	// One Philox block turns seed and stream into a key: a plain sum would let
	// (1, 2) and (2, 1) collide.
	key, _ := philox(seed, stream, 0x70726563_6f6e6400)
	return Stream{key: key, step: step}
}

// philox returns the block of the counter (c0, c1) under the key k.
func philox(c0, c1, k uint64) (x0, x1 uint64) {
	const (
		multiplier = 0xd2b74407b1ce6e93
		weyl       = 0x9e3779b97f4a7c15
	)
	for range 10 {
		hi, lo := bits.Mul64(multiplier, c0)
		c0, c1 = hi^k^c1, lo
		k += weyl
	}
	return c0, c1
}

// Uint64 returns the number at index i: 64 random bits.
func (s Stream) Uint64(i uint64) uint64 {
	x0, x1 := philox(i>>1, s.step, s.key)
	if i&1 == 0 {
		return x0
	}
	return x1
}

// Words fills dst with the numbers at indices from, from+1, …, at half the cost of
// asking for each.
func (s Stream) Words(from uint64, dst []uint64) {
	if from&1 == 1 && len(dst) > 0 {
		dst[0] = s.Uint64(from)
		dst, from = dst[1:], from+1
	}
	for ; len(dst) > 1; dst, from = dst[2:], from+2 {
		dst[0], dst[1] = philox(from>>1, s.step, s.key)
	}
	if len(dst) > 0 {
		dst[0] = s.Uint64(from)
	}
}

// Float64 returns the number at index i, uniform on the open interval (0, 1), a
// multiple of 2⁻⁵³ shifted by half of that.
func (s Stream) Float64(i uint64) float64 { return unit(s.Uint64(i)) }

// unit maps 64 bits to the open interval (0, 1).
func unit(u uint64) float64 { return float64((float64(u>>12) + 0.5) * 0x1p-52) }

// IntN returns the number at index i, uniform on [0, n) up to a bias of n/2⁶⁴.
// It panics if n < 1.
func (s Stream) IntN(i uint64, n int) int {
	if n < 1 {
		panic("random: IntN: n must be positive")
	}
	hi, _ := bits.Mul64(s.Uint64(i), uint64(n))
	return int(hi)
}

// Perm fills dst with a random permutation of 0…len(dst)−1 (Durstenfeld's
// shuffle); it uses the first len(dst) indices of the stream.
func (s Stream) Perm(dst []int) {
	for i := range dst {
		dst[i] = i
	}
	for i := len(dst) - 1; i > 0; i-- {
		j := s.IntN(uint64(i), i+1)
		dst[i], dst[j] = dst[j], dst[i]
	}
}

// Uniform fills dst with the numbers at indices from, from+1, …, uniform on
// (0, 1); in float32 the value is rounded and may be 1.
func Uniform[T dense.Float](s Stream, from uint64, dst []T) {
	for i := range dst {
		dst[i] = T(s.Float64(from + uint64(i)))
	}
}

// Rademacher fills dst with the signs ±1 at indices from, from+1, ….
func Rademacher[T dense.Float](s Stream, from uint64, dst []T) {
	for i := range dst {
		dst[i] = T(int64(s.Uint64(from+uint64(i))>>63)*2 - 1)
	}
}
