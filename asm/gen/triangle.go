package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() {
	families["triangle"] = func(isa string) {
		for _, elem := range elems {
			for _, solve := range []bool{true, false} {
				g := triangleGen{target: target{isa, elem}, solve: solve}
				g.emit()
			}
		}
	}
}

// triangleGen emits the kernels Trsm (solve) and Trmm on block rows of a lower
// triangle. Columns are cut into chunks of up to three vectors, and rows into
// strips of 8 (AVX-512) or 4 (AVX2). A strip of a chunk stays in registers:
//
//	AVX-512: 8×3 accumulators, 3 vectors of b, 5 broadcasts of l: 32 registers;
//	         a step of k is 11 loads for 24 fused multiply-adds.
//	AVX2:    4×3 accumulators, 3 of b, 1 broadcast: 16 registers;
//	         a step of k is 7 loads for 12 fused multiply-adds.
//
// The rows that do not fill a strip are the first ones, where the strips are
// shortest, in strips of 1, 2 and 4. Trsm runs down the rows, Trmm up.
type triangleGen struct {
	target
	solve bool
	table Mem
}

// Registers. RCX, R14 and R15 are scratch between the loops.
var (
	tL0   = reg.R15 // first element of the strip's rows of l
	tL    = reg.R8  // element of l in the strip's first row, at the step's column
	tL4   = reg.R9  // four rows below
	tRSL  = reg.RDX // strides in bytes
	tRSL3 = reg.R10
	tCSL  = reg.R11
	tX    = reg.RBX // row of b at the step
	tLDB  = reg.RSI
	tLDB3 = reg.R12
	tB    = reg.RDI // first row of the strip in b
	tK    = reg.RAX // rows of b above the strip
	tN    = reg.R13 // columns left
	tI    = reg.RCX // steps left
	tT    = reg.R14
)

func (g *triangleGen) op() string {
	if g.solve {
		return "trsm"
	}
	return "trmm"
}

// height is the largest number of rows in a strip.
func (g *triangleGen) height() int {
	if g.wide() {
		return 8
	}
	return 4
}

func (g *triangleGen) acc(i, v int) reg.VecPhysical { return g.v(3*i + v) }
func (g *triangleGen) x(v int) reg.VecPhysical      { return g.v(3*g.height() + v) }

// tmp returns one of the registers that broadcasts rotate over.
func (g *triangleGen) tmp(i int) reg.VecPhysical {
	if g.wide() {
		return g.v(27 + i%5)
	}
	return g.v(15)
}

func (g *triangleGen) mask() *mask { return &mask{k: reg.K1, y: reg.Y14} }

// by returns the mask of vector v of the shape, nil if it is whole.
func (g *triangleGen) by(s shape, v int) *mask {
	if s.masked && v == s.vecs-1 {
		return g.mask()
	}
	return nil
}

func (g *triangleGen) emit() {
	op, diag := g.op(), "d"
	if g.solve {
		diag = "inv"
	}
	if !g.wide() {
		g.table = tailMask(g.name(op + "Mask"))
	}
	TEXT(g.name(op), NOSPLIT, fmt.Sprintf(
		"func(m, n, k int, alpha %[1]s, l *%[1]s, rsl, csl int, %[2]s *%[1]s, b *%[1]s, ldb int)", g.elem, diag))
	entry := map[bool]string{true: "Trsm", false: "Trmm"}[g.solve]
	Doc(fmt.Sprintf("%s is the kernel Kernels.%s; see the generic twin %s.", g.name(op), entry, op))
	Pragma("noescape")

	MOVQ(g.addr("n"), tN)
	TESTQ(tN, tN)
	JLE(LabelRef("done"))
	MOVQ(g.addr("rsl"), tRSL)
	MOVQ(g.addr("csl"), tCSL)
	MOVQ(g.addr("ldb"), tLDB)
	shift := U8(map[int]uint8{4: 2, 8: 3}[g.size()])
	for _, r := range []reg.GPPhysical{tRSL, tCSL, tLDB} {
		SHLQ(shift, r)
	}
	LEAQ(Mem{Base: tRSL, Index: tRSL, Scale: 2}, tRSL3)
	LEAQ(Mem{Base: tLDB, Index: tLDB, Scale: 2}, tLDB3)

	// From here on the diagonal is indexed like b.
	MOVQ(g.addr("k"), tK)
	MOVQ(tK, tT)
	SHLQ(shift, tT)
	SUBQ(tT, g.addr(diag))

	g.columns()
	for _, s := range g.shapes() {
		g.chunk(s, diag)
	}
	Label("done")
	VZEROUPPER()
	RET()
}

func (g *triangleGen) shapes() []shape {
	s := []shape{{3, false}, {2, false}, {2, true}, {1, true}}
	if g.wide() {
		s = append(s, shape{3, true})
	}
	return s
}

