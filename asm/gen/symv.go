package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() {
	families["symv"] = func(isa string) {
		for _, elem := range elems {
			t := target{isa, elem}
			var table Mem
			if !t.wide() {
				table = tailMask(t.name("symvMask"))
			}
			t.gemvNT(table)
		}
	}
}

// gemvNT emits d_i = Dot(a_i, x) and y_j = fma(t_i, a_ij, y_j) for i up: four rows at
// once on AVX-512, so that y passes by once for them, one on AVX2.
func (t target) gemvNT(table Mem) {
	k := t.enter("gemvNT", "func(m, n int, f []T, a []T, lda int, x, y, d []T)")
	t.setLast(address(Param("n")), table)
	sizes := []int{1}
	if t.wide() {
		sizes = []int{4, 1}
		MOVL(U32(0x1111), reg.EAX)
		if !t.f32() {
			MOVL(U32(0x55), reg.EAX)
		}
		KMOVW(reg.EAX, reg.K2)
	}
	m, a, f, d, mat := k.load64(Param("m")), k.base("a"), k.base("f"), k.base("d"), k.matrix()
	mat.blocks(m, a, sizes, func(rows int) {
		r := mat.from(a, rows)
		x, y, n := k.base("x"), k.base("y"), k.load64(Param("n"))
		factor := make([]reg.VecVirtual, rows)
		acc := make([][]reg.VecVirtual, rows)
		for i := range acc {
			factor[i] = t.vec()
			t.broadcast(Mem{Base: f, Disp: i * t.size()}, factor[i])
			acc[i] = t.accumulators()
		}
		ADDQ(I8(rows*t.size()), f)
		advance := func(bytes int) {
			r.advance(bytes)
			ADDQ(U32(uint32(bytes)), x)
			ADDQ(U32(uint32(bytes)), y)
		}
		t.reduce(n, advance, func(j int, by *mask) {
			disp := j * t.width()
			v, w := t.vec(), t.vec()
			t.loadMasked(Mem{Base: x, Disp: disp}, by, v)
			if by == nil {
				t.load(Mem{Base: y, Disp: disp}, w)
			}
			for i := range rows {
				ai := t.vec()
				t.loadMasked(plus(r.at(i), disp), by, ai)
				t.accumulateLoaded(v, ai, acc[i][j], by)
				if by == nil {
					t.fma231(factor[i], ai, w)
				}
			}
			if by == nil {
				t.store(w, Mem{Base: y, Disp: disp})
			}
		})
		// What is left of y: reduce has passed whole sets of lanes, and whole vectors
		// of the last set without moving on.
		n = k.load64(Param("n"))
		left := GP64()
		MOVQ(n, left)
		ANDQ(I8(-t.lanes()), left)
		rest := GP64()
		MOVQ(left, rest)
		ANDQ(I8(-laneBytes/t.size()), rest)
		SUBQ(rest, left)
		IMUL3Q(I8(t.size()), left, left)
		for _, p := range r.p {
			ADDQ(left, p)
		}
		ADDQ(left, y)
		t.rest(n, func(bytes int) {
			r.advance(bytes)
			ADDQ(U32(uint32(bytes)), y)
		}, func(spans []span) {
			s := spans[0]
			w := s.in(Mem{Base: y})
			for i := range rows {
				t.fma231(s.as(factor[i]), s.in(r.at(i)), w)
			}
			s.out(w, Mem{Base: y})
		})
		s := span{target: t, first: rows}
		switch {
		case rows == 1:
			s.out(t.fold(acc[0]), Mem{Base: d})
		case t.f32():
			s.out(t.foldFour(acc).AsX(), Mem{Base: d})
		default:
			t.store(t.foldFour(acc).AsY(), Mem{Base: d})
		}
		ADDQ(I8(rows*t.size()), d)
	})
	leave()
}
