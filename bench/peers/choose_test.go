package main

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

func TestChooseFastest(t *testing.T) {
	best, err := choose("", func(core string) (probe, error) {
		switch core {
		case "":
			return probe{Core: "Prescott", Sgemm: 10, Dgemm: 5}, nil
		case "SkylakeX":
			return probe{}, errors.New("signal: illegal instruction")
		case "Haswell":
			return probe{Core: "Haswell", Sgemm: 90, Dgemm: 45}, nil
		case "Zen":
			return probe{Core: "Zen", Sgemm: 100, Dgemm: 50}, nil
		}
		return probe{Core: "Prescott", Sgemm: 1000, Dgemm: 1000}, nil // unknown names are ignored
	})
	if err != nil || best.core != "Zen" {
		t.Fatalf("chose %q, %v", best.core, err)
	}
	line := strings.Join(best.lines(), "\n")
	for _, want := range []string{"Prescott (its own choice) 10, 5", "SkylakeX does not run", "Zen 100, 50", "Haswell 90, 45"} {
		if !strings.Contains(line, want) {
			t.Errorf("no %q in %q", want, line)
		}
	}
}

func TestChooseForced(t *testing.T) {
	run := func(core string) (probe, error) {
		switch core {
		case "Crash":
			return probe{}, errors.New("signal: illegal instruction")
		case "Haswell":
			return probe{Core: "Haswell", Sgemm: 1, Dgemm: 1}, nil
		}
		return probe{Core: "Zen", Sgemm: 1, Dgemm: 1}, nil
	}
	if c, err := choose("haswell", func(string) (probe, error) { return run("Haswell") }); err != nil || c.core != "haswell" {
		t.Errorf("chose %q, %v", c.core, err)
	}
	if _, err := choose("Nehalem", run); err == nil || !strings.Contains(err.Error(), "took Zen") {
		t.Errorf("unknown core: %v", err)
	}
	if _, err := choose("Crash", run); err == nil || !strings.Contains(err.Error(), "illegal instruction") {
		t.Errorf("core that crashes: %v", err)
	}
	if _, err := choose("", func(string) (probe, error) { return run("Crash") }); err == nil {
		t.Error("no error though nothing runs")
	}
}

func TestEnvironment(t *testing.T) {
	t.Setenv("OPENBLAS_CORETYPE", "Haswell")
	t.Setenv("OPENBLAS_L2_SIZE", "512")
	t.Setenv("OMP_NUM_THREADS", "7")
	t.Setenv("PRECOND_TEST", "kept")
	env := environment("", 3)
	for _, kv := range env {
		if strings.HasPrefix(kv, "OPENBLAS_CORETYPE=") || strings.HasPrefix(kv, "OPENBLAS_L2_SIZE=") || strings.HasPrefix(kv, "OMP_") {
			t.Errorf("environment has %s", kv)
		}
	}
	if !slices.Contains(env, "PRECOND_TEST=kept") || !slices.Contains(env, "OPENBLAS_NUM_THREADS=3") {
		t.Errorf("environment %q", env)
	}
	if !slices.Contains(environment("Zen", 1), "OPENBLAS_CORETYPE=Zen") {
		t.Error("the kernels are not forced")
	}
}

func TestErrors(t *testing.T) {
	cases := map[string]string{"-run nothing": "nothing", "-threads x": "threads", "-stage x -run Gemm": "stage"}
	if !linked {
		cases = map[string]string{"-run nothing": "nothing", "-quick": "libopenblas-dev"}
	}
	for args, want := range cases {
		var out bytes.Buffer
		if err := run(strings.Fields(args), &out, io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", args, err, want)
		}
		if out.Len() > 0 {
			t.Errorf("%s: prints %q before its error", args, out.String())
		}
	}
}
