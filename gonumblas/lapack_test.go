package gonumblas_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/precond-go/precond/gonumblas"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/lapack"
	gonumlapack "gonum.org/v1/gonum/lapack/gonum"
)

// lapackRoutines gives the arguments of the routines of Lapack that are not gonum's.
var lapackRoutines = map[string]string{
	"Dpotrf": "ul n a lda", "Dpotri": "ul n a lda", "Dpotrs": "ul n nrhs a lda b ldb", "Dtrtri": "ul d n a lda",
	"Dpocon": "ul n a lda anorm work iwork",
	"Dgetrf": "m n a lda ipiv", "Dgetrs": "tA n nrhs a lda ipiv b ldb", "Dgetri": "n a lda ipiv work lwork",
	"Dgeqrf": "m n a lda tau work lwork", "Dorgqr": "m n k a lda tau work lwork",
	"Dormqr": "s tA m n k a lda tau c ldc work lwork",
	"Dsyev":  "jobz ul n a lda w work lwork",
	"Dgesvd": "jobU jobVT m n a lda s u ldu vt ldvt work lwork",
}

// TestLapackArguments draws arguments of any value: ours must panic when gonum's do,
// with the same text, and else return the same. A query must give the same answer.
func TestLapackArguments(t *testing.T) {
	for method, names := range lapackRoutines {
		r := rand.New(rand.NewPCG(3, uint64(len(names))))
		typ := reflect.ValueOf(gonumblas.Lapack{}).MethodByName(method).Type()
		list := strings.Fields(names)
		panics, queries, trials := 0, 0, 4000
		for range trials {
			valid := r.IntN(4) > 0 // most often, or else little but panics would be seen
			dims := map[string]int{}
			var args []reflect.Value
			for i, name := range list {
				v := drawLapack(r, method, name, typ.In(i), valid, dims)
				args = append(args, v.Convert(typ.In(i)))
			}
			ours, theirs := copySlices(args), copySlices(args)
			got, gotPanic := call(gonumblas.Lapack{}, method, ours)
			want, wantPanic := call(gonumlapack.Implementation{}, method, theirs)
			beyond := wantPanic != nil && strings.HasPrefix(wantPanic.(string), "runtime error") // gonum's fault
			if gotPanic != wantPanic && !(beyond && gotPanic != nil) {
				t.Fatalf("%s panics with %v, gonum's with %v", describe(method, args), gotPanic, wantPanic)
			}
			if wantPanic != nil {
				panics++
				continue
			}
			for i := range want {
				same := false
				if want[i].Kind() == reflect.Bool {
					same = got[i].Bool() == want[i].Bool()
				} else { // an estimate
					g, w := got[i].Float(), want[i].Float()
					same = g <= 10*w && w <= 10*g || g != g && w != w
				}
				if !same {
					t.Fatalf("%s returns %v, gonum's %v", describe(method, args), got[i], want[i])
				}
			}
			if l := len(args) - 1; list[l] == "lwork" && args[l].Int() == -1 {
				queries++
				if g, w := numbers(nil, ours[l-1]), numbers(nil, theirs[l-1]); !slices.Equal(g, w) {
					t.Fatalf("%s answers %v, gonum's %v", describe(method, args), g, w)
				}
			}
		}
		if panics < trials/20 || panics > trials*19/20 {
			t.Errorf("%s: %d of %d calls panic; the test sees too little", method, panics, trials)
		}
		if strings.HasSuffix(names, "lwork") && queries < trials/50 {
			t.Errorf("%s: %d queries", method, queries)
		}
	}
}

