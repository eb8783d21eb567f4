package digest

import (
	"slices"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/blas"
)

// denseOps lists the operations of package dense. Each has some small cases and
// one that is large enough to be split over threads.
func denseOps[T dense.Float]() []op[T] {
	return slices.Concat(
		vectors[T](), matrices[T](), matrixVector[T](), products[T](), triangles[T](),
		orthogonal[T](), lanczos[T](),
		choleskys[T](),
		lus[T](),
		svds[T](),
		eigen[T](),
	)
}

// manyThreads is a number of elements that operations of levels 1 and 2 split
// over three threads.
const manyThreads = 200_003

// scalars are pairs of alpha and beta; the cases of an operation take turns.
var scalars = [][2]float32{{1, 0}, {1, 1}, {-0.5, 1.25}, {1.1, -0.3}, {0, 0.5}, {2, 0}}

// turns hands out the classes and scalars in turn.
type turns[T dense.Float] struct{ i int }

func (t *turns[T]) next() (c class, alpha, beta T) {
	s := scalars[t.i%len(scalars)]
	c = classes[t.i%len(classes)]
	t.i++
	if t.i%len(scalars) == 0 {
		t.i++ // so that classes meet other scalars in the next round
	}
	return c, T(s[0]), T(s[1])
}

func vectors[T dense.Float]() []op[T] {
	each := func(f func(c class, n int)) {
		for _, c := range classes {
			for _, n := range []int{0, 1, 77, asm.Chunk + 3} {
				f(c, n)
			}
		}
		f(plain, manyThreads)
	}
	reduce := func(name string, f func(x []T, o *dense.Opts[T]) T) op[T] {
		return op[T]{"dense." + name, func(e *env[T]) {
			each(func(c class, n int) { e.put(f(e.vec(c, n), e.opts)) })
		}}
	}
	update := func(name string, f func(x, y, z []T, o *dense.Opts[T])) op[T] {
		return op[T]{"dense." + name, func(e *env[T]) {
			each(func(c class, n int) {
				x, y, z := e.vec(c, n), e.vec(c, n), e.vec(c, n)
				f(x, y, z, e.opts)
				for _, v := range [][]T{x, y, z} {
					e.put(v[:min(n, 500)]...) // the rest by its sum
					e.put(dense.Sum(v, nil))
				}
			})
		}}
	}
	return []op[T]{
		{"dense.Dot", func(e *env[T]) {
			each(func(c class, n int) { e.put(dense.Dot(e.vec(c, n), e.vec(c, n), e.opts)) })
		}},
		reduce("Sum", dense.Sum[T]), reduce("AbsSum", dense.AbsSum[T]), reduce("SumSq", dense.SumSq[T]),
		reduce("MaxAbs", dense.MaxAbs[T]), reduce("Nrm2", dense.Nrm2[T]),
		{"dense.IMaxAbs", func(e *env[T]) {
			each(func(c class, n int) { e.putInt(dense.IMaxAbs(e.vec(c, n))) })
		}},
		update("Axpby", func(x, y, _ []T, o *dense.Opts[T]) { dense.Axpby(T(1.1), x, T(-0.4), y, o) }),
		update("MulAdd", func(x, y, z []T, o *dense.Opts[T]) { dense.MulAdd(x, y, z, o) }),
		update("EMA", func(x, y, _ []T, o *dense.Opts[T]) { dense.EMA(T(0.95), x, y, o) }),
		update("Momentum", func(x, y, z []T, o *dense.Opts[T]) {
			h := [asm.MomentumLen]T{asm.MomentumMu: 0.9, asm.MomentumGain: 1, asm.MomentumLookM: 1, asm.MomentumRate: 0.1, asm.MomentumScale: 1}
			dense.Momentum(&h, x, y, z, o)
		}),
		update("AdaMax", func(x, y, z []T, o *dense.Opts[T]) {
			h := [asm.AdamLen]T{asm.AdamBeta1: 0.9, asm.AdamBeta2: 0.99, asm.AdamEps: 1e-8, asm.AdamRate: 0.01, asm.AdamScale: 1}
			dense.AdaMax(&h, x, y, z, slices.Clone(x), o)
		}),
	}
}

