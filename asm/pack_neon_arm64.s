//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"

// Transposes of a band of rows: src has 8 or 4 rows of float32, or 4 or 2 of
// float64, and n ≥ 4 or 2 columns; they become n rows of dst. The last columns
// overlap those before them where n is not a multiple. Rows of src are at R4, R5, …,
// the columns go by at a time; R0 counts what is left of them.

// Moves the rows (R4, R5) and dst (R2) back by the columns that overlap, where R0
// columns of one step of w are left; e is log2 of their size.
#define BACK(w, e) \
	SUB  $w, R0, R8; \
	MUL  R8, R3, R9; \
	LSL  $e, R8; \
	ADD  R8, R4; \
	ADD  R8, R5; \
	ADD  R9, R2

#define ADDRESSES(e) \
	MOVD n+0(FP), R0; \
	MOVD src+8(FP), R4; \
	MOVD ld+16(FP), R1; \
	MOVD dst+24(FP), R2; \
	MOVD ldd+32(FP), R3; \
	LSL  $e, R1; \
	LSL  $e, R3; \
	ADD  R1, R4, R5

// The 4×4 transpose of V0 … V3 to V4 … V7, and of V16 … V19 to V20 … V23.
#define TRANSPOSE_S4_LOW \
	VZIP1 V2.S4, V0.S4, V24.S4; \
	VZIP2 V2.S4, V0.S4, V25.S4; \
	VZIP1 V3.S4, V1.S4, V26.S4; \
	VZIP2 V3.S4, V1.S4, V27.S4; \
	VZIP1 V26.S4, V24.S4, V4.S4; \
	VZIP2 V26.S4, V24.S4, V5.S4; \
	VZIP1 V27.S4, V25.S4, V6.S4; \
	VZIP2 V27.S4, V25.S4, V7.S4
#define TRANSPOSE_S4_HIGH \
	VZIP1 V18.S4, V16.S4, V28.S4; \
	VZIP2 V18.S4, V16.S4, V29.S4; \
	VZIP1 V19.S4, V17.S4, V30.S4; \
	VZIP2 V19.S4, V17.S4, V31.S4; \
	VZIP1 V30.S4, V28.S4, V20.S4; \
	VZIP2 V30.S4, V28.S4, V21.S4; \
	VZIP1 V31.S4, V29.S4, V22.S4; \
	VZIP2 V31.S4, V29.S4, V23.S4

// func copyRowsNEON(m, size int, src unsafe.Pointer, ld int, dst unsafe.Pointer, ldd int)
//
// Copies m ≥ 1 rows of size bytes, 16 ≤ size ≤ 64; strides in bytes. The last
// register of a row overlaps the one before it.
TEXT ·copyRowsNEON(SB), NOSPLIT, $0-48
	MOVD m+0(FP), R0
	MOVD size+8(FP), R1
	MOVD src+16(FP), R2
	MOVD ld+24(FP), R3
	MOVD dst+32(FP), R4
	MOVD ldd+40(FP), R5
	SUB  $16, R1, R6
	CMP  $32, R1
	BLE  two
	CMP  $48, R1
	BLE  three

four:
	LDPQ(2, 0, 1)
	FMOVQ 32(R2), F2
	LDRQX(2, 6, 3)
	ADD  R3, R2
	STPQ(0, 1, 4)
	FMOVQ F2, 32(R4)
	STRQX(3, 4, 6)
	ADD  R5, R4
	SUB  $1, R0
	CBNZ R0, four
	RET

three:
	LDPQ(2, 0, 1)
	LDRQX(2, 6, 2)
	ADD  R3, R2
	STPQ(0, 1, 4)
	STRQX(2, 4, 6)
	ADD  R5, R4
	SUB  $1, R0
	CBNZ R0, three
	RET

two:
	LDRQ(2, 0)
	LDRQX(2, 6, 1)
	ADD  R3, R2
	STRQ(0, 4)
	STRQX(1, 4, 6)
	ADD  R5, R4
	SUB  $1, R0
	CBNZ R0, two
	RET