// drawLapack draws an argument; dims remembers dimensions.
func drawLapack(r *rand.Rand, method, name string, typ reflect.Type, valid bool, dims map[string]int) reflect.Value {
	number := func(good int, bad ...int) reflect.Value {
		if !valid && r.IntN(2) == 0 {
			good = bad[r.IntN(len(bad))]
		}
		dims[name] = good
		return reflect.ValueOf(good)
	}
	switch {
	case name == "jobz":
		return pick(r, 'N', 'V', 'N', 'V', 'N', 'V', 'X')
	case strings.HasPrefix(name, "job"):
		return pick(r, 'A', 'S', 'N', 'A', 'S', 'N', 'X')
	case typ.Kind() == reflect.Uint8:
		return enum(r, name, !valid)
	case name == "lwork":
		return number([]int{-1, 400}[r.IntN(2)], -2, 0, 1, 3, 5, 10, 18, 30)
	case strings.HasPrefix(name, "ld"):
		return number(7+r.IntN(2), -1, 0, 3, 5)
	case name == "k":
		return number(r.IntN(1+max(0, min(dims["m"], dims["n"]))), -1, 7)
	case typ.Kind() == reflect.Int:
		return number(r.IntN(7), -1, 6)
	}
	if typ.Kind() == reflect.Float64 {
		return pick(r, 1.0, 0.5, 0, -1, math.NaN(), math.Inf(1))
	}
	n := number(60, 0, 1, 5, 12).Interface().(int)
	switch name {
	case "work":
		n = number(400, 0, 1, 12).Interface().(int)
	case "ipiv", "tau":
		k := dims["n"]
		if m, ok := dims["m"]; ok {
			k = min(m, k)
		}
		if given, ok := dims["k"]; ok {
			k = given
		}
		n = max(0, number(k, 0, k+1).Interface().(int))
	}
	v := reflect.MakeSlice(typ, n, n)
	for i := range n {
		if typ.Elem().Kind() == reflect.Int {
			v.Index(i).SetInt(int64(i))
		} else {
			v.Index(i).SetFloat(r.NormFloat64())
		}
	}
	return v
}

// copySlices returns the arguments with their slices copied.
func copySlices(args []reflect.Value) []reflect.Value {
	out := slices.Clone(args)
	for i, a := range args {
		if a.Kind() == reflect.Slice {
			out[i] = reflect.AppendSlice(reflect.MakeSlice(a.Type(), 0, a.Len()), a)
		}
	}
	return out
}

// inTriangle returns whether element (i, j) is in the triangle ul.
func inTriangle(ul blas.Uplo, i, j int) bool { return i == j || i > j == (ul == blas.Lower) }

// TestLapackTriangles compares what the routines of the Cholesky factorisation leave in
// their triangle with gonum's, and wants all else of a untouched.
func TestLapackTriangles(t *testing.T) {
	var ours gonumblas.Lapack
	var gonums gonumlapack.Implementation
	r := rand.New(rand.NewPCG(4, 0))
	for _, ul := range []blas.Uplo{blas.Lower, blas.Upper} {
		for _, n := range []int{1, 2, 7, 31, 64, 65, 130, 300} {
			lda := n + 3
			a := make([]float64, n*lda)
			for i := range a {
				a[i] = math.NaN()
			}
			for i := range n {
				for j := range n {
					if inTriangle(ul, i, j) {
						a[i*lda+j] = 2*r.Float64() - 1
					}
				}
				a[i*lda+i] = float64(n)
			}
			compare := func(routine string, f func(gonum bool, a []float64) bool) {
				got, want := slices.Clone(a), slices.Clone(a)
				if g, w := f(false, got), f(true, want); !g || !w {
					t.Fatalf("%s %c n=%d: %v, gonum's %v", routine, ul, n, g, w)
				}
				for p := range a {
					i, j := p/lda, p%lda
					if inTriangle(ul, i, j) && j < n {
						if d := math.Abs(got[p] - want[p]); !(d <= 1e-13*math.Sqrt(float64(n))) {
							t.Fatalf("%s %c n=%d: element %d,%d is %v, gonum's %v", routine, ul, n, i, j, got[p], want[p])
						}
					} else if !math.IsNaN(got[p]) {
						t.Fatalf("%s %c n=%d: element %d,%d was written", routine, ul, n, i, j)
					}
				}
				copy(a, got)
			}
			inverse := slices.Clone(a)
			compare("Dpotrf", func(gonum bool, a []float64) bool {
				if gonum {
					return gonums.Dpotrf(ul, n, a, lda)
				}
				return ours.Dpotrf(ul, n, a, lda)
			})
			compare("Dpotri", func(gonum bool, a []float64) bool {
				if gonum {
					return gonums.Dpotri(ul, n, a, lda)
				}
				return ours.Dpotri(ul, n, a, lda)
			})
			copy(a, inverse)
			compare("Dtrtri", func(gonum bool, a []float64) bool {
				if gonum {
					return gonums.Dtrtri(ul, blas.NonUnit, n, a, lda)
				}
				return ours.Dtrtri(ul, blas.NonUnit, n, a, lda)
			})
		}
	}
}

