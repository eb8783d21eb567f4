package nn

import (
	"math"

	"github.com/precond-go/precond/dense"
)

// This file is an independent implementation of networks, by their definitions, one number
// at a time in float64. Its numbers are hyper-dual (Fike and Alonso 2011): they carry
// derivatives in two directions and the mixed second derivative, exact up to rounding.

// hyper is r + a·ε₁ + b·ε₂ + ab·ε₁ε₂ with ε₁² = ε₂² = 0.
type hyper struct{ r, a, b, ab float64 }

func real(x float64) hyper { return hyper{r: x} }

func (x hyper) add(y hyper) hyper { return hyper{x.r + y.r, x.a + y.a, x.b + y.b, x.ab + y.ab} }

func (x hyper) mul(y hyper) hyper {
	return hyper{x.r * y.r, x.r*y.a + x.a*y.r, x.r*y.b + x.b*y.r, x.r*y.ab + x.a*y.b + x.b*y.a + x.ab*y.r}
}

// apply returns f(x), given f, f' and f” at x.r.
func (x hyper) apply(f, f1, f2 float64) hyper {
	return hyper{f, f1 * x.a, f1 * x.b, f1*x.ab + f2*x.a*x.b}
}

func (x hyper) activate(act Activation) hyper {
	s := 1 / (1 + math.Exp(-x.r))
	switch act {
	case Logistic:
		return x.apply(s, s*(1-s), s*(1-s)*(1-2*s))
	case Tanh:
		t := math.Tanh(x.r)
		return x.apply(t, 1-t*t, -2*t*(1-t*t))
	case ReLU:
		if x.r <= 0 {
			return real(0)
		}
	case Softplus:
		return x.softplus()
	}
	return x
}

func (x hyper) softplus() hyper {
	s := 1 / (1 + math.Exp(-x.r))
	return x.apply(math.Max(x.r, 0)+math.Log1p(math.Exp(-math.Abs(x.r))), s, s*(1-s))
}

// oracle is a network; params[l] is the weight of layer l, nil for pools.
type oracle struct {
	loss   Loss
	input  Shape
	layers []Layer
	params [][]hyper
}

// outputs returns the outputs for one example.
func (o *oracle) outputs(x []float64) []hyper {
	v := make([]hyper, len(x))
	for i := range x {
		v[i] = real(x[i])
	}
	shape := o.input
	for l, layer := range o.layers {
		switch layer := layer.(type) {
		case Full:
			v = o.full(layer, o.params[l], shape, v)
			if !layer.Shared {
				shape.Height, shape.Width = 1, 1
			}
			shape.Channels = layer.Out
		case Conv:
			v, shape = o.conv(layer, o.params[l], shape, v)
		case MaxPool:
			v, shape = window(layer.Size, layer.Stride, shape, v, func(values []hyper) hyper {
				best := values[0]
				for _, x := range values {
					if x.r > best.r {
						best = x
					}
				}
				return best
			})
		case AvgPool:
			v, shape = window(layer.Size, layer.Stride, shape, v, func(values []hyper) hyper {
				var sum hyper
				for _, x := range values {
					sum = sum.add(x)
				}
				return sum.mul(real(1 / float64(len(values))))
			})
		}
	}
	return v
}

func (o *oracle) full(l Full, w []hyper, shape Shape, v []hyper) (out []hyper) {
	in := len(v)
	if l.Shared {
		in = shape.Channels
	}
	cols := len(w) / l.Out
	for p := 0; p < len(v); p += in {
		for i := range l.Out {
			z := hyper{}
			if !l.NoBias {
				z = w[i*cols+in]
			}
			for j := range in {
				z = z.add(w[i*cols+j].mul(v[p+j]))
			}
			out = append(out, z.activate(l.Act))
		}
	}
	return out
}

func (o *oracle) conv(l Conv, w []hyper, in Shape, v []hyper) (out []hyper, shape Shape) {
	for _, p := range []*int{&l.StrideH, &l.StrideW, &l.DilationH, &l.DilationW, &l.Groups} {
		*p = max(*p, 1)
	}
	shape = Shape{1 + (in.Height+2*l.PadH-1-l.DilationH*(l.KernelH-1))/l.StrideH, 1 + (in.Width+2*l.PadW-1-l.DilationW*(l.KernelW-1))/l.StrideW, l.Out}
	cols, cg, og := len(w)/l.Out, in.Channels/l.Groups, l.Out/l.Groups
	for y := range shape.Height {
		for x := range shape.Width {
			for c := range l.Out {
				z := hyper{}
				if !l.NoBias {
					z = w[(c+1)*cols-1]
				}
				for ky := range l.KernelH {
					for kx := range l.KernelW {
						iy, ix := y*l.StrideH+ky*l.DilationH-l.PadH, x*l.StrideW+kx*l.DilationW-l.PadW
						if iy < 0 || ix < 0 || iy >= in.Height || ix >= in.Width {
							continue
						}
						for k := range cg {
							z = z.add(w[c*cols+(ky*l.KernelW+kx)*cg+k].mul(v[(iy*in.Width+ix)*in.Channels+c/og*cg+k]))
						}
					}
				}
				out = append(out, z.activate(l.Act))
			}
		}
	}
	return out, shape
}

