// Package cases lists what is measured: kernels, element types, shapes and
// thread counts, each with the work it does, the limit that the machine sets to
// it, the ratios that it has to reach, and functions that run ours and gonum's
// on the same operands. The benchmarks, bench/report and bench/peers share it.
//
// List gives the cases; Case.New makes the operands of one. Operands are such
// that an operation can be repeated in place any number of times: nothing
// overflows, becomes subnormal, or takes a shortcut that other data would not.
package cases
