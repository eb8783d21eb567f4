package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() {
	families["fused"] = func(isa string) {
		for _, elem := range elems {
			target{isa, elem}.fused()
		}
	}
}

// Indices of the scalars, as in asm/fused.go.
const (
	momentumMu = iota
	momentumGain
	momentumLookM
	momentumLookG
	momentumRate
	momentumDecay
	momentumL2
	momentumScale
)

const (
	adamBeta1 = iota
	adamBeta2
	adamEps
	adamRate
	adamRoot
	adamDecay
	adamL2
	adamScale
)

// coef returns scalar i of the array h in all elements.
func (e *each) coef(i int) Op { return e.as(e.hoist[i]) }

// scalars loads the scalars of the array h.
func (e *each) scalars() {
	h := e.load64(Param("h"))
	for i := range 8 {
		v := e.kernel.vec()
		e.kernel.broadcast(Mem{Base: h, Disp: i * e.kernel.size()}, v)
		e.hoist[i] = v
	}
}

// oneMinus makes the constant name = 1 − v.
func (e *each) oneMinus(v Op, name string) {
	w := e.kernel.vec()
	e.kernel.fill(e.kernel.bits(1), w)
	e.kernel.sub(w, v, w)
	e.consts[name] = w
}

func (t target) fused() {
	ema := func(e *each) { e.oneMinus(e.consts["beta"], "w") }
	// gradient returns g' and p.
	gradient := func(e *each, scale, l2 int) (g, p reg.VecVirtual) {
		g, p = e.times(e.coef(scale), e.get("g")), e.get("p")
		t.fma231(e.coef(l2), p, g)
		return g, p
	}
	// average returns fma(beta, old, x).
	average := func(e *each, beta int, vec string, x reg.VecVirtual) reg.VecVirtual {
		old := e.get(vec)
		t.fma213(x, e.coef(beta), old)
		return old
	}
	// step moves p by −rate·d, after the decay.
	step := func(e *each, p, d reg.VecVirtual, rate, decay int) {
		t.fnma231(e.coef(decay), p, p)
		t.fnma231(e.coef(rate), d, p)
		e.put(p, "p")
	}
	for _, d := range []eachSpec{
		{op: "ema", signature: "func(beta T, x, y []T)", scalars: []string{"beta"}, vecs: []string{"x", "y"}, setup: ema, body: func(e *each) {
			x, y := e.times(e.k("w"), e.get("x")), e.get("y")
			t.fma213(x, e.k("beta"), y)
			e.put(y, "y")
		}},
		{op: "emaSq", signature: "func(beta T, x, y []T)", scalars: []string{"beta"}, vecs: []string{"x", "y"}, setup: ema, body: func(e *each) {
			x, y := e.get("x"), e.get("y")
			w := e.times(e.k("w"), x)
			t.mul(w, x, w)
			t.fma213(w, e.k("beta"), y)
			e.put(y, "y")
		}},
		{op: "sqrtDivTo", signature: "func(eps T, x, v, dst []T)", scalars: []string{"eps"}, vecs: []string{"x", "v", "dst"}, body: func(e *each) {
			x, v := e.get("x"), e.get("v")
			t.sqrt(v, v)
			t.add(v, e.k("eps"), v)
			t.div(x, v, x)
			e.put(x, "dst")
		}},
		{op: "momentum", signature: "func(h *[8]T, g, m, p []T)", vecs: []string{"g", "m", "p"}, unroll: 2, setup: (*each).scalars, body: func(e *each) {
			g, p := gradient(e, momentumScale, momentumL2)
			m := average(e, momentumMu, "m", e.times(e.coef(momentumGain), g))
			d := e.times(e.coef(momentumLookG), g)
			t.fma231(e.coef(momentumLookM), m, d)
			e.put(m, "m")
			step(e, p, d, momentumRate, momentumDecay)
		}},
		{op: "adam", signature: "func(h *[8]T, g, m, v, p []T)", vecs: []string{"g", "m", "v", "p"}, unroll: 2, setup: func(e *each) {
			e.scalars()
			e.oneMinus(e.hoist[adamBeta1], "w1")
			e.oneMinus(e.hoist[adamBeta2], "w2")
		}, body: func(e *each) {
			g, p := gradient(e, adamScale, adamL2)
			m := average(e, adamBeta1, "m", e.times(e.k("w1"), g))
			v := average(e, adamBeta2, "v", e.times(e.times(e.k("w2"), g), g))
			e.put(m, "m")
			e.put(v, "v")
			t.sqrt(v, v)
			t.mul(v, e.coef(adamRoot), v)
			t.add(v, e.coef(adamEps), v)
			t.div(m, v, m)
			step(e, p, m, adamRate, adamDecay)
		}},
		{op: "adaMax", signature: "func(h *[8]T, g, m, u, p []T)", vecs: []string{"g", "m", "u", "p"}, unroll: 2, setup: func(e *each) {
			e.scalars()
			e.oneMinus(e.hoist[adamBeta1], "w1")
			sign := t.vec()
			t.fill(t.absBits(), sign)
			e.consts["sign"] = sign
		}, body: func(e *each) {
			g, p := gradient(e, adamScale, adamL2)
			m := average(e, adamBeta1, "m", e.times(e.k("w1"), g))
			t.and(g, e.k("sign"), g)
			t.add(g, e.coef(adamEps), g)
			old := e.times(e.coef(adamBeta2), e.get("u"))
			u := e.tmp()
			t.max(g, old, u)
			t.keepNaN(e.span, g, u)
			e.put(m, "m")
			e.put(u, "u")
			t.div(m, u, m)
			step(e, p, m, adamRate, adamDecay)
		}},
	} {
		t.each(d)
	}
}

// keepNaN does v = a where a is NaN.
func (t target) keepNaN(s span, a, v reg.VecVirtual) {
	const unordered = 3
	if t.wide() {
		pick(t, VCMPPS, VCMPPD, U8(unordered), a, a, reg.K2)
		pick(t, VMOVAPS, VMOVAPD, a, reg.K2, v)
		return
	}
	nan := s.tmp()
	pick(t, VCMPPS, VCMPPD, U8(unordered), a, a, nan)
	if t.f32() {
		VBLENDVPS(nan, a, v, v)
	} else {
		VBLENDVPD(nan, a, v, v)
	}
}
