//go:build openblas

package main

/*
#cgo LDFLAGS: -lopenblas
#include "loops_openblas.h"
*/
import "C"

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"slices"
	"time"
	"unsafe"

	"github.com/precond-go/precond/bench/cases"
	"github.com/precond-go/precond/bench/harness"
	"github.com/precond-go/precond/bench/limits"
	"github.com/precond-go/precond/bench/measure"
	"github.com/precond-go/precond/dense"
	"gonum.org/v1/gonum/blas"
)

// linked says whether OpenBLAS is part of the program.
const linked = true

func trans(t blas.Transpose) C.int {
	if t == blas.NoTrans {
		return C.CblasNoTrans
	}
	return C.CblasTrans
}

func uplo(u blas.Uplo) C.int {
	if u == blas.Lower {
		return C.CblasLower
	}
	return C.CblasUpper
}

func side(s blas.Side) C.int {
	if s == blas.Left {
		return C.CblasLeft
	}
	return C.CblasRight
}

// A peer repeats the operation of a problem with OpenBLAS; a reduction returns
// its result.
type peer[T dense.Float] func(p *cases.Problem[T], reps C.long) T

// peers names the operations that OpenBLAS has.
func peers[T dense.Float]() map[string]peer[T] {
	dbl := C.int(unsafe.Sizeof(T(0)) / 8)
	mat := func(m dense.Matrix[T]) (unsafe.Pointer, C.int) {
		return unsafe.Pointer(unsafe.SliceData(m.Data)), C.int(m.Stride)
	}
	vec := func(x []T) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(x)) }
	batch := func(p *cases.Problem[T], reps C.long) T {
		a, _ := mat(p.A)
		b, _ := mat(p.B)
		c, _ := mat(p.C)
		C.loop_gemm_batch(dbl, reps, C.int(p.Count), trans(p.TA), trans(p.TB), C.int(p.N), C.double(p.Alpha), a, b, C.double(p.Beta), c)
		return 0
	}
	// Matrices of LAPACK are stored by columns, so it gets the transposes.
	qr := func(pivots func(p *cases.Problem[T]) []C.int) peer[T] {
		return func(p *cases.Problem[T], reps C.long) T {
			if p.B.Data == nil { // the first time, before the clock runs
				p.B, p.Y = dense.NewMatrix[T](p.N, p.M), make([]T, p.M*p.N)
				p.Z, p.W = make([]T, p.N), make([]T, 64*(p.M+p.N)+p.N)
				dense.Transpose(p.A, p.B, nil)
			}
			C.loop_qr(dbl, reps, C.int(p.M), C.int(p.N), vec(p.B.Data), vec(p.Y), vec(p.Z), unsafe.SliceData(pivots(p)), vec(p.W))
			p.Diagonal(p.Z, 0) // which is the diagonal itself
			return 0
		}
	}
	cholesky := func(inverse C.int) peer[T] {
		return func(p *cases.Problem[T], reps C.long) T {
			var lower C.int
			if p.Uplo == blas.Lower {
				lower = 1
			}
			C.loop_cholesky(dbl, reps, inverse, lower, C.int(max(1, p.Count)), C.int(p.A.Rows/p.N), C.int(p.N), vec(p.A.Data), vec(p.C.Data), vec(p.Y), vec(p.X))
			return 0
		}
	}
	// Symmetric, so that the transpose is the same matrix.
	factor := func(what C.char) peer[T] {
		return func(p *cases.Problem[T], reps C.long) T {
			C.loop_factor(dbl, reps, what, C.int(p.N), vec(p.A.Data), vec(p.C.Data), vec(p.Y), vec(p.X))
			if what != 'D' {
				p.Diagonal(p.C.Data, p.C.Stride)
			}
			return 0
		}
	}
	return map[string]peer[T]{
		"LU":              factor('L'),
		"LDL":             factor('D'),
		"CholeskyPivoted": factor('P'),

		"QR":          qr(func(*cases.Problem[T]) []C.int { return nil }),
		"QRPivoted":   qr(func(p *cases.Problem[T]) []C.int { return make([]C.int, p.N) }),
		"GemmBatch":   batch,
		"GemmStrided": batch,
		"Gemm": func(p *cases.Problem[T], reps C.long) T {
			a, lda := mat(p.A)
			b, ldb := mat(p.B)
			c, ldc := mat(p.C)
			C.loop_gemm(dbl, reps, trans(p.TA), trans(p.TB), C.int(p.M), C.int(p.N), C.int(p.K),
				C.double(p.Alpha), a, lda, b, ldb, C.double(p.Beta), c, ldc)
			return 0
		},
		"Syrk": func(p *cases.Problem[T], reps C.long) T {
			a, lda := mat(p.A)
			c, ldc := mat(p.C)
			C.loop_syrk(dbl, reps, uplo(p.Uplo), trans(p.TA), C.int(p.N), C.int(p.K),
				C.double(p.Alpha), a, lda, C.double(p.Beta), c, ldc)
			return 0
		},
		"Syr2k": func(p *cases.Problem[T], reps C.long) T {
			a, lda := mat(p.A)
			b, ldb := mat(p.B)
			c, ldc := mat(p.C)
			C.loop_syr2k(dbl, reps, uplo(p.Uplo), trans(p.TA), C.int(p.N), C.int(p.K),
				C.double(p.Alpha), a, lda, b, ldb, C.double(p.Beta), c, ldc)
			return 0
		},
		"Symm": func(p *cases.Problem[T], reps C.long) T {
			a, lda := mat(p.A)
			b, ldb := mat(p.B)
			c, ldc := mat(p.C)
			C.loop_symm(dbl, reps, side(p.Side), uplo(p.Uplo), C.int(p.M), C.int(p.N),
				C.double(p.Alpha), a, lda, b, ldb, C.double(p.Beta), c, ldc)
			return 0
		},
		"Trmm": func(p *cases.Problem[T], reps C.long) T {
			a, lda := mat(p.A)
			b, ldb := mat(p.B)
			C.loop_trmm(dbl, reps, side(p.Side), uplo(p.Uplo), trans(p.TA), C.int(p.M), C.int(p.N),
				C.double(p.Alpha), a, lda, b, ldb)
			return 0
		},
		"Trsm": func(p *cases.Problem[T], reps C.long) T {
			a, lda := mat(p.A)
			b, ldb := mat(p.B)
			C.loop_trsm(dbl, reps, side(p.Side), uplo(p.Uplo), trans(p.TA), C.int(p.M), C.int(p.N),
				C.double(p.Alpha), a, lda, b, ldb)
			return 0
		},
		"SVD": func(p *cases.Problem[T], reps C.long) T {
			a, lda := mat(p.A)
			C.loop_gesdd(dbl, reps, 'S', C.int(p.M), C.int(p.N), a, lda, vec(p.X))
			return 0
		},
		"SingularValues": func(p *cases.Problem[T], reps C.long) T {
			a, lda := mat(p.A)
			C.loop_gesdd(dbl, reps, 'N', C.int(p.M), C.int(p.N), a, lda, vec(p.X))
			return 0
		},
		"Cholesky":      cholesky(0),
		"SPDInverse":    cholesky(1),
		"CholeskyBatch": cholesky(0),
		"EigenSym": func(p *cases.Problem[T], reps C.long) T {
			C.loop_eigen(dbl, reps, 1, C.int(p.N), vec(p.A.Data), vec(p.B.Data), vec(p.X))
			return 0
		},
		"EigenSymValues": func(p *cases.Problem[T], reps C.long) T {
			C.loop_eigen(dbl, reps, 0, C.int(p.N), vec(p.A.Data), vec(p.B.Data), vec(p.X))
			return 0
		},
		"Gemv": func(p *cases.Problem[T], reps C.long) T {
			a, lda := mat(p.A)
			C.loop_gemv(dbl, reps, trans(p.TA), C.int(p.M), C.int(p.N), C.double(p.Alpha), a, lda, vec(p.X), C.double(p.Beta), vec(p.Y))
			return 0
		},
		"Ger": func(p *cases.Problem[T], reps C.long) T {
			a, lda := mat(p.A)
			C.loop_ger(dbl, reps, C.int(p.M), C.int(p.N), C.double(p.Alpha), vec(p.X), vec(p.Y), a, lda)
			return 0
		},
		"Symv": func(p *cases.Problem[T], reps C.long) T {
			a, lda := mat(p.A)
			C.loop_symv(dbl, reps, uplo(p.Uplo), C.int(p.N), C.double(p.Alpha), a, lda, vec(p.X), C.double(p.Beta), vec(p.Y))
			return 0
		},
		"Transpose": func(p *cases.Problem[T], reps C.long) T {
			a, lda := mat(p.A)
			c, ldc := mat(p.C)
			C.loop_transpose(dbl, reps, C.int(p.M), C.int(p.N), a, lda, c, ldc)
			return 0
		},
		"Dot": func(p *cases.Problem[T], reps C.long) T {
			return T(C.loop_dot(dbl, reps, C.int(p.N), vec(p.X), vec(p.Y)))
		},
		"AbsSum": func(p *cases.Problem[T], reps C.long) T {
			return T(C.loop_asum(dbl, reps, C.int(p.N), vec(p.X)))
		},
		"SumSq": func(p *cases.Problem[T], reps C.long) T {
			return T(C.loop_dot(dbl, reps, C.int(p.N), vec(p.X), vec(p.X)))
		},
		"IMaxAbs": func(p *cases.Problem[T], reps C.long) T {
			return T(C.loop_iamax(dbl, reps, C.int(p.N), vec(p.X)))
		},
		"Axpy": func(p *cases.Problem[T], reps C.long) T {
			C.loop_axpy(dbl, reps, C.int(p.N), C.double(p.Alpha), vec(p.X), vec(p.Y))
			return 0
		},
		"Scal": func(p *cases.Problem[T], reps C.long) T {
			C.loop_scal(dbl, reps, C.int(p.N), C.double(p.Alpha), vec(p.X))
			return 0
		},
		"EMA": func(p *cases.Problem[T], reps C.long) T {
			C.loop_axpby(dbl, reps, C.int(p.N), C.double(1-p.Beta), vec(p.X), C.double(p.Beta), vec(p.Y))
			return 0
		},
	}
}