func matrices[T dense.Float]() []op[T] {
	each := func(f func(c class, m, n int)) {
		for _, c := range classes {
			for _, s := range [][2]int{{0, 3}, {1, 1}, {5, 7}, {65, 33}} {
				f(c, s[0], s[1])
			}
		}
		f(plain, 463, manyThreads/463)
	}
	norm := func(name string, f func(a dense.Matrix[T], o *dense.Opts[T]) T) op[T] {
		return op[T]{"dense." + name, func(e *env[T]) {
			each(func(c class, m, n int) { e.put(f(e.mat(c, m, n, 2), e.opts)) })
		}}
	}
	return []op[T]{
		norm("Norm1", dense.Norm1[T]), norm("NormInf", dense.NormInf[T]),
		norm("NormFrobenius", dense.NormFrobenius[T]), norm("NormMax", dense.NormMax[T]),
		{"dense.Transpose", func(e *env[T]) {
			each(func(c class, m, n int) {
				dst := e.mat(c, n, m, 1)
				dense.Transpose(e.mat(c, m, n, 3), dst, e.opts)
				e.putMat(dst)
			})
		}},
		{"dense.TransposeInPlace", func(e *env[T]) {
			for _, n := range []int{0, 1, 7, 65, 449} {
				a := e.mat(plain, n, n, 3)
				dense.TransposeInPlace(a, e.opts)
				e.putMat(a)
			}
		}},
		{"dense.Accumulate", func(e *env[T]) {
			var t turns[T]
			each(func(_ class, m, n int) {
				c, alpha, beta := t.next()
				y := e.mat(c, m, n, 1)
				dense.Accumulate(alpha, e.mat(c, m, n, 3), beta, y, e.opts)
				e.putMat(y)
			})
		}},
	}
}

var (
	flips = []blas.Transpose{blas.NoTrans, blas.Trans}
	uplos = []blas.Uplo{blas.Lower, blas.Upper}
	sides = []blas.Side{blas.Left, blas.Right}
	diags = []blas.Diag{blas.NonUnit, blas.Unit}
)

func matrixVector[T dense.Float]() []op[T] {
	shapes := [][2]int{{0, 3}, {1, 1}, {3, 50}, {70, 33}, {19, 260}, {463, manyThreads / 463}}
	orders := []int{0, 1, 5, 33, 130, 449}
	return []op[T]{
		{"dense.Gemv", func(e *env[T]) {
			var t turns[T]
			for _, s := range shapes {
				for _, trans := range flips {
					c, alpha, beta := t.next()
					a := e.mat(c, s[0], s[1], 3)
					n, m := s[1], s[0]
					if trans == blas.Trans {
						n, m = m, n
					}
					y := e.vec(c, m)
					dense.Gemv(trans, alpha, a, e.vec(c, n), beta, y, e.opts)
					e.put(y...)
				}
			}
		}},
		{"dense.Ger", func(e *env[T]) {
			var t turns[T]
			for _, s := range shapes {
				c, alpha, _ := t.next()
				a := e.mat(c, s[0], s[1], 3)
				dense.Ger(alpha, e.vec(c, s[0]), e.vec(c, s[1]), a, e.opts)
				e.putMat(a)
			}
		}},
		{"dense.Symv", func(e *env[T]) {
			var t turns[T]
			for _, n := range orders {
				for _, uplo := range uplos {
					c, alpha, beta := t.next()
					y := e.vec(c, n)
					dense.Symv(uplo, alpha, e.mat(c, n, n, 3), e.vec(c, n), beta, y, e.opts)
					e.put(y...)
				}
			}
		}},
		{"dense.Syr2", func(e *env[T]) {
			var t turns[T]
			for _, n := range orders {
				for _, uplo := range uplos {
					c, alpha, _ := t.next()
					a, x, y := e.mat(c, n, n, 3), e.vec(c, n), e.vec(c, n)
					dense.Syr(uplo, alpha, y, a, e.opts)
					dense.Syr2(uplo, alpha, x, y, a, e.opts)
					e.putMat(a)
				}
			}
		}},
	}
}

