package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
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
	w    io.Writer
	name string
	bar  *progressbar.ProgressBar
}

const barLength = 1000

func newProgress(w io.Writer, name string, o options) *progress {
	p := &progress{w: w, name: name}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.bar = progressbar.NewOptions(barLength, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(name),
			progressbar.OptionSetWidth(30), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionSetPredictTime(true))
	}
	return p
}

// show says that a share of the run is done, and what has been reached.
func (p *progress) show(share float64, steps int, loss, failed float64) {
	text := fmt.Sprintf("%-6s step %5d  test loss %9.4f  error %9.4f", p.name, steps, loss, failed)
	if p.bar == nil {
		fmt.Fprintf(p.w, "%3.0f%%  %s\n", 100*min(1, share), text)
		return
	}
	p.bar.Describe(text)
	p.bar.Set(int(barLength * min(1, share)))
}

func (p *progress) end() {
	if p.bar != nil {
		p.bar.Exit()
		fmt.Fprintln(p.w)
	}
}

// table prints the results.
func table(w io.Writer, results []*result, o options) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "solver\tsteps\tseconds\tms/step\tin optimizer\ttrain loss\ttest loss\t%s\tseconds to Adam's loss\tsteps\t\n", taskOf(o.net).measure)
	for _, r := range results {
		seconds, steps := "-", "-"
		if r.SecondsToAdam != nil {
			seconds, steps = fmt.Sprintf("%.2f", *r.SecondsToAdam), fmt.Sprint(*r.StepsToAdam)
		}
		fmt.Fprintf(t, "%s\t%d\t%.2f\t%.1f\t%.0f%%\t%.4f\t%.4f\t%.4f\t%s\t%s\t\n", r.Solver, r.Steps, r.Seconds, r.MSPerStep,
			100*r.CurvatureShare, r.TrainLoss, r.TestLoss, r.TestError, seconds, steps)
	}
	t.Flush()
}

func writeJSON(path string, results []*result) error {
	b, err := json.MarshalIndent(map[string]any{"runs": results}, "", "\t")
	if err != nil {
		return err // an infinite loss has no form in JSON
	}
	return os.WriteFile(path, append(b, '\n'), 0o666)
}

// plots writes the curves of the test loss, against seconds and against steps.
func plots(name string, results []*result) error {
	for _, axis := range []struct {
		name string
		x    func(p point) float64
	}{{"seconds", func(p point) float64 { return p.seconds }}, {"steps", func(p point) float64 { return float64(p.steps) }}} {
		p := plot.New()
		p.X.Label.Text, p.Y.Label.Text = axis.name, "test loss"
		p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: 3}
		p.Legend.Top = true
		for i, r := range results {
			var xy plotter.XYs
			for _, q := range r.curve {
				if q.testLoss > 0 {
					xy = append(xy, plotter.XY{X: axis.x(q), Y: q.testLoss})
				}
			}
			if len(xy) == 0 {
				continue
			}
			line, err := plotter.NewLine(xy)
			if err != nil {
				return err
			}
			line.Color, line.Width = plotutil.Color(i), vg.Points(1.5)
			p.Add(line)
			p.Legend.Add(r.Solver, line)
		}
		for _, ext := range []string{".svg", ".png"} {
			if err := p.Save(16*vg.Centimeter, 10*vg.Centimeter, name+"-"+axis.name+ext); err != nil {
				return err
			}
		}
	}
	return nil
}
