package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() {
	families["gemm"] = func(isa string) {
		for _, elem := range elems {
			g := gemmGen{target: target{isa, elem}}
			g.emit()
		}
	}
}

// gemmGen emits the strip kernel. Its register tile is mr rows × two vectors:
//
//	AVX-512: 14×2 accumulators, 2 vectors of B, 2 broadcasts of A: 32 registers;
//	         a step of k is 16 loads for 28 fused multiply-adds.
//	AVX2:    6×2 accumulators, 2 of B, 1 broadcast, 1 mask: 16 registers;
//	         a step of k is 8 loads for 12 fused multiply-adds.
//
// Both have two load ports at least and two multiply-add pipes, so neither tile
// is bound by loads, and both have more than the 8 to 10 independent chains that
// cover the latency of the multiply-add.
//
// For every number of rows 1…mr there are code blocks for
//
//	form R (csa = 1): rows of A in place, three rows to a base register;
//	form P (rsa = 1): columns of A, packed or transposed in place;
//
// and for each of them: two full vectors, two with the second masked, one
// masked. AVX-512 needs the first as well: on Intel's cores a masked load is also an
// operation of the multiply-add pipes, one more to 28 of them.
type gemmGen struct {
	target
	table Mem
}

// prefetchFrom is the depth from which form R fetches the tile of C before the loop
// over k, so that it is there at the end. Shorter loops do not repay it.
const prefetchFrom = 48

// Form P fetches so many rows of C before each of up to 1<<spanShift equal turns of the loop
// over k. All at once, they take the miss buffers that A and B need.
const fetched, spanShift = 4, 2

// ahead is the distance in bytes at which a packed strip of A is fetched, so that
// the next strip is there when it is due; panels of B, which come from the
// second-level cache, are fetched at an eighth of it.
const ahead = 4096

// Registers. R14, R15 and CX are scratch outside the loop over k.
var (
	gA   = []reg.GPPhysical{reg.R8, reg.R9, reg.R10, reg.R11, reg.R12}
	gSA  = reg.RDX // form R: row stride; form P: column stride of A, in bytes
	gB   = reg.RBX
	gLDB = reg.RSI
	gK   = reg.RCX
	gC   = reg.RDI
	gLDC = reg.RAX
	gN   = reg.R13 // columns left
	// form P, whose A needs one base only:
	gSpan  = reg.R9  // steps of k in a turn
	gTurns = reg.R10 // turns left
	gLeft  = reg.R11 // steps left in a turn
)

func (g *gemmGen) mr() int {
	if g.wide() {
		return 14
	}
	return 6
}

func (g *gemmGen) nr() int { return 2 * g.lanes() }

func (g *gemmGen) acc(i, v int) reg.VecPhysical { return g.v(2*i + v) }
func (g *gemmGen) b(v int) reg.VecPhysical      { return g.v(2*g.mr() + v) }

// tmp returns one of the registers that broadcasts rotate over.
func (g *gemmGen) tmp(i int) reg.VecPhysical {
	if g.wide() {
		return g.v(2*g.mr() + 2 + i%2)
	}
	return g.v(2*g.mr() + 2)
}

func (g *gemmGen) mask() *mask { return &mask{k: reg.K1, y: reg.Y15} }

