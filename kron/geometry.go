package kron

import "fmt"

// ConvGeometry is the shape of a two-dimensional convolution. An image is a matrix
// of (Height·Width)×Channels, one pixel a row, the images of a batch one below the
// other (the order that is called NHWC). The weight is a matrix of
// Out×(KernelH·KernelW·Channels/Groups), the columns in the order (kernel row,
// kernel column, channel within the group).
type ConvGeometry struct {
	Height, Width, Channels int // of the input
	Out                     int // output channels
	KernelH, KernelW        int
	StrideH, StrideW        int
	PadH, PadW              int // zeros on each side
	DilationH, DilationW    int
	Groups                  int // divides Channels and Out
}

// Check returns an error that says which field is impossible.
func (g ConvGeometry) Check() error {
	for _, f := range [...]struct {
		name       string
		value, min int
	}{
		{"Height", g.Height, 1}, {"Width", g.Width, 1}, {"Channels", g.Channels, 1}, {"Out", g.Out, 1},
		{"KernelH", g.KernelH, 1}, {"KernelW", g.KernelW, 1}, {"StrideH", g.StrideH, 1}, {"StrideW", g.StrideW, 1},
		{"PadH", g.PadH, 0}, {"PadW", g.PadW, 0}, {"DilationH", g.DilationH, 1}, {"DilationW", g.DilationW, 1}, {"Groups", g.Groups, 1},
	} {
		if f.value < f.min {
			return fmt.Errorf("kron: ConvGeometry: %s is %d, want at least %d", f.name, f.value, f.min)
		}
	}
	if g.Channels%g.Groups != 0 || g.Out%g.Groups != 0 {
		return fmt.Errorf("kron: ConvGeometry: %d groups do not divide %d input and %d output channels", g.Groups, g.Channels, g.Out)
	}
	if g.DilationH*(g.KernelH-1) >= g.Height+2*g.PadH || g.DilationW*(g.KernelW-1) >= g.Width+2*g.PadW {
		return fmt.Errorf("kron: ConvGeometry: the kernel is larger than the padded image")
	}
	return nil
}

// OutSize returns the height and width of the output.
func (g ConvGeometry) OutSize() (h, w int) {
	h = (g.Height+2*g.PadH-g.DilationH*(g.KernelH-1)-1)/g.StrideH + 1
	w = (g.Width+2*g.PadW-g.DilationW*(g.KernelW-1)-1)/g.StrideW + 1
	return h, w
}

// Patch returns the length of a patch: the columns of the weight.
func (g ConvGeometry) Patch() int { return g.KernelH * g.KernelW * g.Channels / g.Groups }
