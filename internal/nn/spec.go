package nn

import (
	"fmt"

	"github.com/precond-go/precond/kron"
)

// Shape is what one example looks like between two layers: an image of
// Height×Width pixels with some channels, stored pixel by pixel. A plain vector has
// one pixel.
type Shape struct{ Height, Width, Channels int }

// Vec returns the shape of a vector of n elements.
func Vec(n int) Shape { return Shape{1, 1, n} }

// Pixels returns the number of pixels.
func (s Shape) Pixels() int { return s.Height * s.Width }

// Len returns the number of elements.
func (s Shape) Len() int { return s.Pixels() * s.Channels }

// Activation is the function between a layer's pre-activations and its outputs.
type Activation int

const (
	Linear   Activation = iota // z
	Logistic                   // 1/(1+exp(−z))
	Tanh                       // tanh z
	ReLU                       // max(z, 0), with the derivative 0 at 0
	Softplus                   // log(1+exp z)
)

// Loss is the loss of one example as a function of the network's outputs z and the
// target t. The loss of a batch is the mean over its examples.
type Loss int

const (
	// BinaryCrossEntropy is Σ log(1+exp z) − t·z, the outputs being logits of independent
	// Bernoulli variables and t in [0, 1].
	BinaryCrossEntropy Loss = iota
	// SquaredError is Σ (z−t)²/2, the outputs being means of normal variables of
	// variance 1.
	SquaredError
	// SoftmaxCrossEntropy is Σ −t·log softmax(z), over the channels of each pixel;
	// the targets of a pixel are probabilities that add up to 1.
	SoftmaxCrossEntropy
)

// Layer describes a layer to New: Full, Conv, MaxPool or AvgPool.
type Layer interface {
	// stage returns the layer on inputs of a shape.
	stage(in Shape) (stage, error)
}

// Full is a fully connected layer. It sees the whole image as one vector, pixel by
// pixel (the layer that others call flatten costs nothing here); with Shared it is
// applied at every pixel, to the channels there.
type Full struct {
	Out    int
	Act    Activation
	Shared bool
	NoBias bool
}

func (l Full) stage(in Shape) (stage, error) {
	if l.Out < 1 {
		return stage{}, fmt.Errorf("Full has %d outputs", l.Out)
	}
	s := stage{kind: full, act: l.Act, bias: !l.NoBias, positions: 1, fanIn: in.Len(), out: Vec(l.Out), width: l.Out}
	if l.Shared {
		s.positions, s.fanIn = in.Pixels(), in.Channels
		s.out.Height, s.out.Width = in.Height, in.Width
	}
	return s, nil
}

// Conv is a two-dimensional convolution. Zero strides, dilations and groups mean 1.
type Conv struct {
	Out                  int
	KernelH, KernelW     int
	StrideH, StrideW     int
	PadH, PadW           int
	DilationH, DilationW int
	Groups               int
	Act                  Activation
	NoBias               bool
}

func (l Conv) stage(in Shape) (stage, error) {
	one := func(n int) int {
		if n == 0 {
			return 1
		}
		return n
	}
	g := &kron.ConvGeometry{
		Height: in.Height, Width: in.Width, Channels: in.Channels, Out: l.Out,
		KernelH: l.KernelH, KernelW: l.KernelW, StrideH: one(l.StrideH), StrideW: one(l.StrideW),
		PadH: l.PadH, PadW: l.PadW, DilationH: one(l.DilationH), DilationW: one(l.DilationW), Groups: one(l.Groups),
	}
	if err := g.Check(); err != nil {
		return stage{}, err
	}
	h, w := g.OutSize()
	return stage{kind: conv, act: l.Act, bias: !l.NoBias, conv: g, positions: h * w, fanIn: g.Patch(), out: Shape{h, w, l.Out}, width: l.Out}, nil
}

// MaxPool takes the largest value of each channel in windows of Size×Size pixels,
// Stride apart (0 means Size). Pixels that fill no window are left out. Where a
// maximum is taken by several pixels, the first one counts.
type MaxPool struct{ Size, Stride int }

func (l MaxPool) stage(in Shape) (stage, error) { return poolStage(maxPool, l.Size, l.Stride, in) }

// AvgPool takes means instead.
type AvgPool struct{ Size, Stride int }

func (l AvgPool) stage(in Shape) (stage, error) { return poolStage(avgPool, l.Size, l.Stride, in) }

func poolStage(kind kind, size, stride int, in Shape) (stage, error) {
	if stride == 0 {
		stride = size
	}
	if size < 1 || stride < 1 || size > in.Height || size > in.Width {
		return stage{}, fmt.Errorf("a pool of size %d and stride %d on %dx%d pixels", size, stride, in.Height, in.Width)
	}
	out := Shape{(in.Height-size)/stride + 1, (in.Width-size)/stride + 1, in.Channels}
	return stage{kind: kind, size: size, stride: stride, positions: out.Pixels(), out: out, width: out.Channels}, nil
}

type kind uint8

const (
	full kind = iota
	conv
	maxPool
	avgPool
)

// stage is a layer in its place.
type stage struct {
	kind  kind
	name  string
	in    Shape
	out   Shape
	width int // columns of the output matrix: its channels
	// Of layers with a weight:
	act       Activation
	bias      bool
	param     int // index of the weight
	fanIn     int // columns of the weight without the bias
	positions int // output rows per example
	conv      *kron.ConvGeometry
	// Of pools:
	size, stride int
}

// weighted returns whether the stage has a weight.
func (s *stage) weighted() bool { return s.kind <= conv }
