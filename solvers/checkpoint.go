package solvers

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
)

// A checkpoint is
//
//	magic    8 bytes
//	version  uint32
//	fields   uint64, their length in bytes
//	field    as often as there are any: uint8 kind, uint16 length of the name, name,
//	         uint64 number of elements, elements
//	digest   SHA-256 of all before
//
// all little-endian; elements are IEEE 754, or int64, or a byte that is 0 or 1.
const (
	magic       = "precond\x1a"
	version     = 1
	headerLen   = len(magic) + 4 + 8
	fieldHeader = 1 + 2 + 8
)

// Kinds of fields.
const (
	kindFloat32 = iota + 1
	kindFloat64
	kindInt
	kindBool
)

// CheckpointError says why a file is not a checkpoint of this optimizer.
type CheckpointError struct {
	Path, Reason string
}

func (e *CheckpointError) Error() string {
	return fmt.Sprintf("solvers: checkpoint %s: %s", e.Path, e.Reason)
}

// State names the parameters, the number of steps and what the parts name.
func (o *Optimizer[T]) State(s *State) {
	s.Int("step", &o.step)
	for _, p := range o.params {
		Floats(s, fmt.Sprint("parameter ", p.Name, " ", p.Shape), p.Data)
	}
	s.Within("preconditioner", o.precond.State)
	s.Within("policy", o.policy.State)
}

// Save writes a checkpoint: all that the next steps depend on, parameters included,
// apart from hyper-parameters, schedules and the model. With it go the states of extra, for example a
// loop's place in the data. The file takes its name when it is complete and on the
// disk, so that a crash leaves the file that was there before. Meanwhile path + ".tmp" holds it.
// Errors are those of package os.
func (o *Optimizer[T]) Save(path string, extra ...Stateful) (err error) {
	walk := o.walk(extra)
	f, err := os.OpenFile(path+".tmp", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
	if err != nil {
		return err
	}
	renamed := false
	defer func() {
		if !renamed {
			f.Close()
			os.Remove(path + ".tmp")
		}
	}()
	if err := writeState(f, walk); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		return err
	}
	renamed = true
	return syncDir(filepath.Dir(path))
}

// Load restores a checkpoint that Save wrote of an optimizer with the same
// tensors and the same kinds of parts, and the same extra. The next steps have the bits
// that they would have had there.
//
// Errors: those of package os, or *CheckpointError if the file is truncated, corrupt, of
// another version or of something else. Nothing has changed then.
func (o *Optimizer[T]) Load(path string, extra ...Stateful) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if reason := readState(data, o.walk(extra)); reason != "" {
		return &CheckpointError{path, reason}
	}
	return nil
}

func (o *Optimizer[T]) walk(extra []Stateful) func(s *State) {
	return func(s *State) {
		o.State(s)
		for i, e := range extra {
			s.Within(fmt.Sprint("extra ", i), e.State)
		}
	}
}

// writeState writes a checkpoint of what walk names.
func writeState(w io.Writer, walk func(s *State)) error {
	size := 0
	walk(&State{visit: func(name string, x any) {
		_, n, width := describe(x)
		if len(name) > math.MaxUint16 {
			panic(fmt.Sprintf("solvers: Save: name of %d bytes", len(name)))
		}
		size += fieldHeader + len(name) + n*width
	}})
	e := encoder{hash: sha256.New()}
	e.w = bufio.NewWriterSize(io.MultiWriter(w, e.hash), 1<<16)
	b := append(make([]byte, 0, 1<<13), magic...)
	b = binary.LittleEndian.AppendUint32(b, version)
	e.buf = binary.LittleEndian.AppendUint64(b, uint64(size))
	e.flush()
	walk(&State{visit: e.field})
	if err := e.w.Flush(); err != nil { // also the first error of any write
		return err
	}
	_, err := w.Write(e.hash.Sum(nil))
	return err
}

// describe returns the kind of a field, the number of its elements and the bytes that each has.
func describe(x any) (kind byte, n, width int) {
	switch x := x.(type) {
	case []float32:
		return kindFloat32, len(x), 4
	case []float64:
		return kindFloat64, len(x), 8
	case *float64:
		return kindFloat64, 1, 8
	case *int:
		return kindInt, 1, 8
	case *bool:
		return kindBool, 1, 1
	}
	panic(fmt.Sprintf("solvers: State: a field of type %T", x))
}

// encoder writes fields; errors stay in w.
type encoder struct {
	w    *bufio.Writer
	hash hash.Hash
	buf  []byte
}

func (e *encoder) flush() {
	e.w.Write(e.buf)
	e.buf = e.buf[:0]
}

