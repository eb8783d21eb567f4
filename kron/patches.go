package kron

import (
	"sync"
	"unsafe"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/par"
)

// Places returns the number of output pixels of an image.
func (g ConvGeometry) Places() int {
	h, w := g.OutSize()
	return h * w
}

// images returns the number of images in x; it panics if the geometry is impossible or x is not made of images.
func (g ConvGeometry) images(op, name string, rows, cols int) (images int) {
	if err := g.Check(); err != nil {
		misuse(op, "%v", err)
	}
	if cols != g.Channels || rows%(g.Height*g.Width) != 0 {
		misuse(op, "%s is %dx%d for images of %dx%dx%d", name, rows, cols, g.Height, g.Width, g.Channels)
	}
	return rows / (g.Height * g.Width)
}

// panelElements is the size of a panel of patches: small enough for the second-level
// cache with its product, large enough for the products to be efficient.
const panelElements = 1 << 17

// PanelRows returns the number of patches that a panel should hold where patches go
// through memory in panels: a function of the geometry alone.
func (g ConvGeometry) PanelRows() int {
	return max(128, min(4096, panelElements/g.Patch()/64*64))
}

// Patches writes rows of the patch matrix of one group to p, beginning with row lo: row r of
// that matrix, in the order (image, output row, output column), is what the kernel sees of
// the group's channels there, zero outside of the image, in the order of the weight's columns.
// The convolution of a group is this matrix times the transpose of the group's rows of the
// weight.
//
// The matrix as a whole is as large as the input times the kernel; panels of PanelRows() rows
// at a time need little space.
//
// Shapes: x is (images·Height·Width)×Channels, p is rows×Patch() with
// lo + rows ≤ images·Places(), and must not overlap x. It needs no workspace.
func Patches[T dense.Float](g ConvGeometry, group int, x dense.Matrix[T], lo int, p dense.Matrix[T], o *dense.Opts[T]) {
	const op = "Patches"
	checkPanel(op, g, group, &x, lo, &p)
	if dense.Overlap(p, x) {
		misuse(op, "p overlaps x")
	}
	t := patchCall[T]{g: g, group: group, x: x, lo: lo, p: p}
	t.run(min(p.Rows, threads(o), 1+p.Rows*p.Cols/grain))
}

// AddPatches is the transpose of Patches: it adds each element of p to the element of x that
// Patches would have read it from. So the gradient with respect to the input of a
// convolution comes from that with respect to the patches.
//
// Shapes: as for Patches; x must not overlap p. It needs no workspace.
// Order: an element of x takes the elements of p in increasing order of their rows.
func AddPatches[T dense.Float](g ConvGeometry, group int, p dense.Matrix[T], lo int, x dense.Matrix[T], o *dense.Opts[T]) {
	const op = "AddPatches"
	checkPanel(op, g, group, &x, lo, &p)
	if dense.Overlap(p, x) {
		misuse(op, "x overlaps p")
	}
	t := patchCall[T]{g: g, group: group, x: x, lo: lo, p: p, add: true}
	t.run(min(x.Rows/g.Width, threads(o), 1+p.Rows*p.Cols/grain))
}

// checkPanel panics unless p can be rows of the patch matrix of x, from row lo on.
func checkPanel[T dense.Float](op string, g ConvGeometry, group int, x *dense.Matrix[T], lo int, p *dense.Matrix[T]) {
	images := g.images(op, "x", x.Rows, x.Cols)
	if group < 0 || group >= g.Groups {
		misuse(op, "group %d of %d", group, g.Groups)
	}
	if lo < 0 || p.Cols != g.Patch() || lo+p.Rows > images*g.Places() {
		misuse(op, "p is %s from row %d of %dx%d", shape(*p), lo, images*g.Places(), g.Patch())
	}
}

// patchCall is one call of Patches or AddPatches.
type patchCall[T dense.Float] struct {
	g             ConvGeometry
	group, lo     int
	x, p          dense.Matrix[T]
	add           bool
	workers       int
	places, width int // output pixels of an image, and of one of its rows
	first, depth  int // the group's channels
}

var patchCalls32, patchCalls64 sync.Pool

func (t *patchCall[T]) run(workers int) {
	if t.p.Rows == 0 {
		return
	}
	h, w := t.g.OutSize()
	t.places, t.width = h*w, w
	t.depth = t.g.Channels / t.g.Groups
	t.first = t.group * t.depth
	t.workers = max(1, workers)
	if t.workers == 1 {
		t.Work(nil, 0)
		return
	}
	pool := &patchCalls32
	if unsafe.Sizeof(T(0)) == 8 {
		pool = &patchCalls64
	}
	par.Share(pool, t.workers, t)
}

