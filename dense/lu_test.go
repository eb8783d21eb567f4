package dense

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/internal/hard"
	"gonum.org/v1/gonum/blas"
)

// luLoops is the factorisation as three nested loops, in the documented order.
func luLoops[T Float](a Matrix[T], pivots []int) {
	for q := range pivots {
		p := q
		for i := q; i < a.Rows; i++ {
			if math.Abs(float64(a.At(i, q))) > math.Abs(float64(a.At(p, q))) {
				p = i
			}
		}
		pivots[q] = p
		if p != q {
			for j := range a.Cols {
				x, y := a.At(q, j), a.At(p, j)
				a.Set(q, j, y)
				a.Set(p, j, x)
			}
		}
		d := a.At(q, q)
		for i := q + 1; i < a.Rows; i++ {
			switch {
			case d == 0:
			case proper(1 / d):
				a.Set(i, q, T(1/d*a.At(i, q)))
			default:
				a.Set(i, q, a.At(i, q)/d)
			}
			for j := q + 1; j < a.Cols; j++ {
				a.Set(i, j, asm.FMA(-a.At(i, q), a.At(q, j), a.At(i, j)))
			}
		}
	}
}

func TestLUBits(t *testing.T) { both(t, testLUBits[float32], testLUBits[float64]) }

// testLUBits compares with the loops bit for bit, for all shapes and numbers of threads.
func testLUBits[T Float](t *testing.T) {
	shapes := [][2]int{{0, 0}, {0, 3}, {3, 0}, {1, 1}, {1, 5}, {5, 1}, {2, 2}, {15, 15}, {16, 16}, {17, 17}, {33, 20}, {20, 33}, {63, 63}, {64, 64}, {65, 65}, {80, 200}, {200, 80}, {129, 129}, {150, 450}, {300, 300}}
	for i, s := range shapes {
		m, n := s[0], s[1]
		for kind := range 3 {
			a := draw[T](uint64(100*i+kind), m, n, 3)
			k := min(m, n)
			if kind == 1 && k > 2 { // singular: two equal columns, a zero one
				for r := range m {
					a.Set(r, k/2, a.At(r, 0))
					a.Set(r, k-1, 0)
				}
			}
			if kind == 2 { // reciprocals that are not normal
				for r := range m {
					for c := range n {
						a.Set(r, c, T(math.Ldexp(float64(a.At(r, c)), -1019)))
					}
				}
				if asm.KC[T]() == asm.KC32 {
					a = draw[T](uint64(i), m, n, 3)
					for r := range m {
						for c := range n {
							a.Set(r, c, T(math.Ldexp(float64(a.At(r, c)), -130)))
						}
					}
				}
			}
			want, wantPivots := padded(a, 3), make([]int, k)
			luLoops(want, wantPivots)
			singular := k
			for q := k - 1; q >= 0; q-- {
				if want.At(q, q) == 0 {
					singular = q
				}
			}
			for threads := 1; threads <= 3; threads++ {
				got, pivots := padded(a, 3), make([]int, k)
				err := LU(got, pivots, &Opts[T]{Threads: threads})
				name := fmt.Sprintf("%dx%d kind=%d threads=%d", m, n, kind, threads)
				var e *SingularError
				switch {
				case singular == k && err != nil:
					t.Fatalf("%s: %v", name, err)
				case singular < k && (!errors.As(err, &e) || e.Pivot != singular):
					t.Fatalf("%s: error %v, want pivot %d", name, err, singular)
				case !sameBits(got, want) || fmt.Sprint(pivots) != fmt.Sprint(wantPivots):
					t.Fatalf("%s: other bits than the loops", name)
				}
			}
		}
	}
}

func TestLUAccuracy(t *testing.T) {
	w := newWorst(t)
	testLUAccuracy[float32](t, w)
	testLUAccuracy[float64](t, w)
	w.log()
}

func testLUAccuracy[T Float](t *testing.T, w *worst) {
	eachHard(func(c hard.Class, n int) {
		m := n + n/3*(n%3-1) // wide, square, tall
		a := matrixOf(hard.General[T](c, m, n))
		f, pivots := a.Clone(), make([]int, min(m, n))
		var singular *SingularError
		if err := LU(f, pivots, nil); err != nil && !errors.As(err, &singular) {
			t.Fatal(err)
		}
		k := min(m, n)
		shift := shiftOf(a)
		l := triangle64(blas.Lower, blas.Unit, f.View(0, 0, m, k), 0)
		u := triangle64(blas.Upper, blas.NonUnit, f.View(0, 0, k, n), shift)
		pa := wide(a, shift)
		for i, p := range pivots {
			for j := range n {
				x, y := pa.At(i, j), pa.At(p, j)
				pa.Set(i, j, y)
				pa.Set(p, j, x)
			}
		}
		w.add(typed[T]("LU"), c, n, scaled[T](minusProduct(pa, blas.NoTrans, l, blas.NoTrans, u), pa, max(m, n, 1), shift))
	})
}

func TestLUSolveAccuracy(t *testing.T) {
	w := newWorst(t)
	testLUSolveAccuracy[float32](t, w)
	testLUSolveAccuracy[float64](t, w)
	w.log()
}

