// Package harness is what the commands report and peers have in common: flags,
// selection of cases, the header, and rows as a table or as JSON.
package harness

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/bench/cases"
	"github.com/precond-go/precond/bench/limits"
	"github.com/precond-go/precond/bench/measure"
	"github.com/precond-go/precond/internal/cpu"
)

// Flags are the common flags.
type Flags struct {
	JSON    bool
	Quick   bool
	Run     string
	Threads string

	pattern *regexp.Regexp
	counts  []int
	start   time.Time
}

// Register adds the flags to a flag set.
func (f *Flags) Register(fs *flag.FlagSet) {
	fs.BoolVar(&f.JSON, "json", false, "print one JSON object per line")
	fs.BoolVar(&f.Quick, "quick", false, "a selection of cases, measured briefly: within a minute")
	fs.StringVar(&f.Run, "run", "", "measure only cases whose name matches this regular `expression`,\nfor example Gemm/f32/NN or threads=2")
	fs.StringVar(&f.Threads, "threads", "", "comma-separated `counts` of threads (default 1 and GOMAXPROCS)")
}

// Parse registers the flags, lets more register further ones, and parses
// arguments; it complains about what it cannot use.
func (f *Flags) Parse(name string, args []string, stderr io.Writer, more func(fs *flag.FlagSet)) error {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(stderr)
	f.Register(fs)
	if more != nil {
		more(fs)
	}
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	re, err := regexp.Compile(f.Run)
	if err != nil {
		return fmt.Errorf("-run: %w", err)
	}
	f.pattern = re
	f.start = time.Now()
	f.counts, err = threads(f.Threads)
	return err
}

func threads(list string) ([]int, error) {
	if list == "" {
		if all := runtime.GOMAXPROCS(0); all > 1 {
			return []int{1, all}, nil
		}
		return []int{1}, nil
	}
	var counts []int
	for _, s := range strings.Split(list, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(s))
		if err != nil || n < 1 || n > 1024 {
			return nil, fmt.Errorf("-threads: %q is not a number of threads", s)
		}
		for _, c := range counts {
			if c == n {
				return nil, fmt.Errorf("-threads: %d twice", n)
			}
		}
		counts = append(counts, n)
	}
	return counts, nil
}

// Counts returns the thread counts.
func (f *Flags) Counts() []int { return f.counts }

// Select returns the cases that the flags ask for. None is an error.
func (f *Flags) Select(isa string) ([]cases.Case, error) {
	var out []cases.Case
	for _, c := range cases.List(f.counts...) {
		if (c.Quick || !f.Quick) && f.pattern.MatchString(c.Name(isa)) {
			out = append(out, c)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no case matches -run %q (names look like Gemm/f32/NT/n=512/threads=1/isa=%s)", f.Run, isa)
	}
	return out, nil
}

// Plan says how long to measure a case. A quick run that a busy machine holds up
// makes as few rounds as it can from some point on.
func (f *Flags) Plan() measure.Plan {
	if f.Quick {
		p := measure.Plan{Batch: 500 * time.Microsecond, Budget: 40 * time.Millisecond, Rounds: 15}
		if time.Since(f.start) > 35*time.Second {
			p.Budget = 0
		}
		return p
	}
	return measure.Plan{Batch: 2 * time.Millisecond, Budget: 600 * time.Millisecond, Rounds: 31}
}

// Late returns whether a quick run is out of time, which only happens on a busy
// machine. It then says on w that it leaves out so many cases.
func (f *Flags) Late(w io.Writer, left int) bool {
	if !f.Quick || time.Since(f.start) < 48*time.Second {
		return false
	}
	fmt.Fprintf(w, "-quick: the machine is too busy; the last %d cases are left out\n", left)
	return true
}

// Main runs the body of a command and ends the process with its status: 2 for
// bad flags, 1 for other errors.
func Main(name string, run func(args []string, stdout, stderr io.Writer) error) {
	err := run(os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case err == nil:
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	default:
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

// Header describes the machine: processor, instruction set, threads and limits.
func Header(l *limits.Limits) []string {
	out := []string{
		fmt.Sprintf("cpu: %s (%s/%s, %s)", cpu.Name(), runtime.GOOS, runtime.GOARCH, runtime.Version()),
		fmt.Sprintf("isa: %s of %s; GOMAXPROCS: %d", l.ISA(), strings.Join(asm.ISAs(), ", "), runtime.GOMAXPROCS(0)),
	}
	return append(out, l.Lines()...)
}
