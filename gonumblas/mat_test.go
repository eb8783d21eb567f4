package gonumblas_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/precond-go/precond/gonumblas"
	"gonum.org/v1/gonum/lapack/gonum"
	"gonum.org/v1/gonum/lapack/lapack64"
	"gonum.org/v1/gonum/mat"
)

// withOurs runs f with our LAPACK in the place of gonum's.
func withOurs(f func()) {
	lapack64.Use(gonumblas.Lapack{})
	defer lapack64.Use(gonum.Implementation{})
	f()
}

func randomDense(r *rand.Rand, m, n int) *mat.Dense {
	a := mat.NewDense(m, n, nil)
	for i := range m {
		for j := range n {
			a.Set(i, j, r.NormFloat64())
		}
	}
	return a
}

// checkProduct wants the product of the factors to be a, and their number of columns to
// count for the tolerance.
func checkProduct(t *testing.T, what string, a mat.Matrix, factors ...mat.Matrix) {
	t.Helper()
	var p mat.Dense
	p.CloneFrom(factors[0])
	for _, f := range factors[1:] {
		var next mat.Dense
		next.Mul(&p, f)
		p.CloneFrom(&next)
	}
	p.Sub(&p, a)
	m, n := a.Dims()
	if e := mat.Norm(&p, 1) / mat.Norm(a, 1); !(e <= 10*float64(max(m, n))*0x1p-52) {
		t.Errorf("%s: residual %v", what, e)
	}
}

// checkOrthonormal wants the columns of q to be orthonormal.
func checkOrthonormal(t *testing.T, what string, q mat.Matrix) {
	t.Helper()
	_, n := q.Dims()
	identity := mat.NewDense(n, n, nil)
	for i := range n {
		identity.Set(i, i, 1)
	}
	checkProduct(t, what, identity, q.T(), q)
}

// checkNear wants two lists of numbers to agree to eps times the largest of them.
func checkNear(t *testing.T, what string, got, want []float64, eps float64) {
	t.Helper()
	largest := 0.0
	for _, v := range want {
		largest = max(largest, math.Abs(v))
	}
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, gonum has %d", what, len(got), len(want))
	}
	for i, v := range got {
		if !(math.Abs(v-want[i]) <= eps*largest) {
			t.Errorf("%s: number %d is %v, gonum's %v", what, i, v, want[i])
			return
		}
	}
}

// diagonal returns the diagonal matrix of s with the given shape.
func diagonal(m, n int, s []float64) *mat.Dense {
	d := mat.NewDense(m, n, nil)
	for i, v := range s {
		d.Set(i, i, v)
	}
	return d
}

func TestMatEigenSym(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 0))
	for _, n := range []int{1, 2, 5, 33, 64, 129, 200} {
		a := mat.NewSymDense(n, randomDense(r, n, n).RawMatrix().Data)
		var want, got, values mat.EigenSym
		if !want.Factorize(a, true) {
			t.Fatal("gonum fails")
		}
		withOurs(func() {
			if !got.Factorize(a, true) || !values.Factorize(a, false) {
				t.Fatalf("n=%d: no success", n)
			}
		})
		what := fmt.Sprintf("EigenSym n=%d", n)
		checkNear(t, what, got.Values(nil), want.Values(nil), 10*float64(n)*0x1p-52)
		checkNear(t, what+" values", values.Values(nil), want.Values(nil), 10*float64(n)*0x1p-52)
		var v mat.Dense
		got.VectorsTo(&v)
		checkOrthonormal(t, what, &v)
		checkProduct(t, what, a, &v, diagonal(n, n, got.Values(nil)), v.T())
	}
}

func TestMatCholesky(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 0))
	for _, n := range []int{1, 2, 5, 33, 64, 129, 300} {
		x := randomDense(r, n, n+5)
		a := mat.NewSymDense(n, nil)
		a.SymOuterK(1, x)
		b := randomDense(r, n, 3)
		var want, got mat.Cholesky
		var inverse, wantInverse mat.SymDense
		var solution mat.Dense
		if !want.Factorize(a) {
			t.Fatal("gonum fails")
		}
		if err := want.InverseTo(&wantInverse); err != nil {
			t.Fatal(err)
		}
		withOurs(func() {
			if !got.Factorize(a) {
				t.Fatalf("n=%d: not positive definite", n)
			}
			if err := got.InverseTo(&inverse); err != nil {
				t.Fatal(err)
			}
			if err := got.SolveTo(&solution, b); err != nil {
				t.Fatal(err)
			}
		})
		what := fmt.Sprintf("Cholesky n=%d", n)
		var u, ax mat.Dense
		u.CloneFrom(got.RawU())
		checkProduct(t, what, a, u.T(), &u)
		condition := want.Cond()
		checkNear(t, what+" condition and determinant", []float64{got.Cond(), got.LogDet()}, []float64{condition, want.LogDet()}, 1e-9)
		checkNear(t, what+" inverse", mat.DenseCopyOf(&inverse).RawMatrix().Data, mat.DenseCopyOf(&wantInverse).RawMatrix().Data, 1e-15*condition)
		ax.Mul(a, &solution)
		checkNear(t, what+" solution", ax.RawMatrix().Data, b.RawMatrix().Data, 1e-15*condition)
	}
	withOurs(func() {
		var c mat.Cholesky
		if c.Factorize(mat.NewSymDense(2, []float64{1, 2, 2, 1})) {
			t.Error("Cholesky takes an indefinite matrix")
		}
	})
}

