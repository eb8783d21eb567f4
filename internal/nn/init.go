package nn

import (
	"fmt"
	"math"
	"slices"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/random"
)

// Init is a distribution of weights to start from.
type Init int

const (
	// Sparse gives each unit 15 incoming weights at random places (all, if it has fewer),
	// drawn from the standard normal distribution; the others are zero, and biases are
	// 0, with Tanh 1/2. Source: Martens, Deep learning via Hessian-free optimization, ICML 2010,
	// section 5.
	Sparse Init = iota
	// Glorot draws from the uniform distribution on ±√(6/(in+out)), biases are 0; in a
	// convolution in and out count the weights that meet at an output and an input.
	// Source: Glorot and Bengio, AISTATS 2010, equation 16.
	Glorot
	// He draws from the normal distribution of variance 2/in, biases are 0. Source: He, Zhang,
	// Ren and Sun, ICCV 2015, equation 10.
	He
)

// sparseInputs is the number of weights that Sparse gives a unit.
const sparseInputs = 15

// Init sets all parameters, as a function of the seed.
func (n *Network[T]) Init(how Init, seed uint64) {
	if how < Sparse || how > He {
		panic(fmt.Sprintf("nn: Init: unknown distribution %d", how))
	}
	for l := range n.stages {
		st := &n.stages[l]
		if !st.weighted() {
			continue
		}
		p := n.params[st.param].Matrix()
		w := weight(st, n.params)
		bias := T(0)
		values := random.New(seed, streamInit+uint64(st.param), 0)
		fanOut := st.width
		if g := st.conv; g != nil {
			fanOut = g.KernelH * g.KernelW * g.Out / g.Groups
		}
		switch how {
		case Sparse:
			p.Fill(0)
			scatter(w, values, random.New(seed, streamInit+uint64(st.param), 1))
			if st.act == Tanh {
				bias = 0.5
			}
		case Glorot:
			r := math.Sqrt(6 / float64(st.fanIn+fanOut))
			for i := range w.Rows {
				random.Uniform(values, uint64(i*w.Cols), w.Row(i))
				for j, u := range w.Row(i) {
					w.Row(i)[j] = T(r * float64(2*float64(u)-1)) // exact: a power of two
				}
			}
		case He:
			sd := T(math.Sqrt(2 / float64(st.fanIn)))
			for i := range w.Rows {
				random.Normal(values, uint64(i*w.Cols), w.Row(i))
				dense.Scal(sd, w.Row(i), nil)
			}
		}
		if st.bias {
			p.View(0, st.fanIn, st.width, 1).Fill(bias)
		}
	}
}

// scatter sets sparseInputs elements of each row, at places that are drawn without
// replacement (Floyd's method).
func scatter[T dense.Float](w dense.Matrix[T], values, places random.Stream) {
	k := min(sparseInputs, w.Cols)
	var chosen []int
	var z [sparseInputs]T
	for i := range w.Rows {
		chosen = chosen[:0]
		at := uint64(i * k)
		random.Normal(values, at, z[:k])
		for c := range k {
			last := w.Cols - k + c
			j := places.IntN(at+uint64(c), last+1)
			if slices.Contains(chosen, j) {
				j = last
			}
			chosen = append(chosen, j)
			w.Set(i, j, z[c])
		}
	}
}
