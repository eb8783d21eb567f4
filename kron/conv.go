package kron

import (
	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/space"
)

// ConvMoment is Moment of the patches of a convolution, C = alpha·P̄ᵀ·P̄ + beta·C, without
// the patch matrix in memory: patches go through a panel of PanelRows() rows. It is the
// factor A of KFC for one group of the convolution; G is Moment of the group's columns of
// the gradients, (images·Places())×(Out/Groups).
//
// Normalisation is the caller's. KFC (Grosse and Martens) sums over places: for n images,
// A is alpha = 1/n and G is 1/(n·Places()). The expand form (see Reduce) divides in A. The
// product of the two is the same.
//
// Shapes: x is (images·Height·Width)×Channels; c is d×d with d = Patch(), or (d+1)×(d+1) with
// bias. As in Moment the lower triangle of c is written, and read unless beta == 0; c must
// not overlap x.
// Cost: images·Places()·d² flops. Workspace: ConvMomentWork(g, bias). The products inside
// pack into pooled space.
// Order: Moment panel after panel.
// Source: Grosse and Martens, A Kronecker-factored approximate Fisher matrix for
// convolution layers, 2016, section 3.
func ConvMoment[T dense.Float](alpha T, g ConvGeometry, group int, x dense.Matrix[T], bias bool, beta T, c dense.Matrix[T], o *dense.Opts[T]) {
	const op = "ConvMoment"
	images := g.images(op, "x", x.Rows, x.Cols)
	d := g.Patch() + homogeneous(bias)
	if group < 0 || group >= g.Groups {
		misuse(op, "group %d of %d", group, g.Groups)
	}
	if c.Rows != d || c.Cols != d {
		misuse(op, "patches have %d elements, bias %v, c is %s", g.Patch(), bias, shape(c))
	}
	if dense.Overlap(c, x) {
		misuse(op, "c overlaps x")
	}
	t := threads(o)
	w, buf := scratch(o, op, convRoom[T](&g, bias))
	defer space.Put(buf)
	panel := w.matrix(g.PanelRows(), g.Patch())
	ones := unit(w.Rest())
	inner := dense.Opts[T]{Threads: t}
	total := images * g.Places()
	for lo := 0; lo < total || lo == 0; lo += panel.Rows {
		p := panel.View(0, 0, min(panel.Rows, total-lo), panel.Cols)
		Patches(g, group, x, lo, p, &inner)
		moment(alpha, &p, ones[:min(len(ones), p.Rows)], bias, beta, &c, &inner)
		beta = 1
	}
}

// ConvMomentWork returns the length of the workspace of ConvMoment. It does not depend on
// the number of threads.
func ConvMomentWork[T dense.Float](g ConvGeometry, bias bool) int {
	g.images("ConvMomentWork", "x", 0, g.Channels)
	return room[T](convRoom[T](&g, bias))
}

func convRoom[T dense.Float](g *ConvGeometry, bias bool) int {
	var w arena[T]
	w.matrix(g.PanelRows(), g.Patch())
	if bias {
		w.Take(g.PanelRows())
	}
	return w.Used()
}

// ConvReduce sums the patches of each image, y_s = alpha·Σ_t p_{s,t}, without the patch
// matrix in memory: Reduce of the patches of a convolution, for the reduce form.
//
// Shapes: x is (images·Height·Width)×Channels, y is images×Patch() and must not overlap x.
// Cost: images·Places()·Patch() additions. It runs on one thread and needs no workspace.
// Order: the sum is taken in increasing t, and then multiplied by alpha.
func ConvReduce[T dense.Float](alpha T, g ConvGeometry, group int, x, y dense.Matrix[T]) {
	const op = "ConvReduce"
	images := g.images(op, "x", x.Rows, x.Cols)
	if group < 0 || group >= g.Groups {
		misuse(op, "group %d of %d", group, g.Groups)
	}
	if y.Rows != images || y.Cols != g.Patch() {
		misuse(op, "%d images with patches of %d elements, y is %s", images, g.Patch(), shape(y))
	}
	if dense.Overlap(y, x) {
		misuse(op, "y overlaps x")
	}
	h, w := g.OutSize()
	depth := g.Channels / g.Groups
	for s := range images {
		for k := range g.KernelH * g.KernelW {
			sum := y.Row(s)[k*depth : (k+1)*depth]
			clear(sum)
			for i := range h {
				row := i*g.StrideH - g.PadH + k/g.KernelW*g.DilationH
				if row < 0 || row >= g.Height {
					continue
				}
				for j := range w {
					col := j*g.StrideW - g.PadW + k%g.KernelW*g.DilationW
					if col < 0 || col >= g.Width {
						continue
					}
					at := ((s*g.Height+row)*g.Width+col)*x.Stride + group*depth
					dense.AddTo(sum, x.Data[at:at+depth], sum, nil)
				}
			}
		}
		dense.Scal(alpha, y.Row(s), nil)
	}
}
