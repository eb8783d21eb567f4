// Package digest computes a fixed set of operations of packages asm, dense and those above
// on fixed inputs and hashes the results, one line per operation. The lines
// are equal on every architecture, instruction set and number of threads, with
// the build tag purego and without; testdata/digest.txt holds them, and the
// package's test compares. The command in cmd prints them, so that a machine
// without the repository can be compared too.
//
// Inputs come from integer arithmetic alone (see input.go), so that they can
// not differ. NaNs count as equal, since payloads and signs of NaNs are exempt from
// the promise. Only tests and the command import this package.
package digest

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"math"
	"slices"
	"strings"

	"github.com/precond-go/precond/dense"
)

// A Line is the digest of one operation.
type Line struct {
	Name string // operation and element type
	Sum  string // the first 16 hexadecimal digits of a SHA-256
}

// An op is one operation: run computes it on inputs from e, with e's options,
// and hands the results to e.put.
type op[T dense.Float] struct {
	name string
	run  func(e *env[T])
}

// Compute returns the digests of all operations, computed with the given
// number of threads.
func Compute(threads int) []Line {
	return append(compute[float32](threads, "float32"), compute[float64](threads, "float64")...)
}

func compute[T dense.Float](threads int, typ string) []Line {
	var lines []Line
	for _, o := range slices.Concat(asmOps[T](), denseOps[T](), kronOps[T](), invroots[T](), kfacOps[T](), solverOps[T](), shampooOps[T](), nnOps[T]()) {
		e := &env[T]{stream: streamOf(o.name), opts: &dense.Opts[T]{Threads: threads}, hash: sha256.New()}
		o.run(e)
		lines = append(lines, Line{o.name + " " + typ, hex.EncodeToString(e.hash.Sum(nil)[:8])})
	}
	return lines
}

// Format returns the lines as text, followed by the digest of that text.
func Format(lines []Line) string {
	var s strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&s, "%s %s\n", l.Name, l.Sum)
	}
	total := sha256.Sum256([]byte(s.String()))
	return s.String() + "total " + hex.EncodeToString(total[:]) + "\n"
}

// Diff returns the names of the operations in which two texts made by Format
// differ.
func Diff(got, want string) []string {
	sums := func(text string) (names []string, sum map[string]string) {
		sum = map[string]string{}
		for line := range strings.Lines(text) {
			if i := strings.LastIndexByte(line, ' '); i >= 0 {
				names = append(names, line[:i])
				sum[line[:i]] = strings.TrimSpace(line[i+1:])
			}
		}
		return names, sum
	}
	var diff []string
	gotNames, gotSum := sums(got)
	wantNames, wantSum := sums(want)
	for _, name := range wantNames {
		if s, ok := gotSum[name]; !ok {
			diff = append(diff, name+" (missing)")
		} else if s != wantSum[name] {
			diff = append(diff, name)
		}
	}
	for _, name := range gotNames {
		if _, ok := wantSum[name]; !ok {
			diff = append(diff, name+" (new)")
		}
	}
	return diff
}

// env is what an operation sees: its inputs, its options and the hash.
type env[T dense.Float] struct {
	stream uint64 // key of the next input
	opts   *dense.Opts[T]
	hash   hash.Hash
}

// put hashes the values of x, with one representative for all NaNs.
func (e *env[T]) put(x ...T) {
	b := make([]byte, 0, 8*len(x))
	for _, v := range x {
		w := math.Float64bits(float64(v)) // exact and injective
		if v != v {
			w = math.Float64bits(math.NaN())
		}
		b = binary.LittleEndian.AppendUint64(b, w)
	}
	e.hash.Write(b)
}

// putErr hashes the text of an error, which names pivots and the like.
func (e *env[T]) putErr(err error) {
	if err != nil {
		e.hash.Write([]byte(err.Error()))
	}
}

// putInt hashes integers.
func (e *env[T]) putInt(x ...int) {
	for _, v := range x {
		e.hash.Write(binary.LittleEndian.AppendUint64(nil, uint64(v)))
	}
}
