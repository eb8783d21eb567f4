package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() {
	families["lanes"] = func(isa string) {
		for _, elem := range elems {
			g := lanesGen{triangleGen{target: target{isa, elem}, solve: true}}
			g.cholesky()
			g.solution()
		}
	}
}

// lanesGen emits the kernels CholLanes and SolveLanes on interleaved matrices: an
// element is a group of 64 bytes, one lane for each matrix. AVX2 takes each group in
// two halves, one after the other over the whole matrix.
type lanesGen struct{ triangleGen }

// Registers. RCX and R14 are scratch.
var (
	nN    = reg.R13 // order
	nRS   = reg.R12 // distance of rows in bytes
	nCS   = reg.RSI // distance of columns, and three of them
	nCS3  = reg.R10
	nDiag = reg.RDI // diagonal element of the row, or element of the row
	nD4   = reg.R15 // four columns on
	nTop  = reg.R8  // element of row 0 in the column of nDiag
	nX    = reg.RBX // element of the row at the step
	nX4   = reg.R11 // four columns on
	nBack = reg.R9  // distance from the row's diagonal, not positive
	nLeft = reg.RAX // columns left
	nRow  = reg.RDX // number of the row, then of the rows above that are left
)

const lanesGroup = 64

// setup loads the arguments that the two kernels share.
func (g *lanesGen) setup() {
	MOVQ(g.addr("n"), nN)
	MOVQ(g.addr("rs"), nRS)
	MOVQ(g.addr("cs"), nCS)
	SHLQ(U8(6), nRS)
	SHLQ(U8(6), nCS)
	LEAQ(Mem{Base: nCS, Index: nCS, Scale: 2}, nCS3)
}

// halves emits body for each half of the group; args are the pointers to move.
func (g *lanesGen) halves(body func(half int), args ...string) {
	for half := range lanesGroup / g.width() {
		if half > 0 {
			for _, a := range args {
				ADDQ(Imm(uint64(g.width())), g.addr(a))
			}
		}
		body(half)
	}
}

func (g *lanesGen) cholesky() {
	TEXT(g.name("cholLanes"), NOSPLIT, fmt.Sprintf("func(n int, s *%[1]s, rs, cs int, root, inv *%[1]s)", g.elem))
	Doc(g.name("cholLanes") + " is the kernel Kernels.CholLanes; see the generic twin cholLanes.")
	Pragma("noescape")
	g.setup()
	g.halves(g.choleskyHalf, "s", "root", "inv")
	VZEROUPPER()
	RET()
}

func (g *lanesGen) choleskyHalf(half int) {
	l := func(name string) string { return fmt.Sprintf("%s_%d", name, half) }
	x, inv, root := g.v(8), g.v(9), g.v(10)
	one := GLOBL(fmt.Sprintf("%sOne%d", g.name("cholLanes"), half), 8|16)
	if g.f32() {
		DATA(0, U32(0x3f800000))
	} else {
		DATA(0, U64(0x3ff0000000000000))
	}
	XORQ(nRow, nRow)
	Label(l("row"))
	CMPQ(nRow, nN)
	JGE(LabelRef(l("end")))
	// nDiag = s + row·(rs+cs), nTop = s + row·cs
	MOVQ(nCS, nTop)
	IMULQ(nRow, nTop)
	ADDQ(g.addr("s"), nTop)
	MOVQ(nRS, nDiag)
	IMULQ(nRow, nDiag)
	ADDQ(nTop, nDiag)
	XORQ(nBack, nBack)
	MOVQ(nN, nLeft)
	SUBQ(nRow, nLeft)
	Label(l("tiles"))
	widths := []int{8, 4, 2, 1}
	for _, w := range widths {
		next := l(fmt.Sprintf("narrower%d", w))
		if w > 1 {
			CMPQ(nLeft, Imm(uint64(w)))
			JL(LabelRef(next))
		}
		at := func(t int, b, b4 reg.GPPhysical) Mem { return rowOf(t, b, b4, nCS, nCS3) }
		if w > 4 {
			LEAQ(Mem{Base: nDiag, Index: nCS, Scale: 4}, nD4)
		}
		for t := range w {
			g.load(at(t, nDiag, nD4), g.v(t))
		}
		MOVQ(nTop, nX)
		MOVQ(nRow, reg.RCX)
		TESTQ(reg.RCX, reg.RCX)
		JEQ(LabelRef(l(fmt.Sprintf("done%d", w))))
		Label(l(fmt.Sprintf("step%d", w)))
		if w > 4 {
			LEAQ(Mem{Base: nX, Index: nCS, Scale: 4}, nX4)
		}
		g.load(Mem{Base: nX, Index: nBack, Scale: 1}, x)
		for t := range w {
			g.fnma231(at(t, nX, nX4), x, g.v(t))
		}
		ADDQ(nRS, nX)
		DECQ(reg.RCX)
		JNE(LabelRef(l(fmt.Sprintf("step%d", w))))
		Label(l(fmt.Sprintf("done%d", w)))
		first, scale := l(fmt.Sprintf("first%d", w)), l(fmt.Sprintf("scale%d", w))
		TESTQ(nBack, nBack)
		JEQ(LabelRef(first))
		for t := range w {
			g.mul(g.v(t), inv, g.v(t))
		}
		JMP(LabelRef(scale))
		Label(first)
		g.sqrt(g.v(0), root)
		g.broadcast(one, inv)
		g.div(inv, root, inv)
		MOVQ(nRow, reg.RCX)
		SHLQ(U8(6), reg.RCX)
		MOVQ(g.addr("root"), reg.R14)
		g.store(root, Mem{Base: reg.R14, Index: reg.RCX, Scale: 1})
		MOVQ(g.addr("inv"), reg.R14)
		g.store(inv, Mem{Base: reg.R14, Index: reg.RCX, Scale: 1})
		for t := 1; t < w; t++ {
			g.mul(g.v(t), inv, g.v(t))
		}
		VMOVAPS(root, g.v(0))
		Label(scale)
		for t := range w {
			g.store(g.v(t), at(t, nDiag, nD4))
		}
		MOVQ(nCS, reg.RCX)
		SHLQ(U8(map[int]uint8{8: 3, 4: 2, 2: 1, 1: 0}[w]), reg.RCX)
		ADDQ(reg.RCX, nDiag)
		ADDQ(reg.RCX, nTop)
		SUBQ(reg.RCX, nBack)
		SUBQ(Imm(uint64(w)), nLeft)
		JG(LabelRef(l("tiles")))
		JMP(LabelRef(l("rowDone")))
		if w > 1 {
			Label(next)
		}
	}
	Label(l("rowDone"))
	INCQ(nRow)
	JMP(LabelRef(l("row")))
	Label(l("end"))
}

