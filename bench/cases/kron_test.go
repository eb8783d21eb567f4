package cases

import (
	"gonum.org/v1/gonum/mat"
)

// wideDense returns m in float64.
func wideDense[T float32 | float64](rows, cols int, at func(i, j int) T) *mat.Dense {
	w := mat.NewDense(rows, cols, nil)
	for i := range rows {
		for j := range cols {
			w.Set(i, j, float64(at(i, j)))
		}
	}
	return w
}

// kronReference does the operations of package kron by their formulas in float64.
func kronReference[T float32 | float64](p *Problem[T]) {
	a := wideDense(p.A.Rows, p.A.Cols, p.A.At)
	moment := func(x *mat.Dense) { // the lower triangle of a moving average
		n, d := x.Dims()
		for i := range d {
			for j := range i + 1 {
				sum := 0.
				for r := range n {
					sum += x.At(r, i) * x.At(r, j)
				}
				p.C.Set(i, j, T(0.95*float64(p.C.At(i, j))+0.05/float64(n)*sum))
			}
		}
	}
	var result mat.Dense
	switch p.Kernel {
	case "KronApply", "KronSolve":
		b := wideDense(p.B.Rows, p.B.Cols, p.B.At)
		x := wideDense(p.M, p.N, func(i, j int) T { return p.X[i*p.N+j] })
		if p.Kernel == "KronApply" {
			result.Product(a, x, b.T())
			break
		}
		lower := func(m *mat.Dense) mat.Matrix { // L·Lᵀ
			n, _ := m.Dims()
			l := mat.NewDense(n, n, nil)
			for i := range n {
				for j := range i + 1 {
					l.Set(i, j, m.At(i, j))
				}
			}
			var s mat.Dense
			s.Mul(l, l.T())
			return &s
		}
		var half mat.Dense
		if half.Solve(lower(a), x) != nil || result.Solve(lower(b), half.T()) != nil {
			panic("singular")
		}
		result = *mat.DenseCopyOf(result.T())
	case "KronMoment":
		moment(wideDense(p.M, p.N+1, func(i, j int) T {
			if j == p.N {
				return 1
			}
			return p.A.At(i, j)
		}))
		return
	case "ConvMoment":
		edge := p.M
		moment(wideDense(p.A.Rows, p.N, func(r, c int) T {
			i, j := r/edge%edge+c/p.K/3-1, r%edge+c/p.K%3-1
			if i < 0 || j < 0 || i >= edge || j >= edge {
				return 0
			}
			return p.A.At((r/(edge*edge)*edge+i)*edge+j, c%p.K)
		}))
		return
	case "KhatriRaoGram":
		b := wideDense(p.B.Rows, p.B.Cols, p.B.At)
		var x, y mat.Dense
		x.Mul(a, a.T())
		y.Mul(b, b.T())
		for i := range p.N {
			for j := range i + 1 {
				p.C.Set(i, j, T(x.At(i, j)*y.At(i, j)))
			}
		}
		return
	case "KronRearranged":
		result.ReuseAs(p.M, p.M)
		for i := range a.RawMatrix().Rows {
			for j := range a.RawMatrix().Cols {
				k, l := i/p.N, j/p.N
				result.Set(k, l, result.At(k, l)+a.At(i, j)*float64(p.B.At(i%p.N, j%p.N)))
			}
		}
	}
	for i := range p.C.Rows {
		for j := range p.C.Cols {
			p.C.Set(i, j, T(result.At(i, j)))
		}
	}
}
