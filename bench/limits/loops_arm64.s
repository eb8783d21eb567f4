// Loops that run at the limits of the machine: chains of multiply-adds, and
// passes over memory. In the passes n is the number of bytes of each stream, a
// positive multiple of 512, and each begins at a multiple of 64 bytes.

//go:build arm64 && !purego

#include "textflag.h"

// FMA24 repeats R += X·Y on 24 independent registers, which hides a latency of
// six cycles at four of them a cycle.
#define FMA24(T) \
loop: \
	VFMLA V30.T, V31.T, V0.T  \
	VFMLA V30.T, V31.T, V1.T  \
	VFMLA V30.T, V31.T, V2.T  \
	VFMLA V30.T, V31.T, V3.T  \
	VFMLA V30.T, V31.T, V4.T  \
	VFMLA V30.T, V31.T, V5.T  \
	VFMLA V30.T, V31.T, V6.T  \
	VFMLA V30.T, V31.T, V7.T  \
	VFMLA V30.T, V31.T, V8.T  \
	VFMLA V30.T, V31.T, V9.T  \
	VFMLA V30.T, V31.T, V10.T \
	VFMLA V30.T, V31.T, V11.T \
	VFMLA V30.T, V31.T, V12.T \
	VFMLA V30.T, V31.T, V13.T \
	VFMLA V30.T, V31.T, V14.T \
	VFMLA V30.T, V31.T, V15.T \
	VFMLA V30.T, V31.T, V16.T \
	VFMLA V30.T, V31.T, V17.T \
	VFMLA V30.T, V31.T, V18.T \
	VFMLA V30.T, V31.T, V19.T \
	VFMLA V30.T, V31.T, V20.T \
	VFMLA V30.T, V31.T, V21.T \
	VFMLA V30.T, V31.T, V22.T \
	VFMLA V30.T, V31.T, V23.T \
	SUBS  $1, R2              \
	BNE   loop                \
	RET

#define ZERO24 \
	VEOR V0.B16, V0.B16, V0.B16    \
	VEOR V1.B16, V1.B16, V1.B16    \
	VEOR V2.B16, V2.B16, V2.B16    \
	VEOR V3.B16, V3.B16, V3.B16    \
	VEOR V4.B16, V4.B16, V4.B16    \
	VEOR V5.B16, V5.B16, V5.B16    \
	VEOR V6.B16, V6.B16, V6.B16    \
	VEOR V7.B16, V7.B16, V7.B16    \
	VEOR V8.B16, V8.B16, V8.B16    \
	VEOR V9.B16, V9.B16, V9.B16    \
	VEOR V10.B16, V10.B16, V10.B16 \
	VEOR V11.B16, V11.B16, V11.B16 \
	VEOR V12.B16, V12.B16, V12.B16 \
	VEOR V13.B16, V13.B16, V13.B16 \
	VEOR V14.B16, V14.B16, V14.B16 \
	VEOR V15.B16, V15.B16, V15.B16 \
	VEOR V16.B16, V16.B16, V16.B16 \
	VEOR V17.B16, V17.B16, V17.B16 \
	VEOR V18.B16, V18.B16, V18.B16 \
	VEOR V19.B16, V19.B16, V19.B16 \
	VEOR V20.B16, V20.B16, V20.B16 \
	VEOR V21.B16, V21.B16, V21.B16 \
	VEOR V22.B16, V22.B16, V22.B16 \
	VEOR V23.B16, V23.B16, V23.B16

// func fmaNEONF32(n int, x, y *float32)
TEXT ·fmaNEONF32(SB), NOSPLIT, $0-24
	MOVD  n+0(FP), R2
	MOVD  x+8(FP), R0
	MOVD  y+16(FP), R1
	VLD1R (R0), [V30.S4]
	VLD1R (R1), [V31.S4]
	ZERO24
	FMA24(S4)

// func fmaNEONF64(n int, x, y *float64)
TEXT ·fmaNEONF64(SB), NOSPLIT, $0-24
	MOVD  n+0(FP), R2
	MOVD  x+8(FP), R0
	MOVD  y+16(FP), R1
	VLD1R (R0), [V30.D2]
	VLD1R (R1), [V31.D2]
	ZERO24
	FMA24(D2)

// The passes take eight registers a turn. The assembler has no vector add or
// multiply for floating point, so the passes that compute use multiply-adds and
// exclusive or (which flips signs), at the same traffic.

// func readNEON(x, y *float64, n int)
TEXT ·readNEON(SB), NOSPLIT, $0-24
	MOVD x+0(FP), R0
	MOVD n+16(FP), R2
	VEOR V8.B16, V8.B16, V8.B16
	VEOR V9.B16, V9.B16, V9.B16

