//go:build !openblas

package main

import (
	"io"

	"github.com/precond-go/precond/bench/cases"
	"github.com/precond-go/precond/bench/harness"
	"github.com/precond-go/precond/bench/limits"
	"github.com/precond-go/precond/bench/measure"
)

// linked says whether OpenBLAS is part of the program. Without it the functions
// below are not reached.
const linked = false

func hasPeer(string) bool { return false }

func probeOpenBLAS(io.Writer) error { return errNoOpenBLAS }

func describeOpenBLAS() string { return "no OpenBLAS" }

func rowOf(*cases.Case, *limits.Limits, measure.Plan, bool) harness.Row { panic(errNoOpenBLAS) }
