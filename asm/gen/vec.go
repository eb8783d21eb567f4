package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A target is an element type on an instruction set: it knows the vector width
// and spells instructions that come in four variants (two types, two widths).
type target struct {
	isa  string // "avx2" or "avx512"
	elem string // "float32" or "float64"
}

var elems = []string{"float32", "float64"}

func (t target) wide() bool { return t.isa == "avx512" }
func (t target) f32() bool  { return t.elem == "float32" }

// size is the size of an element in bytes, width that of a vector, lanes the
// number of elements in a vector.
func (t target) size() int {
	if t.f32() {
		return 4
	}
	return 8
}

func (t target) width() int {
	if t.wide() {
		return 64
	}
	return 32
}

func (t target) lanes() int { return t.width() / t.size() }

// name makes the name of an assembly function: op, instruction set, type.
func (t target) name(op string) string {
	isa := map[string]string{"avx2": "AVX2", "avx512": "AVX512"}[t.isa]
	return fmt.Sprintf("%s%sF%d", op, isa, 8*t.size())
}

// v returns vector register i.
func (t target) v(i int) reg.VecPhysical {
	z := []reg.VecPhysical{
		reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7,
		reg.Z8, reg.Z9, reg.Z10, reg.Z11, reg.Z12, reg.Z13, reg.Z14, reg.Z15,
		reg.Z16, reg.Z17, reg.Z18, reg.Z19, reg.Z20, reg.Z21, reg.Z22, reg.Z23,
		reg.Z24, reg.Z25, reg.Z26, reg.Z27, reg.Z28, reg.Z29, reg.Z30, reg.Z31,
	}
	y := []reg.VecPhysical{
		reg.Y0, reg.Y1, reg.Y2, reg.Y3, reg.Y4, reg.Y5, reg.Y6, reg.Y7,
		reg.Y8, reg.Y9, reg.Y10, reg.Y11, reg.Y12, reg.Y13, reg.Y14, reg.Y15,
	}
	if t.wide() {
		return z[i]
	}
	return y[i]
}

// pick calls the variant of an instruction for the element type.
func pick(t target, ps, pd func(...Op), ops ...Op) {
	if t.f32() {
		ps(ops...)
	} else {
		pd(ops...)
	}
}

func (t target) zero(v Op) {
	if t.wide() {
		VPXORD(v, v, v)
	} else {
		VXORPS(v, v, v)
	}
}

func (t target) load(m, v Op)          { pick(t, VMOVUPS, VMOVUPD, m, v) }
func (t target) store(v, m Op)         { pick(t, VMOVUPS, VMOVUPD, v, m) }
func (t target) mul(a, b, dst Op)      { pick(t, VMULPS, VMULPD, a, b, dst) }
func (t target) fma231(a, b, acc Op)   { pick(t, VFMADD231PS, VFMADD231PD, a, b, acc) }
func (t target) fnma231(a, b, acc Op)  { pick(t, VFNMADD231PS, VFNMADD231PD, a, b, acc) }
func (t target) fma213(add, b, acc Op) { pick(t, VFMADD213PS, VFMADD213PD, add, b, acc) }

// broadcast fills v with the element at m.
func (t target) broadcast(m, v Op) {
	if t.f32() {
		VBROADCASTSS(m, v)
	} else {
		VBROADCASTSD(m, v)
	}
}

// fmaBroadcast does acc += element at m · b; AVX-512 only.
func (t target) fmaBroadcast(m, b, acc Op) {
	pick(t, VFMADD231PS_BCST, VFMADD231PD_BCST, m, b, acc)
}

// A mask selects the first elements of a vector: a k register on AVX-512, a
// vector register on AVX2. The nil mask selects all.
type mask struct{ k, y Op }

// loadMasked loads the selected elements and zeros the others.
func (t target) loadMasked(m Op, by *mask, v Op) {
	switch {
	case by == nil:
		t.load(m, v)
	case t.wide() && t.f32():
		VMOVUPS_Z(m, by.k, v)
	case t.wide():
		VMOVUPD_Z(m, by.k, v)
	case t.f32():
		VMASKMOVPS(m, by.y, v)
	default:
		VMASKMOVPD(m, by.y, v)
	}
}

// storeMasked stores the selected elements.
func (t target) storeMasked(v Op, by *mask, m Op) {
	switch {
	case by == nil:
		t.store(v, m)
	case t.wide():
		pick(t, VMOVUPS, VMOVUPD, v, by.k, m)
	case t.f32():
		VMASKMOVPS(v, by.y, m)
	default:
		VMASKMOVPD(v, by.y, m)
	}
}

// setMask makes the mask of the first rem elements; 0 ≤ rem ≤ lanes. It
// overwrites CX and tmp. On AVX2 it reads the table tailMask.
func (t target) setMask(by *mask, rem, tmp reg.GPPhysical, table Mem) {
	if t.wide() {
		MOVQ(rem, reg.RCX)
		MOVL(U32(1), tmp.As32())
		SHLL(reg.CL, tmp.As32())
		DECL(tmp.As32())
		if t.f32() {
			KMOVW(tmp.As32(), by.k)
		} else {
			KMOVB(tmp.As32(), by.k)
		}
		return
	}
	// The table is lanes ones, then lanes zeros; start rem before the middle.
	LEAQ(table, tmp)
	MOVQ(rem, reg.RCX)
	NEGQ(reg.RCX)
	pick(t, VMOVUPS, VMOVUPD, Mem{Base: tmp, Index: reg.RCX, Scale: uint8(t.size()), Disp: t.width()}, by.y)
}

// tailMask emits the table that setMask reads on AVX2.
func tailMask(name string) Mem {
	m := GLOBL(name, 8|16) // RODATA|NOPTR
	for i := range 4 {
		DATA(8*i, U64(0xffffffffffffffff))
	}
	for i := range 4 {
		DATA(32+8*i, U64(0))
	}
	return m
}

// align makes the next instruction start at a multiple of n bytes.
func align(n uint64) {
	Instruction(&ir.Instruction{Opcode: "PCALIGN", Operands: []Op{Imm(n)}})
}

// addr returns the memory of an argument.
func (t target) addr(name string) Mem {
	c, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return c.Addr
}