// Work does the part of worker w: some of the patches, or what goes to some of the rows of
// the images.
func (t *patchCall[T]) Work(_ *par.Team, w int) {
	if !t.add {
		lo, hi := par.Range(t.p.Rows, t.workers, w, 1)
		t.rows(lo, hi, 0, t.x.Rows/t.g.Width)
		return
	}
	lo, hi := par.Range(t.x.Rows/t.g.Width, t.workers, w, 1)
	t.rows(0, t.p.Rows, lo, hi)
}

// rows goes over the patches lo to hi−1 and the rows of pixels from, …, to−1, counted
// through all images.
func (t *patchCall[T]) rows(lo, hi, from, to int) {
	g := &t.g
	strip := g.KernelW * t.depth // elements of a patch that come from one row of pixels
	near := !t.add && strip <= narrow && g.DilationW == 1 && t.depth == t.x.Stride
	image, place := (t.lo+lo)/t.places, (t.lo+lo)%t.places
	height, y, x := t.places/t.width, place/t.width, place%t.width
	for r := lo; r < hi; r++ {
		first, top, left := image*g.Height, y*g.StrideH-g.PadH, x*g.StrideW-g.PadW
		if x++; x == t.width {
			if x, y = 0, y+1; y == height {
				y, image = 0, image+1
			}
		}
		patch := t.p.Row(r)
		if near && top >= 0 && left >= 0 && top+(g.KernelH-1)*g.DilationH < g.Height && left+g.KernelW <= g.Width {
			t.inside((first+top)*g.Width+left, patch)
			continue
		}
		for k := range g.KernelH {
			part := patch[k*strip : (k+1)*strip]
			i := top + k*g.DilationH
			if i < 0 || i >= g.Height {
				if !t.add {
					clear(part)
				}
				continue
			}
			if row := first + i; row >= from && row < to {
				t.strip(row*g.Width, left, part)
			}
		}
	}
}

// narrow is the number of elements up to which a strip is copied without a call.
const narrow = 8

// inside reads a patch that lies within the image, from pixel at of x on, and whose strips are
// narrow. It copies more than a strip where there is room: the next one overwrites it.
func (t *patchCall[T]) inside(at int, patch []T) {
	g := &t.g
	strip, row := g.KernelW*t.depth, g.DilationH*g.Width*t.depth
	k, x := 0, t.x.Data[at*t.depth:]
	for ; k+narrow <= len(patch) && narrow <= len(x); k += strip {
		*(*[narrow]T)(patch[k:]) = *(*[narrow]T)(x)
		x = x[min(row, len(x)):]
	}
	for ; k < len(patch); k += strip {
		copy(patch[k:k+strip], x)
		x = x[min(row, len(x)):]
	}
}

// strip reads or writes what a patch has of one row of pixels, which begins at row base of
// x; left is the column of the first of them.
func (t *patchCall[T]) strip(base, left int, part []T) {
	g := &t.g
	if g.DilationW == 1 && t.depth == t.x.Stride { // pixels lie side by side
		lo, hi := max(0, -left), min(g.KernelW, g.Width-left)
		if lo >= hi {
			lo, hi = 0, 0
		}
		at := (base + left + lo) * t.depth
		if lo < hi {
			t.move(t.x.Data[at:at+(hi-lo)*t.depth], part[lo*t.depth:hi*t.depth])
		}
		if !t.add {
			clear(part[:lo*t.depth])
			clear(part[hi*t.depth:])
		}
		return
	}
	for k := range g.KernelW {
		piece := part[k*t.depth : (k+1)*t.depth]
		if j := left + k*g.DilationW; j >= 0 && j < g.Width {
			at := (base+j)*t.x.Stride + t.first
			t.move(t.x.Data[at:at+t.depth], piece)
		} else if !t.add {
			clear(piece)
		}
	}
}

// few is the number of elements up to which a loop is faster than a call.
const few = 16

// move copies from the image to the patch, or adds from the patch to the image.
func (t *patchCall[T]) move(image, patch []T) {
	patch = patch[:len(image)]
	switch {
	case !t.add:
		copy(patch, image)
	case len(image) > few:
		asm.For[T]().AddTo(image, patch, image)
	default:
		for i, v := range patch {
			image[i] += v
		}
	}
}