func (g *gemmGen) emit() {
	if !g.wide() {
		g.table = tailMask(g.name("gemmMask"))
	}
	TEXT(g.name("gemm"), NOSPLIT, fmt.Sprintf(
		"func(m, n, k int, alpha %[1]s, a *%[1]s, rsa, csa int, b *%[1]s, ldb, psb int, c *%[1]s, ldc int, mode int)", g.elem))
	Doc(g.name("gemm") + " is the strip kernel Kernels.Gemm; see the generic twin gemm.")
	Pragma("noescape")

	MOVQ(g.addr("n"), gN)
	MOVQ(g.addr("c"), gC)
	MOVQ(g.addr("ldc"), gLDC)
	MOVQ(g.addr("ldb"), gLDB)
	shift := map[int]uint8{4: 2, 8: 3}[g.size()]
	SHLQ(U8(shift), gLDC)
	SHLQ(U8(shift), gLDB)
	SHLQ(U8(shift), g.addr("psb"))
	TESTQ(gN, gN)
	JLE(LabelRef("done"))
	MOVQ(g.addr("m"), reg.R15)
	CMPQ(g.addr("csa"), Imm(1))
	JEQ(LabelRef("formR"))
	MOVQ(g.addr("csa"), gSA)
	SHLQ(U8(shift), gSA)
	g.dispatch("P", 1, g.mr())
	Label("formR")
	MOVQ(g.addr("rsa"), gSA)
	SHLQ(U8(shift), gSA)
	g.dispatch("R", 1, g.mr())

	for m := 1; m <= g.mr(); m++ {
		for _, form := range []string{"R", "P"} {
			g.panel(form, m)
		}
		for _, v := range shapes {
			g.finish(m, v)
		}
	}
	Label("done")
	VZEROUPPER()
	RET()
}

// A shape is a number of vectors in a row of the tile, the last one masked or not.
type shape struct {
	vecs   int
	masked bool
}

func (s shape) String() string {
	if s.masked {
		return fmt.Sprintf("%dmasked", s.vecs)
	}
	return fmt.Sprint(s.vecs)
}

var shapes = []shape{{2, false}, {2, true}, {1, true}}

// by returns the mask of vector v of the shape, nil if it is whole.
func (g *gemmGen) by(s shape, v int) *mask {
	if s.masked && v == s.vecs-1 {
		return g.mask()
	}
	return nil
}

// dispatch jumps to the block for R15 rows, by bisection; 0 rows are done.
func (g *gemmGen) dispatch(form string, lo, hi int) {
	if lo == hi {
		if lo == 1 {
			TESTQ(reg.R15, reg.R15)
			JLE(LabelRef("done"))
		}
		JMP(LabelRef(fmt.Sprintf("panel%s%d", form, lo)))
		return
	}
	mid := (lo + hi + 1) / 2
	CMPQ(reg.R15, Imm(uint64(mid)))
	high := fmt.Sprintf("dispatch%s%dto%d", form, mid, hi)
	JGE(LabelRef(high))
	g.dispatch(form, lo, mid-1)
	Label(high)
	g.dispatch(form, mid, hi)
}

// panel emits the loop over k for m rows and one panel of columns, in all shapes.
func (g *gemmGen) panel(form string, m int) {
	id := fmt.Sprintf("%s%d", form, m)
	Label("panel" + id)
	MOVQ(g.addr("a"), gA[0])
	if form == "R" {
		if m > 3 {
			LEAQ(Mem{Base: gSA, Index: gSA, Scale: 2}, reg.R14) // 3 rows
		}
		for i := 3; i < m; i += 3 {
			LEAQ(Mem{Base: gA[i/3-1], Index: reg.R14, Scale: 1}, gA[i/3])
		}
	}
	MOVQ(g.addr("b"), gB)
	lanes := uint64(g.lanes())
	CMPQ(gN, Imm(2*lanes))
	JLT(LabelRef("edge" + id))
	g.loops(form, m, shape{2, false})
	Label("edge" + id)
	MOVQ(gN, reg.R15)
	SUBQ(Imm(lanes), reg.R15)
	JLE(LabelRef("one" + id))
	g.setMask(g.mask(), reg.R15, reg.R14, g.table)
	g.loops(form, m, shape{2, true})
	Label("one" + id)
	ADDQ(Imm(lanes), reg.R15)
	g.setMask(g.mask(), reg.R15, reg.R14, g.table)
	g.loops(form, m, shape{1, true})
}

