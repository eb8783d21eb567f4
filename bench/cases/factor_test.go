package cases

import (
	"math"

	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/mat"
)

// inGonum returns the n×n matrix with the elements that at tells.
func inGonum(n int, at func(i, j int) float64) *mat.Dense {
	m := mat.NewDense(n, n, nil)
	for i := range n {
		for j := range n {
			m.Set(i, j, at(i, j))
		}
	}
	return m
}

// factorReference does with package mat, in another way, what a factorisation is judged by.
func factorReference[T dense.Float](p *Problem[T]) {
	n := p.N
	full := inGonum(n, func(i, j int) float64 { return float64(p.A.At(i, j)) })
	switch p.Kernel {
	case "LDL":
		var x mat.VecDense
		b := mat.NewVecDense(n, nil)
		for i, v := range p.Y {
			b.SetVec(i, float64(v))
		}
		if err := x.SolveVec(full, b); err != nil {
			panic(err)
		}
		for i := range p.X {
			p.X[i] = T(x.AtVec(i))
		}
	case "CholeskyUpdate", "CholeskyDowndate":
		// Of L·Lᵀ ± B·Bᵀ.
		l := inGonum(n, func(i, j int) float64 {
			if i < j {
				return 0
			}
			return float64(p.A.At(i, j))
		})
		b, sign := mat.NewDense(n, p.K, nil), 1.
		for i := range n {
			for j := range p.K {
				b.Set(i, j, float64(p.B.At(i, j)))
			}
		}
		if p.Kernel == "CholeskyDowndate" {
			sign = -1
		}
		var sum, square mat.Dense
		sum.Mul(l, l.T())
		square.Mul(b, b.T())
		square.Scale(sign, &square)
		sum.Add(&sum, &square)
		s := mat.NewSymDense(n, nil)
		for i := range n {
			for j := range i + 1 {
				s.SetSym(i, j, sum.At(i, j))
			}
		}
		var c mat.Cholesky
		if !c.Factorize(s) {
			panic("not positive definite")
		}
		var u mat.TriDense
		c.UTo(&u)
		for i := range p.X {
			p.X[i] = T(math.Abs(u.At(i, i)))
		}
	case "EigenSymRefresh":
		p.scalar = T(mat.Trace(full))
	case "Polar":
		var f mat.SVD
		if !f.Factorize(full, mat.SVDThin) {
			panic("no convergence")
		}
		var u, v, q mat.Dense
		f.UTo(&u)
		f.VTo(&v)
		q.Mul(&u, v.T())
		for i := range n {
			for j := range n {
				p.C.Set(i, j, T(q.At(i, j)))
			}
		}
	}
}
