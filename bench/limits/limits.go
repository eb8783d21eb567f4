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

// A Loop is a loop that runs at a limit: Do repeats it, and each repetition is so
// much work, in floating-point operations or bytes. It may be timed in turns with
// what it is the limit of.
type Loop struct {
	Do   func(reps int)
	Work float64
}

// FMA returns the loop of fused multiply-adds of type T on an instruction set,
// on the given number of threads. A multiply-add counts as two operations. An
// instruction set without loops of its own gets one in Go.
func FMA[T float32 | float64](isa string, threads int) Loop {
	l := loopsOf(isa)
	// R = R·x + y tends to y/(1−x), a normal number.
	if unsafe.Sizeof(T(0)) == 4 {
		var x, y float32 = 0.75, 0.3
		return together(threads, float64(l.flops32*turns), func(int) { l.fma32(turns, &x, &y) })
	}
	x, y := 0.75, 0.3
	return together(threads, float64(l.flops64*turns), func(int) { l.fma64(turns, &x, &y) })
}

// turns of a chain in one call: some microseconds.
const turns = 2000

// Bandwidth returns the loop in which the given number of threads together stream
// through a footprint of so many bytes, which they split. The footprint is
// rounded to a power of two between Smallest and Memory. Of several ways to do the
// pattern it takes the fastest, which it measures.
func Bandwidth(isa string, s Stream, footprint, threads int) Loop {
	size := max(Footprint(footprint), threads*s.operands()*block)
	n := size / threads / s.operands() &^ (block - 1)
	x := stream(0, n*threads)
	y := x
	if s.operands() == 2 {
		y = stream(1, n*threads)
	}
	var fastest Loop
	rate := 0.0
	ways := loopsOf(isa).pass[s]
	for _, p := range ways {
		l := together(threads, float64(s.moved(n)), func(w int) {
			lo := w * n / 8
			// Calls stay short, since they cannot be preempted.
			for i := 0; i < n; i += chunk {
				p(&x[lo+i/8], &y[lo+i/8], min(chunk, n-i))
			}
		})
		if len(ways) == 1 {
			return l
		}
		if r := l.Best(); r > rate {
			rate, fastest = r, l
		}
	}
	return fastest
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
var buffers struct {
	sync.Mutex
	b [2][]float64
}

func stream(i, bytes int) []float64 {
	buffers.Lock()
	defer buffers.Unlock()
	if len(buffers.b[i]) < bytes/8 {
		buffers.b[i] = aligned(bytes / 8)
		for j := range buffers.b[i] {
			buffers.b[i][j] = 1
		}
	}
	return buffers.b[i][:bytes/8]
}

// aligned returns n elements that begin at a multiple of 64 bytes.
func aligned(n int) []float64 {
	b := make([]float64, n+8)
	skip := int(-uintptr(unsafe.Pointer(&b[0]))%64) / 8
	return b[skip : skip+n : skip+n]
}

// together returns the loop in which all threads call f(worker) at the same time;
// each call is so much work.
func together(threads int, work float64, f func(w int)) Loop {
	return Loop{
		Do: func(reps int) {
			par.Run(threads, func(t *par.Team, w int) {
				t.Wait()
				for range reps {
					f(w)
				}
			})
		},
		Work: work * float64(threads),
	}
}

// Best returns the best rate of several rounds, in units of work per nanosecond,
// so in GFLOP/s or GB/s.
func (l Loop) Best() float64 {
	reps := 1
	for {
		d := l.time(reps)
		if d >= duration/2 || reps >= 1<<30 {
			reps = max(1, int(float64(reps)*float64(duration)/float64(max(d, 1))))
			break
		}
		reps *= 2
	}
	rate := 0.0
	for range rounds {
		rate = max(rate, l.Work*float64(reps)/float64(l.time(reps).Nanoseconds()))
	}
	return rate
}

func (l Loop) time(reps int) time.Duration {
	start := time.Now()
	l.Do(reps)
	return time.Since(start)
}

// Limits caches loops and their best rates for one instruction set. It can be
// used from several goroutines, but what they measure at once disturbs each other.
type Limits struct {
	isa   string
	mu    sync.Mutex
	loops map[key]Loop
	rates map[key]float64
}

type key struct {
	kind    string
	size    int
	threads int
}

// New returns the limits for an instruction set; nothing is measured yet.
func New(isa string) *Limits {
	return &Limits{isa: isa, loops: map[key]Loop{}, rates: map[key]float64{}}
}

// ISA returns the instruction set.
func (l *Limits) ISA() string { return l.isa }

// FMALoop returns the loop of multiply-adds for elements of so many bytes (4 or 8).
func (l *Limits) FMALoop(size, threads int) Loop {
	return l.loop(key{"fma", size, threads}, func() Loop {
		if size == 4 {
			return FMA[float32](l.isa, threads)
		}
		return FMA[float64](l.isa, threads)
	})
}

// FMA returns the best rate of FMALoop in GFLOP/s.
func (l *Limits) FMA(size, threads int) float64 {
	return l.rate(key{"fma", size, threads}, func() Loop { return l.FMALoop(size, threads) })
}

// BandwidthLoop returns the loop of the function Bandwidth.
func (l *Limits) BandwidthLoop(s Stream, footprint, threads int) Loop {
	f := Footprint(footprint)
	return l.loop(key{s.String(), f, threads}, func() Loop { return Bandwidth(l.isa, s, f, threads) })
}

// Bandwidth returns the best rate of BandwidthLoop in GB/s.
func (l *Limits) Bandwidth(s Stream, footprint, threads int) float64 {
	return l.rate(key{s.String(), Footprint(footprint), threads}, func() Loop { return l.BandwidthLoop(s, footprint, threads) })
}

func (l *Limits) loop(k key, create func() Loop) Loop {
	l.mu.Lock()
	defer l.mu.Unlock()
	v, ok := l.loops[k]
	if !ok {
		v = create()
		l.loops[k] = v
	}
	return v
}

func (l *Limits) rate(k key, loop func() Loop) float64 {
	l.mu.Lock()
	v, ok := l.rates[k]
	l.mu.Unlock()
	if ok {
		return v
	}
	v = loop().Best()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rates[k] = v
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
