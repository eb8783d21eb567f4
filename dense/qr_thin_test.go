package dense

import (
	"fmt"
	"math"
	"testing"

	"github.com/precond-go/precond/internal/hard"
)

func TestQRThinHard(t *testing.T) { both(t, testQRThinHard[float32], testQRThinHard[float64]) }

func testQRThinHard[T Float](t *testing.T) {
	w := newWorst(t)
	check := func(c hard.Class, a Matrix[T]) {
		n := a.Cols
		q, r := cloneData(a), draw[T](2, n, n, n%2)
		QRThin(q, r, &Opts[T]{Threads: 1})
		for i := range n {
			for j := range i {
				if r.At(i, j) != 0 {
					t.Fatalf("%v %dx%d: R is not triangular", c, a.Rows, n)
				}
			}
		}
		w.add(typed[T]("QRThin A−QR"), c, n, factorRatio(a, q, r))
		w.add(typed[T]("QRThin QᵀQ−I"), c, n, orthogonalRatio(q))
	}
	eachGeneral(func(c hard.Class, a Matrix[T]) {
		if a.Rows >= a.Cols && (a.Cols < 500 || c == hard.RankHalf || *everything) {
			check(c, a)
		}
	})
	for _, c := range hard.Classes() {
		n := 1 + 7*int(c)
		check(c, hardMatrix[T](c, 5*n+33, n, 0))
		if c%5 == 0 || *everything {
			check(c, hardMatrix[T](c, 66000, 16, 1)) // two parts, or four
		}
	}
	// Triangles of the parts that are factored in parts themselves.
	if epsilonOf[T]() < 1e-10 {
		check(hard.Random, draw[T](1, 8300, 256, 0))
	}
	w.log()
}

func TestQRThinThreads(t *testing.T) { both(t, testQRThinThreads[float32], testQRThinThreads[float64]) }

func testQRThinThreads[T Float](t *testing.T) {
	for _, s := range [][2]int{{0, 0}, {5, 0}, {1, 1}, {20, 7}, {90, 90}, {290, 270}, {66000, 16}} {
		m, n := s[0], s[1]
		if testing.Short() && n > 100 {
			continue
		}
		start := draw[T](1, m, n, 3)
		r, first := NewMatrix[T](n, n), NewMatrix[T](n, n)
		for threads := 1; threads <= 3; threads++ {
			name := fmt.Sprintf("QRThin %v", s)
			need := 0
			if n > 0 {
				need = QRThinWork[T](m, n, threads)
			}
			checkWorkspace(t, name, threads, need, start, func(c Matrix[T], o *Opts[T]) { QRThin(c, r, o) })
			if threads == 1 {
				first.Copy(r)
			}
			if !sameBits(r, first) {
				t.Errorf("%s: another R with %d threads", name, threads)
			}
			// without R
			q := cloneData(start)
			QRThin(q, Matrix[T]{}, &Opts[T]{Threads: threads})
			QRThin(start, r, nil)
			if !sameBits(q, start) {
				t.Errorf("%s: another Q without R", name)
			}
			start = draw[T](1, m, n, 3)
		}
	}
}

func TestQRThinEdges(t *testing.T) {
	a := draw[float64](1, 3000, 40, 0)
	a.Set(2999, 39, math.NaN())
	r := NewMatrix[float64](40, 40)
	QRThin(a, r, nil)
	if d := r.At(39, 39); d == d {
		t.Errorf("NaN in A gives %g in R", d)
	}
	m := NewMatrix[float64]
	for text, f := range map[string]func(){
		"dense: QRThin: a is 3x4, r is 4x4": func() { QRThin(m(3, 4), m(4, 4), nil) },
		"dense: QRThin: a is 4x3, r is 3x4": func() { QRThin(m(4, 3), m(3, 4), nil) },
		"dense: QRThin: r overlaps a":       func() { a := m(4, 4); QRThin(a, a, nil) },
	} {
		wantPanic(t, text, f)
	}
}