func triangularVector[T dense.Float](name string, f func(uplo blas.Uplo, trans blas.Transpose, diag blas.Diag, a dense.Matrix[T], x []T, o *dense.Opts[T])) op[T] {
	return op[T]{"dense." + name, func(e *env[T]) {
		for _, n := range []int{0, 1, 5, 33, 130} {
			for _, uplo := range uplos {
				for _, trans := range flips {
					for _, diag := range diags {
						a, x := e.triangle(n), e.vec(plain, n)
						f(uplo, trans, diag, a, x, e.opts)
						e.put(x...)
					}
				}
			}
		}
	}}
}

// triangle returns an n×n matrix whose triangles are well enough conditioned
// that solving with them does not overflow.
func (e *env[T]) triangle(n int) dense.Matrix[T] {
	a := e.mat(small, n, n, 3)
	d := e.vec(plain, n)
	for i, v := range d {
		a.Set(i, i, v)
	}
	return a
}

func products[T dense.Float]() []op[T] {
	kc := asm.KC[T]()
	shapes := [][3]int{ // m, n, k
		{0, 3, 2}, {2, 3, 0}, {1, 1, 1}, {3, 70, 5}, {16, 48, 16}, {25, 33, 40}, {101, 19, 31}, // small and in place
		{5, 17, kc - 1}, {5, 17, kc}, {5, 17, kc + 1}, {3, 9, 2*kc + 3}, // around the blocks of k
		{99, 101, 103}, {97, 1030, 9}, {7, 160, 2*kc + 2}, // packed, on several threads
	}
	return []op[T]{
		{"dense.Gemm", func(e *env[T]) {
			var t turns[T]
			for _, s := range shapes {
				for _, tA := range flips {
					for _, tB := range flips {
						m, n, k := s[0], s[1], s[2]
						c, alpha, beta := t.next()
						a, b := e.mat(c, m, k, 3), e.mat(c, k, n, 1)
						if tA == blas.Trans {
							a = e.mat(c, k, m, 1)
						}
						if tB == blas.Trans {
							b = e.mat(c, n, k, 2)
						}
						y := e.mat(c, m, n, 5)
						dense.Gemm(tA, tB, alpha, a, b, beta, y, e.opts)
						e.putMat(y)
					}
				}
			}
		}},
		{"dense.GemmBatch", func(e *env[T]) {
			var t turns[T]
			for _, tA := range flips {
				for _, tB := range flips {
					class, alpha, beta := t.next()
					var a, b, c []dense.Matrix[T]
					for _, s := range append(shapes, [3]int{90, 80, 70}, [3]int{8, 8, 8}, [3]int{150, 90, 100}) {
						m, n, k := s[0], s[1], s[2]
						if tA == blas.Trans {
							a = append(a, e.mat(class, k, m, 1))
						} else {
							a = append(a, e.mat(class, m, k, 3))
						}
						if tB == blas.Trans {
							b = append(b, e.mat(class, n, k, 2))
						} else {
							b = append(b, e.mat(class, k, n, 1))
						}
						c = append(c, e.mat(class, m, n, 5))
					}
					dense.GemmBatch(tA, tB, alpha, a, b, beta, c, e.opts)
					for _, m := range c {
						e.putMat(m)
					}
				}
			}
		}},
		{"dense.GemmStrided", func(e *env[T]) {
			var t turns[T]
			for _, n := range []int{1, 8, 17, 64} {
				const count = 11
				class, alpha, beta := t.next()
				a, b, c := e.vec(class, n*n), e.vec(class, n*n*count), e.vec(class, n*n*count)
				dense.GemmStrided(blas.NoTrans, blas.Trans, n, n, n, alpha, a, n, 0, b, n, n*n, beta, c, n*count, n, count, e.opts)
				e.put(c...)
			}
		}},
		{"dense.Syrk", func(e *env[T]) {
			var t turns[T]
			eachSymmetric(func(n, k int, uplo blas.Uplo, trans blas.Transpose) {
				c, alpha, beta := t.next()
				a := e.mat(c, n, k, 3)
				if trans == blas.Trans {
					a = e.mat(c, k, n, 3)
				}
				y := e.mat(c, n, n, 1)
				dense.Syrk(uplo, trans, alpha, a, beta, y, e.opts)
				e.putMat(y)
			})
		}},
		{"dense.Syr2k", func(e *env[T]) {
			var t turns[T]
			eachSymmetric(func(n, k int, uplo blas.Uplo, trans blas.Transpose) {
				c, alpha, beta := t.next()
				rows, cols := n, k
				if trans == blas.Trans {
					rows, cols = k, n
				}
				a, b, y := e.mat(c, rows, cols, 3), e.mat(c, rows, cols, 2), e.mat(c, n, n, 1)
				dense.Syr2k(uplo, trans, alpha, a, b, beta, y, e.opts)
				e.putMat(y)
			})
		}},
		{"dense.Symm", func(e *env[T]) {
			var t turns[T]
			for _, s := range [][2]int{{0, 2}, {1, 1}, {7, 9}, {33, 20}, {515, 3}, {97, 101}} {
				for _, side := range sides {
					for _, uplo := range uplos {
						c, alpha, beta := t.next()
						order := s[0]
						if side == blas.Right {
							order = s[1]
						}
						b, y := e.mat(c, s[0], s[1], 2), e.mat(c, s[0], s[1], 3)
						dense.Symm(side, uplo, alpha, e.mat(c, order, order, 1), b, beta, y, e.opts)
						e.putMat(y)
					}
				}
			}
		}},
	}
}

