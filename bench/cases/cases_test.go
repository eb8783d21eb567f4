package cases

import (
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/bench/limits"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/mat"
)

// small tells cases that a test can afford to run with gonum.
func small(c *Case) bool {
	return c.Cost.Flops <= 5e6 && (c.Cost.Bytes <= 1e6 || c.Beta != 0 && !testing.Short())
}

// agree tells whether two results agree to the accuracy of sums of the given
// length.
func agree(a, b []float64, size, length int) (int, bool) {
	eps := math.Ldexp(1, -52)
	if size == 4 {
		eps = math.Ldexp(1, -23)
	}
	if len(a) != len(b) {
		return -1, false
	}
	scale := 0.0
	for _, v := range a {
		scale = max(scale, math.Abs(v))
	}
	for i := range a {
		if d := math.Abs(a[i] - b[i]); !(d <= 4*eps*float64(length+8)*max(scale, 1)) {
			return i, false
		}
	}
	return 0, true
}

// Each kernel and variant computes what gonum does, or what its formula says.
func TestResults(t *testing.T) {
	done := map[string]int{}
	for _, c := range List(1, 2) {
		if !small(&c) {
			continue
		}
		done[c.Kernel+c.Type()]++
		ours, theirs := c.New(), c.New()
		ours.Ours(1)
		switch {
		case theirs.HasGonum():
			theirs.Gonum(1)
		case !reference(theirs):
			t.Errorf("%s: nothing to compare with", c.Name("any"))
		}
		a, b := ours.Result(), theirs.Result()
		if i, ok := agree(a, b, c.Size, max(c.N, c.K, c.M)); !ok {
			t.Errorf("%s: element %d of %d: %v, want %v", c.Name("any"), i, len(a), a[max(i, 0)], b[max(i, 0)])
		}
		if fresh := c.New().Result(); c.Kernel != "Dot" && same(fresh, a) {
			t.Errorf("%s changes nothing", c.Name("any"))
		}
	}
	for k := range builders[float32]() {
		for _, typ := range []string{"f32", "f64"} {
			if strings.HasSuffix(k, "BF16") && typ == "f64" {
				continue
			}
			if done[k+typ] == 0 {
				t.Errorf("no small case of %s/%s", k, typ)
			}
		}
	}
}

func same(a, b []float64) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// reference does what gonum has no function for, in float64.
func reference(in Instance) bool {
	switch p := in.(type) {
	case *Problem[float32]:
		return referenceOf(p)
	case *Problem[float64]:
		return referenceOf(p)
	}
	return false
}

