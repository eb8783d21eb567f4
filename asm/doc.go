// Package asm holds the innermost kernels of the library, in assembly for
// AVX2+FMA, AVX-512 and NEON and in portable Go, behind one table per element
// type. Package dense is the place to start for callers; this page is the
// contract for those who write or call kernels.
//
// # The table
//
// [For] returns the [Kernels] of an element type for the instruction set that
// was chosen at start: the best that the processor has, or the one forced by
// the environment variable PRECOND_ISA (generic, avx2, avx512, neon). Look it up
// once per operation, not per tile. Each target's table starts from the one
// below it (AVX-512 on AVX2 on generic) and overlays the kernels it has.
//
// # Same bits
//
// The generic twin of a kernel defines its result, and every target gives the
// same bits, NaN payloads and signs apart. So the order of operations is part
// of the contract:
//
//   - A product that is added is a fused multiply-add, written fma here; any
//     other operation rounds by itself, written T(x·y) where Go might fuse it.
//   - Reductions run over [Lanes] virtual lanes: element i goes to lane i mod
//     Lanes, in increasing i, each lane starting at +0; lanes without a further
//     element are left alone (not incremented by zero). At the end lane l and
//     lane l+h are added for h = Lanes/2, Lanes/4, …, 1.
//   - A matrix product has one accumulator per element of C, and the inner
//     index increases. Callers cut the inner dimension at [KC] only.
//   - Register tiles, cache blocks and edges may differ between targets, since
//     they do not change the order.
//
// # Memory
//
// Slices need no alignment. A kernel reads and writes only the elements that
// its contract names, at every length: it never touches what lies before or
// after them, not even to read it and mask it away, unless the instruction
// itself suppresses the fault. Padding that Pack writes is part of what it
// names. Arguments are not retained. Except where the contract says that
// dst may be x, written and read operands do not overlap.
//
// # Calls
//
// Kernels do not check their arguments: shapes, lengths and aliasing are the
// caller's business (package dense). They cannot be preempted, so callers cut
// the work such that one call stays under some tens of microseconds.
// Pointers may be to empty storage when the element count is zero.
//
// # Adding to it
//
// A kernel is: an entry in Kernels, a generic twin that says what the result
// is, a generator in asm/gen (amd64) or a .s file on the macros of neon_arm64.h,
// a line in each table that has it, and a line in the tests that compare every
// target with the twin, bit for bit, and run it against guard pages.
package asm
