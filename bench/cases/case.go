package cases

import (
	"fmt"
	"strings"

	"github.com/precond-go/precond/bench/limits"
	"github.com/precond-go/precond/internal/cpu"
	"gonum.org/v1/gonum/blas"
)

// Units of rates.
const (
	GFLOPs = "GFLOP/s"
	GBs    = "GB/s"
)

// A Spec says what is computed. Which fields count depends on the kernel.
type Spec struct {
	Kernel  string // name of the operation in package dense, "Gemm"
	TA, TB  blas.Transpose
	Side    blas.Side
	Uplo    blas.Uplo
	M, N, K int
	Count   int     // number of products of a batch
	Beta    float64 // of products; alpha is 1
}

// A Case is a Spec for an element type and a number of threads, with what is to
// be said about it.
type Case struct {
	Spec
	Size    int    // bytes of an element: 4 or 8
	Label   string // shape and flags: "NT/n=512"
	Threads int
	Quick   bool // part of a quick run
	Cost    Cost
	Bars    []Bar
	// Base is the Label of the case of the same kernel, type and threads that
	// this one is compared with (for Bars against Base), or empty.
	Base string
}

// Cost is the work of one call.
type Cost struct {
	Unit      string        // GFLOPs or GBs
	Flops     float64       // multiplications and additions
	Bytes     float64       // what has to be read and written at least
	Footprint int           // bytes of all operands
	Stream    limits.Stream // the pattern of most of the traffic
}

// Work returns the work of one call in multiples of 1e-9 of the unit.
func (c Cost) Work() float64 {
	if c.Unit == GBs {
		return c.Bytes
	}
	return c.Flops
}

// What a Bar compares with.
const (
	OpenBLAS = "openblas"
	Gonum    = "gonum"
	Limit    = "limit"
	Base     = "base"
	Pair     = "pair" // processes with one thread each, running at once
)

// Verdicts.
const (
	AtGoal = "goal"
	AtMust = "must"
	Below  = "below"
)

// A Bar is a ratio that a case has to reach, and one that it should reach.
type Bar struct {
	Against    string
	Must, Goal float64
}

// Bar returns the bar against something on an instruction set, and whether there
// is one.
func (c *Case) Bar(against, isa string) (Bar, bool) {
	for _, b := range c.Bars {
		if b.Against == against {
			if against == Gonum && isa != cpu.AVX512 {
				return Bar{}, false // gonum's rate has little to do with ours then
			}
			if against == OpenBLAS && isa == cpu.AVX2 {
				b.Goal = min(b.Goal, 1.05)
			}
			return b, true
		}
	}
	return Bar{}, false
}

// Verdict says how a ratio stands to the bar.
func (b Bar) Verdict(ratio float64) string {
	switch {
	case ratio >= b.Goal:
		return AtGoal
	case ratio >= b.Must:
		return AtMust
	}
	return Below
}

// Type returns the name of the element type: f32 or f64.
func (c *Case) Type() string { return fmt.Sprintf("f%d", 8*c.Size) }

// Name returns the name of the case as in the benchmarks:
// Gemm/f32/NT/n=512/threads=1/isa=avx512.
func (c *Case) Name(isa string) string {
	return strings.Join([]string{c.Kernel, c.Type(), c.Label, fmt.Sprintf("threads=%d", c.Threads), "isa=" + isa}, "/")
}

// BaseCase returns the case that this one is compared with, and whether there is
// one.
func (c *Case) BaseCase() (Case, bool) {
	if c.Base == "" {
		return Case{}, false
	}
	for _, b := range List(c.Threads) {
		if b.Kernel == c.Kernel && b.Size == c.Size && b.Label == c.Base {
			return b, true
		}
	}
	return Case{}, false
}

// LimitLoop returns the loop that runs at the limit of the machine, with its work
// in the unit of the case: for a rate in GB/s, streams through the footprint of
// the case; for one in GFLOP/s, fused multiply-adds, or streams if they allow less.
func (c *Case) LimitLoop(l *limits.Limits) limits.Loop {
	streams := func() limits.Loop { return l.BandwidthLoop(c.Cost.Stream, c.Cost.Footprint, c.Threads) }
	if c.Cost.Unit == GBs {
		return streams()
	}
	intensity := c.Cost.Flops / c.Cost.Bytes
	// Beyond 40 operations a byte no machine is so starved; spare the measurement.
	if intensity < 40 && intensity*l.Bandwidth(c.Cost.Stream, c.Cost.Footprint, c.Threads) < l.FMA(c.Size, c.Threads) {
		loop := streams()
		loop.Work *= intensity
		return loop
	}
	return l.FMALoop(c.Size, c.Threads)
}

// An Instance is a case with operands.
type Instance interface {
	// Ours does the operation so many times.
	Ours(reps int)
	// Gonum does the same with gonum; it panics unless HasGonum.
	Gonum(reps int)
	HasGonum() bool
	// Result returns a copy of what the operation writes.
	Result() []float64
}

// New makes the operands. The result is a *Problem of the element type. Two calls
// give equal operands.
func (c *Case) New() Instance {
	if c.Size == 4 {
		return newProblem[float32](c.Spec, c.Threads)
	}
	return newProblem[float64](c.Spec, c.Threads)
}
