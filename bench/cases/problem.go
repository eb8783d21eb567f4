package cases

import (
	"fmt"
	"math/rand/v2"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/dense"
)

// A Problem holds the operands of a case. Its vectors and matrices are named as
// in the signatures of package dense; those that a kernel lacks are empty.
type Problem[T dense.Float] struct {
	Spec
	Alpha, Beta T
	A, B, C     dense.Matrix[T]
	X, Y, Z, W  []T
	Half        []uint16 // bfloat16

	opts        *dense.Opts[T]
	momentum    [asm.MomentumLen]T
	adam        [asm.AdamLen]T
	ours, gonum func()
	out         [][]T // what the operation writes
	scalar      T     // result of a reduction
}

// Ours implements Instance.
func (p *Problem[T]) Ours(reps int) {
	for range reps {
		p.ours()
	}
}

// Gonum implements Instance.
func (p *Problem[T]) Gonum(reps int) {
	for range reps {
		p.gonum()
	}
}

// HasGonum implements Instance.
func (p *Problem[T]) HasGonum() bool { return p.gonum != nil }

// Result implements Instance.
func (p *Problem[T]) Result() []float64 {
	r := []float64{float64(p.scalar)}
	for _, o := range p.out {
		for _, v := range o {
			r = append(r, float64(v))
		}
	}
	for _, v := range p.Half {
		r = append(r, float64(v))
	}
	return r
}

// SetScalar sets the result of a reduction that something else than Ours and
// Gonum has computed.
func (p *Problem[T]) SetScalar(v T) { p.scalar = v }

func newProblem[T dense.Float](s Spec, threads int) *Problem[T] {
	p := &Problem[T]{Spec: s, Alpha: 1, Beta: T(s.Beta), opts: &dense.Opts[T]{Threads: threads}}
	build, ok := builders[T]()[s.Kernel]
	if !ok {
		panic(fmt.Sprintf("cases: no kernel %q", s.Kernel))
	}
	build(p, gonumOf[T]())
	return p
}

// A builder makes the operands of a kernel and the calls that it times.
type builder[T dense.Float] func(p *Problem[T], g *gonumBLAS[T])

func builders[T dense.Float]() map[string]builder[T] {
	return map[string]builder[T]{
		"Gemm":        (*Problem[T]).gemm,
		"GemmBatch":   (*Problem[T]).gemmBatch,
		"GemmStrided": (*Problem[T]).gemmStrided,
		"Syrk":        (*Problem[T]).syrk,
		"Syr2k":       (*Problem[T]).syr2k,
		"Symm":        (*Problem[T]).symm,
		"Trmm":        (*Problem[T]).trmm,
		"Trsm":        (*Problem[T]).trsm,

		"Cholesky":      (*Problem[T]).cholesky,
		"SPDInverse":    (*Problem[T]).spdInverse,
		"CholeskyBatch": (*Problem[T]).choleskyBatch,

		"LU":               (*Problem[T]).lu,
		"LDL":              (*Problem[T]).ldl,
		"CholeskyPivoted":  (*Problem[T]).choleskyPivoted,
		"CholeskyUpdate":   (*Problem[T]).choleskyUpdate,
		"CholeskyDowndate": (*Problem[T]).choleskyDowndate,
		"EigenSymRefresh":  (*Problem[T]).eigenSymRefresh,
		"Polar":            (*Problem[T]).polar,

		"SVD":            (*Problem[T]).svd,
		"SingularValues": (*Problem[T]).singularValues,
		"EigenSym":       (*Problem[T]).eigenSym,
		"EigenSymValues": (*Problem[T]).eigenSymValues,
		"QR":             (*Problem[T]).qr,
		"QRPivoted":      (*Problem[T]).qrPivoted,

		"KronApply":      (*Problem[T]).kronApply,
		"KronSolve":      (*Problem[T]).kronSolve,
		"KronMoment":     (*Problem[T]).kronMoment,
		"ConvMoment":     (*Problem[T]).convMoment,
		"KhatriRaoGram":  (*Problem[T]).khatriRaoGram,
		"KronRearranged": (*Problem[T]).kronRearranged,

		"Gemv":      (*Problem[T]).gemv,
		"Ger":       (*Problem[T]).ger,
		"Symv":      (*Problem[T]).symv,
		"Transpose": (*Problem[T]).transpose,

		"Dot":       (*Problem[T]).dot,
		"AbsSum":    (*Problem[T]).absSum,
		"SumSq":     (*Problem[T]).sumSq,
		"IMaxAbs":   (*Problem[T]).iMaxAbs,
		"Axpy":      (*Problem[T]).axpy,
		"Scal":      (*Problem[T]).scal,
		"MulTo":     (*Problem[T]).mulTo,
		"DivTo":     (*Problem[T]).divTo,
		"SqrtDivTo": (*Problem[T]).sqrtDivTo,
		"EMA":       (*Problem[T]).ema,
		"EMASq":     (*Problem[T]).emaSq,
		"Momentum":  (*Problem[T]).sgdMomentum,
		"Adam":      (*Problem[T]).adamStep,

		"Exp":      (*Problem[T]).exp,
		"Log":      (*Problem[T]).log,
		"Tanh":     (*Problem[T]).tanh,
		"Sigmoid":  (*Problem[T]).sigmoid,
		"ToBF16":   (*Problem[T]).toBF16,
		"FromBF16": (*Problem[T]).fromBF16,
	}
}

// patch is the length after which the elements of long operands repeat.
const patch = 1 << 16

// vector returns n elements that are uniform in [lo, hi); different streams are
// different vectors.
func vector[T dense.Float](n int, stream uint64, lo, hi float64) []T {
	v := make([]T, n)
	r := rand.New(rand.NewPCG(1, stream))
	for i := range v[:min(n, patch)] {
		v[i] = T(lo + (hi-lo)*r.Float64())
	}
	for i := patch; i < n; i *= 2 {
		copy(v[i:], v[:i])
	}
	return v
}

// fullRank returns a matrix with elements uniform in [-1, 1) that do not repeat, as those of
// larger ones of matrix do: what is left of such a one after some columns is noise,
// and subnormal in the end.
func fullRank[T dense.Float](rows, cols int, stream uint64) dense.Matrix[T] {
	m := dense.NewMatrix[T](rows, cols)
	r := rand.New(rand.NewPCG(1, stream))
	for i := range m.Data {
		m.Data[i] = T(2*r.Float64() - 1)
	}
	return m
}

// matrix returns a matrix with elements uniform in [-1, 1).
func matrix[T dense.Float](rows, cols int, stream uint64) dense.Matrix[T] {
	return dense.MatrixOf(rows, cols, vector[T](rows*cols, stream, -1, 1))
}
