package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() {
	families["level1"] = func(isa string) {
		for _, elem := range elems {
			t := target{isa, elem}
			var table Mem
			if !t.wide() {
				table = tailMask(t.name("level1Mask"))
			}
			t.reductions(table)
			t.maxima(table)
			t.elementwise()
		}
	}
}

// reductions emits the kernels that accumulate in lanes.
func (t target) reductions(table Mem) {
	t.reduction("dot", "func(x, y []T) T", table, []string{"x", "y"}, func(_ kernel, m []Mem, acc reg.VecVirtual, by *mask) {
		t.accumulate(m[0], m[1], acc, by)
	})
	t.reduction("sumSq", "func(x []T) T", table, []string{"x"}, func(_ kernel, m []Mem, acc reg.VecVirtual, by *mask) {
		v := t.vec()
		t.loadMasked(m[0], by, v)
		t.merge(acc, by, func(dst Op, k ...Op) { pick(t, VFMADD231PS, VFMADD231PD, append([]Op{v, v}, append(k, dst)...)...) })
	})
	t.reduction("sum", "func(x []T) T", table, []string{"x"}, func(_ kernel, m []Mem, acc reg.VecVirtual, by *mask) {
		v := t.vec()
		t.loadMasked(m[0], by, v)
		t.merge(acc, by, func(dst Op, k ...Op) { pick(t, VADDPS, VADDPD, append([]Op{v, acc}, append(k, dst)...)...) })
	})
	var sign reg.VecVirtual
	t.reduction("absSum", "func(x []T) T", table, []string{"x"}, func(_ kernel, m []Mem, acc reg.VecVirtual, by *mask) {
		v := t.vec()
		t.loadMasked(m[0], by, v)
		t.and(v, sign, v)
		t.merge(acc, by, func(dst Op, k ...Op) { pick(t, VADDPS, VADDPD, append([]Op{v, acc}, append(k, dst)...)...) })
	}, func() {
		v := t.vec()
		t.fill(t.absBits(), v)
		sign = v
	})
}

// merge emits an operation on an accumulator such that elements which by does
// not select stay as they are: with a merging mask on AVX-512, by way of a copy
// on AVX2. op takes the destination, which it may also read, and the mask.
func (t target) merge(acc reg.VecVirtual, by *mask, op func(dst Op, k ...Op)) {
	switch {
	case by == nil:
		op(acc)
	case t.wide():
		op(acc, by.k)
	default:
		tmp := t.vec()
		t.move(acc, tmp)
		op(tmp)
		if t.f32() {
			VBLENDVPS(by.y, tmp, acc, acc)
		} else {
			VBLENDVPD(by.y, tmp, acc, acc)
		}
	}
}

// accumulate does acc = fma(a, b, acc) on the elements at a and b.
func (t target) accumulate(a, b Mem, acc reg.VecVirtual, by *mask) {
	v := t.vec()
	t.loadMasked(a, by, v)
	var w Op = b
	if by != nil && !t.wide() {
		r := t.vec()
		t.loadMasked(b, by, r)
		w = r
	}
	t.accumulateLoaded(w, v, acc, by)
}

// accumulateLoaded does acc = fma(a, b, acc); a may be in memory if the mask
// allows, so always but for a masked vector on AVX2.
func (t target) accumulateLoaded(a, b Op, acc reg.VecVirtual, by *mask) {
	t.merge(acc, by, func(dst Op, k ...Op) {
		pick(t, VFMADD231PS, VFMADD231PD, append([]Op{a, b}, append(k, dst)...)...)
	})
}

// reduction emits one reduction over vecs.
func (t target) reduction(op, signature string, table Mem, vecs []string, step func(k kernel, m []Mem, acc reg.VecVirtual, by *mask), setup ...func()) {
	k := t.enter(op, signature)
	n := k.length(vecs[0])
	t.setLast(n, table)
	base := make([]reg.GPVirtual, len(vecs))
	for i, v := range vecs {
		base[i] = k.base(v)
	}
	for _, f := range setup {
		f()
	}
	i := index()
	acc := t.accumulators()
	t.reduce(n, func(bytes int) { ADDQ(U32(uint32(bytes)), i) }, func(j int, by *mask) {
		m := make([]Mem, len(base))
		for v, b := range base {
			m[v] = Mem{Base: b, Index: i, Scale: 1, Disp: j * t.width()}
		}
		step(k, m, acc[j], by)
	})
	t.storeOne(t.fold(acc), address(ReturnIndex(0)))
	leave()
}

// maxima emits what looks for the largest element. The order of comparisons does
// not matter, so four accumulators do.
func (t target) maxima(table Mem) {
	// |x| as an integer: NaN is above Inf, so NaN wins and stays.
	t.maximum("maxAbs", table, func(v, acc Op) {
		switch {
		case t.f32():
			VPMAXUD(v, acc, acc)
		case t.wide():
			VPMAXUQ(v, acc, acc)
		default:
			greater := t.vec()
			VPCMPGTQ(acc, v, greater)
			VBLENDVPD(greater, v, acc, acc)
		}
	})
	// As a number, and acc where v is NaN: a part of iMaxAbs.
	t.maximum("maxNum", table, func(v, acc Op) { t.max(v, acc, acc) })
	t.indexAbs(table)
}

