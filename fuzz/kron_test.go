package fuzz

import (
	"fmt"
	"math"
	"testing"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/kron"
	"gonum.org/v1/gonum/blas"
)

func FuzzKronApply(f *testing.F)  { attack(f, kronApply[float32], kronApply[float64]) }
func FuzzKronTensor(f *testing.F) { attack(f, kronTensor[float32], kronTensor[float64]) }
func FuzzConvMoment(f *testing.F) { attack(f, convMoment[float32], convMoment[float64]) }

// kronApply compares with the Kronecker product of the elements, one by one.
func kronApply[T dense.Float](t *testing.T, r *reader) {
	tA, tB, alpha, beta := r.trans(), r.trans(), scalar[T](r), scalar[T](r)
	p, m, q, n := r.dim(12), r.dim(12), r.dim(12), r.dim(12)
	if r.byte()%8 == 0 { // enough for threads
		p, m, q, n = r.dim(60), r.dim(60), r.dim(60), r.dim(60)
	}
	a, b := flipped[T](r, tA, p, m), flipped[T](r, tB, q, n)
	x, y := matrix[T](r, m, n), matrix[T](r, p, q)
	a0, b0, x0 := clone(a), clone(b), clone(x)
	got := everywhere(t, y, func(y dense.Matrix[T], o *dense.Opts[T]) {
		kron.Apply(tA, tB, alpha, a, b, x, beta, y, o)
	})
	untouched(t, "a", a, a0, nil)
	untouched(t, "b", b, b0, nil)
	untouched(t, "x", x, x0, nil)
	untouched(t, "y", got, y, func(int, int) bool { return true })
	_, _, most := limits[T]()
	if !tame(a) || !tame(b) || !tame(x) {
		return // a product in between may overflow, or underflow to where all digits are lost
	}
	for i := range p {
		for j := range q {
			var want term
			for k := range m {
				for l := range n {
					if alpha != 0 {
						want.add(float64(alpha) * float64(element(a, tA, i, k)) * float64(x.At(k, l)) * float64(element(b, tB, j, l)))
					}
				}
			}
			if beta != 0 {
				want.add(float64(beta) * float64(y.At(i, j)))
			}
			if want.size > most {
				continue
			}
			near(t, got.At(i, j), want, m+n+6, func() string {
				return fmt.Sprintf("Apply(%c, %c, alpha %v, beta %v, %dx%d, %dx%d) at (%d, %d)", tA, tB, alpha, beta, p, m, q, n, i, j)
			})
		}
	}
}

// tame returns whether the elements are zero or of a magnitude whose products with three
// others are in the range of float32.
func tame[T dense.Float](m dense.Matrix[T]) bool {
	for i := range m.Rows {
		for _, v := range m.Row(i) {
			if x := math.Abs(float64(v)); x != 0 && !(x > 1e-6 && x < 1e6) {
				return false
			}
		}
	}
	return true
}

// kronTensor holds a product of k factors to the mode products one by one, whatever the order
// is that it takes them in, and the result in place to that apart.
func kronTensor[T dense.Float](t *testing.T, r *reader) {
	order := int(r.byte()) % 5
	trans := r.trans()
	var f []dense.Matrix[T]
	var shape []int
	n := 1
	for range order {
		d := 1 + int(r.byte())%7
		shape = append(shape, d)
		n *= d
		if r.byte()%4 == 0 {
			f = append(f, dense.Matrix[T]{})
		} else {
			f = append(f, matrix[T](r, d, d))
		}
	}
	x := vector[T](r, n)
	ok := tame(x)
	for _, m := range f {
		ok = ok && tame(m)
	}
	got := everywhere(t, x, func(y dense.Matrix[T], o *dense.Opts[T]) {
		kron.ApplyTensor(trans, f, shape, x.Data, y.Data, o)
	})
	place := clone(x)
	kron.ApplyTensor(trans, f, shape, place.Data, place.Data, nil)
	if at := differ(place.Data, got.Data); at >= 0 {
		t.Fatalf("ApplyTensor of shape %v in place gives %v at %d, else %v", shape, place.Data[at], at, got.Data[at])
	}
	if !ok {
		return
	}
	want, size, steps := make([]float64, n), make([]float64, n), 4
	for i, v := range x.Data {
		want[i], size[i] = float64(v), math.Abs(float64(v))
	}
	for i, m := range f {
		if m.Rows > 0 {
			want, size = alongMode(m, trans, i, shape, want, false), alongMode(m, trans, i, shape, size, true)
			steps += shape[i] + 2
		}
	}
	for i := range want {
		near(t, got.Data[i], term{value: want[i], size: size[i]}, steps, func() string { return fmt.Sprintf("ApplyTensor(%c) of shape %v at %d", trans, shape, i) })
	}
}

