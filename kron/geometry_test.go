package kron

import (
	"strings"
	"testing"
)

func TestConvGeometry(t *testing.T) {
	good := ConvGeometry{Height: 9, Width: 7, Channels: 4, Out: 6, KernelH: 3, KernelW: 2, StrideH: 2, StrideW: 1, PadH: 1, DilationH: 2, DilationW: 3, Groups: 2}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	// Count the output pixels one by one.
	h, w := good.OutSize()
	for _, c := range []struct{ got, size, pad, kernel, stride, dilation int }{{h, 9, 1, 3, 2, 2}, {w, 7, 0, 2, 1, 3}} {
		n := 0
		for at := -c.pad; at+(c.kernel-1)*c.dilation < c.size+c.pad; at += c.stride {
			n++
		}
		if c.got != n {
			t.Errorf("output size %d, want %d", c.got, n)
		}
	}
	if good.Patch() != 12 {
		t.Errorf("Patch() = %d, want 12", good.Patch())
	}
	for name, spoil := range map[string]func(g *ConvGeometry){
		"StrideH": func(g *ConvGeometry) { g.StrideH = 0 },
		"PadW":    func(g *ConvGeometry) { g.PadW = -1 },
		"groups":  func(g *ConvGeometry) { g.Groups = 4 },
		"kernel":  func(g *ConvGeometry) { g.DilationH = 6 },
		// One pixel too large, where the size divided by the stride rounds to zero.
		"image": func(g *ConvGeometry) { g.KernelH, g.DilationH, g.StrideH = 12, 1, 2 },
	} {
		g := good
		spoil(&g)
		if err := g.Check(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: Check() = %v", name, err)
		}
	}
}
