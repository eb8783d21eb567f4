package kron

import (
	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/space"
	"gonum.org/v1/gonum/blas"
)

// Eigen is the eigendecomposition of a Kronecker product of symmetric positive
// semidefinite matrices, F₁⊗…⊗F_k = V·Λ·Vᵀ with V = V₁⊗…⊗V_k and Λ = Λ₁⊗…⊗Λ_k. Its
// methods act on tensors of shape Shape() in row-major order: on a weight of rows×cols as
// on its gradient, with k = 2.
//
// The methods that do not change it may be called from several goroutines.
type Eigen[T dense.Float] struct {
	Vectors []dense.Matrix[T] // of each factor, in columns
	Values  [][]T             // of each factor, increasing
	shape   []int
}

// NewEigen returns an Eigen for factors of the given orders, which is that of identity
// matrices.
func NewEigen[T dense.Float](orders ...int) *Eigen[T] {
	const op = "NewEigen"
	size(op, orders)
	if len(orders) > maxOrder {
		misuse(op, "%d factors; at most %d", len(orders), maxOrder)
	}
	e := &Eigen[T]{shape: append([]int(nil), orders...)}
	for _, n := range orders {
		v := dense.NewMatrix[T](n, n)
		for i := range n {
			v.Data[i*v.Stride+i] = 1
		}
		e.Vectors = append(e.Vectors, v)
		e.Values = append(e.Values, unit(make([]T, n)))
	}
	return e
}

// Shape returns the orders of the factors. The caller must not change it.
func (e *Eigen[T]) Shape() []int { return e.shape }

// Len returns the order of the Kronecker product.
func (e *Eigen[T]) Len() int { return size("Eigen", e.shape) }

// Decompose sets e to the eigendecomposition of the factors, which are given by their
// triangles uplo.
//
// Cost: that of dense.EigenSym for each factor. Workspace: DecomposeWork(threads).
// Errors: *dense.BlockError with the index of the factor and what dense.EigenSym says of
// it. The eigenpairs of that factor hold nothing of use unless it was a NonFiniteError; those
// of the factors before it are new, those behind it as they were.
func (e *Eigen[T]) Decompose(uplo blas.Uplo, factors []dense.Matrix[T], o *dense.Opts[T]) error {
	const op = "Decompose"
	checkTriangle(op, uplo)
	if len(factors) != len(e.shape) {
		misuse(op, "%d factors for shape %v", len(factors), e.shape)
	}
	for i, f := range factors {
		if f.Rows != e.shape[i] || f.Cols != e.shape[i] {
			misuse(op, "factor %d is %s for shape %v", i, shape(f), e.shape)
		}
	}
	t := threads(o)
	w, buf := scratch(o, op, e.decomposeRoom(t))
	defer space.Put(buf)
	inner := dense.Opts[T]{Threads: t, Work: w.Rest()}
	for i, f := range factors {
		if err := dense.EigenSym(uplo, f, e.Values[i], e.Vectors[i], &inner); err != nil {
			return &dense.BlockError{Block: i, Err: err}
		}
	}
	return nil
}

// DecomposeWork returns the length of the workspace of Decompose on the given number of
// threads.
func (e *Eigen[T]) DecomposeWork(threads int) int { return room[T](e.decomposeRoom(threads)) }

func (e *Eigen[T]) decomposeRoom(threads int) int {
	n := 0
	for _, d := range e.shape {
		n = max(n, dense.EigenSymWork[T](d, threads))
	}
	return n
}

// Rotate turns a tensor into the eigenbasis, y = Vᵀ·x. y may be x.
//
// Cost, accuracy: see ApplyTensor. Workspace: RotateWork(threads).
func (e *Eigen[T]) Rotate(x, y []T, o *dense.Opts[T]) {
	ApplyTensor(blas.Trans, e.Vectors, e.shape, x, y, o)
}

// RotateBack turns a tensor back from the eigenbasis, y = V·x. y may be x.
//
// Cost, accuracy: see ApplyTensor. Workspace: RotateWork(threads).
func (e *Eigen[T]) RotateBack(x, y []T, o *dense.Opts[T]) {
	ApplyTensor(blas.NoTrans, e.Vectors, e.shape, x, y, o)
}

// RotateWork returns the length of the workspace of Rotate, RotateBack and Scale on the
// given number of threads.
func (e *Eigen[T]) RotateWork(threads int) int {
	return max(ApplyTensorWork[T](blas.Trans, e.Vectors, e.shape, threads), ApplyTensorWork[T](blas.NoTrans, e.Vectors, e.shape, threads))
}