func window(size, stride int, in Shape, v []hyper, f func(values []hyper) hyper) (out []hyper, shape Shape) {
	if stride == 0 {
		stride = size
	}
	shape = Shape{(in.Height-size)/stride + 1, (in.Width-size)/stride + 1, in.Channels}
	for y := range shape.Height {
		for x := range shape.Width {
			for c := range in.Channels {
				var values []hyper
				for ky := range size {
					for kx := range size {
						values = append(values, v[((y*stride+ky)*in.Width+x*stride+kx)*in.Channels+c])
					}
				}
				out = append(out, f(values))
			}
		}
	}
	return out, shape
}

// lossOf returns the loss of one example with outputs z of a number of channels.
func lossOf(loss Loss, z []hyper, t []float64, channels int) hyper {
	var sum hyper
	switch loss {
	case BinaryCrossEntropy:
		for i, z := range z {
			sum = sum.add(z.softplus()).add(z.mul(real(-t[i])))
		}
	case SquaredError:
		for i, z := range z {
			d := z.add(real(-t[i]))
			sum = sum.add(d.mul(d).mul(real(0.5)))
		}
	case SoftmaxCrossEntropy:
		for p := 0; p < len(z); p += channels {
			var total hyper
			for _, z := range z[p : p+channels] {
				e := math.Exp(z.r)
				total = total.add(z.apply(e, e, e))
			}
			log := total.apply(math.Log(total.r), 1/total.r, -1/(total.r*total.r))
			for i := p; i < p+channels; i++ {
				sum = sum.add(log.add(z[i].mul(real(-1))).mul(real(t[i])))
			}
		}
	}
	return sum
}

// A reference is what the oracle says of a batch: all of it, dense. Parameters are in one
// line, layer after layer.
type reference struct {
	loss        float64
	outputs     [][]float64   // by example
	gradient    []float64     // of the mean loss
	jacobian    [][][]float64 // by example, output, parameter
	gaussNewton [][]float64   // of the mean loss
	hessian     [][]float64
}

// refer computes the reference of a network at its parameters; each of the three parts costs
// one pass for each parameter, or pair.
func refer[T dense.Float](n *Network[T], layers []Layer, x, t dense.Matrix[T], hessian bool) *reference {
	o := &oracle{loss: n.loss, input: n.input, layers: layers, params: make([][]hyper, len(layers))}
	var all []*hyper
	next := 0
	for l, layer := range layers {
		switch layer.(type) {
		case Full, Conv:
			for _, v := range n.params[next].Data {
				o.params[l] = append(o.params[l], real(float64(v)))
			}
			for i := range o.params[l] {
				all = append(all, &o.params[l][i])
			}
			next++
		}
	}
	size := len(all)
	r := &reference{gradient: make([]float64, size)}
	square := func() [][]float64 {
		m := make([][]float64, size)
		for i := range m {
			m[i] = make([]float64, size)
		}
		return m
	}
	r.gaussNewton, r.hessian = square(), square()
	channels := n.Output().Channels
	mean := 1 / float64(x.Rows)
	for e := range x.Rows {
		in, target := float64s(x.Row(e)), float64s(t.Row(e))
		var jac [][]float64 // by output
		for i, p := range all {
			p.a = 1
			z := o.outputs(in)
			if i == 0 {
				jac = make([][]float64, len(z))
				r.outputs = append(r.outputs, make([]float64, len(z)))
				for k := range z {
					jac[k] = make([]float64, size)
					r.outputs[e][k] = z[k].r
				}
				r.loss += mean * lossOf(n.loss, z, target, channels).r
			}
			for k := range z {
				jac[k][i] = z[k].a
			}
			r.gradient[i] += mean * lossOf(n.loss, z, target, channels).a
			for j := 0; hessian && j <= i; j++ {
				all[j].b = 1
				h := mean * lossOf(n.loss, o.outputs(in), target, channels).ab
				r.hessian[i][j] += h
				if j < i {
					r.hessian[j][i] += h
				}
				all[j].b = 0
			}
			p.a = 0
		}
		r.jacobian = append(r.jacobian, jac)
		for k := range jac {
			for l := range jac {
				z := make([]hyper, len(jac))
				for i := range z {
					z[i].r = r.outputs[e][i]
				}
				z[k].a, z[l].b = 1, 1
				h := mean * lossOf(n.loss, z, target, channels).ab
				if h == 0 {
					continue
				}
				for i := range size {
					for j := range size {
						r.gaussNewton[i][j] += jac[k][i] * h * jac[l][j]
					}
				}
			}
		}
	}
	return r
}

func float64s[T dense.Float](x []T) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}