func referenceOf[T float32 | float64](p *Problem[T]) bool {
	each := func(f func(i int)) bool {
		for i := range p.N {
			f(i)
		}
		return true
	}
	b := float64(p.Beta)
	if strings.HasPrefix(p.Kernel, "Kron") || oneOf(p.Kernel, "ConvMoment", "KhatriRaoGram") {
		kronReference(p)
		return true
	}
	if oneOf(p.Kernel, "LDL", "CholeskyUpdate", "CholeskyDowndate", "EigenSymRefresh", "Polar") {
		factorReference(p)
		return true
	}
	if oneOf(p.Kernel, "QR", "QRPivoted", "LU", "CholeskyPivoted") { // the same in float64
		in := newProblem[float64](p.Spec, 1)
		for i, v := range p.A.Data {
			in.A.Data[i] = float64(v)
		}
		in.Gonum(1)
		return each(func(i int) { p.X[i] = T(in.X[i]) })
	}
	function := func(f func(x float64) float64) bool {
		return each(func(i int) { p.Y[i] = T(f(float64(p.X[i]))) })
	}
	switch p.Kernel {
	case "Exp":
		return function(math.Exp)
	case "Log":
		return function(math.Log)
	case "Tanh":
		return function(math.Tanh)
	case "Sigmoid":
		return function(func(x float64) float64 { return 1 / (1 + math.Exp(-x)) })
	case "ToBF16":
		return each(func(i int) { // no ties among the operands
			p.Half[i] = uint16((math.Float32bits(float32(p.X[i])) + 0x8000) >> 16)
		})
	case "FromBF16":
		return each(func(i int) { p.Y[i] = T(1 + float64(p.Half[i]&0x7f)/128) })
	case "Transpose":
		for i := range p.M {
			for j := range p.N {
				p.C.Set(j, i, p.A.At(i, j))
			}
		}
		return true
	case "Cholesky", "SPDInverse", "CholeskyBatch":
		wide := newProblem[float64](p.Spec, 1) // its operands are those of p before rounding
		for i, v := range p.A.Data {
			wide.A.Data[i] = float64(v)
		}
		for i, v := range p.Y {
			wide.Y[i] = float64(v)
		}
		wide.Gonum(1)
		for i, v := range wide.C.Data {
			p.C.Data[i] = T(v)
		}
		for i, v := range wide.X {
			p.X[i] = T(v)
		}
		return true
	case "EigenSym", "EigenSymValues":
		a := mat.NewSymDense(p.N, nil)
		for i := range p.N {
			for j := range i + 1 {
				a.SetSym(i, j, float64(p.A.At(i, j)))
			}
		}
		var e mat.EigenSym
		ok := e.Factorize(a, false)
		values := e.Values(nil)
		return ok && each(func(i int) { p.X[i] = T(values[i]) })
	case "MulTo":
		return each(func(i int) { p.Z[i] = p.X[i] * p.Y[i] })
	case "DivTo":
		return each(func(i int) { p.Z[i] = p.X[i] / p.Y[i] })
	case "SqrtDivTo":
		return each(func(i int) { p.Z[i] = T(float64(p.X[i]) / (math.Sqrt(float64(p.Y[i])) + 1e-3)) })
	case "EMA":
		return each(func(i int) { p.Y[i] = T(b*float64(p.Y[i]) + (1-b)*float64(p.X[i])) })
	case "EMASq":
		return each(func(i int) { p.Y[i] = T(b*float64(p.Y[i]) + (1-b)*float64(p.X[i])*float64(p.X[i])) })
	case "Momentum":
		return each(func(i int) {
			m := float64(p.momentum[asm.MomentumMu])*float64(p.Y[i]) + float64(p.X[i])
			p.Y[i] = T(m)
			p.Z[i] = T(float64(p.Z[i]) - float64(p.momentum[asm.MomentumRate])*m)
		})
	case "Adam":
		return each(func(i int) {
			g := float64(p.X[i])
			b1, b2 := float64(p.adam[asm.AdamBeta1]), float64(p.adam[asm.AdamBeta2])
			m, v := b1*float64(p.Y[i])+(1-b1)*g, b2*float64(p.Z[i])+(1-b2)*g*g
			p.Y[i], p.Z[i] = T(m), T(v)
			p.W[i] = T(float64(p.W[i]) - float64(p.adam[asm.AdamRate])*m/(math.Sqrt(v)+float64(p.adam[asm.AdamEps])))
		})
	}
	return false
}

// Repeating an operation in place neither overflows nor dies out, and the
// operands that are only read stay as they are.
func TestRepeatable(t *testing.T) {
	for _, c := range List(1) {
		if c.Cost.Flops > 2e6 || c.Cost.Bytes > 1e5 {
			continue
		}
		in := c.New()
		in.Ours(1)
		first := norm(in.Result())
		in.Ours(300)
		if last := norm(in.Result()); !(last < 1e4*first+1) || !(last > 1e-4*first) {
			t.Errorf("%s: norm %v after one call, %v after 301", c.Name("any"), first, last)
		}
	}
}

func norm(x []float64) float64 {
	s := 0.0
	for _, v := range x {
		s += v * v
	}
	return math.Sqrt(s)
}

func TestInvolution(t *testing.T) {
	for _, n := range []int{1, 2, 3, 10, 65} {
		for _, u := range []blas.Uplo{blas.Lower, blas.Upper} {
			a := involution[float64](n, u)
			m := mat.NewDense(n, n, a.Data)
			var p mat.Dense
			p.Mul(m, m)
			for i := range n {
				p.Set(i, i, p.At(i, i)-1)
			}
			if e := mat.Norm(&p, 1); !(e < 1e-13) {
				t.Errorf("n=%d %c: ‖L²−I‖ = %v", n, u, e)
			}
			zeros := 0
			for _, v := range a.Data {
				if v == 0 {
					zeros++
				}
			}
			if n != 2 && zeros != n*(n-1)/2 && n < 3 {
				t.Errorf("n=%d: %d zeros", n, zeros)
			}
		}
	}
}