// maximum emits a reduction of |x| that starts at 0; op accumulates v in acc and
// is associative and commutative.
func (t target) maximum(name string, table Mem, op func(v, acc Op)) {
	k := t.enter(name, "func(x []T) T")
	n, x, i := k.length("x"), k.base("x"), index()
	t.setLast(n, table)
	sign := t.vec()
	t.fill(t.absBits(), sign)
	var acc [4]reg.VecVirtual
	for j := range acc {
		acc[j] = t.vec()
		t.zero(acc[j])
	}
	step := func(j int, by *mask) {
		v := t.vec()
		t.loadMasked(Mem{Base: x, Index: i, Scale: 1, Disp: j * t.width()}, by, v)
		t.and(v, sign, v)
		op(v, acc[j])
	}
	t.walk(n, len(acc), func(u int) {
		for j := range u {
			step(j, nil)
		}
		ADDQ(U32(uint32(u*t.width())), i)
	}, func() { step(0, t.lastMask()) })
	op(acc[2], acc[0])
	op(acc[3], acc[1])
	op(acc[1], acc[0])
	// Halve the vector; what is left of the upper part is not looked at.
	half := func(extract func(o reg.VecVirtual)) {
		o := t.vec()
		t.zero(o)
		extract(o)
		op(o, acc[0])
	}
	a := acc[0]
	if t.wide() {
		half(func(o reg.VecVirtual) { VEXTRACTF64X4(U8(1), a, o.AsY()) })
		half(func(o reg.VecVirtual) { VEXTRACTF64X2(U8(1), a.AsY(), o.AsX()) })
	} else {
		half(func(o reg.VecVirtual) { VEXTRACTF128(U8(1), a, o.AsX()) })
	}
	half(func(o reg.VecVirtual) { VPERMILPD(U8(1), a.AsX(), o.AsX()) })
	if t.f32() {
		half(func(o reg.VecVirtual) { VMOVSHDUP(a.AsX(), o.AsX()) })
	}
	t.storeOne(a.AsX(), address(ReturnIndex(0)))
	leave()
}

// walk covers n elements: body(u) for u vectors, unroll or 1, and rest, with
// lastMask set, for what remains. n is destroyed.
func (t target) walk(n reg.GPVirtual, unroll int, body func(u int), rest func()) {
	done := newLabel("done")
	for _, u := range []int{unroll, 1} {
		loop, end := newLabel("vectors"), newLabel("after")
		SUBQ(Imm(uint64(u*t.lanes())), n)
		JB(LabelRef(end))
		Label(loop)
		body(u)
		SUBQ(Imm(uint64(u*t.lanes())), n)
		JAE(LabelRef(loop))
		Label(end)
		ADDQ(Imm(uint64(u*t.lanes())), n)
	}
	JZ(LabelRef(done))
	rest()
	Label(done)
}

// indexAbs emits indexAbs(x, v): the first index with |x| = v, len(x) if none.
func (t target) indexAbs(table Mem) {
	k := t.enter("indexAbs", "func(x []T, v T) int")
	n, x, i := k.length("x"), k.base("x"), index()
	t.setLast(n, table)
	sign, want := t.vec(), k.scalar("v")
	t.fill(t.absBits(), sign)
	found := newLabel("found")
	hit := GP64()
	step := func(by *mask) {
		v := t.vec()
		t.loadMasked(Mem{Base: x, Index: i, Scale: uint8(t.size())}, by, v)
		t.and(v, sign, v)
		if t.wide() {
			c := []Op{U8(0), want, v, reg.K2} // EQ_OQ
			if by != nil {
				c = []Op{U8(0), want, v, by.k, reg.K2}
			}
			pick(t, VCMPPS, VCMPPD, c...)
			KMOVW(reg.K2, hit.As32())
		} else {
			pick(t, VCMPPS, VCMPPD, U8(0), want, v, v)
			if by != nil {
				VANDPS(by.y, v, v)
			}
			if t.f32() {
				VMOVMSKPS(v, hit.As32())
			} else {
				VMOVMSKPD(v, hit.As32())
			}
		}
		TESTL(hit.As32(), hit.As32())
		JNZ(LabelRef(found))
	}
	loop, end, none := newLabel("loop"), newLabel("after"), newLabel("none")
	SUBQ(I8(t.lanes()), n)
	JB(LabelRef(end))
	Label(loop)
	step(nil)
	ADDQ(I8(t.lanes()), i)
	SUBQ(I8(t.lanes()), n)
	JAE(LabelRef(loop))
	Label(end)
	ADDQ(I8(t.lanes()), n)
	JZ(LabelRef(none))
	step(t.lastMask())
	Label(none)
	ADDQ(n, i)
	Store(i, ReturnIndex(0))
	leave()
	Label(found)
	BSFL(hit.As32(), hit.As32())
	ADDQ(hit, i)
	Store(i, ReturnIndex(0))
	leave()
}
