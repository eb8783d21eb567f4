package dense

import (
	"fmt"
	"math"
	"sync"

	"github.com/precond-go/precond/asm"
)

// BFloat16 is a number in the bfloat16 format: the upper half of a float32, with
// its range and 8 significant bits. It is for storage; computation is in float32.
type BFloat16 uint16

// Float32 returns the number, exactly.
func (b BFloat16) Float32() float32 { return math.Float32frombits(uint32(b) << 16) }

// ToBFloat16 rounds x to nearest, ties to even, into dst. What is beyond the
// largest number of the format becomes infinite; NaN stays NaN and is made quiet.
func ToBFloat16(x []float32, dst []BFloat16, o *Opts[float32]) {
	checkConversion("ToBFloat16", len(x), len(dst))
	m := mapping[float32, uint16]{asm.Convert().ToBF16, x, as[uint16](dst)}
	m.run(&toBF16, o.threads())
}

// FromBFloat16 converts x to float32, exactly, into dst.
func FromBFloat16(x []BFloat16, dst []float32, o *Opts[float32]) {
	checkConversion("FromBFloat16", len(x), len(dst))
	m := mapping[uint16, float32]{asm.Convert().FromBF16, as[uint16](x), dst}
	m.run(&fromBF16, o.threads())
}

var toBF16, fromBF16 sync.Pool // of copies of mapping[…]

func checkConversion(op string, nx, ndst int) {
	if nx != ndst {
		panic(fmt.Sprintf("dense: %s: x has %d elements, dst has %d", op, nx, ndst))
	}
}
