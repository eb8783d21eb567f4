// Loops that run at the limits of the machine: chains of multiply-adds, and
// passes over memory. In the passes n is the number of bytes of each stream, a
// positive multiple of 512, and each begins at a multiple of 64 bytes.

//go:build amd64 && !purego

#include "textflag.h"

// FMA12 repeats R = R·X + Y on twelve independent registers, which hides a
// latency of six cycles at two of them a cycle.
#define FMA12(OP, X, Y, R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, RA, RB) \
loop:                \
	OP  Y, X, R0 \
	OP  Y, X, R1 \
	OP  Y, X, R2 \
	OP  Y, X, R3 \
	OP  Y, X, R4 \
	OP  Y, X, R5 \
	OP  Y, X, R6 \
	OP  Y, X, R7 \
	OP  Y, X, R8 \
	OP  Y, X, R9 \
	OP  Y, X, RA \
	OP  Y, X, RB \
	DECQ CX      \
	JNZ loop     \
	VZEROUPPER   \
	RET

// func fmaAVX512F32(n int, x, y *float32)
TEXT ·fmaAVX512F32(SB), NOSPLIT, $0-24
	MOVQ         n+0(FP), CX
	MOVQ         x+8(FP), AX
	MOVQ         y+16(FP), BX
	VZEROALL
	VBROADCASTSS (AX), Z14
	VBROADCASTSS (BX), Z15
	FMA12(VFMADD213PS, Z14, Z15, Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8, Z9, Z10, Z11)

// func fmaAVX512F64(n int, x, y *float64)
TEXT ·fmaAVX512F64(SB), NOSPLIT, $0-24
	MOVQ         n+0(FP), CX
	MOVQ         x+8(FP), AX
	MOVQ         y+16(FP), BX
	VZEROALL
	VBROADCASTSD (AX), Z14
	VBROADCASTSD (BX), Z15
	FMA12(VFMADD213PD, Z14, Z15, Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8, Z9, Z10, Z11)

// func fmaAVX2F32(n int, x, y *float32)
TEXT ·fmaAVX2F32(SB), NOSPLIT, $0-24
	MOVQ         n+0(FP), CX
	MOVQ         x+8(FP), AX
	MOVQ         y+16(FP), BX
	VZEROALL
	VBROADCASTSS (AX), Y14
	VBROADCASTSS (BX), Y15
	FMA12(VFMADD213PS, Y14, Y15, Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y8, Y9, Y10, Y11)

// func fmaAVX2F64(n int, x, y *float64)
TEXT ·fmaAVX2F64(SB), NOSPLIT, $0-24
	MOVQ         n+0(FP), CX
	MOVQ         x+8(FP), AX
	MOVQ         y+16(FP), BX
	VZEROALL
	VBROADCASTSD (AX), Y14
	VBROADCASTSD (BX), Y15
	FMA12(VFMADD213PD, Y14, Y15, Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y8, Y9, Y10, Y11)

// The passes take eight registers of W bytes a turn: SI walks what is read
// only, DI what is written, F holds a factor or value.

#define NEXT(W) \
	ADDQ $(8*W), SI \
	ADDQ $(8*W), DI \
	SUBQ $(8*W), CX \
	JNZ  loop       \
	VZEROUPPER      \
	RET

#define FILL(BITS, R) \
	MOVQ         $BITS, AX \
	MOVQ         AX, X15   \
	VBROADCASTSD X15, R

#define ONE 0x3ff0000000000000
#define MINUS1 0xbff0000000000000

#define READ(W, R0, R1, R2, R3, R4, R5, R6, R7) \
loop:                            \
	VADDPD (0*W)(SI), R0, R0 \
	VADDPD (1*W)(SI), R1, R1 \
	VADDPD (2*W)(SI), R2, R2 \
	VADDPD (3*W)(SI), R3, R3 \
	VADDPD (4*W)(SI), R4, R4 \
	VADDPD (5*W)(SI), R5, R5 \
	VADDPD (6*W)(SI), R6, R6 \
	VADDPD (7*W)(SI), R7, R7 \
	NEXT(W)

// READ2 reads both halves of the stream at once, four registers of each a turn.
#define READ2(W, R0, R1, R2, R3, R4, R5, R6, R7) \
	MOVQ CX, DI              \
	SHRQ $1, DI              \
	ADDQ SI, DI              \
