package par

// Piece is the part [Lo, Hi) of one of several vectors.
type Piece struct{ Vector, Lo, Hi int }

// Sweep is an element-wise pass over several vectors, cut into pieces that are small
// enough to stay in a near cache while several operations go over each. It is made
// once for the lengths of the vectors, and one goroutine at a time uses it.
type Sweep struct {
	pieces []Piece
	worth  int // threads that the work is worth
	f      func(Piece)
	work   func(*Team, int)
}

// grain is the number of elements that make one more thread worth its start.
const grain = 1 << 16

// NewSweep returns a sweep over vectors of the given lengths in pieces of at most
// size elements.
func NewSweep(lengths []int, size int) *Sweep {
	s := new(Sweep)
	total := 0
	for v, n := range lengths {
		for lo := 0; lo < n; lo += size {
			s.pieces = append(s.pieces, Piece{v, lo, min(lo+size, n)})
		}
		total += n
	}
	s.worth = max(1, total/grain)
	s.work = func(t *Team, w int) {
		lo, hi := Range(len(s.pieces), t.Workers(), w, 1)
		for _, p := range s.pieces[lo:hi] {
			s.f(p)
		}
	}
	return s
}

// Run calls f for each piece, on at most the given number of threads (0 means
// GOMAXPROCS). Nothing is allocated if f is made once and not per call.
func (s *Sweep) Run(threads int, f func(Piece)) {
	s.f = f
	Run(min(Threads(threads), s.worth), s.work)
	s.f = nil
}
