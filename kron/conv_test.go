package kron

import (
	"fmt"
	"math"
	"testing"

	"github.com/precond-go/precond/dense"
)

// geometries have every feature alone and together.
var geometries = []ConvGeometry{
	{Height: 1, Width: 1, Channels: 1, Out: 1, KernelH: 1, KernelW: 1, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, Groups: 1},
	{Height: 5, Width: 6, Channels: 3, Out: 2, KernelH: 1, KernelW: 1, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, Groups: 1},
	{Height: 7, Width: 5, Channels: 2, Out: 4, KernelH: 3, KernelW: 2, StrideH: 1, StrideW: 1, PadH: 1, PadW: 1, DilationH: 1, DilationW: 1, Groups: 1},
	{Height: 9, Width: 11, Channels: 4, Out: 6, KernelH: 3, KernelW: 3, StrideH: 2, StrideW: 3, PadH: 2, PadW: 1, DilationH: 2, DilationW: 1, Groups: 2},
	{Height: 8, Width: 9, Channels: 3, Out: 3, KernelH: 2, KernelW: 3, StrideH: 1, StrideW: 2, PadW: 3, DilationH: 3, DilationW: 2, Groups: 3},
	{Height: 2, Width: 2, Channels: 20, Out: 1, KernelH: 5, KernelW: 5, StrideH: 1, StrideW: 1, PadH: 4, PadW: 4, DilationH: 1, DilationW: 1, Groups: 1},
	{Height: 3, Width: 2, Channels: 1, Out: 1, KernelH: 1, KernelW: 2, StrideH: 1, StrideW: 1, PadW: 5, DilationH: 1, DilationW: 1, Groups: 1},
}

// patchMatrix returns the patch matrix of one group by its definition.
func patchMatrix[T float](g ConvGeometry, group int, x matrix[T]) matrix[float64] {
	h, w := g.OutSize()
	depth := g.Channels / g.Groups
	images := x.Rows / (g.Height * g.Width)
	p := dense.NewMatrix[float64](images*h*w, g.Patch())
	for r := range p.Rows {
		image, oi, oj := r/(h*w), r/w%h, r%w
		for c := range p.Cols {
			ki, kj, ch := c/depth/g.KernelW, c/depth%g.KernelW, c%depth
			i, j := oi*g.StrideH-g.PadH+ki*g.DilationH, oj*g.StrideW-g.PadW+kj*g.DilationW
			if i >= 0 && i < g.Height && j >= 0 && j < g.Width {
				p.Set(r, c, float64(x.At((image*g.Height+i)*g.Width+j, group*depth+ch)))
			}
		}
	}
	return p
}

func TestPatches(t *testing.T) { both(t, testPatches[float32], testPatches[float64]) }

// testPatches compares panels anywhere with the definition, and AddPatches with its
// transpose, in integers.
func testPatches[T float](t *testing.T) {
	for i, g := range geometries {
		for _, extra := range []int{0, 2} {
			x := draw[T](1, 3*g.Height*g.Width, g.Channels, extra)
			for r := range x.Rows {
				for c := range x.Row(r) {
					x.Set(r, c, T(math.Round(float64(10*x.At(r, c)))))
				}
			}
			for group := range g.Groups {
				all := patchMatrix(g, group, x)
				for _, c := range [][2]int{{0, all.Rows}, {all.Rows / 3, all.Rows / 2}, {all.Rows - 1, 1}, {1, 0}} {
					lo, rows := c[0], min(c[1], all.Rows-c[0])
					name := fmt.Sprintf("geometry %d group %d rows %v", i, group, c)
					want := all.View(lo, 0, rows, all.Cols)
					for threads := 1; threads <= 3; threads++ {
						o := &options[T]{Threads: threads}
						p := draw[T](2, rows, g.Patch(), 1)
						Patches(g, group, x, lo, p, o)
						for r := range rows {
							for c, v := range p.Row(r) {
								if float64(v) != want.At(r, c) {
									t.Fatalf("%s: (%d, %d) is %v, want %v", name, r, c, v, want.At(r, c))
								}
							}
						}
						// ⟨e, AddPatches(p)⟩ for every unit vector e: what Patches reads there.
						back := copyOf(x)
						AddPatches(g, group, p, lo, back, o)
						wantBack := wide(x)
						scatter(g, group, want, lo, wantBack)
						for r := range x.Rows {
							for c, v := range back.Row(r) {
								if float64(v) != wantBack.At(r, c) {
									t.Fatalf("%s: AddPatches: (%d, %d) is %v, want %v", name, r, c, v, wantBack.At(r, c))
								}
							}
						}
					}
				}
			}
		}
	}
}

