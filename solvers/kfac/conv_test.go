package kfac

import (
	"testing"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/random"
	"github.com/precond-go/precond/kron"
	"github.com/precond-go/precond/solvers"
	"gonum.org/v1/gonum/mat"
)

// unrolled returns the layer that a group of a convolution is, with its patches in memory: the
// inputs of a layer with shared weights. The patches are taken element by element.
func unrolled[T dense.Float](l solvers.Layer[T], group int) solvers.Layer[T] {
	g := *l.Conv
	h, w := g.OutSize()
	depth, out := g.Channels/g.Groups, g.Out/g.Groups
	u := l
	u.Conv, u.Inputs = nil, dense.NewMatrix[T](l.Examples*h*w, g.Patch())
	u.Grads = l.Grads.View(0, group*out, l.Grads.Rows, out)
	for n := range l.Examples {
		for i := range h {
			for j := range w {
				row := u.Inputs.Row((n*h+i)*w + j)
				for p := range g.KernelH {
					for q := range g.KernelW {
						y, x := i*g.StrideH-g.PadH+p*g.DilationH, j*g.StrideW-g.PadW+q*g.DilationW
						if y < 0 || y >= g.Height || x < 0 || x >= g.Width {
							continue
						}
						for c := range depth {
							row[(p*g.KernelW+q)*depth+c] = l.Inputs.At((n*g.Height+y)*g.Width+x, group*depth+c)
						}
					}
				}
			}
		}
	}
	return u
}

// TestConv compares the blocks of convolutions with dense matrices from materialised
// patches: stride, padding, dilation, groups, with and without bias.
func TestConv(t *testing.T) { both(t, testConv[float32], testConv[float64]) }

func testConv[T dense.Float](t *testing.T) {
	const damping = 0.2
	for k, g := range []kron.ConvGeometry{
		{Height: 5, Width: 4, Channels: 2, Out: 3, KernelH: 3, KernelW: 2, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, Groups: 1},
		{Height: 6, Width: 5, Channels: 2, Out: 2, KernelH: 2, KernelW: 3, StrideH: 2, StrideW: 1, PadH: 1, PadW: 2, DilationH: 1, DilationW: 2, Groups: 1},
		{Height: 4, Width: 4, Channels: 4, Out: 6, KernelH: 2, KernelW: 2, StrideH: 1, StrideW: 2, PadW: 1, DilationH: 1, DilationW: 1, Groups: 2},
	} {
		const n = 6
		l := solvers.Layer[T]{Name: "conv", Conv: &g, Bias: k != 1, Examples: n, Positions: g.Places(),
			Inputs: dense.NewMatrix[T](n*g.Height*g.Width, g.Channels), Grads: dense.NewMatrix[T](n*g.Places(), g.Out)}
		random.Normal(random.New(1, 1, uint64(k)), 0, l.Inputs.Data)
		random.Normal(random.New(1, 2, uint64(k)), 0, l.Grads.Data)
		cols := g.Patch()
		if l.Bias {
			cols++
		}
		ev := &solvers.Evidence[T]{Examples: n, Layers: [][]solvers.Layer[T]{{l}}, Grads: []solvers.Tensor[T]{solvers.NewTensor[T]("w", g.Out, cols)}}
		for _, form := range []Form{Cholesky, Eigen, Corrected} {
			e := observed(t, Options{Form: form, Damping: damping, Groups: []int{g.Groups}, Share: 0.5}, ev)
			size := g.Out / g.Groups * cols
			want := mat.NewDense(g.Groups*size, g.Groups*size, nil)
			for group := range g.Groups {
				u := unrolled(l, group)
				u.Examples = n / 2 // Share
				u.Inputs, u.Grads = u.Inputs.View(0, 0, u.Inputs.Rows/2, u.Inputs.Cols), u.Grads.View(0, 0, u.Grads.Rows/2, u.Grads.Cols)
				sets := [][]solvers.Layer[T]{{u}}
				a, gg := factors(sets, 0)
				var p *mat.Dense
				switch form {
				case Cholesky:
					alpha, beta, err := kron.Tikhonov(damping, dense.FromDense(mat.DenseCopyOf(a)), dense.FromDense(mat.DenseCopyOf(gg)))
					if err != nil {
						t.Fatal(err)
					}
					p = kronecker(inverse(t, damped(gg, beta)), inverse(t, damped(a, alpha)))
				case Eigen:
					p = inverse(t, damped(kronecker(gg, a), damping))
				case Corrected:
					f := e.form.(*eigenForm[T])
					q := f.now(group)
					qa, qg := dense.ToDense(wide(q[inputs].vectors)), dense.ToDense(wide(q[outputs].vectors))
					v := kronecker(qg, qa)
					p = mat.DenseCopyOf(v.T())
					for i, s := range secondMoments(sets, 0, qa, qg).RawMatrix().Data {
						row := p.RawRowView(i)
						for j := range row {
							row[j] /= s + damping
						}
					}
					p.Mul(v, p)
				}
				want.Slice(group*size, (group+1)*size, group*size, (group+1)*size).(*mat.Dense).Copy(p)
			}
			near(t, "P", e.Dense(0), want, tolerance[T]())
		}
	}
}
