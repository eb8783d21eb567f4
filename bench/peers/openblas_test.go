//go:build openblas

package main

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/precond-go/precond/bench/cases"
)

// The test binary is also the process of each later stage.
func TestMain(m *testing.M) {
	if i := slices.Index(os.Args, "-stage"); i == 1 {
		if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
			os.Stderr.WriteString(err.Error())
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// OpenBLAS computes what ours does, for every kind of case.
func TestResults(t *testing.T) {
	done := map[string]bool{}
	for _, c := range cases.List(1) {
		if !hasPeer(c.Kernel) || c.Cost.Flops > 5e6 || c.Cost.Bytes > 2e7 {
			continue
		}
		done[c.Kernel] = true
		a, b := c.New(), c.New()
		a.Ours(1)
		theirs(b)(1)
		x, y := a.Result(), b.Result()
		eps := math.Ldexp(float64(max(c.M, c.N, c.K)+8), map[int]int{4: -21, 8: -50}[c.Size])
		scale := 1.0
		for i := range x {
			scale = max(scale, math.Abs(x[i]))
		}
		for i := range x {
			if !(math.Abs(x[i]-y[i]) <= eps*scale) {
				t.Errorf("%s: element %d: %v, OpenBLAS %v", c.Name("any"), i, x[i], y[i])
				break
			}
		}
	}
	for k := range peers64 {
		if !done[k] {
			t.Errorf("%s is not tested", k)
		}
	}
}

func TestJSON(t *testing.T) {
	if testing.Short() {
		t.Skip("timing")
	}
	t.Setenv("OPENBLAS_CORETYPE", "Prescott") // must not matter
	var out bytes.Buffer
	err := run([]string{"-json", "-quick", "-gonum", "-run", "(Gemm|Syrk)/f64/.*n=64/threads=1/"}, &out, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d lines:\n%s", len(lines), out.String())
	}
	for _, line := range lines {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"rate", "limit", "share", "vs_gonum", "vs_openblas"} {
			if v, _ := m[key].(float64); !(v > 0) {
				t.Errorf("%s = %v in %s", key, m[key], line)
			}
		}
	}
}
