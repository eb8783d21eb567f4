// Package cpu says what this processor can do: the instruction sets that the
// kernels of package asm exist for (from golang.org/x/sys/cpu), and the cache
// sizes and core count (from klauspost/cpuid), which may steer block sizes that
// do not change the order of operations.
//
// Only this repository's packages import it.
package cpu

import (
	"fmt"
	"os"
	"strings"

	"github.com/klauspost/cpuid/v2"
)

// Env is the environment variable that forces an instruction set.
const Env = "PRECOND_ISA"

// Names of the instruction sets, in the spelling that Env takes.
const (
	Generic = "generic" // portable Go
	AVX2    = "avx2"    // amd64: AVX2 together with FMA
	AVX512  = "avx512"  // amd64: AVX-512 F, DQ, BW and VL
	NEON    = "neon"    // arm64: Advanced SIMD
)

// Available returns the instruction sets that this process can run, best first.
// Generic is always the last. With the build tag purego it is the only one.
func Available() []string { return append(native(), Generic) }

// Select returns the instruction set that the process uses: the one forced by
// the environment variable Env, or the best available. It fails if the forced
// one is unknown or cannot run here; the error lists what can.
func Select() (string, error) { return choose(os.Getenv(Env), Available()) }

func choose(forced string, available []string) (string, error) {
	if forced == "" {
		return available[0], nil
	}
	for _, isa := range available {
		if isa == forced {
			return isa, nil
		}
	}
	return "", fmt.Errorf("cpu: %s=%q cannot run here; this machine has %s",
		Env, forced, strings.Join(available, ", "))
}

// Caches holds data cache sizes in bytes, as seen by one core.
type Caches struct{ L1D, L2, L3 int }

// CacheSizes returns the sizes that the processor reports, with the usual
// figures of a small server core in place of those that it does not.
func CacheSizes() Caches {
	c := Caches{cpuid.CPU.Cache.L1D, cpuid.CPU.Cache.L2, cpuid.CPU.Cache.L3}
	if c.L1D <= 0 {
		c.L1D = 32 << 10
	}
	if c.L2 <= 0 {
		c.L2 = 512 << 10
	}
	if c.L3 <= 0 {
		c.L3 = 4 << 20
	}
	return c
}

// Name returns the processor's brand string, or "unknown".
func Name() string {
	if cpuid.CPU.BrandName == "" {
		return "unknown"
	}
	return cpuid.CPU.BrandName
}
