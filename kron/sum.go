package kron

import (
	"math"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/space"
	"gonum.org/v1/gonum/blas"
)

// SumInverse is the inverse of A₁⊗B₁ + c·A₂⊗B₂ for symmetric matrices, the first two
// positive definite, by simultaneous diagonalisation: with K·Kᵀ = A₁⁻¹ and KᵀA₂K = S, and M
// and T likewise for B,
//
//	(A₁⊗B₁ + c·A₂⊗B₂)⁻¹ = (K⊗M)·(I + c·S⊗T)⁻¹·(K⊗M)ᵀ.
//
// With c = −1 it is what the block-tridiagonal approximation of K-FAC inverts.
// Solve may be called from several goroutines.
//
// Source: Martens and Grosse 2015, appendix B, with Cholesky factors of A₁ and B₁ in place
// of their square roots.
type SumInverse[T dense.Float] struct {
	vectors [2]dense.Matrix[T] // K and M
	values  [2][]T             // the diagonals of S and T
	scale   []T                // 1/(1 + c·s_i·t_j)
	least   T
}

// NewSumInverse returns a SumInverse for factors A of m×m and B of n×n. It has to be
// factored before it solves.
func NewSumInverse[T dense.Float](m, n int) *SumInverse[T] {
	size("NewSumInverse", []int{m, n})
	return &SumInverse[T]{
		vectors: [2]dense.Matrix[T]{dense.NewMatrix[T](m, m), dense.NewMatrix[T](n, n)},
		values:  [2][]T{make([]T, m), make([]T, n)},
		scale:   make([]T, m*n),
	}
}

// Least returns the least eigenvalue of I + c·S⊗T, and so of the sum relative to A₁⊗B₁. It is
// positive if and only if the sum is positive definite.
func (s *SumInverse[T]) Least() T { return s.least }

// Factor sets s to the inverse of A₁⊗B₁ + c·A₂⊗B₂. The matrices are given by their triangles
// uplo; they are only read. The sum need not be definite: see Least.
//
// Shapes: a1 and a2 are m×m, b1 and b2 n×n.
// Cost: about 7m³ + 7n³ flops. Workspace: FactorWork(threads).
// Errors: *dense.BlockError with block 0 for A and 1 for B, of a *dense.NotPositiveDefiniteError
// for A₁ or B₁ or a *dense.NonFiniteError for A₂ or B₂; *dense.SingularError with the index
// i·n + j of an element of I + c·S⊗T that is zero or not finite. s is of no use then.
// Accuracy: that of a Cholesky solution with A₁⊗B₁ and of the eigenvalues of S and T, which
// lose digits to the condition of A₁ and B₁.
func (s *SumInverse[T]) Factor(uplo blas.Uplo, c T, a1, b1, a2, b2 dense.Matrix[T], o *dense.Opts[T]) error {
	const op = "Factor"
	checkTriangle(op, uplo)
	m, n := len(s.values[0]), len(s.values[1])
	for i, f := range [4]dense.Matrix[T]{a1, a2, b1, b2} {
		if d := len(s.values[i/2]); f.Rows != d || f.Cols != d {
			misuse(op, "order %d and %d, a1 is %s, b1 is %s, a2 is %s, b2 is %s", m, n, shape(a1), shape(b1), shape(a2), shape(b2))
		}
	}
	t := threads(o)
	w, buf := scratch(o, op, s.factorRoom(t))
	defer space.Put(buf)
	if err := s.diagonalise(0, uplo, &a1, &a2, w, t); err != nil {
		return err
	}
	if err := s.diagonalise(1, uplo, &b1, &b2, w, t); err != nil {
		return err
	}
	s.least = T(math.Inf(1))
	for i, x := range s.values[0] {
		x = T(c * x)
		for j, y := range s.values[1] {
			d := 1 + T(x*y)
			if d == 0 || d-d != 0 {
				return &dense.SingularError{Pivot: i*n + j}
			}
			s.least = min(s.least, d)
			s.scale[i*n+j] = 1 / d
		}
	}
	return nil
}

