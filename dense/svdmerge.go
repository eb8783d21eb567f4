package dense

import "gonum.org/v1/gonum/blas"

// merge joins the decompositions of the two children of a node of a bidiagonalSVD
// with the row between them. With the vectors of the children, the block of the node
// is the matrix M of svdsecular.go, up to the order of rows and columns.
type merge[T Float] struct {
	*bidiagonalSVD[T]
	lo, n int       // the node has rows lo to lo+n; from here on they count from lo
	mid   int       // the row between the children
	u, v  Matrix[T] // the vectors of the children, and then of the node
	split int       // the column of v at which those of the right child begin
	d, z  []T       // by vector: the singular value and the element of the row of M
	kept  []int     // the vectors that take part, in ascending order of d, mid first
	gone  []int     // those that do not
	count [3]int    // number of those that take part by kind
	kind  []kind
	tiny  T // what may be neglected
}

// run does the merge on up to the given number of threads. It returns false if a
// root of the secular equation was not found.
func (m *merge[T]) run(threads int) bool {
	b, lo, n := m.bidiagonalSVD, m.lo, m.n
	m.mid = n / 2
	cols := min(n+1, len(b.d)-lo) // of the block, and rows of v
	m.d = b.d[lo : lo+n]
	m.kind = b.ints.kind[lo : lo+n]
	m.v = b.vt.View(lo, 0, cols, b.vt.Cols)
	m.split = 1
	if b.ut.Rows > 0 {
		m.u = b.ut.View(lo, lo, n, n)
		m.u.Data[m.mid*m.u.Stride+m.mid] = 1
		m.v = b.vt.View(lo, lo, cols, cols)
		m.split = m.mid + 1
	}

	alpha, beta := m.d[m.mid], b.e[lo+m.mid]
	m.d[m.mid] = 0
	norm := max(magnitude(alpha), magnitude(beta), b.kern.MaxAbs(m.d))
	if norm == 0 {
		sortByValue(b.index[lo:lo+n], m.d)
		return true
	}
	scale := toUnit(norm)
	m.tiny = T(T(8*roundoff[T]()) * T(norm*scale))
	b.kern.Scal(scale, m.d)
	m.connect(T(alpha*scale), T(beta*scale), cols)
	m.deflate()
	ok := m.solve(threads)
	b.kern.Scal(1/scale, m.d)
	m.sort()
	return ok
}

// connect computes z, the middle row in terms of the vectors of the children: last
// elements of those on the left times alpha, first ones on the right times beta.
// Where there are two null vectors, it turns them such that z has one element for
// both, at mid.
func (m *merge[T]) connect(alpha, beta T, cols int) {
	m.z = m.vector(1)[m.lo : m.lo+cols]
	last, first := m.split-1, m.split
	if m.u.Rows == 0 {
		last, first = 1, 0
	}
	for i := range m.z {
		row := m.v.Row(i)
		if i <= m.mid {
			m.z[i] = T(alpha * row[last])
			if m.u.Rows == 0 {
				row[last] = 0
			}
		} else {
			m.z[i] = T(beta * row[first])
			if m.u.Rows == 0 {
				row[first] = 0
			}
		}
	}
	if cols > m.n {
		if c, s, r := rotation(m.z[m.mid], m.z[m.n]); magnitude(r) > m.tiny {
			m.kern.Rot(c, s, m.v.Row(m.mid), m.v.Row(m.n))
			m.z[m.mid] = r
		}
	}
	if !(magnitude(m.z[m.mid]) > m.tiny) {
		m.z[m.mid] = m.tiny
	}
}

// deflate sorts the vectors into kept and gone. A value stays what it is if its z
// may be neglected; of two that are nearly equal, a rotation makes one such.
func (m *merge[T]) deflate() {
	lo, n := m.lo, m.n
	sorted := m.ints.sort[lo : lo+n-1]
	m.mergeSorted(sorted)
	for i := range m.kind {
		m.kind[i] = inLeft
		if i > m.mid {
			m.kind[i] = inRight
		}
	}
	m.kind[m.mid] = inBoth
	m.kept = append(m.ints.kept[lo:lo:lo+n], m.mid)
	m.gone = m.ints.gone[lo : lo : lo+n]
	last := -1 // the last that may take part
	for _, i := range sorted {
		switch {
		case !(magnitude(m.z[i]) > m.tiny):
			m.gone = append(m.gone, i)
			continue
		case last >= 0 && m.d[i]-m.d[last] <= m.tiny:
			c, s, r := rotation(m.z[i], m.z[last])
			m.z[i] = r
			m.kern.Rot(c, -s, m.v.Row(last), m.v.Row(i))
			if m.u.Rows > 0 {
				m.kern.Rot(c, -s, m.u.Row(last), m.u.Row(i))
			}
			if m.kind[i] != m.kind[last] {
				m.kind[i] = inBoth
			}
			m.gone = append(m.gone, last)
		case last >= 0:
			m.kept = append(m.kept, last)
		}
		last = i
	}
	if last >= 0 {
		m.kept = append(m.kept, last)
	}
}

