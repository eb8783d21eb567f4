package fuzz

import (
	"testing"

	"github.com/precond-go/precond/dense"
)

func FuzzGemmBatch(f *testing.F) { attack(f, gemmBatch[float32], gemmBatch[float64]) }

// gemmBatch holds a batch to the bits of its products one by one. The outputs are
// blocks of one slice; some factors serve many products.
func gemmBatch[T dense.Float](t *testing.T, r *reader) {
	tA, tB, alpha, beta := r.trans(), r.trans(), scalar[T](r), scalar[T](r)
	count := int(r.byte()) % 40
	limit, budget := 12, most
	if count < 6 {
		limit = 200
	}
	var a, b, shapes []dense.Matrix[T]
	total := 0
	for i := range count {
		m, n := r.dim(limit), r.dim(limit)
		k := inside[T](r, budget/max(1, m*n))
		if i > 0 && r.byte()%4 == 0 { // the factors of another product
			j := int(r.byte()) % i
			a, b, shapes = append(a, a[j]), append(b, b[j]), append(shapes, shapes[j])
		} else {
			a, b = append(a, flipped[T](r, tA, m, k)), append(b, flipped[T](r, tB, k, n))
			shapes = append(shapes, dense.Matrix[T]{Rows: m, Cols: n, Stride: max(1, n+int(r.byte()%8))})
		}
		budget -= min(budget, m*n*k)
		total += shapes[i].Rows * shapes[i].Stride
	}
	out := vector[T](r, total)
	blocks := func(data []T) []dense.Matrix[T] {
		c := make([]dense.Matrix[T], count)
		for i, s := range shapes {
			s.Data, data = data[:s.Rows*s.Stride], data[s.Rows*s.Stride:]
			c[i] = s
		}
		return c
	}
	var a0, b0 []dense.Matrix[T]
	for i := range count {
		a0, b0 = append(a0, clone(a[i])), append(b0, clone(b[i]))
	}
	got := everywhere(t, out, func(c dense.Matrix[T], o *dense.Opts[T]) {
		dense.GemmBatch(tA, tB, alpha, a, b, beta, blocks(c.Data), o)
	})
	want := clone(out)
	for i, c := range blocks(want.Data) {
		untouched(t, "a", a[i], a0[i], nil)
		untouched(t, "b", b[i], b0[i], nil)
		dense.Gemm(tA, tB, alpha, a[i], b[i], beta, c, &dense.Opts[T]{Threads: 1})
	}
	if at := differ(got.Data, want.Data); at >= 0 {
		t.Fatalf("GemmBatch(%c, %c, alpha %v, beta %v) of %d products gives %v at %d, Gemm %v", tA, tB, alpha, beta, count, got.Data[at], at, want.Data[at])
	}
}
