package fuzz

import (
	"errors"
	"math"
	"testing"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/hard"
	"gonum.org/v1/gonum/blas"
)

func FuzzEigenSym(f *testing.F)        { attack(f, eigenSym[float32], eigenSym[float64]) }
func FuzzEigenSymRefresh(f *testing.F) { attack(f, eigenRefresh[float32], eigenRefresh[float64]) }

// symmetric returns a matrix of which the triangle uplo counts: of a class that is
// hard, with rows and columns multiplied by powers of two, or of any values at all.
func symmetric[T dense.Float](r *reader, n int) dense.Matrix[T] {
	a := matrix[T](r, n, n)
	kind := int(r.byte())
	if kind%4 == 3 {
		return a
	}
	classes := hard.Classes()
	h := hard.Symmetric[T](classes[kind/4%len(classes)], n)
	scale := make([]int, n)
	if kind%4 == 2 && n > 0 {
		for range 5 {
			scale[r.rng.IntN(n)] = r.rng.IntN(100) - 50
		}
	}
	for i := range n {
		for j := range n {
			a.Data[i*a.Stride+j] = T(math.Ldexp(float64(h.Data[i*n+j]), scale[i]+scale[j]))
		}
	}
	return a
}

// full returns the symmetric matrix in float64, scaled to elements of at most 1, and the
// power of two that was taken out. It is nil if an element is not finite.
func full[T dense.Float](uplo blas.Uplo, a dense.Matrix[T]) (s *dense.Matrix[float64], exponent int) {
	n := a.Rows
	largest := 0.
	for i := range n {
		for j := range n {
			if within(uplo, i, j) {
				v := math.Abs(float64(a.At(i, j)))
				if !(v <= math.MaxFloat64) {
					return nil, 0
				}
				largest = max(largest, v)
			}
		}
	}
	_, exponent = math.Frexp(largest)
	w := dense.NewMatrix[float64](n, n)
	for i := range n {
		for j := range n {
			if within(uplo, i, j) {
				v := math.Ldexp(float64(a.At(i, j)), -exponent)
				w.Set(i, j, v)
				w.Set(j, i, v)
			}
		}
	}
	return &w, exponent
}

// decomposed fails unless the columns of v are orthonormal and a·v = v·Λ.
func decomposed[T dense.Float](t *testing.T, a dense.Matrix[float64], exponent int, values []T, v dense.Matrix[T]) {
	t.Helper()
	n, k := a.Rows, v.Cols
	eps, least, most := limits[T]()
	norm := dense.NormFrobenius(a, nil)
	if math.Ldexp(norm, exponent) > most/4 || k == 0 {
		return
	}
	w, av, g := dense.NewMatrix[float64](n, k), dense.NewMatrix[float64](n, k), dense.NewMatrix[float64](k, k)
	for i := range n {
		for j := range k {
			w.Set(i, j, float64(v.At(i, j)))
			av.Set(i, j, float64(v.At(i, j))*math.Ldexp(float64(values[j]), -exponent))
		}
	}
	dense.Gemm(blas.NoTrans, blas.NoTrans, 1, a, w, -1, av, nil)
	floor := math.Ldexp(least, -exponent) // values are rounded to multiples of it
	if r := dense.NormFrobenius(av, nil); !(r <= 20*float64(n)*(eps*norm+floor)) {
		t.Fatalf("‖AV − VΛ‖ is %g, %.3g times n·ε·‖A‖", r, r/(float64(n)*eps*norm))
	}
	for i := range k {
		g.Set(i, i, -1)
	}
	dense.Gemm(blas.Trans, blas.NoTrans, 1, w, w, 1, g, nil)
	if r := dense.NormFrobenius(g, nil); !(r <= 20*float64(n)*eps) {
		t.Fatalf("‖VᵀV − I‖ is %g, %.3g times n·ε", r, r/(float64(n)*eps))
	}
}

