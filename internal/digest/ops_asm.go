package digest

import (
	"slices"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/dense"
)

// asmOps lists the kernels, one line for each entry of the table.
func asmOps[T dense.Float]() []op[T] {
	return slices.Concat(reductions[T](), elementwise[T](), updates[T](), elementary[T](), level2[T](), level3[T](), secular[T]())
}

// lengths are the vector lengths of the level-1 kernels: around the number of
// lanes and its multiples.
func lengths[T dense.Float]() []int {
	l := asm.Lanes[T]()
	return []int{0, 1, 2, 7, l/2 + 1, l - 1, l, l + 1, 2*l - 1, 3*l + l/4, 8*l + 5}
}

var classes = []class{plain, wide, hard}

// eachVector calls f for all lengths and classes.
func eachVector[T dense.Float](f func(c class, n int)) {
	for _, c := range classes {
		for _, n := range lengths[T]() {
			f(c, n)
		}
	}
}

func reductions[T dense.Float]() []op[T] {
	k := asm.For[T]()
	reduce := func(name string, f func(x []T) T) op[T] {
		return op[T]{"asm." + name, func(e *env[T]) {
			eachVector[T](func(c class, n int) { e.put(f(e.vec(c, n))) })
		}}
	}
	return []op[T]{
		{"asm.Dot", func(e *env[T]) {
			eachVector[T](func(c class, n int) { e.put(k.Dot(e.vec(c, n), e.vec(c, n))) })
		}},
		reduce("Sum", k.Sum), reduce("AbsSum", k.AbsSum), reduce("SumSq", k.SumSq), reduce("MaxAbs", k.MaxAbs),
		{"asm.IMaxAbs", func(e *env[T]) {
			eachVector[T](func(c class, n int) { e.putInt(k.IMaxAbs(e.vec(c, n))) })
		}},
	}
}

func elementwise[T dense.Float]() []op[T] {
	k := asm.For[T]()
	one := func(name string, f func(x, dst []T)) op[T] {
		return op[T]{"asm." + name, func(e *env[T]) {
			eachVector[T](func(c class, n int) {
				x, dst := e.vec(c, n), make([]T, n)
				f(x, dst)
				f(x, x)
				e.put(dst...)
				e.put(x...)
			})
		}}
	}
	two := func(name string, f func(x, y, dst []T)) op[T] {
		return op[T]{"asm." + name, func(e *env[T]) {
			eachVector[T](func(c class, n int) {
				x, y, dst := e.vec(c, n), e.vec(c, n), e.vec(c, n)
				f(x, y, dst)
				e.put(x...)
				e.put(y...)
				e.put(dst...)
			})
		}}
	}
	return []op[T]{
		two("Axpy", func(x, y, _ []T) { k.Axpy(T(-1.1), x, y) }),
		two("Axpby", func(x, y, _ []T) { k.Axpby(T(0.7), x, T(-1.3), y) }),
		one("Scal", func(x, dst []T) { k.Scal(T(1.1), x) }),
		one("ScalTo", func(x, dst []T) { k.ScalTo(T(-0.3), x, dst) }),
		two("Swap", func(x, y, _ []T) { k.Swap(x, y) }),
		two("Rot", func(x, y, _ []T) { k.Rot(T(0.6), T(-0.8), x, y) }),
		two("AddTo", k.AddTo), two("SubTo", k.SubTo), two("MulTo", k.MulTo), two("DivTo", k.DivTo), two("MulAdd", k.MulAdd),
		one("SqrtTo", k.SqrtTo),
		two("SqrtDivTo", func(x, v, dst []T) { k.SqrtDivTo(T(1e-6), x, v, dst) }),
	}
}

// elementary covers the functions over the whole range of their arguments, and
// the conversions, which have no type parameter, for float32 alone.
func elementary[T dense.Float]() []op[T] {
	k := asm.For[T]()
	function := func(name string, f func(x, dst []T)) op[T] {
		return op[T]{"asm." + name, func(e *env[T]) {
			for _, c := range classes {
				for _, n := range append(lengths[T](), 3000) {
					x, dst := e.vec(c, n), make([]T, n)
					f(x, dst)
					f(x, x)
					e.put(dst...)
					e.put(x...)
				}
			}
		}}
	}
	ops := []op[T]{
		function("ExpTo", k.ExpTo), function("LogTo", k.LogTo), function("TanhTo", k.TanhTo), function("SigmoidTo", k.SigmoidTo),
	}
	if bias[T]() == bias[float32]() {
		ops = append(ops, op[T]{"asm.ToBF16", bfloat16[T]})
	}
	return ops
}