var nameForm = regexp.MustCompile(`^[A-Z][A-Za-z0-9]*/f(32|64)/([A-Z]+/)?[a-z]+=\d+(/[a-z]+=\d+)*/threads=\d+/isa=avx512$`)

func TestList(t *testing.T) {
	list := List(1, 2)
	seen := map[string]bool{}
	for _, c := range list {
		name := c.Name("avx512")
		if seen[name] {
			t.Errorf("%s twice", name)
		}
		seen[name] = true
		if !nameForm.MatchString(name) {
			t.Errorf("name %q", name)
		}
		if !(c.Cost.Work() > 0) || !(c.Cost.Bytes > 0) || c.Cost.Footprint <= 0 {
			t.Errorf("%s: cost %+v", name, c.Cost)
		}
		if (c.Cost.Unit == GFLOPs) != (c.Cost.Flops > 0) {
			t.Errorf("%s: %v flops in %s", name, c.Cost.Flops, c.Cost.Unit)
		}
		for _, b := range c.Bars {
			if !(b.Must > 0) || b.Goal < b.Must {
				t.Errorf("%s: bar %+v", name, b)
			}
		}
	}
	for _, c := range list {
		if c.Base != "" {
			if b, ok := c.BaseCase(); !ok || b.Type() != c.Type() || b.Threads != c.Threads || b.TA != blas.NoTrans {
				t.Errorf("%s: base %s is %+v", c.Name("avx512"), c.Base, b)
			}
		}
		if _, ok := c.Bar(Base, "avx512"); ok != (c.Base != "") {
			t.Errorf("%s: base %q, bar %v", c.Name("avx512"), c.Base, ok)
		}
	}
	// What the foundation has to show.
	for _, want := range strings.Fields(`
		Gemm/f32/NN/n=8/threads=1 Gemm/f64/NN/n=2048/threads=2 Gemm/f32/NT/n=512/threads=1
		Gemm/f64/TT/n=1023/threads=2 Gemm/f32/TN/m=785/n=785/k=60000/threads=1
		Syrk/f64/LT/n=512/k=4096/threads=2 Gemm/f32/NN/m=1/n=1024/k=1024/threads=1
		GemmBatch/f32/NN/n=8/count=1000/threads=2 GemmStrided/f64/NT/n=128/count=64/threads=2
		Gemm/f64/NT/m=1024/n=1024/k=32/beta=1/threads=1 Syrk/f32/LN/n=64/threads=1
		Trsm/f32/LLN/n=1024/threads=2 Trmm/f64/LLN/n=64/threads=1
		Gemv/f32/N/n=8192/threads=2 Gemv/f64/T/m=8192/n=4096/threads=1 Ger/f32/n=8192/threads=1
		Dot/f32/n=33554432/threads=1 Axpy/f64/n=1024/threads=1 Adam/f32/n=16777216/threads=2`) {
		if !seen[want+"/isa=avx512"] {
			t.Errorf("no case %s", want)
		}
	}
}

func TestLimitLoop(t *testing.T) {
	l := limits.New("generic")
	for _, c := range List(1, 2) {
		if c.Cost.Footprint > 1<<22 || !c.Quick {
			continue
		}
		loop := c.LimitLoop(l)
		loop.Do(1)
		want := l.BandwidthLoop(c.Cost.Stream, c.Cost.Footprint, c.Threads).Work
		if c.Cost.Unit == GFLOPs {
			fma := l.FMALoop(c.Size, c.Threads).Work
			if loop.Work != fma && loop.Work != want*(c.Cost.Flops/c.Cost.Bytes) {
				t.Errorf("%s: limit of work %v", c.Name("generic"), loop.Work)
			}
		} else if loop.Work != want {
			t.Errorf("%s: limit of work %v, want %v", c.Name("generic"), loop.Work, want)
		}
	}
}

func TestVerdict(t *testing.T) {
	b := Bar{OpenBLAS, 0.9, 1.2}
	for r, want := range map[float64]string{0.89: "below", 0.9: "must", 1.19: "must", 1.2: "goal"} {
		if got := b.Verdict(r); got != want {
			t.Errorf("Verdict(%v) = %s, want %s", r, got, want)
		}
	}
	if got := b.Verdict(math.NaN()); got != "below" {
		t.Errorf("Verdict(NaN) = %s", got)
	}
}
