package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/bench/cases"
	"github.com/precond-go/precond/bench/harness"
	"github.com/precond-go/precond/bench/limits"
	"github.com/precond-go/precond/bench/measure"
)

// A call on n threads can be no faster than n processes that do the same on one
// thread each, all running at once: they share the memory and the power budget
// of the machine, but do not wait for one another. This file measures how near it
// comes.
//
// A child process is this program with -pair-child. It writes a line when it is
// ready. For each line "milliseconds" that it reads it works for that time and
// writes its rate; at the end of its input it ends.

// pairRounds is the number of rounds, in which the processes and the call on
// several threads take turns.
const pairRounds = 9

// threaded returns the cases of several threads.
func threaded(list []cases.Case) []cases.Case {
	return slices.DeleteFunc(list, func(c cases.Case) bool { return c.Threads < 2 })
}

// pairRow measures a case of n threads against n processes.
func pairRow(c *cases.Case, l *limits.Limits, plan measure.Plan) (harness.Row, error) {
	children, err := startChildren(c)
	defer func() {
		for _, ch := range children {
			ch.stop()
		}
	}()
	if err != nil {
		return harness.Row{}, err
	}
	in := c.New()
	in.Ours(1)
	start := time.Now()
	in.Ours(1)
	window := max(20*plan.Batch, 6*time.Since(start))
	var rates, ratios []float64
	for range pairRounds {
		sum, err := rateOfAll(children, window)
		if err != nil {
			return harness.Row{}, err
		}
		rate := work(in, c, window)
		rates = append(rates, rate)
		ratios = append(ratios, rate/sum)
	}
	slices.Sort(rates)
	slices.Sort(ratios)
	row := harness.NewRow(c, l, rates[pairRounds/2], c.LimitLoop(l).Best())
	row.Compare(c, cases.Pair, ratios[pairRounds/2])
	return row, nil
}

// work repeats the case for at least the given time and returns the rate. Processors
// and caches are warmed up first.
func work(in cases.Instance, c *cases.Case, d time.Duration) float64 {
	for start := time.Now(); time.Since(start) < d/4; {
		in.Ours(1)
	}
	reps := 0
	start := time.Now()
	for next := 1; ; next = max(1, reps/4) {
		in.Ours(next)
		reps += next
		if t := time.Since(start); t >= d {
			return float64(reps) * c.Cost.Work() / t.Seconds() * 1e-9
		}
	}
}

// serve is the body of a child process.
func serve(name string, stdout io.Writer) error {
	return serveLines(name, os.Stdin, stdout)
}

func serveLines(name string, stdin io.Reader, stdout io.Writer) error {
	var c *cases.Case
	for _, x := range cases.List(1) {
		if x.Name(asm.ISA()) == name {
			c = &x
		}
	}
	if c == nil {
		return fmt.Errorf("-pair-child: no case %s", name)
	}
	in := c.New()
	in.Ours(1)
	fmt.Fprintln(stdout, "ready")
	lines := bufio.NewScanner(stdin)
	for lines.Scan() {
		ms, err := strconv.ParseFloat(lines.Text(), 64)
		if err != nil {
			return fmt.Errorf("-pair-child: %w", err)
		}
		fmt.Fprintln(stdout, work(in, c, time.Duration(ms*float64(time.Millisecond))))
	}
	return lines.Err()
}

// A childProcess is a running child.
type childProcess struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

var threadCount = regexp.MustCompile(`/threads=\d+/`)

// startChildren starts as many processes as the case has threads, and waits until
// they are ready. In case of an error, it returns those that have been started.
func startChildren(c *cases.Case) ([]*childProcess, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	name := threadCount.ReplaceAllString(c.Name(asm.ISA()), "/threads=1/")
	var children []*childProcess
	for range c.Threads {
		cmd := exec.Command(exe, "-pair-child", name)
		cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
		cmd.Stderr = os.Stderr
		in, err := cmd.StdinPipe()
		if err != nil {
			return children, err
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			return children, err
		}
		if err := cmd.Start(); err != nil {
			return children, err
		}
		children = append(children, &childProcess{cmd, in, bufio.NewScanner(out)})
	}
	for _, ch := range children {
		if line, err := ch.read(); err != nil || line != "ready" {
			return children, fmt.Errorf("process for %s: got %q, %v", name, line, err)
		}
	}
	return children, nil
}

func (ch *childProcess) read() (string, error) {
	if !ch.out.Scan() {
		if err := ch.out.Err(); err != nil {
			return "", err
		}
		return "", io.ErrUnexpectedEOF
	}
	return strings.TrimSpace(ch.out.Text()), nil
}

func (ch *childProcess) stop() {
	ch.in.Close()
	ch.cmd.Wait() // the status of a process that is stopped does not matter
}

// rateOfAll lets all processes work at once and returns the sum of their rates.
func rateOfAll(children []*childProcess, d time.Duration) (float64, error) {
	for _, ch := range children {
		if _, err := fmt.Fprintf(ch.in, "%g\n", float64(d)/float64(time.Millisecond)); err != nil {
			return 0, err
		}
	}
	sum := 0.0
	for _, ch := range children {
		line, err := ch.read()
		if err != nil {
			return 0, fmt.Errorf("process for a pair: %w", err)
		}
		rate, err := strconv.ParseFloat(line, 64)
		if err != nil {
			return 0, fmt.Errorf("process for a pair: %w", err)
		}
		sum += rate
	}
	return sum, nil
}
