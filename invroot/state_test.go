package invroot

import (
	"fmt"
	"math"
	"testing"

	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/blas"
)

// averaged returns a moving average (1−w)·A + w·S, rounded to T, of A = logSpaced(n, κ) with
// S = A^½·Z·Zᵀ·A^½/n for a random n×n Z, and A. The weight w is such that the average
// differs from A by the given part of its Frobenius norm.
func averaged[T dense.Float](n int, kappa, change float64, seed uint64) (a, next dense.Matrix[T]) {
	wide := logSpaced[float64](n, kappa, seed)
	half := dense.NewMatrix[float64](n, n)
	if _, err := Root(wide, Inverse(2), half, nil, nil); err != nil {
		panic(err)
	}
	z, s, g := dense.NewMatrix[float64](n, n), dense.NewMatrix[float64](n, n), dense.NewMatrix[float64](n, n)
	for i := range z.Data { // of variance 1/n
		for k := range 12 {
			z.Data[i] += (float64(mix(seed<<32+uint64(12*i+k)+1)>>11)/(1<<53) - 0.5) / math.Sqrt(float64(n))
		}
	}
	dense.Gemm(blas.NoTrans, blas.NoTrans, 1, half, z, 0, g, nil)
	dense.Gemm(blas.NoTrans, blas.NoTrans, 1, wide, g, 0, z, nil) // A^½·Z
	dense.Syrk(blas.Lower, blas.NoTrans, 1, z, 0, s, nil)
	dense.Mirror(blas.Lower, s)
	w := change / relative(s, wide)
	a, next = dense.NewMatrix[T](n, n), dense.NewMatrix[T](n, n)
	for i := range n {
		for j := range n {
			u, v := wide.At(max(i, j), min(i, j)), s.At(i, j)
			a.Set(i, j, T(u))
			next.Set(i, j, T((1-w)*u+w*v))
		}
	}
	return a, next
}

// TestState has updates that are as accurate as certified, and by the method that the size of
// the change lets through.
func TestState(t *testing.T) { both(t, testState[float32], testState[float64]) }

func testState[T dense.Float](t *testing.T) {
	var s State[T]
	for _, n := range []int{1, 2, 6, 40, 130} {
		for _, kappa := range []float64{30, 1e4} {
			for _, change := range []float64{0, 1e-3, 1e-2, 0.2} {
				a, next := averaged[T](n, kappa, change, 3)
				known := spectrumOf(next)
				for _, e := range []Exponent{{1, 2}, {1, 4}, {3, 4}, {1, 8}, {1, 3}, {1, 1}} {
					name := fmt.Sprintf("n=%d κ=%g change %g %v", n, kappa, change, e)
					opt := &Options{Ridge: 1e-3, Kind: RidgeKind(e.P % 3)}
					x := dense.NewMatrix[T](n, n)
					s.Reset()
					if cert, err := s.Root(a, e, x, opt, nil); err != nil || cert.Method != Eigen || cert.Flag != OK {
						t.Fatalf("%s: %v, %+v", name, err, cert)
					}
					cert, err := s.Root(next, e, x, opt, nil)
					if err != nil {
						t.Fatalf("%s: %v", name, err)
					}
					got := relative(x, known.root(e, cert.Ridge))
					if !(got <= 8*cert.Error) || cert.Error > 1e-5 {
						t.Errorf("%s: error %.3g, certified %.3g: %+v", name, got, cert.Error, cert)
					}
					switch updated := cert.Method == EigenUpdate; {
					case updated && e.P%2 != 0:
						t.Errorf("%s: %+v", name, cert)
					case !updated && e.P%2 == 0 && change <= 1e-2:
						t.Errorf("%s: fell back: %+v", name, cert)
					}
				}
			}
		}
	}
}

// TestStateSame has equal bits for every number of threads and workspaces full of NaN, and
// updates that allocate nothing.
func TestStateSame(t *testing.T) { both(t, testStateSame[float32], testStateSame[float64]) }

func testStateSame[T dense.Float](t *testing.T) {
	const n = 90
	a, next := averaged[T](n, 100, 1e-3, 5)
	for _, e := range []Exponent{{1, 2}, {3, 4}} {
		var first dense.Matrix[T]
		var firstCert Certificate
		for _, threads := range []int{1, 2, 3} {
			var s State[T]
			x := dense.NewMatrix[T](n, n)
			o := &dense.Opts[T]{Threads: threads, Work: make([]T, RootWork[T](n, threads))}
			var last Certificate
			for _, m := range []dense.Matrix[T]{a, next} {
				for i := range o.Work {
					o.Work[i] = T(math.NaN())
				}
				cert, err := s.Root(m, e, x, nil, o)
				if err != nil {
					t.Fatal(err)
				}
				last = cert
			}
			if threads == 1 {
				first, firstCert = x.Clone(), last
			}
			if last != firstCert || last.Method != EigenUpdate {
				t.Fatalf("%v on %d threads: %+v, want %+v", e, threads, last, firstCert)
			}
			for i, v := range x.Data {
				if v != first.Data[i] {
					t.Fatalf("%v on %d threads: element %d is %v, want %v", e, threads, i, v, first.Data[i])
				}
			}
			if k := testing.AllocsPerRun(2, func() { _, _ = s.Root(next, e, x, nil, o) }); k != 0 {
				t.Errorf("%v on %d threads: %v allocations", e, threads, k)
			}
		}
	}
}

// TestStateLadder has a decomposition where an update does not do, which then is kept, and
// none from a call that fails.
func TestStateLadder(t *testing.T) {
	const n = 60
	a, _ := averaged[float64](n, 100, 1e-3, 5)
	b, nearB := averaged[float64](n, 30, 1e-3, 6)
	x := dense.NewMatrix[float64](n, n)
	var s State[float64]
	for i, c := range []struct {
		a      dense.Matrix[float64]
		opt    *Options
		method Method
		flag   Flag
	}{
		{a, nil, Eigen, OK},
		{a, nil, EigenUpdate, OK},
		{b, nil, Eigen, Fallback},
		{nearB, nil, EigenUpdate, OK},
		{b, &Options{Method: CoupledNewton}, CoupledNewton, OK},
		{b, &Options{Cutoff: 1e-10}, Eigen, OK},
		{b, &Options{Shift: true}, Eigen, OK},
		{dense.NewMatrix[float64](n, n), nil, Eigen, Failed},
		{nearB, nil, Eigen, Fallback}, // the state is that of the zero matrix
		{b, nil, EigenUpdate, OK},
		{a.View(0, 0, 20, 20), nil, Eigen, OK},
	} {
		cert, err := s.Root(c.a, Inverse(2), x.View(0, 0, c.a.Rows, c.a.Rows), c.opt, nil)
		if cert.Method != c.method || cert.Flag != c.flag || (err != nil) != (c.flag == Failed) {
			t.Errorf("call %d: %v, %+v", i, err, cert)
		}
	}
	s = State[float64]{}
	bad := a.Clone()
	bad.Set(3, 2, math.NaN())
	for i, m := range []dense.Matrix[float64]{a, bad, a} {
		cert, err := s.Root(m, Inverse(2), x, nil, nil)
		if (err != nil) != (i == 1) || i == 2 && cert.Method != EigenUpdate {
			t.Errorf("matrix %d: %v, %+v", i, err, cert)
		}
	}
}
