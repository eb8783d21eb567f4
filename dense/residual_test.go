package dense

import (
	"flag"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/precond-go/precond/internal/hard"
	"gonum.org/v1/gonum/blas"
)

// worst collects scaled residuals, the largest for each measure, and where it was. It
// fails the test where one is above the limit of LAPACK's testers that we hold, or NaN.
type worst struct {
	t     *testing.T
	ratio map[string]float64
	where map[string]int
}

const maxRatio = 10

func newWorst(t *testing.T) *worst {
	return &worst{t, map[string]float64{}, map[string]int{}}
}

// add notes a ratio of a routine on a matrix of class c and order n.
func (w *worst) add(routine string, c hard.Class, n int, ratio float64) {
	w.t.Helper()
	key := fmt.Sprintf("%-24s %-24v", routine, c)
	if !(ratio <= w.ratio[key]) {
		w.ratio[key], w.where[key] = ratio, n
	}
	if !(ratio <= maxRatio) {
		w.t.Errorf("%s n=%d: scaled residual %.3g", key, n, ratio)
	}
}

// log prints the table.
func (w *worst) log() {
	keys := make([]string, 0, len(w.ratio))
	for k := range w.ratio {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	var s strings.Builder
	for _, k := range keys {
		fmt.Fprintf(&s, "\n%s %7.3f  n=%d", k, w.ratio[k], w.where[k])
	}
	w.t.Log("largest scaled residuals:" + s.String())
}

var everything = flag.Bool("all", false, "accuracy tests take every class of matrices at every order, not a third of them")

// eachHard calls f for the classes and orders of accuracy tests: every order has some of
// the classes, every class some of the orders.
func eachHard(f func(c hard.Class, n int)) {
	orders := []int{255, 256, 257, 511, 1000}
	for n := range 131 {
		orders = append(orders, n)
	}
	for i, n := range orders {
		if testing.Short() && n%13 > 0 {
			continue
		}
		for _, c := range hard.Classes() {
			if n < 20 || (int(c)+i)%3 == 0 || *everything {
				f(c, n)
			}
		}
	}
}

// matrixOf returns a generated matrix as one of this package.
func matrixOf[T Float](h hard.Matrix[T]) Matrix[T] { return MatrixOf(h.Rows, h.Cols, h.Data) }

// shiftOf returns an even number of binary places that brings the largest
// element of m near 1, so that sums neither overflow nor underflow.
func shiftOf[T Float](m Matrix[T]) int {
	largest := 0.0
	for i := range m.Rows {
		for _, v := range m.Row(i) {
			largest = max(largest, math.Abs(float64(v)))
		}
	}
	if largest == 0 {
		return 0
	}
	return -math.Ilogb(largest) / 2 * 2
}

// wide returns m in float64, multiplied by a power of two.
func wide[T Float](m Matrix[T], shift int) Matrix[float64] {
	w := NewMatrix[float64](m.Rows, m.Cols)
	for i := range m.Rows {
		for j := range m.Cols {
			w.Set(i, j, math.Ldexp(float64(m.At(i, j)), shift))
		}
	}
	return w
}

// norm1 returns the largest sum of magnitudes in a column.
func norm1(m Matrix[float64]) (norm float64) {
	for j := range m.Cols {
		sum := 0.0
		for i := range m.Rows {
			sum += math.Abs(m.At(i, j))
		}
		if !(sum <= norm) {
			norm = sum
		}
	}
	return norm
}

// scaled returns ‖r‖₁ / (n·ε·‖a‖₁), where ε is the unit roundoff of T; where results
// are subnormal the denominator has n times the least positive number besides. r and a
// are shifted.
func scaled[T Float](r, a Matrix[float64], n, shift int) float64 {
	num, norm := norm1(r), norm1(a)
	if num == 0 {
		return 0
	}
	return num / (float64(n) * (hard.Epsilon[T]()/2*norm + math.Ldexp(hard.Tiny[T](), shift)*float64(n)))
}

// minusProduct returns a − op(l)·op(r).
func minusProduct(a Matrix[float64], tl blas.Transpose, l Matrix[float64], tr blas.Transpose, r Matrix[float64]) Matrix[float64] {
	d := a.Clone()
	Gemm(tl, tr, -1, l, r, 1, d, nil)
	return d
}

// triangle64 returns a triangle of m, times a power of two, in float64, with ones on the
// diagonal if unit, and zeros elsewhere. m may be rectangular.
func triangle64[T Float](uplo blas.Uplo, diag blas.Diag, m Matrix[T], shift int) Matrix[float64] {
	w := wide(m, shift)
	for i := range m.Rows {
		for j := range m.Cols {
			switch {
			case i == j && diag == blas.Unit:
				w.Set(i, j, 1)
			case i != j && i > j != (uplo == blas.Lower):
				w.Set(i, j, 0)
			}
		}
	}
	return w
}

// typed returns a name with the element type.
func typed[T Float](name string) string { return fmt.Sprintf("%s/f%d", name, 8*unsafe.Sizeof(T(0))) }

// poison sets the triangle opposite of uplo to NaN.
func poison[T Float](uplo blas.Uplo, m Matrix[T]) {
	for i := range m.Rows {
		for j := range m.Cols {
			if i != j && (i < j) == (uplo == blas.Lower) {
				m.Set(i, j, T(math.NaN()))
			}
		}
	}
}

// padded returns a copy of m with the given extra stride, NaN between the rows.
func padded[T Float](m Matrix[T], extra int) Matrix[T] {
	p := Matrix[T]{Rows: m.Rows, Cols: m.Cols, Stride: max(1, m.Cols+extra)}
	p.Data = make([]T, p.Rows*p.Stride)
	for i := range p.Data {
		p.Data[i] = T(math.NaN())
	}
	p.Copy(m)
	return p
}

// checkWork tests the workspace of an operation: the exact length works and gives
// the result of none, NaN in it changes nothing, one element less panics, and nothing is
// allocated with it or with the pool. call runs the operation on a fresh copy of its
// operands and returns the results; op names it in the panic.
func checkWork[T Float](t *testing.T, op string, length int, call func(o *Opts[T]) []Matrix[T], steady func(o *Opts[T])) {
	t.Helper()
	want := call(&Opts[T]{Threads: 1})
	work := make([]T, length)
	for i := range work {
		work[i] = T(math.NaN())
	}
	o := &Opts[T]{Threads: 1, Work: work}
	for i, got := range call(o) {
		if !sameBits(got, want[i]) {
			t.Errorf("%s: result %d depends on the workspace", op, i)
		}
	}
	if n := testing.AllocsPerRun(5, func() { steady(o) }); n != 0 {
		t.Errorf("%s: %v allocations with a workspace", op, n)
	}
	o = &Opts[T]{Threads: 1}
	if n := testing.AllocsPerRun(5, func() { steady(o) }); n != 0 {
		t.Errorf("%s: %v allocations from the pool", op, n)
	}
	if length == 0 {
		return
	}
	defer func() {
		if r := fmt.Sprint(recover()); !strings.HasPrefix(r, "dense: "+op+": workspace") {
			t.Errorf("%s: one element less: %v", op, r)
		}
	}()
	call(&Opts[T]{Threads: 1, Work: work[:length-1]})
}

// inverseResidual returns ‖A·X − I‖₁ / (n·ε·‖A‖₁·‖X‖₁), with room for results that
// are subnormal.
func inverseResidual[T Float](a, x Matrix[T]) float64 {
	n := float64(a.Rows)
	sa, sx := shiftOf(a), shiftOf(x)
	a64, x64 := wide(a, sa), wide(x, sx)
	r := NewMatrix[float64](a.Rows, a.Rows)
	for i := range a.Rows {
		r.Set(i, i, -math.Ldexp(1, sa+sx))
	}
	Gemm(blas.NoTrans, blas.NoTrans, 1, a64, x64, 1, r, nil)
	num := norm1(r)
	if num == 0 {
		return 0
	}
	return num / (n * norm1(a64) * (hard.Epsilon[T]()/2*norm1(x64) + n*math.Ldexp(hard.Tiny[T](), sx)))
}

// solveResidual returns ‖A·X − B‖₁ / (n·ε·‖A‖₁·‖X‖₁), likewise.
func solveResidual[T Float](a, x, b Matrix[T]) float64 {
	n := float64(a.Rows)
	sa, sx := shiftOf(a), shiftOf(x)
	a64, x64, r := wide(a, sa), wide(x, sx), wide(b, sa+sx)
	Gemm(blas.NoTrans, blas.NoTrans, 1, a64, x64, -1, r, nil)
	num := norm1(r)
	if num == 0 {
		return 0
	}
	tiny := math.Ldexp(hard.Tiny[T](), sx)
	return num / (n * (norm1(a64)*(hard.Epsilon[T]()/2*norm1(x64)+n*tiny) + n*math.Ldexp(hard.Tiny[T](), sa)*norm1(x64)))
}

// rightSides returns a·x for a random x, rounded to T.
func rightSides[T Float](a Matrix[T], cols int) Matrix[T] {
	b := NewMatrix[T](a.Rows, cols)
	s := shiftOf(a)
	x := draw[float64](uint64(a.Rows), a.Rows, cols, 0)
	ax := NewMatrix[float64](a.Rows, cols)
	Gemm(blas.NoTrans, blas.NoTrans, 1, wide(a, s), x, 0, ax, nil)
	for i := range a.Rows {
		for j := range cols {
			b.Set(i, j, T(math.Ldexp(ax.At(i, j)/float64(a.Rows), -s)))
		}
	}
	return b
}
