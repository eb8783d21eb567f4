package fuzz

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/blas"
)

func FuzzCholesky(f *testing.F)        { attack(f, cholesky[float32], cholesky[float64]) }
func FuzzCholeskyBatch(f *testing.F)   { attack(f, choleskyBatch[float32], choleskyBatch[float64]) }
func FuzzCholeskyPivoted(f *testing.F) { attack(f, choleskyPivoted[float32], choleskyPivoted[float64]) }
func FuzzCholeskyUpdate(f *testing.F)  { attack(f, choleskyUpdate[float32], choleskyUpdate[float64]) }
func FuzzLU(f *testing.F)              { attack(f, lu[float32], lu[float64]) }
func FuzzLDL(f *testing.F)             { attack(f, ldl[float32], ldl[float64]) }

// heavy adds to the diagonal of a, so that it is often definite.
func heavy[T dense.Float](r *reader, a dense.Matrix[T]) {
	s := float64(r.byte()%8) * float64(a.Rows) / 4
	for i := range a.Rows {
		at := &a.Data[i*a.Stride+i]
		*at = T(math.Abs(float64(*at)) * (1 + s))
	}
}

// wideTriangle returns the factor that has its elements where factor says, in float64.
func wideTriangle[T dense.Float](a dense.Matrix[T], factor func(i, j int) bool) dense.Matrix[float64] {
	w := dense.NewMatrix[float64](a.Rows, a.Cols)
	for i := range a.Rows {
		for j := range a.Cols {
			if factor(i, j) {
				w.Set(i, j, float64(a.At(i, j)))
			}
		}
	}
	return w
}

// multiplied fails unless each element of l·r is within c·ε·|l|·|r| of that of a where
// wanted, and what underflow may cost besides. Where the bound is not finite it says
// nothing.
func multiplied[T dense.Float](t *testing.T, c float64, a func(i, j int) float64, l, r dense.Matrix[float64], wanted func(i, j int) bool) {
	t.Helper()
	eps, least, _ := limits[T]()
	magnitudes := func(x dense.Matrix[float64]) (y dense.Matrix[float64], largest float64) {
		y = x.Clone()
		for i, v := range y.Data {
			y.Data[i] = math.Abs(v)
			largest = max(largest, y.Data[i])
		}
		return y, largest
	}
	al, xl := magnitudes(l)
	ar, xr := magnitudes(r)
	p, bound := dense.NewMatrix[float64](l.Rows, r.Cols), dense.NewMatrix[float64](l.Rows, r.Cols)
	dense.Gemm(blas.NoTrans, blas.NoTrans, 1, l, r, 0, p, nil)
	dense.Gemm(blas.NoTrans, blas.NoTrans, 1, al, ar, 0, bound, nil)
	slack := 4 * float64(l.Cols+1) * least * (1 + xl + xr)
	for i := range p.Rows {
		for j := range p.Cols {
			b := c*eps*bound.At(i, j) + slack
			if !wanted(i, j) || !(b <= math.MaxFloat64) {
				continue
			}
			if d := math.Abs(p.At(i, j) - a(i, j)); !(d <= b) {
				t.Fatalf("element (%d, %d): %g, want %g ± %g", i, j, p.At(i, j), a(i, j), b)
			}
		}
	}
}

// transpose returns the transpose of m.
func transpose(m dense.Matrix[float64]) dense.Matrix[float64] {
	w := dense.NewMatrix[float64](m.Cols, m.Rows)
	dense.Transpose(m, w, nil)
	return w
}

// definite checks the factor f of a; its first rank columns are valid.
func definite[T dense.Float](t *testing.T, uplo blas.Uplo, a func(i, j int) float64, f dense.Matrix[T], rank int) {
	t.Helper()
	l := wideTriangle(f, func(i, j int) bool { return within(uplo, i, j) && min(i, j) < rank })
	if uplo == blas.Upper {
		l = transpose(l)
	}
	multiplied[T](t, 4*float64(f.Rows+3), a, l, transpose(l), func(i, j int) bool { return within(uplo, i, j) && min(i, j) < rank })
}

