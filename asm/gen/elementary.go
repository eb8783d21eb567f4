package main

import (
	"fmt"
	"strings"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() {
	families["elementary"] = func(isa string) {
		for _, elem := range elems {
			g := elementary{target: target{isa, elem}}
			if !g.wide() {
				g.tail = tailMask(g.name("elementaryTail"))
			}
			// The number of vectors in flight is what the registers allow.
			wide, narrow := 4, 2
			g.emit("exp", "expTable", wide, narrow, g.exp)
			g.emit("log", "logTable", 3, 2, g.log)
			g.emit("tanh", "expTable", wide, 2, g.tanh)
			g.emit("sigmoid", "expTable", wide, 1, g.sigmoid)
		}
	}
}

// elementary emits the elementary functions. The twins in asm/elementary.go say
// what is computed; names of values are theirs. Constants come from the tables
// of the twins.
//
// A body works on a vec of several vectors at once, instruction by instruction,
// so that the chains of dependent operations of one hide behind those of others.
type elementary struct {
	target
	tail Mem // see tailMask
	n    int // vectors in a vec
}

// A vec is some vectors on which the same is done.
type vec []Op

// Indices of the constants in the tables, as in asm/elementary.go.
const (
	kExpLo = iota
	kExpHi
	kTanhHi
	kLog2E
	kMagic
	kLn2Hi
	kLn2Lo
	kOne
	kTwo
	kSign
	kBias
	kQ
)

const (
	lOne = iota
	lTwo
	lHalf
	lHi
	lLo
	lInf
	lMinusInf
	lMinNormal
	lUp
	lUpExp
	lBottom
	lOffset
	lMantissa
	lToFloat
	lToFloat2
	lL
)

// Registers.
var (
	elX     = reg.RSI
	elDst   = reg.RDI
	elLen   = reg.RBX
	elTable = reg.RDX
	elTmp   = reg.RAX
)

// emit writes the kernel of one function: a loop over some vectors at a time, a
// loop over single vectors, and a masked vector.
func (g *elementary) emit(op, table string, wide, narrow int, body func(x vec) vec) {
	unroll := narrow
	if g.wide() {
		unroll = wide
	}
	name := g.name(op)
	TEXT(name, NOSPLIT, fmt.Sprintf("func(x, dst []%s)", g.elem))
	Doc(fmt.Sprintf("%s is the kernel Kernels.%sTo; see the generic twin %sTo.", name, strings.ToUpper(op[:1])+op[1:], op))
	Pragma("noescape")
	Load(Param("x").Base(), elX)
	Load(Param("x").Len(), elLen)
	Load(Param("dst").Base(), elDst)
	LEAQ(Mem{Symbol: Symbol{Name: fmt.Sprintf("·%s%d", table, 8*g.size())}, Base: reg.StaticBase}, elTable)
	g.loop("many", unroll, body)
	if unroll > 1 {
		g.loop("single", 1, body)
	}
	TESTQ(elLen, elLen)
	JZ(LabelRef("done"))
	by := &mask{k: reg.K1}
	if !g.wide() {
		by.y = YMM()
	}
	g.setMask(by, elLen, elTmp, g.tail)
	g.n = 1
	x := vec{g.reg()}
	g.loadMasked(Mem{Base: elX}, by, x[0])
	g.storeMasked(body(x)[0], by, Mem{Base: elDst})
	Label("done")
	VZEROUPPER()
	RET()
}

// loop emits a loop that takes n vectors at a time while there are as many.
func (g *elementary) loop(label string, n int, body func(x vec) vec) {
	g.n = n
	CMPQ(elLen, U32(n*g.lanes()))
	JB(LabelRef(label + "Done"))
	Label(label)
	x := g.regs()
	for i := range x {
		g.load(Mem{Base: elX, Disp: i * g.width()}, x[i])
	}
	for i, y := range body(x) {
		g.store(y, Mem{Base: elDst, Disp: i * g.width()})
	}
	ADDQ(U32(n*g.width()), elX)
	ADDQ(U32(n*g.width()), elDst)
	SUBQ(U32(n*g.lanes()), elLen)
	CMPQ(elLen, U32(n*g.lanes()))
	JAE(LabelRef(label))
	Label(label + "Done")
}

// exp emits exp.
func (g *elementary) exp(x vec) vec {
	x = g.op2(g.max, x, g.k(kExpLo)) // these hand on NaN
	x = g.op2(g.min, x, g.k(kExpHi))
	t, r, _, q := g.reduce(x, false)
	one := g.k(kOne)
	g.fma(q, r, one)
	g.fma(q, r, one)
	if g.wide() {
		return g.op2(g.scalef, t, q)
	}
	s1, s2 := g.powers(t)
	return g.op2(g.mul, s2, g.op2(g.mul, s1, q))
}

// reduce emits expReduce. Its t is n + kMagic on AVX2, for powers, and n itself
// on AVX-512, whose VSCALEF takes that. Without low there is no rl.
func (g *elementary) reduce(y vec, low bool) (t, r, rl, q vec) {
	magic := g.k(kMagic)
	t = g.copy(y)
	g.fma(t, g.k(kLog2E), magic)
	n := g.op2(g.sub, magic, t)
	r = y
	g.fnmaAdd(r, n, g.k(kLn2Hi))
	lo := g.k(kLn2Lo)
	if low {
		rl = r
		r = g.copy(r)
	}
	g.fnmaAdd(r, n, lo)
	if low {
		rl = g.op2(g.sub, r, rl)
		g.fnmaAdd(rl, n, lo)
	}
	count := 6
	if !g.f32() {
		count = 11
	}
	if g.wide() {
		t = n
	}
	return t, r, rl, g.horner(kQ, count, r)
}

// powers emits powers; AVX2 only. It overwrites t.
func (g *elementary) powers(t vec) (s1, s2 vec) {
	shift := U8(23)
	right, left, sub := VPSRLD, VPSLLD, VPSUBD
	if !g.f32() {
		shift = 52
		right, left, sub = VPSRLQ, VPSLLQ, VPSUBQ
	}
	s1, s2 = g.regs(), t
	for i := range t {
		right(U8(1), t[i], s1[i])
		sub(s1[i], t[i], s2[i])
		left(shift, s1[i], s1[i])
		left(shift, s2[i], s2[i])
	}
	return s1, s2
}

// power returns 2ⁿ where it is normal.
func (g *elementary) power(t vec) vec {
	if g.wide() {
		return g.op2(g.scalef, t, g.k(kOne))
	}
	bias := g.k(kBias)
	for i := range t {
		if g.f32() {
			VPSUBD(bias[i], t[i], t[i])
			VPSLLD(U8(23), t[i], t[i])
		} else {
			VPSUBQ(bias[i], t[i], t[i])
			VPSLLQ(U8(52), t[i], t[i])
		}
	}
	return t
}

// expm1Parts emits expm1Parts.
func (g *elementary) expm1Parts(r, rl, q vec) (h, l vec) {
	r2 := g.op2(g.mul, r, r)
	h = g.copy(r2)
	g.fma(h, q, r)
	l = r2
	g.fma(l, q, g.op2(g.sub, h, r))
	l = g.op2(g.add, l, rl)
	g.fmaAdd(l, rl, h)
	return h, l
}

// tanh emits tanh.
func (g *elementary) tanh(x vec) vec {
	sign := g.k(kSign)
	y := g.op2(g.andNot, x, sign) // |x|
	y = g.op2(g.min, y, g.k(kTanhHi))
	y = g.op2(g.add, y, y)
	y = g.op2(g.or, y, sign)
	t, r, rl, q := g.reduce(y, true)
	h, l := g.expm1Parts(r, rl, q)
	s := g.power(t)
	one := g.k(kOne)
	u := g.op2(g.sub, one, s)
	ul := g.op2(g.sub, g.op2(g.add, u, one), s)
	w := g.copy(h)
	g.fma(w, s, u)
	u = g.op2(g.add, ul, g.op2(g.sub, w, u))
	g.fma(h, s, u)
	g.fma(l, s, h) // wl
	two := g.k(kTwo)
	d := g.op2(g.add, w, two)
	dl := g.op2(g.sub, d, two)
	dl = g.op2(g.add, w, dl)
	dl = g.op2(g.add, l, dl)
	z := g.quotient(w, l, d, dl)
	if g.wide() { // sign ? x : z, bit by bit
		for i := range z {
			pick(g.target, VPTERNLOGD, VPTERNLOGQ, U8(0xd8), sign[i], x[i], z[i])
		}
		return z
	}
	return g.op2(g.or, g.op2(g.and, x, sign), g.op2(g.andNot, z, sign))
}

// sigmoid emits the logistic sigmoid.
func (g *elementary) sigmoid(x vec) vec {
	y := g.op2(g.or, x, g.k(kSign)) // −|x|
	y = g.op2(g.max, y, g.k(kExpLo))
	t, r, rl, q := g.reduce(y, true)
	h, l := g.expm1Parts(r, rl, q)
	var s, s1, s2 vec
	if g.wide() {
		s = g.op2(g.scalef, t, g.k(kOne))
	} else {
		s1, s2 = g.powers(t)
		s = g.op2(g.mul, s1, s2)
	}
	one := g.k(kOne)
	e := g.op2(g.add, h, one)
	el := g.op2(g.sub, e, one)
	el = g.op2(g.add, h, el)
	el = g.op2(g.add, l, el)
	d := g.copy(s)
	g.fma(d, e, one)
	dl := g.op2(g.sub, d, one)
	g.fmaAdd(dl, s, e)
	g.fmaAdd(dl, s, el)
	if g.wide() {
		negative := g.signs(x)
		n := g.copy(one)
		for i := range n {
			pick(g.target, VMOVAPS, VMOVAPD, e[i], negative[i], n[i])
			if g.f32() {
				VMOVAPS_Z(el[i], negative[i], el[i])
			} else {
				VMOVAPD_Z(el[i], negative[i], el[i])
			}
		}
		z := g.quotient(n, el, d, dl)
		for i := range z {
			pick(g.target, VSCALEFPS, VSCALEFPD, t[i], z[i], negative[i], z[i])
		}
		return z
	}
	e = g.blend(x, e, one)
	el = g.blend(x, el, g.zeros())
	z := g.quotient(e, el, d, dl)
	return g.blend(x, g.op2(g.mul, s2, g.op2(g.mul, s1, z)), z)
}

// quotient emits quotient; it overwrites n and nl.
func (g *elementary) quotient(n, nl, d, dl vec) vec {
	y := g.op2(g.div, d, g.k(kOne))
	q := g.op2(g.mul, n, y)
	g.fnmaAdd(n, q, d)
	n = g.op2(g.add, nl, n)
	g.fnmaAdd(n, q, dl)
	g.fma(n, y, q)
	return n
}

// log emits log.
func (g *elementary) log(x vec) vec {
	m, e, special := g.split(x)
	f := g.op2(g.sub, g.k(lOne), m)
	s := g.op2(g.div, g.op2(g.add, f, g.k(lTwo)), f)
	z := g.op2(g.mul, s, s)
	half := g.op2(g.mul, f, g.k(lHalf))
	count := 3
	if !g.f32() {
		count = 7
	}
	w := g.horner(lL, count, z)
	g.fma(w, z, g.op2(g.mul, half, f))
	g.fma(w, s, g.op2(g.mul, e, g.k(lLo)))
	c := g.op2(g.mul, e, g.k(lHi))
	a := g.op2(g.add, c, f)
	al := g.op2(g.sub, a, c)
	al = g.op2(g.add, f, al)
	g.fnmaAdd(w, half, f)
	v := g.op2(g.add, a, g.op2(g.add, al, w))
	return special(v)
}

// split emits split. What it also returns emits the results for special x.
func (g *elementary) split(x vec) (m, e vec, special func(v vec) vec) {
	if g.wide() {
		m, e = g.regs(), g.regs()
		me := g.regs()
		for i := range x {
			// Significands in [3/4, 3/2), NaN for negative x.
			pick(g.target, VGETMANTPS, VGETMANTPD, U8(0xb), x[i], m[i])
			pick(g.target, VGETEXPPS, VGETEXPPD, x[i], e[i]) // −Inf for 0, +Inf for +Inf
			pick(g.target, VGETEXPPS, VGETEXPPD, m[i], me[i])
		}
		ex := e
		e = g.op2(g.sub, me, e)
		return m, e, func(v vec) vec {
			for i := range v {
				k := K()
				pick(g.target, VFPCLASSPSZ, VFPCLASSPDZ, U8(0xe), x[i], k) // ±0, +Inf
				pick(g.target, VMOVAPS, VMOVAPD, ex[i], k, v[i])
			}
			return v
		}
	}
	small := g.cmp(cmpLT, g.k(lMinNormal), x)
	u := g.blend(small, g.op2(g.mul, x, g.k(lUp)), x)
	up := g.op2(g.and, small, g.k(lUpExp))
	add, shift, by := VPADDD, VPSRLD, U8(23)
	if !g.f32() {
		add, shift, by = VPADDQ, VPSRLQ, 52
	}
	offset, bottom := g.k(lOffset), g.k(lBottom)
	e = g.regs()
	for i := range u {
		add(offset[i], u[i], u[i])
		shift(by, u[i], e[i])
	}
	e = g.op2(g.or, e, g.k(lToFloat))
	e = g.op2(g.sub, g.k(lToFloat2), e)
	e = g.op2(g.sub, up, e)
	m = g.op2(g.and, u, g.k(lMantissa))
	for i := range m {
		add(bottom[i], m[i], m[i])
	}
	return m, e, func(v vec) vec {
		inf := g.k(lInf)
		v = g.blend(g.cmp(cmpEQ, inf, x), x, v)
		zero := g.zeros()
		v = g.op2(g.or, g.cmp(cmpNGE, zero, x), v) // all ones is NaN
		return g.blend(g.cmp(cmpEQ, zero, x), g.k(lMinusInf), v)
	}
}

// reg returns a new register, regs a vec of new ones, k a constant.
func (g *elementary) reg() Op {
	if g.wide() {
		return ZMM()
	}
	return YMM()
}

func (g *elementary) regs() vec {
	v := make(vec, g.n)
	for i := range v {
		v[i] = g.reg()
	}
	return v
}

func (g *elementary) k(index int) vec {
	r := g.reg()
	g.broadcast(g.constant(index), r)
	v := make(vec, g.n)
	for i := range v {
		v[i] = r
	}
	return v
}

func (g *elementary) constant(index int) Mem {
	return Mem{Base: elTable, Disp: index * g.size()}
}

func (g *elementary) zeros() vec {
	v := g.regs()
	for i := range v {
		g.zero(v[i])
	}
	return v
}

func (g *elementary) copy(x vec) vec {
	v := g.regs()
	for i := range v {
		pick(g.target, VMOVAPS, VMOVAPD, x[i], v[i])
	}
	return v
}

// op2 returns b ∘ a for the operation f, in the assembler's order of operands.
func (g *elementary) op2(f func(a, b, dst Op), a, b vec) vec {
	v := g.regs()
	for i := range v {
		f(a[i], b[i], v[i])
	}
	return v
}

func (g *elementary) add(a, b, dst Op)    { pick(g.target, VADDPS, VADDPD, a, b, dst) }
func (g *elementary) sub(a, b, dst Op)    { pick(g.target, VSUBPS, VSUBPD, a, b, dst) }
func (g *elementary) div(a, b, dst Op)    { pick(g.target, VDIVPS, VDIVPD, a, b, dst) }
func (g *elementary) min(a, b, dst Op)    { pick(g.target, VMINPS, VMINPD, a, b, dst) }
func (g *elementary) max(a, b, dst Op)    { pick(g.target, VMAXPS, VMAXPD, a, b, dst) }
func (g *elementary) and(a, b, dst Op)    { pick(g.target, VANDPS, VANDPD, a, b, dst) }
func (g *elementary) andNot(a, b, dst Op) { pick(g.target, VANDNPS, VANDNPD, a, b, dst) }
func (g *elementary) or(a, b, dst Op)     { pick(g.target, VORPS, VORPD, a, b, dst) }
func (g *elementary) scalef(a, b, dst Op) { pick(g.target, VSCALEFPS, VSCALEFPD, a, b, dst) }

// fma does p = p·x + c, fmaAdd acc += x·y, fnmaAdd acc −= x·y.
func (g *elementary) fma(p, x, c vec) {
	for i := range p {
		g.fma213(c[i], x[i], p[i])
	}
}

func (g *elementary) fmaAdd(acc, x, y vec) {
	for i := range acc {
		g.fma231(x[i], y[i], acc[i])
	}
}

func (g *elementary) fnmaAdd(acc, x, y vec) {
	for i := range acc {
		g.fnma231(x[i], y[i], acc[i])
	}
}

// horner returns the polynomial with count constants from index on as
// coefficients, highest power first.
func (g *elementary) horner(index, count int, x vec) vec {
	p := g.regs()
	for i := range p {
		g.broadcast(g.constant(index), p[i])
	}
	for j := 1; j < count; j++ {
		g.fma(p, x, g.k(index+j))
	}
	return p
}

// Predicates of cmp: quiet, false for NaN except NGE.
const cmpEQ, cmpLT, cmpNGE = U8(0), U8(17), U8(25)

// cmp returns ones where b predicate a, and zeros elsewhere; AVX2 only.
func (g *elementary) cmp(predicate U8, a, b vec) vec {
	v := g.regs()
	for i := range v {
		pick(g.target, VCMPPS, VCMPPD, predicate, a[i], b[i], v[i])
	}
	return v
}

// blend returns a where the sign of by is set and b elsewhere; AVX2 only.
func (g *elementary) blend(by, a, b vec) vec {
	v := g.regs()
	for i := range v {
		if g.f32() {
			VBLENDVPS(by[i], a[i], b[i], v[i])
		} else {
			VBLENDVPD(by[i], a[i], b[i], v[i])
		}
	}
	return v
}

// signs returns mask registers with the signs of x; AVX-512 only.
func (g *elementary) signs(x vec) vec {
	v := make(vec, g.n)
	for i := range v {
		v[i] = K()
		if g.f32() {
			VPMOVD2M(x[i], v[i])
		} else {
			VPMOVQ2M(x[i], v[i])
		}
	}
	return v
}