func eigenSym[T dense.Float](t *testing.T, r *reader) {
	uplo, n := r.uplo(), r.dim(120)
	lo := int(r.byte()) % (n + 1)
	hi := lo + int(r.byte())%(n+1-lo)
	if r.bool() {
		lo, hi = 0, n
	}
	a := symmetric[T](r, n)
	a0 := clone(a)
	s, exponent := full(uplo, a)
	k := hi - lo
	out := matrix[T](r, n+2, max(1, n)) // values, values alone, vectors
	got := everywhere(t, out, func(c dense.Matrix[T], o *dense.Opts[T]) {
		err := dense.EigenSymRange(uplo, a, lo, hi, c.Row(0)[:k], c.View(2, 0, n, k), o)
		alone := dense.EigenSymValues(uplo, a, c.Row(1)[:n], o)
		var nonFinite *dense.NonFiniteError
		if bad := s == nil; errors.As(err, &nonFinite) != bad || errors.As(alone, &nonFinite) != bad || !bad && (err != nil || alone != nil) {
			t.Fatalf("n %d: errors %v and %v, finite: %v", n, err, alone, !bad)
		}
	})
	untouched(t, "a", a, a0, nil)
	untouched(t, "the output", got, out, func(i, j int) bool {
		return s != nil && (i == 0 && j < k || i == 1 && j < n || i >= 2 && j < k)
	})
	if s == nil {
		return
	}
	values := got.Row(0)[:k]
	for i := 1; i < k; i++ {
		if values[i] < values[i-1] {
			t.Fatalf("eigenvalue %d is %v, after %v", i, values[i], values[i-1])
		}
	}
	decomposed(t, *s, exponent, values, got.View(2, 0, n, k))
	eps, least, most := limits[T]()
	norm := dense.NormFrobenius(*s, nil)
	for i := range k {
		if d := math.Ldexp(float64(got.At(1, lo+i))-float64(values[i]), -exponent); math.Ldexp(norm, exponent) <= most/4 &&
			!(math.Abs(d) <= 20*float64(n)*eps*norm+math.Ldexp(least, -exponent)) {
			t.Fatalf("n %d: eigenvalue %d is %v with vectors and %v alone", n, lo+i, values[i], got.At(1, lo+i))
		}
	}
}

func eigenRefresh[T dense.Float](t *testing.T, r *reader) {
	uplo, n := r.uplo(), r.dim(100)
	a := symmetric[T](r, n)
	basis, turn := dense.NewMatrix[T](n, n), r.rng.Float64()/10
	values := make([]T, n)
	s, exponent := full(uplo, a)
	if s == nil || dense.EigenSym(uplo, a, values, basis, nil) != nil {
		return
	}
	sin, cos := math.Sincos(turn)
	for i := range n { // an orthonormal basis that is not quite the right one
		for range 2 {
			for j := 0; j+1 < n; j++ {
				x, y := basis.At(i, j), basis.At(i, j+1)
				basis.Set(i, j, T(cos*float64(x)+sin*float64(y)))
				basis.Set(i, j+1, T(cos*float64(y)-sin*float64(x)))
			}
		}
	}
	refine := r.bool()
	out := matrix[T](r, n+2, max(1, n))
	out.View(2, 0, n, n).Copy(basis)
	var failed error
	got := everywhere(t, out, func(c dense.Matrix[T], o *dense.Opts[T]) {
		v := c.View(2, 0, n, n)
		if refine {
			failed = dense.EigenSymRefine(uplo, a, c.Row(0)[:n], v, o)
			return
		}
		var off T
		if off, failed = dense.EigenSymRefresh(uplo, a, c.Row(0)[:n], v, o); failed != nil {
			t.Fatal(failed)
		}
		c.Set(1, 0, off)
	})
	v := got.View(2, 0, n, n)
	var noConvergence *dense.NoConvergenceError
	switch {
	case failed != nil && !errors.As(failed, &noConvergence):
		t.Fatal(failed)
	case failed == nil && refine:
		decomposed(t, *s, exponent, got.Row(0)[:n], v)
	default: // orthonormal, whatever else
		decomposed(t, dense.NewMatrix[float64](n, n), 0, make([]T, n), v)
	}
}
