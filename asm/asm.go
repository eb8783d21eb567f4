package asm

import (
	"unsafe"

	"github.com/precond-go/precond/internal/cpu"
)

// Float is the set of element types of this library.
type Float interface{ float32 | float64 }

// KC is the depth of one block of the inner dimension of a matrix product. It
// fixes the order of additions, so it depends on nothing but the element type.
func KC[T Float]() int {
	if is32[T]() {
		return KC32
	}
	return KC64
}

// Block depths of matrix products; see KC.
const (
	KC32 = 384
	KC64 = 256
)

// Lanes is the number of virtual lanes of a reduction: element i of a vector is
// accumulated in lane i mod Lanes. Like KC it fixes the order of additions.
func Lanes[T Float]() int { return 256 / int(unsafe.Sizeof(T(0))) }

// Modes say what a matrix-product kernel does with its accumulators.
const (
	Store = iota // acc starts at +0;  C = alpha·acc, C is not read
	Add          // acc starts at +0;  C = fma(alpha, acc, C)
	Chain        // acc starts at C;   C = acc, alpha is not used
)

// Kernels is the table of kernels of one element type on one instruction set.
// Package documentation gives the contract that all entries share; the generic
// twin of each entry (file and function of the same name) defines its result.
type Kernels[T Float] struct {
	ISA string // name of the instruction set, as in package internal/cpu

	// Level 1. Slices are contiguous; those after the first are at least as
	// long as the first, whose length is the number of elements.
	Dot       func(x, y []T) T                     // Σ x·y in lanes
	Sum       func(x []T) T                        // Σ x in lanes
	AbsSum    func(x []T) T                        // Σ |x| in lanes
	SumSq     func(x []T) T                        // Σ x² in lanes
	MaxAbs    func(x []T) T                        // max |x|, NaN if any is NaN, 0 if empty
	IMaxAbs   func(x []T) int                      // first index of the largest |x|, BLAS's i?amax; -1 if empty
	Axpy      func(alpha T, x, y []T)              // y = fma(alpha, x, y)
	Axpby     func(alpha T, x []T, beta T, y []T)  // y = fma(alpha, x, T(beta·y))
	Scal      func(alpha T, x []T)                 // x = alpha·x
	ScalTo    func(alpha T, x, dst []T)            // dst = alpha·x
	Swap      func(x, y []T)                       // x, y = y, x
	Rot       func(c, s T, x, y []T)               // x, y = fma(c, x, T(s·y)), fma(c, y, −T(s·x))
	AddTo     func(x, y, dst []T)                  // dst = x + y
	SubTo     func(x, y, dst []T)                  // dst = x − y
	MulTo     func(x, y, dst []T)                  // dst = x·y (Hadamard)
	DivTo     func(x, y, dst []T)                  // dst = x / y
	MulAdd    func(x, y, z []T)                    // z = fma(x, y, z)
	SqrtTo    func(x, dst []T)                     // dst = √x
	SqrtDivTo func(eps T, x, v, dst []T)           // dst = x / (√v + eps)
	EMA       func(beta T, x, y []T)               // y = fma(beta, y, T((1−beta)·x))
	EMASq     func(beta T, x, y []T)               // y = fma(beta, y, T(T((1−beta)·x)·x))
	Momentum  func(h *[MomentumLen]T, g, m, p []T) // SGD with momentum; scalars: MomentumMu …
	Adam      func(h *[AdamLen]T, g, m, v, p []T)  // Adam, AdamW; scalars: AdamBeta1 …
	AdaMax    func(h *[AdamLen]T, g, m, u, p []T)  // AdaMax; scalars as for Adam

	// Level 2. a is row-major m×n with row stride lda.
	GemvN func(m, n int, alpha T, a []T, lda int, x, y []T) // y_i = fma(alpha, Dot(a_i, x), y_i)
	GemvT func(m, n int, alpha T, a []T, lda int, x, y []T) // for i up: y_j = fma(T(alpha·x_i), a_ij, y_j)
	Ger   func(m, n int, alpha T, x, y []T, a []T, lda int) // a_ij = fma(T(alpha·x_i), y_j, a_ij)
	// DotAxpy returns Dot(a, x) and does y = fma(t, a, y) in the same pass;
	// it is the row step of symv. len(a) elements.
	DotAxpy func(t T, a, x, y []T) T
	// GemvNT does DotAxpy on m rows of a: d_i = Dot(a_i, x) and y = fma(f_i, a_i, y).
	GemvNT func(m, n int, f []T, a []T, lda int, x, y, d []T)

	// Divide and conquer; δ = (d − org) − tau, see secular.go.
	Secular func(d, z []T, org, tau T) (f, df T) // Σ z²/δ and Σ (z/δ)² in half the lanes
	Loewner func(d []T, org, tau, s T, w []T)    // w = w·(δ/(d − s))
	Cauchy  func(d, z []T, org, tau T, dst []T)  // dst = z/δ

	// Level 3.
	MR, NR  int // rows and columns of the register tile
	Gemm    func(m, n, k int, alpha T, a *T, rsa, csa int, b *T, ldb, psb int, c *T, ldc int, mode int)
	Pack    func(k, n, w int, src *T, ld int, dst *T)
	PackT   func(k, n, w int, src *T, ld int, dst *T)
	Trsm    func(m, n, k int, alpha T, l *T, rsl, csl int, inv *T, b *T, ldb int)
	Trmm    func(m, n, k int, alpha T, l *T, rsl, csl int, d *T, b *T, ldb int)
	CholMax int // largest m of Chol
	Chol    func(m, k int, u *T, ldu int, inv *T) int
	// Many small matrices at once, element by element in groups of GroupLen.
	CholLanes  func(n int, s *T, rs, cs int, root, inv *T)
	SolveLanes func(n int, s *T, rs, cs int, inv, x *T)
	CopyTo     func(m, n int, src *T, ld int, dst *T, ldd int)
	TransTo    func(m, n int, src *T, ld int, dst *T, ldd int) // dst (n×m) = srcᵀ, src m×n

	// Elementary functions, dst may be x.
	ExpTo, LogTo, TanhTo, SigmoidTo func(x, dst []T)
}

