package kron

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/hard"
	"gonum.org/v1/gonum/blas"
)

// rearranged returns R of a matrix in blocks by its definition, pm×qn.
func rearranged(m matrix[float64], p, c int) matrix[float64] {
	q, n := m.Rows/p, m.Cols/c
	r := dense.NewMatrix[float64](p*c, q*n)
	for i := range m.Rows {
		for j := range m.Cols {
			r.Set(i/q*c+j/n, i%q*n+j%n, m.At(i, j))
		}
	}
	return r
}

// fisher returns Σ vec(D_s)·vec(D_s)ᵀ/n.
func fisher[T float](p *PerExample[T]) matrix[float64] {
	j := jacobian(p)
	f := times(whole(blas.Trans, j), j)
	for i := range f.Data {
		f.Data[i] /= float64(max(1, j.Rows))
	}
	return f
}

func TestRearranged(t *testing.T) { both(t, testRearranged[float32], testRearranged[float64]) }

// testRearranged compares the products with those of the rearranged matrix.
func testRearranged[T float](t *testing.T) {
	check := func(name string, r Rearranged[T], want matrix[float64], steps int) {
		t.Helper()
		p, m, q, n := r.Shapes()
		a, b := draw[T](1, p, m, 1), draw[T](2, q, n, 2)
		gotA, gotB := draw[T](3, p, m, 2), draw[T](4, q, n, 0)
		gotA.Fill(T(math.NaN()))
		r.MulR(b, gotA, nil)
		r.MulRTrans(a, gotB, nil)
		tr := whole(blas.Trans, want)
		near(t, name+" MulR", elements(gotA), timesVec(want, elements(wide(b))), timesVec(absolute(want), elements(absolute(wide(b)))), steps)
		near(t, name+" MulRTrans", elements(gotB), timesVec(tr, elements(wide(a))), timesVec(absolute(tr), elements(absolute(wide(a)))), steps)
	}
	for _, s := range [][4]int{{1, 1, 1, 1}, {2, 3, 4, 5}, {3, 3, 4, 4}, {1, 6, 5, 2}, {9, 8, 20, 23}} {
		m := draw[T](5, s[0]*s[2], s[1]*s[3], 3)
		check(fmt.Sprint("blocks ", s), &Blocks[T]{m, s[0], s[1]}, rearranged(wide(m), s[0], s[1]), s[2]*s[3]+s[0]*s[1]+8)
	}
	for _, s := range [][4]int{{1, 1, 1, 1}, {6, 1, 3, 4}, {5, 3, 4, 2}, {4, 7, 2, 3}, {300, 1, 5, 6}, {60, 40, 3, 2}, {3, 1, 0, 2}} {
		for _, bias := range []bool{false, true} {
			n, places, d, out := s[0], s[1], s[2], s[3]
			p := &PerExample[T]{Inputs: draw[T](1, n*places, d, 1), Grads: draw[T](2, n*places, out, 2), Bias: bias, Places: places}
			if p.in() == 0 {
				continue
			}
			abs := PerExample[T]{Inputs: copyOf(p.Inputs), Grads: copyOf(p.Grads), Bias: bias, Places: places}
			for _, m := range []matrix[T]{abs.Inputs, abs.Grads} {
				for i, v := range m.Data {
					m.Data[i] = T(math.Abs(float64(v)))
				}
			}
			// Errors are relative to what the sum of the magnitudes is, not to the elements of F.
			want, size := rearranged(fisher(p), out, out), rearranged(fisher(&abs), out, out)
			a, b := draw[T](3, out, out, 1), draw[T](4, p.in(), p.in(), 2)
			gotA, gotB := draw[T](5, out, out, 0), draw[T](6, p.in(), p.in(), 1)
			p.MulR(b, gotA, nil)
			p.MulRTrans(a, gotB, nil)
			steps := 2*(n*places+d+out) + 8
			name := fmt.Sprint("samples ", s, bias)
			near(t, name, elements(gotA), timesVec(want, elements(wide(b))), timesVec(size, elements(absolute(wide(b)))), steps)
			near(t, name, elements(gotB), timesVec(whole(blas.Trans, want), elements(wide(a))), timesVec(whole(blas.Trans, size), elements(absolute(wide(a)))), steps)
		}
	}
	empty := PerExample[T]{Inputs: draw[T](1, 0, 3, 0), Grads: draw[T](1, 0, 2, 0)}
	a := draw[T](1, 2, 2, 0)
	if empty.MulR(draw[T](2, 3, 3, 0), a, nil); a.At(1, 1) != 0 {
		t.Error("no examples: not zero")
	}
	mustPanic(t, "kron: Blocks: 4x6 in 3x2 blocks", func() { (&Blocks[T]{draw[T](1, 4, 6, 0), 3, 2}).Shapes() })
	mustPanic(t, "kron: MulR: blocks are 2x2 of 2x3, a is 2x2, b is 3x2", func() { (&Blocks[T]{draw[T](1, 4, 6, 0), 2, 2}).MulR(draw[T](1, 3, 2, 0), a, nil) })
}