// columns emits the choice of the next chunk's shape. Four vectors are two and
// two, since a single one is slower.
func (g *triangleGen) columns() {
	lanes := g.lanes()
	Label("columns")
	CMPQ(tN, Imm(uint64(3*lanes)))
	three, two := shape{vecs: 3}, shape{vecs: 2}
	JL(LabelRef("few"))
	MOVQ(tN, tT)
	SUBQ(Imm(uint64(3*lanes+1)), tT)
	CMPQ(tT, Imm(uint64(lanes)))
	JAE(LabelRef("chunk" + three.String())) // 3 vectors, or more than 4
	JMP(LabelRef("chunk" + two.String()))
	Label("few")
	MOVQ(tN, tT)
	SUBQ(Imm(uint64(2*lanes)), tT)
	if g.wide() {
		JG(LabelRef("mask3"))
	}
	ADDQ(Imm(uint64(lanes)), tT)
	JLE(LabelRef("mask1"))
	if !g.wide() { // up to three vectors are two and one
		MOVQ(U32(lanes), tI)
		CMPQ(tT, tI)
		CMOVQGT(tI, tT)
	}
	g.maskAndGo(shape{2, true})
	if g.wide() {
		Label("mask3")
		g.maskAndGo(shape{3, true})
	}
	Label("mask1")
	ADDQ(Imm(uint64(lanes)), tT)
	g.maskAndGo(shape{1, true})
}

// maskAndGo sets the mask to the first tT elements and jumps to the chunk.
func (g *triangleGen) maskAndGo(s shape) {
	MOVQ(tT, tL0)
	g.setMask(g.mask(), tL0, tT, g.table)
	JMP(LabelRef("chunk" + s.String()))
}

// chunk emits the strips of one chunk of columns.
func (g *triangleGen) chunk(s shape, diag string) {
	id := s.String()
	Label("chunk" + id)
	MOVQ(g.addr("k"), tK)
	MOVQ(g.addr("l"), tL0)
	if g.solve {
		MOVQ(tLDB, tB)
		IMULQ(tK, tB)
		ADDQ(g.addr("b"), tB)
		for h := 1; h < g.height(); h *= 2 {
			skip := fmt.Sprintf("skip%d_%s", h, id)
			TESTQ(U32(h), g.addr("m"))
			JEQ(LabelRef(skip))
			g.strip(h, s, diag)
			Label(skip)
		}
		full := "full" + id
		Label(full)
		MOVQ(g.addr("k"), tT)
		ADDQ(g.addr("m"), tT)
		CMPQ(tK, tT)
		JGE(LabelRef("next" + id))
		g.strip(g.height(), s, diag)
		JMP(LabelRef(full))
	} else {
		// tK, tL0 and tB are those of the end, and go up.
		MOVQ(g.addr("m"), tT)
		ADDQ(tT, tK)
		IMULQ(tRSL, tT)
		ADDQ(tT, tL0)
		MOVQ(tLDB, tB)
		IMULQ(tK, tB)
		ADDQ(g.addr("b"), tB)
		full := "full" + id
		Label(full)
		MOVQ(tK, tT)
		SUBQ(g.addr("k"), tT)
		CMPQ(tT, Imm(uint64(g.height())))
		JL(LabelRef("rest" + id))
		g.strip(g.height(), s, diag)
		JMP(LabelRef(full))
		Label("rest" + id)
		for h := g.height() / 2; h >= 1; h /= 2 {
			skip := fmt.Sprintf("skip%d_%s", h, id)
			TESTQ(U32(h), g.addr("m"))
			JEQ(LabelRef(skip))
			g.strip(h, s, diag)
			Label(skip)
		}
	}
	Label("next" + id)
	SUBQ(Imm(uint64(s.vecs*g.lanes())), tN)
	JLE(LabelRef("done"))
	ADDQ(Imm(uint64(s.vecs*g.width())), g.addr("b"))
	JMP(LabelRef("columns"))
}

// add emits r ±= h·stride for h = 1, 2, 4, 8; it overwrites tT.
func (g *triangleGen) add(h int, stride, r reg.GPPhysical) {
	if h == 1 {
		if g.solve {
			ADDQ(stride, r)
		} else {
			SUBQ(stride, r)
		}
		return
	}
	MOVQ(stride, tT)
	SHLQ(U8(map[int]uint8{2: 1, 4: 2, 8: 3}[h]), tT)
	if g.solve {
		ADDQ(tT, r)
	} else {
		SUBQ(tT, r)
	}
}

// lAt is the element of l in row i of the strip at the current step.
func (g *triangleGen) lAt(i int) Mem {
	return rowOf(i, tL, tL4, tRSL, tRSL3)
}

// rowOf addresses row i of up to 8: b4 is b plus 4 strides.
func rowOf(i int, b, b4, stride, stride3 reg.GPPhysical) Mem {
	m := Mem{Base: b}
	if i >= 4 {
		m.Base = b4
	}
	switch i % 4 {
	case 1, 2:
		m.Index, m.Scale = stride, uint8(i%4)
	case 3:
		m.Index, m.Scale = stride3, 1
	}
	return m
}

