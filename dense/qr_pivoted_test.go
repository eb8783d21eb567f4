package dense

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/precond-go/precond/internal/hard"
)

// pivoted are the factorisations with column pivoting.
func pivoted[T Float]() map[string]func(a Matrix[T], tau []T, pivots []int, o *Opts[T]) {
	return map[string]func(a Matrix[T], tau []T, pivots []int, o *Opts[T]){
		"QRPivoted": QRPivoted[T],
		"QRRandomized": func(a Matrix[T], tau []T, pivots []int, o *Opts[T]) {
			QRRandomized(a, tau, pivots, 7, o)
		},
	}
}

func TestQRPivotedHard(t *testing.T) {
	both(t, testQRPivotedHard[float32], testQRPivotedHard[float64])
}

func testQRPivotedHard[T Float](t *testing.T) {
	w := newWorst(t)
	o := &Opts[T]{Threads: 1}
	eachGeneral(func(c hard.Class, a Matrix[T]) {
		m, n := a.Rows, a.Cols
		k := min(m, n)
		if m > 500 && c != hard.RankHalf && c != hard.GradedUp && !*everything {
			return
		}
		for name, factor := range pivoted[T]() {
			f, tau, pivots := cloneData(a), make([]T, k), make([]int, n)
			factor(f, tau, pivots, o)
			q := NewMatrix[T](m, k)
			QRForm(f, tau, q, o)
			r := triangleOfR(f, k)
			name = typed[T](name)
			w.add(name+" A−QR", c, n, factorRatio(permuted(t, a, pivots), q, r))
			w.add(name+" QᵀQ−I", c, n, orthogonalRatio(q))
			w.add(name+" order", c, n, increase(r, strings.HasPrefix(name, "QRPivoted")))
			if k == 0 {
				continue
			}
			rank := QRRank(f, 0)
			if want := map[hard.Class]int{hard.RankOne: 1, hard.RankHalf: (k + 1) / 2, hard.Repeated: k}[c]; want > 0 && rank != want {
				t.Errorf("%s on %v %dx%d: rank %d, want %d", name, c, m, n, rank, want)
			}
		}
	})
	w.log()
}

// permuted returns the columns of a in the order of pivots.
func permuted[T Float](t *testing.T, a Matrix[T], pivots []int) Matrix[T] {
	t.Helper()
	p := NewMatrix[T](a.Rows, a.Cols)
	sorted := slices.Clone(pivots)
	slices.Sort(sorted)
	for j, from := range pivots {
		if sorted[j] != j {
			t.Fatalf("pivots %v are not a permutation", pivots)
		}
		for i := range a.Rows {
			p.Set(i, j, a.At(i, from))
		}
	}
	return p
}

// increase returns by how much the norms of later columns, from a diagonal element
// on, exceed this element, in units of m·u·|R[0,0]|; of a factorisation that is not
// strict, by how much they exceed the element ten times.
func increase[T Float](r Matrix[T], strict bool) (worst float64) {
	if r.Rows == 0 || r.Cols == 0 {
		return 0
	}
	shift := shiftOf(r)
	x := wide(r, shift)
	unit := float64(max(x.Rows, x.Cols)) * (epsilonOf[T]()/2*math.Abs(x.At(0, 0)) + math.Ldexp(hard.Tiny[T](), shift))
	for l := range x.Cols {
		sum := 0.
		for j := min(l, x.Rows-1); j >= 0; j-- {
			sum += x.At(j, l) * x.At(j, l)
			d := math.Abs(x.At(j, j))
			if !strict {
				d *= 10
			}
			worst = max(worst, (math.Sqrt(sum)-d)/unit)
		}
	}
	return worst
}

func TestQRPivotedThreads(t *testing.T) {
	both(t, testQRPivotedThreads[float32], testQRPivotedThreads[float64])
}

func testQRPivotedThreads[T Float](t *testing.T) {
	for _, s := range [][2]int{{20, 30}, {190, 170}, {90, 350}} {
		m, n := s[0], s[1]
		start := draw[T](1, m, n, 3)
		tau, pivots := make([]T, min(m, n)), make([]int, n)
		var first []int
		for threads := 1; threads <= 3; threads++ {
			name := fmt.Sprintf("%v", s)
			checkWorkspace(t, "QRPivoted "+name, threads, QRPivotedWork[T](m, n, threads), start, func(c Matrix[T], o *Opts[T]) { QRPivoted(c, tau, pivots, o) })
			checkWorkspace(t, "QRRandomized "+name, threads, QRRandomizedWork[T](m, n, threads), start, func(c Matrix[T], o *Opts[T]) { QRRandomized(c, tau, pivots, 3, o) })
			if first == nil {
				first = slices.Clone(pivots)
			}
			if !slices.Equal(first, pivots) {
				t.Errorf("%s: other pivots with %d threads", name, threads)
			}
		}
	}
}

func TestQRPivotedNonFinite(t *testing.T) {
	both(t, testQRPivotedNonFinite[float32], testQRPivotedNonFinite[float64])
}

func testQRPivotedNonFinite[T Float](t *testing.T) {
	for name, factor := range pivoted[T]() {
		for _, bad := range []float64{math.NaN(), math.Inf(1)} {
			for _, at := range [][2]int{{0, 0}, {40, 3}, {69, 69}} {
				a, tau, pivots := draw[T](1, 70, 70, 0), make([]T, 70), make([]int, 70)
				a.Set(at[0], at[1], T(bad))
				factor(a, tau, pivots, nil)
				permuted(t, a, pivots)
				if r := QRRank(a, 0); r == 70 {
					t.Errorf("%s: full rank with %g at %v", name, bad, at)
				}
			}
		}
	}
}

func TestQRPivotedPanics(t *testing.T) {
	m := NewMatrix[float64]
	for text, f := range map[string]func(){
		"dense: QRPivoted: a is 3x4, tau has 4 elements":       func() { QRPivoted(m(3, 4), make([]float64, 4), make([]int, 4), nil) },
		"dense: QRPivoted: a is 3x4, pivots has 3 elements":    func() { QRPivoted(m(3, 4), make([]float64, 3), make([]int, 3), nil) },
		"dense: QRRandomized: a is 3x4, tau has 4 elements":    func() { QRRandomized(m(3, 4), make([]float64, 4), make([]int, 4), 0, nil) },
		"dense: QRRandomized: a is 3x4, pivots has 3 elements": func() { QRRandomized(m(3, 4), make([]float64, 3), make([]int, 3), 0, nil) },
	} {
		wantPanic(t, text, f)
	}
}

// TestQRPivotedShortWorkspace: what panics has written nothing.
func TestQRPivotedShortWorkspace(t *testing.T) {
	a, o := draw[float64](1, 20, 10, 0), &Opts[float64]{Threads: 1, Work: make([]float64, 5)}
	for name, f := range map[string]func(a Matrix[float64], tau []float64, pivots []int){
		"QRPivoted":    func(a Matrix[float64], tau []float64, pivots []int) { QRPivoted(a, tau, pivots, o) },
		"QRRandomized": func(a Matrix[float64], tau []float64, pivots []int) { QRRandomized(a, tau, pivots, 1, o) },
	} {
		b, tau, pivots := cloneData(a), make([]float64, 10), []int{9, 8, 7, 6, 5, 4, 3, 2, 1, 0}
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f(b, tau, pivots)
		}()
		if pivots[0] != 9 || pivots[9] != 0 || !sameBits(a, b) {
			t.Errorf("%s: a short workspace is found too late", name)
		}
	}
}
