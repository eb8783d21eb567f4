package fuzz

import (
	"errors"
	"math"
	"testing"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/hard"
	"gonum.org/v1/gonum/blas"
)

func FuzzSVD(f *testing.F)   { attack(f, svd[float32], svd[float64]) }
func FuzzPolar(f *testing.F) { attack(f, polar[float32], polar[float64]) }
func FuzzNormBounds(f *testing.F) {
	attack(f, normBounds[float32], normBounds[float64])
}

// finite returns whether all elements of m are finite, and a power of two that brings
// the largest near 1.
func finite[T dense.Float](m dense.Matrix[T]) (ok bool, shift int) {
	largest := float64(dense.NormMax(m, nil))
	if largest-largest != 0 {
		return false, 0
	}
	if largest > 0 {
		shift = -math.Ilogb(largest)
	}
	return true, shift
}

// ordinary returns m·2^shift in float64.
func ordinary[T dense.Float](m dense.Matrix[T], shift int) dense.Matrix[float64] {
	x := dense.NewMatrix[float64](m.Rows, m.Cols)
	for i := range m.Rows {
		for j, v := range m.Row(i) {
			x.Set(i, j, math.Ldexp(float64(v), shift))
		}
	}
	return x
}

// bounded requires that ‖c − a·b‖_F ≤ 10·n·ε·‖c‖_F, n the largest dimension, with room for
// results below the normal range. Elements of c have been multiplied by 2^shift.
func bounded[T dense.Float](t *testing.T, what string, c, a, b dense.Matrix[float64], shift int) {
	t.Helper()
	n := float64(max(c.Rows, c.Cols, a.Cols))
	bound := 10 * n * (hard.Epsilon[T]()*dense.NormFrobenius(c, nil) + n*math.Ldexp(hard.Tiny[T](), shift))
	d := dense.NewMatrix[float64](c.Rows, c.Cols)
	d.Copy(c)
	dense.Gemm(blas.NoTrans, blas.NoTrans, -1, a, b, 1, d, nil)
	if r := dense.NormFrobenius(d, nil); !(r <= bound) {
		t.Fatalf("%s: residual %g, bound %g", what, r, bound)
	}
}

func identity(n int) dense.Matrix[float64] {
	m := dense.NewMatrix[float64](n, n)
	for i := range n {
		m.Set(i, i, 1)
	}
	return m
}

func flippedOf(m dense.Matrix[float64]) dense.Matrix[float64] {
	x := dense.NewMatrix[float64](m.Cols, m.Rows)
	dense.Transpose(m, x, nil)
	return x
}

// cutUp returns consecutive matrices of the given shapes over one slice.
func cutUp[T dense.Float](data []T, shapes ...[2]int) (m []dense.Matrix[T]) {
	for _, s := range shapes {
		n := s[0] * s[1]
		m = append(m, dense.MatrixOf(s[0], s[1], data[:n]))
		data = data[n:]
	}
	return m
}

// rejected requires that err is a *NonFiniteError just if the input was not finite, and
// returns whether it was not.
func rejected(t *testing.T, finite bool, err error) bool {
	t.Helper()
	var e *dense.NonFiniteError
	if finite && err != nil || !finite && !errors.As(err, &e) {
		t.Fatalf("input finite: %v, error: %v", finite, err)
	}
	return !finite
}