loop:                            \
	VADDPD (0*W)(SI), R0, R0 \
	VADDPD (0*W)(DI), R4, R4 \
	VADDPD (1*W)(SI), R1, R1 \
	VADDPD (1*W)(DI), R5, R5 \
	VADDPD (2*W)(SI), R2, R2 \
	VADDPD (2*W)(DI), R6, R6 \
	VADDPD (3*W)(SI), R3, R3 \
	VADDPD (3*W)(DI), R7, R7 \
	ADDQ $(4*W), SI          \
	ADDQ $(4*W), DI          \
	SUBQ $(8*W), CX          \
	JNZ  loop                \
	VZEROUPPER               \
	RET

#define UPDATE(W, F, R0, R1, R2, R3, R4, R5, R6, R7) \
loop:                           \
	VMULPD (0*W)(DI), F, R0 \
	VMULPD (1*W)(DI), F, R1 \
	VMULPD (2*W)(DI), F, R2 \
	VMULPD (3*W)(DI), F, R3 \
	VMULPD (4*W)(DI), F, R4 \
	VMULPD (5*W)(DI), F, R5 \
	VMULPD (6*W)(DI), F, R6 \
	VMULPD (7*W)(DI), F, R7 \
	VMOVUPD R0, (0*W)(DI)   \
	VMOVUPD R1, (1*W)(DI)   \
	VMOVUPD R2, (2*W)(DI)   \
	VMOVUPD R3, (3*W)(DI)   \
	VMOVUPD R4, (4*W)(DI)   \
	VMOVUPD R5, (5*W)(DI)   \
	VMOVUPD R6, (6*W)(DI)   \
	VMOVUPD R7, (7*W)(DI)   \
	NEXT(W)

#define AXPY(W, F, R0, R1, R2, R3, R4, R5, R6, R7) \
loop:                                \
	VMOVUPD (0*W)(SI), R0        \
	VMOVUPD (1*W)(SI), R1        \
	VMOVUPD (2*W)(SI), R2        \
	VMOVUPD (3*W)(SI), R3        \
	VMOVUPD (4*W)(SI), R4        \
	VMOVUPD (5*W)(SI), R5        \
	VMOVUPD (6*W)(SI), R6        \
	VMOVUPD (7*W)(SI), R7        \
	VFMADD213PD (0*W)(DI), F, R0 \
	VFMADD213PD (1*W)(DI), F, R1 \
	VFMADD213PD (2*W)(DI), F, R2 \
	VFMADD213PD (3*W)(DI), F, R3 \
	VFMADD213PD (4*W)(DI), F, R4 \
	VFMADD213PD (5*W)(DI), F, R5 \
	VFMADD213PD (6*W)(DI), F, R6 \
	VFMADD213PD (7*W)(DI), F, R7 \
	VMOVUPD R0, (0*W)(DI)        \
	VMOVUPD R1, (1*W)(DI)        \
	VMOVUPD R2, (2*W)(DI)        \
	VMOVUPD R3, (3*W)(DI)        \
	VMOVUPD R4, (4*W)(DI)        \
	VMOVUPD R5, (5*W)(DI)        \
	VMOVUPD R6, (6*W)(DI)        \
	VMOVUPD R7, (7*W)(DI)        \
	NEXT(W)

#define COPY(MOV, W, R0, R1, R2, R3, R4, R5, R6, R7) \
loop:                         \
	VMOVUPD (0*W)(SI), R0 \
	VMOVUPD (1*W)(SI), R1 \
	VMOVUPD (2*W)(SI), R2 \
	VMOVUPD (3*W)(SI), R3 \
	VMOVUPD (4*W)(SI), R4 \
	VMOVUPD (5*W)(SI), R5 \
	VMOVUPD (6*W)(SI), R6 \
	VMOVUPD (7*W)(SI), R7 \
	MOV R0, (0*W)(DI)     \
	MOV R1, (1*W)(DI)     \
	MOV R2, (2*W)(DI)     \
	MOV R3, (3*W)(DI)     \
	MOV R4, (4*W)(DI)     \
	MOV R5, (5*W)(DI)     \
	MOV R6, (6*W)(DI)     \
	MOV R7, (7*W)(DI)     \
	NEXT(W)

#define WRITE(MOV, W, F) \
loop:                    \
	MOV F, (0*W)(DI) \
	MOV F, (1*W)(DI) \
	MOV F, (2*W)(DI) \
	MOV F, (3*W)(DI) \
	MOV F, (4*W)(DI) \
	MOV F, (5*W)(DI) \
	MOV F, (6*W)(DI) \
	MOV F, (7*W)(DI) \
	NEXT(W)

// func readAVX512(x, y *float64, n int)
TEXT ·readAVX512(SB), NOSPLIT, $0-24
	MOVQ x+0(FP), SI
	MOVQ y+8(FP), DI
	MOVQ n+16(FP), CX
	VZEROALL
	READ(64, Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7)