// mergeSorted sets sorted to the vectors of both children in ascending order.
func (m *merge[T]) mergeSorted(sorted []int) {
	left, right := m.index[m.lo:m.lo+m.mid], m.index[m.lo+m.mid+1:m.lo+m.n]
	for k := range sorted {
		if len(right) == 0 || len(left) > 0 && m.d[left[0]] <= m.d[m.mid+1+right[0]] {
			sorted[k], left = left[0], left[1:]
		} else {
			sorted[k], right = m.mid+1+right[0], right[1:]
		}
	}
}

// solve finds the values of those that take part and multiplies their vectors. The
// node's vectors are first these, by ascending value, and then those that are gone.
func (m *merge[T]) solve(threads int) bool {
	lo, n, k := m.lo, m.n, len(m.kept)
	part := func(i int) []T { return m.vector(i)[lo : lo+k] }
	s := secular[T]{
		kern: m.kern, ones: m.vector(0)[:k], d: part(2), z: part(3), zz: part(4), sigma: part(5),
		delta: m.matrix(0, lo, n, k, k), right: m.matrix(1, lo, n, k, k), left: m.u.Rows > 0,
		order: m.ints.order[lo : lo+k], buffers: m.buffers(lo, n), fails: m.ints.rootFails[lo : lo+min(n, m.workers)],
	}
	for j, i := range m.kept {
		s.d[j], s.z[j] = m.d[i], m.z[i]
	}
	if k > 1 {
		s.d[1] = max(s.d[1], T(0.5*m.tiny)) // away from d_0 = 0
	}
	m.count = [3]int{}
	at := 0
	for kd := inLeft; kd <= inRight; kd++ {
		for j, i := range m.kept {
			if m.kind[i] == kd {
				s.order[at] = j
				at++
				m.count[kd]++
			}
		}
	}
	ok := s.run(threads)

	o := Opts[T]{Threads: threads}
	m.multiply(m.v, m.split, s.right, s.order, &o)
	if s.left {
		m.multiply(m.u, m.mid+1, s.delta, s.order, &o)
	}
	gone := m.vector(6)[lo : lo+n-k]
	for j, i := range m.gone {
		gone[j] = m.d[i]
	}
	copy(m.d, s.sigma)
	copy(m.d[k:], gone)
	return ok
}

// multiply replaces the vectors x of the children by those of the node, which are
// the rows of c times them. Most of the children's have zeros before or after
// column split.
func (m *merge[T]) multiply(x Matrix[T], split int, c Matrix[T], order []int, o *Opts[T]) {
	old := m.matrix(2, m.lo, m.n, m.n, x.Cols)
	for p, j := range order {
		copy(old.Row(p), x.Row(m.kept[j]))
	}
	k := len(order)
	for j, i := range m.gone {
		copy(old.Row(k+j), x.Row(i))
	}
	left, right := m.count[inLeft]+m.count[inBoth], m.count[inLeft]
	Gemm(blas.NoTrans, blas.NoTrans, 1, c.View(0, 0, k, left), old.View(0, 0, left, split), 0, x.View(0, 0, k, split), o)
	Gemm(blas.NoTrans, blas.NoTrans, 1, c.View(0, right, k, k-right), old.View(right, split, k-right, x.Cols-split), 0, x.View(0, split, k, x.Cols-split), o)
	for j := range m.gone {
		copy(x.Row(k+j), old.Row(k+j))
	}
}

// sort makes the index of the node.
func (m *merge[T]) sort() {
	k := len(m.kept)
	gone := m.ints.sort[m.lo : m.lo+len(m.gone)]
	sortByValue(gone, m.d[k:])
	i := 0
	index := m.index[m.lo : m.lo+m.n]
	for at := range index {
		if len(gone) == 0 || i < k && m.d[i] <= m.d[k+gone[0]] {
			index[at] = i
			i++
		} else {
			index[at], gone = k+gone[0], gone[1:]
		}
	}
}