// loops emits the start of the accumulators and the loop over k, and jumps to
// the finish of the shape.
func (g *gemmGen) loops(form string, m int, s shape) {
	id := fmt.Sprintf("%s%dv%s", form, m, s)
	fin := fmt.Sprintf("m%dv%s", m, s)
	CMPQ(g.addr("mode"), Imm(2))
	JEQ(LabelRef("chain" + id))
	for i := range m {
		for v := range s.vecs {
			g.zero(g.acc(i, v))
		}
	}
	MOVQ(g.addr("k"), gK)
	if form == "R" {
		CMPQ(gK, Imm(prefetchFrom))
		JLT(LabelRef("start" + id))
		g.rows(m, func(i int, row Mem) { g.fetch(s, row) })
		MOVQ(g.addr("c"), gC)
		Label("start" + id)
		MOVQ(g.addr("k"), gK)
		SUBQ(Imm(4), gK)
		JLT(LabelRef("rest" + id))
		align(32)
		Label("four" + id)
		for u := range 4 {
			g.step(form, m, s, u*g.size())
		}
		for i := 0; i < m; i += 3 {
			ADDQ(Imm(uint64(4*g.size())), gA[i/3])
		}
		SUBQ(Imm(4), gK)
		JGE(LabelRef("four" + id))
		Label("rest" + id)
		ADDQ(Imm(4), gK)
		JEQ(LabelRef(fin))
		Label("single" + id)
		g.step(form, m, s, 0)
		for i := 0; i < m; i += 3 {
			ADDQ(Imm(uint64(g.size())), gA[i/3])
		}
		DECQ(gK)
		JNE(LabelRef("single" + id))
		JMP(LabelRef(fin))
	} else {
		Label("start" + id)
		// The loop over k runs in turns, each of which fetches some rows of C.
		MOVQ(gK, gSpan)
		SHRQ(U8(spanShift), gSpan)
		ANDQ(I8(-2), gSpan)
		JEQ(LabelRef("last" + id))
		MOVQ(U32(uint32((m+fetched-1)/fetched)), gTurns)
		Label("turn" + id)
		for range fetched / 2 {
			g.fetch(s, Mem{Base: gC})
			g.fetch(s, Mem{Base: gC, Index: gLDC, Scale: 1})
			LEAQ(Mem{Base: gC, Index: gLDC, Scale: 2}, gC)
		}
		MOVQ(gSpan, gLeft)
		SUBQ(gSpan, gK)
		align(32)
		Label("some" + id)
		g.two(m, s)
		SUBQ(Imm(2), gLeft)
		JNE(LabelRef("some" + id))
		DECQ(gTurns)
		JNE(LabelRef("turn" + id))
		MOVQ(g.addr("c"), gC)
		Label("last" + id)
		SUBQ(Imm(2), gK)
		JLT(LabelRef("rest" + id))
		align(32)
		Label("two_" + id)
		g.two(m, s)
		SUBQ(Imm(2), gK)
		JGE(LabelRef("two_" + id))
		Label("rest" + id)
		ADDQ(Imm(2), gK)
		JEQ(LabelRef(fin))
		g.step("P", m, s, 0)
		JMP(LabelRef(fin))
	}

	Label("chain" + id)
	g.rows(m, func(i int, row Mem) {
		for v := range s.vecs {
			g.loadMasked(row.Offset(v*g.width()), g.by(s, v), g.acc(i, v))
		}
	})
	MOVQ(g.addr("c"), gC)
	MOVQ(g.addr("k"), gK)
	JMP(LabelRef("start" + id))
}

// fetch emits the prefetch of one row of a tile of C.
func (g *gemmGen) fetch(s shape, row Mem) {
	PREFETCHT0(row)
	PREFETCHT0(row.Offset(min(64, s.vecs*g.width()-1)))
	if s.vecs*g.width() > 64 {
		PREFETCHT0(row.Offset(s.vecs*g.width() - 1))
	}
}

