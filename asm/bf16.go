package asm

import "math"

// toBF16 is the generic twin of Conversions.ToBF16: dst = x, rounded to nearest,
// ties to even. Numbers from 0x1.ffp127 on round to infinity; subnormal numbers
// are kept. A NaN keeps its sign and the upper bits of its payload, and is quiet.
func toBF16(x []float32, dst []uint16) {
	for i, x := range x {
		u := math.Float32bits(x)
		if u&0x7fffffff > 0x7f800000 {
			dst[i] = uint16(u>>16 | 0x40)
			continue
		}
		dst[i] = uint16((u + 0x7fff + u>>16&1) >> 16)
	}
}

// fromBF16 is the generic twin of Conversions.FromBF16: dst = x, exactly, bit for
// bit also where x is NaN.
func fromBF16(x []uint16, dst []float32) {
	for i, x := range x {
		dst[i] = math.Float32frombits(uint32(x) << 16)
	}
}
