package harness

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/precond-go/precond/bench/cases"
	"github.com/precond-go/precond/bench/limits"
	"github.com/precond-go/precond/bench/measure"
)

func parse(t *testing.T, args ...string) (*Flags, error) {
	t.Helper()
	var f Flags
	return &f, f.Parse("test", args, io.Discard, nil)
}

func TestFlagErrors(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"-run (", "-run"},
		{"-threads 0", "number of threads"},
		{"-threads 1,x", `"x"`},
		{"-threads 2,2", "twice"},
		{"extra", `"extra"`},
		{"-nosuch", "nosuch"},
	} {
		if _, err := parse(t, strings.Fields(c.args)...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.args, err, c.want)
		}
	}
	f, err := parse(t, "-run", "nosuchkernel")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Select("avx2"); err == nil || !strings.Contains(err.Error(), "nosuchkernel") {
		t.Errorf("no case: error %v", err)
	}
}

func TestSelect(t *testing.T) {
	f, err := parse(t, "-run", "Gemm/f32/N[TN]/n=512/.*isa=avx2$", "-threads", "3, 1", "-quick")
	if err != nil {
		t.Fatal(err)
	}
	list, err := f.Select("avx2")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range list {
		names = append(names, c.Name("avx2"))
	}
	want := "Gemm/f32/NN/n=512/threads=3/isa=avx2 Gemm/f32/NN/n=512/threads=1/isa=avx2 " +
		"Gemm/f32/NT/n=512/threads=3/isa=avx2 Gemm/f32/NT/n=512/threads=1/isa=avx2"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("selected %s", got)
	}
	all, err := parse(t)
	if err != nil {
		t.Fatal(err)
	}
	full, err := all.Select("avx2")
	if err != nil || len(full) != len(cases.List(all.Counts()...)) {
		t.Errorf("without flags: %d cases, %v", len(full), err)
	}
}

func TestQuickKeepsItsTime(t *testing.T) {
	f, err := parse(t, "-quick")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if f.Late(&out, 7) || out.Len() > 0 {
		t.Errorf("late at the start: %q", out.String())
	}
	fresh := f.Plan().Budget
	f.start = f.start.Add(-40 * time.Second)
	if f.Late(&out, 7) || f.Plan().Budget >= fresh {
		t.Errorf("after 40 s: late %q, budget %v", out.String(), f.Plan().Budget)
	}
	f.start = f.start.Add(-20 * time.Second)
	if !f.Late(&out, 7) || !strings.Contains(out.String(), "7 cases") {
		t.Errorf("after 60 s: %q", out.String())
	}
	f.Quick = false
	if f.Late(&out, 7) {
		t.Error("a full run is late")
	}
}

func gemm(t *testing.T) *cases.Case {
	t.Helper()
	for _, c := range cases.List(1) {
		if c.Kernel == "Gemm" && c.Label == "NT/n=128" && c.Size == 4 {
			return &c
		}
	}
	t.Fatal("no case")
	return nil
}

// A rival that does the same work in twice the time has half the rate.
func TestMeasure(t *testing.T) {
	c := gemm(t)
	sleep := func(d time.Duration) measure.Run {
		return measure.Run{Do: func(reps int) { time.Sleep(time.Duration(reps) * d) }}
	}
	plan := measure.Plan{Batch: 5 * time.Millisecond, Budget: 50 * time.Millisecond}
	r := Measure(c, limits.New("generic"), plan, sleep(5*time.Millisecond),
		Rival{cases.Gonum, sleep(10 * time.Millisecond), c.Cost.Work()},
		Rival{cases.Base, sleep(5 * time.Millisecond), 2 * c.Cost.Work()})
	near := func(what string, got, want float64) {
		if !(got > 0.6*want) || !(got < 1.4*want) {
			t.Errorf("%s = %v, want about %v", what, got, want)
		}
	}
	near("rate", r.Rate, 2*128*128*128/5e-3*1e-9)
	near("vs_gonum", *r.VsGonum, 2)
	near("vs_base", *r.VsBase, 0.5)
	if !(r.Limit > 0) {
		t.Errorf("limit %v", r.Limit)
	}
	near("share", r.Share, r.Rate/r.Limit)
	if len(r.Bars) != 1 || r.Bars[0].Against != cases.Base || r.Bars[0].Verdict != cases.Below {
		t.Errorf("bars %+v", r.Bars) // there is none against gonum at this size
	}
}

func TestJSON(t *testing.T) {
	c := gemm(t)
	r := NewRow(c, limits.New("avx512"), 50, 200)
	var out bytes.Buffer
	p := NewPrinter(&out, true, []string{"not printed"})
	if err := p.Print(r); err != nil {
		t.Fatal(err)
	}
	r.Compare(c, cases.Gonum, 3)
	r.Compare(c, cases.OpenBLAS, 1.05)
	if err := p.Print(r); err != nil {
		t.Fatal(err)
	}
	p.Summary()
	want := `{"kernel":"Gemm","type":"f32","case":"NT/n=128","threads":1,"isa":"avx512","rate":50,"unit":"GFLOP/s","limit":200,"share":0.25,"vs_gonum":null}
{"kernel":"Gemm","type":"f32","case":"NT/n=128","threads":1,"isa":"avx512","rate":50,"unit":"GFLOP/s","limit":200,"share":0.25,"vs_gonum":3,"vs_openblas":1.05,"bars":[{"against":"openblas","ratio":1.05,"must":0.95,"goal":1.1,"verdict":"must"}]}
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
	for _, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
		if err := json.Unmarshal([]byte(line), new(Row)); err != nil {
			t.Error(err)
		}
	}
}

func TestTable(t *testing.T) {
	c := gemm(t)
	var out bytes.Buffer
	p := NewPrinter(&out, false, []string{"cpu: x"})
	r := NewRow(c, limits.New("avx512"), 50, 200)
	r.Compare(c, cases.OpenBLAS, 0.5)
	r.Compare(c, cases.Base, 0.98)
	for range 2 {
		if err := p.Print(r); err != nil {
			t.Fatal(err)
		}
	}
	p.Summary()
	for _, want := range []string{
		"cpu: x", "GFLOP/s", "25.0%", "0.50× openblas", "0.98× NN/n=128", "[openblas: below 0.95/1.10]",
		"goal reached 0, must reached 0, below 2", "goal reached 2, must reached 0, below 0",
		"Gemm/f32/NT/n=128/threads=1: 0.50 of openblas, must be 0.95",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if n := strings.Count(out.String(), "share"); n != 1 {
		t.Errorf("%d headings for one kernel", n)
	}
}
