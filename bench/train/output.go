package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
)

// progress shows how far a run is: a bar on a terminal, lines elsewhere.
type progress struct {
	w     io.Writer
	name  string
	bar   *progressbar.ProgressBar
	shown float64 // share of the run at the last line
}

const (
	barLength = 1000
	lineEvery = 1.0 / 24 // of the run
)

func newProgress(w io.Writer, name string, o options) *progress {
	p := &progress{w: w, name: fmt.Sprintf("%-6s", name), shown: -1}
	if len(o.seeds) > 1 {
		p.name += fmt.Sprintf(" seed %d", o.seed)
	}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.bar = progressbar.NewOptions(barLength, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(p.name),
			progressbar.OptionSetWidth(30), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionSetPredictTime(true))
	}
	return p
}

// step says that a share of the run is done.
func (p *progress) step(share float64) {
	if p.bar != nil {
		p.bar.Set(int(barLength * min(1, share)))
	}
}

// show says what has been reached there.
func (p *progress) show(share float64, steps int, loss, failed float64) {
	text := fmt.Sprintf("%s step %5d  test loss %9.4f  error %9.4f", p.name, steps, loss, failed)
	switch {
	case p.bar != nil:
		p.bar.Describe(text)
	case share >= p.shown+lineEvery || share >= 1:
		p.shown = share
		fmt.Fprintf(p.w, "%3.0f%%  %s\n", 100*min(1, share), text)
	}
}

func (p *progress) end() {
	if p.bar != nil {
		p.bar.Exit()
		fmt.Fprintln(p.w)
	}
}

// column is one of the table's.
type column struct {
	head, format string
	of           func(r *result) number
	// outcome says that the median takes the figure of a run that failed for worse than any.
	outcome bool
}

// columns returns those that fit what was run.
func columns(o options) []column {
	list := []column{
		{"steps", "%.0f", func(r *result) number { return number(r.Steps) }, false},
		{"seconds", "%.2f", func(r *result) number { return number(r.Seconds) }, false},
		{"ms/step", "%.1f", func(r *result) number { return r.MSPerStep }, false},
		{"in optimizer", "%.0f%%", func(r *result) number { return 100 * r.CurvatureShare }, false},
		{"train loss", "%.4f", func(r *result) number { return r.TrainLoss }, true},
		{"test loss", "%.4f", func(r *result) number { return r.TestLoss }, true},
		{taskOf(o.net).measure, "%.4f", func(r *result) number { return r.TestError }, true},
	}
	if o.target > 0 {
		return append(list,
			column{fmt.Sprintf("to %g: seconds", o.target), "%.2f", func(r *result) number { return r.SecondsToTarget }, true},
			column{"steps", "%.0f", func(r *result) number { return r.StepsToTarget }, true})
	}
	return append(list,
		column{"to Adam's error: seconds", "%.2f", func(r *result) number { return r.SecondsToAdam }, true},
		column{"of Adam's", "%.1f%%", func(r *result) number { return 100 * r.shareOfSeconds }, true},
		column{"steps", "%.0f", func(r *result) number { return r.StepsToAdam }, true},
		column{"of Adam's", "%.1f%%", func(r *result) number { return 100 * r.shareOfSteps }, true})
}

// table prints the results, and the medians of those with several seeds.
func table(w io.Writer, results []*result, o options) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	cells := func(solver, seed string, text func(c column) string) {
		fmt.Fprintf(t, "%s\t%s\t", solver, seed)
		for _, c := range columns(o) {
			fmt.Fprintf(t, "%s\t", text(c))
		}
		fmt.Fprintln(t)
	}
	figure := func(c column, v number) string {
		if v-v != 0 {
			return "-"
		}
		return fmt.Sprintf(c.format, v)
	}
	cells("solver", "seed", func(c column) string { return c.head })
	for _, r := range results {
		solver := r.Solver
		if r.err != nil {
			solver = "* " + solver
		}
		cells(solver, fmt.Sprint(r.Seed), func(c column) string { return figure(c, c.of(r)) })
	}
	for _, name := range o.solvers {
		var runs []*result
		for _, r := range results {
			if r.Solver == name {
				runs = append(runs, r)
			}
		}
		if len(runs) < 2 {
			continue
		}
		cells(name, "median", func(c column) string {
			var list []float64
			for _, r := range runs {
				v := c.of(r)
				if c.outcome && r.err != nil {
					v = number(math.NaN())
				}
				list = append(list, float64(v))
			}
			return figure(c, number(median(list)))
		})
	}
	t.Flush()
}

// notes prints what the table does not say by itself.
func notes(w io.Writer, results []*result, o options, set *dataset) {
	for _, r := range results {
		if r.err == nil {
			continue
		}
		how := "stopped"
		if r.DivergedAt != nil {
			how = "diverged"
		}
		fmt.Fprintf(w, "* %s, seed %d, %s at step %d: %v", r.Solver, r.Seed, how, r.Steps, r.err)
		if r.partial {
			fmt.Fprintf(w, "; the figures are of step %d", r.last().Steps)
		}
		fmt.Fprintln(w)
	}
	k := taskOf(o.net).every
	fmt.Fprintf(w, "Seconds are of training steps only. Times to an error are by evaluations, not counted in the seconds, of %d of %d test images along the way.\n",
		every(k, set.test).Rows, set.test.Rows)
}

func writeJSON(path string, results []*result) error {
	b, err := json.MarshalIndent(map[string]any{"runs": results}, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o666)
}

// plots writes the curves of the test loss, against seconds and against steps, a colour for
// each solver.
func plots(name string, results []*result) error {
	for _, axis := range []struct {
		name string
		x    func(p point) float64
	}{{"seconds", func(p point) float64 { return p.Seconds }}, {"steps", func(p point) float64 { return float64(p.Steps) }}} {
		p := plot.New()
		p.X.Label.Text, p.Y.Label.Text = axis.name, "test loss"
		p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: 3}
		p.Legend.Top = true
		var drawn []string
		for _, r := range results {
			var xy plotter.XYs
			for _, q := range r.Curve {
				if q.Loss > 0 {
					xy = append(xy, plotter.XY{X: axis.x(q), Y: q.Loss})
				}
			}
			if len(xy) == 0 {
				continue
			}
			line, err := plotter.NewLine(xy)
			if err != nil {
				return err
			}
			first := !slices.Contains(drawn, r.Solver)
			if first {
				drawn = append(drawn, r.Solver)
			}
			line.Color, line.Width = plotutil.Color(slices.Index(drawn, r.Solver)), vg.Points(1.5)
			p.Add(line)
			if first {
				p.Legend.Add(r.Solver, line)
			}
		}
		if drawn == nil {
			return fmt.Errorf("no run has a loss to plot")
		}
		// An axis of no length would be widened by 1 on both sides, past zero.
		if p.Y.Min == p.Y.Max {
			p.Y.Min, p.Y.Max = p.Y.Min/2, p.Y.Max*2
		}
		for _, ext := range []string{".svg", ".png"} {
			if err := p.Save(16*vg.Centimeter, 10*vg.Centimeter, name+"-"+axis.name+ext); err != nil {
				return err
			}
		}
	}
	return nil
}
