package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() {
	families["level2"] = func(isa string) {
		for _, elem := range elems {
			t := target{isa, elem}
			var table Mem
			if !t.wide() {
				table = tailMask(t.name("level2Mask"))
			}
			t.gemvN(table)
			t.gemvT()
			t.ger()
			t.dotAxpy(table)
		}
	}
}

// rows are up to eight rows of a matrix, at the same column: four to a pointer.
type rows struct {
	p         []reg.GPVirtual
	lda, lda3 reg.GPVirtual // bytes
}

// matrix loads lda, and where more than three rows are taken at once 3·lda.
func (k kernel) matrix() rows {
	r := rows{lda: k.load64(Param("lda")), lda3: GP64()}
	if k.f32() {
		SHLQ(U8(2), r.lda)
	} else {
		SHLQ(U8(3), r.lda)
	}
	LEAQ(Mem{Base: r.lda, Index: r.lda, Scale: 2}, r.lda3)
	return r
}

// from points r at n rows that begin at a.
func (r rows) from(a reg.GPVirtual, n int) rows {
	r.p = nil
	for i := 0; i < n; i += 4 {
		p := GP64()
		if i == 0 {
			MOVQ(a, p)
		} else {
			LEAQ(Mem{Base: a, Index: r.lda, Scale: 4}, p)
		}
		r.p = append(r.p, p)
	}
	return r
}

// at addresses row i.
func (r rows) at(i int) Mem {
	m := Mem{Base: r.p[i/4]}
	switch i % 4 {
	case 1, 2:
		m.Index, m.Scale = r.lda, uint8(i%4)
	case 3:
		m.Index, m.Scale = r.lda3, 1
	}
	return m
}

func (r rows) advance(bytes int) {
	for _, p := range r.p {
		ADDQ(U32(uint32(bytes)), p)
	}
}

// blocks emits body for as many rows at once as sizes says, in decreasing order,
// until m rows are done. a moves on by itself.
func (r rows) blocks(m, a reg.GPVirtual, sizes []int, body func(n int)) {
	for _, n := range sizes {
		loop, end := newLabel("rows"), newLabel("rowsEnd")
		SUBQ(I8(n), m)
		JB(LabelRef(end))
		Label(loop)
		body(n)
		LEAQ(Mem{Base: a, Index: r.lda, Scale: uint8(n)}, a)
		SUBQ(I8(n), m)
		JAE(LabelRef(loop))
		Label(end)
		if n > 1 {
			ADDQ(I8(n), m)
		}
	}
}

// gemvN emits y_i = fma(alpha, Dot(a_i, x), y_i): four rows at once on AVX-512,
// one on AVX2, where the lanes of a row take half of the registers.
func (t target) gemvN(table Mem) {
	k := t.enter("gemvN", "func(m, n int, alpha T, a []T, lda int, x, y []T)")
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
	m, a, y, mat := k.load64(Param("m")), k.base("a"), k.base("y"), k.matrix()
	alpha := k.scalar("alpha")
	mat.blocks(m, a, sizes, func(rows int) {
		r := mat.from(a, rows)
		x, n := k.base("x"), k.load64(Param("n"))
		acc := make([][]reg.VecVirtual, rows)
		for i := range acc {
			acc[i] = t.accumulators()
		}
		t.reduce(n, func(bytes int) {
			r.advance(bytes)
			ADDQ(U32(uint32(bytes)), x)
		}, func(j int, by *mask) {
			v := t.vec()
			t.loadMasked(Mem{Base: x, Disp: j * t.width()}, by, v)
			for i := range rows {
				var ai Op = plus(r.at(i), j*t.width())
				if by != nil && !t.wide() {
					w := t.vec()
					t.loadMasked(ai, by, w)
					ai = w
				}
				t.accumulateLoaded(ai, v, acc[i][j], by)
			}
		})
		var dots, al Op
		s := span{target: t, first: rows}
		switch {
		case rows == 1:
			dots, al = t.fold(acc[0]), alpha.AsX()
		case t.f32():
			dots, al = t.foldFour(acc).AsX(), alpha.AsX()
		default: // four float64 are a ymm register
			dots, al = t.foldFour(acc).AsY(), alpha.AsY()
			old := YMM()
			t.load(Mem{Base: y}, old)
			t.fma231(al, dots, old)
			t.store(old, Mem{Base: y})
			ADDQ(I8(4*t.size()), y)
			return
		}
		old := s.in(Mem{Base: y})
		t.fma231(al, dots, old)
		s.out(old, Mem{Base: y})
		ADDQ(I8(rows*t.size()), y)
	})
	leave()
}

// foldFour folds the accumulators of four rows at once; their sums are the first
// four elements of the result. AVX-512 only. K2 selects one element in 128 bits.
func (t target) foldFour(acc [][]reg.VecVirtual) reg.VecVirtual {
	halves := func(a, b reg.VecVirtual, lo, hi uint8) reg.VecVirtual {
		u, v := ZMM(), ZMM()
		VSHUFF64X2(U8(lo), b, a, u)
		VSHUFF64X2(U8(hi), b, a, v)
		t.add(u, v, u)
		return u
	}
	for i := range acc {
		t.foldVectors(acc[i])
	}
	ab := halves(acc[0][0], acc[1][0], 0x44, 0xee)
	cd := halves(acc[2][0], acc[3][0], 0x44, 0xee)
	v := halves(ab, cd, 0x88, 0xdd) // 128 bits to a row
	w := ZMM()
	VPERMILPD(U8(0x55), v, w)
	t.add(v, w, v)
	if t.f32() {
		VPERMILPS(U8(0xb1), v, w)
		t.add(v, w, v)
		VCOMPRESSPS_Z(v, reg.K2, v)
	} else {
		VCOMPRESSPD_Z(v, reg.K2, v)
	}
	return v
}

