package limits

import (
	"fmt"
	"runtime"
	"sync"
	"time"
	"unsafe"

	"github.com/precond-go/precond/internal/par"
)

// A Stream is a pattern of traffic between a core and the memory.
type Stream int

// The patterns. Bytes count what the program reads and writes; what the
// caches fetch in order to write is not counted.
const (
	Read   Stream = iota // read one stream
	Update               // read and write the same stream
	Axpy                 // read one stream, read and write another
	Copy                 // read one stream, write another
	Write                // write one stream
	streams
)

func (s Stream) String() string {
	return [...]string{"read", "update", "axpy", "copy", "write"}[s]
}

// Streams lists all patterns.
func Streams() []Stream { return []Stream{Read, Update, Axpy, Copy, Write} }

// operands is the number of separate streams.
func (s Stream) operands() int {
	if s == Axpy || s == Copy {
		return 2
	}
	return 1
}

// moved returns the bytes that a pass over streams of n bytes counts for.
func (s Stream) moved(n int) int {
	return [...]int{Read: n, Update: 2 * n, Axpy: 3 * n, Copy: 2 * n, Write: n}[s]
}

// A pass runs over streams of n bytes, a positive multiple of block, that begin
// at multiples of 64 bytes (stores past the caches need that).
type pass func(x, y *float64, n int)

const block = 512

// loops are the loops of one instruction set.
type loops struct {
	fma32   func(n int, x, y *float32) // n turns of flops32 operations
	fma64   func(n int, x, y *float64)
	flops32 int
	flops64 int
	pass    [streams][]pass // the ways to do each pattern
}

func loopsOf(isa string) *loops {
	if l := native(isa); l != nil {
		return l
	}
	return &portable
}

// Smallest and largest footprint of a bandwidth, in bytes.
const (
	Smallest = 16 << 10
	Memory   = 256 << 20 // taken to be out of every cache
)

// rounds of every measurement, of which the best counts, and their duration.
const (
	rounds   = 12
	duration = 2 * time.Millisecond
)

// FMA returns the peak rate of fused multiply-adds of type T on an instruction
// set, in GFLOP/s (two operations each), with the given number of threads.
// An instruction set without loops of its own is measured with loops in Go.
func FMA[T float32 | float64](isa string, threads int) float64 {
	l := loopsOf(isa)
	// R = R·x + y tends to y/(1−x), a normal number.
	if unsafe.Sizeof(T(0)) == 4 {
		var x, y float32 = 0.75, 0.3
		return best(threads, float64(l.flops32), func(_, n int) { l.fma32(n, &x, &y) })
	}
	x, y := 0.75, 0.3
	return best(threads, float64(l.flops64), func(_, n int) { l.fma64(n, &x, &y) })
}

// Bandwidth returns the rate in GB/s at which the given number of threads
// together stream through a footprint of so many bytes, which they split. The
// footprint is rounded to a power of two between Smallest and Memory.
func Bandwidth(isa string, s Stream, footprint, threads int) float64 {
	size := max(Footprint(footprint), threads*s.operands()*block)
	n := size / threads / s.operands() &^ (block - 1)
	x := stream(0, n*threads)
	y := stream(1, n*threads)
	rate := 0.0
	for _, p := range loopsOf(isa).pass[s] {
		r := best(threads, float64(s.moved(n)), func(w, reps int) {
			lo := w * n / 8
			for range reps {
				// Calls stay short, since they cannot be preempted.
				for i := 0; i < n; i += chunk {
					p(&x[lo+i/8], &y[lo+i/8], min(chunk, n-i))
				}
			}
		})
		rate = max(rate, r)
	}
	return rate
}

const chunk = 1 << 20

// Footprint returns the footprint that Bandwidth measures for one of so many
// bytes.
func Footprint(bytes int) int {
	f := Smallest
	for f < bytes && f < Memory {
		f *= 2
	}
	return f
}

