package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() {
	families["chol"] = func(isa string) {
		for _, elem := range elems {
			g := cholGen{triangleGen{target: target{isa, elem}, solve: true}, Mem{}}
			g.emit()
		}
	}
}

// cholGen emits the kernel Chol, the diagonal block of a Cholesky factorisation.
// The block is cut into strips of 8 rows (AVX-512) or 4 (AVX2) which stay in registers,
// from the diagonal to the right end, like those of triangleGen: first they
// are updated with the rows above, where one pointer serves as triangle and as
// right-hand side, then they are eliminated one by one. The rows that do not fill a
// strip are the first ones.
type cholGen struct {
	triangleGen
	consts Mem // see constants
}

// Registers. RCX and R14 are scratch between the loops.
var (
	cM   = reg.R13 // rows left
	cLD  = reg.RSI // row stride in bytes, and three of them
	cLD3 = reg.R12
	cB   = reg.RDI // diagonal element of the strip's first row
	cB4  = reg.R15 // four rows below
	cX0  = reg.R8  // first row of u at the strip's first column
	cX   = reg.RBX // row of u at the step
	cK   = reg.RAX // rows above the strip
	cInv = reg.RDX // where the strip's reciprocals go
	cI   = reg.RCX // steps left
	cT   = reg.R14
)

// vecs is the number of vectors that the block is wide.
func (g *cholGen) vecs() int {
	if g.wide() {
		return 3
	}
	return 2 // the third has no room for a mask
}

// constants emits the table that the kernel reads: 32 bytes of zeros, of ones,
// of zeros, then the number 1, then the numbers 0 to 7 as indices of elements.
func (g *cholGen) constants() {
	g.consts = GLOBL(g.name("chol")+"Const", 8|16) // RODATA|NOPTR
	for i := range 12 {
		v := uint64(0)
		if i/4 == 1 {
			v = 0xffffffffffffffff
		}
		DATA(8*i, U64(v))
	}
	one := uint64(0x3ff0000000000000)
	if g.f32() {
		one = 0x3f800000
	}
	DATA(96, U64(one))
	for i := range 8 {
		DATA(104+8*i, U64(uint64(i)))
	}
}

func (g *cholGen) emit() {
	g.constants()
	TEXT(g.name("chol"), NOSPLIT, fmt.Sprintf("func(m, k int, u *%[1]s, ldu int, inv *%[1]s) int", g.elem))
	Doc(g.name("chol") + " is the kernel Kernels.Chol; see the generic twin chol.")
	Pragma("noescape")
	shift := U8(map[int]uint8{4: 2, 8: 3}[g.size()])
	MOVQ(address(Param("m")), cM)
	MOVQ(address(Param("k")), cK)
	TESTQ(cM, cM)
	JLE(LabelRef("done"))
	MOVQ(address(Param("ldu")), cLD)
	SHLQ(shift, cLD)
	LEAQ(Mem{Base: cLD, Index: cLD, Scale: 2}, cLD3)
	MOVQ(cK, cT)
	SHLQ(shift, cT)
	MOVQ(address(Param("u")), cX0)
	ADDQ(cT, cX0)
	MOVQ(cLD, cB)
	IMULQ(cK, cB)
	ADDQ(cX0, cB)
	MOVQ(address(Param("inv")), cInv)
	if g.wide() {
		KXNORW(reg.K7, reg.K7, reg.K7)
	}
	for h := 1; h < g.height(); h *= 2 {
		TESTQ(U32(h), address(Param("m")))
		JEQ(LabelRef(fmt.Sprintf("next%d", h)))
		g.dispatch(h)
		Label(fmt.Sprintf("next%d", h))
	}
	h := g.height()
	Label(fmt.Sprintf("next%d", h))
	TESTQ(cM, cM)
	JLE(LabelRef("done"))
	g.dispatch(h)
	Label("done")
	SUBQ(address(Param("k")), cK)
	ret, err := ReturnIndex(0).Resolve()
	if err != nil {
		panic(err)
	}
	MOVQ(cK, ret.Addr)
	VZEROUPPER()
	RET()
}

// dispatch emits the strips of h rows of all widths and the choice between them.
func (g *cholGen) dispatch(h int) {
	for v := 1; v <= g.vecs(); v++ {
		s := shape{v, true}
		wider := fmt.Sprintf("wider%d_%d", h, v)
		if v < g.vecs() {
			CMPQ(cM, Imm(uint64(v*g.lanes())))
			JG(LabelRef(wider))
		}
		g.strip(h, s)
		if v < g.vecs() || h == g.height() {
			JMP(LabelRef(fmt.Sprintf("next%d", h)))
		}
		if v < g.vecs() {
			Label(wider)
		}
	}
}

// rowMask returns the mask of vector v of row i of a strip: from the diagonal
// on, up to the end. It may use the register scratch.
func (g *cholGen) rowMask(i, v int, s shape, scratch reg.VecPhysical) *mask {
	if v > 0 || i == 0 {
		return g.by(s, v)
	}
	if g.wide() {
		m := []Op{reg.K2, reg.K3, reg.K4, reg.K5, reg.K6}[i%5]
		KSHIFTLW(Imm(uint64(i)), reg.K7, m)
		if s.vecs == 1 {
			KANDW(reg.K1, m, m)
		}
		return &mask{k: m}
	}
	g.load(g.consts.Offset(32-i*g.size()), scratch)
	if s.vecs == 1 {
		VANDPS(reg.Y14, scratch, scratch)
	}
	return &mask{y: scratch}
}