// factors returns T(alpha·x_i) for the next n elements of x, which moves on.
func (k kernel) factors(alpha reg.VecVirtual, x reg.GPVirtual, n int) []reg.VecVirtual {
	f := make([]reg.VecVirtual, n)
	for i := range f {
		f[i] = k.vec()
		k.broadcast(Mem{Base: x, Disp: i * k.size()}, f[i])
		k.mul(alpha, f[i], f[i])
	}
	ADDQ(I8(n*k.size()), x)
	return f
}

// gemvTAhead is how many bytes ahead gemvT fetches each of eight rows on AVX2, which
// by itself has too few lines of them under way to fill the bandwidth of the memory.
// AVX-512 has enough, and so have kernels that read fewer streams: those are slower
// with anything more to load.
const gemvTAhead = 1024

// gemvT emits y_j = fma(T(alpha·x_i), a_ij, y_j) for i up, eight rows to a pass
// over y.
func (t target) gemvT() {
	const most = 8
	k := t.enter("gemvT", "func(m, n int, alpha T, a []T, lda int, x, y []T)")
	m, a, x, mat := k.load64(Param("m")), k.base("a"), k.base("x"), k.matrix()
	alpha := k.scalar("alpha")
	mat.blocks(m, a, []int{most, 4, 2, 1}, func(rows int) {
		r, f := mat.from(a, rows), k.factors(alpha, x, rows)
		y, n := k.base("y"), k.load64(Param("n"))
		t.sweep(n, 4, func(bytes int) {
			r.advance(bytes)
			ADDQ(U32(uint32(bytes)), y)
		}, func(spans []span) {
			v := make([]reg.VecVirtual, len(spans))
			for j, s := range spans {
				v[j] = s.in(Mem{Base: y})
			}
			for i := range rows {
				for j, s := range spans {
					if rows == most && len(spans) > 1 && !t.wide() && s.disp%64 == 0 {
						PREFETCHT0(plus(r.at(i), s.disp+gemvTAhead))
					}
					t.fma231(s.memory(r.at(i)), s.as(f[i]), v[j])
				}
			}
			for j, s := range spans {
				s.out(v[j], Mem{Base: y})
			}
		})
	})
	leave()
}

// memory returns the span at m as an operand: in memory if it is a full vector.
func (s span) memory(m Mem) Op {
	if s.first == 0 {
		return plus(m, s.disp)
	}
	return s.in(m)
}

// ger emits a_ij = fma(T(alpha·x_i), y_j, a_ij). Short rows are taken four at
// once, which saves loads of y and overhead; long ones, which may come from
// memory, one by one, since four streams that are read and written at once reach
// less of its bandwidth.
func (t target) ger() {
	const long = 512
	k := t.enter("ger", "func(m, n int, alpha T, x, y []T, a []T, lda int)")
	m, a, x, mat := k.load64(Param("m")), k.base("a"), k.base("x"), k.matrix()
	alpha := k.scalar("alpha")
	body := func(rows, unroll int) func(int) {
		return func(int) {
			r, f := mat.from(a, rows), k.factors(alpha, x, rows)
			y, n := k.base("y"), k.load64(Param("n"))
			t.sweep(n, unroll, func(bytes int) {
				r.advance(bytes)
				ADDQ(U32(uint32(bytes)), y)
			}, func(spans []span) {
				for _, s := range spans {
					v := s.in(Mem{Base: y})
					for i := range rows {
						w := s.in(r.at(i))
						t.fma231(s.as(f[i]), v, w)
						s.out(w, r.at(i))
					}
				}
			})
		}
	}
	single := newLabel("single")
	CMPQ(address(Param("n")), U32(long))
	JGE(LabelRef(single))
	mat.blocks(m, a, []int{4}, body(4, 2))
	Label(single)
	mat.blocks(m, a, []int{1}, body(1, 4))
	leave()
}

// dotAxpy emits Dot(a, x) and y = fma(t, a, y) in one pass over a.
func (t target) dotAxpy(table Mem) {
	k := t.enter("dotAxpy", "func(t T, a, x, y []T) T")
	n := k.length("a")
	t.setLast(n, table)
	a, x, y, i, f := k.base("a"), k.base("x"), k.base("y"), index(), k.scalar("t")
	acc := t.accumulators()
	t.reduce(n, func(bytes int) { ADDQ(U32(uint32(bytes)), i) }, func(j int, by *mask) {
		at := func(p reg.GPVirtual) Mem { return Mem{Base: p, Index: i, Scale: 1, Disp: j * t.width()} }
		if by != nil { // y follows below
			t.accumulate(at(a), at(x), acc[j], by)
			return
		}
		v, w := t.vec(), t.vec()
		t.load(at(a), v)
		t.load(at(y), w)
		t.fma231(f, v, w)
		t.store(w, at(y))
		t.accumulateLoaded(at(x), v, acc[j], nil)
	})
	n, i = k.length("a"), GP64()
	MOVQ(n, i)
	ANDQ(I8(-t.lanes()), i)
	at := func(p reg.GPVirtual) Mem { return Mem{Base: p, Index: i, Scale: uint8(t.size())} }
	t.rest(n, func(bytes int) { ADDQ(I8(bytes/t.size()), i) }, func(spans []span) {
		s := spans[0]
		v, w := s.in(at(a)), s.in(at(y))
		t.fma231(s.as(f), v, w)
		s.out(w, at(y))
	})
	t.storeOne(t.fold(acc), address(ReturnIndex(0)))
	leave()
}