// two emits two steps of k in form P, with prefetches of A and B.
func (g *gemmGen) two(m int, s shape) {
	for range 2 {
		PREFETCHT0(Mem{Base: gA[0], Disp: ahead})
		if s.vecs == 2 {
			PREFETCHT0(Mem{Base: gB, Disp: ahead / 8})
			if g.wide() {
				PREFETCHT0(Mem{Base: gB, Disp: ahead/8 + 64})
			}
		}
		g.step("P", m, s, 0)
		ADDQ(gSA, gA[0])
	}
}

// step emits one step of k; off is the offset of the column of A in form R.
func (g *gemmGen) step(form string, m int, s shape, off int) {
	for v := range s.vecs {
		g.loadMasked(Mem{Base: gB, Disp: v * g.width()}, g.by(s, v), g.b(v))
	}
	ADDQ(gLDB, gB)
	for i := range m {
		a := Mem{Base: gA[0], Disp: i * g.size()}
		if form == "R" {
			a = Mem{Base: gA[i/3], Disp: off}
			if i%3 > 0 {
				a.Index, a.Scale = gSA, uint8(i%3)
			}
		}
		if s.vecs == 1 && g.wide() {
			g.fmaBroadcast(a, g.b(0), g.acc(i, 0))
			continue
		}
		g.broadcast(a, g.tmp(i))
		for v := range s.vecs {
			g.fma231(g.b(v), g.tmp(i), g.acc(i, v))
		}
	}
}

// rows calls f with the address of each of m rows of C, and moves gC along.
func (g *gemmGen) rows(m int, f func(i int, row Mem)) {
	if m > 3 {
		LEAQ(Mem{Base: gLDC, Index: gLDC, Scale: 2}, reg.R14)
	}
	for i := range m {
		row := Mem{Base: gC}
		if i%3 > 0 {
			row.Index, row.Scale = gLDC, uint8(i%3)
		}
		f(i, row)
		if i%3 == 2 && i < m-1 {
			ADDQ(reg.R14, gC)
		}
	}
}

// finish emits what happens to the accumulators, and the step to the next panel.
func (g *gemmGen) finish(m int, s shape) {
	id := fmt.Sprintf("m%dv%s", m, s)
	Label(id)
	alpha := g.b(0)
	g.broadcast(g.addr("alpha"), alpha)
	CMPQ(g.addr("mode"), Imm(1))
	JEQ(LabelRef("add" + id))
	JGT(LabelRef("raw" + id))
	for i := range m {
		for v := range s.vecs {
			g.mul(g.acc(i, v), alpha, g.acc(i, v))
		}
	}
	Label("raw" + id)
	g.rows(m, func(i int, row Mem) {
		for v := range s.vecs {
			g.storeMasked(g.acc(i, v), g.by(s, v), row.Offset(v*g.width()))
		}
	})
	JMP(LabelRef("next" + id))

	Label("add" + id)
	g.rows(m, func(i int, row Mem) {
		for v := range s.vecs {
			at, by := row.Offset(v*g.width()), g.by(s, v)
			if by == nil {
				g.fma213(at, alpha, g.acc(i, v))
				g.store(g.acc(i, v), at)
				continue
			}
			g.loadMasked(at, by, g.tmp(0))
			g.fma213(g.tmp(0), alpha, g.acc(i, v))
			g.storeMasked(g.acc(i, v), by, at)
		}
	})
	Label("next" + id)
	SUBQ(Imm(uint64(g.nr())), gN)
	JLE(LabelRef("done"))
	MOVQ(g.addr("c"), gC)
	ADDQ(Imm(uint64(2*g.width())), gC)
	MOVQ(gC, g.addr("c"))
	MOVQ(g.addr("b"), reg.R14)
	ADDQ(g.addr("psb"), reg.R14)
	MOVQ(reg.R14, g.addr("b"))
	CMPQ(g.addr("csa"), Imm(1))
	JEQ(LabelRef(fmt.Sprintf("panelR%d", m)))
	JMP(LabelRef(fmt.Sprintf("panelP%d", m)))
}
