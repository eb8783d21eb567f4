package kron

import (
	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/space"
)

// Trace returns the trace of F₁⊗…⊗F_k, the product of the factors' traces, in float64.
// It is 1 without factors.
func Trace[T dense.Float](factors []dense.Matrix[T]) float64 {
	square("Trace", factors)
	product := 1.
	for _, f := range factors {
		sum := 0.
		for i := range f.Rows {
			sum += float64(f.Data[i*f.Stride+i])
		}
		product = float64(product * sum)
	}
	return product
}

// Inner returns the Frobenius inner product ⟨X₁⊗…⊗X_k, Y₁⊗…⊗Y_k⟩ = Π ⟨X_i, Y_i⟩, and with
// x for y the square of the Frobenius norm. x[i] and y[i] have the same shape.
//
// Accuracy: each ⟨X_i, Y_i⟩ is a sum of dense.Dot over the rows, in float64.
func Inner[T dense.Float](x, y []dense.Matrix[T]) float64 {
	const op = "Inner"
	if len(x) != len(y) {
		misuse(op, "%d factors and %d", len(x), len(y))
	}
	product := 1.
	for i, f := range x {
		g := y[i]
		if f.Rows != g.Rows || f.Cols != g.Cols {
			misuse(op, "factor %d is %s in x, %s in y", i, shape(f), shape(g))
		}
		product = float64(product * inner(&f, &g))
	}
	return product
}

// inner returns ⟨X, Y⟩ of two matrices of one shape.
func inner[T dense.Float](x, y *dense.Matrix[T]) float64 {
	sum := 0.
	for i := range x.Rows {
		sum += float64(dense.Dot(x.Row(i), y.Row(i), nil))
	}
	return sum
}

// CholeskyLogDet returns the natural logarithm of the determinant of F₁⊗…⊗F_k, which is
// Σ (N/n_i)·log det F_i with n_i the orders and N their product. The factors hold, in either
// triangle, what dense.Cholesky made of them.
func CholeskyLogDet[T dense.Float](factors []dense.Matrix[T]) float64 {
	n := square("CholeskyLogDet", factors)
	sum := 0.
	for _, f := range factors {
		if f.Rows > 0 {
			sum += float64(float64(n/f.Rows) * dense.CholeskyLogDet(f))
		}
	}
	return sum
}

// LogDet returns the natural logarithm of |det(F₁⊗…⊗F_k)|, −Inf if that is zero, and its
// sign: 1, −1 or 0. The factors are only read.
//
// Cost: an LU factorisation of each factor. Workspace: pooled, the largest factor and its
// pivots, which are allocated.
func LogDet[T dense.Float](factors []dense.Matrix[T], o *dense.Opts[T]) (log, sign float64) {
	const op = "LogDet"
	n := square(op, factors)
	sign = 1
	if n == 0 {
		return 0, 1
	}
	for _, f := range factors {
		withLU(op, f, o, func(lu dense.Matrix[T], pivots []int) {
			l, s := dense.LULogDet(lu, pivots)
			times := n / f.Rows
			log += float64(float64(times) * l)
			if times%2 == 0 {
				s = float64(s * s)
			}
			sign = float64(sign * s)
		})
	}
	return log, sign
}

// Det returns the determinant of F₁⊗…⊗F_k, the product of those of the factors, each to the
// power N/n_i, with n_i the orders and N their product. It may overflow or underflow where a
// power does; LogDet does not.
//
// Cost and workspace: those of LogDet.
func Det[T dense.Float](factors []dense.Matrix[T], o *dense.Opts[T]) float64 {
	const op = "Det"
	n := square(op, factors)
	det := 1.
	if n == 0 {
		return det
	}
	for _, f := range factors {
		withLU(op, f, o, func(lu dense.Matrix[T], pivots []int) {
			p := dense.LUDet(lu, pivots)
			for times := n / f.Rows; times > 0; times /= 2 {
				if times%2 == 1 {
					det = float64(det * p)
				}
				p = float64(p * p)
			}
		})
	}
	return det
}

// withLU calls use with the LU factorisation of f, which may be singular.
func withLU[T dense.Float](op string, f dense.Matrix[T], o *dense.Opts[T], use func(lu dense.Matrix[T], pivots []int)) {
	var count arena[T]
	count.matrix(f.Rows, f.Rows)
	w, buf := scratch[T](nil, op, count.Used())
	defer space.Put(buf)
	lu := w.matrix(f.Rows, f.Rows)
	lu.Copy(f)
	pivots := make([]int, f.Rows)
	_ = dense.LU(lu, pivots, &dense.Opts[T]{Threads: threads(o)}) // complete all the same
	use(lu, pivots)
}

// square returns the product of the orders; it panics if a factor is not square.
func square[T dense.Float](op string, factors []dense.Matrix[T]) int {
	n := 1
	for i, f := range factors {
		if f.Rows != f.Cols {
			misuse(op, "factor %d is %s", i, shape(f))
		}
		n *= f.Rows
	}
	return n
}