// FactorWork returns the length of the workspace of Factor on the given number of threads.
func (s *SumInverse[T]) FactorWork(threads int) int { return room[T](s.factorRoom(threads)) }

func (s *SumInverse[T]) factorRoom(threads int) int {
	most := 0
	for _, v := range s.values {
		var w arena[T]
		n := len(v)
		w.matrix(n, n)
		w.matrix(n, n)
		w.Take(max(dense.CholeskyWork[T](n, threads), dense.EigenSymWork[T](n, threads),
			dense.TrsmWork[T](blas.Left, n, n, threads), dense.TrsmWork[T](blas.Right, n, n, threads)))
		most = max(most, w.Used())
	}
	return most
}

// diagonalise sets the vectors and values of factor i: KᵀFK = I and KᵀHK diagonal.
func (s *SumInverse[T]) diagonalise(i int, uplo blas.Uplo, f, h *dense.Matrix[T], w arena[T], threads int) error {
	n := f.Rows
	l, m := w.matrix(n, n), w.matrix(n, n)
	o := dense.Opts[T]{Threads: threads, Work: w.Rest()}
	Damp(uplo, 0, *f, l) // copies the triangle
	if err := dense.Cholesky(uplo, l, &o); err != nil {
		return &dense.BlockError{Block: i, Err: err}
	}
	Damp(uplo, 0, *h, m)
	dense.Mirror(uplo, m)
	first := blas.NoTrans // F = LLᵀ: M = L⁻¹·H·L⁻ᵀ
	if uplo == blas.Upper {
		first = blas.Trans // F = UᵀU: M = U⁻ᵀ·H·U⁻¹
	}
	dense.Trsm(blas.Left, uplo, first, blas.NonUnit, 1, l, m, &o)
	dense.Trsm(blas.Right, uplo, other(first), blas.NonUnit, 1, l, m, &o)
	if err := dense.EigenSym(uplo, m, s.values[i], s.vectors[i], &o); err != nil {
		return &dense.BlockError{Block: i, Err: err}
	}
	dense.Trsm(blas.Left, uplo, other(first), blas.NonUnit, 1, l, s.vectors[i], &o)
	return nil
}

// Solve sets Y to the solution of (A₁⊗B₁ + c·A₂⊗B₂)·vec(Y) = vec(X), which is that of
// A₁·Y·B₁ + c·A₂·Y·B₂ = X. y may be x.
//
// Shapes: x and y are m×n. Cost: 4mn(m + n) flops. Workspace: SolveWork(threads).
func (s *SumInverse[T]) Solve(x, y dense.Matrix[T], o *dense.Opts[T]) {
	const op = "Solve"
	m, n := len(s.values[0]), len(s.values[1])
	if x.Rows != m || x.Cols != n || y.Rows != m || y.Cols != n {
		misuse(op, "order %d and %d, x is %s, y is %s", m, n, shape(x), shape(y))
	}
	t := threads(o)
	w, buf := scratch(o, op, s.solveRoom(t))
	defer space.Put(buf)
	z := w.matrix(m, n)
	inner := dense.Opts[T]{Threads: t, Work: w.Rest()}
	Apply(blas.Trans, blas.Trans, 1, s.vectors[0], s.vectors[1], x, 0, z, &inner)
	dense.Hadamard(z, dense.MatrixOf(m, n, s.scale), z, &inner)
	Apply(blas.NoTrans, blas.NoTrans, 1, s.vectors[0], s.vectors[1], z, 0, y, &inner)
}

// SolveWork returns the length of the workspace of Solve on the given number of threads.
func (s *SumInverse[T]) SolveWork(threads int) int { return room[T](s.solveRoom(threads)) }

func (s *SumInverse[T]) solveRoom(threads int) int {
	var w arena[T]
	w.matrix(len(s.values[0]), len(s.values[1]))
	w.Take(max(ApplyWork(blas.Trans, blas.Trans, s.vectors[0], s.vectors[1], threads), ApplyWork(blas.NoTrans, blas.NoTrans, s.vectors[0], s.vectors[1], threads)))
	return w.Used()
}
