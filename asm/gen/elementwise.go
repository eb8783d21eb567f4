package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// An each is an element-wise kernel that is being emitted: constants, the
// current position in every vector, and the span that body works on.
type each struct {
	kernel
	span
	pos    map[string]Mem
	consts map[string]reg.VecVirtual
	hoist  map[int]reg.VecVirtual // scalars of a fused update, by index
}

// eachSpec describes an element-wise kernel: vecs are its slices, the first of
// which gives the length; body loads what it needs from them, before it stores.
type eachSpec struct {
	op, signature string
	scalars, vecs []string
	unroll        int         // 0: 4
	setup         func(*each) // makes further constants
	body          func(*each)
}

func (e *each) get(vec string) reg.VecVirtual    { return e.span.in(e.pos[vec]) }
func (e *each) put(v reg.VecVirtual, vec string) { e.span.out(v, e.pos[vec]) }
func (e *each) k(name string) Op                 { return e.as(e.consts[name]) }

// times returns T(a·b) in a fresh register.
func (e *each) times(a, b Op) reg.VecVirtual {
	v := e.tmp()
	e.kernel.mul(a, b, v)
	return v
}

func (t target) each(d eachSpec) {
	e := &each{kernel: t.enter(d.op, d.signature), pos: map[string]Mem{}, consts: map[string]reg.VecVirtual{}, hoist: map[int]reg.VecVirtual{}}
	n := e.length(d.vecs[0])
	i := index()
	for _, v := range d.vecs {
		e.pos[v] = Mem{Base: e.base(v), Index: i, Scale: 1}
	}
	for _, s := range d.scalars {
		e.consts[s] = e.scalar(s)
	}
	if d.setup != nil {
		d.setup(e)
	}
	unroll := 4
	if d.unroll > 0 {
		unroll = d.unroll
	}
	t.sweep(n, unroll, func(bytes int) { ADDQ(U32(uint32(bytes)), i) }, func(spans []span) {
		for _, s := range spans {
			e.span = s
			d.body(e)
		}
	})
	leave()
}

// elementwise emits the element-wise kernels of level 1.
func (t target) elementwise() {
	for _, d := range []eachSpec{
		{op: "axpy", signature: "func(alpha T, x, y []T)", scalars: []string{"alpha"}, vecs: []string{"x", "y"}, body: func(e *each) {
			x, y := e.get("x"), e.get("y")
			t.fma231(e.k("alpha"), x, y)
			e.put(y, "y")
		}},
		{op: "axpby", signature: "func(alpha T, x []T, beta T, y []T)", scalars: []string{"alpha", "beta"}, vecs: []string{"x", "y"}, body: func(e *each) {
			x, y := e.get("x"), e.get("y")
			y = e.times(e.k("beta"), y)
			t.fma231(e.k("alpha"), x, y)
			e.put(y, "y")
		}},
		{op: "scal", signature: "func(alpha T, x []T)", scalars: []string{"alpha"}, vecs: []string{"x"}, body: func(e *each) {
			e.put(e.times(e.k("alpha"), e.get("x")), "x")
		}},
		{op: "scalTo", signature: "func(alpha T, x, dst []T)", scalars: []string{"alpha"}, vecs: []string{"x", "dst"}, body: func(e *each) {
			e.put(e.times(e.k("alpha"), e.get("x")), "dst")
		}},
		{op: "swap", signature: "func(x, y []T)", vecs: []string{"x", "y"}, body: func(e *each) {
			x, y := e.get("x"), e.get("y")
			e.put(y, "x")
			e.put(x, "y")
		}},
		{op: "rot", signature: "func(c, s T, x, y []T)", scalars: []string{"c", "s"}, vecs: []string{"x", "y"}, body: func(e *each) {
			x, y := e.get("x"), e.get("y")
			sx, sy := e.times(e.k("s"), x), e.times(e.k("s"), y)
			t.fma231(e.k("c"), x, sy)
			t.fms213(sx, e.k("c"), y)
			e.put(sy, "x")
			e.put(y, "y")
		}},
		t.binary("addTo", t.add),
		t.binary("subTo", t.sub),
		t.binary("mulTo", t.mul),
		t.binary("divTo", t.div),
		{op: "mulAdd", signature: "func(x, y, z []T)", vecs: []string{"x", "y", "z"}, body: func(e *each) {
			x, y, z := e.get("x"), e.get("y"), e.get("z")
			t.fma231(x, y, z)
			e.put(z, "z")
		}},
		{op: "sqrtTo", signature: "func(x, dst []T)", vecs: []string{"x", "dst"}, body: func(e *each) {
			x := e.get("x")
			t.sqrt(x, x)
			e.put(x, "dst")
		}},
	} {
		t.each(d)
	}
}

// binary describes dst = f(x, y).
func (t target) binary(name string, f func(a, b, dst Op)) eachSpec {
	return eachSpec{op: name, signature: "func(x, y, dst []T)", vecs: []string{"x", "y", "dst"}, body: func(e *each) {
		x, y := e.get("x"), e.get("y")
		f(x, y, x)
		e.put(x, "dst")
	}}
}
