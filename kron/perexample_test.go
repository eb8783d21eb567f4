package kron

import (
	"fmt"
	"math"
	"testing"

	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/blas"
)

// jacobian returns J by its definition.
func jacobian[T float](p *PerExample[T]) matrix[float64] {
	t := max(1, p.Places)
	a := appended(p.Inputs, p.Bias)
	j := dense.NewMatrix[float64](p.Examples(), p.Grads.Cols*a.Cols)
	for r := range a.Rows {
		for i, g := range p.Grads.Row(r) {
			for k, v := range a.Row(r) {
				j.Row(r / t)[i*a.Cols+k] += float64(g) * v
			}
		}
	}
	return j
}

func TestPerExample(t *testing.T) { both(t, testPerExample[float32], testPerExample[float64]) }

func testPerExample[T float](t *testing.T) {
	ways := map[bool]int{}
	for _, s := range [][4]int{ // n, places, d, out
		{1, 0, 1, 1}, {5, 1, 3, 4}, {0, 1, 2, 3}, {0, 3, 2, 3}, {3, 2, 0, 4}, {3, 2, 4, 0}, {6, 3, 5, 2}, {4, 2, 20, 30}, {7, 9, 3, 2},
		{400, 1, 3, 2}, {70, 5, 30, 20}, {12, 30, 2, 500}, {300, 2, 2, 300}, {130, 4, 40, 40},
	} {
		for _, bias := range []bool{false, true} {
			n, places, d, out := s[0], s[1], s[2], s[3]
			rows := n * max(1, places)
			p := PerExample[T]{Inputs: draw[T](1, rows, d, 1), Grads: draw[T](2, rows, out, 2), Bias: bias, Places: places}
			if n > 2 {
				ways[p.byColumns()]++
			}
			name := fmt.Sprint(s, bias)
			j := jacobian(&p)
			q := PerExample[T]{Inputs: p.Inputs, Grads: p.Grads, Bias: bias, Places: places}
			for _, m := range []*matrix[T]{&q.Inputs, &q.Grads} { // of the magnitudes
				*m = copyOf(*m)
				for i, v := range m.Data {
					m.Data[i] = T(math.Abs(float64(v)))
				}
			}
			size := jacobian(&q)
			steps := 2*(d+out) + max(1, places)*max(1, places) + 8

			form := draw[T](3, n, j.Cols, 1)
			p.Form(form, nil)
			near(t, name+" Form", elements(form), j.Data, size.Data, steps)

			k := draw[T](4, n, n, 2)
			poisonUpper(k)
			p.Gram(k, nil)
			near(t, name+" Gram", lowerOf(k), lowerOf(times(j, whole(blas.Trans, j))), lowerOf(times(size, whole(blas.Trans, size))), steps+2*j.Cols)

			w, y := draw[T](5, out, d+homogeneous(bias), 1), draws[T](6, n)
			p.Mul(w, y, nil)
			near(t, name+" Mul", y, timesVec(j, elements(wide(w))), timesVec(size, elements(absolute(wide(w)))), steps)

			c := draws[T](7, n)
			for _, beta := range []T{0, 0.5} {
				v := copyOf(w)
				if beta == 0 {
					v.Fill(T(math.NaN()))
				}
				want := timesVec(whole(blas.Trans, j), elements(wide(vector(c))))
				abs := timesVec(whole(blas.Trans, size), elements(absolute(wide(vector(c)))))
				for i, x := range elements(wide(w)) {
					want[i] = 2*want[i] + float64(beta)*x
					abs[i] = 2*abs[i] + float64(beta)*math.Abs(x)
				}
				p.MulTrans(2, c, beta, v, nil)
				near(t, name+" MulTrans", elements(v), want, abs, steps+n)
			}
		}
	}
	if ways[true] < 3 || ways[false] < 3 {
		t.Errorf("Gram went through columns of J %d times, %d times not", ways[true], ways[false])
	}
}

func TestPerExampleOpts(t *testing.T) {
	both(t, testPerExampleOpts[float32], testPerExampleOpts[float64])
}

func testPerExampleOpts[T float](t *testing.T) {
	for _, places := range []int{1, 12} {
		p := PerExample[T]{Inputs: draw[T](1, 120*places, 50, 1), Grads: draw[T](2, 120*places, 60, 2), Bias: true, Places: places}
		k, w, y := draw[T](3, 120, 120, 0), draw[T](4, 60, 51, 0), draws[T](5, 120)
		steadyK, steadyW, steadyY := copyOf(k), copyOf(w), draws[T](6, 120)
		checkOpts(t, "Gram", func(int) int { return p.GramWork() }, func(o *options[T]) [][]T {
			k := copyOf(k)
			p.Gram(k, o)
			return [][]T{k.Data}
		}, func(o *options[T]) { p.Gram(steadyK, o) })
		checkOpts(t, "Mul", func(int) int { return p.MulWork() }, func(o *options[T]) [][]T {
			y := draws[T](6, 120)
			p.Mul(w, y, o)
			return [][]T{y}
		}, func(o *options[T]) { p.Mul(w, steadyY, o) })
		checkOpts(t, "MulTrans", func(int) int { return p.MulWork() }, func(o *options[T]) [][]T {
			w := copyOf(w)
			p.MulTrans(0.5, y, 0.25, w, o)
			return [][]T{w.Data}
		}, func(o *options[T]) { p.MulTrans(0.5, y, 0.25, steadyW, o) })
		j := draw[T](7, 120, 60*51, 0)
		checkOpts(t, "Form", nil, func(o *options[T]) [][]T {
			j := copyOf(j)
			p.Form(j, o)
			return [][]T{j.Data}
		}, func(o *options[T]) { p.Form(j, o) })
	}
	p := PerExample[T]{Inputs: draw[T](1, 6, 5, 1), Grads: draw[T](2, 6, 4, 2), Places: 2}
	mustPanic(t, "kron: Gram: 3 examples, k is 6x6", func() { p.Gram(draw[T](1, 6, 6, 0), nil) })
	mustPanic(t, "kron: Mul: inputs are 6x5, bias false, gradients 6x4, w is 4x6, the vector has 3 elements", func() { p.Mul(draw[T](1, 4, 6, 0), make([]T, 3), nil) })
	mustPanic(t, "kron: MulTrans: w overlaps the batch", func() { p.MulTrans(1, make([]T, 3), 0, p.Inputs.View(0, 0, 4, 5), nil) })
	p.Places = 4
	mustPanic(t, "kron: Form: inputs are 6x5, gradients 6x4, 4 places", func() { p.Form(draw[T](1, 3, 20, 0), nil) })
}