func cholesky[T dense.Float](t *testing.T, r *reader) {
	n, uplo := r.dim(300), r.uplo()
	a := symmetric[T](r, n)
	heavy(r, a)
	rank := n
	f := everywhere(t, a, func(c dense.Matrix[T], o *dense.Opts[T]) {
		var e *dense.NotPositiveDefiniteError
		if err := dense.Cholesky(uplo, c, o); errors.As(err, &e) {
			rank = e.Pivot
		} else if err != nil {
			t.Fatal(err)
		}
	})
	inside := func(i, j int) bool { return within(uplo, i, j) }
	untouched(t, "the other triangle", f, a, inside)
	definite(t, uplo, func(i, j int) float64 { return float64(a.At(i, j)) }, f, rank)
	if rank < n {
		return
	}
	b := matrix[T](r, n, r.dim(20))
	everywhere(t, b, func(c dense.Matrix[T], o *dense.Opts[T]) { dense.CholeskySolve(uplo, f, c, o) })
	x := everywhere(t, a, func(c dense.Matrix[T], o *dense.Opts[T]) {
		if err := dense.SPDInverse(uplo, c, o); err != nil {
			t.Fatal(err)
		}
	})
	untouched(t, "the other triangle", x, a, inside)
	if c := dense.CholeskyCondition(uplo, f, dense.Norm1Symmetric(uplo, a, nil), nil); !(c >= 0 && c < 1.1) {
		t.Fatalf("condition %v", c)
	}
}

func choleskyBatch[T dense.Float](t *testing.T, r *reader) {
	uplo, n := r.uplo(), r.dim(50)
	count := 1 + int(r.byte())%40
	joined := symmetric[T](r, n*count)
	if n == 0 || n*count > 400 {
		return
	}
	heavy(r, joined)
	blocks := func(m dense.Matrix[T]) (b []dense.Matrix[T]) {
		for i := range count {
			b = append(b, m.View(i*n, i*n, n, n))
		}
		return b
	}
	f := everywhere(t, joined, func(c dense.Matrix[T], o *dense.Opts[T]) { _ = dense.CholeskyBatch(uplo, blocks(c), nil, nil, o) })
	for _, b := range blocks(joined) {
		_ = dense.Cholesky(uplo, b, nil)
	}
	for i, v := range f.Data {
		if !same(v, joined.Data[i]) {
			t.Fatalf("order %d: %s is %v in a batch, %v alone", n, place(f, i), v, joined.Data[i])
		}
	}
}

func choleskyPivoted[T dense.Float](t *testing.T, r *reader) {
	n, uplo := r.dim(200), r.uplo()
	a := symmetric[T](r, n)
	heavy(r, a)
	pivots, rank := make([]int, n), 0
	f := everywhere(t, a, func(c dense.Matrix[T], o *dense.Opts[T]) {
		var e *dense.NonFiniteError
		var err error
		if rank, err = dense.CholeskyPivoted(uplo, c, pivots, -1, o); err != nil && !errors.As(err, &e) {
			t.Fatal(err)
		}
	})
	untouched(t, "the other triangle", f, a, func(i, j int) bool { return within(uplo, i, j) })
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	for i, p := range pivots {
		order[i], order[p] = order[p], order[i]
	}
	definite(t, uplo, func(i, j int) float64 {
		i, j = order[i], order[j]
		if !within(uplo, i, j) {
			i, j = j, i
		}
		return float64(a.At(i, j))
	}, f, rank)
}

func choleskyUpdate[T dense.Float](t *testing.T, r *reader) {
	n, uplo := r.dim(150), r.uplo()
	a := symmetric[T](r, n)
	heavy(r, a)
	x := matrix[T](r, n, r.dim(8))
	if dense.Cholesky(uplo, a, nil) != nil {
		return
	}
	f := everywhere(t, a, func(c dense.Matrix[T], o *dense.Opts[T]) { dense.CholeskyUpdate(uplo, c, x, o) })
	untouched(t, "the other triangle", f, a, func(i, j int) bool { return within(uplo, i, j) })
	everywhere(t, f, func(c dense.Matrix[T], o *dense.Opts[T]) {
		before := c
		before.Data = slices.Clone(c.Data)
		var e *dense.NotPositiveDefiniteError
		err := dense.CholeskyDowndate(uplo, c, x, o)
		if err != nil && (!errors.As(err, &e) || e.Pivot >= x.Cols) {
			t.Fatal(err)
		}
		if err != nil && e.Pivot == 0 {
			untouched(t, "factor", c, before, nil)
		}
	})
}

