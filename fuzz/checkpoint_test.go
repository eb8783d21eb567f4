package fuzz

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/precond-go/precond/dense"
	"github.com/precond-go/precond/internal/random"
	"github.com/precond-go/precond/solvers"
	"github.com/precond-go/precond/solvers/firstorder"
	"github.com/precond-go/precond/solvers/kfac"
)

// trained returns an optimizer with all kinds of fields in its checkpoint: K-FAC with a refresh
// under way, grafted onto Adam, with momentum and averages, after some steps.
func trained(steps int) *solvers.Optimizer[float32] {
	params := []solvers.Tensor[float32]{solvers.NewTensor[float32]("w", 2, 3)}
	estimator := kfac.New(params, kfac.Options{StatisticsEvery: 2, InverseEvery: 2, Lag: 2, Threads: 1})
	graft := solvers.NewGraft[float32](params, firstorder.NewAdam(params, firstorder.Config{Threads: 1}), estimator, 1, 1)
	momentum := solvers.NewMomentum(params, solvers.MomentumConfig{Rate: solvers.Constant(0.1), Momentum: solvers.Constant(0.5), Threads: 1})
	o := solvers.NewOptimizer(params, graft, solvers.NewAverage[float32](params, momentum, 1, nil, 1))
	o.Threads = 1
	for k := range steps {
		l := solvers.Layer[float32]{Name: "w", Bias: true, Examples: 4, Positions: 1, Inputs: dense.NewMatrix[float32](4, 2), Grads: dense.NewMatrix[float32](4, 2)}
		g := solvers.Like(params)
		for i, x := range [][]float32{l.Inputs.Data, l.Grads.Data, g[0].Data} {
			random.Normal(random.New(1, uint64(i), uint64(k)), 0, x)
		}
		if _, err := o.Step(&solvers.Evidence[float32]{Loss: 1, Examples: 4, Grads: g, Layers: [][]solvers.Layer[float32]{{l}}}); err != nil {
			panic(err)
		}
	}
	return o
}

// sealed returns fields as a checkpoint with the right length and digest.
func sealed(fields []byte) []byte {
	b := binary.LittleEndian.AppendUint32([]byte("precond\x1a"), 1)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(fields)))
	b = append(b, fields...)
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

// FuzzCheckpoint reads files of any bytes, and with seal fields of any bytes in an undamaged
// file. Load either returns an error of its type and leaves the optimizer as it was, or the state is that
// of the file, so that Save writes the same bytes.
func FuzzCheckpoint(f *testing.F) {
	path := filepath.Join(f.TempDir(), "seed")
	for steps := range 5 {
		o := trained(steps)
		if err := o.Save(path); err != nil {
			f.Fatal(err)
		}
		o.Close()
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, false)
		f.Add(data[20:len(data)-sha256.Size], true)
		f.Add(data[20:len(data)/2], true)
		f.Add(data[:len(data)-1], false)
	}
	f.Add([]byte{}, false)
	f.Add([]byte("precond\x1a"), false)
	f.Fuzz(func(t *testing.T, data []byte, seal bool) {
		if seal {
			data = sealed(data)
		}
		path := filepath.Join(t.TempDir(), "c")
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		o := trained(3)
		defer o.Close()
		before := append([]float32(nil), o.Params()[0].Data...)
		err := o.Load(path)
		if err == nil {
			if err := o.Save(path); err != nil {
				t.Fatal(err)
			}
			if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, data) {
				t.Errorf("the state is not that of the file (%v)", err)
			}
			return
		}
		var e *solvers.CheckpointError
		if !errors.As(err, &e) || e.Path != path || e.Reason == "" {
			t.Errorf("error %v", err)
		}
		for i, v := range o.Params()[0].Data {
			if math.Float32bits(v) != math.Float32bits(before[i]) || o.Steps() != 3 {
				t.Fatal("an error, and the optimizer has changed")
			}
		}
	})
}
