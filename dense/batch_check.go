package dense

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"sync"
	"unsafe"
)

// batchSpace is what the checks of a batch need, pooled.
type batchSpace struct {
	ends  []int
	spans []span
}

var batchSpaces = sync.Pool{New: func() any { return new(batchSpace) }}

// stretch is a part of memory.
type stretch struct{ lo, hi uintptr }

// apart returns whether two stretches do not overlap.
func (s stretch) apart(x stretch) bool { return s.hi <= x.lo || x.hi <= s.lo }

// sliceOf returns where the slice of a matrix lies.
func sliceOf[T Float](m *Matrix[T]) stretch {
	lo := uintptr(unsafe.Pointer(unsafe.SliceData(m.Data)))
	return stretch{lo, lo + uintptr(len(m.Data))*unsafe.Sizeof(T(0))}
}

// checkAll adds all products of lists; it panics if something is wrong with one.
func (t *batchCall[T]) checkAll(op string, s *batchSpace) {
	ends := slices.Grow(s.ends[:0], t.count)[:t.count]
	s.ends, t.ends = ends, ends
	as, bs, cs := t.a.list[:len(ends)], t.b.list[:len(ends)], t.c.list[:len(ends)]
	tA, tB := t.tA, t.tB
	total := 0
	allA, allB := stretch{lo: ^uintptr(0)}, stretch{lo: ^uintptr(0)}
	all, plain := stretch{}, true // of c
	for i := range ends {
		a, b, c := &as[i], &bs[i], &cs[i]
		d, inner := sizes(tA, tB, a, b)
		if inner != d.k || c.Rows != d.m || c.Cols != d.n || !a.valid() || !b.valid() || !c.valid() {
			t.checkShape(op, i)
		}
		if d != t.last {
			t.reserve(d)
		}
		total += t.price
		ends[i] = total
		x, y, z := sliceOf(a), sliceOf(b), sliceOf(c)
		allA.lo, allA.hi = min(allA.lo, x.lo), max(allA.hi, x.hi)
		allB.lo, allB.hi = min(allB.lo, y.lo), max(allB.hi, y.hi)
		if i == 0 {
			all.lo = z.lo
		}
		plain = plain && all.hi <= z.lo
		all.hi = z.hi
	}
	t.total = total
	if !plain || !all.apart(allA) || !all.apart(allB) {
		t.checkApart(op, s)
	}
}

// checkShape panics if the matrices of product i are not valid or do not agree.
func (t *batchCall[T]) checkShape(op string, i int) {
	a, b, c := &t.a.list[i], &t.b.list[i], &t.c.list[i]
	d, inner := sizes(t.tA, t.tB, a, b)
	checkAt(a, op, "a", i)
	checkAt(b, op, "b", i)
	checkAt(c, op, "c", i)
	if inner != d.k {
		panic(fmt.Sprintf("dense: %s: a[%d] is %s, b[%d] is %s", op, i, shapeOf(*a, t.tA), i, shapeOf(*b, t.tB)))
	}
	if c.Rows != d.m || c.Cols != d.n {
		panic(fmt.Sprintf("dense: %s: a[%d] is %s, b[%d] is %s, c[%d] is %dx%d", op, i, shapeOf(*a, t.tA), i, shapeOf(*b, t.tB), i, c.Rows, c.Cols))
	}
}

// checkAt panics unless m, which is matrix i of a list, is valid or empty.
func checkAt[T Float](m *Matrix[T], op, name string, i int) {
	if m.valid() || m.empty() {
		return
	}
	m.check(op, fmt.Sprintf("%s[%d]", name, i))
}

// empty returns whether m is a matrix without elements.
func (m *Matrix[T]) empty() bool {
	return m.Rows == 0 && m.Cols >= 0 || m.Cols == 0 && m.Rows >= 0
}

// strided returns the family of count matrices, rows×cols or transposed, that lie
// step elements apart in data; it panics if they do not.
func strided[T Float](op, name string, transposed bool, rows, cols int, data []T, stride, step, count int) family[T] {
	if transposed {
		rows, cols = cols, rows
	}
	f := family[T]{first: Matrix[T]{rows, cols, stride, data}, step: step}
	if f.first.empty() || count == 0 {
		return family[T]{first: Matrix[T]{Rows: rows, Cols: cols}}
	}
	f.first.check(op, name)
	if step < 0 {
		panic(fmt.Sprintf("dense: %s: %s has stride %d", op, name, step))
	}
	if count > 1 && step > (len(data)-f.extent())/(count-1) {
		panic(fmt.Sprintf("dense: %s: %d %s of %dx%d with row stride %d, %d apart, in a slice of %d", op, count, name, rows, cols, stride, step, len(data)))
	}
	return f
}

