package kfac

import (
	"testing"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/random"
	"github.com/precond-go/precond/kron"
	"github.com/precond-go/precond/solvers"
	"gonum.org/v1/gonum/blas"
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

// geometries have stride, padding, dilation and groups.
var geometries = []kron.ConvGeometry{
	{Height: 5, Width: 4, Channels: 2, Out: 3, KernelH: 3, KernelW: 2, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, Groups: 1},
	{Height: 6, Width: 5, Channels: 2, Out: 2, KernelH: 2, KernelW: 3, StrideH: 2, StrideW: 1, PadH: 1, PadW: 2, DilationH: 1, DilationW: 2, Groups: 1},
	{Height: 4, Width: 4, Channels: 4, Out: 6, KernelH: 2, KernelW: 2, StrideH: 1, StrideW: 2, PadW: 1, DilationH: 1, DilationW: 1, Groups: 2},
}

// TestConv compares the blocks of convolutions with dense matrices from materialised
// patches: stride, padding, dilation, groups, with and without bias.
func TestConv(t *testing.T) { both(t, testConv[float32], testConv[float64]) }

func testConv[T dense.Float](t *testing.T) {
	const damping = 0.2
	for k, g := range geometries {
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

// reducedLayer returns a layer with the mean of each example's inputs and the sum of its gradients, by
// plain sums over its positions.
func reducedLayer[T dense.Float](l solvers.Layer[T]) solvers.Layer[T] {
	r := l
	r.Positions, r.Conv = 1, nil
	r.Inputs, r.Grads = dense.NewMatrix[T](l.Examples, l.Inputs.Cols), dense.NewMatrix[T](l.Examples, l.Grads.Cols)
	sum := func(x dense.Matrix[T], k, j int) (s float64) {
		for t := range l.Positions {
			s += float64(x.At(k*l.Positions+t, j))
		}
		return s
	}
	for k := range l.Examples {
		for j := range l.Inputs.Cols {
			r.Inputs.Set(k, j, T(sum(l.Inputs, k, j)/float64(l.Positions)))
		}
		for j := range l.Grads.Cols {
			r.Grads.Set(k, j, T(sum(l.Grads, k, j)))
		}
	}
	return r
}

// TestReduce compares the reduce form with dense inverses of its definition: for convolutions with
// groups, of several sets, with a share of the examples.
func TestReduce(t *testing.T) { both(t, testReduce[float32], testReduce[float64]) }

func testReduce[T dense.Float](t *testing.T) {
	const n, damping = 6, 0.1
	for i, g := range geometries {
		h, w := g.OutSize()
		cols := g.Patch()
		if i%2 == 0 {
			cols++
		}
		ev := &solvers.Evidence[T]{Examples: n, Grads: []solvers.Tensor[T]{solvers.NewTensor[T]("w", g.Out, cols)}}
		for s := range 2 {
			l := solvers.Layer[T]{Name: "conv", Bias: i%2 == 0, Examples: n, Positions: h * w, Conv: &g,
				Inputs: dense.NewMatrix[T](n*g.Height*g.Width, g.Channels), Grads: dense.NewMatrix[T](n*h*w, g.Out)}
			random.Normal(random.New(1, 1, uint64(i)), 0, l.Inputs.Data)
			random.Normal(random.New(1, 2, uint64(2*i+s)), 0, l.Grads.Data)
			ev.Layers = append(ev.Layers, []solvers.Layer[T]{l})
		}
		for _, form := range []Form{Eigen, Corrected} {
			e := observed(t, Options{Statistics: Exact, Form: form, Damping: damping, Groups: []int{g.Groups}, Share: 0.5, Sharing: Reduce}, ev)
			size := g.Out / g.Groups * cols
			for group := range g.Groups {
				var sets, raw [][]solvers.Layer[T]
				for _, set := range ev.Layers {
					u := unrolled(set[0], group)
					u.Examples = n / 2 // Share
					u.Inputs, u.Grads = u.Inputs.View(0, 0, u.Inputs.Rows/2, u.Inputs.Cols), u.Grads.View(0, 0, u.Grads.Rows/2, u.Grads.Cols)
					raw, sets = append(raw, []solvers.Layer[T]{u}), append(sets, []solvers.Layer[T]{reducedLayer(u)})
				}
				a, gg := factors(sets, 0)
				near(t, "A", wide(mirrored(e.blocks[group].factor[inputs])), a, tolerance[T]())
				near(t, "G", wide(mirrored(e.blocks[group].factor[outputs])), gg, tolerance[T]())
				if form == Corrected {
					q := e.form.(*eigenForm[T]).now(group)
					want := secondMoments(raw, 0, dense.ToDense(wide(q[inputs].vectors)), dense.ToDense(wide(q[outputs].vectors)))
					near(t, "moments", wide(e.form.(*eigenForm[T]).moments[group]), want, tolerance[T]())
					continue
				}
				p := e.Dense(0)
				near(t, "P", p.View(group*size, group*size, size, size), inverse(t, damped(kronecker(gg, a), damping)), tolerance[T]())
			}
		}
	}
}

// mirrored returns a symmetric matrix from its lower triangle.
func mirrored[T dense.Float](m dense.Matrix[T]) dense.Matrix[T] {
	s := m.Clone()
	dense.Mirror(blas.Lower, s)
	return s
}

// TestSharingExact is where the two forms are no approximations: a deep linear network with squared
// loss that uses its weights at several positions, and whose loss is a sum over them (Expand) or of
// their mean output (Reduce).
func TestSharingExact(t *testing.T) { both(t, testSharingExact[float32], testSharingExact[float64]) }

func testSharingExact[T dense.Float](t *testing.T) {
	const n, positions, in, hidden, out, damping = 7, 4, 3, 5, 2, 0.1
	draw := func(stream uint64, rows, cols int) dense.Matrix[float64] {
		m := dense.NewMatrix[float64](rows, cols)
		random.Normal(random.New(7, stream, 0), 0, m.Data)
		return m
	}
	w1, w2, x := draw(1, hidden, in+1), draw(2, out, hidden+1), draw(3, n*positions, in)
	for _, sharing := range []Sharing{Expand, Reduce} {
		ev := &solvers.Evidence[T]{Examples: n, Grads: []solvers.Tensor[T]{solvers.NewTensor[T]("a", hidden, in+1), solvers.NewTensor[T]("b", out, hidden+1)}}
		scale := 1.0 // of a position's output in what the loss is of
		if sharing == Reduce {
			scale = 1.0 / positions
		}
		var want [2]*mat.Dense // Gauss–Newton blocks
		for l, g := range ev.Grads {
			want[l] = mat.NewDense(len(g.Data), len(g.Data), nil)
		}
		for s := range out {
			a := solvers.Layer[T]{Name: "a", Bias: true, Examples: n, Positions: positions, Inputs: dense.NewMatrix[T](n*positions, in), Grads: dense.NewMatrix[T](n*positions, hidden)}
			b := solvers.Layer[T]{Name: "b", Param: 1, Bias: true, Examples: n, Positions: positions, Inputs: dense.NewMatrix[T](n*positions, hidden), Grads: dense.NewMatrix[T](n*positions, out)}
			for k := range n {
				var sum [2]*mat.VecDense // derivative of output s of the example
				flush := func() {
					for l, v := range sum {
						if v != nil {
							var o mat.Dense
							o.Outer(1.0/n, v, v)
							want[l].Add(want[l], &o)
						}
					}
					sum = [2]*mat.VecDense{}
				}
				for p := range positions {
					r := k*positions + p
					xbar, hbar := append(append([]float64(nil), x.Row(r)...), 1), make([]float64, hidden+1)
					for i := range hidden {
						for j, v := range xbar {
							hbar[i] += w1.At(i, j) * v
						}
						b.Inputs.Set(r, i, T(hbar[i]))
						a.Grads.Set(r, i, T(scale*w2.At(s, i)))
					}
					hbar[hidden] = 1
					for j := range in {
						a.Inputs.Set(r, j, T(x.At(r, j)))
					}
					b.Grads.Set(r, s, T(scale))
					d1, d2 := mat.NewDense(hidden, in+1, nil), mat.NewDense(out, hidden+1, nil)
					for i := range hidden {
						for j, v := range xbar {
							d1.Set(i, j, scale*w2.At(s, i)*v)
						}
						d2.Set(s, i, scale*hbar[i])
					}
					d2.Set(s, hidden, scale)
					for l, d := range []*mat.Dense{d1, d2} {
						v := mat.NewVecDense(len(d.RawMatrix().Data), d.RawMatrix().Data)
						if sum[l] == nil {
							sum[l] = v
						} else {
							sum[l].AddVec(sum[l], v)
						}
					}
					if sharing == Expand { // each position has outputs of its own
						flush()
					}
				}
				flush()
			}
			ev.Layers = append(ev.Layers, []solvers.Layer[T]{a, b})
		}
		e := observed(t, Options{Statistics: Exact, Form: Eigen, Damping: damping, Sharing: sharing}, ev)
		for l := range 2 {
			near(t, ev.Grads[l].Name, e.Dense(l), inverse(t, damped(want[l], damping)), 10*tolerance[T]())
		}
	}
}
