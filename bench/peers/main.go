// Command peers measures the kernels against OpenBLAS: the same operands, calls
// taking turns in one process, medians over rounds.
//
//	cd bench/peers && go run -tags openblas . [-quick] [-run REGEXP] [-json]
//
// It needs cgo and OpenBLAS with its C header (Debian: libopenblas-dev), so it
// sits behind the build tag openblas; without the tag it only says so.
//
// OpenBLAS picks its kernels by the processor when it is loaded, wrongly if it
// does not know the processor; and the variables OPENBLAS_CORETYPE and
// OPENBLAS_L2_SIZE in the environment may force a choice. So the command ignores
// these variables, tries what OpenBLAS picks by itself and the candidates that
// could suit, each in a process of its own, since one may crash, and then measures
// in another process with the fastest. The header names it. -coretype forces one:
//
//	PRECOND_ISA=avx2 go run -tags openblas . -coretype Haswell
//
// To leave out what a call from Go to C costs, OpenBLAS repeats its calls in a
// loop in C, and ours in a loop in Go.
//
// Beside it, train_torch.py measures a training step with Adam of bench/train against the same
// step in PyTorch (Debian: python3-torch), in windows that take turns:
//
//	/usr/bin/python3 train_torch.py
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/bench/cases"
	"github.com/precond-go/precond/bench/harness"
	"github.com/precond-go/precond/bench/limits"
)

func main() { harness.Main("peers", run) }

// Stages of the command, each a process of its own: the first is without a name.
const (
	stageProbe   = "probe"   // load OpenBLAS and print how fast it is
	stageMeasure = "measure" // load OpenBLAS and measure the cases
)

var errNoOpenBLAS = errors.New(`built without OpenBLAS: use "go run -tags openblas .", which needs` +
	" OpenBLAS with its C header and a C compiler (Debian, Ubuntu: apt install libopenblas-dev gcc)")

func run(args []string, stdout, stderr io.Writer) error {
	var f harness.Flags
	var coretype, stage string
	var withGonum bool
	err := f.Parse("peers", args, stderr, func(fs *flag.FlagSet) {
		fs.StringVar(&coretype, "coretype", "", "force the OpenBLAS kernels of this `core`, for example Haswell or SkylakeX\n(default: the fastest that run here)")
		fs.BoolVar(&withGonum, "gonum", false, "measure gonum too")
		fs.StringVar(&stage, "stage", "", "internal")
	})
	if err != nil {
		return err
	}
	list, err := f.Select(asm.ISA())
	if err != nil {
		return err
	}
	if !linked {
		return errNoOpenBLAS
	}
	list = slices.DeleteFunc(list, func(c cases.Case) bool { return !hasPeer(c.Kernel) })
	if len(list) == 0 {
		return errors.New("OpenBLAS has none of the operations that -run matches")
	}
	switch stage {
	case "":
		exe, err := os.Executable()
		if err != nil {
			return err
		}
		best, err := choose(coretype, func(core string) (probe, error) { return runProbe(exe, core) })
		if err != nil {
			return err
		}
		if !f.JSON {
			for _, line := range best.lines() {
				fmt.Fprintln(stdout, line)
			}
		}
		return runMeasure(exe, best.core, args, slices.Max(f.Counts()), stdout, stderr)
	case stageProbe:
		return probeOpenBLAS(stdout)
	case stageMeasure:
		l := limits.New(asm.ISA())
		var header []string
		if !f.JSON {
			header = append(harness.Header(l), describeOpenBLAS())
		}
		p := harness.NewPrinter(stdout, f.JSON, header)
		for i := range list {
			if f.Late(stderr, len(list)-i) {
				break
			}
			if err := p.Print(rowOf(&list[i], l, f.Plan(), withGonum)); err != nil {
				return err
			}
		}
		p.Summary()
		return nil
	}
	return fmt.Errorf("no stage %q", stage)
}
