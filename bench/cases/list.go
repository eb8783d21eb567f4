package cases

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/precond-go/precond/bench/limits"
	"gonum.org/v1/gonum/blas"
)

const (
	noTr = blas.NoTrans
	tr   = blas.Trans
)

// List returns all cases, for both element types and the given thread counts.
// Cases too small to be worth more than one thread appear for one only. Those of a
// kernel and type stand together.
func List(threads ...int) []Case {
	b := lister{threads: threads}
	b.products()
	b.batches()
	b.triangles()
	b.choleskys()
	b.factors()
	b.svds()
	b.eigen()
	b.orthogonal()
	b.krons()
	b.matrixVector()
	b.vectors()
	b.functions()
	rank := map[string]int{}
	for _, c := range b.list {
		if _, ok := rank[c.Kernel]; !ok {
			rank[c.Kernel] = len(rank)
		}
	}
	slices.SortStableFunc(b.list, func(x, y Case) int {
		return cmp.Or(rank[x.Kernel]-rank[y.Kernel], x.Size-y.Size)
	})
	return b.list
}

// A lister collects cases.
type lister struct {
	threads []int
	list    []Case
}

// add adds a case for each type and thread count, except that cost and bars are
// left to f.
func (b *lister) add(s Spec, label string, f func(c *Case)) {
	for _, size := range []int{4, 8} {
		b.addType(s, label, size, f)
	}
}

func (b *lister) addType(s Spec, label string, size int, f func(c *Case)) {
	for _, t := range b.threads {
		c := Case{Spec: s, Size: size, Label: label, Threads: t}
		f(&c)
		if t > 1 && oneOf(s.Kernel, "Gemm", "Syrk") && s.N >= 512 && s.K >= 512 && s.Beta == 0 {
			c.Bars = append(c.Bars[:len(c.Bars):len(c.Bars)], Bar{Pair, 0.92, 0.98})
		}
		if t == 1 || c.Cost.worthThreads() && !oneOf(c.Kernel, single...) {
			b.list = append(b.list, c)
		}
	}
}

// single lists the operations that use one thread, whatever they may.
var single = []string{"IMaxAbs", "Exp", "Log", "Tanh", "Sigmoid", "ToBF16", "FromBF16"}

// worthThreads returns whether a call is long enough for more than one thread.
func (c Cost) worthThreads() bool {
	if c.Unit == GFLOPs {
		return c.Flops > 1e6
	}
	return c.Bytes > 4e6
}

func letters(x ...any) string {
	s := ""
	for _, v := range x {
		switch v := v.(type) {
		case blas.Transpose:
			s += string(rune(v))
		case blas.Uplo:
			s += string(rune(v))
		case blas.Side:
			s += string(rune(v))
		}
	}
	return s
}

func oneOf[T comparable](x T, list ...T) bool {
	for _, v := range list {
		if x == v {
			return true
		}
	}
	return false
}