// rows calls f with the address of each row of the strip; it overwrites tT.
func (g *triangleGen) rows(h int, f func(i int, row Mem)) {
	if h > 4 {
		LEAQ(Mem{Base: tB, Index: tLDB, Scale: 4}, tT)
	}
	for i := range h {
		f(i, rowOf(i, tB, tT, tLDB, tLDB3))
	}
}

// strip emits h rows of a chunk and moves tK, tL0 and tB along.
func (g *triangleGen) strip(h int, s shape, diag string) {
	id := fmt.Sprintf("%d_%s", h, s)
	if g.solve {
		alpha := g.tmp(0)
		g.broadcast(g.addr("alpha"), alpha)
		g.rows(h, func(i int, row Mem) {
			for v := range s.vecs {
				at := row.Offset(v * g.width())
				if by := g.by(s, v); by != nil {
					g.loadMasked(at, by, g.acc(i, v))
					g.mul(g.acc(i, v), alpha, g.acc(i, v))
				} else {
					g.mul(at, alpha, g.acc(i, v))
				}
			}
		})
	} else {
		SUBQ(Imm(uint64(h)), tK)
		g.add(h, tRSL, tL0)
		g.add(h, tLDB, tB)
		for i := range h {
			for v := range s.vecs {
				g.zero(g.acc(i, v))
			}
		}
	}
	MOVQ(tL0, tL)
	if h > 4 {
		LEAQ(Mem{Base: tL, Index: tRSL, Scale: 4}, tL4)
	}
	MOVQ(g.addr("b"), tX)
	MOVQ(tK, tI)
	TESTQ(tI, tI)
	JEQ(LabelRef("triangle" + id))
	align(32)
	Label("step" + id)
	g.loadX(s)
	for i := range h {
		g.update(i, s, g.lAt(i))
	}
	g.nextColumn(h)
	DECQ(tI)
	JNE(LabelRef("step" + id))
	Label("triangle" + id)

	MOVQ(g.addr(diag), tT)
	d := func(p int) Mem {
		return Mem{Base: tT, Index: tK, Scale: uint8(g.size()), Disp: p * g.size()}
	}
	for p := range h {
		if g.solve {
			g.broadcast(d(p), g.tmp(4))
			for v := range s.vecs {
				g.mul(g.acc(p, v), g.tmp(4), g.acc(p, v))
			}
			for i := p + 1; i < h; i++ {
				g.broadcast(g.lAt(i), g.tmp(i))
				for v := range s.vecs {
					g.fnma231(g.acc(p, v), g.tmp(i), g.acc(i, v))
				}
			}
			if p+1 < h {
				g.nextLColumn(h)
			}
			continue
		}
		g.loadX(s)
		for i := p + 1; i < h; i++ {
			g.update(i, s, g.lAt(i))
		}
		g.update(p, s, d(p))
		if p+1 < h {
			g.nextColumn(h)
		}
	}

	alpha := g.tmp(0)
	if !g.solve {
		g.broadcast(g.addr("alpha"), alpha)
	}
	g.rows(h, func(i int, row Mem) {
		for v := range s.vecs {
			if !g.solve {
				g.mul(g.acc(i, v), alpha, g.acc(i, v))
			}
			g.storeMasked(g.acc(i, v), g.by(s, v), row.Offset(v*g.width()))
		}
	})
	if g.solve {
		ADDQ(Imm(uint64(h)), tK)
		g.add(h, tRSL, tL0)
		g.add(h, tLDB, tB)
	}
}

// loadX loads the row of b at the step.
func (g *triangleGen) loadX(s shape) {
	for v := range s.vecs {
		g.loadMasked(Mem{Base: tX, Disp: v * g.width()}, g.by(s, v), g.x(v))
	}
}

// update does acc_i ∓= element at e · row of b.
func (g *triangleGen) update(i int, s shape, e Mem) {
	if s.vecs == 1 && g.wide() {
		if g.solve {
			pick(g.target, VFNMADD231PS_BCST, VFNMADD231PD_BCST, e, g.x(0), g.acc(i, 0))
		} else {
			g.fmaBroadcast(e, g.x(0), g.acc(i, 0))
		}
		return
	}
	g.broadcast(e, g.tmp(i))
	for v := range s.vecs {
		if g.solve {
			g.fnma231(g.x(v), g.tmp(i), g.acc(i, v))
		} else {
			g.fma231(g.x(v), g.tmp(i), g.acc(i, v))
		}
	}
}

func (g *triangleGen) nextColumn(h int) {
	ADDQ(tLDB, tX)
	g.nextLColumn(h)
}

func (g *triangleGen) nextLColumn(h int) {
	ADDQ(tCSL, tL)
	if h > 4 {
		ADDQ(tCSL, tL4)
	}
}
