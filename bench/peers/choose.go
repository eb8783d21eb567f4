package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"strings"
	"time"
)

// candidates are the kernels of OpenBLAS that may suit an amd64 or arm64 server.
// The empty name leaves the choice to OpenBLAS. Those that the processor cannot
// run, or the library does not have, drop out.
var candidates = []string{"", "SkylakeX", "Cooperlake", "SapphireRapids", "Zen", "Haswell", "NEOVERSEV1", "NEOVERSEN1", "ARMV8"}

// A probe is what a process that loaded OpenBLAS reports.
type probe struct {
	Core   string  `json:"core"` // the kernels that OpenBLAS runs
	Config string  `json:"config"`
	Sgemm  float64 `json:"sgemm"` // GFLOP/s, n = 512, one thread
	Dgemm  float64 `json:"dgemm"`
}

func (p probe) score() float64 { return math.Sqrt(p.Sgemm * p.Dgemm) }

// A choice is a value of OPENBLAS_CORETYPE, and how it came about.
type choice struct {
	core  string // empty: leave it to OpenBLAS
	tried []string
}

func (c choice) lines() []string {
	if len(c.tried) == 0 {
		return nil
	}
	return []string{"openblas kernels (sgemm, dgemm n=512 in GFLOP/s): " + strings.Join(c.tried, "; ")}
}

// choose returns the kernels to use: the forced ones, or the fastest of the
// candidates, which run tries out.
func choose(forced string, run func(core string) (probe, error)) (choice, error) {
	if forced != "" {
		p, err := run(forced)
		if err != nil {
			return choice{}, fmt.Errorf("OpenBLAS does not run here with -coretype %s: %w", forced, err)
		}
		if !strings.EqualFold(p.Core, forced) {
			return choice{}, fmt.Errorf("-coretype %s: OpenBLAS took %s instead; it does not have these kernels, or not for this machine", forced, p.Core)
		}
		return choice{core: forced}, nil
	}
	var best choice
	var score float64
	var last error
	seen := map[string]bool{}
	var tried []string
	for _, core := range candidates {
		p, err := run(core)
		if err != nil {
			last = err
			if core != "" {
				tried = append(tried, core+" does not run")
			}
			continue
		}
		name := strings.ToLower(p.Core)
		if core != "" && name != strings.ToLower(core) || seen[name] {
			continue // unknown to this library, or known from before
		}
		seen[name] = true
		what := p.Core
		if core == "" {
			what += " (its own choice)"
		}
		tried = append(tried, fmt.Sprintf("%s %.0f, %.0f", what, p.Sgemm, p.Dgemm))
		if s := p.score(); s > score {
			score, best.core = s, core
		}
	}
	if score == 0 {
		return choice{}, fmt.Errorf("OpenBLAS does not run here: %w", last)
	}
	best.tried = tried
	return best, nil
}

// environment returns the environment of a process that loads OpenBLAS. The time
// that its idle threads keep a processor busy, which is some 30 ms and would
// disturb our turn, becomes 2²⁰ cycles; calls in a row do not notice.
func environment(core string, threads int) []string {
	var env []string
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if !strings.HasPrefix(name, "OPENBLAS_") && name != "GOTO_NUM_THREADS" && name != "OMP_NUM_THREADS" {
			env = append(env, kv)
		}
	}
	env = append(env, fmt.Sprintf("OPENBLAS_NUM_THREADS=%d", threads), "OPENBLAS_THREAD_TIMEOUT=20")
	if core != "" {
		env = append(env, "OPENBLAS_CORETYPE="+core)
	}
	return env
}

// runProbe tries kernels out in a process of its own.
func runProbe(exe, core string) (probe, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, exe, "-stage", stageProbe)
	cmd.Env = environment(core, 1)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		first, _, _ := strings.Cut(errs.String(), "\n")
		return probe{}, fmt.Errorf("%w: %s", err, first)
	}
	var p probe
	if err := json.Unmarshal(out, &p); err != nil {
		return probe{}, err
	}
	if !(p.score() > 0) {
		return probe{}, fmt.Errorf("rates %v and %v", p.Sgemm, p.Dgemm)
	}
	return p, nil
}

// runMeasure runs the command once more, with these kernels.
func runMeasure(exe, core string, args []string, threads int, stdout, stderr io.Writer) error {
	cmd := exec.Command(exe, append([]string{"-stage", stageMeasure}, args...)...)
	cmd.Env = environment(core, threads)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	return cmd.Run()
}
