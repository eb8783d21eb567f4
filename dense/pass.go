package dense

import (
	"sync"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/internal/par"
)

// pass is one call of a level-1 or level-2 operation: its operands and what to do
// with them. A call on one thread keeps it on the stack; a call on several hands
// a pooled copy to the workers.
type pass[T Float] struct {
	op          opcode
	k           *asm.Kernels[T]
	alpha, beta T
	flag        bool // transposed or lower, depending on op
	rows, cols  int
	x, y, z, p  operandRows[T]
	a           Matrix[T]
	momentum    *[asm.MomentumLen]T
	adam        *[asm.AdamLen]T
	part        []T // results of parts, where they are to be combined in order
}

// operandRows is an operand of an element-wise operation or a reduction: row i
// begins at data[i·ld]. A vector is one row.
type operandRows[T Float] struct {
	data []T
	ld   int
}

// at returns elements lo to hi of row i, nil if there is no such operand.
func (r *operandRows[T]) at(i, lo, hi int) []T {
	if r.data == nil {
		return nil
	}
	return r.data[i*r.ld+lo : i*r.ld+hi]
}

func vectorRow[T Float](x []T) operandRows[T] { return operandRows[T]{data: x} }

func matrixRows[T Float](m *Matrix[T]) operandRows[T] { return operandRows[T]{m.Data, m.Stride} }

// opcode says what a pass does.
type opcode uint8

const (
	// Element-wise: see pass.apply.
	opAxpy opcode = iota
	opAxpby
	opScal
	opScalTo
	opSwap
	opRot
	opAddTo
	opSubTo
	opMulTo
	opDivTo
	opMulAdd
	opSqrtTo
	opSqrtDivTo
	opEMA
	opEMASq
	opMomentum
	opAdam
	opAdaMax
	// Reductions: see pass.reduceChunk.
	opDot
	opSum
	opAbsSum
	opSumSq
	opSumSqScaled
	opMaxAbs
	// Others: see pass.do.
	opNormRows
	opNormColumns
	opGemv
	opGer
	opSymv
	opSyr
	opSyr2
	opTranspose
	opTransposeInPlace
)

// do does the part of worker w. Parts do not share what they write, and no
// result depends on how many there are.
func (t *pass[T]) do(w, workers int) {
	switch t.op {
	default:
		t.elementWise(w, workers)
	case opDot, opSum, opAbsSum, opSumSq, opSumSqScaled, opMaxAbs:
		t.reduceChunks(w, workers)
	case opNormRows:
		t.normRows(w, workers)
	case opNormColumns:
		t.normColumns(w, workers)
	case opGemv:
		t.gemv(w, workers)
	case opGer:
		t.ger(w, workers)
	case opSymv:
		t.symv(w, workers)
	case opSyr, opSyr2:
		t.syr(w, workers)
	case opTranspose:
		t.transpose(w, workers)
	case opTransposeInPlace:
		t.transposeInPlace(w, workers)
	}
}

var passes32, passes64 sync.Pool

// Work is what a worker calls.
func (t *pass[T]) Work(team *par.Team, w int) { t.do(w, team.Workers()) }

// run does the whole pass on the given number of threads.
func (t *pass[T]) run(threads int) {
	if threads == 1 {
		t.do(0, 1)
		return
	}
	par.Share(poolOf[T](&passes32, &passes64), threads, t)
}

// grain is the number of elements of the largest operand that make one more
// thread worth its start.
const grain = 1 << 16

// threadsFor returns the number of threads for an operation that passes over n
// elements once: what o grants, and no more than there are grains.
func threadsFor[T Float](o *Opts[T], n int) int {
	if n < 2*grain {
		return 1
	}
	return min(o.threads(), n/grain)
}

// elementWise applies the operation to the part of worker w: columns of a vector,
// rows of a matrix.
func (t *pass[T]) elementWise(w, workers int) {
	if t.rows == 1 {
		lo, hi := par.Range(t.cols, workers, w, 64)
		t.elementsOf(0, lo, hi)
		return
	}
	lo, hi := par.Range(t.rows, workers, w, 1)
	for i := lo; i < hi; i++ {
		t.elementsOf(i, 0, t.cols)
	}
}

func (t *pass[T]) elementsOf(i, lo, hi int) {
	for ; lo < hi; lo += asm.Chunk {
		end := min(lo+asm.Chunk, hi)
		t.apply(t.x.at(i, lo, end), t.y.at(i, lo, end), t.z.at(i, lo, end), t.p.at(i, lo, end))
	}
}

func (t *pass[T]) apply(x, y, z, p []T) {
	switch t.op {
	case opAxpy:
		t.k.Axpy(t.alpha, x, y)
	case opAxpby:
		t.k.Axpby(t.alpha, x, t.beta, y)
	case opScal:
		t.k.Scal(t.alpha, x)
	case opScalTo:
		t.k.ScalTo(t.alpha, x, y)
	case opSwap:
		t.k.Swap(x, y)
	case opRot:
		t.k.Rot(t.alpha, t.beta, x, y)
	case opAddTo:
		t.k.AddTo(x, y, z)
	case opSubTo:
		t.k.SubTo(x, y, z)
	case opMulTo:
		t.k.MulTo(x, y, z)
	case opDivTo:
		t.k.DivTo(x, y, z)
	case opMulAdd:
		t.k.MulAdd(x, y, z)
	case opSqrtTo:
		t.k.SqrtTo(x, y)
	case opSqrtDivTo:
		t.k.SqrtDivTo(t.alpha, x, y, z)
	case opEMA:
		t.k.EMA(t.alpha, x, y)
	case opEMASq:
		t.k.EMASq(t.alpha, x, y)
	case opMomentum:
		t.k.Momentum(t.momentum, x, y, z)
	case opAdam:
		t.k.Adam(t.adam, x, y, z, p)
	case opAdaMax:
		t.k.AdaMax(t.adam, x, y, z, p)
	}
}
