package fuzz

import (
	"math"
	"slices"
	"testing"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/hard"
	"gonum.org/v1/gonum/blas"
)

func FuzzQR(f *testing.F)           { attack(f, qr[float32], qr[float64]) }
func FuzzQRThin(f *testing.F)       { attack(f, qrThin[float32], qrThin[float64]) }
func FuzzQRPivoted(f *testing.F)    { attack(f, qrPivoted[float32], qrPivoted[float64]) }
func FuzzQRRandomized(f *testing.F) { attack(f, qrRandomized[float32], qrRandomized[float64]) }

// general returns a matrix to be factored: of a class that is hard, with columns
// and rows multiplied by powers of two, or of any values at all.
func general[T dense.Float](r *reader, m, n int) dense.Matrix[T] {
	a := matrix[T](r, m, n)
	kind := int(r.byte())
	if kind%4 == 3 {
		return a
	}
	classes := hard.Classes()
	h := hard.General[T](classes[kind/4%len(classes)], m, n)
	for i := range m {
		copy(a.Data[i*a.Stride:], h.Data[i*n:(i+1)*n])
	}
	if kind%4 == 2 {
		for range 5 {
			i, e := r.rng.IntN(max(1, m+n)), r.rng.IntN(200)-100
			for j := range max(m, n) {
				switch {
				case i < m && j < n:
					a.Data[i*a.Stride+j] = T(math.Ldexp(float64(a.Data[i*a.Stride+j]), e))
				case i >= m && i < m+n && j < m:
					a.Data[j*a.Stride+i-m] = T(math.Ldexp(float64(a.Data[j*a.Stride+i-m]), e))
				}
			}
		}
	}
	return a
}

// regular returns whether all elements of a are finite and the norms of its columns
// far enough from overflow.
func regular[T dense.Float](a dense.Matrix[T]) bool {
	_, _, most := limits[T]()
	norm := 0.
	for i := range a.Rows {
		for _, v := range a.Row(i) {
			x := float64(v) / most
			norm += x * x
		}
	}
	return norm < 1./16
}

// factored fails unless the columns of q are orthonormal and q·r is a, or Inf or NaN were in
// a.
func factored[T dense.Float](t *testing.T, a, q, r dense.Matrix[T]) {
	t.Helper()
	m, n, k := a.Rows, a.Cols, q.Cols
	if !regular(a) || k == 0 {
		return
	}
	eps, least, _ := limits[T]()
	norm, largest := 0., 0.
	for i := range m {
		for _, v := range a.Row(i) {
			largest = max(largest, math.Abs(float64(v)))
		}
	}
	if largest == 0 {
		largest = 1
	}
	_, e := math.Frexp(largest)
	wide := func(x dense.Matrix[T], e int) dense.Matrix[float64] {
		w := dense.NewMatrix[float64](x.Rows, x.Cols)
		for i := range x.Rows {
			for j, v := range x.Row(i) {
				w.Set(i, j, math.Ldexp(float64(v), -e))
			}
		}
		return w
	}
	wa, wq, wr := wide(a, e), wide(q, 0), wide(r, e)
	norm = dense.NormFrobenius(wa, nil)
	dense.Gemm(blas.NoTrans, blas.NoTrans, -1, wq, wr, 1, wa, nil)
	bound := 10 * math.Sqrt(float64(m*n)) * (eps*norm + math.Ldexp(least, -e)*float64(n))
	if x := dense.NormFrobenius(wa, nil); !(x <= bound) {
		t.Fatalf("%dx%d: ‖A − QR‖ = %g, bound %g", m, n, x, bound)
	}
	g := dense.NewMatrix[float64](k, k)
	for i := range k {
		g.Set(i, i, -1)
	}
	dense.Gemm(blas.Trans, blas.NoTrans, 1, wq, wq, 1, g, nil)
	if x := dense.Norm1(g, nil); !(x <= 20*float64(m)*eps) {
		t.Fatalf("%dx%d: ‖QᵀQ − I‖ = %g", m, n, x)
	}
}

// trapezoid returns R of a factored matrix.
func trapezoid[T dense.Float](f dense.Matrix[T]) dense.Matrix[T] {
	r := dense.NewMatrix[T](min(f.Rows, f.Cols), f.Cols)
	for i := range r.Rows {
		copy(r.Row(i)[i:], f.Row(i)[i:])
	}
	return r
}

func qr[T dense.Float](t *testing.T, r *reader) {
	m := r.dim(300)
	n := r.dim(most / max(1, m*m))
	a := general[T](r, m, n)
	tau := make([]T, min(m, n))
	f := everywhere(t, a, func(c dense.Matrix[T], o *dense.Opts[T]) { dense.QR(c, tau, o) })
	untouched(t, "padding", f, a, func(i, j int) bool { return true })
	q := everywhere(t, matrix[T](r, m, len(tau)), func(c dense.Matrix[T], o *dense.Opts[T]) { dense.QRForm(f, tau, c, o) })
	factored(t, a, q, trapezoid(f))
}

func qrThin[T dense.Float](t *testing.T, r *reader) {
	n := r.dim(130)
	m := n + r.dim(most/max(1, n*n))
	if n > 0 && n < 20 && r.bool() {
		m *= 1 + int(r.byte())
	}
	a, x := general[T](r, m, n), matrix[T](r, n, n)
	q := everywhere(t, a, func(c dense.Matrix[T], o *dense.Opts[T]) { dense.QRThin(c, x, o) })
	untouched(t, "padding", q, a, func(i, j int) bool { return true })
	factored(t, a, q, x)
}

func pivoted[T dense.Float](t *testing.T, r *reader, f func(a dense.Matrix[T], tau []T, pivots []int, o *dense.Opts[T])) {
	m := r.dim(200)
	n := r.dim(most / max(1, m*m))
	a := general[T](r, m, n)
	tau, pivots := make([]T, min(m, n)), make([]int, n)
	var first []int
	x := everywhere(t, a, func(c dense.Matrix[T], o *dense.Opts[T]) {
		f(c, tau, pivots, o)
		if first == nil {
			first = slices.Clone(pivots)
		}
		if !slices.Equal(pivots, first) {
			t.Fatalf("pivots %v and %v", first, pivots)
		}
	})
	untouched(t, "padding", x, a, func(i, j int) bool { return true })
	p := dense.NewMatrix[T](m, n)
	seen := make([]bool, n)
	for j, from := range pivots {
		if seen[from] {
			t.Fatalf("column %d twice", from)
		}
		seen[from] = true
		for i := range m {
			p.Set(i, j, a.At(i, from))
		}
	}
	if rank := dense.QRRank(x, 0); rank < 0 || rank > len(tau) {
		t.Fatalf("rank %d of %dx%d", rank, m, n)
	}
	q := dense.NewMatrix[T](m, len(tau))
	dense.QRForm(x, tau, q, nil)
	factored(t, p, q, trapezoid(x))
}

func qrPivoted[T dense.Float](t *testing.T, r *reader) { pivoted(t, r, dense.QRPivoted[T]) }

func qrRandomized[T dense.Float](t *testing.T, r *reader) {
	seed := r.rng.Uint64()
	pivoted(t, r, func(a dense.Matrix[T], tau []T, pivots []int, o *dense.Opts[T]) {
		dense.QRRandomized(a, tau, pivots, seed, o)
	})
}