func (g *cholGen) row(i int) Mem { return rowOf(i, cB, cB4, cLD, cLD3) }

// strip emits h rows and moves the pointers along.
func (g *cholGen) strip(h int, s shape) {
	id := fmt.Sprintf("C%d_%s", h, s)
	MOVQ(cM, cX)
	SUBQ(Imm(uint64((s.vecs-1)*g.lanes())), cX)
	g.setMask(g.mask(), cX, cT, g.consts.Offset(32))
	if h > 4 {
		LEAQ(Mem{Base: cB, Index: cLD, Scale: 4}, cB4)
	}
	for i := range h {
		for v := range s.vecs {
			g.loadMasked(g.row(i).Offset(v*g.width()), g.rowMask(i, v, s, g.v(15)), g.acc(i, v))
		}
	}
	MOVQ(cX0, cX)
	MOVQ(cK, cI)
	TESTQ(cI, cI)
	JEQ(LabelRef("triangle" + id))
	align(32)
	Label("step" + id)
	for v := range s.vecs {
		g.loadMasked(Mem{Base: cX, Disp: v * g.width()}, g.by(s, v), g.x(v))
	}
	for i := range h {
		g.update(i, s, Mem{Base: cX, Disp: i * g.size()})
	}
	ADDQ(cLD, cX)
	DECQ(cI)
	JNE(LabelRef("step" + id))
	Label("triangle" + id)
	for q := range h {
		g.eliminate(q, h, s)
	}
	ADDQ(Imm(uint64(h)), cK)
	SUBQ(Imm(uint64(h)), cM)
	for _, r := range []reg.GPPhysical{cX0, cInv, cB} {
		ADDQ(Imm(uint64(h*g.size())), r)
	}
	MOVQ(cLD, cT)
	SHLQ(U8(map[int]uint8{1: 0, 2: 1, 4: 2, 8: 3}[h]), cT)
	ADDQ(cT, cB)
}

// eliminate finishes row q of the strip and subtracts it from those below.
func (g *cholGen) eliminate(q, h int, s shape) {
	x := func(v reg.VecPhysical) Op { return v.AsX() }
	d, root, inv := g.x(0), g.x(1), g.tmp(0)
	if !g.wide() {
		inv = g.v(15)
	}
	from := g.acc(q, 0)
	if q > 0 {
		g.element(q, from, d)
		from = d
	}
	// A pivot is good if it is positive and finite: then its bits, less one, are
	// fewer than those of the largest finite number.
	if g.f32() {
		VMOVD(x(from), cT.As32())
		DECL(cT.As32())
		CMPL(cT.As32(), U32(0x7f7fffff))
	} else {
		VMOVQ(x(from), cT)
		DECQ(cT)
		MOVQ(U64(0x7fefffffffffffff), cI)
		CMPQ(cT, cI)
	}
	good := newLabel("good")
	JCS(LabelRef(good))
	ADDQ(Imm(uint64(q)), cK)
	JMP(LabelRef("done"))
	Label(good)
	if g.f32() {
		VSQRTSS(x(from), x(from), x(root))
		VMOVSS(g.consts.Offset(96), x(inv))
		VDIVSS(x(root), x(inv), x(inv))
		VMOVSS(x(inv), Mem{Base: cInv, Disp: q * g.size()})
		VBROADCASTSS(x(inv), inv)
	} else {
		VSQRTSD(x(from), x(from), x(root))
		VMOVSD(g.consts.Offset(96), x(inv))
		VDIVSD(x(root), x(inv), x(inv))
		VMOVSD(x(inv), Mem{Base: cInv, Disp: q * g.size()})
		VBROADCASTSD(x(inv), inv)
	}
	for v := range s.vecs {
		g.mul(g.acc(q, v), inv, g.acc(q, v))
	}
	for i := q + 1; i < h; i++ {
		f := g.v(15)
		if g.wide() {
			f = g.tmp(i)
		}
		g.spread(i, g.acc(q, 0), f)
		for v := range s.vecs {
			g.fnma231(g.acc(q, v), f, g.acc(i, v))
		}
	}
	for v := range s.vecs {
		g.storeMasked(g.acc(q, v), g.rowMask(q, v, s, g.v(12)), g.row(q).Offset(v*g.width()))
	}
	at := g.row(q).Offset(q * g.size())
	if g.f32() {
		VMOVSS(x(root), at)
	} else {
		VMOVSD(x(root), at)
	}
}

// element moves element q of v to the first place of dst.
func (g *cholGen) element(q int, v, dst reg.VecPhysical) {
	switch {
	case g.wide():
		pick(g.target, VALIGND, VALIGNQ, Imm(uint64(q)), v, v, dst)
	default:
		g.spread(q, v, dst)
	}
}

// spread fills dst with element i of v.
func (g *cholGen) spread(i int, v, dst reg.VecPhysical) {
	switch {
	case g.wide():
		pick(g.target, VPBROADCASTD, VPBROADCASTQ, g.consts.Offset(104+8*i), dst)
		pick(g.target, VPERMPS, VPERMPD, v, dst, dst)
	case g.f32():
		VPERMILPS(U8(uint8(i*0x55)), v.AsX(), dst.AsX())
		VBROADCASTSS(dst.AsX(), dst)
	default:
		VPERMPD(U8(uint8(i*0x55)), v, dst)
	}
}
