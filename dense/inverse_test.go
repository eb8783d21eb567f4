package dense

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/precond-go/precond/internal/hard"
	"gonum.org/v1/gonum/blas"
)

// TestCholeskySolveAccuracy covers what is done with a factor: solutions and inverses.
func TestCholeskySolveAccuracy(t *testing.T) {
	w := newWorst(t)
	testCholeskySolveAccuracy[float32](t, w)
	testCholeskySolveAccuracy[float64](t, w)
	w.log()
}

func testCholeskySolveAccuracy[T Float](t *testing.T, w *worst) {
	eachHard(func(c hard.Class, n int) {
		if !c.Definite() || n == 0 {
			return
		}
		a := matrixOf(hard.SPD[T](c, n))
		uplo := triangles[n%2]
		l := a.Clone()
		if err := Cholesky(uplo, l, nil); err != nil {
			t.Errorf("%v n=%d: %v", c, n, err)
			return
		}
		b := rightSides(a, 3)
		x := b.Clone()
		CholeskySolve(uplo, l, x, nil)
		w.add(typed[T]("CholeskySolve"), c, n, solveResidual(a, x, b))
		v := NewMatrix[T](n, 1)
		v.Copy(b.View(0, 1, n, 1))
		CholeskySolveVec(uplo, l, v.Data, nil)
		w.add(typed[T]("CholeskySolveVec"), c, n, solveResidual(a, v, b.View(0, 1, n, 1)))
		if c == hard.Denormal {
			return // the inverse is not finite
		}
		x = a.Clone()
		if err := SPDInverse(uplo, x, nil); err != nil {
			t.Errorf("%v n=%d: %v", c, n, err)
			return
		}
		Mirror(uplo, x)
		w.add(typed[T]("SPDInverse"), c, n, inverseResidual(a, x))
	})
}

func TestTriangularInverseAccuracy(t *testing.T) {
	w := newWorst(t)
	testTriangularInverseAccuracy[float32](t, w)
	testTriangularInverseAccuracy[float64](t, w)
	w.log()
}

func testTriangularInverseAccuracy[T Float](t *testing.T, w *worst) {
	eachHard(func(c hard.Class, n int) {
		if !c.Definite() || n == 0 {
			return
		}
		l := matrixOf(hard.SPD[T](c, n))
		if err := Cholesky(blas.Lower, l, nil); err != nil {
			t.Fatal(err)
		}
		for i := range n {
			clear(l.Row(i)[i+1:])
		}
		x := l.Clone()
		if err := TriangularInverse(blas.Lower, blas.NonUnit, x, nil); err != nil {
			t.Fatal(err)
		}
		w.add(typed[T]("TriangularInverse"), c, n, inverseResidual(l, x))
	})
}

func TestInverseForms(t *testing.T) { both(t, testInverseForms[float32], testInverseForms[float64]) }

// testInverseForms tests both triangles, unit diagonals, strides, threads and what is
// not to be read.
func testInverseForms[T Float](t *testing.T) {
	for _, n := range []int{0, 1, 2, 7, 33, 63, 64, 65, 100, 128, 129, 200, 300} {
		for _, diag := range diagonals {
			l := drawTriangle[T](triangularForm{blas.Left, blas.Lower, blas.NoTrans, diag}, uint64(n), n, 3)
			want := padded(l, 3)
			if err := TriangularInverse(blas.Lower, diag, want, nil); err != nil {
				t.Fatal(err)
			}
			u := padded(transposedOf(l), 2)
			wantU := padded(transposedOf(want), 2)
			for threads := 1; threads <= 3; threads++ {
				o := &Opts[T]{Threads: threads}
				got, gotU := padded(l, 3), padded(u, 2)
				if err := errors.Join(TriangularInverse(blas.Lower, diag, got, o), TriangularInverse(blas.Upper, diag, gotU, o)); err != nil {
					t.Fatal(err)
				}
				if !sameBits(got, want) || !sameBits(gotU, wantU) {
					t.Errorf("n=%d diag=%c threads=%d: other bits", n, diag, threads)
				}
			}
			full, inv := triangleOf64(l, diag), triangleOf64(want, diag)
			if r := inverseResidual(full, inv); n > 0 && !(r <= maxRatio*epsilonOf[T]()/0x1p-52) {
				t.Errorf("n=%d diag=%c: residual %g", n, diag, r)
			}
		}
	}
	for _, n := range []int{1, 40, 65, 200} {
		a := matrixOf(hard.SPD[T](hard.Random, n))
		lo, up := padded(a, 1), padded(a, 4)
		poison(blas.Lower, lo)
		poison(blas.Upper, up)
		if err := errors.Join(SPDInverse(blas.Lower, lo, nil), SPDInverse(blas.Upper, up, &Opts[T]{Threads: 2})); err != nil {
			t.Fatal(err)
		}
		for i := range n {
			for j := range n {
				if i >= j && lo.At(i, j) != up.At(j, i) || i < j && (lo.At(i, j) == lo.At(i, j) || up.At(j, i) == up.At(j, i)) {
					t.Fatalf("n=%d: (%d, %d) is %v in the lower triangle, %v in the upper", n, i, j, lo.At(i, j), up.At(j, i))
				}
			}
		}
		Mirror(blas.Lower, lo)
		Mirror(blas.Upper, up)
		for i := range n {
			for j := range n {
				if lo.At(i, j) != lo.At(j, i) || lo.At(i, j) != up.At(i, j) {
					t.Fatalf("n=%d: Mirror left (%d, %d)", n, i, j)
				}
			}
		}
	}
}

