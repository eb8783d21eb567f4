package nn

import (
	"unsafe"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/par"
	"gonum.org/v1/gonum/blas"
)

// A plane does the passes over images: convolutions and pools. Workers take units of whole
// images; within a unit a convolution goes through panels, a bounded number of patches as
// the rows of a matrix, so that it is a matrix product while the patches are in the cache.
// The patches of a whole batch never exist at once.
type plane[T dense.Float] struct {
	op      planeOp
	st      *stage
	n       int // examples
	w       dense.Matrix[T]
	x, z    []T // images and outputs, or their gradients
	beta    T
	pick    []int32
	lanes   int
	sums    []T // weight gradients of the lanes
	workers []planeWork[T]
	f       func(team *par.Team, w int)
}

// planeWork is the workspace of one worker.
type planeWork[T dense.Float] struct {
	panel []T
	opts  dense.Opts[T]
}

type planeOp uint8

const (
	convProduct  planeOp = iota // z = W∗x + beta·z
	convAdjoint                 // x = Wᵀ∗z + beta·x
	convGradient                // sums of each lane = z·(patches of x)ᵀ
	poolProduct                 // z = pool of x; of a max pool, pick
	poolTangent                 // z = derivative of the pool in direction x
	poolAdjoint                 // x = its transpose times z
)

// panelRows returns the number of patches in a panel of a convolution. It is part of the
// order of operations, so it depends on the shape and the element type alone.
func panelRows[T dense.Float](st *stage) int {
	const bytes = 1 << 18
	return max(32, bytes/int(unsafe.Sizeof(T(0)))/st.fanIn)
}

// images returns the number of images in a unit.
func images[T dense.Float](st *stage) int {
	if st.kind != conv {
		return 1
	}
	return max(1, panelRows[T](st)/st.positions)
}

// lanes returns in how many parts the sum over a number of images is made for a weight
// gradient, whatever the number of workers: few where the weight is large.
func lanes[T dense.Float](st *stage, n int) int {
	const elements = 1 << 20
	units := (n + images[T](st) - 1) / images[T](st)
	return min(units, max(4, min(16, elements/(st.width*st.fanIn))))
}

// newPlane returns a plane for the given stages, batches of up to n examples and a number
// of workers.
func newPlane[T dense.Float](stages []stage, n, workers int) *plane[T] {
	s := &plane[T]{workers: make([]planeWork[T], workers)}
	panel, sums, work := 0, 0, 0
	for l := range stages {
		st := &stages[l]
		if st.pointwise() || !st.weighted() {
			continue
		}
		rows, out := panelRows[T](st), st.width/st.conv.Groups
		panel = max(panel, rows*st.fanIn)
		sums = max(sums, lanes[T](st, n)*st.width*st.fanIn)
		work = max(work,
			dense.GemmWork[T](blas.NoTrans, blas.Trans, rows, out, st.fanIn, 1),
			dense.GemmWork[T](blas.Trans, blas.NoTrans, out, st.fanIn, rows, 1),
			dense.GemmWork[T](blas.NoTrans, blas.NoTrans, rows, st.fanIn, out, 1))
	}
	for w := range s.workers {
		s.workers[w] = planeWork[T]{make([]T, panel), dense.Opts[T]{Threads: 1, Work: make([]T, work)}}
	}
	s.sums = make([]T, sums)
	s.f = s.work
	return s
}

// convolve does convProduct or convAdjoint over n examples.
func (s *plane[T]) convolve(op planeOp, st *stage, n int, w dense.Matrix[T], x, z []T, beta T) {
	s.w, s.beta = w, beta
	s.run(op, st, n, x, z)
}

// gradient computes w = alpha·z·(patches of x)ᵀ + beta·w.
func (s *plane[T]) gradient(st *stage, n int, alpha T, z, x []T, beta T, w dense.Matrix[T], o *dense.Opts[T]) {
	s.lanes = lanes[T](st, n)
	s.run(convGradient, st, n, x, z)
	for i := range s.lanes {
		dense.Accumulate(alpha, s.lane(st, i), beta, w, o)
		beta = 1
	}
}

// lane returns the weight gradient of a lane.
func (s *plane[T]) lane(st *stage, i int) dense.Matrix[T] {
	size := st.width * st.fanIn
	return dense.MatrixOf(st.width, st.fanIn, s.sums[i*size:(i+1)*size])
}

func (s *plane[T]) run(op planeOp, st *stage, n int, x, z []T) {
	s.op, s.st, s.n, s.x, s.z = op, st, n, x, z
	workers := len(s.workers)
	if op == convGradient {
		workers = min(workers, s.lanes)
	}
	if size := max(st.in.Len(), st.out.Len()*max(1, st.fanIn)); n*size < sweepGrain {
		workers = 1
	}
	par.Run(min(workers, n), s.f)
	s.x, s.z, s.w, s.pick = nil, nil, dense.Matrix[T]{}, nil
}

func (s *plane[T]) work(team *par.Team, worker int) {
	unit := images[T](s.st)
	units := (s.n + unit - 1) / unit
	if s.op == convGradient {
		lo, hi := par.Range(s.lanes, team.Workers(), worker, 1)
		for lane := lo; lane < hi; lane++ {
			first, last := par.Range(units, s.lanes, lane, 1)
			s.convolution(&s.workers[worker], first*unit, min(last*unit, s.n), s.lane(s.st, lane))
		}
		return
	}
	lo, hi := par.Range(units, team.Workers(), worker, 1)
	for u := lo; u < hi; u++ {
		i0, i1 := u*unit, min((u+1)*unit, s.n)
		if s.op == convProduct || s.op == convAdjoint {
			s.convolution(&s.workers[worker], i0, i1, s.w)
			continue
		}
		s.pools(i0) // units are one image
	}
}

