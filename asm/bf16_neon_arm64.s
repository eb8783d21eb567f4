//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"

// Rounds the four numbers of Vx to the upper halves of its words: to nearest even,
// NaN to its upper half, made quiet. V28 is 0x7fff, V29 1, V30 0x400000 in all
// words; V16 and V17 are scratch.
#define ROUND(x) \
	VUSHR_S4(16, x, 16); \
	VAND_B16(29, 16, 16); \
	VADD_S4(28, 16, 16); \
	VADD_S4(x, 16, 16); \
	VFCMEQ_S4(x, x, 17); \
	VORR_B16(30, x, x); \
	VBIT_B16(17, 16, x)

// func toBF16NEON(x []float32, dst []uint16)
TEXT ·toBF16NEON(SB), NOSPLIT, $0-48
	MOVD x_base+0(FP), R1
	MOVD x_len+8(FP), R0
	MOVD dst_base+24(FP), R2
	MOVD $0x7fff, R3
	VDUP R3, V28.S4
	MOVD $1, R3
	VDUP R3, V29.S4
	MOVD $0x400000, R3
	VDUP R3, V30.S4
	SUBS $16, R0
	BLT  rest

sixteen:
	FLDPQ (R1), (F0, F1)
	FLDPQ 32(R1), (F2, F3)
	ADD   $64, R1
	ROUND(0)
	ROUND(1)
	ROUND(2)
	ROUND(3)
	VUZP2 V1.H8, V0.H8, V0.H8
	VUZP2 V3.H8, V2.H8, V1.H8
	FSTPQ (F0, F1), (R2)
	ADD   $32, R2
	SUBS  $16, R0
	BGE   sixteen

rest:
	ADDS $12, R0
	BLT  last

four:
	FMOVQ (R1), F0
	ADD   $16, R1
	ROUND(0)
	VUZP2 V0.H8, V0.H8, V0.H8
	FMOVD F0, (R2)
	ADD   $8, R2
	SUBS  $4, R0
	BGE   four

last:
	ADDS $4, R0
	BEQ  end

one:
	FMOVS (R1), F0
	ADD   $4, R1
	ROUND(0)
	VMOV  V0.H[1], R3
	MOVH  R3, (R2)
	ADD   $2, R2
	SUBS  $1, R0
	BNE   one

end:
	RET

// func fromBF16NEON(x []uint16, dst []float32)
TEXT ·fromBF16NEON(SB), NOSPLIT, $0-48
	MOVD x_base+0(FP), R1
	MOVD x_len+8(FP), R0
	MOVD dst_base+24(FP), R2
	VEOR V4.B16, V4.B16, V4.B16
	SUBS $16, R0
	BLT  rest

sixteen:
	FLDPQ (R1), (F0, F1)
	ADD   $32, R1
	VZIP1 V0.H8, V4.H8, V2.H8
	VZIP2 V0.H8, V4.H8, V3.H8
	VZIP1 V1.H8, V4.H8, V5.H8
	VZIP2 V1.H8, V4.H8, V6.H8
	FSTPQ (F2, F3), (R2)
	FSTPQ (F5, F6), 32(R2)
	ADD   $64, R2
	SUBS  $16, R0
	BGE   sixteen

rest:
	ADDS $12, R0
	BLT  last

four:
	FMOVD (R1), F0
	ADD   $8, R1
	VZIP1 V0.H8, V4.H8, V2.H8
	FMOVQ F2, (R2)
	ADD   $16, R2
	SUBS  $4, R0
	BGE   four

last:
	ADDS $4, R0
	BEQ  end

one:
	MOVHU (R1), R3
	ADD   $2, R1
	LSL   $16, R3
	MOVW  R3, (R2)
	ADD   $4, R2
	SUBS  $1, R0
	BNE   one

end:
	RET