func svd[T dense.Float](t *testing.T, r *reader) {
	m, n := r.dim(90), r.dim(90)
	k := min(m, n)
	a := general[T](r, m, n)
	a0 := clone(a)
	var err error
	shapes := [][2]int{{m, k}, {k, n}, {1, k}, {1, k}}
	got := everywhere(t, dense.NewMatrix[T](1, m*k+k*n+2*k), func(c dense.Matrix[T], o *dense.Opts[T]) {
		x := cutUp(c.Data, shapes...)
		err = dense.SVD(a, x[0], x[2].Data, x[1], o)
		_ = dense.SingularValues(a, x[3].Data, o)
	})
	untouched(t, "a", a, a0, nil)
	ok, shift := finite(a)
	if rejected(t, ok, err) || k == 0 {
		return
	}
	x := cutUp(got.Data, shapes...)
	s := x[2].Data
	if at := differ(s, x[3].Data); at >= 0 {
		t.Fatalf("value %d is %v, without vectors %v", at, s[at], x[3].Data[at])
	}
	for i, v := range s {
		if !(v >= 0) || i > 0 && v > s[i-1] {
			t.Fatalf("value %d is %v after %v", i, v, s[max(0, i-1)])
		}
	}
	u, vt := ordinary(x[0], 0), ordinary(x[1], 0)
	bounded[T](t, "UᵀU", identity(k), flippedOf(u), u, 0)
	bounded[T](t, "VᵀV", identity(k), vt, flippedOf(vt), 0)
	if math.IsInf(float64(s[0]), 1) {
		return
	}
	for i := range m {
		for j, v := range s {
			u.Data[i*u.Stride+j] *= math.Ldexp(float64(v), shift)
		}
	}
	bounded[T](t, "U·S·Vᵀ", ordinary(a, shift), u, vt, shift)
}

func polar[T dense.Float](t *testing.T, r *reader) {
	n := r.dim(60)
	m := n + r.dim(40)
	a := general[T](r, m, n)
	a0 := clone(a)
	var err, err2 error
	var cert dense.PolarCertificate
	p := dense.PolarExpress(1e-3, 5, 8)
	shapes := [][2]int{{m, n}, {n, n}, {m, n}}
	got := everywhere(t, dense.NewMatrix[T](1, 2*m*n+n*n), func(c dense.Matrix[T], o *dense.Opts[T]) {
		x := cutUp(c.Data, shapes...)
		cert, err = dense.Polar(a, x[0], x[1], o)
		_, err2 = dense.Orthogonalize(a, x[2], p, o)
	})
	untouched(t, "a", a, a0, nil)
	ok, shift := finite(a)
	if n == 0 || rejected(t, ok, err) || rejected(t, ok, err2) {
		return
	}
	x := cutUp(got.Data, shapes...)
	u, h := ordinary(x[0], 0), ordinary(x[1], shift)
	if !(cert.Defect <= 10*float64(m)*float64(n)*hard.Epsilon[T]()) || cert.Iterations > 6 {
		t.Fatalf("%+v", cert)
	}
	bounded[T](t, "UᵀU", identity(n), flippedOf(u), u, 0)
	if whole, _ := finite(x[1]); whole {
		bounded[T](t, "U·H", ordinary(a, shift), u, h, shift)
	}
	if q := float64(dense.NormMax(x[2], nil)); !(q <= 1.01) {
		t.Fatalf("an element of an orthogonalised matrix is %v", q)
	}
}

func normBounds[T dense.Float](t *testing.T, r *reader) {
	m, n := r.dim(90), r.dim(90)
	a := general[T](r, m, n)
	squarings := int(r.byte() % 7)
	var err error
	got := everywhere(t, dense.NewMatrix[T](1, 4), func(c dense.Matrix[T], o *dense.Opts[T]) {
		s, e := dense.SpectralBounds(a, squarings, o)
		k, _ := dense.NuclearBounds(a, squarings, o)
		copy(c.Data, []T{s.Lower, s.Upper, k.Lower, k.Upper})
		err = e
	})
	ok, shift := finite(a)
	if m*n == 0 || rejected(t, ok, err) {
		return
	}
	values := make([]float64, min(m, n))
	if err := dense.SingularValues(ordinary(a, shift), values, nil); err != nil {
		t.Fatal(err)
	}
	own := 10 * float64(len(values)) * 0x1p-52 // relative error of the norms themselves
	for i, norm := range []float64{values[0], dense.Sum(values, nil)} {
		lo, hi := math.Ldexp(float64(got.Data[2*i]), shift), math.Ldexp(float64(got.Data[2*i+1]), shift)
		if !(lo <= norm*(1+own) && norm*(1-own) <= hi) {
			t.Fatalf("norm %d is %g, bounds %g and %g", i, norm, lo, hi)
		}
	}
}
