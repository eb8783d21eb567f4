package limits

import (
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/precond-go/precond/internal/cpu"
)

// The passes do what their names say: what they read and write is what their
// bytes are counted for.
func TestPasses(t *testing.T) {
	const n, margin = 3 * block / 8, 8 // elements
	for _, isa := range cpu.Available() {
		for s, ways := range loopsOf(isa).pass {
			if len(ways) == 0 {
				t.Errorf("%s: no loop for %v", isa, Stream(s))
			}
			for i, p := range ways {
				x, y := aligned(n+2*margin), aligned(n+2*margin)
				for j := range x {
					x[j], y[j] = float64(j+1), float64(-2*j-2)
				}
				p(&x[margin], &y[margin], 8*n)
				for j := range x {
					in := j >= margin && j < margin+n
					if x[j] != float64(j+1) {
						t.Fatalf("%s: %v %d: writes x[%d]", isa, Stream(s), i, j)
					}
					old := float64(-2*j - 2)
					ok := y[j] == old
					if in {
						switch Stream(s) {
						case Update:
							ok = y[j] == -old
						case Axpy:
							ok = y[j] == old+x[j]
						case Copy:
							ok = y[j] == x[j]
						case Write:
							ok = y[j] == 1
						}
					}
					if !ok {
						t.Fatalf("%s: %v %d: y[%d] = %v, was %v", isa, Stream(s), i, j, y[j], old)
					}
				}
			}
		}
	}
}

func TestPeaks(t *testing.T) {
	if testing.Short() {
		t.Skip("timing")
	}
	peak := map[string]float64{}
	for _, isa := range cpu.Available() {
		f32, f64 := FMA[float32](isa, 1).Best(), FMA[float64](isa, 1).Best()
		t.Logf("%s: %.1f and %.1f GFLOP/s", isa, f32, f64)
		if !(f32 > 0) || !(f64 > 0) || math.IsInf(f32, 0) || math.IsInf(f64, 0) {
			t.Errorf("%s: %v and %v GFLOP/s", isa, f32, f64)
		}
		peak[isa] = f32
	}
	// The wider set is a superset; half its peak leaves room for a busy machine.
	if a, b := peak[cpu.AVX512], peak[cpu.AVX2]; a != 0 && a < b/2 {
		t.Errorf("avx512 %.1f GFLOP/s, avx2 %.1f", a, b)
	}
}

func TestBandwidths(t *testing.T) {
	if testing.Short() {
		t.Skip("timing")
	}
	for _, isa := range cpu.Available() {
		for _, s := range Streams() {
			for _, threads := range []int{1, 2} {
				// Sizes that are no multiple of anything, and fewer bytes than threads need.
				for _, size := range []int{1, 100_000, 1_000_001} {
					if r := Bandwidth(isa, s, size, threads).Best(); !(r > 0) || math.IsInf(r, 0) {
						t.Errorf("%s %v of %d bytes on %d threads: %v GB/s", isa, s, size, threads, r)
					}
				}
			}
		}
	}
}

func TestFootprint(t *testing.T) {
	for _, c := range [][2]int{{0, Smallest}, {Smallest, Smallest}, {Smallest + 1, 2 * Smallest}, {1 << 40, Memory}} {
		if got := Footprint(c[0]); got != c[1] {
			t.Errorf("Footprint(%d) = %d, want %d", c[0], got, c[1])
		}
	}
}

func TestLimitsCaches(t *testing.T) {
	l := New(cpu.Generic)
	a := l.FMA(8, 1)
	if b := l.FMA(8, 1); a != b {
		t.Errorf("measured again: %v, %v", a, b)
	}
	n := 0
	for range 2 {
		l.loop(key{"test", 1, 1}, func() Loop { n++; return Loop{} })
	}
	if n != 1 {
		t.Errorf("made %d times", n)
	}
	if l.ISA() != cpu.Generic {
		t.Errorf("ISA() = %q", l.ISA())
	}
	lines := strings.Join(known().Lines(), "\n")
	for _, want := range []string{"threads=1", "f32 4.0", "f64 8.0", "read 1.0", "update 1.0", "axpy 1.0", "copy 1.0", "write 1.0"} {
		if !strings.Contains(lines, want) {
			t.Errorf("no %q in %q", want, lines)
		}
	}
}

// known returns limits with everything that Lines prints filled in.
func known() *Limits {
	l := New(cpu.Generic)
	for _, threads := range []int{1, runtime.GOMAXPROCS(0)} {
		l.rates[key{"fma", 4, threads}] = 4
		l.rates[key{"fma", 8, threads}] = 8
		for _, s := range Streams() {
			l.rates[key{s.String(), Memory, threads}] = 1
		}
	}
	return l
}
