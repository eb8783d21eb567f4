package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() {
	families["pack"] = func(isa string) {
		for _, elem := range elems {
			t := target{isa, elem}
			t.pack()
			t.transpose()
		}
	}
}

// pack emits a band of Kernels.Pack: k rows of panels of at most two vectors whose
// distance is ps. A row of a panel is two loads and two stores; the last panel's loads are
// masked to the columns that exist, its stores to the width of a panel, which
// writes the zeros. The same columns of the next band are fetched, as k rows on.
func (t target) pack() {
	var table Mem
	if !t.wide() {
		table = tailMask(t.name("packMask"))
	}
	TEXT(t.name("pack"), NOSPLIT, fmt.Sprintf("func(k, n, w int, src *%[1]s, ld int, dst *%[1]s, ps int)", t.elem))
	Doc(t.name("pack") + " is a band of Kernels.Pack for w of at most two vectors.")
	Pragma("noescape")
	n, w, src, ld, dst, row, k, rem, tmp := reg.RBX, reg.RDX, reg.RSI, reg.RAX, reg.RDI, reg.R8, reg.R9, reg.R10, reg.R11
	out, ahead := reg.R14, reg.R15
	Load(Param("n"), n)
	Load(Param("w"), w)
	Load(Param("src"), src)
	Load(Param("ld"), ld)
	Load(Param("dst"), dst)
	shift := U8(map[int]uint8{4: 2, 8: 3}[t.size()])
	SHLQ(shift, ld)
	Load(Param("k"), ahead)
	IMULQ(ld, ahead)
	lanes := uint64(t.lanes())
	in := []*mask{{k: reg.K1, y: reg.Y12}, {k: reg.K2, y: reg.Y13}}
	whole := []*mask{{k: reg.K3, y: reg.Y14}, {k: reg.K4, y: reg.Y15}}

	// set sets masks to the first x columns, of which vector v has
	// min(max(x − v·lanes, 0), lanes).
	set := func(x reg.GPPhysical, masks []*mask) {
		for v := range 2 {
			MOVQ(x, rem)
			if v > 0 {
				SUBQ(Imm(lanes*uint64(v)), rem)
			}
			XORL(tmp.As32(), tmp.As32())
			CMPQ(rem, tmp)
			CMOVQLT(tmp, rem)
			MOVQ(U32(lanes), tmp)
			CMPQ(rem, tmp)
			CMOVQGT(tmp, rem)
			t.setMask(masks[v], rem, tmp, table)
		}
	}
	set(w, whole)
	set(w, in)
	// The distance of rows of a panel, and of panels of the source, in bytes.
	stride := reg.R12
	MOVQ(w, stride)
	SHLQ(shift, stride)
	SHLQ(shift, t.addr("ps"))

	Label("panel")
	CMPQ(n, w)
	JGE(LabelRef("full"))
	TESTQ(n, n)
	JLE(LabelRef("end"))
	set(n, in)
	Label("full")
	MOVQ(src, row)
	MOVQ(dst, out)
	Load(Param("k"), k)
	CMPQ(w, Imm(lanes))
	JLE(LabelRef("one"))
	for _, vecs := range []int{2, 1} {
		id := map[int]string{2: "two", 1: "one"}[vecs]
		Label(id)
		step := func(u int) {
			for v := range vecs {
				t.loadMasked(Mem{Base: row, Disp: v * t.width()}, in[v], t.v(2*u+v))
			}
			PREFETCHT0(Mem{Base: row, Index: ahead, Scale: 1})
			if vecs*t.width() > 64 {
				PREFETCHT0(Mem{Base: row, Index: ahead, Scale: 1, Disp: 64})
			}
			ADDQ(ld, row)
			for v := range vecs {
				t.storeMasked(t.v(2*u+v), whole[v], Mem{Base: out, Disp: v * t.width()})
			}
			ADDQ(stride, out)
		}
		SUBQ(Imm(4), k)
		JLT(LabelRef(id + "rest"))
		Label(id + "four")
		for u := range 4 {
			step(u)
		}
		SUBQ(Imm(4), k)
		JGE(LabelRef(id + "four"))
		Label(id + "rest")
		ADDQ(Imm(4), k)
		JLE(LabelRef("next"))
		Label(id + "single")
		step(0)
		DECQ(k)
		JNE(LabelRef(id + "single"))
		JMP(LabelRef("next"))
	}
	Label("next")
	ADDQ(stride, src)
	ADDQ(t.addr("ps"), dst)
	SUBQ(w, n)
	JMP(LabelRef("panel"))
	Label("end")
	VZEROUPPER()
	RET()
}