// TestLapackReflectors wants Dgeqrf to leave gonum's reflectors, on which gonum's
// routines can go on, and the other way round.
func TestLapackReflectors(t *testing.T) {
	var ours gonumblas.Lapack
	var gonums gonumlapack.Implementation
	r := rand.New(rand.NewPCG(5, 0))
	for _, s := range [][2]int{{1, 1}, {1, 4}, {5, 3}, {3, 5}, {40, 33}, {33, 40}, {130, 100}, {100, 130}, {300, 70}} {
		m, n := s[0], s[1]
		k, lda := min(m, n), n+2
		a := make([]float64, m*lda)
		for i := range a {
			a[i] = r.NormFloat64()
		}
		work := make([]float64, 64*(m+n)+4096)
		near := func(routine string, got, want []float64) {
			t.Helper()
			for i := range want {
				if !(math.Abs(got[i]-want[i]) <= 1e-13*float64(m+n)) {
					t.Fatalf("%s %dx%d: element %d is %v, gonum's %v", routine, m, n, i, got[i], want[i])
				}
			}
		}
		a1, a2, tau1, tau2 := slices.Clone(a), slices.Clone(a), make([]float64, k), make([]float64, k)
		ours.Dgeqrf(m, n, a1, lda, tau1, work, n)
		gonums.Dgeqrf(m, n, a2, lda, tau2, work, len(work))
		near("Dgeqrf", a1, a2)
		near("Dgeqrf tau", tau1, tau2)
		q1, q2 := slices.Clone(a1), slices.Clone(a1)
		ours.Dorgqr(m, k, k, q1, lda, tau1, work, k)
		gonums.Dorgqr(m, k, k, q2, lda, tau1, work, len(work))
		near("Dorgqr", q1, q2)
		for _, side := range []blas.Side{blas.Left, blas.Right} {
			for _, trans := range []blas.Transpose{blas.NoTrans, blas.Trans} {
				cr, cc := m, 9
				if side == blas.Right {
					cr, cc = 9, m
				}
				c1 := make([]float64, cr*(cc+1))
				for i := range c1 {
					c1[i] = r.NormFloat64()
				}
				c2 := slices.Clone(c1)
				ours.Dormqr(side, trans, cr, cc, k, a1, lda, tau1, c1, cc+1, work, 9)
				gonums.Dormqr(side, trans, cr, cc, k, a1, lda, tau1, c2, cc+1, work, len(work))
				near(fmt.Sprintf("Dormqr %c%c", side, trans), c1, c2)
			}
		}
	}
}

