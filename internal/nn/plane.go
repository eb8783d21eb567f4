package nn

import (
	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/par"
	"github.com/precond-go/precond/kron"
	"gonum.org/v1/gonum/blas"
)

// A plane does the passes over images: convolutions and pools. Workers take units of whole
// images; within a unit a convolution goes through panels, a bounded number of patches as
// the rows of a matrix, so that it is a matrix product while the patches are in the cache.
// The patches of a whole batch never exist at once.
type plane[T dense.Float] struct {
	op     planeOp
	st     *stage
	n      int // examples
	w      dense.Matrix[T]
	x, z   []T // images and outputs, or their gradients
	beta   T   // 0 or 1
	pick   []int32
	lanes  int
	sums   []T           // weight gradients of the lanes
	panels [][]T         // of workers
	single dense.Opts[T] // of what a worker calls
	f      func(team *par.Team, w int)
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

// images returns the number of images in a unit.
func images(st *stage) int {
	if st.kind != conv {
		return 1
	}
	return max(1, st.conv.PanelRows()/st.positions)
}

// lanes returns in how many parts the sum over a number of images is made for a weight
// gradient, whatever the number of workers: few where the weight is large.
func lanes(st *stage, n int) int {
	const elements = 1 << 20
	units := (n + images(st) - 1) / images(st)
	return min(units, max(4, min(16, elements/(st.width*st.fanIn))))
}

// newPlane returns a plane for the given stages, batches of up to n examples and a number
// of workers.
func newPlane[T dense.Float](stages []stage, n, workers int) *plane[T] {
	s := &plane[T]{panels: make([][]T, workers), single: dense.Opts[T]{Threads: 1}}
	panel, sums := 0, 0
	for l := range stages {
		st := &stages[l]
		if st.pointwise() || !st.weighted() {
			continue
		}
		panel = max(panel, st.conv.PanelRows()*st.fanIn)
		sums = max(sums, lanes(st, n)*st.width*st.fanIn)
	}
	for w := range s.panels {
		s.panels[w] = make([]T, panel)
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
	s.lanes = lanes(st, n)
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
	workers := len(s.panels)
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
	unit := images(s.st)
	units := (s.n + unit - 1) / unit
	if s.op == convGradient {
		lo, hi := par.Range(s.lanes, team.Workers(), worker, 1)
		for lane := lo; lane < hi; lane++ {
			first, last := par.Range(units, s.lanes, lane, 1)
			s.convolution(s.panels[worker], first*unit, min(last*unit, s.n), s.lane(s.st, lane))
		}
		return
	}
	lo, hi := par.Range(units, team.Workers(), worker, 1)
	for u := lo; u < hi; u++ {
		i0, i1 := u*unit, min((u+1)*unit, s.n)
		if s.op == convProduct || s.op == convAdjoint {
			s.convolution(s.panels[worker], i0, i1, s.w)
			continue
		}
		s.pools(i0) // units are one image
	}
}

// convolution does the part of images i0 to i1 in a pass of a convolution.
func (s *plane[T]) convolution(space []T, i0, i1 int, w dense.Matrix[T]) {
	st, g := s.st, s.st.conv
	z := dense.MatrixOf(s.n*st.positions, st.width, s.z)
	x := dense.MatrixOf(s.n*st.in.Pixels(), st.in.Channels, s.x)
	out, patch, most := st.width/g.Groups, st.fanIn, g.PanelRows()
	if s.op == convAdjoint && s.beta == 0 {
		clear(s.x[i0*st.in.Len() : i1*st.in.Len()])
	}
	// The panels of a lane begin at the same images as the units.
	unit := images(st)
	first := true
	for ; i0 < i1; i0 += unit {
		end := min(i0+unit, i1) * st.positions
		for r := i0 * st.positions; r < end; r += most {
			rows := min(most, end-r)
			panel := dense.MatrixOf(rows, patch, space[:rows*patch])
			for group := range g.Groups {
				zg, wg := z.View(r, group*out, rows, out), w.View(group*out, 0, out, patch)
				switch s.op {
				case convProduct:
					kron.Patches(*g, group, x, r, panel, &s.single)
					dense.Gemm(blas.NoTrans, blas.Trans, 1, panel, wg, s.beta, zg, &s.single)
				case convAdjoint:
					dense.Gemm(blas.NoTrans, blas.NoTrans, 1, zg, wg, 0, panel, &s.single)
					kron.AddPatches(*g, group, panel, r, x, &s.single)
				case convGradient:
					kron.Patches(*g, group, x, r, panel, &s.single)
					beta := T(1)
					if first {
						beta = 0
					}
					dense.Gemm(blas.Trans, blas.NoTrans, 1, zg, panel, beta, wg, &s.single)
				}
			}
			first = false
		}
	}
}