func TestNearest(t *testing.T) { both(t, testNearest[float32], testNearest[float64]) }

// testNearest compares with the singular values of the rearranged matrix: the error of the
// sum is what the best approximation leaves.
func testNearest[T float](t *testing.T) {
	for _, s := range [][4]int{{1, 1, 1, 1}, {3, 2, 4, 5}, {4, 4, 5, 5}, {2, 7, 6, 3}} {
		p, m, q, n := s[0], s[1], s[2], s[3]
		// Singular values 1, 1/2, 1/4, …: power iteration converges.
		full := min(p*m, q*n)
		r := dense.MatrixOf(p*m, q*n, hardSpectrum(p*m, q*n))
		for _, k := range []int{1, min(3, full), full} {
			if k == full && full > 8 {
				continue
			}
			big := dense.NewMatrix[T](p*q, m*n)
			for i := range big.Rows {
				for j := range big.Cols {
					big.Set(i, j, T(r.At(i/q*m+j/n, i%q*n+j%n)))
				}
			}
			exact := rearranged(wide(big), p, m)
			values := make([]float64, full)
			if err := dense.SingularValues(exact, values, nil); err != nil {
				t.Fatal(err)
			}
			for _, method := range []NearestMethod{Power, Lanczos} {
				var a, b []matrix[T]
				for i := range k {
					a, b = append(a, draw[T](uint64(i), p, m, 1)), append(b, draw[T](uint64(i), q, n, 0))
				}
				name := fmt.Sprintf("%v k=%d method %d", s, k, method)
				cert, err := Nearest(&Blocks[T]{big, p, m}, a, b, NearestOpts{Method: method, Seed: 3}, nil)
				if err != nil {
					t.Errorf("%s: %v", name, err)
				}
				rest, want := wide(big), 0.
				for i := range k {
					dense.Accumulate(-1, kronecker(wide(a[i]), wide(b[i])), 1, rest, nil)
					na, nb := norm(wide(a[i])), norm(wide(b[i]))
					if tol := 100 * float64(p*m+q*n) * eps[T]() * values[0]; !(math.Abs(na*nb-values[i]) <= tol) || !(math.Abs(na-nb) <= 1e-3*na) {
						t.Errorf("%s: term %d has norms %v and %v, want %v", name, i, na, nb, values[i])
					}
					trace := 0.
					for j := range min(q, n) {
						trace += float64(b[i].At(j, j))
					}
					if trace < 0 {
						t.Errorf("%s: the trace of b[%d] is %v", name, i, trace)
					}
				}
				for _, v := range values[k:] {
					want += v * v
				}
				if tol := 200 * float64(p*m+q*n) * eps[T]() * values[0]; !(norm(rest) <= math.Sqrt(want)+tol) || cert.Residual > 1 {
					t.Errorf("%s: the error is %v, the best %v (%d steps, residual %g)", name, norm(rest), math.Sqrt(want), cert.Steps, cert.Residual)
				}
			}
		}
	}
}

