package kfac

import (
	"math"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/random"
	"github.com/precond-go/precond/solvers"
)

// net is a fully connected network with squared loss ½‖z−t‖², written plainly in float64
// as the oracle of these tests: tanh units, or linear ones.
type net struct {
	sizes   []int
	linear  bool
	nobias  bool
	weights []solvers.Tensor[float64]
	x, t    [][]float64 // examples and targets
}

func newNet(seed uint64, n int, linear, nobias bool, sizes ...int) *net {
	m := &net{sizes: sizes, linear: linear, nobias: nobias}
	for l := range len(sizes) - 1 {
		in := sizes[l] + 1
		if nobias {
			in--
		}
		w := solvers.NewTensor[float64](string(rune('a'+l)), sizes[l+1], in)
		random.Normal(random.New(seed, 1, uint64(l)), 0, w.Data)
		for i := range w.Data {
			w.Data[i] /= math.Sqrt(float64(in))
		}
		m.weights = append(m.weights, w)
	}
	for k := range n {
		x, t := make([]float64, sizes[0]), make([]float64, sizes[len(sizes)-1])
		random.Normal(random.New(seed, 2, uint64(k)), 0, x)
		random.Normal(random.New(seed, 3, uint64(k)), 0, t)
		m.x, m.t = append(m.x, x), append(m.t, t)
	}
	return m
}

// layers returns the number of layers.
func (m *net) layers() int { return len(m.weights) }

// forward returns the homogeneous inputs of each layer and the outputs of the last.
func (m *net) forward(x []float64) (abar [][]float64, z []float64) {
	a := x
	for l, w := range m.weights {
		in := append([]float64(nil), a...)
		if !m.nobias {
			in = append(in, 1)
		}
		abar = append(abar, in)
		z = make([]float64, m.sizes[l+1])
		for i := range z {
			for j, v := range in {
				z[i] += w.Data[i*len(in)+j] * v
			}
		}
		a = append([]float64(nil), z...)
		if l < m.layers()-1 && !m.linear {
			for i := range a {
				a[i] = math.Tanh(a[i])
			}
		}
	}
	return abar, z
}

// backward returns the gradients of the pre-activations for a gradient of the outputs.
func (m *net) backward(abar [][]float64, dz []float64) [][]float64 {
	g := make([][]float64, m.layers())
	g[m.layers()-1] = dz
	for l := m.layers() - 1; l > 0; l-- {
		in := len(abar[l])
		g[l-1] = make([]float64, m.sizes[l])
		for j := range g[l-1] {
			for i, v := range g[l] {
				g[l-1][j] += m.weights[l].Data[i*in+j] * v
			}
			if !m.linear {
				g[l-1][j] *= 1 - abar[l][j]*abar[l][j]
			}
		}
	}
	return g
}

func (m *net) loss() float64 {
	s := 0.0
	for k := range m.x {
		_, z := m.forward(m.x[k])
		for i := range z {
			s += (z[i] - m.t[k][i]) * (z[i] - m.t[k][i]) / 2
		}
	}
	return s / float64(len(m.x))
}

// evidence returns what a model says of the batch, in type T. kind is one of the
// Needs constants.
func evidence[T dense.Float](m *net, kind solvers.Needs, seed uint64) *solvers.Evidence[T] {
	n, outs := len(m.x), m.sizes[len(m.sizes)-1]
	sets := 1
	if kind == solvers.NeedExactLayers {
		sets = outs
	}
	e := &solvers.Evidence[T]{Loss: m.loss(), Examples: n}
	for _, w := range m.weights {
		e.Grads = append(e.Grads, solvers.NewTensor[T](w.Name, w.Shape...))
	}
	for range sets {
		set := make([]solvers.Layer[T], m.layers())
		for l := range set {
			set[l] = solvers.Layer[T]{Name: m.weights[l].Name, Param: l, Bias: !m.nobias, Examples: n, Positions: 1,
				Inputs: dense.NewMatrix[T](n, m.sizes[l]), Grads: dense.NewMatrix[T](n, m.sizes[l+1])}
		}
		e.Layers = append(e.Layers, set)
	}
	for k := range n {
		abar, z := m.forward(m.x[k])
		dz := make([]float64, outs)
		for i := range dz {
			dz[i] = z[i] - m.t[k][i]
		}
		g := m.backward(abar, dz)
		for l := range g {
			in := len(abar[l])
			for i, gi := range g[l] {
				for j, aj := range abar[l] {
					e.Grads[l].Data[i*in+j] += T(gi * aj / float64(n))
				}
			}
		}
		for s := range sets {
			switch kind {
			case solvers.NeedSampledLayers:
				random.Normal(random.New(seed, 9, uint64(k)), 0, dz)
			case solvers.NeedExactLayers:
				clear(dz)
				dz[s] = 1
			}
			g := m.backward(abar, dz)
			for l := range g {
				for j, v := range g[l] {
					e.Layers[s][l].Grads.Set(k, j, T(v))
				}
				for j := range m.sizes[l] {
					e.Layers[s][l].Inputs.Set(k, j, T(abar[l][j]))
				}
			}
		}
	}
	return e
}

// gaussNewton returns the Gauss–Newton matrix of the mean loss over all tensors, the
// elements of each in row-major order.
func (m *net) gaussNewton() dense.Matrix[float64] {
	size := 0
	for _, w := range m.weights {
		size += len(w.Data)
	}
	f := dense.NewMatrix[float64](size, size)
	n, outs := len(m.x), m.sizes[len(m.sizes)-1]
	for k := range n {
		abar, _ := m.forward(m.x[k])
		for s := range outs {
			dz := make([]float64, outs)
			dz[s] = 1
			var row []float64 // of the Jacobian
			for l, g := range m.backward(abar, dz) {
				for _, gi := range g {
					for _, aj := range abar[l] {
						row = append(row, gi*aj)
					}
				}
			}
			for i, a := range row {
				for j, b := range row {
					f.Data[i*size+j] += a * b / float64(n)
				}
			}
		}
	}
	return f
}

// place returns where the elements of tensor l begin and how many there are.
func (m *net) place(l int) (at, n int) {
	for _, w := range m.weights[:l] {
		at += len(w.Data)
	}
	return at, len(m.weights[l].Data)
}
