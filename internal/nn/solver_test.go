package nn

import (
	"testing"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/random"
	"github.com/precond-go/precond/solvers"
	"github.com/precond-go/precond/solvers/kfac"
)

// TestSolverAllocations: a step of K-FAC with its quadratic model allocates nothing after
// warm-up, whatever it refreshes and adapts.
func TestSolverAllocations(t *testing.T) {
	for _, form := range []kfac.Form{kfac.Cholesky, kfac.Eigen, kfac.Corrected, kfac.Tridiagonal} {
		n := New[float32](BinaryCrossEntropy, Vec(40), Full{Out: 30, Act: Logistic}, Full{Out: 5}, Full{Out: 40})
		n.Init(Sparse, 1)
		n.Threads, n.Sampled = 2, 0.25
		x := dense.NewMatrix[float32](64, 40)
		random.Uniform(random.New(36, 0, 0), 0, x.Data)
		params := n.Params()
		e := kfac.New(params, kfac.Options{Form: form, InverseEvery: 2, Threads: 2})
		q := kfac.NewQuadratic(params, e, kfac.QuadraticOptions{Lambda: 1, L2: 1e-5, LambdaEvery: 2, GammaEvery: 3, Threads: 2})
		opt := solvers.NewOptimizer(params, e, q)
		opt.L2, opt.Threads = solvers.Constant(1e-5), 2
		var part kfac.Subsampled[float32]
		six := func() { // steps, with all that there is in one
			for range 6 {
				ev, err := n.Evidence(x, x, opt.Needs(), opt.Steps())
				if err != nil {
					t.Fatal(err)
				}
				if part.Whole == nil {
					part.Curvature, part.Whole = n.curv.First(16), ev.Curvature
				}
				ev.Curvature = &part
				if _, err := opt.Step(ev); err != nil {
					t.Fatal(err)
				}
			}
		}
		six()
		six()
		if a := testing.AllocsPerRun(3, six); a != 0 {
			t.Errorf("form %d: six steps allocate %v times", form, a)
		}
	}
}
