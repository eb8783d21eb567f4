package fuzz

import (
	"errors"
	"math"
	"testing"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/invroot"
	"gonum.org/v1/gonum/blas"
)

func FuzzRoot(f *testing.F)  { attack(f, root[float32], root[float64]) }
func FuzzState(f *testing.F) { attack(f, state[float32], state[float64]) }

// rootOptions returns options of any kind, with a ridge in half of them.
func rootOptions(r *reader) (invroot.Exponent, *invroot.Options) {
	e := invroot.Exponent{Q: 1 + int(r.byte()%4), P: 1 + int(r.byte()%8)}
	o := &invroot.Options{
		Method: []invroot.Method{invroot.Auto, invroot.Eigen, invroot.EigenWorking, invroot.CoupledNewton, invroot.HigherOrder, invroot.NewtonSchulz, invroot.Chebyshev}[r.byte()%7],
		Order:  []int{0, 2, 4, 6}[r.byte()%4], Shift: r.byte()%4 == 0, Single: r.byte()%4 == 0,
	}
	if kind := r.byte(); kind%2 == 0 {
		o.Ridge, o.Kind = []float64{1e-12, 1e-6, 0.01, 3}[kind/2%4], invroot.RidgeKind(kind/8%3)
	}
	if r.byte()%8 == 0 {
		o.Cutoff = 1e-6
	}
	return e, o
}

// root has a finite symmetric matrix give a finite, certified root or an error that says
// what it lacks.
func root[T dense.Float](t *testing.T, r *reader) {
	e, o := rootOptions(r)
	n := r.dim(40)
	a := symmetric[T](r, n)
	a0, x := clone(a), dense.NewMatrix[T](n, n)
	cert, err := invroot.Root(a, e, x, o, nil)
	untouched(t, "a", a, a0, nil)
	judgeRoot(t, a, e, o, x, cert, err)
}

// state does the same for a matrix after another one that is more or less near.
func state[T dense.Float](t *testing.T, r *reader) {
	e, o := rootOptions(r)
	n := r.dim(40)
	a := symmetric[T](r, n)
	change := math.Ldexp(1, -int(r.byte()%30))
	var s invroot.State[T]
	x := dense.NewMatrix[T](n, n)
	for range 3 {
		cert, err := s.Root(a, e, x, o, nil)
		judgeRoot(t, a, e, o, x, cert, err)
		for i := range n {
			for j := range i + 1 {
				a.Data[i*a.Stride+j] *= T(1 + change*(r.rng.Float64()-0.5))
			}
		}
	}
}

// judgeRoot fails unless a root is finite, symmetric and as accurate as certified, or is
// refused for a reason that holds.
func judgeRoot[T dense.Float](t *testing.T, a dense.Matrix[T], e invroot.Exponent, o *invroot.Options, x dense.Matrix[T], cert invroot.Certificate, err error) {
	n := a.Rows
	s, exponent := full(blas.Lower, a)
	var nonFinite *dense.NonFiniteError
	var spectrum *invroot.SpectrumError
	var outside *invroot.RangeError
	var none *dense.NoConvergenceError
	switch {
	case s == nil:
		if !errors.As(err, &nonFinite) {
			t.Fatalf("error %v of a matrix that is not finite", err)
		}
		return
	case errors.As(err, &spectrum), errors.As(err, &outside), errors.As(err, &none) && o.Single:
		if cert.Flag != invroot.Failed {
			t.Fatalf("%v with %+v", err, cert)
		}
		return
	case err != nil:
		t.Fatal(err)
	}
	for i := range n {
		for j := range i + 1 {
			if v := x.At(i, j); v-v != 0 || v != x.At(j, i) {
				t.Fatalf("element (%d, %d) is %v and %v: %+v", i, j, v, x.At(j, i), cert)
			}
		}
	}
	if cert.Flag == invroot.Failed || !(cert.Error >= 0) || cert.Flag != invroot.Inaccurate && cert.Error > 1e-5 {
		t.Fatalf("no error, and %+v", cert)
	}
	// The root of the largest eigenvalue is the least of x, and the smallest the norm of x, to
	// first order in the error and in what the decomposition is worth.
	if n == 0 || cert.Error > 1e-3 || o.Cutoff > 0 {
		return
	}
	values, vectors := make([]float64, n), dense.NewMatrix[float64](n, n)
	if err := dense.EigenSym(blas.Lower, *s, values, vectors, nil); err != nil {
		t.Fatal(err)
	}
	least := values[0] + math.Ldexp(cert.Shift+cert.Ridge, -exponent)
	largest := math.Abs(values[n-1]) + math.Ldexp(cert.Shift+cert.Ridge, -exponent)
	power := float64(e.Q) / float64(e.P)
	fraction, k := math.Frexp(least) // the ridge may be greater than the matrix by any factor
	k = e.Q * (k + exponent)         // whole powers of two are exact
	want := math.Ldexp(math.Pow(fraction, -power)*math.Exp2(-float64(k%e.P)/float64(e.P)), -(k / e.P))
	slack := 20*cert.Error + 60*0x1p-52*max(largest, -values[0])/least
	if eps, most, tiny := 0., 0., 0.; slack < 0.1 {
		eps, tiny, most = limits[T]()
		if want > most || want < tiny {
			return
		}
		got := 0. // ‖X‖/want, whose ‖X‖ may overflow
		for i := range n {
			for _, v := range x.Row(i) {
				got = math.Hypot(got, float64(v)/want)
			}
		}
		if !(got >= 1-power*slack-8*eps) || !(got <= math.Sqrt(float64(n))*(1+power*slack+float64(8*n)*eps)) {
			t.Fatalf("%v: norm %g of %g, which smallest eigenvalue %g gives: %+v", e, got, want, least, cert)
		}
	}
}