// extent returns the number of elements from the first to the last of a matrix.
func (f *family[T]) extent() int { return (f.first.Rows-1)*f.first.Stride + f.first.Cols }

// stretch returns where count equal matrices lie.
func (f *family[T]) stretch(count int) stretch {
	if f.first.empty() {
		return stretch{}
	}
	lo := uintptr(unsafe.Pointer(unsafe.SliceData(f.first.Data)))
	return stretch{lo, lo + uintptr((count-1)*f.step+f.extent())*unsafe.Sizeof(T(0))}
}

// apart returns whether count equal matrices plainly do not overlap: one begins
// after the end of the other, or they lie side by side in the rows of one matrix.
func (f *family[T]) apart(count int) bool {
	return count == 1 || f.step >= f.extent() ||
		f.step >= f.first.Cols && (count-1)*f.step+f.first.Cols <= f.first.Stride
}

// stretchOf returns where the elements of a matrix lie that is not empty.
func stretchOf[T Float](m *Matrix[T]) stretch {
	lo := uintptr(unsafe.Pointer(unsafe.SliceData(m.Data)))
	return stretch{lo, lo + uintptr((m.Rows-1)*m.Stride+m.Cols)*unsafe.Sizeof(T(0))}
}

// span is where output index of a batch lies. In sorted spans hi is the end of
// those before as well.
type span struct {
	stretch
	index int
}

// checkApart panics if an output overlaps another or an input. Sorted by address,
// an output has to be compared with those before it that end after its beginning.
// These are none, or its neighbours in the rows of one matrix, which are apart if
// each is from the next, or few.
func (t *batchCall[T]) checkApart(op string, s *batchSpace) {
	var tmp [3]Matrix[T]
	s.spans = s.spans[:0]
	sorted, last := true, uintptr(0)
	for i := range t.count {
		c := t.c.at(i, &tmp[0])
		if c.empty() {
			continue
		}
		x := span{stretchOf(c), i}
		sorted = sorted && last <= x.lo
		last = x.lo
		s.spans = append(s.spans, x)
	}
	if !sorted {
		slices.SortFunc(s.spans, func(x, y span) int { return cmp.Compare(x.lo, y.lo) })
	}
	first := 0 // of the neighbours in one row of blocks
	for j := 1; j < len(s.spans); j++ {
		x, before := &s.spans[j], &s.spans[j-1]
		if before.hi <= x.lo {
			first = j
			continue
		}
		c, head, prev := t.c.at(x.index, &tmp[0]), t.c.at(s.spans[first].index, &tmp[1]), t.c.at(before.index, &tmp[2])
		size := unsafe.Sizeof(T(0))
		if c.Stride != head.Stride || x.lo < before.lo+uintptr(prev.Cols)*size ||
			x.lo+uintptr(c.Cols)*size > s.spans[first].lo+uintptr(c.Stride)*size {
			first = j
		}
		t.compare(op, s.spans[:first], c, "c", x.index, x.lo)
		x.hi = max(x.hi, before.hi)
	}
	t.checkInput(op, s.spans, &t.a, "a")
	t.checkInput(op, s.spans, &t.b, "b")
}

// checkInput panics if a matrix of f overlaps an output.
func (t *batchCall[T]) checkInput(op string, spans []span, f *family[T], name string) {
	if len(spans) == 0 {
		return
	}
	all := stretch{spans[0].lo, spans[len(spans)-1].hi}
	var tmp Matrix[T]
	next := 0 // the first output that begins after the matrix, if it is as for the last
	for i := range t.count {
		m := f.at(i, &tmp)
		if m.empty() {
			continue
		}
		x := stretchOf(m)
		if all.apart(x) {
			continue
		}
		if next < len(spans) && spans[next].lo < x.hi {
			next++
		}
		if next > 0 && spans[next-1].lo >= x.hi || next < len(spans) && spans[next].lo < x.hi {
			next = sort.Search(len(spans), func(j int) bool { return spans[j].lo >= x.hi })
		}
		t.compare(op, spans[:next], m, name, i, x.lo)
	}
}

// compare panics if m, which is matrix i of its family and begins at lo, overlaps
// an output of spans that ends after lo.
func (t *batchCall[T]) compare(op string, spans []span, m *Matrix[T], name string, i int, lo uintptr) {
	var tmp Matrix[T]
	for j := len(spans) - 1; j >= 0 && spans[j].hi > lo; j-- {
		if separate(t.c.at(spans[j].index, &tmp), m) {
			continue
		}
		panic(fmt.Sprintf("dense: %s: c[%d] overlaps %s[%d]", op, spans[j].index, name, i))
	}
}