func (e *encoder) field(name string, x any) {
	kind, n, _ := describe(x)
	e.buf = append(e.buf, kind)
	e.buf = binary.LittleEndian.AppendUint16(e.buf, uint16(len(name)))
	e.buf = append(e.buf, name...)
	e.buf = binary.LittleEndian.AppendUint64(e.buf, uint64(n))
	switch x := x.(type) {
	case []float32:
		for _, v := range x {
			if len(e.buf) > 1<<12 {
				e.flush()
			}
			e.buf = binary.LittleEndian.AppendUint32(e.buf, math.Float32bits(v))
		}
	case []float64:
		for _, v := range x {
			if len(e.buf) > 1<<12 {
				e.flush()
			}
			e.buf = binary.LittleEndian.AppendUint64(e.buf, math.Float64bits(v))
		}
	case *float64:
		e.buf = binary.LittleEndian.AppendUint64(e.buf, math.Float64bits(*x))
	case *int:
		e.buf = binary.LittleEndian.AppendUint64(e.buf, uint64(int64(*x)))
	case *bool:
		b := byte(0)
		if *x {
			b = 1
		}
		e.buf = append(e.buf, b)
	}
	e.flush()
}

// readState restores what walk names from a checkpoint. It returns what is wrong with
// the checkpoint, having restored nothing, or "".
func readState(data []byte, walk func(s *State)) (reason string) {
	body, reason := open(data)
	if reason != "" {
		return reason
	}
	d := decoder{rest: body}
	walk(&State{visit: d.check, reading: true})
	if d.reason == "" && len(d.rest) > 0 {
		d.reason = fmt.Sprintf("%d bytes of fields that this optimizer does not have", len(d.rest))
	}
	if d.reason != "" {
		return d.reason
	}
	d.rest = body
	walk(&State{visit: d.restore, reading: true, restoring: true})
	return ""
}

// open returns the fields of a checkpoint, or what is wrong with it.
func open(data []byte) (body []byte, reason string) {
	if len(data) < len(magic) || !bytes.HasPrefix(data, []byte(magic)) {
		return nil, "not a checkpoint"
	}
	if len(data) < headerLen {
		return nil, "truncated"
	}
	if v := binary.LittleEndian.Uint32(data[len(magic):]); v != version {
		return nil, fmt.Sprintf("version %d, want %d", v, version)
	}
	n, have := binary.LittleEndian.Uint64(data[headerLen-8:]), len(data)-headerLen-sha256.Size
	switch {
	case have < 0 || n > uint64(have):
		return nil, fmt.Sprintf("truncated: %d bytes", len(data))
	case n < uint64(have):
		return nil, fmt.Sprintf("%d bytes too long", uint64(have)-n)
	}
	end := len(data) - sha256.Size
	if sum := sha256.Sum256(data[:end]); !bytes.Equal(sum[:], data[end:]) {
		return nil, "corrupt: the digest is another one"
	}
	return data[headerLen:end], ""
}

// decoder reads fields in order.
type decoder struct {
	rest   []byte
	reason string // what is wrong
}

// next returns the next field's kind, name, number of elements and elements.
func (d *decoder) next() (kind byte, name string, n uint64, elements []byte) {
	b := d.rest
	if len(b) < fieldHeader {
		return 0, "", 0, nil
	}
	kind, end := b[0], 3+int(binary.LittleEndian.Uint16(b[1:]))
	if len(b) < end+8 {
		return 0, "", 0, nil
	}
	name, n = string(b[3:end]), binary.LittleEndian.Uint64(b[end:])
	b = b[end+8:]
	width := uint64(8)
	switch kind {
	case kindFloat32:
		width = 4
	case kindBool:
		width = 1
	}
	if n > uint64(len(b))/width {
		return 0, "", 0, nil
	}
	d.rest = b[n*width:]
	return kind, name, n, b[:n*width]
}

// check notes in reason if the next field is not that of x.
func (d *decoder) check(name string, x any) {
	if d.reason != "" {
		return
	}
	kind, n, _ := describe(x)
	gotKind, got, gotN, elements := d.next()
	switch {
	case gotKind == 0:
		d.reason = fmt.Sprintf("ends before %q", name)
	case got != name:
		d.reason = fmt.Sprintf("has %q, want %q", got, name)
	case gotKind != kind:
		d.reason = fmt.Sprintf("%q has elements of kind %d, want %d", name, gotKind, kind)
	case gotN != uint64(n):
		d.reason = fmt.Sprintf("%q has %d elements, want %d", name, gotN, n)
	case kind == kindBool && elements[0] > 1:
		d.reason = fmt.Sprintf("%q is %d, want 0 or 1", name, elements[0])
	}
}

// restore sets x to the next field, which has been checked.
func (d *decoder) restore(_ string, x any) {
	_, _, _, b := d.next()
	switch x := x.(type) {
	case []float32:
		for i := range x {
			x[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
		}
	case []float64:
		for i := range x {
			x[i] = math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
		}
	case *float64:
		*x = math.Float64frombits(binary.LittleEndian.Uint64(b))
	case *int:
		*x = int(int64(binary.LittleEndian.Uint64(b)))
	case *bool:
		*x = b[0] != 0
	}
}

// syncDir makes the names in a directory durable.
func syncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil // directories cannot be synced there
	}
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
