package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() {
	families["secular"] = func(isa string) {
		for _, elem := range elems {
			t := target{isa, elem}
			var table Mem
			if !t.wide() {
				table = tailMask(t.name("secularMask"))
			}
			t.secular(table)
			t.each(eachSpec{op: "loewner", signature: "func(d []T, org, tau, s T, w []T)", scalars: []string{"org", "tau", "s"}, vecs: []string{"d", "w"}, body: func(e *each) {
				d, w, delta := e.get("d"), e.get("w"), e.tmp()
				t.sub(d, e.k("org"), delta)
				t.sub(delta, e.k("tau"), delta)
				t.sub(d, e.k("s"), d)
				t.div(delta, d, delta)
				e.put(e.times(w, delta), "w")
			}})
			t.each(eachSpec{op: "cauchy", signature: "func(d, z []T, org, tau T, dst []T)", scalars: []string{"org", "tau"}, vecs: []string{"d", "z", "dst"}, body: func(e *each) {
				d, z := e.get("d"), e.get("z")
				t.sub(d, e.k("org"), d)
				t.sub(d, e.k("tau"), d)
				t.div(z, d, d)
				e.put(d, "dst")
			}})
		}
	}
}

// secular emits the two sums of the secular function: half the lanes of other
// reductions, so that both sets of accumulators fit into the registers of AVX2;
// division takes longer than the additions in any case.
func (t target) secular(table Mem) {
	k := t.enter("secular", "func(d, z []T, org, tau T) (f, df T)")
	n := k.length("d")
	t.setLast(n, table)
	d, z, i := k.base("d"), k.base("z"), index()
	org, tau := k.scalar("org"), k.scalar("tau")
	vectors := laneBytes / 2 / t.width()
	f, df := t.zeros(vectors), t.zeros(vectors)
	t.reduceOver(vectors, n, func(bytes int) { ADDQ(U32(uint32(bytes)), i) }, func(j int, by *mask) {
		at := func(p reg.GPVirtual) Mem { return Mem{Base: p, Index: i, Scale: 1, Disp: j * t.width()} }
		v, q := t.vec(), t.vec()
		t.loadMasked(at(d), by, q)
		t.loadMasked(at(z), by, v)
		t.sub(q, org, q)
		t.sub(q, tau, q)
		t.div(v, q, q)
		t.accumulateLoaded(q, v, f[j], by)
		t.accumulateLoaded(q, q, df[j], by)
	})
	t.storeOne(t.fold(f), address(ReturnIndex(0)))
	t.storeOne(t.fold(df), address(ReturnIndex(1)))
	leave()
}