// func read2AVX512(x, y *float64, n int)
TEXT ·read2AVX512(SB), NOSPLIT, $0-24
	MOVQ x+0(FP), SI
	MOVQ n+16(FP), CX
	VZEROALL
	READ2(64, Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7)

// func updateAVX512(x, y *float64, n int)
TEXT ·updateAVX512(SB), NOSPLIT, $0-24
	MOVQ x+0(FP), SI
	MOVQ y+8(FP), DI
	MOVQ n+16(FP), CX
	FILL(MINUS1, Z15)
	UPDATE(64, Z15, Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7)

// func axpyAVX512(x, y *float64, n int)
TEXT ·axpyAVX512(SB), NOSPLIT, $0-24
	MOVQ x+0(FP), SI
	MOVQ y+8(FP), DI
	MOVQ n+16(FP), CX
	FILL(ONE, Z15)
	AXPY(64, Z15, Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7)

// func copyAVX512(x, y *float64, n int)
TEXT ·copyAVX512(SB), NOSPLIT, $0-24
	MOVQ x+0(FP), SI
	MOVQ y+8(FP), DI
	MOVQ n+16(FP), CX
	COPY(VMOVUPD, 64, Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7)

// func copyPastAVX512(x, y *float64, n int)
TEXT ·copyPastAVX512(SB), NOSPLIT, $0-24
	MOVQ x+0(FP), SI
	MOVQ y+8(FP), DI
	MOVQ n+16(FP), CX
	COPY(VMOVNTPD, 64, Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7)

// func writeAVX512(x, y *float64, n int)
TEXT ·writeAVX512(SB), NOSPLIT, $0-24
	MOVQ x+0(FP), SI
	MOVQ y+8(FP), DI
	MOVQ n+16(FP), CX
	FILL(ONE, Z15)
	WRITE(VMOVUPD, 64, Z15)

// func writePastAVX512(x, y *float64, n int)
TEXT ·writePastAVX512(SB), NOSPLIT, $0-24
	MOVQ x+0(FP), SI
	MOVQ y+8(FP), DI
	MOVQ n+16(FP), CX
	FILL(ONE, Z15)
	WRITE(VMOVNTPD, 64, Z15)

// func readAVX2(x, y *float64, n int)
TEXT ·readAVX2(SB), NOSPLIT, $0-24
	MOVQ x+0(FP), SI
	MOVQ y+8(FP), DI
	MOVQ n+16(FP), CX
	VZEROALL
	READ(32, Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7)

// func read2AVX2(x, y *float64, n int)
TEXT ·read2AVX2(SB), NOSPLIT, $0-24
	MOVQ x+0(FP), SI
	MOVQ n+16(FP), CX
	VZEROALL
	READ2(32, Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7)

// func updateAVX2(x, y *float64, n int)
TEXT ·updateAVX2(SB), NOSPLIT, $0-24
	MOVQ x+0(FP), SI
	MOVQ y+8(FP), DI
	MOVQ n+16(FP), CX
	FILL(MINUS1, Y15)
	UPDATE(32, Y15, Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7)

// func axpyAVX2(x, y *float64, n int)
TEXT ·axpyAVX2(SB), NOSPLIT, $0-24
	MOVQ x+0(FP), SI
	MOVQ y+8(FP), DI
	MOVQ n+16(FP), CX
	FILL(ONE, Y15)
	AXPY(32, Y15, Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7)

// func copyAVX2(x, y *float64, n int)
TEXT ·copyAVX2(SB), NOSPLIT, $0-24
	MOVQ x+0(FP), SI
	MOVQ y+8(FP), DI
	MOVQ n+16(FP), CX
	COPY(VMOVUPD, 32, Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7)

// func copyPastAVX2(x, y *float64, n int)
TEXT ·copyPastAVX2(SB), NOSPLIT, $0-24
	MOVQ x+0(FP), SI
	MOVQ y+8(FP), DI
	MOVQ n+16(FP), CX
	COPY(VMOVNTPD, 32, Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7)

// func writeAVX2(x, y *float64, n int)
TEXT ·writeAVX2(SB), NOSPLIT, $0-24
	MOVQ x+0(FP), SI
	MOVQ y+8(FP), DI
	MOVQ n+16(FP), CX
	FILL(ONE, Y15)
	WRITE(VMOVUPD, 32, Y15)

// func writePastAVX2(x, y *float64, n int)
TEXT ·writePastAVX2(SB), NOSPLIT, $0-24
	MOVQ x+0(FP), SI
	MOVQ y+8(FP), DI
	MOVQ n+16(FP), CX
	FILL(ONE, Y15)
	WRITE(VMOVNTPD, 32, Y15)
