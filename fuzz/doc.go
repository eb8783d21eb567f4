// Package fuzz attacks the operations of package dense with shapes, strides,
// flags and values made from bytes. Each result must have the same bits on every
// instruction set that the machine has and with 1, 2 and 3 threads, must agree with a
// plain float64 computation within its error bound where that is finite, and
// must leave everything alone that is not its output. FuzzCheckpoint attacks the reader of checkpoints
// of package solvers.
//
// The targets are in the tests; go test runs them on fixed seeds, and
//
//	go test -fuzz '^FuzzGemm$' ./fuzz
//
// goes on from there. Nothing imports this package.
package fuzz
