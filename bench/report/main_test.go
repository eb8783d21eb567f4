package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/bench/cases"
)

// The test binary is also the child process of -pair.
func TestMain(m *testing.M) {
	if i := slices.Index(os.Args, "-pair-child"); i == 1 {
		if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
			os.Stderr.WriteString(err.Error())
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// rows runs the command and returns the JSON objects that it prints.
func rows(t *testing.T, args ...string) []map[string]any {
	t.Helper()
	var out bytes.Buffer
	if err := run(append([]string{"-json"}, args...), &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	var list []map[string]any
	for _, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		list = append(list, m)
	}
	return list
}

func TestJSON(t *testing.T) {
	list := rows(t, "-quick", "-run", "^(Gemm/f64/NN/n=8|Gemm/f64/NN/n=257|Exp/f32/n=16384)/threads=1/")
	if len(list) != 3 {
		t.Fatalf("%d rows", len(list))
	}
	for i, m := range list {
		for _, key := range []string{"kernel", "type", "case", "threads", "isa", "rate", "unit", "limit", "share", "vs_gonum"} {
			if _, ok := m[key]; !ok {
				t.Errorf("row %d has no %q: %v", i, key, m)
			}
		}
		if m["isa"] != asm.ISA() || m["threads"] != 1.0 {
			t.Errorf("row %d: %v", i, m)
		}
		for _, key := range []string{"rate", "limit", "share"} {
			if v, _ := m[key].(float64); !(v > 0) {
				t.Errorf("row %d: %s = %v", i, key, m[key])
			}
		}
		v, compared := m["vs_gonum"].(float64)
		if compared != (m["kernel"] == "Gemm") || compared && !(v > 0) {
			t.Errorf("row %d: vs_gonum = %v", i, m["vs_gonum"])
		}
		base, compared := m["vs_base"].(float64)
		if compared != (m["case"] == "NN/n=257") || compared && !(base > 0) {
			t.Errorf("row %d: vs_base = %v", i, m["vs_base"])
		}
	}
}

func TestErrors(t *testing.T) {
	for args, want := range map[string]string{
		"-run nothing":                  "nothing",
		"-pair -threads 1":              "several threads",
		"-pair-child Gemm/f32/NN/n=7/x": "no case",
		"-quick=x":                      "quick",
	} {
		var out bytes.Buffer
		if err := run(strings.Fields(args), &out, io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", args, err, want)
		}
		if out.Len() > 0 {
			t.Errorf("%s: prints %q before its error", args, out.String())
		}
	}
}

func TestPair(t *testing.T) {
	if testing.Short() {
		t.Skip("timing")
	}
	list := rows(t, "-pair", "-quick", "-threads", "2", "-run", "Gemm/f32/NN/n=128/")
	if len(list) != 1 {
		t.Fatalf("%d rows", len(list))
	}
	if v, _ := list[0]["vs_pair"].(float64); !(v > 0) || v > 20 {
		t.Errorf("vs_pair = %v", list[0]["vs_pair"])
	}
}

// A child answers each line with a rate and ends with its input.
func TestServe(t *testing.T) {
	var out bytes.Buffer
	name := "Gemm/f32/NN/n=8/threads=1/isa=" + asm.ISA()
	if err := serveLines(name, strings.NewReader("1\n2.5\n"), &out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Fields(out.String())
	if len(lines) != 3 || lines[0] != "ready" {
		t.Errorf("child prints %q", out.String())
	}
	if err := serveLines(name, strings.NewReader("x\n"), io.Discard); err == nil {
		t.Error("no error for a line that is no number")
	}
}

// work counts what it does: half the work per call is half the rate.
func TestWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // on a clock that only sleeping moves
		c := cases.Case{Cost: cases.Cost{Unit: cases.GBs, Bytes: 1e6}}
		if r := work(sleeper{}, &c, 20*time.Millisecond); !(r > 0.999) || !(r < 1.001) {
			t.Errorf("%v GB/s at 1 MB per millisecond", r)
		}
	})
}

// sleeper takes a millisecond per repetition.
type sleeper struct{ cases.Instance }

func (sleeper) Ours(reps int) { time.Sleep(time.Duration(reps) * time.Millisecond) }
