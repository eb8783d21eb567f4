package dense

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/internal/hard"
)

// TestSecularRoots compares the roots in float32 with those that bisection finds in
// float64, for poles down to a few units apart and weights of all magnitudes. Roots of a
// term that is nearly cancelled by 1/ρ are moved by the rounding of the sum itself.
func TestSecularRoots(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	kern := asm.For[float32]()
	worst := 0.
	for range 4000 {
		f := randomSecular(r, kern)
		for i := range f.poles {
			org, tau := f.root(i)
			base := float64(f.poles[i])
			got := float64(f.poles[org]) + float64(tau) - base
			lo, hi := 0., 2*float64(f.sum)/float64(f.inverse)
			if i+1 < len(f.poles) {
				hi = float64(f.poles[i+1]) - base
			}
			if !(org == i && tau > 0 && got < hi || org == i+1 && tau < 0 && got > 0) {
				t.Fatalf("root %d of %v is at %g from pole %d", i, f, tau, org)
			}
			for range 60 {
				mid := (lo + hi) / 2
				s := float64(f.inverse)
				for j, p := range f.poles {
					z := float64(f.weights[j])
					s += z * z / (float64(p) - base - mid)
				}
				if s < 0 {
					lo = mid
				} else {
					hi = mid
				}
			}
			if e := math.Abs(got-lo) / hard.Epsilon[float32](); !(e <= worst) {
				worst = e
			}
		}
	}
	t.Logf("largest error %.3g ε", worst)
	if !(worst <= 2) {
		t.Errorf("a root is in error by %.3g ε", worst)
	}
}

// randomSecular returns a secular function of 1 to 12 poles in (−1, 1).
func randomSecular(r *rand.Rand, kern *asm.Kernels[float32]) *secularFunction[float32] {
	k := 1 + r.IntN(12)
	var d []float32
	for len(d) < k {
		x := float32(r.Float64()*2 - 1)
		if len(d) > 0 && r.IntN(2) == 0 {
			x = d[r.IntN(len(d))]
			for range 1 + r.IntN(8) {
				x = math.Nextafter32(x, 2)
			}
		}
		if !slices.Contains(d, x) {
			d = append(d, x)
		}
	}
	slices.Sort(d)
	z := make([]float32, k)
	norm := 0.
	for i := range z {
		z[i] = float32(math.Exp(-r.Float64() * 14 * float64(r.IntN(2))))
		norm += float64(z[i]) * float64(z[i])
	}
	for i := range z {
		z[i] = float32(float64(z[i])/math.Sqrt(norm)) * float32(1-2*r.IntN(2))
	}
	rho := float32(math.Exp(-r.Float64() * 12))
	return &secularFunction[float32]{kern: kern, poles: d, weights: z, inverse: 1 / rho, sum: kern.SumSq(z)}
}

// TestTridiagonal checks that the reduction and its back-transformation are a
// similarity: Q·T·Qᵀ = A.
func TestTridiagonal(t *testing.T) { both(t, testTridiagonal[float32], testTridiagonal[float64]) }

func testTridiagonal[T Float](t *testing.T) {
	for _, n := range []int{1, 2, 3, 4, 31, 32, 33, 34, 35, 64, 65, 66, 67, 130, 300} {
		a := MatrixOf(n, n, hard.Symmetric[T](hard.Random, n).Data)
		var e eigen[T]
		var w arena[T]
		e.reserve(&w, n, n, 3)
		w = arenaOver(filled(w.Used(), T(math.NaN())))
		e.reserve(&w, n, n, 3)
		o := &Opts[T]{Threads: 1, Work: e.space}
		e.reduced.kern = asm.For[T]()
		var one []T
		for threads := 1; threads <= 3; threads++ {
			e.reduced.load(true, a, 1)
			e.reduced.reduce(threads, 0, o)
			if threads == 1 {
				one = slices.Concat(e.reduced.d, e.reduced.e, e.reduced.tau)
			}
			equalBits(t, fmt.Sprintf("n=%d threads=%d", n, threads), slices.Concat(e.reduced.d, e.reduced.e, e.reduced.tau), one)
		}
		q := NewMatrix[T](n, n)
		for i := range n {
			q.Set(i, i, 1)
		}
		e.reduced.apply(q, e.factor, o)
		got := NewMatrix[float64](n, n)
		for i := range n {
			for j := range n {
				s := 0.
				for k := range n {
					v := float64(e.reduced.d[k]) * float64(q.At(j, k))
					if k > 0 {
						v += float64(e.reduced.e[k-1]) * float64(q.At(j, k-1))
					}
					if k+1 < n {
						v += float64(e.reduced.e[k]) * float64(q.At(j, k+1))
					}
					s += float64(q.At(i, k)) * v
				}
				got.Set(i, j, s-float64(a.At(i, j)))
			}
		}
		if r := Norm1(got, nil) / (float64(n) * hard.Epsilon[T]() * float64(Norm1(a, nil))); !(r <= 1) {
			t.Errorf("n=%d: ‖QTQᵀ − A‖₁ is %.3g·n·ε·‖A‖₁", n, r)
		}
	}
}
