package kron

import (
	"fmt"
	"testing"

	"gonum.org/v1/gonum/blas"
)

func TestModeProduct(t *testing.T) { both(t, testModeProduct[float32], testModeProduct[float64]) }

// testModeProduct compares with I⊗op(F)⊗I times vec(X).
func testModeProduct[T float](t *testing.T) {
	for _, shape := range [][]int{{4}, {3, 5}, {1, 4, 3}, {3, 4, 2}, {2, 3, 1, 4}, {2, 0, 3}, {3, 2, 2, 3}} {
		for mode, n := range shape {
			for _, p := range []int{1, 3, 6} {
				for _, trans := range transposes {
					f := draw[T](1, p, n, 2)
					if trans == blas.Trans {
						f = draw[T](1, n, p, 2)
					}
					var k []matrix[float64]
					for i, d := range shape {
						k = append(k, identity(d))
						if i == mode {
							k[i] = whole(trans, f)
						}
					}
					x := draws[T](2, size("", shape))
					full := kronecker(k...)
					y := draws[T](3, full.Rows)
					ModeProduct(trans, f, mode, shape, x, y, nil)
					wx := wide(vector(x))
					near(t, fmt.Sprintf("%v mode %d p=%d %c", shape, mode, p, trans), y, timesVec(full, wx.Data), timesVec(absolute(full), absolute(wx).Data), n+2)
				}
			}
		}
	}
	shape := []int{30, 40, 50}
	f, x, y := draw[T](1, 60, 40, 3), draws[T](2, 60000), make([]T, 90000)
	checkOpts(t, "ModeProduct", nil, func(o *options[T]) [][]T {
		y := make([]T, len(y))
		ModeProduct(blas.NoTrans, f, 1, shape, x, y, o)
		return [][]T{y}
	}, func(o *options[T]) { ModeProduct(blas.NoTrans, f, 1, shape, x, y, o) })
	o := &options[T]{Threads: 2, Work: make([]T, ModeProductWork(blas.NoTrans, f, 1, shape, 2))}
	ModeProduct(blas.NoTrans, f, 1, shape, x, y, o)
	mustPanic(t, "kron: ModeProduct: x has 60000 elements, y 89999", func() { ModeProduct(blas.NoTrans, f, 1, shape, x, y[1:], nil) })
	mustPanic(t, "kron: ModeProduct: op(f) is 60x40 for mode 0", func() { ModeProduct(blas.NoTrans, f, 0, shape, x, y, nil) })
	mustPanic(t, "kron: ModeProduct: mode 3 of shape", func() { ModeProduct(blas.NoTrans, f, 3, shape, x, y, nil) })
}

func identity(n int) matrix[float64] {
	m := draw[float64](1, n, n, 0)
	m.Fill(0)
	for i := range n {
		m.Set(i, i, 1)
	}
	return m
}

func TestApplyTensor(t *testing.T) { both(t, testApplyTensor[float32], testApplyTensor[float64]) }

// testApplyTensor compares with the dense Kronecker product; to has 0 for the identity.
func testApplyTensor[T float](t *testing.T) {
	for i, c := range []struct{ shape, to []int }{
		{[]int{}, []int{}},
		{[]int{3}, []int{5}},
		{[]int{3}, []int{0}},
		{[]int{4, 3}, []int{2, 6}},
		{[]int{4, 3}, []int{0, 3}},
		{[]int{4, 3}, []int{0, 0}},
		{[]int{3, 2, 4}, []int{1, 5, 2}},
		{[]int{3, 2, 4}, []int{3, 0, 4}},
		{[]int{2, 3, 2, 3}, []int{4, 1, 3, 2}},
		{[]int{2, 0, 3}, []int{2, 2, 2}},
		{[]int{2, 1, 3, 1, 2}, []int{2, 1, 3, 1, 2}},
	} {
		for _, trans := range transposes {
			var f []matrix[T]
			var k []matrix[float64]
			steps := 4
			for j, n := range c.shape {
				steps += n + 2
				p := c.to[j]
				if p == 0 {
					f, k = append(f, matrix[T]{}), append(k, identity(n))
					continue
				}
				m := draw[T](uint64(j+1), p, n, 1)
				if trans == blas.Trans {
					m = draw[T](uint64(j+1), n, p, 1)
				}
				f, k = append(f, m), append(k, whole(trans, m))
			}
			full := kronecker(k...)
			x, y := draws[T](9, full.Cols), draws[T](8, full.Rows)
			ApplyTensor(trans, f, c.shape, x, y, nil)
			wx := wide(vector(x))
			near(t, fmt.Sprintf("case %d %c", i, trans), y, timesVec(full, wx.Data), timesVec(absolute(full), absolute(wx).Data), steps)
			if len(x) == len(y) { // in place
				ApplyTensor(trans, f, c.shape, x, x, nil)
				if full.Rows > 0 && fmt.Sprint(c.shape) == fmt.Sprint(c.to) && !sameBits(x, y) {
					t.Errorf("case %d: other bits in place", i)
				}
			}
		}
	}
	shape := []int{25, 16, 18, 10}
	f := []matrix[T]{draw[T](1, 25, 25, 0), {}, draw[T](2, 30, 18, 1), draw[T](3, 4, 10, 1)}
	x := draws[T](4, size("", shape))
	steady := make([]T, 25*16*30*4)
	checkOpts(t, "ApplyTensor", func(threads int) int { return ApplyTensorWork(blas.NoTrans, f, shape, threads) },
		func(o *options[T]) [][]T {
			y := make([]T, len(steady))
			ApplyTensor(blas.NoTrans, f, shape, x, y, o)
			return [][]T{y}
		}, func(o *options[T]) { ApplyTensor(blas.NoTrans, f, shape, x, steady, o) })
	mustPanic(t, "kron: ApplyTensor: op of factor 0 is 25x25", func() { ApplyTensor(blas.NoTrans, f, []int{24, 1, 18, 10}, x, x, nil) })
	mustPanic(t, "kron: ApplyTensor: y overlaps x", func() { ApplyTensor(blas.NoTrans, f[:1], shape[:1], x[:25], x[1:26], nil) })
	mustPanic(t, "kron: ApplyTensor: y overlaps factor 0", func() { ApplyTensor(blas.NoTrans, f[:1], shape[:1], x[:25], f[0].Data[25:50], nil) })
}

// TestTensorOrder checks that the modes are multiplied in the cheapest of all orders.
func TestTensorOrder(t *testing.T) {
	shape, to := []int{5, 40, 7, 3}, []int{50, 4, 7, 2}
	var f []matrix[float64]
	for i := range shape {
		f = append(f, draw[float64](1, to[i], shape[i], 0))
	}
	c := newTensorCall("", blas.NoTrans, f, shape)
	cost := 0
	for i := range c.active {
		m := c.step(i)
		cost += m.left * m.right * m.n * m.p
	}
	best := -1
	var try func(done, sum int)
	try = func(done, sum int) {
		if done == 1<<len(shape)-1 && (best < 0 || sum < best) {
			best = sum
		}
		for i := range shape {
			if done>>i&1 == 0 {
				n := shape[i] * to[i]
				for j := range shape {
					switch {
					case j == i:
					case done>>j&1 == 1:
						n *= to[j]
					default:
						n *= shape[j]
					}
				}
				try(done|1<<i, sum+n)
			}
		}
	}
	try(0, 0)
	if cost != best {
		t.Errorf("%d multiply-adds, the best order takes %d", cost, best)
	}
}