// func transBand8NEONF32(n int, src *float32, ld int, dst *float32, ldd int)
TEXT ·transBand8NEONF32(SB), NOSPLIT, $0-40
	ADDRESSES(2)
	LSL $1, R1, R11
	LSL $2, R1, R12
	ADD R11, R12, R13
loop8:
	CMP  $4, R0
	BGE  full8
	BACK(4, 2)
	MOVD $4, R0
full8:
	LDRQ(4, 0)
	LDRQ(5, 1)
	LDRQX(4, 11, 2)
	LDRQX(5, 11, 3)
	LDRQX(4, 12, 16)
	LDRQX(5, 12, 17)
	LDRQX(4, 13, 18)
	LDRQX(5, 13, 19)
	ADD  $16, R4
	ADD  $16, R5
	TRANSPOSE_S4_LOW
	TRANSPOSE_S4_HIGH
	FSTPQ (F4, F20), (R2)
	ADD  R3, R2
	FSTPQ (F5, F21), (R2)
	ADD  R3, R2
	FSTPQ (F6, F22), (R2)
	ADD  R3, R2
	FSTPQ (F7, F23), (R2)
	ADD  R3, R2
	SUBS $4, R0
	BNE  loop8
	RET

// func transBand4NEONF32(n int, src *float32, ld int, dst *float32, ldd int)
TEXT ·transBand4NEONF32(SB), NOSPLIT, $0-40
	ADDRESSES(2)
	LSL $1, R1, R11
loop4:
	CMP  $4, R0
	BGE  full4
	BACK(4, 2)
	MOVD $4, R0
full4:
	LDRQ(4, 0)
	LDRQ(5, 1)
	LDRQX(4, 11, 2)
	LDRQX(5, 11, 3)
	ADD  $16, R4
	ADD  $16, R5
	TRANSPOSE_S4_LOW
	FMOVQ F4, (R2)
	ADD  R3, R2
	FMOVQ F5, (R2)
	ADD  R3, R2
	FMOVQ F6, (R2)
	ADD  R3, R2
	FMOVQ F7, (R2)
	ADD  R3, R2
	SUBS $4, R0
	BNE  loop4
	RET

// func transBand4NEONF64(n int, src *float64, ld int, dst *float64, ldd int)
TEXT ·transBand4NEONF64(SB), NOSPLIT, $0-40
	ADDRESSES(3)
	LSL $1, R1, R11
loop4:
	CMP  $2, R0
	BGE  full4
	BACK(2, 3)
	MOVD $2, R0
full4:
	LDRQ(4, 0)
	LDRQ(5, 1)
	LDRQX(4, 11, 2)
	LDRQX(5, 11, 3)
	ADD  $16, R4
	ADD  $16, R5
	VZIP1 V1.D2, V0.D2, V4.D2
	VZIP1 V3.D2, V2.D2, V5.D2
	VZIP2 V1.D2, V0.D2, V6.D2
	VZIP2 V3.D2, V2.D2, V7.D2
	FSTPQ (F4, F5), (R2)
	ADD  R3, R2
	FSTPQ (F6, F7), (R2)
	ADD  R3, R2
	SUBS $2, R0
	BNE  loop4
	RET

// func transBand2NEONF64(n int, src *float64, ld int, dst *float64, ldd int)
TEXT ·transBand2NEONF64(SB), NOSPLIT, $0-40
	ADDRESSES(3)
loop2:
	CMP  $2, R0
	BGE  full2
	BACK(2, 3)
	MOVD $2, R0
full2:
	LDRQ(4, 0)
	LDRQ(5, 1)
	ADD  $16, R4
	ADD  $16, R5
	VZIP1 V1.D2, V0.D2, V4.D2
	VZIP2 V1.D2, V0.D2, V6.D2
	FMOVQ F4, (R2)
	ADD  R3, R2
	FMOVQ F6, (R2)
	ADD  R3, R2
	SUBS $2, R0
	BNE  loop2
	RET