// hardSpectrum returns an m×n matrix with singular values 1, 1/2, 1/4, ….
func hardSpectrum(m, n int) []float64 {
	k := min(m, n)
	u, v := draw[float64](1, m, k, 0), draw[float64](2, n, k, 0)
	dense.QRThin(u, matrix[float64]{}, nil)
	dense.QRThin(v, matrix[float64]{}, nil)
	for i := range m {
		for j := range k {
			u.Row(i)[j] *= math.Ldexp(1, -j)
		}
	}
	return times(u, whole(blas.Trans, v)).Data
}

func TestNearestFisher(t *testing.T) {
	both(t, testNearestFisher[float32], testNearestFisher[float64])
}

// testNearestFisher takes a Fisher matrix from its samples, as it is and formed. Its factors are
// semidefinite, and nearer than those of K-FAC; where inputs and gradients are independent by
// construction, both are exact.
func testNearestFisher[T float](t *testing.T) {
	p := &PerExample[T]{Inputs: draw[T](1, 80, 4, 0), Grads: draw[T](2, 80, 3, 0), Bias: true, Places: 2}
	f := fisher(p)
	formed := dense.NewMatrix[T](f.Rows, f.Cols)
	for i, v := range f.Data {
		formed.Data[i] = T(v)
	}
	errorOf := func(g, a matrix[float64]) float64 {
		rest := f.Clone()
		dense.Accumulate(-1, kronecker(g, a), 1, rest, nil)
		return norm(rest)
	}
	var last float64
	for i, r := range []Rearranged[T]{p, &Blocks[T]{formed, 3, 3}} {
		g, a := []matrix[T]{draw[T](1, 3, 3, 0)}, []matrix[T]{draw[T](1, 5, 5, 0)}
		if _, err := Nearest(r, g, a, NearestOpts{}, nil); err != nil {
			t.Fatal(err)
		}
		for _, m := range []matrix[T]{g[0], a[0]} {
			values := make([]T, m.Rows)
			if err := dense.EigenSymValues(blas.Lower, m, values, nil); err != nil || !(float64(values[0]) >= -1e3*eps[T]()*float64(values[len(values)-1])) {
				t.Errorf("operator %d: a factor has eigenvalues %v, %v", i, values, err)
			}
		}
		e := errorOf(wide(g[0]), wide(a[0]))
		if i == 1 && !(math.Abs(e-last) <= 1e3*eps[T]()*norm(f)) {
			t.Errorf("from samples the error is %v, from the matrix %v", last, e)
		}
		last = e
	}
	g, a := dense.NewMatrix[T](3, 3), dense.NewMatrix[T](5, 5) // K-FAC, expand
	Moment(1./40, p.Grads, false, 0, g, nil)
	Moment(1./80, p.Inputs, true, 0, a, nil)
	dense.Mirror(blas.Lower, g)
	dense.Mirror(blas.Lower, a)
	if k := errorOf(wide(g), wide(a)); !(last < k) {
		t.Errorf("the nearest product is off by %v, K-FAC's by %v", last, k)
	}

	// Every input with every gradient: F = G⊗A.
	q := &PerExample[T]{Inputs: dense.NewMatrix[T](30, 4), Grads: dense.NewMatrix[T](30, 3)}
	for i := range 30 {
		copy(q.Inputs.Row(i), p.Inputs.Row(i/5))
		copy(q.Grads.Row(i), p.Grads.Row(i%5))
	}
	gs, as := []matrix[T]{g}, []matrix[T]{dense.NewMatrix[T](4, 4)}
	cert, err := Nearest(q, gs, as, NearestOpts{Method: Lanczos}, nil)
	rest := fisher(q)
	dense.Accumulate(-1, kronecker(wide(g), wide(as[0])), 1, rest, nil)
	if err != nil || !(norm(rest) <= 1e3*eps[T]()) {
		t.Errorf("independent: %v, error %v, %+v", err, norm(rest), cert)
	}
	// Warm, on a matrix that changed little: a step brings it near.
	cert, err = Nearest(q, gs, as, NearestOpts{Warm: true, Steps: 2}, nil)
	if err != nil || cert.Steps > 2 {
		t.Errorf("warm: %v, %+v", err, cert)
	}
}