func (g *lanesGen) solution() {
	TEXT(g.name("solveLanes"), NOSPLIT, fmt.Sprintf("func(n int, s *%[1]s, rs, cs int, inv, x *%[1]s)", g.elem))
	Doc(g.name("solveLanes") + " is the kernel Kernels.SolveLanes; see the generic twin solveLanes.")
	Pragma("noescape")
	g.setup()
	g.halves(func(half int) {
		g.sweep(half, true)
		g.sweep(half, false)
	}, "s", "inv", "x")
	VZEROUPPER()
	RET()
}

// sweep emits one triangular solution: down with the transpose of U, or up with U.
func (g *lanesGen) sweep(half int, down bool) {
	dir := map[bool]string{true: "down", false: "up"}[down]
	l := func(name string) string { return fmt.Sprintf("%s_%s%d", name, dir, half) }
	x, y := g.v(0), g.v(1)
	// Element e of U goes with row j of x; both move on from row to row.
	e, j, at := nX, nX4, nTop
	if down {
		XORQ(nRow, nRow)
	} else {
		MOVQ(nN, nRow)
		DECQ(nRow)
	}
	Label(l("row"))
	if down {
		CMPQ(nRow, nN)
		JGE(LabelRef(l("end")))
	} else {
		CMPQ(nRow, Imm(0))
		JL(LabelRef(l("end")))
	}
	MOVQ(nRow, reg.RCX)
	SHLQ(U8(6), reg.RCX)
	MOVQ(g.addr("x"), at)
	MOVQ(at, j)
	ADDQ(reg.RCX, at)
	MOVQ(g.addr("inv"), reg.R14)
	g.load(Mem{Base: reg.R14, Index: reg.RCX, Scale: 1}, x)
	g.mul(Mem{Base: at}, x, x)
	g.store(x, Mem{Base: at})
	if down { // the rest of row nRow, rows nRow+1 … n−1 of x
		MOVQ(nRS, e)
		ADDQ(nCS, e)
		IMULQ(nRow, e)
		ADDQ(g.addr("s"), e)
		ADDQ(nCS, e)
		LEAQ(Mem{Base: at, Disp: lanesGroup}, j)
		MOVQ(nN, reg.RCX)
		SUBQ(nRow, reg.RCX)
		DECQ(reg.RCX)
	} else { // column nRow from the top, rows 0 … nRow−1 of x
		MOVQ(nCS, e)
		IMULQ(nRow, e)
		ADDQ(g.addr("s"), e)
		MOVQ(nRow, reg.RCX)
	}
	TESTQ(reg.RCX, reg.RCX)
	JEQ(LabelRef(l("next")))
	Label(l("step"))
	g.load(Mem{Base: j}, y)
	g.fnma231(Mem{Base: e}, x, y)
	g.store(y, Mem{Base: j})
	if down {
		ADDQ(nCS, e)
	} else {
		ADDQ(nRS, e)
	}
	ADDQ(Imm(lanesGroup), j)
	DECQ(reg.RCX)
	JNE(LabelRef(l("step")))
	Label(l("next"))
	if down {
		INCQ(nRow)
	} else {
		DECQ(nRow)
	}
	JMP(LabelRef(l("row")))
	Label(l("end"))
}
