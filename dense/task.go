package dense

import (
	"sync"
	"unsafe"

	"github.com/precond-go/precond/internal/par"
)

// job is a call that workers share: *J does the part of worker w.
type job[J any] interface {
	*J
	work(team *par.Team, w int)
}

// task carries a copy of a job to its workers, without an allocation per call.
type task[J any] struct {
	job J
	f   func(team *par.Team, w int)
}

// share runs j on the given number of workers. The pool is that of the job's type.
func share[J any, P job[J]](pool *sync.Pool, workers int, j P) {
	t, _ := pool.Get().(*task[J])
	if t == nil {
		t = new(task[J])
		t.f = P(&t.job).work
	}
	t.job = *j
	par.Run(workers, t.f)
	t.job = *new(J) // keep nothing of the caller's alive
	pool.Put(t)
}

// poolOf returns the pool of the element type.
func poolOf[T Float](f32, f64 *sync.Pool) *sync.Pool {
	if unsafe.Sizeof(T(0)) == 4 {
		return f32
	}
	return f64
}