func testLUSolveAccuracy[T Float](t *testing.T, w *worst) {
	eachHard(func(c hard.Class, n int) {
		if n == 0 {
			return
		}
		a := matrixOf(hard.General[T](c, n, n))
		f, pivots := a.Clone(), make([]int, n)
		if LU(f, pivots, nil) != nil || !safeInverse(f, c) {
			return // singular, or the results are not finite
		}
		b := rightSides(a, 2)
		x := b.Clone()
		LUSolve(blas.NoTrans, f, pivots, x, nil)
		w.add(typed[T]("LUSolve"), c, n, solveResidual(a, x, b))
		at := transposedOf(a)
		b = rightSides(at, 2)
		x = b.Clone()
		LUSolve(blas.Trans, f, pivots, x, nil)
		w.add(typed[T]("LUSolve/T"), c, n, solveResidual(at, x, b))
		for _, trans := range transposes {
			a, v := a, NewMatrix[T](n, 1)
			if trans == blas.Trans {
				a = at
			}
			b := rightSides(a, 1)
			v.Copy(b)
			LUSolveVec(trans, f, pivots, v.Data, nil)
			w.add(typed[T]("LUSolveVec"), c, n, solveResidual(a, v, b))
		}
		if c == hard.Denormal {
			return // the inverse is not finite
		}
		if err := LUInverse(f, pivots, nil); err != nil {
			t.Errorf("%v n=%d: %v", c, n, err)
			return
		}
		// The left residual is the one that the method keeps small.
		w.add(typed[T]("LUInverse"), c, n, inverseResidual(transposedOf(a), transposedOf(f)))
	})
}

// safeInverse returns whether the inverse is far from overflow, where f is a factor.
func safeInverse[T Float](f Matrix[T], c hard.Class) bool {
	if c == hard.NearUnderflow || c == hard.RankHalf || c == hard.RankOne {
		return false
	}
	for i := range f.Rows {
		if math.Abs(float64(f.At(i, i))) < hard.Tiny[T]()*0x1p10 {
			return false
		}
	}
	return true
}

func TestLUInverseWork(t *testing.T) { both(t, testLUWork[float32], testLUWork[float64]) }

func testLUWork[T Float](t *testing.T) {
	for _, n := range []int{1, 30, 100, 150} {
		a := draw[T](uint64(n), n, n, 0)
		x, pivots := a.Clone(), make([]int, n)
		checkWork(t, "LU", LUWork[T](n, n, 1), func(o *Opts[T]) []Matrix[T] {
			x.Copy(a)
			_ = LU(x, pivots, o)
			return []Matrix[T]{x.Clone()}
		}, func(o *Opts[T]) {
			x.Copy(a)
			_ = LU(x, pivots, o)
		})
		f := x.Clone()
		checkWork(t, "LUInverse", LUInverseWork[T](n, 1), func(o *Opts[T]) []Matrix[T] {
			x.Copy(f)
			_ = LUInverse(x, pivots, o)
			return []Matrix[T]{x.Clone()}
		}, func(o *Opts[T]) {
			x.Copy(f)
			_ = LUInverse(x, pivots, o)
		})
		checkWork(t, "LUCondition", ConditionWork[T](n), func(o *Opts[T]) []Matrix[T] {
			return []Matrix[T]{MatrixOf(1, 1, []T{LUCondition(f, pivots, Norm1(a, nil), o)})}
		}, func(o *Opts[T]) { LUCondition(f, pivots, 1, o) })
		o := &Opts[T]{Threads: 1, Work: make([]T, LUSolveWork[T](n, 3, 1))}
		b := draw[T](1, n, 3, 0)
		if k := testing.AllocsPerRun(3, func() { LUSolve(blas.Trans, f, pivots, b, o) }); k != 0 {
			t.Errorf("LUSolve: %v allocations", k)
		}
	}
	a := draw[T](1, 500, 500, 0)
	x, pivots := a.Clone(), make([]int, 500)
	o := &Opts[T]{Threads: 2, Work: make([]T, LUWork[T](500, 500, 2))}
	if k := testing.AllocsPerRun(3, func() { x.Copy(a); _ = LU(x, pivots, o) }); k != 0 {
		t.Errorf("LU: %v allocations on two threads", k)
	}
}

func TestLUDet(t *testing.T) { both(t, testLUDet[float32], testLUDet[float64]) }

func testLUDet[T Float](t *testing.T) {
	for n := range 8 {
		// The matrix of min(i, j) + 1 has determinant 1; rows are rotated by one, and
		// each doubled.
		a := NewMatrix[T](n, n)
		for i := range n {
			for j := range n {
				a.Set((i+1)%n, j, T(2*(min(i, j)+1)))
			}
		}
		want := math.Ldexp(1, n)
		if n > 0 && n%2 == 0 {
			want = -want
		}
		pivots := make([]int, n)
		if err := LU(a, pivots, nil); err != nil {
			t.Fatal(err)
		}
		log, sign := LULogDet(a, pivots)
		if got := LUDet(a, pivots); !(math.Abs(got-want) <= 100*epsilonOf[T]()*math.Abs(want)) ||
			!(math.Abs(log-math.Log(math.Abs(want))) <= 100*epsilonOf[T]()) || sign != math.Copysign(1, want) {
			t.Errorf("n=%d: determinant %v, log %v, sign %v; want %v", n, got, log, sign, want)
		}
	}
	a := NewMatrix[T](2, 2)
	if log, sign := LULogDet(a, []int{0, 1}); !math.IsInf(log, -1) || sign != 0 || LUDet(a, []int{0, 1}) != 0 {
		t.Errorf("singular: log %v, sign %v", log, sign)
	}
}
