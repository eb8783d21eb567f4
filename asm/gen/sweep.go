package main

import (
	"fmt"
	"strings"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/gotypes"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// This file has the two walks along a vector that levels 1 and 2 are made of:
// sweep for what happens element by element and reduce for what is accumulated
// in lanes.

// A label is a jump target; newLabel makes each use of a walk have its own.
var labels int

func newLabel(name string) string {
	labels++
	return fmt.Sprintf("%s%d", name, labels)
}

// A span is what one step of a sweep covers: a vector of the target, or the
// first few elements of a narrower register. There are no masked spans: where a
// masked store is followed by a load from the bytes that it left out, as with
// the rows of a matrix, the load waits until the store is in the cache.
type span struct {
	target
	disp  int // bytes from the current position
	first int // number of elements, a power of two; 0: a vector
}

// wide256 says that the span is one of a ymm register in AVX-512.
func (s span) wide256() bool { return s.first*s.size() == 32 }

// tmp returns a fresh register of the width of the span, as returns v in it.
func (s span) tmp() reg.VecVirtual {
	switch {
	case s.first == 0:
		return s.vec()
	case s.wide256():
		return YMM()
	}
	return XMM()
}

func (s span) as(v reg.VecVirtual) Op {
	switch {
	case s.first == 0:
		return v
	case s.wide256():
		return v.AsY()
	}
	return v.AsX()
}

// in loads the span of the vector whose current position is m.
func (s span) in(m Mem) reg.VecVirtual {
	v := s.tmp()
	if s.first > 0 {
		s.loadFirst(s.first, plus(m, s.disp), v)
	} else {
		s.load(plus(m, s.disp), v)
	}
	return v
}

func (s span) out(v Op, m Mem) {
	if s.first > 0 {
		s.storeFirst(s.first, v, plus(m, s.disp))
	} else {
		s.store(v, plus(m, s.disp))
	}
}

// lastMask is the mask of a vector that the end of the data cuts.
func (t target) lastMask() *mask { return &mask{k: reg.K1, y: reg.Y15} }

// setLast puts the first n mod lanes elements into lastMask. It overwrites AX,
// CX and DX.
func (t target) setLast(n Op, table Mem) {
	MOVQ(n, reg.RAX)
	ANDQ(I8(t.lanes()-1), reg.RAX)
	t.setMask(t.lastMask(), reg.RAX, reg.RDX, table)
}

// sweep covers n elements with spans: unroll vectors at once, then single ones,
// then powers of two. body emits the work on its spans, advance moves the current
// position on by some bytes. n is destroyed.
func (t target) sweep(n reg.GPVirtual, unroll int, advance func(bytes int), body func(s []span)) {
	for _, u := range []int{unroll, 1} {
		loop, end := newLabel("vectors"), newLabel("after")
		SUBQ(Imm(uint64(u*t.lanes())), n)
		JB(LabelRef(end))
		Label(loop)
		s := make([]span, u)
		for i := range s {
			s[i] = span{target: t, disp: i * t.width()}
		}
		body(s)
		advance(u * t.width())
		SUBQ(Imm(uint64(u*t.lanes())), n)
		JAE(LabelRef(loop))
		Label(end)
		ADDQ(Imm(uint64(u*t.lanes())), n)
	}
	t.rest(n, advance, body)
}

// rest is the last part of sweep: n mod lanes elements in powers of two.
func (t target) rest(n reg.GPVirtual, advance func(bytes int), body func(s []span)) {
	done := newLabel("done")
	TESTQ(U32(uint32(t.lanes()-1)), n)
	JZ(LabelRef(done))
	for k := t.lanes() / 2; k > 0; k /= 2 {
		next := newLabel("rest")
		TESTQ(U32(uint32(k)), n)
		JZ(LabelRef(next))
		body([]span{{target: t, first: k}})
		if k > 1 {
			advance(k * t.size())
		}
		Label(next)
	}
	Label(done)
}

// laneBytes is the size of all virtual lanes of a reduction.
const laneBytes = 256

// accumulators returns fresh registers for all virtual lanes, zeroed.
func (t target) accumulators() []reg.VecVirtual { return t.zeros(laneBytes / t.width()) }

// zeros returns n fresh registers, zeroed.
func (t target) zeros(n int) []reg.VecVirtual {
	acc := make([]reg.VecVirtual, n)
	for i := range acc {
		acc[i] = t.vec()
		t.zero(acc[i])
	}
	return acc
}

// reduce covers n elements for a reduction: step(j, by) accumulates the vector
// at j·width bytes from the current position in the lanes of accumulator j, and
// where by is not nil only its selected elements. n is destroyed. lastMask must
// have been set for n.
func (t target) reduce(n reg.GPVirtual, advance func(bytes int), step func(j int, by *mask)) {
	t.reduceOver(laneBytes/t.width(), n, advance, step)
}

// reduceOver is reduce with as many lanes as so many vectors have.
func (t target) reduceOver(vectors int, n reg.GPVirtual, advance func(bytes int), step func(j int, by *mask)) {
	l := t.lanes()
	loop, tail, done := newLabel("lanes"), newLabel("tail"), newLabel("done")
	SUBQ(I8(vectors*l), n)
	JB(LabelRef(tail))
	Label(loop)
	for j := range vectors {
		step(j, nil)
	}
	advance(vectors * t.width())
	SUBQ(I8(vectors*l), n)
	JAE(LabelRef(loop))
	Label(tail)
	ADDQ(I8(vectors*l), n)
	JZ(LabelRef(done))
	parts := make([]string, vectors)
	for j := range parts {
		parts[j] = newLabel("part")
		if j < vectors-1 {
			CMPQ(n, I8((j+1)*l))
			JB(LabelRef(parts[j]))
			step(j, nil)
		}
	}
	for j := vectors - 1; j >= 0; j-- {
		Label(parts[j])
		TESTQ(U32(uint32(l-1)), n)
		JZ(LabelRef(done))
		step(j, t.lastMask())
		if j > 0 {
			JMP(LabelRef(done))
		}
	}
	Label(done)
}

// foldVectors adds up the accumulators of a reduction as far as they are whole
// vectors: acc[0] takes all.
func (t target) foldVectors(acc []reg.VecVirtual) {
	for h := len(acc) / 2; h > 0; h /= 2 {
		for j := range h {
			t.add(acc[j], acc[j+h], acc[j])
		}
	}
}

// fold adds up the accumulators of a reduction; the result is the first element
// of the register that is returned.
func (t target) fold(acc []reg.VecVirtual) Op {
	t.foldVectors(acc)
	v := acc[0]
	if t.wide() {
		hi := YMM()
		VEXTRACTF64X4(U8(1), v, hi)
		t.add(v.AsY(), hi, v.AsY())
		VEXTRACTF64X2(U8(1), v.AsY(), hi.AsX())
		t.add(v.AsX(), hi.AsX(), v.AsX())
	} else {
		hi := XMM()
		VEXTRACTF128(U8(1), v, hi)
		t.add(v.AsX(), hi, v.AsX())
	}
	x, hi := v.AsX(), XMM()
	VPERMILPD(U8(1), x, hi)
	t.add(x, hi, x)
	if t.f32() {
		VMOVSHDUP(x, hi)
		t.add(x, hi, x)
	}
	return x
}

// storeOne stores the first element of x.
func (t target) storeOne(x Op, m Mem) { t.storeFirst(1, x, m) }

// leave ends a function.
func leave() {
	VZEROUPPER()
	RET()
}

// A kernel is a function of package asm that is being emitted.
type kernel struct{ target }

// enter begins the function op; T in its signature stands for the element type.
func (t target) enter(op, signature string) kernel {
	sig := strings.NewReplacer("]T", "]"+t.elem, " T", " "+t.elem).Replace(signature)
	TEXT(t.name(op), NOSPLIT, sig)
	return kernel{t}
}

// base and length load a slice's pointer and length.
func (k kernel) base(slice string) reg.GPVirtual {
	return Load(Param(slice).Base(), GP64()).(reg.GPVirtual)
}

func (k kernel) length(slice string) reg.GPVirtual {
	return Load(Param(slice).Len(), GP64()).(reg.GPVirtual)
}

func (k kernel) load64(c gotypes.Component) reg.GPVirtual {
	return Load(c, GP64()).(reg.GPVirtual)
}

// scalar broadcasts a parameter.
func (k kernel) scalar(name string) reg.VecVirtual {
	v := k.vec()
	k.broadcast(address(Param(name)), v)
	return v
}

// index returns a register that is zero.
func index() reg.GPVirtual {
	i := GP64()
	XORL(i.As32(), i.As32())
	return i
}
