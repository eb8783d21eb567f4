package par

import "testing"

// TestSweepVisitsOnce checks that every element of every vector is in one piece.
func TestSweepVisitsOnce(t *testing.T) {
	lengths := []int{0, 1, 5, 1 << 18, 7, 0}
	var seen [][]int
	for _, n := range lengths {
		seen = append(seen, make([]int, n))
	}
	visit := func(p Piece) {
		if p.Hi-p.Lo > 1000 || p.Hi <= p.Lo {
			t.Errorf("piece %v", p)
		}
		for i := p.Lo; i < p.Hi; i++ {
			seen[p.Vector][i]++
		}
	}
	s := NewSweep(lengths, 1000)
	for threads := range 4 {
		s.Run(threads, visit)
	}
	for v, counts := range seen {
		for i, n := range counts {
			if n != 4 {
				t.Fatalf("vector %d, element %d: visited %d times in 4 sweeps", v, i, n)
			}
		}
	}
	if a := testing.AllocsPerRun(10, func() { s.Run(2, visit) }); a != 0 && !underRace {
		t.Errorf("%v allocations per sweep", a)
	}
	NewSweep(nil, 1).Run(2, visit)
}