// bfloat16 converts there and back. It hashes the values of the way back, since
// payloads of NaNs are exempt.
func bfloat16[T dense.Float](e *env[T]) {
	conv := asm.Convert()
	for _, c := range classes {
		for _, n := range append(lengths[T](), 3000) {
			x, half, back := make([]float32, n), make([]uint16, n), make([]float32, n)
			for i, v := range e.vec(c, n) {
				x[i] = float32(v)
			}
			conv.ToBF16(x, half)
			conv.FromBF16(half, back)
			for _, v := range back {
				e.put(T(v))
			}
		}
	}
}

func updates[T dense.Float]() []op[T] {
	k := asm.For[T]()
	momenta := [][asm.MomentumLen]T{
		{asm.MomentumMu: 0.9, asm.MomentumGain: 1, asm.MomentumLookM: 1, asm.MomentumRate: 0.1, asm.MomentumScale: 1},
		{asm.MomentumMu: 0.95, asm.MomentumGain: 0.1, asm.MomentumLookM: 0.95, asm.MomentumLookG: 1,
			asm.MomentumRate: 0.003, asm.MomentumDecay: 1e-4, asm.MomentumL2: 5e-4, asm.MomentumScale: 0.7},
	}
	adams := [][asm.AdamLen]T{
		{asm.AdamBeta1: 0.9, asm.AdamBeta2: 0.999, asm.AdamEps: 1e-8, asm.AdamRate: 0.01, asm.AdamRoot: 31.6, asm.AdamScale: 1},
		{asm.AdamBeta1: 0.8, asm.AdamBeta2: 0.95, asm.AdamEps: 1e-6, asm.AdamRate: 0.003, asm.AdamRoot: 1.2,
			asm.AdamDecay: 1e-3, asm.AdamL2: 1e-2, asm.AdamScale: 0.3},
	}
	adam := func(name string, f func(h *[asm.AdamLen]T, g, m, v, p []T)) op[T] {
		return op[T]{"asm." + name, func(e *env[T]) {
			for i := range adams {
				eachVector[T](func(c class, n int) {
					g, m, v, p := e.vec(c, n), e.vec(c, n), e.vec(c, n), e.vec(c, n)
					if c == plain { // second moments are not negative
						for j := range v {
							v[j] = max(v[j], -v[j])
						}
					}
					f(&adams[i], g, m, v, p)
					e.put(m...)
					e.put(v...)
					e.put(p...)
				})
			}
		}}
	}
	average := func(name string, f func(beta T, x, y []T)) op[T] {
		return op[T]{"asm." + name, func(e *env[T]) {
			eachVector[T](func(c class, n int) {
				x, y := e.vec(c, n), e.vec(c, n)
				f(T(0.95), x, y)
				f(T(0.1), x, y)
				e.put(y...)
			})
		}}
	}
	return []op[T]{
		average("EMA", k.EMA), average("EMASq", k.EMASq),
		{"asm.Momentum", func(e *env[T]) {
			for i := range momenta {
				eachVector[T](func(c class, n int) {
					g, m, p := e.vec(c, n), e.vec(c, n), e.vec(c, n)
					k.Momentum(&momenta[i], g, m, p)
					e.put(m...)
					e.put(p...)
				})
			}
		}},
		adam("Adam", k.Adam), adam("AdaMax", k.AdaMax),
	}
}

func level2[T dense.Float]() []op[T] {
	k := asm.For[T]()
	alpha := T(1.3)
	each := func(f func(c class, m, n int)) {
		for _, c := range classes {
			for _, s := range [][2]int{{1, 1}, {3, 5}, {8, 64}, {9, 33}, {17, 131}, {66, 7}} {
				f(c, s[0], s[1])
			}
		}
	}
	return []op[T]{
		{"asm.GemvN", func(e *env[T]) {
			each(func(c class, m, n int) {
				a, x, y := e.mat(c, m, n, 3), e.vec(c, n), e.vec(c, m)
				k.GemvN(m, n, alpha, a.Data, a.Stride, x, y)
				e.put(y...)
			})
		}},
		{"asm.GemvT", func(e *env[T]) {
			each(func(c class, m, n int) {
				a, x, y := e.mat(c, m, n, 3), e.vec(c, m), e.vec(c, n)
				k.GemvT(m, n, alpha, a.Data, a.Stride, x, y)
				e.put(y...)
			})
		}},
		{"asm.Ger", func(e *env[T]) {
			each(func(c class, m, n int) {
				a, x, y := e.mat(c, m, n, 3), e.vec(c, m), e.vec(c, n)
				k.Ger(m, n, alpha, x, y, a.Data, a.Stride)
				e.putMat(a)
			})
		}},
		{"asm.DotAxpy", func(e *env[T]) {
			eachVector[T](func(c class, n int) {
				a, x, y := e.vec(c, n), e.vec(c, n), e.vec(c, n)
				e.put(k.DotAxpy(alpha, a, x, y))
				e.put(y...)
			})
		}},
	}
}