loop:
	VLD1.P 64(R0), [V0.B16, V1.B16, V2.B16, V3.B16]
	VLD1.P 64(R0), [V4.B16, V5.B16, V6.B16, V7.B16]
	VEOR   V0.B16, V8.B16, V8.B16
	VEOR   V1.B16, V9.B16, V9.B16
	VEOR   V2.B16, V8.B16, V8.B16
	VEOR   V3.B16, V9.B16, V9.B16
	VEOR   V4.B16, V8.B16, V8.B16
	VEOR   V5.B16, V9.B16, V9.B16
	VEOR   V6.B16, V8.B16, V8.B16
	VEOR   V7.B16, V9.B16, V9.B16
	SUBS   $128, R2
	BNE    loop
	RET

// func updateNEON(x, y *float64, n int)
TEXT ·updateNEON(SB), NOSPLIT, $0-24
	MOVD y+8(FP), R0
	MOVD y+8(FP), R1
	MOVD n+16(FP), R2
	MOVD $(1<<63), R3
	VDUP R3, V8.D2

loop:
	VLD1.P 64(R0), [V0.B16, V1.B16, V2.B16, V3.B16]
	VLD1.P 64(R0), [V4.B16, V5.B16, V6.B16, V7.B16]
	VEOR   V0.B16, V8.B16, V0.B16
	VEOR   V1.B16, V8.B16, V1.B16
	VEOR   V2.B16, V8.B16, V2.B16
	VEOR   V3.B16, V8.B16, V3.B16
	VEOR   V4.B16, V8.B16, V4.B16
	VEOR   V5.B16, V8.B16, V5.B16
	VEOR   V6.B16, V8.B16, V6.B16
	VEOR   V7.B16, V8.B16, V7.B16
	VST1.P [V0.B16, V1.B16, V2.B16, V3.B16], 64(R1)
	VST1.P [V4.B16, V5.B16, V6.B16, V7.B16], 64(R1)
	SUBS   $128, R2
	BNE    loop
	RET

// func axpyNEON(x, y *float64, n int)
TEXT ·axpyNEON(SB), NOSPLIT, $0-24
	MOVD x+0(FP), R0
	MOVD y+8(FP), R1
	MOVD y+8(FP), R3
	MOVD n+16(FP), R2
	FMOVD $1.0, F16
	VDUP V16.D[0], V16.D2

loop:
	VLD1.P 64(R0), [V0.D2, V1.D2, V2.D2, V3.D2]
	VLD1.P 64(R1), [V4.D2, V5.D2, V6.D2, V7.D2]
	VLD1.P 64(R0), [V8.D2, V9.D2, V10.D2, V11.D2]
	VLD1.P 64(R1), [V12.D2, V13.D2, V14.D2, V15.D2]
	VFMLA  V0.D2, V16.D2, V4.D2
	VFMLA  V1.D2, V16.D2, V5.D2
	VFMLA  V2.D2, V16.D2, V6.D2
	VFMLA  V3.D2, V16.D2, V7.D2
	VFMLA  V8.D2, V16.D2, V12.D2
	VFMLA  V9.D2, V16.D2, V13.D2
	VFMLA  V10.D2, V16.D2, V14.D2
	VFMLA  V11.D2, V16.D2, V15.D2
	VST1.P [V4.D2, V5.D2, V6.D2, V7.D2], 64(R3)
	VST1.P [V12.D2, V13.D2, V14.D2, V15.D2], 64(R3)
	SUBS   $128, R2
	BNE    loop
	RET

// func copyNEON(x, y *float64, n int)
TEXT ·copyNEON(SB), NOSPLIT, $0-24
	MOVD x+0(FP), R0
	MOVD y+8(FP), R1
	MOVD n+16(FP), R2

loop:
	VLD1.P 64(R0), [V0.B16, V1.B16, V2.B16, V3.B16]
	VLD1.P 64(R0), [V4.B16, V5.B16, V6.B16, V7.B16]
	VST1.P [V0.B16, V1.B16, V2.B16, V3.B16], 64(R1)
	VST1.P [V4.B16, V5.B16, V6.B16, V7.B16], 64(R1)
	SUBS   $128, R2
	BNE    loop
	RET

// func writeNEON(x, y *float64, n int)
TEXT ·writeNEON(SB), NOSPLIT, $0-24
	MOVD y+8(FP), R1
	MOVD n+16(FP), R2
	FMOVD $1.0, F0
	VDUP V0.D[0], V0.D2
	VORR V0.B16, V0.B16, V1.B16
	VORR V0.B16, V0.B16, V2.B16
	VORR V0.B16, V0.B16, V3.B16

loop:
	VST1.P [V0.B16, V1.B16, V2.B16, V3.B16], 64(R1)
	VST1.P [V0.B16, V1.B16, V2.B16, V3.B16], 64(R1)
	SUBS   $128, R2
	BNE    loop
	RET
