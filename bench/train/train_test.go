package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

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

// runs trains and returns what the JSON file says.
func runs(t *testing.T, args ...string) (list []map[string]any, out string) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "out.json")
	var stdout, stderr bytes.Buffer
	args = append(args, "-json", file, "-plot", filepath.Join(dir, "p"))
	if err := run(context.Background(), args, &stdout, &stderr); err != nil {
		t.Fatalf("%v: %v\n%s", args, err, stderr.String())
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all struct{ Runs []map[string]any }
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"p-seconds.svg", "p-seconds.png", "p-steps.svg", "p-steps.png"} {
		if s, err := os.Stat(filepath.Join(dir, name)); err != nil || s.Size() == 0 {
			t.Errorf("plot %s: %v", name, err)
		}
	}
	return all.Runs, stdout.String()
}

// TestReproducible trains each solver for a few steps: the weights have the same bits with any
// number of threads, other bits with another seed, and the loss falls.
func TestReproducible(t *testing.T) {
	dir := writeData(t)
	args := func(net, seed, threads string) []string {
		return []string{"-data", dir, "-net", net, "-batch", "20", "-steps", "4", "-solvers", strings.Join(solverNames(), ","), "-seed", seed, "-threads", threads}
	}
	for _, net := range netNames() {
		one, out := runs(t, args(net, "1", "1")...)
		two, _ := runs(t, args(net, "1", "2")...)
		other, _ := runs(t, args(net, "2", "2")...)
		if len(one) != len(solverNames()) || strings.Count(out, "\n") != 2+len(one) {
			t.Fatalf("%s: %d runs, table\n%s", net, len(one), out)
		}
		for i, r := range one {
			for _, key := range []string{"solver", "seed", "steps", "seconds", "ms_per_step", "train_loss", "test_loss", "test_error", "seconds_to_adam", "steps_to_adam", "weights_digest"} {
				if _, ok := r[key]; !ok {
					t.Errorf("%s: no %s in the JSON file", net, key)
				}
			}
			if r["solver"] != solverNames()[i] || r["steps"] != 4.0 {
				t.Errorf("%s: %v", net, r)
			}
			if a, b := r["weights_digest"], two[i]["weights_digest"]; a != b {
				t.Errorf("%s, %s: digest %v with one thread, %v with two", net, r["solver"], a, b)
			}
			if r["weights_digest"] == other[i]["weights_digest"] {
				t.Errorf("%s, %s: the seed has no effect", net, r["solver"])
			}
			if r["solver"] == "adam" && r["steps_to_adam"] != 4.0 && r["steps_to_adam"] == nil {
				t.Errorf("%s: Adam does not reach its own loss", net)
			}
		}
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
	check("must be positive", "-seconds", "-1")
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
	err := run(ctx, []string{"-data", writeData(t), "-batch", "20", "-plot", ""}, &out, &progress)
	if err != nil || strings.Count(out.String(), "\n") != 3 || !strings.Contains(out.String(), "sgd") || !strings.Contains(progress.String(), "interrupted") {
		t.Errorf("%v\n%s%s", err, out.String(), progress.String())
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