// scatter adds the elements of p to those that patchMatrix reads them from.
func scatter(g ConvGeometry, group int, p matrix[float64], lo int, x matrix[float64]) {
	places := x.Clone() // element i holds i + 1, so that patches say where they read
	for i := range places.Data {
		places.Data[i] = float64(i + 1)
	}
	at := patchMatrix(g, group, places)
	for r := range p.Rows {
		for c, v := range p.Row(r) {
			if i := int(at.At(lo+r, c)); i > 0 {
				x.Data[i-1] += v
			}
		}
	}
}

func TestPatchesOpts(t *testing.T) { both(t, testPatchesOpts[float32], testPatchesOpts[float64]) }

func testPatchesOpts[T float](t *testing.T) {
	g := ConvGeometry{Height: 28, Width: 28, Channels: 8, Out: 4, KernelH: 3, KernelW: 3, StrideH: 1, StrideW: 1, PadH: 1, PadW: 1, DilationH: 1, DilationW: 1, Groups: 1}
	x, p := draw[T](1, 4*28*28, 8, 0), draw[T](2, 2000, 72, 3)
	q, back := copyOf(p), copyOf(x)
	checkOpts(t, "Patches", nil, func(o *options[T]) [][]T {
		q := copyOf(p)
		Patches(g, 0, x, 77, q, o)
		return [][]T{q.Data}
	}, func(o *options[T]) { Patches(g, 0, x, 77, q, o) })
	checkOpts(t, "AddPatches", nil, func(o *options[T]) [][]T {
		y := copyOf(x)
		AddPatches(g, 0, p, 77, y, o)
		return [][]T{y.Data}
	}, func(o *options[T]) { AddPatches(g, 0, p, 77, back, o) })
	mustPanic(t, "kron: Patches: p is 2000x72 from row 1137 of 3136x72", func() { Patches(g, 0, x, 1137, p, nil) })
	mustPanic(t, "kron: Patches: x is 3136x7 for images of 28x28x8", func() { Patches(g, 0, x.View(0, 0, x.Rows, 7), 0, p, nil) })
	mustPanic(t, "kron: AddPatches: group 1 of 1", func() { AddPatches(g, 1, p, 0, x, nil) })
	g.StrideH = 0
	mustPanic(t, "kron: Patches: kron: ConvGeometry: StrideH is 0", func() { Patches(g, 0, x, 0, p, nil) })
}

func TestConvMoment(t *testing.T) { both(t, testConvMoment[float32], testConvMoment[float64]) }

