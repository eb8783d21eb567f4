// Package par runs work on a fixed number of workers.
//
// The number of workers is always an argument. The parts of the work are a function
// of the sizes alone, never of timing, and no part ends within a sum; so the results of its
// users do not depend on the number of workers, nor on who does which part: most give each
// worker its Range, some let workers take the parts as they come.
// There are no resident workers: Run starts goroutines, which end a fraction of a
// millisecond after the last call. Code that runs parallel parts inside parallel parts
// divides its budget first, with Split.
package par

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Threads resolves a requested number of threads: a positive request is
// taken as it is, anything else means GOMAXPROCS.
func Threads(request int) int {
	if request > 0 {
		return request
	}
	return runtime.GOMAXPROCS(0)
}

// Split divides a budget of threads over n independent parts: outer parts run
// at once, each may use inner threads, and outer·inner ≤ threads.
func Split(threads, n int) (outer, inner int) {
	outer = max(1, min(threads, n))
	return outer, max(1, threads/outer)
}

// Range returns the half-open part [lo, hi) of [0, n) that belongs to worker w
// of the given number of workers. Parts are contiguous, in order, cover [0, n),
// and begin at multiples of align; they differ by at most one unit of align.
func Range(n, workers, w, align int) (lo, hi int) {
	units := (n + align - 1) / align
	lo = units * w / workers * align
	hi = units * (w + 1) / workers * align
	return min(lo, n), min(hi, n)
}

// linger is how long a worker stays awake after its part, in case the next call
// comes soon, and how long a caller does that waits for the others. Waking a processor
// that has gone to sleep takes 50 to 150 µs on the machines measured, as long as a
// product of order 256; a sequence of calls pays for that once.
const linger = 200 * time.Microsecond

// A Team is the group of workers of one call of Run.
type Team struct {
	f       func(t *Team, w int)
	n       int
	left    atomic.Int32 // workers that have not ended their parts, without the caller
	wg      sync.WaitGroup
	workers []*worker // workers[w-1] is worker w
	arrived atomic.Int32
	phase   atomic.Uint32
	broken  atomic.Bool
	mu      sync.Mutex
	cause   any
	failed  bool
}

// worker is the place of one worker in a team. Its goroutine ends a while after the
// last call.
type worker struct {
	state atomic.Int32
	start func() // the goroutine; made once, so that go statements do not allocate
}

// The states of a worker: without a goroutine, in a call, awake between calls.
const (
	ended int32 = iota
	called
	awake
)

// errBroken unwinds a worker that waits for one that has panicked.
type errBroken struct{}

var teams = sync.Pool{New: func() any { return new(Team) }}

// Run calls f(team, w) for w = 0 … workers-1, each on its own goroutine
// (worker 0 on the caller's), and returns when all have returned. If any of
// them panics, the others are released from Wait, Run waits until all have
// ended, and then panics in the caller with the first panic's value.
//
// Run allocates nothing in the steady state; that holds for the caller too if
// f is made once and not per call.
func Run(workers int, f func(t *Team, w int)) {
	t := teams.Get().(*Team)
	t.f, t.n = f, max(1, workers)
	if t.n > 1 {
		t.call()
	}
	t.work(0)
	if t.n > 1 {
		for p := (patience{}); t.left.Load() > 0 && p.lasts(); {
		}
		t.wg.Wait()
	}
	failed, cause := t.failed, t.cause
	t.f, t.cause, t.failed = nil, nil, false
	t.broken.Store(false)
	t.arrived.Store(0)
	teams.Put(t)
	if failed {
		panic(cause)
	}
}

// call sets workers 1 … n-1 to work, each on the goroutine that is still awake or on a new
// one.
func (t *Team) call() {
	for w := len(t.workers) + 1; w < t.n; w++ {
		own := new(worker)
		own.start = func() { t.serve(own, w) }
		t.workers = append(t.workers, own)
	}
	t.left.Store(int32(t.n - 1))
	t.wg.Add(t.n - 1)
	for _, own := range t.workers[:t.n-1] {
		if !own.state.CompareAndSwap(awake, called) {
			own.state.Store(called)
			go own.start()
		}
	}
}

// serve is the goroutine of worker w: one call, and those that follow closely.
func (t *Team) serve(own *worker, w int) {
	for more := true; more; {
		t.part(own, w)
		for p := (patience{}); own.state.Load() == awake && p.lasts(); {
		}
		more = !own.state.CompareAndSwap(awake, ended)
	}
}

// part is worker w's part of one call. It reports also if f ends the goroutine.
func (t *Team) part(own *worker, w int) {
	returned := false
	defer func() {
		if own.state.Store(awake); !returned {
			own.state.Store(ended)
		}
		t.left.Add(-1)
		t.wg.Done() // the last of what the next call may find
	}()
	t.work(w)
	returned = true
}

// patience is a wait of bounded length that lets others have the processor.
type patience struct {
	spins int
	since time.Time
}

// lasts returns whether linger has not passed since about its first call.
func (p *patience) lasts() bool {
	const look = 64 // calls between looks at the clock
	p.spins++
	if p.spins%look != 0 {
		return true
	}
	runtime.Gosched()
	if p.since.IsZero() {
		p.since = time.Now()
	}
	return time.Since(p.since) < linger
}

func (t *Team) work(w int) {
	done := false
	defer func() {
		if done {
			return
		}
		cause := recover()
		if _, follow := cause.(errBroken); follow {
			return
		}
		t.mu.Lock()
		if !t.failed {
			t.failed, t.cause = true, cause
		}
		t.mu.Unlock()
		t.broken.Store(true)
	}()
	t.f(t, w)
	done = true
}

// Workers returns the number of workers of the team.
func (t *Team) Workers() int { return t.n }

// Wait is a barrier: it returns when every worker of the team has called it as
// often as the caller. It spins, since the parts between barriers are short.
func (t *Team) Wait() {
	if t.n == 1 {
		return
	}
	phase := t.phase.Load()
	if t.arrived.Add(1) == int32(t.n) {
		t.arrived.Store(0)
		t.phase.Add(1)
		return
	}
	for spin := 0; t.phase.Load() == phase; spin++ {
		if t.broken.Load() {
			panic(errBroken{})
		}
		if spin > 1000 {
			runtime.Gosched()
		}
	}
}

// For calls f(i) for i in [0, n) on the given number of workers, each worker
// over its contiguous Range.
func For(workers, n int, f func(i int)) {
	workers = max(1, min(workers, n))
	Run(workers, func(t *Team, w int) {
		lo, hi := Range(n, t.n, w, 1)
		for i := lo; i < hi; i++ {
			f(i)
		}
	})
}