// TestLapackLU compares what the routines of the LU factorisation leave with gonum's.
func TestLapackLU(t *testing.T) {
	var ours gonumblas.Lapack
	var gonums gonumlapack.Implementation
	r := rand.New(rand.NewPCG(11, 0))
	for _, s := range [][2]int{{1, 1}, {1, 4}, {4, 1}, {5, 5}, {40, 33}, {33, 40}, {64, 64}, {130, 130}, {300, 70}} {
		m, n := s[0], s[1]
		lda := n + 2
		a1 := make([]float64, m*lda)
		for i := range a1 {
			a1[i] = r.NormFloat64()
		}
		near := func(routine string, got, want []float64, tol float64) {
			t.Helper()
			for i := range want {
				if !(math.Abs(got[i]-want[i]) <= tol) {
					t.Fatalf("%s %dx%d: element %d is %v, gonum's %v", routine, m, n, i, got[i], want[i])
				}
			}
		}
		a2, ipiv1, ipiv2 := slices.Clone(a1), make([]int, min(m, n)), make([]int, min(m, n))
		if !ours.Dgetrf(m, n, a1, lda, ipiv1) || !gonums.Dgetrf(m, n, a2, lda, ipiv2) {
			t.Fatalf("%dx%d is singular", m, n)
		}
		near("Dgetrf", a1, a2, 1e-11)
		if !slices.Equal(ipiv1, ipiv2) {
			t.Fatalf("%dx%d: pivots %v, gonum's %v", m, n, ipiv1, ipiv2)
		}
		if m != n {
			continue
		}
		rcond := gonums.Dgecon(lapack.MaxColumnSum, n, a2, lda, 1, make([]float64, 4*n), make([]int, n))
		tol := 1e-13 / rcond
		for _, trans := range []blas.Transpose{blas.NoTrans, blas.Trans, blas.ConjTrans} {
			b1 := make([]float64, n*4)
			for i := range b1 {
				b1[i] = r.NormFloat64()
			}
			b2 := slices.Clone(b1)
			ours.Dgetrs(trans, n, 3, a1, lda, ipiv1, b1, 4)
			gonums.Dgetrs(trans, n, 3, a1, lda, ipiv1, b2, 4)
			near(fmt.Sprintf("Dgetrs %c", trans), b1, b2, tol)
		}
		copy(a2, a1)
		work := make([]float64, 64*n)
		if !ours.Dgetri(n, a1, lda, ipiv1, work, n) || !gonums.Dgetri(n, a2, lda, ipiv1, work, len(work)) {
			t.Fatalf("Dgetri %dx%d: no success", m, n)
		}
		near("Dgetri", a1, a2, tol)
	}
	for _, v := range []float64{0, math.NaN()} {
		a := []float64{1, 2, 3, 2, 4, 6, 1, 1, v}
		b, ipiv, work := slices.Clone(a), make([]int, 3), make([]float64, 3)
		copy(a[3:], []float64{2, 4, 6}) // twice the first row
		if v == 0 {
			copy(a[6:], []float64{3, 6, 9})
		}
		copy(b, a)
		got, want := ours.Dgetrf(3, 3, a, 3, ipiv), gonums.Dgetrf(3, 3, b, 3, ipiv)
		if got != want || got == (v == 0) {
			t.Errorf("Dgetrf of a matrix with %v returns %v, gonum's %v", v, got, want)
		}
		before := slices.Clone(a)
		if v == 0 && (ours.Dgetri(3, a, 3, ipiv, work, 3) || !slices.Equal(a, before)) {
			t.Error("Dgetri inverts a singular matrix")
		}
	}
}

// TestLapackOverwrite wants of the job that gonum's Dgesvd does not have what the job to
// store gives.
func TestLapackOverwrite(t *testing.T) {
	var l gonumblas.Lapack
	r := rand.New(rand.NewPCG(6, 0))
	for _, s := range [][2]int{{1, 1}, {6, 4}, {4, 6}, {70, 50}, {50, 70}} {
		m, n := s[0], s[1]
		k, lda := min(m, n), n+1
		a := make([]float64, m*lda)
		for i := range a {
			a[i] = r.NormFloat64()
		}
		u, vt, values := make([]float64, m*k), make([]float64, k*n), make([]float64, k)
		work := make([]float64, 1)
		l.Dgesvd(lapack.SVDOverwrite, lapack.SVDStore, m, n, a, lda, values, nil, 1, vt, n, work, -1)
		work = make([]float64, int(work[0]))
		stored := slices.Clone(a)
		ok := l.Dgesvd(lapack.SVDStore, lapack.SVDStore, m, n, stored, lda, values, u, k, vt, n, work, len(work))
		overU, overVT, values2 := slices.Clone(a), slices.Clone(a), make([]float64, k)
		ok = ok && l.Dgesvd(lapack.SVDOverwrite, lapack.SVDNone, m, n, overU, lda, values2, nil, 1, nil, 1, work, len(work))
		ok = ok && l.Dgesvd(lapack.SVDNone, lapack.SVDOverwrite, m, n, overVT, lda, values2, nil, 1, nil, 1, work, len(work))
		if !ok || !slices.Equal(values, values2) {
			t.Fatalf("%dx%d: %v, values %v and %v", m, n, ok, values, values2)
		}
		for i := range m {
			for j := range k {
				if overU[i*lda+j] != u[i*k+j] {
					t.Fatalf("%dx%d: U differs at %d,%d", m, n, i, j)
				}
			}
		}
		for i := range k {
			if !slices.Equal(overVT[i*lda:i*lda+n], vt[i*n:(i+1)*n]) {
				t.Fatalf("%dx%d: row %d of VT differs", m, n, i)
			}
		}
	}
	defer func() {
		if p := recover(); p != "lapack: both jobU and jobVT are lapack.SVDOverwrite" {
			t.Errorf("both jobs overwrite: panics with %v", p)
		}
	}()
	l.Dgesvd(lapack.SVDOverwrite, lapack.SVDOverwrite, 1, 1, make([]float64, 1), 1, make([]float64, 1), nil, 1, nil, 1, make([]float64, 9), 9)
}