// buffers are the two streams. They stay allocated, because fresh pages would
// have to be touched first, which takes longer than the measurement.
var buffers [2][]float64

func stream(i, bytes int) []float64 {
	if len(buffers[i]) < bytes/8 {
		buffers[i] = aligned(bytes / 8)
		for j := range buffers[i] {
			buffers[i][j] = 1
		}
	}
	return buffers[i]
}

// aligned returns n elements that begin at a multiple of 64 bytes.
func aligned(n int) []float64 {
	b := make([]float64, n+8)
	skip := int(-uintptr(unsafe.Pointer(&b[0]))%64) / 8
	return b[skip : skip+n : skip+n]
}

// Release frees the memory that measurements of bandwidth hold on to.
func Release() { buffers = [2][]float64{} }

// best returns the best rate, in units of work per nanosecond, over several
// rounds in which each of the threads calls f(worker, reps) once at the same
// time. One repetition is so much work.
func best(threads int, work float64, f func(w, reps int)) float64 {
	reps := 1
	for {
		d := together(threads, reps, f)
		if d >= duration/2 || reps >= 1<<30 {
			reps = max(1, int(float64(reps)*float64(duration)/float64(max(d, 1))))
			break
		}
		reps *= 2
	}
	// Calls of f must be preemptible; short batches do that.
	rate := 0.0
	for range rounds {
		d := together(threads, reps, f)
		rate = max(rate, work*float64(threads)*float64(reps)/float64(d.Nanoseconds()))
	}
	return rate
}

// together returns the time that all threads take for reps repetitions of f.
func together(threads, reps int, f func(w, reps int)) time.Duration {
	var d time.Duration
	par.Run(threads, func(t *par.Team, w int) {
		t.Wait()
		start := time.Now()
		f(w, reps)
		t.Wait()
		if w == 0 {
			d = time.Since(start)
		}
	})
	return d
}

// A Limits caches the measurements for one instruction set. It can be used from
// several goroutines, which wait for one another: two measurements at once
// would disturb each other.
type Limits struct {
	isa string
	mu  sync.Mutex
	all map[key]float64
}

type key struct {
	kind    string
	size    int
	threads int
}

// New returns the limits for an instruction set; nothing is measured yet.
func New(isa string) *Limits { return &Limits{isa: isa, all: map[key]float64{}} }

// ISA returns the instruction set.
func (l *Limits) ISA() string { return l.isa }

// FMA returns the peak in GFLOP/s for elements of so many bytes (4 or 8).
func (l *Limits) FMA(size, threads int) float64 {
	return l.get(key{"fma", size, threads}, func() float64 {
		if size == 4 {
			return FMA[float32](l.isa, threads)
		}
		return FMA[float64](l.isa, threads)
	})
}

// Bandwidth returns the bandwidth in GB/s; see the function of that name.
func (l *Limits) Bandwidth(s Stream, footprint, threads int) float64 {
	f := Footprint(footprint)
	return l.get(key{s.String(), f, threads}, func() float64 {
		return Bandwidth(l.isa, s, f, threads)
	})
}

func (l *Limits) get(k key, measure func() float64) float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if v, ok := l.all[k]; ok {
		return v
	}
	v := measure()
	l.all[k] = v
	return v
}

// Lines describes the main limits on one thread and on all, for a header.
func (l *Limits) Lines() []string {
	var out []string
	counts := []int{1}
	if all := runtime.GOMAXPROCS(0); all > 1 {
		counts = append(counts, all)
	}
	for _, n := range counts {
		line := fmt.Sprintf("limits, threads=%d: fma f32 %.1f, f64 %.1f GFLOP/s; memory", n, l.FMA(4, n), l.FMA(8, n))
		for _, s := range Streams() {
			line += fmt.Sprintf(" %s %.1f,", s, l.Bandwidth(s, Memory, n))
		}
		out = append(out, line[:len(line)-1]+" GB/s")
	}
	return out
}