// triangleOf64 returns the lower triangle of l in float64.
func triangleOf64[T Float](l Matrix[T], diag blas.Diag) Matrix[float64] {
	return triangle64(blas.Lower, diag, l, 0)
}

func TestInverseErrors(t *testing.T) { both(t, testInverseErrors[float32], testInverseErrors[float64]) }

func testInverseErrors[T Float](t *testing.T) {
	a := draw[T](1, 70, 70, 0)
	a.Set(66, 66, 0)
	b := a.Clone()
	var singular *SingularError
	for _, f := range []func(blas.Uplo, Matrix[T], *Opts[T]) error{
		CholeskyInverse[T],
		func(u blas.Uplo, a Matrix[T], o *Opts[T]) error { return TriangularInverse(u, blas.NonUnit, a, o) },
	} {
		if err := f(blas.Upper, a, nil); !errors.As(err, &singular) || singular.Pivot != 66 {
			t.Errorf("error %v, want pivot 66", err)
		}
		if !sameBits(a, b) {
			t.Error("a changed")
		}
	}
	var indefinite *NotPositiveDefiniteError
	a.Fill(1)
	if err := SPDInverse(blas.Lower, a, nil); !errors.As(err, &indefinite) || indefinite.Pivot != 1 {
		t.Errorf("error %v, want pivot 1", err)
	}
}

func TestInverseWork(t *testing.T) { both(t, testInverseWork[float32], testInverseWork[float64]) }

func testInverseWork[T Float](t *testing.T) {
	for _, n := range []int{1, 30, 150, 260} {
		a := matrixOf(hard.SPD[T](hard.Random, n))
		x := a.Clone()
		for _, uplo := range triangles {
			for name, f := range map[string]func(o *Opts[T]) error{
				"CholeskyInverse":   func(o *Opts[T]) error { return CholeskyInverse(uplo, x, o) },
				"TriangularInverse": func(o *Opts[T]) error { return TriangularInverse(uplo, blas.NonUnit, x, o) },
			} {
				checkWork(t, name, CholeskyInverseWork[T](n, 1), func(o *Opts[T]) []Matrix[T] {
					x.Copy(a)
					if err := f(o); err != nil {
						t.Error(err)
					}
					return []Matrix[T]{x.Clone()}
				}, func(o *Opts[T]) {
					x.Copy(a)
					_ = f(o)
				})
			}
		}
		o := &Opts[T]{Threads: 1, Work: make([]T, SPDInverseWork[T](n, 1))}
		if k := testing.AllocsPerRun(3, func() { x.Copy(a); _ = SPDInverse(blas.Lower, x, o) }); k != 0 {
			t.Errorf("SPDInverse: %v allocations", k)
		}
		b := NewMatrix[T](n, 2)
		o.Work = make([]T, CholeskySolveWork[T](n, 2, 1))
		if k := testing.AllocsPerRun(3, func() { CholeskySolve(blas.Lower, a, b, o); CholeskySolveVec(blas.Upper, a, b.Data[:n], o) }); k != 0 {
			t.Errorf("CholeskySolve: %v allocations", k)
		}
	}
}

func TestCholeskyLogDet(t *testing.T) {
	both(t, testCholeskyLogDet[float32], testCholeskyLogDet[float64])
}

func testCholeskyLogDet[T Float](t *testing.T) {
	for _, n := range []int{0, 1, 10, 100} {
		a := NewMatrix[T](n, n)
		want := 0.0
		for i := range n {
			a.Set(i, i, T(i+1))
			want += math.Log(float64(i + 1))
		}
		if err := Cholesky(blas.Lower, a, nil); err != nil {
			t.Fatal(err)
		}
		if got := CholeskyLogDet(a); !(math.Abs(got-want) <= float64(n)*epsilonOf[T]()*max(1, want)) {
			t.Errorf("n=%d: %v, want %v", n, got, want)
		}
	}
}

// TestSolvePanics has the mistakes that are found before anything is written.
func TestSolvePanics(t *testing.T) {
	a, b := NewMatrix[float64](3, 3), NewMatrix[float64](4, 2)
	for _, c := range []struct {
		want string
		f    func()
	}{
		{"dense: Cholesky: a is 4x2, want square", func() { _ = Cholesky(blas.Lower, b, nil) }},
		{"dense: CholeskySolve: a is 3x3, b is 4x2", func() { CholeskySolve(blas.Lower, a, b, nil) }},
		{"dense: CholeskySolve: b overlaps a", func() { CholeskySolve(blas.Lower, a, a, nil) }},
		{"dense: CholeskySolveVec: a is 3x3, x has 2 elements", func() { CholeskySolveVec(blas.Lower, a, make([]float64, 2), nil) }},
		{"dense: Cholesky: unknown triangle 'x'", func() { _ = Cholesky('x', a, nil) }},
		{"dense: SPDInverse: unknown triangle 'x'", func() { _ = SPDInverse('x', a, nil) }},
		{"dense: TriangularInverse: a is 4x2, want square", func() { _ = TriangularInverse(blas.Lower, blas.Unit, b, nil) }},
		{"dense: Mirror: a is 4x2, want square", func() { Mirror(blas.Lower, b) }},
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); got != c.want {
					t.Errorf("panic %q, want %q", got, c.want)
				}
			}()
			c.f()
		}()
	}
}
