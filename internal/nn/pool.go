package nn

import "github.com/precond-go/precond/dense"

// pool does one of the passes of a pool over n examples.
func (s *plane[T]) pool(op planeOp, st *stage, n int, x, z []T, pick []int32) {
	s.pick = pick
	s.run(op, st, n, x, z)
}

// pools does the part of image i in a pass of a pool.
func (s *plane[T]) pools(i int) {
	st := s.st
	in, out := st.in.Len(), st.out.Len()
	x, z := s.x[i*in:(i+1)*in], s.z[i*out:(i+1)*out]
	if s.op == poolAdjoint {
		clear(x)
	}
	if st.kind == avgPool {
		if s.op == poolAdjoint {
			spread(st, x, z)
		} else {
			average(st, x, z)
		}
		return
	}
	pick := s.pick[i*out : (i+1)*out]
	switch s.op {
	case poolProduct:
		largest(st, x, z, pick)
	case poolTangent:
		for o, p := range pick {
			z[o] = x[p]
		}
	case poolAdjoint:
		for o, p := range pick {
			x[p] += z[o]
		}
	}
}

// window returns the first element of pixel k of the window of the output that begins at
// element o.
func (st *stage) window(o, k int) int {
	p := o / st.width
	row := p/st.out.Width*st.stride + k/st.size
	col := p%st.out.Width*st.stride + k%st.size
	return (row*st.in.Width + col) * st.width
}

// largest sets z to the largest elements of the windows of x, and pick to which they are.
// With a NaN among them z is NaN, and pick one of them.
func largest[T dense.Float](st *stage, x, z []T, pick []int32) {
	for o := 0; o < len(z); o += st.width {
		z, pick := z[o:o+st.width], pick[o:o+st.width]
		for k := range st.size * st.size {
			at := st.window(o, k)
			x := x[at : at+st.width]
			if k == 0 {
				copy(z, x)
				for j := range pick {
					pick[j] = int32(at + j)
				}
				continue
			}
			for j, v := range x { // without branches: which is larger is as good as random
				p := pick[j]
				if v > z[j] {
					p = int32(at + j)
				}
				z[j], pick[j] = max(z[j], v), p
			}
		}
	}
}

// average sets z to the means of the windows of x.
func average[T dense.Float](st *stage, x, z []T) {
	scale := 1 / T(st.size*st.size)
	clear(z)
	for o := 0; o < len(z); o += st.width {
		z := z[o : o+st.width]
		for k := range st.size * st.size {
			at := st.window(o, k)
			for j, v := range x[at : at+st.width] {
				z[j] += v
			}
		}
		for j, v := range z {
			z[j] = T(scale * v)
		}
	}
}

// spread adds to x the transpose of average times z.
func spread[T dense.Float](st *stage, x, z []T) {
	scale := 1 / T(st.size*st.size)
	for o := 0; o < len(z); o += st.width {
		for k := range st.size * st.size {
			x := x[st.window(o, k):]
			for j, v := range z[o : o+st.width] {
				x[j] += T(scale * v)
			}
		}
	}
}
