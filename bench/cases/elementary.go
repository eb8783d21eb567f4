package cases

import "github.com/precond-go/precond/asm"

// The elementary functions and the conversions are measured as kernels, on one
// thread, cut into chunks as the callers of kernels do.

func (p *Problem[T]) exp(*gonumBLAS[T])     { p.function(asm.For[T]().ExpTo, -10, 10) }
func (p *Problem[T]) log(*gonumBLAS[T])     { p.function(asm.For[T]().LogTo, 0.01, 100) }
func (p *Problem[T]) tanh(*gonumBLAS[T])    { p.function(asm.For[T]().TanhTo, -4, 4) }
func (p *Problem[T]) sigmoid(*gonumBLAS[T]) { p.function(asm.For[T]().SigmoidTo, -10, 10) }

func (p *Problem[T]) function(f func(x, dst []T), lo, hi float64) {
	p.X, p.Y = vector[T](p.N, 1, lo, hi), make([]T, p.N)
	p.out = [][]T{p.Y}
	p.ours = func() { chunks(p.N, func(i, j int) { f(p.X[i:j], p.Y[i:j]) }) }
}

func (p *Problem[T]) toBF16(*gonumBLAS[T]) {
	q := any(p).(*Problem[float32]) // the only type that is listed
	q.X, q.Half = vector[float32](p.N, 1, -1, 1), make([]uint16, p.N)
	f := asm.Convert().ToBF16
	p.ours = func() { chunks(p.N, func(i, j int) { f(q.X[i:j], q.Half[i:j]) }) }
}

func (p *Problem[T]) fromBF16(*gonumBLAS[T]) {
	q := any(p).(*Problem[float32])
	q.Half, q.Y = make([]uint16, p.N), make([]float32, p.N)
	for i, v := range vector[float32](p.N, 1, 1, 2) {
		q.Half[i] = 0x3f80 | uint16((v-1)*128) // 1 to 2
	}
	q.out = [][]float32{q.Y}
	f := asm.Convert().FromBF16
	p.ours = func() { chunks(p.N, func(i, j int) { f(q.Half[i:j], q.Y[i:j]) }) }
}

// chunks cuts n elements as the callers of kernels do.
func chunks(n int, f func(i, j int)) {
	for i := 0; i < n; i += asm.Chunk {
		f(i, min(n, i+asm.Chunk))
	}
}
