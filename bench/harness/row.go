package harness

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/precond-go/precond/bench/cases"
	"github.com/precond-go/precond/bench/limits"
	"github.com/precond-go/precond/bench/measure"
)

// A Row is the result of one case, and what is printed as JSON.
type Row struct {
	Kernel  string  `json:"kernel"`
	Type    string  `json:"type"`
	Case    string  `json:"case"`
	Threads int     `json:"threads"`
	ISA     string  `json:"isa"`
	Rate    float64 `json:"rate"`
	Unit    string  `json:"unit"`
	Limit   float64 `json:"limit"`
	Share   float64 `json:"share"` // of the limit

	// Ratios of our rate to others; null where there is nothing to compare
	// with, absent where the command does not compare.
	VsGonum    *float64  `json:"vs_gonum"`
	VsOpenBLAS *float64  `json:"vs_openblas,omitempty"`
	VsBase     *float64  `json:"vs_base,omitempty"` // our rate in the case Base
	Base       string    `json:"base,omitempty"`
	VsPair     *float64  `json:"vs_pair,omitempty"` // sum of single-threaded processes at once
	Bars       []Verdict `json:"bars,omitempty"`
}

// A Verdict is how a ratio stands to what it must and should be.
type Verdict struct {
	Against string  `json:"against"`
	Ratio   float64 `json:"ratio"`
	Must    float64 `json:"must"`
	Goal    float64 `json:"goal"`
	Verdict string  `json:"verdict"` // goal, must or below
}

// A Rival is what a case is timed against.
type Rival struct {
	Against string // cases.Gonum and so on
	Run     measure.Run
	Work    float64 // of one call; as in cases.Cost
}

// Measure times ours, the loop of the machine's limit and the rivals in turns.
func Measure(c *cases.Case, l *limits.Limits, plan measure.Plan, ours measure.Run, rivals ...Rival) Row {
	limit := c.LimitLoop(l)
	runs := []measure.Run{ours, {Do: limit.Do, Before: ours.Before}}
	for _, r := range rivals {
		runs = append(runs, r.Run)
	}
	times := measure.Alternate(plan, runs...)
	row := NewRow(c, l, c.Cost.Work()/times.Median(0)*1e-9, limit.Work/times.Median(1)*1e-9)
	row.Compare(c, cases.Limit, times.Ratio(1, 0)*c.Cost.Work()/limit.Work)
	for i, r := range rivals {
		row.Compare(c, r.Against, times.Ratio(i+2, 0)*c.Cost.Work()/r.Work)
	}
	return row
}

// NewRow returns the row of a case with our rate and the limit.
func NewRow(c *cases.Case, l *limits.Limits, rate, limit float64) Row {
	return Row{
		Kernel: c.Kernel, Type: c.Type(), Case: c.Label, Threads: c.Threads, ISA: l.ISA(),
		Rate: rate, Unit: c.Cost.Unit, Limit: limit, Share: rate / limit,
	}
}

// Compare records the ratio of our rate to another.
func (r *Row) Compare(c *cases.Case, against string, ratio float64) {
	switch against {
	case cases.Limit:
		r.Share = ratio
	case cases.Gonum:
		r.VsGonum = &ratio
	case cases.OpenBLAS:
		r.VsOpenBLAS = &ratio
	case cases.Base:
		r.VsBase, r.Base = &ratio, c.Base
	case cases.Pair:
		r.VsPair = &ratio
	}
	r.judge(c, against, ratio)
}

func (r *Row) judge(c *cases.Case, against string, ratio float64) {
	if b, ok := c.Bar(against, r.ISA); ok {
		r.Bars = append(r.Bars, Verdict{against, ratio, b.Must, b.Goal, b.Verdict(ratio)})
	}
}

// A Printer prints rows as they come, and counts verdicts.
type Printer struct {
	w      io.Writer
	json   bool
	title  string
	counts map[string]map[string]int // against, verdict
	below  []string
}

// NewPrinter returns a printer. In the table, comment lines come first; as JSON,
// there is nothing but rows.
func NewPrinter(w io.Writer, asJSON bool, header []string) *Printer {
	p := &Printer{w: w, json: asJSON, counts: map[string]map[string]int{}}
	if !asJSON {
		for _, h := range header {
			fmt.Fprintln(w, h)
		}
	}
	return p
}

// Print prints a row.
func (p *Printer) Print(r Row) error {
	for _, v := range r.Bars {
		if p.counts[v.Against] == nil {
			p.counts[v.Against] = map[string]int{}
		}
		p.counts[v.Against][v.Verdict]++
		if v.Verdict == cases.Below {
			p.below = append(p.below, fmt.Sprintf("%s/%s/%s/threads=%d: %.2f of %s, must be %.2f",
				r.Kernel, r.Type, r.Case, r.Threads, v.Ratio, v.Against, v.Must))
		}
	}
	if p.json {
		return json.NewEncoder(p.w).Encode(r)
	}
	if title := r.Kernel + "/" + r.Type; title != p.title {
		p.title = title
		fmt.Fprintf(p.w, "\n%-34s threads %10s %9s %6s\n", title, r.Unit, "limit", "share")
	}
	line := fmt.Sprintf("  %-32s %7d %10.2f %9.1f %5.1f%%", r.Case, r.Threads, r.Rate, r.Limit, 100*r.Share)
	ratio := func(v *float64, name string) {
		if v != nil {
			line += fmt.Sprintf("  %.2f× %s", *v, name)
		}
	}
	ratio(r.VsGonum, "gonum")
	ratio(r.VsOpenBLAS, "openblas")
	ratio(r.VsBase, r.Base)
	ratio(r.VsPair, "processes")
	for _, v := range r.Bars {
		line += fmt.Sprintf("  [%s: %s %.2f/%.2f]", v.Against, v.Verdict, v.Must, v.Goal)
	}
	_, err := fmt.Fprintln(p.w, line)
	return err
}

// Summary prints how many ratios reach their bars, and those that do not. It
// prints nothing as JSON.
func (p *Printer) Summary() {
	if p.json || len(p.counts) == 0 {
		return
	}
	fmt.Fprintln(p.w, "\nbars: ratio against what it must be and should be (must/goal)")
	for _, against := range []string{cases.OpenBLAS, cases.Limit, cases.Gonum, cases.Base, cases.Pair} {
		if n := p.counts[against]; n != nil {
			fmt.Fprintf(p.w, "  %-9s goal reached %d, must reached %d, below %d\n",
				against, n[cases.AtGoal], n[cases.AtMust], n[cases.Below])
		}
	}
	if len(p.below) > 0 {
		fmt.Fprintln(p.w, "below:\n  "+strings.Join(p.below, "\n  "))
	}
}
