package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/internal/nn"
	"github.com/precond-go/precond/internal/random"
)

// writeData writes small files of the form of MNIST's: digits are bright squares in
// places of their own.
func writeData(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for part, n := range map[string]int{"train": 60, "t10k": 20} {
		var images, labels bytes.Buffer
		for _, v := range []int32{0x803, int32(n), 28, 28} {
			binary.Write(&images, binary.BigEndian, v)
		}
		for _, v := range []int32{0x801, int32(n)} {
			binary.Write(&labels, binary.BigEndian, v)
		}
		s := random.New(5, uint64(n), 0)
		for i := range n {
			digit := i % 10
			pixels := make([]byte, 784)
			for k := range 25 {
				pixels[(k/5+5*(digit/5)+3)*28+k%5+5*(digit%5)] = byte(128 + s.IntN(uint64(25*i+k), 128))
			}
			images.Write(pixels)
			labels.WriteByte(byte(digit))
		}
		for name, b := range map[string]*bytes.Buffer{"-images-idx3-ubyte.gz": &images, "-labels-idx1-ubyte.gz": &labels} {
			var z bytes.Buffer
			w := gzip.NewWriter(&z)
			w.Write(b.Bytes())
			w.Close()
			if err := os.WriteFile(filepath.Join(dir, part+name), z.Bytes(), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

// The tests have a network more, which takes no time.
func TestMain(m *testing.M) {
	tiny := taskOf("cnn")
	tiny.name, tiny.every = "tiny", 3
	tiny.build = func() *nn.Network[float32] {
		return nn.New[float32](nn.SoftmaxCrossEntropy, nn.Shape{Height: 28, Width: 28, Channels: 1},
			nn.AvgPool{Size: 4}, nn.Conv{Out: 4, KernelH: 3, KernelW: 3, PadH: 1, PadW: 1, Act: nn.ReLU},
			nn.Full{Out: 16, Act: nn.Logistic}, nn.Full{Out: 10})
	}
	tasks = append(tasks, tiny)
	// The test binary is also the child process of TestInstructionSets.
	if len(os.Args) > 1 && os.Args[1] == "-child" {
		if err := run(context.Background(), os.Args[2:], os.Stdout, os.Stderr); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// runs trains and returns what the JSON file says, and the table.
func runs(t *testing.T, args ...string) (list []map[string]any, out string) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "out.json")
	var stdout, stderr bytes.Buffer
	args = append(args, "-json", file, "-plot", filepath.Join(dir, "p"))
	if err := run(context.Background(), args, &stdout, &stderr); err != nil {
		t.Fatalf("%v: %v\n%s", args, err, stderr.String())
	}
	for _, name := range []string{"p-seconds.svg", "p-seconds.png", "p-steps.svg", "p-steps.png"} {
		if s, err := os.Stat(filepath.Join(dir, name)); err != nil || s.Size() == 0 {
			t.Errorf("plot %s: %v", name, err)
		}
	}
	return readRuns(t, file), stdout.String()
}

// readRuns returns what is in a file of -json.
func readRuns(t *testing.T, file string) []map[string]any {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all struct{ Runs []map[string]any }
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	return all.Runs
}

// TestReproducible trains each solver for a few steps: the weights have the same bits with any
// number of threads, other bits with another seed, and the loss falls.
func TestReproducible(t *testing.T) {
	dir := writeData(t)
	for _, net := range netNames() {
		if net == "tiny" {
			continue
		}
		args := func(seed, threads string) []string {
			return []string{"-data", dir, "-net", net, "-batch", "20", "-steps", "4", "-solvers", strings.Join(solverNames(), ","), "-seed", seed, "-threads", threads}
		}
		one, out := runs(t, args("1", "1")...)
		two, _ := runs(t, args("1,2", "2")...)
		if n := len(solverNames()); len(one) != n || strings.Count(out, "\n") != 3+n || len(two) != 2*n {
			t.Fatalf("%s: %d and %d runs, table\n%s", net, len(one), len(two), out)
		}
		for i, r := range one {
			for _, key := range []string{"solver", "seed", "steps", "seconds", "ms_per_step", "train_loss", "test_loss", "test_error", "seconds_to_adam", "steps_to_adam", "weights_digest"} {
				if _, ok := r[key]; !ok {
					t.Errorf("%s: no %s in the JSON file", net, key)
				}
			}
			if r["solver"] != solverNames()[i] || r["steps"] != 4.0 || r["diverged_at"] != nil || r["stopped"] != "" {
				t.Errorf("%s: %v", net, r)
			}
			same, other := two[i], two[len(one)+i]
			if same["seed"] != 1.0 || other["seed"] != 2.0 || same["solver"] != r["solver"] || other["solver"] != r["solver"] {
				t.Errorf("%s: runs %v and %v", net, same, other)
			}
			if a, b := r["weights_digest"], same["weights_digest"]; a != b {
				t.Errorf("%s, %s: digest %v with one thread, %v with two", net, r["solver"], a, b)
			}
			if r["weights_digest"] == other["weights_digest"] {
				t.Errorf("%s, %s: the seed has no effect", net, r["solver"])
			}
			curve := r["curve"].([]any)
			if len(curve) != 5 {
				t.Errorf("%s, %s: %d points", net, r["solver"], len(curve))
			}
			first, last := curve[0].(map[string]any)["test_loss"].(float64), r["test_loss"].(float64)
			if !(last < first) {
				t.Errorf("%s, %s: the test loss was %v and is %v", net, r["solver"], first, last)
			}
			if r["solver"] == "adam" && r["steps_to_adam"] == nil {
				t.Errorf("%s: Adam does not come to its own error", net)
			}
		}
	}
}

// TestInstructionSets trains each solver with each instruction set of the machine, in a process
// of its own: the weights have the same bits.
func TestInstructionSets(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := writeData(t)
	var want map[string]string
	for _, isa := range asm.ISAs() {
		for _, threads := range []string{"1", "2"} {
			file := filepath.Join(t.TempDir(), "out.json")
			cmd := exec.Command(exe, "-child", "-data", dir, "-net", "tiny", "-rate", "0.01", "-batch", "20", "-steps", "25",
				"-solvers", strings.Join(solverNames(), ","), "-threads", threads, "-json", file, "-plot", "")
			cmd.Env = append(os.Environ(), "PRECOND_ISA="+isa)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%s: %v\n%s", isa, err, out)
			}
			if !strings.Contains(string(out), "threads, "+isa+"\n") {
				t.Fatalf("the child did not run on %s:\n%s", isa, out)
			}
			got := map[string]string{}
			for _, r := range readRuns(t, file) {
				got[r["solver"].(string)] = r["weights_digest"].(string)
			}
			if want == nil {
				want = got
			}
			if len(got) != len(solverNames()) || !maps.Equal(got, want) {
				t.Errorf("%s, %s threads: digests %v, want %v", isa, threads, got, want)
			}
		}
	}
}

// TestDiverged has Adam step out of what float32 holds: its run ends and says so, in the table
// and in the JSON file, with the last figures that were finite; it came to no error, and none
// is measured by it. The other solvers go on.
func TestDiverged(t *testing.T) {
	dir := writeData(t)
	list, out := runs(t, "-data", dir, "-net", "tiny", "-batch", "20", "-steps", "6", "-solvers", "kfac,adam,ekfac", "-rate", "1e38", "-target", "1e9", "-seed", "1,2")
	if len(list) != 6 {
		t.Fatalf("%d runs", len(list))
	}
	for _, r := range list {
		if r["seconds_to_adam"] != nil || r["steps_to_adam"] != nil {
			t.Errorf("%v came to the error of a run that diverged", r["solver"])
		}
		if r["solver"] != "adam" {
			if r["steps"] != 6.0 || r["diverged_at"] != nil || r["steps_to_target"] != 0.0 {
				t.Errorf("beside Adam: %v", r)
			}
			continue
		}
		points := r["curve"].([]any)
		last := points[len(points)-1].(map[string]any)
		if r["diverged_at"] != r["steps"] || r["steps"].(float64) > 5 || !strings.Contains(r["stopped"].(string), "not finite") ||
			r["steps_to_target"] != nil || r["test_loss"] != last["test_loss"] || !(r["test_loss"].(float64) > 0) || r["train_loss"] != nil {
			t.Errorf("Adam: %v", r)
		}
	}
	if !regexp.MustCompile(`(?m)^ *\* adam +1 .*\n(.*\n)+\* adam, seed 1, diverged at step \d: .* not finite; the figures are of step \d$`).MatchString(out) {
		t.Errorf("the table is\n%s", out)
	}
	if m := regexp.MustCompile(`(?m)^ *adam +median( +\S+){4} +- +- +- +- +-$`); !m.MatchString(out) {
		t.Errorf("the medians of runs that all diverged:\n%s", out)
	}
}

// TestCompare has runs that come to Adam's error late, never, and before they diverge.
func TestCompare(t *testing.T) {
	curve := func(errors ...float64) (list []point) {
		for i, e := range errors {
			list = append(list, point{Steps: 10 * i, Seconds: float64(i) / 2, Loss: 1, Error: e})
		}
		return list
	}
	list := []*result{
		{Solver: "kfac", Seed: 1, Curve: curve(9, 6, 4, 5)},
		{Solver: "adam", Seed: 1, Curve: curve(9, 8, 7, 6, 5), Steps: 40, Seconds: 2},
		{Solver: "sgd", Seed: 1, Curve: curve(9, 8, 7, 6, 5.1)},
		{Solver: "ekfac", Seed: 1, Curve: curve(9, 1), err: errors.New("diverged")},
		{Solver: "kfac", Seed: 2, Curve: curve(9, 0)}, // without Adam
	}
	compare(list, 8.5)
	for i, want := range [][6]number{{20, 1, 0.5, 0.5, 10, 0.5}, {40, 2, 1, 1, 10, 0.5}, {-1, -1, -1, -1, 10, 0.5}, {-1, -1, -1, -1, -1, -1}, {-1, -1, -1, -1, 10, 0.5}} {
		r := list[i]
		got := [6]number{r.StepsToAdam, r.SecondsToAdam, r.shareOfSteps, r.shareOfSeconds, r.StepsToTarget, r.SecondsToTarget}
		for k, v := range got {
			if v != v {
				got[k] = -1 // missing
			}
		}
		if got != want {
			t.Errorf("%s, seed %d: %v, want %v", r.Solver, r.Seed, got, want)
		}
	}
	nan := math.NaN()
	for _, c := range []struct {
		list []float64
		want float64
	}{{[]float64{3}, 3}, {[]float64{5, 1, 2}, 2}, {[]float64{4, 1, 3, 2}, 2.5}, {[]float64{nan, 1, 2}, 2}, {[]float64{nan, 1, nan}, nan}, {[]float64{nan, 1}, nan}} {
		if got := median(c.list); got != c.want && (got == got || c.want == c.want) {
			t.Errorf("the median of %v is %v, want %v", c.list, got, c.want)
		}
	}
}

// TestWindows takes turns: each line is answered by one window of steps, and the steps
// are those of a run.
func TestWindows(t *testing.T) {
	dir := writeData(t)
	set, err := load(dir)
	if err != nil {
		t.Fatal(err)
	}
	o, err := parse([]string{"-data", dir, "-net", "tiny", "-batch", "20", "-rate", "0.01", "-solvers", "adam", "-windows"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := windows(o, set, strings.NewReader("2\n1\n"), &out); err != nil {
		t.Fatal(err)
	}
	again := newTrainer("adam", o, set)
	defer again.close()
	for _, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
		var w struct {
			Steps         int
			Seconds, Loss float64
		}
		if err := json.Unmarshal([]byte(line), &w); err != nil {
			t.Fatal(err)
		}
		for range w.Steps {
			if err := again.step(); err != nil {
				t.Fatal(err)
			}
		}
		if !(w.Seconds > 0) || w.Loss != again.loss {
			t.Errorf("%s: the loss is %v", line, again.loss)
		}
	}
	if again.steps != 3 {
		t.Errorf("%d steps", again.steps)
	}
	if err := windows(o, set, strings.NewReader("0\n"), io.Discard); err == nil || !strings.Contains(err.Error(), "number of steps") {
		t.Errorf("no steps: %v", err)
	}
}

func TestBadInput(t *testing.T) {
	good := writeData(t)
	images := filepath.Join(good, "train-images-idx3-ubyte.gz")
	whole, err := os.ReadFile(images)
	if err != nil {
		t.Fatal(err)
	}
	check := func(want string, args ...string) {
		t.Helper()
		var out bytes.Buffer
		err := run(context.Background(), append([]string{"-plot", "", "-steps", "1", "-batch", "10", "-solvers", "sgd"}, args...), &out, &out)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", args, err, want)
		}
	}
	check("no solver \"newton\"", "-solvers", "sgd,newton")
	check("no network \"rnn\"", "-net", "rnn")
	check("unexpected argument", "x")
	for _, f := range []string{"seconds NaN", "seconds +Inf", "seconds 1e+300", "seconds -1", "steps 0", "batch 0", "threads -1", "threads 5000",
		"rate +Inf", "rate NaN", "rate -1", "rate 0", "target -0.5"} {
		name, value, _ := strings.Cut(f, " ")
		_, err := parse([]string{"-" + name, value}, io.Discard)
		if err == nil || !strings.HasPrefix(err.Error(), "-"+f+": it must be ") {
			t.Errorf("-%s: %v", f, err)
		}
	}
	check("twice", "-solvers", "sgd,sgd")
	check("twice", "-seed", "3,3")
	check("not a number from 0", "-seed", "1,-2")
	check("give one of them", "-seconds", "1")
	check("-batch 61: there are 60", "-data", good, "-batch", "61")
	check("folder", "-data", filepath.Join(good, "missing"))
	os.WriteFile(images, whole[:len(whole)/2], 0o666)
	check("train-images-idx3-ubyte.gz is missing or corrupt", "-data", good)
	os.WriteFile(images, []byte("no gzip"), 0o666)
	check("train-images-idx3-ubyte.gz is missing or corrupt", "-data", good)
	os.Remove(images)
	check("train-images-idx3-ubyte.gz is missing or corrupt", "-data", good)
	os.WriteFile(images, whole, 0o666)
	labels := filepath.Join(good, "t10k-labels-idx1-ubyte.gz")
	os.WriteFile(labels, whole, 0o666)
	check("t10k-labels-idx1-ubyte.gz is missing or corrupt", "-data", good)
}

// TestInterrupt stops before the first step: the table shows what was reached.
func TestInterrupt(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	stop()
	var out, progress bytes.Buffer
	err := run(ctx, []string{"-data", writeData(t), "-batch", "20", "-plot", filepath.Join(t.TempDir(), "p")}, &out, &progress)
	if err != nil || strings.Count(out.String(), "\n") != 4 || !strings.Contains(out.String(), "sgd") || !strings.Contains(progress.String(), "interrupted") {
		t.Errorf("%v\n%s%s", err, out.String(), progress.String())
	}
}

// trigger calls f at the first write that has the text in it.
type trigger struct {
	bytes.Buffer
	text string
	f    func()
}

func (w *trigger) Write(b []byte) (int, error) {
	if w.f != nil && strings.Contains(string(b), w.text) {
		w.f()
		w.f = nil
	}
	return w.Buffer.Write(b)
}

// TestInterruptMidRun interrupts the process in the second run, after ten steps of a hundred: the
// table and the JSON file have what was reached and the run before, and not the one after.
func TestInterruptMidRun(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot interrupt itself there")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	file := filepath.Join(t.TempDir(), "out.json")
	progress := &trigger{text: "kfac   step    10 ", f: func() {
		p, err := os.FindProcess(os.Getpid())
		if err == nil {
			err = p.Signal(os.Interrupt)
		}
		if err != nil {
			t.Error(err)
			stop()
		}
		<-ctx.Done()
	}}
	var out bytes.Buffer
	err := run(ctx, []string{"-data", writeData(t), "-net", "tiny", "-batch", "20", "-rate", "0.01", "-plot", "",
		"-solvers", "adam,kfac,ekfac", "-steps", "100", "-json", file}, &out, progress)
	if err != nil || !strings.Contains(progress.String(), "interrupted") {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	list := readRuns(t, file)
	if len(list) != 2 || list[0]["steps"] != 100.0 || list[1]["steps"] != 11.0 || list[1]["solver"] != "kfac" || list[1]["test_error"] == nil {
		t.Errorf("%v", list)
	}
	if n := strings.Count(out.String(), "\n"); n != 5 || strings.Contains(out.String(), "ekfac") {
		t.Errorf("the table is\n%s", out.String())
	}
}

// TestModuleData finds the real files, which have 60000 and 10000 images.
func TestModuleData(t *testing.T) {
	set, err := load("")
	if err != nil {
		t.Fatal(err)
	}
	if set.train.Rows != 60000 || set.test.Rows != 10000 || set.trainDigits.At(0, 5) != 1 || set.testDigits.At(0, 7) != 1 {
		t.Errorf("%d and %d images", set.train.Rows, set.test.Rows)
	}
}