// eachSymmetric calls f for the shapes and flags of updates of symmetric
// matrices, n×n by rank k.
func eachSymmetric(f func(n, k int, uplo blas.Uplo, trans blas.Transpose)) {
	for _, s := range [][2]int{{0, 2}, {3, 0}, {1, 1}, {7, 5}, {33, 20}, {65, 31}, {13, 515}, {101, 93}} {
		for _, uplo := range uplos {
			for _, trans := range flips {
				f(s[0], s[1], uplo, trans)
			}
		}
	}
}

func triangles[T dense.Float]() []op[T] {
	sided := func(name string, f func(side blas.Side, uplo blas.Uplo, trans blas.Transpose, diag blas.Diag, alpha T, a, b dense.Matrix[T], o *dense.Opts[T])) op[T] {
		return op[T]{"dense." + name, func(e *env[T]) {
			var t turns[T]
			for _, s := range [][2]int{{0, 2}, {1, 1}, {7, 9}, {33, 20}, {20, 65}, {97, 101}} {
				for i := range 16 {
					side, uplo, trans, diag := sides[i&1], uplos[i>>1&1], flips[i>>2&1], diags[i>>3&1]
					_, alpha, _ := t.next()
					order := s[0]
					if side == blas.Right {
						order = s[1]
					}
					b := e.mat(plain, s[0], s[1], 2)
					f(side, uplo, trans, diag, alpha, e.triangle(order), b, e.opts)
					e.putMat(b)
				}
			}
		}}
	}
	return []op[T]{
		triangularVector("Trmv", dense.Trmv[T]), triangularVector("Trsv", dense.Trsv[T]),
		sided("Trmm", dense.Trmm[T]), sided("Trsm", dense.Trsm[T]),
	}
}