// products lists GEMM, and SYRK on tall matrices.
func (b *lister) products() {
	for _, n := range []int{8, 16, 32, 64, 128, 256, 512, 1024, 2048} {
		b.gemm(Spec{TA: noTr, TB: noTr, M: n, N: n, K: n}, func(c *Case) {
			c.Quick = n <= 1024 && n != 16 && n != 256
			if n < 128 {
				c.Bars = []Bar{{OpenBLAS, 0.9, 1.2}}
			} else {
				c.Bars = []Bar{{OpenBLAS, 0.95, 1.1}}
			}
			if n >= 512 && c.Threads == 1 {
				c.Bars = append(c.Bars, Bar{Limit, 0.85, 0.93})
			}
			if n == 1024 && c.Threads == 1 {
				if c.Size == 4 {
					c.Bars = append(c.Bars, Bar{Gonum, 12, 16})
				} else {
					c.Bars = append(c.Bars, Bar{Gonum, 9, 12})
				}
			}
		})
	}
	against := func(base string, quick bool) func(c *Case) {
		return func(c *Case) {
			c.Base, c.Quick = base, quick
			c.Bars = []Bar{{OpenBLAS, 0.95, 1.1}, {Base, 0.93, 0.97}}
		}
	}
	for _, n := range []int{128, 512, 1024} {
		for _, f := range [][2]blas.Transpose{{noTr, tr}, {tr, noTr}, {tr, tr}} {
			b.gemm(Spec{TA: f[0], TB: f[1], M: n, N: n, K: n}, against(fmt.Sprintf("NN/n=%d", n), n == 512))
		}
	}
	for _, n := range []int{257, 511, 1023} {
		for _, f := range [][2]blas.Transpose{{noTr, noTr}, {noTr, tr}, {tr, noTr}, {tr, tr}} {
			quick := n < 1000 && f[0] == noTr && f[1] == noTr
			b.gemm(Spec{TA: f[0], TB: f[1], M: n, N: n, K: n}, against(fmt.Sprintf("NN/n=%d", (n+1)&^7), quick))
		}
	}

	wide := func(quick bool) func(c *Case) {
		return func(c *Case) {
			c.Quick = quick
			c.Bars = []Bar{{OpenBLAS, 0.95, 1.2}}
		}
	}
	for _, m := range []int{1, 2, 3, 4, 8, 12, 16} { // a few rows, as of a small batch, times weights
		b.gemm(Spec{TA: noTr, TB: noTr, M: m, N: 1024, K: 1024}, wide(m == 4))
		b.gemm(Spec{TA: noTr, TB: tr, M: m, N: 1024, K: 1024}, wide(m == 4))
	}
	for _, k := range []int{1, 2, 4, 8, 16, 32} {
		b.gemm(Spec{TA: noTr, TB: tr, M: 1024, N: 1024, K: k, Beta: 1}, wide(k == 8))
		b.gemm(Spec{TA: tr, TB: noTr, M: 1024, N: 1024, K: k, Beta: 1}, wide(false))
		b.syrk(Spec{Uplo: blas.Lower, TA: noTr, N: 1024, K: k, Beta: 1}, wide(k == 8))
	}
	for _, s := range [][2]int{{4096, 512}, {60000, 785}} {
		b.gemm(Spec{TA: tr, TB: noTr, M: s[1], N: s[1], K: s[0]}, wide(s[0] == 4096))
		b.syrk(Spec{Uplo: blas.Lower, TA: tr, N: s[1], K: s[0]}, wide(s[0] == 4096))
	}
}

func (b *lister) gemm(s Spec, f func(c *Case)) {
	s.Kernel = "Gemm"
	label := fmt.Sprintf("%s/n=%d", letters(s.TA, s.TB), s.N)
	if s.M != s.N || s.N != s.K {
		label = fmt.Sprintf("%s/m=%d/n=%d/k=%d", letters(s.TA, s.TB), s.M, s.N, s.K)
	}
	b.add(s, accumulating(label, s), func(c *Case) {
		c.Cost = productCost(&s, 2*float64(s.M)*float64(s.N)*float64(s.K), s.M*s.K+s.K*s.N, s.M*s.N, c.Size)
		f(c)
	})
}

// batches lists many products in one call; the others loop over them.
func (b *lister) batches() {
	for _, s := range [][2]int{{1000, 8}, {100, 16}, {1000, 16}, {1000, 32}, {1000, 64}, {64, 128}} {
		for _, tB := range []blas.Transpose{noTr, tr} {
			for _, kernel := range []string{"GemmBatch", "GemmStrided"} {
				count, n := s[0], s[1]
				spec := Spec{Kernel: kernel, TA: noTr, TB: tB, M: n, N: n, K: n, Count: count}
				b.add(spec, fmt.Sprintf("%s/n=%d/count=%d", letters(noTr, tB), n, count), func(c *Case) {
					elements := n * n * count
					c.Cost = productCost(&spec, 2*float64(n)*float64(elements), 2*elements, elements, c.Size)
					c.Quick = tB == noTr && oneOf(n, 8, 32, 128)
					c.Bars = []Bar{{OpenBLAS, 0.9, 1.2}}
				})
			}
		}
	}
}

