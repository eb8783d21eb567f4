package dense

import (
	"fmt"

	"github.com/precond-go/precond/asm"
	"gonum.org/v1/gonum/blas/blas32"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

// Float is the set of element types.
type Float = asm.Float

// Matrix is a row-major Rows×Cols matrix in a slice: element (i, j) is
// Data[i·Stride + j]. It is a small value, meant to be passed and sliced by
// value; copies share the elements. The zero value is an empty matrix.
type Matrix[T Float] struct {
	Rows, Cols int
	Stride     int // distance between rows in elements, ≥ max(1, Cols) unless empty
	Data       []T
}

// NewMatrix returns a zero Rows×Cols matrix with Stride = Cols.
func NewMatrix[T Float](rows, cols int) Matrix[T] {
	if rows < 0 || cols < 0 {
		panic(fmt.Sprintf("dense: NewMatrix: negative shape %dx%d", rows, cols))
	}
	return Matrix[T]{rows, cols, max(1, cols), make([]T, rows*cols)}
}

// MatrixOf returns a Rows×Cols matrix over data, which it shares, with
// Stride = Cols. It panics if len(data) is not rows·cols.
func MatrixOf[T Float](rows, cols int, data []T) Matrix[T] {
	if rows < 0 || cols < 0 || len(data) != rows*cols {
		panic(fmt.Sprintf("dense: MatrixOf: %dx%d from %d elements", rows, cols, len(data)))
	}
	return Matrix[T]{rows, cols, max(1, cols), data}
}

// At returns element (i, j).
func (m Matrix[T]) At(i, j int) T {
	m.index("At", i, j)
	return m.Data[i*m.Stride+j]
}

// Set sets element (i, j) to v.
func (m Matrix[T]) Set(i, j int, v T) {
	m.index("Set", i, j)
	m.Data[i*m.Stride+j] = v
}

func (m Matrix[T]) index(op string, i, j int) {
	if uint(i) >= uint(m.Rows) || uint(j) >= uint(m.Cols) {
		panic(fmt.Sprintf("dense: %s: index (%d, %d) of a %dx%d matrix", op, i, j, m.Rows, m.Cols))
	}
}

// Row returns row i as a slice of length Cols that shares the elements.
func (m Matrix[T]) Row(i int) []T {
	if uint(i) >= uint(m.Rows) {
		panic(fmt.Sprintf("dense: Row: row %d of a %dx%d matrix", i, m.Rows, m.Cols))
	}
	if m.Cols == 0 {
		return nil // Data may end before the row begins
	}
	return m.Data[i*m.Stride : i*m.Stride+m.Cols : i*m.Stride+m.Cols]
}

// View returns the rows×cols block whose first element is (i, j). It shares the
// elements and does not allocate.
func (m Matrix[T]) View(i, j, rows, cols int) Matrix[T] {
	if i < 0 || j < 0 || rows < 0 || cols < 0 || i+rows > m.Rows || j+cols > m.Cols {
		panic(fmt.Sprintf("dense: View: %dx%d at (%d, %d) of a %dx%d matrix", rows, cols, i, j, m.Rows, m.Cols))
	}
	v := Matrix[T]{Rows: rows, Cols: cols, Stride: m.Stride}
	if rows > 0 && cols > 0 {
		lo := i*m.Stride + j
		hi := lo + (rows-1)*m.Stride + cols
		v.Data = m.Data[lo:hi:hi]
	}
	return v
}

// Copy copies src into m; both have the same shape.
func (m Matrix[T]) Copy(src Matrix[T]) {
	if m.Rows != src.Rows || m.Cols != src.Cols {
		panic(fmt.Sprintf("dense: Copy: into %dx%d from %dx%d", m.Rows, m.Cols, src.Rows, src.Cols))
	}
	for i := range m.Rows {
		copy(m.Row(i), src.Row(i))
	}
}

// Clone returns a copy of m that shares nothing with it; its Stride is Cols.
func (m Matrix[T]) Clone() Matrix[T] {
	c := NewMatrix[T](m.Rows, m.Cols)
	c.Copy(m)
	return c
}

// Fill sets every element to v.
func (m Matrix[T]) Fill(v T) {
	for i := range m.Rows {
		row := m.Row(i)
		for j := range row {
			row[j] = v
		}
	}
}

// From32 returns g as a Matrix that shares its elements.
func From32(g blas32.General) Matrix[float32] {
	return Matrix[float32]{g.Rows, g.Cols, g.Stride, g.Data}
}

// From64 returns g as a Matrix that shares its elements.
func From64(g blas64.General) Matrix[float64] {
	return Matrix[float64]{g.Rows, g.Cols, g.Stride, g.Data}
}

// FromDense returns d as a Matrix that shares its elements.
func FromDense(d *mat.Dense) Matrix[float64] { return From64(d.RawMatrix()) }

// To32 returns m as gonum's blas32.General, sharing the elements.
func To32(m Matrix[float32]) blas32.General {
	return blas32.General{Rows: m.Rows, Cols: m.Cols, Stride: m.Stride, Data: m.Data}
}

// To64 returns m as gonum's blas64.General, sharing the elements.
func To64(m Matrix[float64]) blas64.General {
	return blas64.General{Rows: m.Rows, Cols: m.Cols, Stride: m.Stride, Data: m.Data}
}

// ToDense returns m as a gonum matrix, sharing the elements. An empty m gives an
// empty mat.Dense.
func ToDense(m Matrix[float64]) *mat.Dense {
	d := new(mat.Dense)
	if m.Rows > 0 && m.Cols > 0 {
		d.SetRawMatrix(To64(m))
	}
	return d
}
