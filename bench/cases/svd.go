package cases

import (
	"fmt"

	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/mat"
)

// svds lists the singular value decompositions.
func (b *lister) svds() {
	for _, s := range [][2]int{{32, 32}, {128, 128}, {512, 512}, {1024, 1024}, {4096, 64}} {
		m, n := s[0], s[1]
		for _, kernel := range []string{"SVD", "SingularValues"} {
			spec := Spec{Kernel: kernel, M: m, N: n}
			b.add(spec, fmt.Sprintf("m=%d/n=%d", m, n), func(c *Case) {
				values := 0
				if kernel == "SVD" {
					values = (m + n) * n
				}
				c.Cost = productCost(&spec, svdFlops(float64(m), float64(n), values > 0), m*n, values+n, c.Size)
				if kernel == "SVD" && oneOf(n, 512, 64) {
					c.Quick, c.Bars = true, []Bar{{OpenBLAS, 0.8, 1.2}}
				}
			})
		}
	}
}

// svdFlops returns the usual count for m ≥ n: reduction to bidiagonal form, divide
// and conquer without deflation, and the way back, for a tall matrix after A = Q·R.
func svdFlops(m, n float64, vectors bool) float64 {
	flops := 8. / 3 * n * n * n
	if vectors {
		flops = 28. / 3 * n * n * n
	}
	if m > n {
		flops += 2 * n * n * (m - n/3)
		if vectors {
			flops += 2*n*n*(m-n/3) + 2*m*n*n
		}
	}
	return flops
}

func (p *Problem[T]) svd(*gonumBLAS[T]) {
	p.A = fullRank[T](p.M, p.N, 1)
	p.B, p.C = matrix[T](p.M, p.N, 2), matrix[T](p.N, p.N, 3)
	p.X = vector[T](p.N, 4, -1, 1)
	p.out = [][]T{p.X} // signs of vectors are arbitrary
	p.ours = func() { must(dense.SVD(p.A, p.B, p.X, p.C, p.opts)) }
	p.gonum = func() { p.gonumSVD(mat.SVDThin) }
}

func (p *Problem[T]) singularValues(*gonumBLAS[T]) {
	p.A = fullRank[T](p.M, p.N, 1)
	p.X = vector[T](p.N, 4, -1, 1)
	p.out = [][]T{p.X}
	p.ours = func() { must(dense.SingularValues(p.A, p.X, p.opts)) }
	p.gonum = func() { p.gonumSVD(mat.SVDNone) }
}

// gonumSVD decomposes A with gonum, which works in float64.
func (p *Problem[T]) gonumSVD(kind mat.SVDKind) {
	a := mat.NewDense(p.M, p.N, nil)
	for i := range p.M {
		for j, v := range p.A.Row(i) {
			a.Set(i, j, float64(v))
		}
	}
	var f mat.SVD
	if !f.Factorize(a, kind) {
		panic("cases: gonum: no convergence")
	}
	for i, v := range f.Values(nil) {
		p.X[i] = T(v)
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
