package kron

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"unsafe"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/hard"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/mat"
)

type (
	float            = dense.Float
	matrix[T float]  = dense.Matrix[T]
	options[T float] = dense.Opts[T]
)

var transposes = []blas.Transpose{blas.NoTrans, blas.Trans}

func both(t *testing.T, f32, f64 func(t *testing.T)) {
	t.Run("float32", f32)
	t.Run("float64", f64)
}

// unitRoundoff of the type.
func eps[T float]() float64 { return hard.Epsilon[T]() / 2 }

// draw returns a rows×cols matrix of elements uniform in (−1, 1), NaN in extra columns.
func draw[T float](seed uint64, rows, cols, extra int) matrix[T] {
	m := matrix[T]{Rows: rows, Cols: cols, Stride: max(1, cols+extra)}
	m.Data = make([]T, rows*m.Stride)
	for i := range m.Data {
		m.Data[i] = T(math.NaN())
	}
	for i := range rows {
		for j := range cols {
			seed = seed*6364136223846793005 + 1442695040888963407
			m.Data[i*m.Stride+j] = T(float64(int64(seed)>>11) / (1 << 52))
		}
	}
	return m
}

// draws returns n elements uniform in (−1, 1).
func draws[T float](seed uint64, n int) []T { return draw[T](seed, 1, n, 0).Data[:n] }

// copyOf returns a copy of m with its padding.
func copyOf[T float](m matrix[T]) matrix[T] {
	m.Data = append([]T(nil), m.Data...)
	return m
}

// wide returns m in float64.
func wide[T float](m matrix[T]) matrix[float64] {
	w := dense.NewMatrix[float64](m.Rows, m.Cols)
	for i := range m.Rows {
		for j, v := range m.Row(i) {
			w.Set(i, j, float64(v))
		}
	}
	return w
}

func wides[T float](ms []matrix[T]) []matrix[float64] {
	var out []matrix[float64]
	for _, m := range ms {
		out = append(out, wide(m))
	}
	return out
}

// whole returns op(m) as a matrix of its own in float64.
func whole[T float](t blas.Transpose, m matrix[T]) matrix[float64] {
	w := wide(m)
	if t == blas.NoTrans {
		return w
	}
	out := dense.NewMatrix[float64](m.Cols, m.Rows)
	dense.Transpose(w, out, nil)
	return out
}

// absolute returns |m|.
func absolute(m matrix[float64]) matrix[float64] {
	m = m.Clone()
	for i, v := range m.Data {
		m.Data[i] = math.Abs(v)
	}
	return m
}

// kronecker returns the Kronecker product by gonum.
func kronecker(factors ...matrix[float64]) matrix[float64] {
	out := dense.MatrixOf(1, 1, []float64{1})
	for _, f := range factors {
		if out.Rows*f.Rows == 0 || out.Cols*f.Cols == 0 { // gonum has no empty matrices
			out = dense.NewMatrix[float64](out.Rows*f.Rows, out.Cols*f.Cols)
			continue
		}
		var k mat.Dense
		k.Kronecker(dense.ToDense(out), dense.ToDense(f))
		out = dense.FromDense(&k)
	}
	return out
}

// times returns a·b.
func times(a, b matrix[float64]) matrix[float64] {
	c := dense.NewMatrix[float64](a.Rows, b.Cols)
	dense.Gemm(blas.NoTrans, blas.NoTrans, 1, a, b, 0, c, nil)
	return c
}

// timesVec returns a·x.
func timesVec(a matrix[float64], x []float64) []float64 {
	return times(a, dense.MatrixOf(len(x), 1, x)).Data
}

// near fails unless |got − want| ≤ steps·ε·size for each element, ε the unit roundoff of T.
func near[T float](t *testing.T, name string, got []T, want, size []float64, steps int) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d elements, want %d", name, len(got), len(want))
	}
	for i, w := range want {
		bound := float64(steps) * eps[T]() * size[i]
		if !(math.Abs(float64(got[i])-w) <= bound) {
			t.Fatalf("%s: element %d is %v, want %v within %.3g", name, i, got[i], w, bound)
		}
	}
}

// elements returns the elements of m without what is between its rows.
func elements[T float](m matrix[T]) []T { return m.Clone().Data }

// sameBits returns whether two slices have the same bits, kinds of NaN aside.
func sameBits[T float](a, b []T) bool {
	for i, x := range a {
		y := b[i]
		if x != y && (x == x || y == y) || x == x && math.Signbit(float64(x)) != math.Signbit(float64(y)) {
			return false
		}
	}
	return len(a) == len(b)
}

// checkOpts runs an operation with 1, 2 and 3 threads, in a workspace of exactly the stated
// length that is full of NaN, and in one that is too short: results do not depend on it, a
// short one panics before anything is written, and nothing is allocated. run works on
// fresh operands and returns its results; steady may reuse them.
func checkOpts[T float](t *testing.T, op string, length func(threads int) int, run func(o *options[T]) [][]T, steady func(o *options[T])) {
	t.Helper()
	want := run(&options[T]{Threads: 1})
	for threads := 1; threads <= 3; threads++ {
		n := 0
		if length != nil {
			n = length(threads)
		}
		for _, work := range [][]T{nil, make([]T, n)} {
			for i := range work {
				work[i] = T(math.NaN())
			}
			o := &options[T]{Threads: threads}
			if length != nil {
				o.Work = work
			}
			for i, got := range run(o) {
				if !sameBits(got, want[i]) {
					t.Fatalf("%s: result %d differs with %d threads, workspace %v", op, i, threads, work != nil)
				}
			}
			if threads < 3 && steady != nil {
				if n := testing.AllocsPerRun(3, func() { steady(o) }); n != 0 {
					t.Errorf("%s: %v allocations with %d threads, workspace %v", op, n, threads, work != nil)
				}
			}
		}
	}
	if length == nil {
		return
	}
	mustPanic(t, "kron: "+op+": workspace", func() {
		run(&options[T]{Threads: 1, Work: make([]T, length(1)-1)})
	})
}

// mustPanic fails unless f panics with a text that begins with want.
func mustPanic(t *testing.T, want string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if r := fmt.Sprint(recover()); !strings.HasPrefix(r, want) {
			t.Errorf("panic %q, want %q", r, want)
		}
	}()
	f()
}

// spd returns a positive definite matrix of a class.
func spd[T float](c hard.Class, n int) matrix[T] {
	h := hard.SPD[T](c, n)
	return dense.MatrixOf(h.Rows, h.Cols, h.Data)
}

// norm returns the Frobenius norm.
func norm(m matrix[float64]) float64 { return dense.NormFrobenius(m, nil) }

func is32[T float]() bool { return unsafe.Sizeof(T(0)) == 4 }