// transpose emits Kernels.TransTo. It works on square blocks of one vector's
// length in registers: pairs of rows are interleaved within 128-bit quarters until
// a quarter holds a piece of one column, and the quarters are then exchanged
// between registers. The same columns of the m rows after src, which a product
// packs next, are fetched.
func (t target) transpose() {
	var table Mem
	if !t.wide() {
		table = tailMask(t.name("transToMask"))
	}
	TEXT(t.name("transTo"), NOSPLIT, fmt.Sprintf("func(m, n int, src *%[1]s, ld int, dst *%[1]s, ldd int)", t.elem))
	Doc(t.name("transTo") + " is Kernels.TransTo; see the generic twin transTo.")
	Pragma("noescape")
	m, n, src, ld, dst, ldd := reg.R8, reg.R9, reg.RSI, reg.RAX, reg.RDI, reg.RBX
	in, out, left, tmp := reg.R10, reg.R11, reg.R12, reg.R13
	rem, ptr, ahead := reg.R15, reg.RDX, reg.R14
	Load(Param("m"), m)
	Load(Param("src"), src)
	Load(Param("ld"), ld)
	Load(Param("dst"), dst)
	Load(Param("ldd"), ldd)
	shift := U8(map[int]uint8{4: 2, 8: 3}[t.size()])
	SHLQ(shift, ld)
	SHLQ(shift, ldd)
	MOVQ(m, ahead)
	IMULQ(ld, ahead)
	size := t.lanes() // order of a block
	cols, rows := &mask{k: reg.K1, y: reg.Y15}, &mask{k: reg.K2, y: reg.Y15}

	Label("rows")
	TESTQ(m, m)
	JLE(LabelRef("end"))
	MOVQ(src, in)
	MOVQ(dst, out)
	Load(Param("n"), n)
	Label("cols")
	TESTQ(n, n)
	JLE(LabelRef("nextRows"))
	CMPQ(m, Imm(uint64(size)))
	JLT(LabelRef("edge"))
	CMPQ(n, Imm(uint64(size)))
	JLT(LabelRef("edge"))

	// A whole block.
	MOVQ(in, ptr)
	for i := range size {
		t.load(Mem{Base: ptr}, t.v(i))
		PREFETCHT0(Mem{Base: ptr, Index: ahead, Scale: 1})
		if i < size-1 {
			ADDQ(ld, ptr)
		}
	}
	MOVQ(out, ptr)
	t.transposeBlock(func(j int, v reg.VecPhysical) {
		t.store(v, Mem{Base: ptr})
		if j < size-1 {
			ADDQ(ldd, ptr)
		}
	})
	Label("nextCols")
	ADDQ(Imm(uint64(t.width())), in)
	MOVQ(ldd, tmp)
	SHLQ(U8(map[int]uint8{4: 2, 8: 3, 16: 4}[size]), tmp)
	ADDQ(tmp, out)
	SUBQ(Imm(uint64(size)), n)
	JMP(LabelRef("cols"))

	// A block with fewer rows or columns: what is missing is not touched.
	Label("edge")
	clamp := func(x reg.GPPhysical) {
		MOVQ(U32(size), rem)
		CMPQ(x, rem)
		CMOVQLT(x, rem)
	}
	clamp(n)
	t.setMask(cols, rem, tmp, table)
	MOVQ(m, left)
	MOVQ(in, ptr)
	for i := range size {
		// Rows that are missing keep what was in the registers; what becomes of
		// it is not stored.
		if i > 0 {
			CMPQ(left, Imm(uint64(i)))
			JLE(LabelRef("loaded"))
			ADDQ(ld, ptr)
		}
		t.loadMasked(Mem{Base: ptr}, cols, t.v(i))
		PREFETCHT0(Mem{Base: ptr, Index: ahead, Scale: 1})
	}
	Label("loaded")
	MOVQ(out, ptr)
	first := true
	t.transposeBlock(func(j int, v reg.VecPhysical) {
		if first {
			clamp(m)
			t.setMask(rows, rem, tmp, table)
			first = false
		}
		if j > 0 {
			CMPQ(n, Imm(uint64(j)))
			JLE(LabelRef("nextCols"))
			ADDQ(ldd, ptr)
		}
		t.storeMasked(v, rows, Mem{Base: ptr})
	})
	JMP(LabelRef("nextCols"))

	Label("nextRows")
	MOVQ(ld, tmp)
	SHLQ(U8(map[int]uint8{4: 2, 8: 3, 16: 4}[size]), tmp)
	ADDQ(tmp, src)
	ADDQ(Imm(uint64(t.width())), dst)
	SUBQ(Imm(uint64(size)), m)
	JMP(LabelRef("rows"))
	Label("end")
	VZEROUPPER()
	RET()
}