func TestNearestErrors(t *testing.T) {
	both(t, testNearestErrors[float32], testNearestErrors[float64])
}

func testNearestErrors[T float](t *testing.T) {
	var infinite *dense.NonFiniteError
	var slow *dense.NoConvergenceError
	one := func() ([]matrix[T], []matrix[T]) {
		return []matrix[T]{draw[T](1, 3, 3, 0)}, []matrix[T]{draw[T](2, 4, 4, 0)}
	}
	for _, method := range []NearestMethod{Power, Lanczos} {
		a, b := one()
		m := draw[T](1, 12, 12, 0)
		if _, err := Nearest(&Blocks[T]{m, 3, 3}, a, b, NearestOpts{Method: method, Steps: 2}, nil); !errors.As(err, &slow) {
			t.Errorf("method %d: two steps: %v", method, err)
		} else if n := norm(wide(a[0])); !(n > 0) {
			t.Errorf("method %d: two steps left no term: %v", method, n)
		}
		m.Fill(0)
		if _, err := Nearest(&Blocks[T]{m, 3, 3}, a, b, NearestOpts{Method: method}, nil); err != nil || norm(wide(a[0])) != 0 || norm(wide(b[0])) != 0 {
			t.Errorf("method %d: zero matrix: %v, %v", method, err, a[0])
		}
		m.Set(5, 7, T(math.Inf(1)))
		if _, err := Nearest(&Blocks[T]{m, 3, 3}, a, b, NearestOpts{Method: method}, nil); !errors.As(err, &infinite) {
			t.Errorf("method %d: Inf: %v", method, err)
		}
		m.Set(5, 7, T(math.NaN()))
		if _, err := Nearest(&Blocks[T]{m, 3, 3}, a, b, NearestOpts{Method: method}, nil); !errors.As(err, &infinite) {
			t.Errorf("method %d: NaN: %v", method, err)
		}
	}
	a, b := one()
	r := &Blocks[T]{draw[T](1, 12, 12, 0), 3, 3}
	mustPanic(t, "kron: Nearest: 1 a, 0 b", func() { _, _ = Nearest(r, a, nil, NearestOpts{}, nil) })
	mustPanic(t, "kron: Nearest: term 0 is 4x4 and 3x3, want 3x3 and 4x4", func() { _, _ = Nearest(r, b, a, NearestOpts{}, nil) })
	mustPanic(t, "kron: Nearest: method 7", func() { _, _ = Nearest(r, a, b, NearestOpts{Method: 7}, nil) })
}

func TestNearestOpts(t *testing.T) { both(t, testNearestOpts[float32], testNearestOpts[float64]) }

func testNearestOpts[T float](t *testing.T) {
	h := hard.Semidefinite[T](hard.Graded, 20*15)
	r := &Blocks[T]{dense.MatrixOf(h.Rows, h.Cols, h.Data), 20, 20}
	for _, method := range []NearestMethod{Power, Lanczos} {
		n := NearestOpts{Method: method, Steps: 30, Tolerance: 1e-3}
		a, b := []matrix[T]{draw[T](1, 20, 20, 0)}, []matrix[T]{draw[T](2, 15, 15, 1)}
		steady := func(o *options[T]) { _, _ = Nearest(r, a, b, n, o) }
		if method == Lanczos {
			if k := testing.AllocsPerRun(3, func() { steady(&options[T]{Threads: 1}) }); k > 3 {
				t.Errorf("Lanczos: %v allocations", k)
			}
			steady = nil
		}
		checkOpts(t, "Nearest", func(int) int { return NearestWork[T](r, 1, n) }, func(o *options[T]) [][]T {
			a, b := []matrix[T]{draw[T](1, 20, 20, 0)}, []matrix[T]{draw[T](2, 15, 15, 1)}
			_, _ = Nearest(r, a, b, n, o)
			return [][]T{a[0].Data, b[0].Data}
		}, steady)
	}
}
