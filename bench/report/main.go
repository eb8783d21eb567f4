// Command report measures every kernel and prints a table: rate, share of what
// the machine can do at best (multiply-adds or bandwidth, measured by the same
// run), and ratio to gonum. From the root of the repository:
//
//	go run ./bench/report                 # everything; takes several minutes
//	go run ./bench/report -quick          # a selection, within a minute
//	go run ./bench/report -run Gemm/f32 -json
//	go run ./bench/report -pair           # threads against processes
//
// The environment variable PRECOND_ISA=generic|avx2|avx512|neon forces an
// instruction set. Ours and gonum's take turns; figures are medians over rounds.
package main

import (
	"errors"
	"flag"
	"io"
	"runtime"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/bench/cases"
	"github.com/precond-go/precond/bench/harness"
	"github.com/precond-go/precond/bench/limits"
	"github.com/precond-go/precond/bench/measure"
)

func main() { harness.Main("report", run) }

func run(args []string, stdout, stderr io.Writer) error {
	var f harness.Flags
	var pair bool
	var child string
	err := f.Parse("report", args, stderr, func(fs *flag.FlagSet) {
		fs.BoolVar(&pair, "pair", false, "compare calls on several threads with as many single-threaded\nprocesses running at once, instead of with gonum")
		fs.StringVar(&child, "pair-child", "", "run as one of these processes, for the case of this `name`")
	})
	if err != nil {
		return err
	}
	if child != "" {
		return serve(child, stdout)
	}
	list, err := f.Select(asm.ISA())
	if err != nil {
		return err
	}
	if pair {
		if list = threaded(list); len(list) == 0 {
			return errors.New("-pair: no case of several threads is left; see -threads and -run")
		}
	}
	l := limits.New(asm.ISA())
	var header []string
	if !f.JSON {
		header = harness.Header(l)
	}
	p := harness.NewPrinter(stdout, f.JSON, header)
	measureCase := rowOf
	if pair {
		measureCase = pairRow
	}
	for i := range list {
		if f.Late(stderr, len(list)-i) {
			break
		}
		row, err := measureCase(&list[i], l, f.Plan())
		if err != nil {
			return err
		}
		if err := p.Print(row); err != nil {
			return err
		}
	}
	p.Summary()
	return nil
}

// gonumFlops is the size of a call beyond which gonum is left out, since it
// would take several seconds.
const gonumFlops = 2e10

// rowOf measures a case against gonum and against its base case.
func rowOf(c *cases.Case, l *limits.Limits, plan measure.Plan) (harness.Row, error) {
	runtime.GC()                                            // what the last case leaves, before the clock runs
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(c.Threads)) // gonum takes its threads from here
	in := c.New()
	var rivals []harness.Rival
	if in.HasGonum() && c.Cost.Flops <= gonumFlops {
		rivals = append(rivals, harness.Rival{Against: cases.Gonum, Run: measure.Run{Do: in.Gonum}, Work: c.Cost.Work()})
	}
	if base, ok := c.BaseCase(); ok {
		rivals = append(rivals, harness.Rival{Against: cases.Base, Run: measure.Run{Do: base.New().Ours}, Work: base.Cost.Work()})
	}
	return harness.Measure(c, l, plan, measure.Run{Do: in.Ours}, rivals...), nil
}
