package solvers

import (
	"bytes"
	"errors"
	"testing"
)

// brief is a writer that has room for so many bytes.
type brief struct {
	bytes.Buffer
	room int
}

var errFull = errors.New("full")

func (b *brief) Write(p []byte) (int, error) {
	if len(p) > b.room {
		n, _ := b.Buffer.Write(p[:b.room])
		b.room = 0
		return n, errFull
	}
	b.room -= len(p)
	return b.Buffer.Write(p)
}

// TestWriteStateFails has writers that fail at every place, in the fields and in the digest.
func TestWriteStateFails(t *testing.T) {
	x, n, f := make([]float32, 30000), 5, true
	for i := range x {
		x[i] = float32(i)
	}
	walk := func(s *State) {
		Floats(s, "x", x)
		s.Int("n", &n)
		s.Bool("f", &f)
	}
	whole := brief{room: 1 << 20}
	if err := writeState(&whole, walk); err != nil {
		t.Fatal(err)
	}
	size := whole.Len()
	if reason := readState(whole.Bytes(), walk); reason != "" {
		t.Fatal(reason)
	}
	for room := 0; room < size; room += 1 + min(room, size-room-1)/40 {
		b := brief{room: room}
		if err := writeState(&b, walk); err != errFull {
			t.Errorf("room for %d of %d bytes: %v", room, size, err)
		}
		if reason := readState(b.Bytes(), walk); reason == "" {
			t.Errorf("%d of %d bytes are read as a whole", room, size)
		}
	}
}
