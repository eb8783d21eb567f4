package kfac

import (
	"testing"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/kron"
	"github.com/precond-go/precond/solvers"
	"gonum.org/v1/gonum/mat"
)

// crossFactors returns E[ā_l ā_{l+1}ᵀ] and E[g_l g_{l+1}ᵀ] by plain sums.
func crossFactors[T dense.Float](sets [][]solvers.Layer[T], l int) (a, g *mat.Dense) {
	for s, set := range sets {
		x, y := set[l], set[l+1]
		for r := range x.Examples {
			if s == 0 {
				u, v := bar(x, r), bar(y, r)
				if a == nil {
					a = mat.NewDense(len(u), len(v), nil)
				}
				a.RankOne(a, 1/float64(x.Examples), mat.NewVecDense(len(u), u), mat.NewVecDense(len(v), v))
			}
			x.Inputs, y.Inputs, x.Bias, y.Bias = x.Grads, y.Grads, false, false
			u, v := bar(x, r), bar(y, r)
			if g == nil {
				g = mat.NewDense(len(u), len(v), nil)
			}
			g.RankOne(g, 1/float64(x.Examples), mat.NewVecDense(len(u), u), mat.NewVecDense(len(v), v))
			x, y = set[l], set[l+1]
		}
	}
	return a, g
}

// TestTridiagonal compares the whole matrix with Ξᵀ·Λ·Ξ made densely, and its inverse with
// the estimates: they have to agree in the blocks on and beside the diagonal.
func TestTridiagonal(t *testing.T) { both(t, testTridiagonal[float32], testTridiagonal[float64]) }

func testTridiagonal[T dense.Float](t *testing.T) {
	const damping, decay = 0.1, 0.6
	for _, stats := range []Statistics{MonteCarlo, Exact} {
		var batches []*solvers.Evidence[T]
		for k := range 3 {
			batches = append(batches, evidence[T](newNet(uint64(40+k), 8, false, false, 4, 3, 5, 2), stats.needs(), 1))
		}
		e := observed(t, Options{Statistics: stats, Form: Tridiagonal, Damping: damping, Decay: decay}, batches...)

		const layers = 3
		var a, g [layers]*mat.SymDense
		var ac, gc [layers - 1]*mat.Dense
		for k, b := range batches {
			keep := keepWeight(k+1, decay)
			for l := range layers {
				a2, g2 := factors(b.Layers, l)
				if k == 0 {
					a[l], g[l] = a2, g2
				} else {
					a[l], g[l] = blend(keep, a[l], a2), blend(keep, g[l], g2)
				}
				if l == layers-1 {
					break
				}
				x, y := crossFactors(b.Layers, l)
				if k > 0 {
					x.Scale(1-keep, x)
					y.Scale(1-keep, y)
					ac[l].Scale(keep, ac[l])
					gc[l].Scale(keep, gc[l])
					x.Add(x, ac[l])
					y.Add(y, gc[l])
				}
				ac[l], gc[l] = x, y
			}
		}
		var diag [layers]*mat.Dense
		var off [layers - 1]*mat.Dense
		at := [layers + 1]int{}
		for l := range layers {
			alpha, beta, err := kron.Tikhonov(damping, dense.FromDense(mat.DenseCopyOf(a[l])), dense.FromDense(mat.DenseCopyOf(g[l])))
			if err != nil {
				t.Fatal(err)
			}
			diag[l] = kronecker(damped(g[l], beta), damped(a[l], alpha))
			at[l+1] = at[l] + diag[l].RawMatrix().Rows
		}
		n := at[layers]
		xi, lambda := mat.NewDense(n, n, nil), mat.NewDense(n, n, nil)
		block := func(m *mat.Dense, i, j int) *mat.Dense {
			return m.Slice(at[i], at[i+1], at[j], at[j+1]).(*mat.Dense)
		}
		for i := range n {
			xi.Set(i, i, 1)
		}
		for l := range layers {
			sigma := mat.DenseCopyOf(diag[l])
			if l < layers-1 {
				off[l] = kronecker(gc[l], ac[l])
				var psi, s mat.Dense
				psi.Mul(off[l], inverse(t, diag[l+1]))
				s.Product(&psi, diag[l+1], psi.T())
				sigma.Sub(sigma, &s)
				psi.Scale(-1, &psi)
				block(xi, l, l+1).Copy(&psi)
			}
			block(lambda, l, l).Copy(inverse(t, sigma))
		}
		var want mat.Dense
		want.Product(xi.T(), lambda, xi)

		// P as a whole, a column at a time.
		got := dense.NewMatrix[float64](n, n)
		grads := solvers.Like(batches[0].Grads)
		dst := solvers.Like(grads)
		for l := range layers {
			for k := range grads[l].Data {
				grads[l].Data[k] = 1
				if err := e.Apply(0, grads, dst); err != nil {
					t.Fatal(err)
				}
				grads[l].Data[k] = 0
				row := 0
				for _, d := range dst {
					for _, v := range d.Data {
						got.Set(row, at[l]+k, float64(v))
						row++
					}
				}
			}
		}
		near(t, "P", got, &want, tolerance[T]())
		f := inverse(t, dense.ToDense(got))
		for l := range layers {
			near(t, "diagonal block", dense.FromDense(mat.DenseCopyOf(block(f, l, l))), diag[l], 10*tolerance[T]())
			if l < layers-1 {
				near(t, "block beside it", dense.FromDense(mat.DenseCopyOf(block(f, l, l+1))), off[l], 100*tolerance[T]())
			}
		}
	}
}
