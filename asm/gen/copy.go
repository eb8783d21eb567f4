package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() {
	families["copy"] = func(isa string) {
		for _, elem := range elems {
			target{isa, elem}.copy()
		}
	}
}

// copy emits Kernels.CopyTo: chunks of up to four vectors of columns, and for
// each of them a loop over the rows; the last vector is masked.
func (t target) copy() {
	var table Mem
	if !t.wide() {
		table = tailMask(t.name("copyToMask"))
	}
	TEXT(t.name("copyTo"), NOSPLIT, fmt.Sprintf("func(m, n int, src *%[1]s, ld int, dst *%[1]s, ldd int)", t.elem))
	Doc(t.name("copyTo") + " is Kernels.CopyTo; see the generic twin copyTo.")
	Pragma("noescape")
	n, src, ld, dst, ldd := reg.RBX, reg.RSI, reg.RAX, reg.RDI, reg.RDX
	m, in, out, rem, tmp := reg.R8, reg.R9, reg.R10, reg.R11, reg.R12
	Load(Param("n"), n)
	Load(Param("src"), src)
	Load(Param("ld"), ld)
	Load(Param("dst"), dst)
	Load(Param("ldd"), ldd)
	shift := U8(map[int]uint8{4: 2, 8: 3}[t.size()])
	SHLQ(shift, ld)
	SHLQ(shift, ldd)
	tail := &mask{k: reg.K1, y: reg.Y15}
	const most = 4

	rows := func(vecs int, last *mask, next string) {
		id := fmt.Sprintf("%d_%s", vecs, next)
		by := func(v int) *mask {
			if v == vecs-1 {
				return last
			}
			return nil
		}
		Load(Param("m"), m)
		MOVQ(src, in)
		MOVQ(dst, out)
		TESTQ(m, m)
		JLE(LabelRef("done"))
		Label("rows" + id)
		for v := range vecs {
			t.loadMasked(Mem{Base: in, Disp: v * t.width()}, by(v), t.v(v))
		}
		for v := range vecs {
			t.storeMasked(t.v(v), by(v), Mem{Base: out, Disp: v * t.width()})
		}
		ADDQ(ld, in)
		ADDQ(ldd, out)
		DECQ(m)
		JNE(LabelRef("rows" + id))
		ADDQ(U32(vecs*t.width()), src)
		ADDQ(U32(vecs*t.width()), dst)
		JMP(LabelRef(next))
	}
	full := uint32(most * t.lanes())
	Label("columns")
	SUBQ(U32(full), n)
	JL(LabelRef("few"))
	rows(most, nil, "columns")
	Label("few")
	ADDQ(U32(full), n)
	JLE(LabelRef("done"))
	for vecs := most; vecs > 1; vecs-- {
		MOVQ(n, rem)
		SUBQ(Imm(uint64((vecs-1)*t.lanes())), rem)
		JG(LabelRef(fmt.Sprintf("tail%d", vecs)))
	}
	MOVQ(n, rem)
	for vecs := 1; vecs <= most; vecs++ {
		Label(fmt.Sprintf("tail%d", vecs))
		t.setMask(tail, rem, tmp, table)
		rows(vecs, tail, "done")
	}
	Label("done")
	VZEROUPPER()
	RET()
}