// alongMode multiplies a tensor along a mode by op(m), or by the magnitudes of that.
func alongMode[T dense.Float](m dense.Matrix[T], trans blas.Transpose, mode int, shape []int, x []float64, absolute bool) []float64 {
	right := 1
	for _, d := range shape[mode+1:] {
		right *= d
	}
	y := make([]float64, len(x))
	for at := range y {
		i := at / right % shape[mode]
		for k := range shape[mode] {
			v := float64(element(m, trans, i, k))
			if absolute {
				v = math.Abs(v)
			}
			y[at] += v * x[at+(k-i)*right]
		}
	}
	return y
}

// convMoment holds the second moment of patches to that of the patch matrix made in one piece,
// by its definition, for any geometry.
func convMoment[T dense.Float](t *testing.T, r *reader) {
	in := func(lo, n int) int { return lo + int(r.byte())%n }
	groups := in(1, 3)
	g := kron.ConvGeometry{Height: in(1, 9), Width: in(1, 9), Channels: groups * in(1, 4), Out: groups, KernelH: in(1, 4), KernelW: in(1, 4),
		StrideH: in(1, 3), StrideW: in(1, 3), PadH: in(0, 4), PadW: in(0, 4), DilationH: in(1, 3), DilationW: in(1, 3), Groups: groups}
	if g.Check() != nil {
		return
	}
	group, count, bias := int(r.byte())%groups, in(0, 4), r.bool()
	x := matrix[T](r, count*g.Height*g.Width, g.Channels)
	h, w := g.OutSize()
	if h*w != g.Places() {
		t.Fatalf("%+v: %d places, %d×%d", g, g.Places(), h, w)
	}
	p := dense.NewMatrix[T](count*h*w, g.Patch())
	depth := g.Channels / groups
	for row := range p.Rows {
		for col := range p.Cols {
			i := row/w%h*g.StrideH - g.PadH + col/depth/g.KernelW*g.DilationH
			j := row%w*g.StrideW - g.PadW + col/depth%g.KernelW*g.DilationW
			if i >= 0 && j >= 0 && i < g.Height && j < g.Width {
				p.Set(row, col, x.At((row/(h*w)*g.Height+i)*g.Width+j, group*depth+col%depth))
			}
		}
	}
	d := g.Patch()
	if bias {
		d++
	}
	c := matrix[T](r, d, d)
	alpha, beta := scalar[T](r), scalar[T](r)
	got := everywhere(t, c, func(c dense.Matrix[T], o *dense.Opts[T]) {
		kron.ConvMoment(alpha, g, group, x, bias, beta, c, o)
	})
	untouched(t, "c", got, c, func(i, j int) bool { return j <= i })
	want := clone(c) // one panel holds all of it
	kron.Moment(alpha, p, bias, beta, want, nil)
	for i := range d {
		for j := range i + 1 {
			if !same(got.At(i, j), want.At(i, j)) {
				t.Fatalf("ConvMoment of %+v, group %d of %d images, at (%d, %d) is %v, want %v", g, group, count, i, j, got.At(i, j), want.At(i, j))
			}
		}
	}
}
