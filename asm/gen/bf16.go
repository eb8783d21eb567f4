package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() {
	families["bf16"] = func(isa string) {
		g := bf16{target: target{isa, "float32"}}
		g.emit("toBF16", "float32", "uint16", 4, 2, g.roundConstants, g.roundVectors, g.roundTail)
		g.emit("fromBF16", "uint16", "float32", 2, 4, func() {}, g.widenVectors, g.widenTail)
	}
}

// bf16 emits the conversions between float32 and bfloat16; the twins are in
// asm/bf16.go. They are integer arithmetic: VCVTNEPS2BF16 is not in the set that
// the library asks for, and it would flush subnormal numbers.
type bf16 struct {
	target
	one, round, quiet Op // 1, 0x7fff and 0x40 in every lane
}

// Registers.
var (
	bfX   = reg.RSI
	bfDst = reg.RDI
	bfLen = reg.RBX
)

// bfVectors is the number of float32 vectors that a loop iteration converts.
const bfVectors = 4

// emit writes one conversion between elements of the sizes from and to in bytes;
// vectors does bfVectors vectors, tail some elements of what is left.
func (g *bf16) emit(op, x, dst string, from, to int, constants, vectors, tail func()) {
	name := map[string]string{"avx2": op + "AVX2", "avx512": op + "AVX512"}[g.isa]
	TEXT(name, NOSPLIT, fmt.Sprintf("func(x []%s, dst []%s)", x, dst))
	Doc(fmt.Sprintf("%s is a kernel of Conversions; see the generic twin %s.", name, op))
	Pragma("noescape")
	Load(Param("x").Base(), bfX)
	Load(Param("x").Len(), bfLen)
	Load(Param("dst").Base(), bfDst)
	constants()
	n := bfVectors * g.lanes()
	Label("vectors")
	CMPQ(bfLen, U32(n))
	JB(LabelRef("tail"))
	vectors()
	ADDQ(U32(from*n), bfX)
	ADDQ(U32(to*n), bfDst)
	SUBQ(U32(n), bfLen)
	JMP(LabelRef("vectors"))
	Label("tail")
	TESTQ(bfLen, bfLen)
	JZ(LabelRef("done"))
	tail()
	JMP(LabelRef("tail"))
	Label("done")
	VZEROUPPER()
	RET()
}

func (g *bf16) roundConstants() {
	g.one, g.round, g.quiet = g.integer(1), g.integer(0x7fff), g.integer(0x40)
}

// integer returns a vector with value in every 32-bit lane.
func (g *bf16) integer(value int) Op {
	r, v := GP32(), g.vector()
	MOVL(U32(value), r)
	if g.wide() {
		VPBROADCASTD(r, v)
		return v
	}
	x := XMM()
	VMOVD(r, x)
	VPBROADCASTD(x, v)
	return v
}

func (g *bf16) vector() Op {
	if g.wide() {
		return ZMM()
	}
	return YMM()
}

// rounded returns the bfloat16 of the bits u in the lower halves of lanes.
func (g *bf16) rounded(u Op) Op {
	upper, r := g.vector(), g.vector()
	VPSRLD(U8(16), u, upper)
	if g.wide() {
		VPANDD(g.one, upper, r)
	} else {
		VPAND(g.one, upper, r)
	}
	VPADDD(g.round, r, r)
	VPADDD(u, r, r)
	VPSRLD(U8(16), r, r)
	if g.wide() {
		k := K()
		VCMPPS(U8(3), u, u, k) // unordered: NaN
		VPORD(g.quiet, upper, k, r)
		return r
	}
	nan := YMM()
	VCMPPS(U8(3), u, u, nan)
	VPOR(g.quiet, upper, upper)
	VBLENDVPS(nan, upper, r, r)
	return r
}

func (g *bf16) roundVectors() {
	var r [bfVectors]Op
	for i := range r {
		u := g.vector()
		g.load(Mem{Base: bfX, Disp: i * g.width()}, u)
		r[i] = g.rounded(u)
	}
	for i := range r {
		if g.wide() {
			VPMOVDW(r[i], Mem{Base: bfDst, Disp: i * 32})
		} else if i%2 == 1 {
			VPACKUSDW(r[i], r[i-1], r[i]) // within 128-bit halves
			VPERMQ(U8(0xd8), r[i], r[i])
			VMOVDQU(r[i], Mem{Base: bfDst, Disp: (i - 1) * 16})
		}
	}
}

// roundTail does a masked vector on AVX-512 and one element on AVX2.
func (g *bf16) roundTail() {
	if g.wide() {
		g.masked(func(k Op) {
			u := g.vector()
			VMOVUPS_Z(Mem{Base: bfX}, k, u)
			VPMOVDW(g.rounded(u), k, Mem{Base: bfDst})
		}, 4, 2)
		return
	}
	// The same as for vectors, in the lowest lane.
	u := YMM()
	VMOVSS(Mem{Base: bfX}, u.AsX())
	VPEXTRW(U8(0), g.rounded(u).(reg.Vec).AsX(), Mem{Base: bfDst})
	g.next(4, 2)
}

func (g *bf16) widenVectors() {
	for i := range bfVectors {
		v := g.vector()
		VPMOVZXWD(Mem{Base: bfX, Disp: i * g.width() / 2}, v)
		VPSLLD(U8(16), v, v)
		g.store(v, Mem{Base: bfDst, Disp: i * g.width()})
	}
}

// widenTail does a masked vector on AVX-512 and one element on AVX2.
func (g *bf16) widenTail() {
	if g.wide() {
		g.masked(func(k Op) {
			v := g.vector()
			VPMOVZXWD_Z(Mem{Base: bfX}, k, v)
			VPSLLD(U8(16), v, v)
			VMOVUPS(v, k, Mem{Base: bfDst})
		}, 2, 4)
		return
	}
	r := GP32()
	MOVWLZX(Mem{Base: bfX}, r)
	SHLL(U8(16), r)
	MOVL(r, Mem{Base: bfDst})
	g.next(2, 4)
}

// masked emits body for the next elements, as many as are left up to a vector.
func (g *bf16) masked(body func(k Op), from, to int) {
	n, lanes, bits, k := GP64(), GP64(), GP32(), K()
	MOVQ(bfLen, n)
	MOVQ(U32(g.lanes()), lanes)
	CMPQ(n, lanes)
	CMOVQHI(lanes, n)
	MOVQ(n, reg.RCX)
	MOVL(U32(1), bits)
	SHLL(reg.CL, bits)
	DECL(bits)
	KMOVW(bits, k)
	body(k)
	LEAQ(Mem{Base: bfX, Index: n, Scale: uint8(from)}, bfX)
	LEAQ(Mem{Base: bfDst, Index: n, Scale: uint8(to)}, bfDst)
	SUBQ(n, bfLen)
}

// next steps over one element.
func (g *bf16) next(from, to int) {
	ADDQ(U32(from), bfX)
	ADDQ(U32(to), bfDst)
	DECQ(bfLen)
}
