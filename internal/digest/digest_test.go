package digest

import (
	"flag"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/precond-go/precond/asm"
)

const file = "testdata/digest.txt"

var update = flag.Bool("update", false, "write "+file+" from one thread on this machine")

// TestDigest compares this machine's results with those in the repository,
// which are the same for all machines. The numbers of threads run at the same
// time, so that calls meet in what they share. The short test, for emulated
// processors, is that of two threads.
func TestDigest(t *testing.T) {
	if *update {
		if err := os.WriteFile(file, []byte(Format(Compute(1))), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for threads := 1; threads <= 3; threads++ {
		t.Run(fmt.Sprintf("isa=%s/threads=%d", asm.ISA(), threads), func(t *testing.T) {
			if testing.Short() && threads != 2 {
				t.Skip("one number of threads is enough for a short test")
			}
			t.Parallel()
			if got := Format(Compute(threads)); got != string(want) {
				t.Errorf("other bits than %s in:\n%s", file, strings.Join(Diff(got, string(want)), "\n"))
			}
		})
	}
}

// TestDiff shows that a changed, a missing and a new line are all named.
func TestDiff(t *testing.T) {
	a := []Line{{"x float32", "01"}, {"y float32", "02"}, {"z float32", "03"}}
	b := []Line{{"x float32", "01"}, {"y float32", "ff"}, {"w float32", "04"}}
	got := strings.Join(Diff(Format(b), Format(a)), ",")
	if want := "y float32,z float32 (missing),total,w float32 (new)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if d := Diff(Format(a), Format(a)); len(d) > 0 {
		t.Errorf("equal texts differ in %v", d)
	}
}

// TestInput checks that the classes contain what they say.
func TestInput(t *testing.T) {
	t.Run("float32", testInput[float32])
	t.Run("float64", testInput[float64])
}

func testInput[T float32 | float64](t *testing.T) {
	const n = 20000
	least := float64(assemble[T](false, 1-bias[T](), 0)) // the least normal
	for _, c := range []struct {
		class                        class
		nan, inf, zero, subnormal    bool
		smallest, largest, different float64
	}{
		{plain, false, false, false, false, 1. / 64, 128, n * 0.99},
		{small, false, false, false, false, 1. / 4096, 1. / 64, n * 0.99},
		{wide, false, false, false, true, 0, math.MaxFloat64, n * 0.99},
		{hard, true, true, true, true, 0, math.MaxFloat64, n * 0.8},
	} {
		e := &env[T]{stream: 7}
		seen := map[T]bool{}
		var nan, inf, zero, subnormal bool
		for _, v := range e.vec(c.class, n) {
			x := math.Abs(float64(v))
			seen[v] = true
			switch {
			case x != x:
				nan = true
			case x > math.MaxFloat64:
				inf = true
			case x == 0:
				zero = true
			case x < least:
				subnormal = true
			}
			if x < c.smallest || x > c.largest && !c.inf {
				t.Fatalf("class %d: %g", c.class, v)
			}
		}
		if nan != c.nan || inf != c.inf || (zero && !c.zero && c.class != wide) || subnormal != c.subnormal || float64(len(seen)) < c.different {
			t.Errorf("class %d: nan %v, inf %v, zero %v, subnormal %v, %d different", c.class, nan, inf, zero, subnormal, len(seen))
		}
	}
	e := &env[T]{stream: 7}
	if x, y := e.vec(plain, 3), e.vec(plain, 3); x[0] == y[0] {
		t.Error("two inputs share a stream")
	}
}