func TestMatLU(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 0))
	for _, n := range []int{1, 2, 5, 33, 64, 129, 300} {
		a, b := randomDense(r, n, n), randomDense(r, n, 3)
		var want, got mat.LU
		var x, ax, inverse mat.Dense
		want.Factorize(a)
		withOurs(func() {
			got.Factorize(a)
			if err := got.SolveTo(&x, false, b); err != nil {
				t.Fatal(err)
			}
			if err := inverse.Inverse(a); err != nil {
				t.Fatal(err)
			}
		})
		what := fmt.Sprintf("LU n=%d", n)
		log, sign := got.LogDet()
		wantLog, wantSign := want.LogDet()
		checkNear(t, what+" condition and determinant", []float64{got.Cond(), log, sign}, []float64{want.Cond(), wantLog, wantSign}, 1e-9)
		ax.Mul(a, &x)
		checkNear(t, what+" solution", ax.RawMatrix().Data, b.RawMatrix().Data, 1e-14*want.Cond())
		ax.Reset()
		ax.Mul(a, &inverse)
		checkNear(t, what+" inverse", ax.RawMatrix().Data, diagonal(n, n, slices.Repeat([]float64{1}, n)).RawMatrix().Data, 1e-14*want.Cond())
	}
}

func TestMatQR(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 0))
	for _, s := range [][2]int{{1, 1}, {5, 3}, {64, 64}, {129, 100}, {200, 40}} {
		m, n := s[0], s[1]
		a, b := randomDense(r, m, n), randomDense(r, m, 2)
		var want, got mat.QR
		var wantX, x, wantR, rr, q mat.Dense
		want.Factorize(a)
		want.RTo(&wantR)
		if err := want.SolveTo(&wantX, false, b); err != nil {
			t.Fatal(err)
		}
		withOurs(func() {
			got.Factorize(a)
			got.RTo(&rr)
			got.QTo(&q)
			if err := got.SolveTo(&x, false, b); err != nil {
				t.Fatal(err)
			}
		})
		what := fmt.Sprintf("QR %dx%d", m, n)
		checkOrthonormal(t, what, &q)
		checkProduct(t, what, a, &q, &rr)
		checkNear(t, what+" R", rr.RawMatrix().Data, wantR.RawMatrix().Data, 1e-12)
		checkNear(t, what+" least squares", x.RawMatrix().Data, wantX.RawMatrix().Data, 1e-14*want.Cond())
	}
}

func TestMatSVD(t *testing.T) {
	r := rand.New(rand.NewPCG(10, 0))
	for _, s := range [][2]int{{1, 1}, {5, 3}, {3, 5}, {64, 64}, {129, 100}, {60, 200}} {
		m, n := s[0], s[1]
		a := randomDense(r, m, n)
		var want mat.SVD
		if !want.Factorize(a, mat.SVDNone) {
			t.Fatal("gonum fails")
		}
		for _, kind := range []mat.SVDKind{mat.SVDNone, mat.SVDThinU, mat.SVDThinV, mat.SVDThin, mat.SVDFull} {
			var got mat.SVD
			withOurs(func() {
				if !got.Factorize(a, kind) {
					t.Fatalf("%dx%d: no success", m, n)
				}
			})
			what := fmt.Sprintf("SVD %dx%d kind %d", m, n, kind)
			values := got.Values(nil)
			checkNear(t, what, values, want.Values(nil), 1e-14*float64(m+n))
			var u, v mat.Dense
			if kind&(mat.SVDThinU|mat.SVDFullU) != 0 {
				got.UTo(&u)
				checkOrthonormal(t, what+" U", &u)
			}
			if kind&(mat.SVDThinV|mat.SVDFullV) != 0 {
				got.VTo(&v)
				checkOrthonormal(t, what+" V", &v)
			}
			if !u.IsEmpty() && !v.IsEmpty() {
				_, uc := u.Dims()
				_, vc := v.Dims()
				checkProduct(t, what, a, &u, diagonal(uc, vc, values), v.T())
			}
		}
	}
}
