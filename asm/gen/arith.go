package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/gotypes"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Arithmetic in the vocabulary of vec.go. As in Go's assembler the last operand
// is the destination; operands may be narrower than the target's vectors.

func (t target) add(a, b, dst Op)  { pick(t, VADDPS, VADDPD, a, b, dst) }
func (t target) sub(a, b, dst Op)  { pick(t, VSUBPS, VSUBPD, b, a, dst) } // dst = a − b
func (t target) div(a, b, dst Op)  { pick(t, VDIVPS, VDIVPD, b, a, dst) } // dst = a / b
func (t target) sqrt(a, dst Op)    { pick(t, VSQRTPS, VSQRTPD, a, dst) }
func (t target) and(a, b, dst Op)  { pick(t, VANDPS, VANDPD, a, b, dst) }
func (t target) move(a, dst Op)    { pick(t, VMOVAPS, VMOVAPD, a, dst) }
func (t target) fms213(s, b, a Op) { pick(t, VFMSUB213PS, VFMSUB213PD, s, b, a) } // a = a·b − s

// max does dst = a > b ? a : b, so b where they are equal or unordered.
func (t target) max(a, b, dst Op) { pick(t, VMAXPS, VMAXPD, b, a, dst) }

// vec returns a fresh virtual register of the target's width.
func (t target) vec() reg.VecVirtual {
	if t.wide() {
		return ZMM()
	}
	return YMM()
}

// fill broadcasts a constant, given by its bits, to all elements of v.
func (t target) fill(bits uint64, v reg.VecVirtual) {
	r := GP64()
	if t.f32() {
		MOVL(U32(uint32(bits)), r.As32())
		VMOVD(r.As32(), v.AsX())
		VBROADCASTSS(v.AsX(), v)
	} else {
		MOVQ(U64(bits), r)
		VMOVQ(r, v.AsX())
		VBROADCASTSD(v.AsX(), v)
	}
}

// bits returns the representation of x in the element type.
func (t target) bits(x float64) uint64 {
	if t.f32() {
		return uint64(math.Float32bits(float32(x)))
	}
	return math.Float64bits(x)
}

// absBits is the mask of all bits but the sign.
func (t target) absBits() uint64 { return ^t.bits(math.Copysign(0, -1)) }

// loadFirst and storeFirst move the first n elements, a power of two that is
// less than lanes, of an xmm register, or all of a ymm register.
func (t target) loadFirst(n int, m, x Op) {
	switch n * t.size() {
	case 4:
		VMOVSS(m, x)
	case 8:
		VMOVSD(m, x)
	case 16, 32:
		t.load(m, x)
	}
}

func (t target) storeFirst(n int, x, m Op) {
	switch n * t.size() {
	case 4:
		VMOVSS(x, m)
	case 8:
		VMOVSD(x, m)
	case 16, 32:
		t.store(x, m)
	}
}

// address returns where a parameter or a result of basic type is.
func address(c gotypes.Component) Mem {
	b, err := c.Resolve()
	if err != nil {
		panic(err)
	}
	return b.Addr
}

// plus returns m moved on by some bytes.
func plus(m Mem, bytes int) Mem {
	m.Disp += bytes
	return m
}