// TestLapackNotFinite gives matrices with a NaN or an infinity to the routines.
func TestLapackNotFinite(t *testing.T) {
	var l gonumblas.Lapack
	nan := func(x []float64) bool {
		return !slices.ContainsFunc(x, func(v float64) bool { return v == v })
	}
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		for _, n := range []int{1, 2, 5, 70} {
			fresh := func() []float64 {
				a := make([]float64, n*n)
				for i := range n {
					a[i*n+i] = 1
				}
				a[(n/2)*n+n/2] = bad
				return a
			}
			s, u, vt, tau := make([]float64, n), make([]float64, n*n), make([]float64, n*n), make([]float64, n)
			work := make([]float64, 40*n*n+400)
			for _, ul := range []blas.Uplo{blas.Lower, blas.Upper} {
				if l.Dpotrf(ul, n, fresh(), n) {
					t.Errorf("Dpotrf takes %v for positive definite", bad)
				}
				a := fresh()
				if l.Dsyev(lapack.EVCompute, ul, n, a, n, s, work, len(work)) || !nan(s) || !nan(a) {
					t.Errorf("Dsyev of order %d with %v gives %v", n, bad, s)
				}
				clear(s)
				if l.Dsyev(lapack.EVNone, ul, n, fresh(), n, s, work, len(work)) || !nan(s) {
					t.Errorf("Dsyev of order %d with %v gives values %v", n, bad, s)
				}
			}
			clear(s)
			if l.Dgesvd(lapack.SVDAll, lapack.SVDAll, n, n, fresh(), n, s, u, n, vt, n, work, len(work)) || !nan(s) || !nan(u) || !nan(vt) {
				t.Errorf("Dgesvd of order %d with %v gives %v", n, bad, s)
			}
			clear(s)
			if l.Dgesvd(lapack.SVDNone, lapack.SVDNone, n, n, fresh(), n, s, nil, 1, nil, 1, work, len(work)) || !nan(s) {
				t.Errorf("Dgesvd of order %d with %v gives values %v", n, bad, s)
			}
			a := fresh()
			l.Dgeqrf(n, n, a, n, tau, work, len(work))
			if n > 1 && !slices.ContainsFunc(a, func(v float64) bool { return v-v != 0 }) {
				t.Errorf("Dgeqrf of order %d loses %v", n, bad)
			}
		}
	}
}

// TestLapackAllocations wants no garbage of the routines that take pooled memory.
func TestLapackAllocations(t *testing.T) {
	var l gonumblas.Lapack
	const n = 40
	a := make([]float64, n*n)
	s, u, vt, work := make([]float64, n), make([]float64, n*n), make([]float64, n*n), make([]float64, 64*n)
	ipiv := make([]int, n)
	if allocs := testing.AllocsPerRun(20, func() {
		for i := range a {
			a[i] = float64(i%7) / 8
		}
		l.Dsyev(lapack.EVCompute, blas.Lower, n, a, n, s, work, len(work))
		l.Dgesvd(lapack.SVDStore, lapack.SVDNone, n, n, a, n, s, u, n, vt, n, work, len(work))
		l.Dgeqrf(n, n, a, n, s, work, len(work))
		l.Dgetrf(n, n, a, n, ipiv)
		l.Dgetri(n, a, n, ipiv, work, len(work))
		l.Dpocon(blas.Upper, n, a, n, 1, work, ipiv)
	}); allocs > 0 {
		t.Errorf("%v allocations", allocs)
	}
}