func (b *lister) syrk(s Spec, f func(c *Case)) {
	s.Kernel = "Syrk"
	label := fmt.Sprintf("%s/n=%d", letters(s.Uplo, s.TA), s.N)
	if s.K != s.N {
		label += fmt.Sprintf("/k=%d", s.K)
	}
	b.add(s, accumulating(label, s), func(c *Case) {
		half := s.N * (s.N + 1) / 2
		c.Cost = productCost(&s, 2*float64(half)*float64(s.K), s.N*s.K, half, c.Size)
		f(c)
	})
}

func accumulating(label string, s Spec) string {
	if s.Beta == 1 {
		label += "/beta=1"
	}
	return label
}

// triangles lists the other level-3 operations.
func (b *lister) triangles() {
	bars := []Bar{{OpenBLAS, 0.95, 1.15}}
	quick := func(n int) bool { return oneOf(n, 64, 512) }
	for _, n := range []int{64, 128, 256, 512, 1024} {
		for _, t := range []blas.Transpose{noTr, tr} {
			for _, u := range []blas.Uplo{blas.Lower, blas.Upper} {
				if u == blas.Upper && n != 512 {
					continue
				}
				b.syrk(Spec{Uplo: u, TA: t, N: n, K: n}, func(c *Case) {
					c.Bars, c.Quick = bars, quick(n) && t == noTr && u == blas.Lower
				})
			}
		}
		for _, t := range []blas.Transpose{noTr, tr} {
			s := Spec{Kernel: "Syr2k", Uplo: blas.Lower, TA: t, N: n, K: n}
			b.add(s, fmt.Sprintf("%s/n=%d", letters(s.Uplo, t), n), func(c *Case) {
				half := n * (n + 1) / 2
				c.Cost = productCost(&s, 4*float64(half)*float64(n), 2*n*n, half, c.Size)
				c.Bars, c.Quick = bars, quick(n) && t == noTr
			})
		}
		for _, d := range []blas.Side{blas.Left, blas.Right} {
			s := Spec{Kernel: "Symm", Side: d, Uplo: blas.Lower, M: n, N: n}
			b.add(s, fmt.Sprintf("%s/n=%d", letters(d, s.Uplo), n), func(c *Case) {
				c.Cost = productCost(&s, 2*float64(n)*float64(n)*float64(n), n*(n+1)/2+n*n, n*n, c.Size)
				c.Bars, c.Quick = bars, quick(n) && d == blas.Left
			})
		}
		for _, kernel := range []string{"Trmm", "Trsm"} {
			for i, f := range []Spec{
				{Side: blas.Left, Uplo: blas.Lower, TA: noTr},
				{Side: blas.Left, Uplo: blas.Lower, TA: tr},
				{Side: blas.Left, Uplo: blas.Upper, TA: noTr},
				{Side: blas.Right, Uplo: blas.Lower, TA: noTr},
				{Side: blas.Right, Uplo: blas.Lower, TA: tr},
				{Side: blas.Right, Uplo: blas.Upper, TA: noTr},
			} {
				f.Kernel, f.M, f.N = kernel, n, n
				b.add(f, fmt.Sprintf("%s/n=%d", letters(f.Side, f.Uplo, f.TA), n), func(c *Case) {
					c.Cost = productCost(&f, float64(f.order())*float64(f.M)*float64(f.N), f.order()*f.order()/2, 0, c.Size)
					c.Cost.Bytes += float64(2 * f.M * f.N * c.Size)
					c.Cost.Footprint += f.M * f.N * c.Size
					c.Cost.Stream = limits.Update
					c.Bars, c.Quick = bars, quick(n) && i == 0
				})
			}
		}
	}
}

// inCache is the number of elements of vectors, and the order of matrices, that
// fit into the first- and second-level caches.
var inCache = struct{ vectors, matrices []int }{[]int{1 << 10, 1 << 14}, []int{64, 256}}

// outOfCache is the footprint of operands that no cache holds.
const outOfCache = limits.Memory

// toMemory are the bars of operations that the memory limits.
var toMemory = []Bar{{Limit, 0.9, 0.97}}

