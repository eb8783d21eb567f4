package dense

import (
	"testing"

	"github.com/precond-go/precond/internal/guard"
	"gonum.org/v1/gonum/blas"
)

// TestFences runs level 3 on operands that begin and end at memory that cannot be
// accessed, in rows so far apart that a stray element is not in the same page.
func TestFences(t *testing.T) { both(t, testFences[float32], testFences[float64]) }

func testFences[T Float](t *testing.T) {
	const most, apart = 40, 3000
	var mem [3]*guard.Buffer[T]
	for i := range mem {
		mem[i] = guard.New[T](t, most*(most+apart))
	}
	for _, n := range []int{1, 3, 17, most} {
		for _, other := range []int{1, 9} {
			for _, extra := range []int{0, apart} {
				for _, end := range []bool{false, true} {
					operand := func(i, rows, cols int) Matrix[T] {
						m := Matrix[T]{Rows: rows, Cols: cols, Stride: cols + extra}
						length := (rows-1)*m.Stride + cols
						if m.Data = mem[i].Begin(length); end {
							m.Data = mem[i].End(length)
						}
						for i := range rows {
							for j := range cols {
								m.Set(i, j, T(1+i+j))
							}
						}
						return m
					}
					level3InMemory(n, other, operand)
				}
			}
		}
	}
}

func level3InMemory[T Float](n, other int, operand func(i, rows, cols int) Matrix[T]) {
	for _, f := range triangularForms() {
		rows, cols := f.shape(n, other)
		Trsm(f.side, f.uplo, f.trans, f.diag, 2, operand(0, n, n), operand(1, rows, cols), nil)
		Trmm(f.side, f.uplo, f.trans, f.diag, 2, operand(0, n, n), operand(1, rows, cols), nil)
		if f.diag == blas.Unit {
			continue
		}
		Symm(f.side, f.uplo, 2, operand(0, n, n), operand(1, rows, cols), 1, operand(2, rows, cols), nil)
		rows, cols = n, other
		if f.trans == blas.Trans {
			rows, cols = cols, rows
		}
		Syrk(f.uplo, f.trans, 2, operand(0, rows, cols), 1, operand(2, n, n), nil)
		Syr2k(f.uplo, f.trans, 2, operand(0, rows, cols), operand(1, rows, cols), 1, operand(2, n, n), nil)
		Gemm(f.trans, blas.NoTrans, 2, operand(0, n, n), operand(1, n, other), 1, operand(2, n, other), nil)
		Gemm(f.trans, blas.Trans, 2, operand(0, n, n), operand(1, other, n), 1, operand(2, n, other), nil)
	}
}