// Conversions is the table of the conversions between float32 and bfloat16.
type Conversions struct {
	ToBF16   func(x []float32, dst []uint16) // round to nearest even; NaN stays NaN (quiet)
	FromBF16 func(x []uint16, dst []float32)
}

// tables holds everything that one instruction set provides.
type tables struct {
	f32  Kernels[float32]
	f64  Kernels[float64]
	conv Conversions
}

// all lists what this process can run, best first; the last is generic.
var all = build()

// active is the entry of all that the process uses.
var active = choose()

func choose() *tables {
	isa, err := cpu.Select()
	if err != nil {
		panic(err.Error()) // at start, before anything can be computed on the wrong path
	}
	return find(isa)
}

func find(isa string) *tables {
	for _, t := range all {
		if t.f32.ISA == isa {
			return t
		}
	}
	return nil
}

// build makes the table of every available instruction set: each starts from
// the one below it, generic first, and overlays the kernels that it has.
func build() []*tables {
	names := cpu.Available()
	out := make([]*tables, len(names))
	var t tables
	for i := len(names) - 1; i >= 0; i-- {
		overlay(&t, names[i])
		t.f32.ISA, t.f64.ISA = names[i], names[i]
		c := t
		out[i] = &c
	}
	return out
}

func is32[T Float]() bool { return unsafe.Sizeof(T(0)) == 4 }

func kernels[T Float](t *tables) *Kernels[T] {
	if is32[T]() {
		return (*Kernels[T])(unsafe.Pointer(&t.f32))
	}
	return (*Kernels[T])(unsafe.Pointer(&t.f64))
}

// For returns the kernel table of the process for the element type T.
func For[T Float]() *Kernels[T] { return kernels[T](active) }

// Convert returns the conversion table of the process.
func Convert() *Conversions { return &active.conv }

// ISA returns the name of the instruction set that the process uses.
func ISA() string { return active.f32.ISA }

// ISAs returns the names of the instruction sets that this process could use,
// best first.
func ISAs() []string { return cpu.Available() }

// ForISA returns the kernel table of a given instruction set, and nil if it
// cannot run here. It exists for tests and benchmarks that compare targets.
func ForISA[T Float](isa string) *Kernels[T] {
	t := find(isa)
	if t == nil {
		return nil
	}
	return kernels[T](t)
}

// ConvertISA is ForISA for the conversion table.
func ConvertISA(isa string) *Conversions {
	t := find(isa)
	if t == nil {
		return nil
	}
	return &t.conv
}
