package dense

import "math"

// deflate prepares the merge of part p of the current level: it computes z, drops
// the rows that the rank-one update does not change, or would not if they were
// rotated by less than rounding does, and packs the rows of q.
//
// The update is ρ·z·zᵀ with z of norm 1: the last row of the eigenvectors of the
// first part and, times the sign of e, the first row of those of the second.
func (v *divide[T]) deflate(p int) eigenMerge[T] {
	m := eigenMerge[T]{lo: v.cut(p, v.level), hi: v.cut(p+1, v.level), mid: v.cut(2*p+1, v.level+1)}
	v.weights(&m)
	v.choose(&m)
	if v.ends {
		v.packEnds(&m)
	} else {
		v.pack(&m)
	}
	return m
}

// weights computes z and rho. Of the ends, it leaves those of the merged part.
func (v *divide[T]) weights(m *eigenMerge[T]) {
	e := v.e[m.mid-1]
	m.rho = T(2 * math.Abs(float64(e)))
	left, right := m.mid-1, m.mid // columns of q
	if v.ends {
		left, right = 1, 0
	}
	half := T(math.Sqrt(0.5))
	for i := m.lo; i < m.mid; i++ {
		v.z[i], v.kind[i] = T(half*v.q.Data[i*v.q.Stride+left]), firstPart
	}
	half = T(math.Copysign(float64(half), float64(e)))
	for i := m.mid; i < m.hi; i++ {
		v.z[i], v.kind[i] = T(half*v.q.Data[i*v.q.Stride+right]), secondPart
	}
	if v.ends {
		for i := m.lo; i < m.mid; i++ {
			v.q.Data[i*v.q.Stride+1] = 0
		}
		for i := m.mid; i < m.hi; i++ {
			v.q.Data[i*v.q.Stride] = 0
		}
	}
}

// choose finds the rows that take part, in increasing order of d.
func (v *divide[T]) choose(m *eigenMerge[T]) {
	order := v.merged[m.lo:m.hi]
	mergeSorted(v.order[m.lo:m.mid], v.order[m.mid:m.hi], order, v.d)
	largest := max(v.kern.MaxAbs(v.d[m.lo:m.hi]), v.kern.MaxAbs(v.z[m.lo:m.hi]))
	tol := T(4 * T(unitRoundoff[T]()*largest)) // exact
	kept, dropped := v.kept[m.lo:m.hi], v.dropped[m.lo:m.hi]
	k, out := 0, 0
	last := -1 // the row before, which may still be dropped
	for _, r := range order {
		i := int(r)
		if math.Abs(float64(T(m.rho*v.z[i]))) <= float64(tol) {
			dropped[out] = r
			out++
			continue
		}
		if last >= 0 {
			if v.rotate(m, last, i, tol) {
				dropped[out] = int32(last)
				out++
			} else {
				kept[k] = int32(last)
				k++
			}
		}
		last = i
	}
	if last >= 0 {
		kept[k] = int32(last)
		k++
	}
	m.k = k
	sortBy(dropped[:out], v.d)
	for i, r := range kept[:k] {
		v.pole[m.lo+i], v.weight[m.lo+i] = v.d[r], v.z[r]
	}
}

// rotate makes z[i] zero by a rotation with row j if the element that this puts
// between the two is at most tol, and returns whether it did.
func (v *divide[T]) rotate(m *eigenMerge[T], i, j int, tol T) bool {
	s, c := v.z[i], v.z[j]
	r := T(hypotenuse(float64(s), float64(c)))
	t := v.d[j] - v.d[i]
	c, s = c/r, -s/r
	if !(math.Abs(float64(T(T(t*c)*s))) <= float64(tol)) {
		return false
	}
	v.z[j], v.z[i] = r, 0
	if v.kind[i] != v.kind[j] {
		v.kind[j] = bothParts
	}
	if lo, hi := m.lo, m.hi; v.ends {
		v.kern.Rot(c, s, v.q.Row(i), v.q.Row(j))
	} else {
		v.kern.Rot(c, s, v.q.Row(i)[lo:hi], v.q.Row(j)[lo:hi])
	}
	di, dj, cc, ss := v.d[i], v.d[j], T(c*c), T(s*s)
	v.d[i] = T(di*cc) + T(dj*ss)
	v.d[j] = T(di*ss) + T(dj*cc)
	return true
}

// pack copies the rows of q to the workspace, grouped by kind, and notes the column
// of s that belongs to each row that takes part.
func (v *divide[T]) pack(m *eigenMerge[T]) {
	var count [3]int
	kept := v.kept[m.lo : m.lo+m.k]
	for _, r := range kept {
		count[v.kind[r]]++
	}
	m.k1, m.k2, m.k3 = count[0], count[1], count[2]
	first, second, deflated := v.rows(m)
	next := [3]int{0, m.k1, m.k1 + m.k2}
	for i, r := range kept {
		kind := v.kind[r]
		at := next[kind]
		next[kind]++
		v.column[m.lo+i] = int32(at)
		row := v.q.Row(int(r))
		if kind != secondPart {
			copy(first.Row(at), row[m.lo:m.mid])
		}
		if kind != firstPart {
			copy(second.Row(at-m.k1), row[m.mid:m.hi])
		}
	}
	for i, r := range v.dropped[m.lo : m.hi-m.k] {
		copy(deflated.Row(i), v.q.Row(int(r))[m.lo:m.hi])
	}
}

// packEnds copies the ends of the vectors to the workspace.
func (v *divide[T]) packEnds(m *eigenMerge[T]) {
	first, last := v.packedEnds(m)
	for i, r := range v.kept[m.lo : m.lo+m.k] {
		first[i], last[i] = v.q.At(int(r), 0), v.q.At(int(r), 1)
	}
	for i, r := range v.dropped[m.lo : m.hi-m.k] {
		first[m.k+i], last[m.k+i] = v.q.At(int(r), 0), v.q.At(int(r), 1)
	}
}
