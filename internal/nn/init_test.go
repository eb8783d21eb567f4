package nn

import (
	"math"
	"slices"
	"testing"

	"github.com/precond-go/precond/dense"
)

func TestInit(t *testing.T) { both(t, testInit[float32], testInit[float64]) }

func testInit[T dense.Float](t *testing.T) {
	n := New[T](SquaredError, Shape{8, 8, 4},
		Conv{Out: 64, KernelH: 3, KernelW: 5, Groups: 2, Act: ReLU}, Full{Out: 100, Act: Tanh}, Full{Out: 9, NoBias: true}, Full{Out: 60}, Full{Out: 2})
	for how, variance := range map[Init]func(in, out float64) float64{
		Sparse: func(in, out float64) float64 { return min(sparseInputs, in) / in },
		Glorot: func(in, out float64) float64 { return 2 / (in + out) },
		He:     func(in, out float64) float64 { return 2 / in },
	} {
		for i := range n.params {
			n.params[i].Matrix().Fill(T(math.NaN()))
		}
		n.Init(how, 5)
		for _, st := range n.stages {
			p := n.params[st.param].Matrix()
			in, out := float64(st.fanIn), float64(st.width)
			if st.conv != nil {
				out = 3 * 5 * 64 / 2
			}
			var sum, squares float64
			for i := range p.Rows {
				nonzero := 0
				for _, v := range p.Row(i)[:st.fanIn] {
					sum += float64(v)
					squares += float64(v) * float64(v)
					if v != 0 {
						nonzero++
					}
					if bound := math.Sqrt(6 / (in + out)); how == Glorot && !(math.Abs(float64(v)) <= bound) {
						t.Errorf("%s: %v is beyond ±%v", st.name, v, bound)
					}
				}
				if want := min(sparseInputs, st.fanIn); how == Sparse && nonzero != want {
					t.Errorf("%s: unit %d has %d weights, want %d", st.name, i, nonzero, want)
				}
				bias := T(0)
				if how == Sparse && st.act == Tanh {
					bias = 0.5
				}
				if st.bias && p.At(i, st.fanIn) != bias {
					t.Errorf("%s: bias %v, want %v", st.name, p.At(i, st.fanIn), bias)
				}
			}
			size := float64(p.Rows * st.fanIn)
			want := variance(in, out)
			random := size * min(1, sparseInputs/in) // at least so many numbers were drawn
			if !(math.Abs(squares/size-want) <= 6*want*math.Sqrt(2/random)) || !(math.Abs(sum/size) <= 6*math.Sqrt(want/size)) {
				t.Errorf("%s, distribution %d: mean %v, mean square %v, want %v", st.name, how, sum/size, squares/size, want)
			}
		}
		before := slices.Clone(n.params[1].Data)
		n.Init(how, 5)
		if !slices.Equal(before, n.params[1].Data) {
			t.Error("the same seed gives other weights")
		}
		n.Init(how, 6)
		if slices.Equal(before, n.params[1].Data) {
			t.Error("another seed gives the same weights")
		}
	}
}