var (
	peers32 = peers[float32]()
	peers64 = peers[float64]()
)

func hasPeer(kernel string) bool { return peers64[kernel] != nil }

// theirs returns the function that repeats an instance's operation with OpenBLAS.
func theirs(in cases.Instance) func(reps int) {
	switch p := in.(type) {
	case *cases.Problem[float32]:
		f := peers32[p.Kernel]
		return func(reps int) { p.SetScalar(f(p, C.long(reps))) }
	case *cases.Problem[float64]:
		f := peers64[p.Kernel]
		return func(reps int) { p.SetScalar(f(p, C.long(reps))) }
	}
	panic(fmt.Sprintf("peers: instance %T", in))
}

// settle is a little longer than idle threads of OpenBLAS keep a processor busy;
// see environment.
const settle = 2 * time.Millisecond

// rowOf measures a case.
func rowOf(c *cases.Case, l *limits.Limits, plan measure.Plan, withGonum bool) harness.Row {
	runtime.GC() // what the last case leaves, before the clock runs
	C.openblas_set_num_threads(C.int(c.Threads))
	in := c.New()
	warm := func(f func(reps int)) measure.Run { return measure.Run{Do: f} }
	if c.Threads > 1 {
		// The other's threads have gone to sleep, one's own are awake.
		warm = func(f func(reps int)) measure.Run {
			return measure.Run{Do: f, Before: func() { time.Sleep(settle); f(1) }}
		}
	}
	rivals := []harness.Rival{{Against: cases.OpenBLAS, Run: warm(theirs(in)), Work: c.Cost.Work()}}
	if withGonum && in.HasGonum() {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(c.Threads))
		rivals = append(rivals, harness.Rival{Against: cases.Gonum, Run: warm(in.Gonum), Work: c.Cost.Work()})
	}
	return harness.Measure(c, l, plan, warm(in.Ours), rivals...)
}

func describeOpenBLAS() string {
	return fmt.Sprintf("openblas: %s; kernels: %s", C.GoString(C.openblas_get_config()), C.GoString(C.openblas_get_corename()))
}

// probeOpenBLAS prints which kernels OpenBLAS runs and how fast they are.
func probeOpenBLAS(stdout io.Writer) error {
	const n = 512
	list := cases.List(1)
	p := probe{Core: C.GoString(C.openblas_get_corename()), Config: C.GoString(C.openblas_get_config())}
	for i := range list {
		c := &list[i]
		if c.Kernel != "Gemm" || c.Label != fmt.Sprintf("NN/n=%d", n) {
			continue
		}
		times := measure.Alternate(measure.Plan{Batch: time.Millisecond, Budget: 60 * time.Millisecond}, measure.Run{Do: theirs(c.New())})
		// The best time, since processes are compared that do not run at once.
		rate := c.Cost.Work() / slices.Min(times[0]) * 1e-9
		if c.Size == 4 {
			p.Sgemm = rate
		} else {
			p.Dgemm = rate
		}
	}
	return json.NewEncoder(stdout).Encode(p)
}