// convolution does the part of images i0 to i1 in a pass of a convolution.
func (s *plane[T]) convolution(work *planeWork[T], i0, i1 int, w dense.Matrix[T]) {
	st, g := s.st, s.st.conv
	z := dense.MatrixOf(s.n*st.positions, st.width, s.z)
	out, patch := st.width/g.Groups, st.fanIn
	if s.op == convAdjoint {
		x := s.x[i0*st.in.Len() : i1*st.in.Len()]
		switch s.beta {
		case 0:
			clear(x)
		case 1:
		default:
			asm.For[T]().Scal(s.beta, x)
		}
	}
	// The panels of a lane begin at the same images as the units.
	unit := images[T](st)
	first := true
	for ; i0 < i1; i0 += unit {
		end := min(i0+unit, i1) * st.positions
		for r := i0 * st.positions; r < end; r += panelRows[T](st) {
			rows := min(panelRows[T](st), end-r)
			panel := dense.MatrixOf(rows, patch, work.panel[:rows*patch])
			for group := range g.Groups {
				zg, wg := z.View(r, group*out, rows, out), w.View(group*out, 0, out, patch)
				switch s.op {
				case convProduct:
					s.patches(panel, r, group)
					dense.Gemm(blas.NoTrans, blas.Trans, 1, panel, wg, s.beta, zg, &work.opts)
				case convAdjoint:
					dense.Gemm(blas.NoTrans, blas.NoTrans, 1, zg, wg, 0, panel, &work.opts)
					s.addPatches(panel, r, group)
				case convGradient:
					s.patches(panel, r, group)
					beta := T(1)
					if first {
						beta = 0
					}
					dense.Gemm(blas.Trans, blas.NoTrans, 1, zg, panel, beta, wg, &work.opts)
				}
			}
			first = false
		}
	}
}

// row is what one kernel row of a patch takes from the image: count pixels of the kernel,
// from pixel skip on, lie in the image; the first begins at element at of all images, the
// others follow step elements apart. Of each it takes the channels of one group.
type row struct{ skip, count, at, step int }

// kernelRow returns row kh of the patch at output position p of an image.
func (s *plane[T]) kernelRow(image, p, kh, group int) row {
	g := s.st.conv
	oh, ow := p/s.st.out.Width, p%s.st.out.Width
	ih, iw := oh*g.StrideH-g.PadH+kh*g.DilationH, ow*g.StrideW-g.PadW
	if ih < 0 || ih >= g.Height {
		return row{}
	}
	skip := 0
	if iw < 0 {
		skip = min(g.KernelW, (-iw+g.DilationW-1)/g.DilationW)
	}
	end := 0 // kernel pixels left of the image's right edge
	if iw < g.Width {
		end = min(g.KernelW, (g.Width-1-iw)/g.DilationW+1)
	}
	at := ((image*g.Height+ih)*g.Width+iw+skip*g.DilationW)*g.Channels + group*(g.Channels/g.Groups)
	return row{skip, max(0, end-skip), at, g.DilationW * g.Channels}
}

// patches fills a panel with the patches of a group at output rows from r on.
func (s *plane[T]) patches(panel dense.Matrix[T], r, group int) {
	g := s.st.conv
	channels := g.Channels / g.Groups
	width := g.KernelW * channels // of a kernel row
	for i := range panel.Rows {
		image, p := (r+i)/s.st.positions, (r+i)%s.st.positions
		dst := panel.Row(i)
		for kh := range g.KernelH {
			dst := dst[kh*width : (kh+1)*width]
			k := s.kernelRow(image, p, kh, group)
			if k.count < g.KernelW {
				clear(dst)
			}
			dst = dst[k.skip*channels : (k.skip+k.count)*channels]
			if k.step == channels {
				copy(dst, s.x[k.at:])
				continue
			}
			for ; len(dst) > 0; dst, k.at = dst[channels:], k.at+k.step {
				copy(dst[:channels], s.x[k.at:])
			}
		}
	}
}

// addPatches adds a panel of patches to where they came from.
func (s *plane[T]) addPatches(panel dense.Matrix[T], r, group int) {
	kern, g := asm.For[T](), s.st.conv
	channels := g.Channels / g.Groups
	width := g.KernelW * channels
	for i := range panel.Rows {
		image, p := (r+i)/s.st.positions, (r+i)%s.st.positions
		src := panel.Row(i)
		for kh := range g.KernelH {
			k := s.kernelRow(image, p, kh, group)
			src := src[kh*width:][k.skip*channels : (k.skip+k.count)*channels]
			run := channels // elements that follow each other in the image
			if k.step == channels {
				run = len(src)
			}
			for ; len(src) > 0; src, k.at = src[run:], k.at+k.step {
				x := s.x[k.at : k.at+run]
				if run >= 16 { // a call for less costs more than it does
					kern.AddTo(x, src[:run], x)
					continue
				}
				for j := range x {
					x[j] += src[j]
				}
			}
		}
	}
}