// level3 runs the kernels in strips, so that the register tile does not show.
func level3[T dense.Float]() []op[T] {
	k := asm.For[T]()
	type triangle = func(m, n, k int, alpha T, l *T, rsl, csl int, d *T, b *T, ldb int)
	triangular := func(name string, f triangle) op[T] {
		return op[T]{"asm." + name, func(e *env[T]) {
			for _, c := range []class{plain, hard} {
				for m := 1; m <= 9; m++ {
					for _, n := range []int{1, 3, 16, 37} {
						for _, k := range []int{0, 5, 16} {
							l, d, b := e.mat(c, m, k+m, 2), e.vec(c, m), e.mat(c, k+m, n, 3)
							f(m, n, k, T(1.1), &l.Data[0], l.Stride, 1, &d[0], &b.Data[0], b.Stride)
							e.putMat(b)
							lt := e.mat(c, k+m, m, 2)
							f(m, n, k, T(-0.9), &lt.Data[0], 1, lt.Stride, &d[0], &b.Data[0], b.Stride)
							e.putMat(b)
						}
					}
				}
			}
		}}
	}
	return []op[T]{
		{"asm.Gemm", func(e *env[T]) {
			for _, s := range [][3]int{{1, 1, 1}, {7, 33, 5}, {13, 17, 259}, {29, 9, 3}, {2, 67, 40}} {
				for mode := asm.Store; mode <= asm.Chain; mode++ {
					for _, c := range classes {
						strips(e, k, s[0], s[1], s[2], c, mode)
					}
				}
			}
		}},
		triangular("Trsm", k.Trsm), triangular("Trmm", k.Trmm),
		{"asm.CopyTo", func(e *env[T]) {
			for _, s := range [][2]int{{1, 1}, {3, 17}, {16, 16}, {33, 31}} {
				src, dst := e.mat(hard, s[0], s[1], 1), e.mat(plain, s[0], s[1], 2)
				k.CopyTo(s[0], s[1], &src.Data[0], src.Stride, &dst.Data[0], dst.Stride)
				e.putMat(dst)
			}
		}},
		{"asm.TransTo", func(e *env[T]) {
			for _, s := range [][2]int{{1, 1}, {3, 17}, {16, 16}, {33, 31}} {
				src, dst := e.mat(hard, s[0], s[1], 1), e.mat(plain, s[1], s[0], 2)
				k.TransTo(s[0], s[1], &src.Data[0], src.Stride, &dst.Data[0], dst.Stride)
				e.putMat(dst)
			}
		}},
	}
}

// strips multiplies an m×k by a k×n matrix with the strip kernel: A by rows with
// B packed, and A by columns with B packed from its transpose.
func strips[T dense.Float](e *env[T], kern *asm.Kernels[T], m, n, k int, c class, mode int) {
	alpha := e.vec(plain, 1)[0]
	a, b, c0 := e.mat(c, m, k, 3), e.mat(c, k, n, 1), e.mat(c, m, n, 5)
	at, bt, c1 := transposed(a), transposed(b), dense.Matrix[T]{Rows: m, Cols: n, Stride: c0.Stride, Data: slices.Clone(c0.Data)}
	packed := make([]T, (n+kern.NR-1)/kern.NR*kern.NR*k)
	multiply := func(a []T, rsa, csa int, c dense.Matrix[T]) {
		for i := 0; i < m; i += kern.MR {
			kern.Gemm(min(kern.MR, m-i), n, k, alpha, &a[i*rsa], rsa, csa, &packed[0], kern.NR, k*kern.NR, &c.Data[i*c.Stride], c.Stride, mode)
		}
	}
	kern.Pack(k, n, kern.NR, &b.Data[0], b.Stride, &packed[0])
	multiply(a.Data, a.Stride, 1, c0)
	clear(packed)
	kern.PackT(k, n, kern.NR, &bt.Data[0], bt.Stride, &packed[0])
	multiply(at.Data, 1, at.Stride, c1)
	e.putMat(c0)
	e.putMat(c1)
}

func transposed[T dense.Float](a dense.Matrix[T]) dense.Matrix[T] {
	t := dense.NewMatrix[T](a.Cols, a.Rows)
	for i := range a.Rows {
		for j := range a.Cols {
			t.Set(j, i, a.At(i, j))
		}
	}
	return t
}