// testConvMoment compares with the patch matrix, for so many images that there are several
// panels.
func testConvMoment[T float](t *testing.T) {
	for i, g := range geometries {
		images := g.PanelRows()*2/g.Places() + 1
		for _, n := range []int{0, 1, images} {
			if n > 1 && testing.Short() && i%2 == 1 {
				continue
			}
			x := draw[T](uint64(i), n*g.Height*g.Width, g.Channels, i%2)
			for group := range g.Groups {
				bias := (i+group+n)%2 == 0
				d := g.Patch() + homogeneous(bias)
				c := draw[T](3, d, d, 1)
				poisonUpper(c)
				alpha, beta := T(0.1), T(0.9)
				ones := appended(patchMatrix(g, group, x), bias)
				want, size := combination(alpha, ones, ones, beta, c)
				ConvMoment(alpha, g, group, x, bias, beta, c, nil)
				near(t, fmt.Sprintf("geometry %d group %d, %d images", i, group, n), lowerOf(c), lowerOf(want), lowerOf(size), n*g.Places()+4)

				y := draw[T](4, n, g.Patch(), 1)
				ConvReduce(alpha, g, group, x, y)
				mean, all := dense.NewMatrix[float64](n, g.Patch()), patchMatrix(g, group, x)
				abs := mean.Clone()
				for r := range all.Rows {
					for j, v := range all.Row(r) {
						mean.Data[r/g.Places()*mean.Cols+j] += float64(alpha) * v
						abs.Data[r/g.Places()*mean.Cols+j] += float64(alpha) * math.Abs(v)
					}
				}
				near(t, fmt.Sprintf("ConvReduce: geometry %d group %d, %d images", i, group, n), elements(y), mean.Data, abs.Data, g.Places()+2)
			}
		}
	}
	g := ConvGeometry{Height: 14, Width: 14, Channels: 6, Out: 4, KernelH: 3, KernelW: 3, StrideH: 1, StrideW: 1, PadH: 1, PadW: 1, DilationH: 1, DilationW: 1, Groups: 2}
	x, c := draw[T](1, 40*14*14, 6, 0), draw[T](2, 28, 28, 3)
	steady, y := copyOf(c), draw[T](3, 40, 27, 0)
	checkOpts(t, "ConvMoment", func(threads int) int { return ConvMomentWork[T](g, true) },
		func(o *options[T]) [][]T {
			c := copyOf(c)
			ConvMoment(0.1, g, 1, x, true, 0.9, c, o)
			return [][]T{c.Data}
		}, func(o *options[T]) { ConvMoment(0.1, g, 1, x, true, 0.9, steady, o) })
	if n := testing.AllocsPerRun(3, func() { ConvReduce(1, g, 1, x, y) }); n != 0 {
		t.Errorf("ConvReduce: %v allocations", n)
	}
	mustPanic(t, "kron: ConvMoment: patches have 27 elements, bias false, c is 28x28", func() { ConvMoment(1, g, 0, x, false, 0, c, nil) })
	mustPanic(t, "kron: ConvMoment: group 2 of 2", func() { ConvMoment(1, g, 2, x, true, 0, c, nil) })
	mustPanic(t, "kron: ConvReduce: 40 images with patches of 27 elements, y is 40x26", func() { ConvReduce(1, g, 0, x, y.View(0, 0, 40, 26)) })
}

// TestConvolution checks against the sum that defines a convolution that patches times the
// transpose of the weight are one.
func TestConvolution(t *testing.T) {
	for i, g := range geometries {
		x, weight := draw[float64](1, 2*g.Height*g.Width, g.Channels, 0), draw[float64](2, g.Out, g.Patch(), 0)
		h, w := g.OutSize()
		in, out := g.Channels/g.Groups, g.Out/g.Groups
		for group := range g.Groups {
			p := dense.NewMatrix[float64](2*h*w, g.Patch())
			Patches(g, group, x, 0, p, nil)
			y := times(p, whole('T', weight.View(group*out, 0, out, g.Patch())))
			for r := range y.Rows {
				for c := range out {
					sum := 0.
					for ki := range g.KernelH {
						for kj := range g.KernelW {
							ii, jj := r/w%h*g.StrideH-g.PadH+ki*g.DilationH, r%w*g.StrideW-g.PadW+kj*g.DilationW
							if ii < 0 || jj < 0 || ii >= g.Height || jj >= g.Width {
								continue
							}
							for ch := range in {
								sum += weight.At(group*out+c, (ki*g.KernelW+kj)*in+ch) * x.At((r/(h*w)*g.Height+ii)*g.Width+jj, group*in+ch)
							}
						}
					}
					if !(math.Abs(y.At(r, c)-sum) <= 1e-13) {
						t.Fatalf("geometry %d group %d: (%d, %d) is %v, want %v", i, group, r, c, y.At(r, c), sum)
					}
				}
			}
		}
	}
}

// TestPanelRows has the bounds that the doc comment of PanelRows promises.
func TestPanelRows(t *testing.T) {
	for _, k := range []int{1, 3, 5, 7} {
		for _, channels := range []int{1, 3, 16, 64, 512} {
			g := ConvGeometry{Height: 9, Width: 9, Channels: channels, Out: 1, KernelH: k, KernelW: k, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, Groups: 1}
			n := g.PanelRows()
			if n < 128 || n > 4096 || n > 128 && n*g.Patch() > panelElements {
				t.Errorf("%d rows of %d", n, g.Patch())
			}
		}
	}
}