func lu[T dense.Float](t *testing.T, r *reader) {
	m := r.dim(300)
	n := r.dim(most / max(1, m*m))
	a := general[T](r, m, n)
	k := min(m, n)
	pivots := make([]int, k)
	f := everywhere(t, a, func(c dense.Matrix[T], o *dense.Opts[T]) {
		var e *dense.SingularError
		if err := dense.LU(c, pivots, o); err != nil && !errors.As(err, &e) {
			t.Fatal(err)
		}
	})
	untouched(t, "padding", f, a, func(i, j int) bool { return true })
	order := make([]int, m)
	for i := range order {
		order[i] = i
	}
	for i, p := range pivots {
		order[i], order[p] = order[p], order[i]
	}
	l := wideTriangle(f.View(0, 0, m, k), func(i, j int) bool { return i > j })
	for i := range k {
		l.Set(i, i, 1)
	}
	u := wideTriangle(f.View(0, 0, k, n), func(i, j int) bool { return i <= j })
	multiplied[T](t, 4*float64(k+3), func(i, j int) float64 { return float64(a.At(order[i], j)) }, l, u, func(i, j int) bool { return true })
	if m != n {
		return
	}
	b, trans := matrix[T](r, n, r.dim(20)), r.trans()
	everywhere(t, b, func(c dense.Matrix[T], o *dense.Opts[T]) { dense.LUSolve(trans, f, pivots, c, o) })
	everywhere(t, f, func(c dense.Matrix[T], o *dense.Opts[T]) { _ = dense.LUInverse(c, pivots, o) })
	if c := dense.LUCondition(f, pivots, dense.Norm1(a, nil), nil); !(c >= 0) {
		t.Fatalf("condition %v", c)
	}
}

func ldl[T dense.Float](t *testing.T, r *reader) {
	n, uplo := r.dim(200), r.uplo()
	a := symmetric[T](r, n)
	e, pivots := make([]T, n), make([]int, n)
	f := everywhere(t, a, func(c dense.Matrix[T], o *dense.Opts[T]) {
		var s *dense.SingularError
		if err := dense.LDL(uplo, c, e, pivots, o); err != nil && !errors.As(err, &s) {
			t.Fatal(err)
		}
	})
	untouched(t, "the other triangle", f, a, func(i, j int) bool { return within(uplo, i, j) })
	if p, m, z := dense.LDLInertia(f, e); p+m+z != n {
		t.Fatalf("inertia %d, %d, %d of order %d", p, m, z, n)
	}
	b := matrix[T](r, n, r.dim(20))
	everywhere(t, b, func(c dense.Matrix[T], o *dense.Opts[T]) { dense.LDLSolve(uplo, f, e, pivots, c, o) })
	if c := dense.LDLCondition(uplo, f, e, pivots, dense.Norm1Symmetric(uplo, a, nil), nil); !(c >= 0) {
		t.Fatalf("condition %v", c)
	}
	s, exponent := full(uplo, a)
	if s == nil {
		return
	}
	// P·A·Pᵀ and L·D·Lᵀ, both scaled.
	l := wideTriangle(f, func(i, j int) bool { return i != j && within(uplo, i, j) })
	if uplo == blas.Upper {
		l = transpose(l)
	}
	d := dense.NewMatrix[float64](n, n)
	for i := range n {
		l.Set(i, i, 1)
		d.Set(i, i, math.Ldexp(float64(f.At(i, i)), -exponent))
		if e[i] != 0 && i+1 < n {
			v := math.Ldexp(float64(e[i]), -exponent)
			d.Set(i, i+1, v)
			d.Set(i+1, i, v)
		}
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	for i, p := range pivots {
		order[i], order[p] = order[p], order[i]
	}
	ld := dense.NewMatrix[float64](n, n)
	dense.Gemm(blas.NoTrans, blas.NoTrans, 1, l, d, 0, ld, nil)
	p := dense.NewMatrix[float64](n, n)
	for i := range n {
		for j := range n {
			p.Set(i, j, s.At(order[i], order[j]))
		}
	}
	norm := dense.NormFrobenius(p, nil)
	growth := dense.NormFrobenius(ld, nil) * dense.NormFrobenius(l, nil)
	dense.Gemm(blas.NoTrans, blas.Trans, -1, ld, l, 1, p, nil)
	eps, least, _ := limits[T]()
	bound := 10*float64(n+3)*eps*(norm+growth) + float64(n*n)*math.Ldexp(least, -exponent)*(1+dense.NormFrobenius(l, nil))
	if x := dense.NormFrobenius(p, nil); bound <= math.MaxFloat64 && !(x <= bound) {
		t.Fatalf("order %d: ‖A − LDLᵀ‖ = %g, bound %g", n, x, bound)
	}
}
