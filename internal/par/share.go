package par

import "sync"

// Job is a call that workers share: *J does the part of worker w.
type Job[J any] interface {
	*J
	Work(t *Team, w int)
}

// task carries a copy of a job to its workers, without an allocation per call.
type task[J any] struct {
	job J
	f   func(t *Team, w int)
}

// Share runs j on the given number of workers, as Run does with a function: on a copy, so
// that j itself need not be allocated. pool is that of the job's type and holds the copies.
func Share[J any, P Job[J]](pool *sync.Pool, workers int, j P) {
	t, _ := pool.Get().(*task[J])
	if t == nil {
		t = new(task[J])
		t.f = P(&t.job).Work
	}
	t.job = *j
	Run(workers, t.f)
	t.job = *new(J) // keep nothing of the caller's alive
	pool.Put(t)
}