// matrixVector lists level 2 and the transposition.
func (b *lister) matrixVector() {
	for _, size := range []int{4, 8} {
		large := 4096 // order of a matrix of the footprint of outOfCache
		for large*large*size < outOfCache/2 {
			large *= 2
		}
		for _, n := range append(inCache.matrices, large) {
			m := n
			if n*n*size < outOfCache && n == large {
				m *= 2 // 8-byte elements: 8192×4096
			}
			shape := fmt.Sprintf("n=%d", n)
			if m != n {
				shape = fmt.Sprintf("m=%d/n=%d", m, n)
			}
			add := func(s Spec, label string, cost Cost) {
				b.addType(s, label, size, func(c *Case) {
					c.Cost, c.Quick = cost, n != inCache.matrices[0]
					if n == large && oneOf(s.Kernel, "Gemv", "Ger") {
						c.Bars = toMemory
					}
				})
			}
			for _, t := range []blas.Transpose{noTr, tr} {
				add(Spec{Kernel: "Gemv", TA: t, M: m, N: n}, letters(t)+"/"+shape, matrixCost(m*n, 1, size, limits.Read))
			}
			add(Spec{Kernel: "Ger", M: m, N: n}, shape, matrixCost(m*n, 2, size, limits.Update))
			for _, u := range []blas.Uplo{blas.Lower, blas.Upper} {
				add(Spec{Kernel: "Symv", Uplo: u, N: m}, fmt.Sprintf("%s/n=%d", letters(u), m), matrixCost(m*(m+1)/2, 1, size, limits.Read))
			}
			copied := matrixCost(m*n, 2, size, limits.Copy)
			copied.Footprint *= 2
			add(Spec{Kernel: "Transpose", M: m, N: n}, shape, copied)
		}
	}
}

// vectors lists level 1 and the fused updates.
func (b *lister) vectors() {
	for _, k := range []struct {
		kernel           string
		vectors, traffic int
		pattern          limits.Stream
		quick, bar       bool
	}{
		{"Dot", 2, 2, limits.Read, true, true},
		{"AbsSum", 1, 1, limits.Read, false, false},
		{"SumSq", 1, 1, limits.Read, true, false},
		{"IMaxAbs", 1, 1, limits.Read, false, false},
		{"Axpy", 2, 3, limits.Axpy, true, true},
		{"Scal", 1, 2, limits.Update, true, false},
		{"MulTo", 3, 3, limits.Copy, false, false},
		{"DivTo", 3, 3, limits.Copy, false, false},
		{"SqrtDivTo", 3, 3, limits.Copy, false, false},
		{"EMA", 2, 3, limits.Axpy, true, true},
		{"EMASq", 2, 3, limits.Axpy, false, true},
		{"Momentum", 3, 5, limits.Axpy, true, true},
		{"Adam", 4, 7, limits.Axpy, true, true},
	} {
		for _, size := range []int{4, 8} {
			large := 1 << 10
			for 2*large*size*k.vectors <= outOfCache {
				large *= 2
			}
			for _, n := range append(inCache.vectors, large) {
				s := Spec{Kernel: k.kernel, N: n}
				b.addType(s, fmt.Sprintf("n=%d", n), size, func(c *Case) {
					c.Cost = streamed(&s, size, k.vectors, k.traffic, k.pattern)
					c.Quick = k.quick && n != inCache.vectors[1]
					if k.bar && n == large {
						c.Bars = toMemory
					}
				})
			}
		}
	}
}

// functions lists the elementary functions and the conversions, in cache.
func (b *lister) functions() {
	for _, n := range inCache.vectors {
		for _, kernel := range []string{"Exp", "Log", "Tanh", "Sigmoid"} {
			s := Spec{Kernel: kernel, N: n}
			b.add(s, fmt.Sprintf("n=%d", n), func(c *Case) {
				c.Cost = streamed(&s, c.Size, 2, 2, limits.Copy)
				c.Quick = n == inCache.vectors[1]
			})
		}
		for _, kernel := range []string{"ToBF16", "FromBF16"} {
			s := Spec{Kernel: kernel, N: n}
			b.addType(s, fmt.Sprintf("n=%d", n), 4, func(c *Case) {
				c.Cost = streamed(&s, 2, 3, 3, limits.Copy) // a half and a float
				c.Quick = n == inCache.vectors[1]
			})
		}
	}
}