// Scale multiplies with a matrix that is diagonal in the eigenbasis, y = V·(d∘(Vᵀ·x)): with
// a power of the spectrum (see Power) for d it is exact damping, with a function of second
// moments it is EKFAC. y may be x.
//
// Cost: twice that of Rotate. Workspace: RotateWork(threads).
func (e *Eigen[T]) Scale(d, x, y []T, o *dense.Opts[T]) {
	if n := e.Len(); len(d) != n || len(x) != n || len(y) != n {
		misuse("Scale", "d has %d elements, x %d, y %d for shape %v", len(d), len(x), len(y), e.shape)
	}
	e.Rotate(x, y, o)
	dense.MulTo(d, y, y, o)
	e.RotateBack(y, y, o)
}

// Power writes the diagonal of (Λ + damping·I)^p to d, a tensor of shape Shape(): with
// p = −1 that of the exactly damped inverse, with −1/2 that of its square root.
//
// The factors being semidefinite, eigenvalues below zero are rounding errors and count as
// zero. damping is absolute, in the unit of the eigenvalues of the Kronecker product.
//
// Errors: *dense.NonFiniteError if an eigenvalue of a factor is not finite;
// *dense.SingularError if p < 0 and an element of Λ + damping·I is zero, where Pivot is its
// index. d is of no use then.
// Accuracy: k + 2 roundings for p = ±1 and ±1/2, else some (1 + |p·log λ|)·ε₆₄ more.
func (e *Eigen[T]) Power(p, damping float64, d []T) error {
	const op = "Power"
	if len(d) != e.Len() {
		misuse(op, "d has %d elements for shape %v", len(d), e.shape)
	}
	if damping < 0 || damping-damping != 0 || p-p != 0 {
		misuse(op, "p is %g, damping is %g", p, damping)
	}
	if err := e.spectrum(d); err != nil {
		return err
	}
	for i, v := range d {
		d[i] = v + T(damping)
		if p < 0 && !(d[i] > 0) {
			return &dense.SingularError{Pivot: i}
		}
	}
	power(p, d)
	return nil
}

// spectrum writes the diagonal of Λ to d, with zero for what is below it.
func (e *Eigen[T]) spectrum(d []T) error {
	for i, values := range e.Values {
		if m := dense.MaxAbs(values, nil); m-m != 0 {
			return &dense.BlockError{Block: i, Err: &dense.NonFiniteError{Where: "an eigenvalue"}}
		}
	}
	// The elements so far are the products of the factors so far; each of them becomes the
	// beginning of as many as the next factor has eigenvalues, the last one first.
	if len(d) == 0 {
		return nil
	}
	d[0] = 1
	n := 1
	for _, values := range e.Values {
		for i := n - 1; i >= 0; i-- {
			f := d[i]
			for j, v := range values {
				d[i*len(values)+j] = T(f * max(v, 0))
			}
		}
		n *= len(values)
	}
	return nil
}

// LogDet returns the natural logarithm of the determinant of F₁⊗…⊗F_k + damping·I.
//
// Errors: those of Power with p = −1. Workspace: pooled, as many elements as Len.
// Accuracy: n·ε₆₄·Σ|log λ|, besides that of the eigenvalues and their sums in T.
func (e *Eigen[T]) LogDet(damping float64) (float64, error) {
	w, buf := scratch[T](nil, "LogDet", e.Len())
	defer space.Put(buf)
	d := w.Rest()
	if err := e.Power(1, damping, d); err != nil {
		return 0, err
	}
	for i, v := range d {
		if !(v > 0) {
			return 0, &dense.SingularError{Pivot: i}
		}
	}
	return sumLog(d), nil
}

// lump is the number of elements that logarithms are taken of at once.
const lump = 256

// sumLog returns the sum of the logarithms of x in float64.
func sumLog[T dense.Float](x []T) float64 {
	w, buf := scratch[float64](nil, "", lump)
	defer space.Put(buf)
	sum := 0.
	for len(x) > 0 {
		n := min(len(x), lump)
		l := w.Rest()[:n]
		for i, v := range x[:n] {
			l[i] = float64(v)
		}
		dense.Log(l, l, nil)
		sum += dense.Sum(l, nil)
		x = x[n:]
	}
	return sum
}

// power replaces the elements of x, none of which is negative, by their p-th powers.
func power[T dense.Float](p float64, x []T) {
	switch p {
	case 0: // exp(0·log 0) is NaN
		unit(x)
	case 1:
	case -1:
		for i, v := range x {
			x[i] = 1 / v
		}
	case 0.5:
		dense.SqrtTo(x, x, nil)
	case -0.5:
		dense.SqrtTo(x, x, nil)
		power(-1, x)
	default:
		w, buf := scratch[float64](nil, "", lump)
		defer space.Put(buf)
		for len(x) > 0 {
			n := min(len(x), lump)
			l := w.Rest()[:n]
			for i, v := range x[:n] {
				l[i] = float64(v)
			}
			dense.Log(l, l, nil)
			asm.For[float64]().Scal(p, l)
			dense.Exp(l, l, nil)
			for i, v := range l {
				x[i] = T(v)
			}
			x = x[n:]
		}
	}
}