// transposeBlock transposes the rows in the first registers and calls store for
// each column in turn. Vector registers from the middle on are scratch; on AVX2
// store may use Y15.
func (t target) transposeBlock(store func(j int, v reg.VecPhysical)) {
	size := t.lanes()
	quarters := t.width() / 16
	per := size / quarters // elements in 128 bits
	at, other := 0, size   // where the rows are, and the other half of the registers
	if per == 4 {
		for i := 0; i < size; i += 2 {
			VUNPCKLPS(t.v(at+i+1), t.v(at+i), t.v(other+i))
			VUNPCKHPS(t.v(at+i+1), t.v(at+i), t.v(other+i+1))
		}
		at, other = other, at
		for i := 0; i < size; i += 4 {
			VUNPCKLPD(t.v(at+i+2), t.v(at+i), t.v(other+i))
			VUNPCKHPD(t.v(at+i+2), t.v(at+i), t.v(other+i+1))
			VUNPCKLPD(t.v(at+i+3), t.v(at+i+1), t.v(other+i+2))
			VUNPCKHPD(t.v(at+i+3), t.v(at+i+1), t.v(other+i+3))
		}
		at, other = other, at
	} else {
		for i := 0; i < size; i += 2 {
			VUNPCKLPD(t.v(at+i+1), t.v(at+i), t.v(other+i))
			VUNPCKHPD(t.v(at+i+1), t.v(at+i), t.v(other+i+1))
		}
		at, other = other, at
	}
	// Quarter q of register at+per·g+c now holds column per·q+c of rows per·g ….
	if quarters == 2 {
		for q := range 2 {
			for c := range per {
				out := t.v(other + q*per + c)
				if q*per+c == size-1 {
					out = t.v(other) // keeps Y15 free for the mask
				}
				imm := U8(0x20 + 0x11*q)
				VPERM2F128(imm, t.v(at+per+c), t.v(at+c), out)
				store(q*per+c, out)
			}
		}
		return
	}
	// Every column set c is a 4×4 transpose of quarters. Registers other…other+3
	// are scratch for one set at a time; results replace their sources.
	shuf := VSHUFF64X2
	col := make([]reg.VecPhysical, size)
	for c := range per {
		u := func(g int) reg.VecPhysical { return t.v(at + per*g + c) }
		w := func(i int) reg.VecPhysical { return t.v(other + i) }
		shuf(U8(0x44), u(1), u(0), w(0))
		shuf(U8(0xee), u(1), u(0), w(1))
		shuf(U8(0x44), u(3), u(2), w(2))
		shuf(U8(0xee), u(3), u(2), w(3))
		shuf(U8(0x88), w(2), w(0), u(0))
		shuf(U8(0xdd), w(2), w(0), u(1))
		shuf(U8(0x88), w(3), w(1), u(2))
		shuf(U8(0xdd), w(3), w(1), u(3))
		for q := range 4 {
			col[per*q+c] = u(q)
		}
	}
	for j, v := range col {
		store(j, v)
	}
}
