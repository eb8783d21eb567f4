// Reductions over virtual lanes for both element types. V0 … V15 are the lanes: a
// block of 16 registers of elements goes to them in order. R0 counts elements, R1
// and R2 (R3) point at the operands.

#define LANES \
	VZERO(0); VZERO(1); VZERO(2); VZERO(3); VZERO(4); VZERO(5); VZERO(6); VZERO(7); \
	VZERO(8); VZERO(9); VZERO(10); VZERO(11); VZERO(12); VZERO(13); VZERO(14); VZERO(15)

// STEP(x, y, j) adds one register of elements to lane register j.
#define DOTSTEP(x, y, j) FMLAV(y, x, j)
#define SUMSTEP(x, y, j) FADDV(x, j, j)
#define ABSSUMSTEP(x, y, j) FABSV(x, x); FADDV(x, j, j)
#define SUMSQSTEP(x, y, j) FMLAV(x, x, j)
#define MAXABSSTEP(x, y, j) FABSV(x, x); FMAXV(x, j, j)
#define MAXNUMSTEP(x, y, j) FABSV(x, x); FMAXNMV(x, j, j)

// Registers j and j+1 of a block of one operand, and of two.
#define ONE2(STEP, j, t) \
	LDPQO(1, j, t, (t)+1); \
	STEP(t, t, j); \
	STEP((t)+1, (t)+1, (j)+1)
#define TWO2(STEP, j, t) \
	LDPQO(1, j, t, (t)+1); \
	LDPQO(2, j, (t)+2, (t)+3); \
	STEP(t, (t)+2, j); \
	STEP((t)+1, (t)+3, (j)+1)
#define ONE1 LDRQ(1, 16); ADD $16, R1
#define TWO1 LDRQ(1, 16); LDRQ(2, 17); ADD $16, R1; ADD $16, R2
#define ONESTEP ADD $256, R1
#define TWOSTEP ADD $256, R1; ADD $256, R2

// A register of elements after the last whole block.
#define TAIL(STEP, LOAD, j, last) \
	CMP  $VL, R0; \
	BLT  last; \
	LOAD; \
	SUB  $VL, R0; \
	STEP(16, 17, j)

// The whole of a reduction, to V0, with what the operands need as PAIR, LOAD and
// ADVANCE, and FOLD2's operation as OP. Xq is R1 for one operand, R2 for two. On
// return R0 is the number of elements of the partial register, which R1, R2 and R3
// point at. R9 … R12 are scratch.
#define REDUCE(STEP, PAIR, LOAD, ADVANCE, Xq, OP) \
	LANES; \
	SUBS $(16*VL), R0; \
	BLT  tail; \
block: \
	PAIR(STEP, 0, 16); \
	PAIR(STEP, 2, 20); \
	PAIR(STEP, 4, 24); \
	PAIR(STEP, 6, 28); \
	PAIR(STEP, 8, 16); \
	PAIR(STEP, 10, 20); \
	PAIR(STEP, 12, 24); \
	PAIR(STEP, 14, 28); \
	ADVANCE; \
	SUBS $(16*VL), R0; \
	BGE  block; \
tail: \
	ADD  $(16*VL), R0; \
	VZERO(19); /* padding of the partial register: what STEP adds there is −0 */ \
	FNEGV(19, 18); \
	AND  $~(VL-1), R0, R9; \
	ADD  R9<<SHIFT, R1, R10; \
	ADD  R9<<SHIFT, Xq, R11; \
	PARTIAL(R0, R10, R11) \
	TAIL(STEP, LOAD, 0, last0); \
	TAIL(STEP, LOAD, 1, last1); \
	TAIL(STEP, LOAD, 2, last2); \
	TAIL(STEP, LOAD, 3, last3); \
	TAIL(STEP, LOAD, 4, last4); \
	TAIL(STEP, LOAD, 5, last5); \
	TAIL(STEP, LOAD, 6, last6); \
	TAIL(STEP, LOAD, 7, last7); \
	TAIL(STEP, LOAD, 8, last8); \
	TAIL(STEP, LOAD, 9, last9); \
	TAIL(STEP, LOAD, 10, last10); \
	TAIL(STEP, LOAD, 11, last11); \
	TAIL(STEP, LOAD, 12, last12); \
	TAIL(STEP, LOAD, 13, last13); \
	TAIL(STEP, LOAD, 14, last14); \
	STEP(18, 19, 15); \
	B    fold; \
last14: \
	STEP(18, 19, 14); \
	B    fold; \
last13: \
	STEP(18, 19, 13); \
	B    fold; \
last12: \
	STEP(18, 19, 12); \
	B    fold; \
last11: \
	STEP(18, 19, 11); \
	B    fold; \
last10: \
	STEP(18, 19, 10); \
	B    fold; \
last9: \
	STEP(18, 19, 9); \
	B    fold; \
last8: \
	STEP(18, 19, 8); \
	B    fold; \
last7: \
	STEP(18, 19, 7); \
	B    fold; \
last6: \
	STEP(18, 19, 6); \
	B    fold; \
last5: \
	STEP(18, 19, 5); \
	B    fold; \
last4: \
	STEP(18, 19, 4); \
	B    fold; \
last3: \
	STEP(18, 19, 3); \
	B    fold; \
last2: \
	STEP(18, 19, 2); \
	B    fold; \
last1: \
	STEP(18, 19, 1); \
	B    fold; \
last0: \
	STEP(18, 19, 0); \
fold: \
	OP(8, 0, 0); OP(9, 1, 1); OP(10, 2, 2); OP(11, 3, 3); \
	OP(12, 4, 4); OP(13, 5, 5); OP(14, 6, 6); OP(15, 7, 7); \
	OP(4, 0, 0); OP(5, 1, 1); OP(6, 2, 2); OP(7, 3, 3); \
	OP(2, 0, 0); OP(3, 1, 1); \
	OP(1, 0, 0); \
	FOLD2(OP)

// Bodies of the functions.

// func(x, y []T) T
#define DOT \
	MOVD x_base+0(FP), R1; \
	MOVD x_len+8(FP), R0; \
	MOVD y_base+24(FP), R2; \
	REDUCE(DOTSTEP, TWO2, TWO1, TWOSTEP, R2, FADDV); \
	FMOV1 F0, ret+48(FP); \
	RET

// func(x []T) T
#define REDUCE1(STEP, OP) \
	MOVD x_base+0(FP), R1; \
	MOVD x_len+8(FP), R0; \
	REDUCE(STEP, ONE2, ONE1, ONESTEP, R1, OP); \
	FMOV1 F0, ret+24(FP); \
	RET
#define SUM REDUCE1(SUMSTEP, FADDV)
#define ABSSUM REDUCE1(ABSSUMSTEP, FADDV)
#define SUMSQ REDUCE1(SUMSQSTEP, FADDV)
#define MAXABS REDUCE1(MAXABSSTEP, FMAXV)
#define MAXNUM REDUCE1(MAXNUMSTEP, FMAXNMV)

// func(m, n int, alpha T, a []T, lda int, x, y []T)
//
// R3 rows left, R4 row of a, R5 lda, R6 y.
#define GEMVN \
	MOVD m+0(FP), R3; \
	MOVD a_base+24(FP), R4; \
	MOVD lda+48(FP), R5; \
	MOVD y_base+80(FP), R6; \
	LSL  $SHIFT, R5; \
	CBZ  R3, none; \
nextrow: \
	MOVD n+8(FP), R0; \
	MOVD R4, R1; \
	MOVD x_base+56(FP), R2; \
	REDUCE(DOTSTEP, TWO2, TWO1, TWOSTEP, R2, FADDV); \
	FMOV1 alpha+16(FP), F16; \
	LDR1(6, 17); \
	FMLAE(16, 0, 0, 17); \
	STR1(17, 6); \
	ADD  $(1<<SHIFT), R6; \
	ADD  R5, R4; \
	SUB  $1, R3; \
	CBNZ R3, nextrow; \
none: \
	RET

// DotAxpy: a at R1, x at R2, y at R3, t in all lanes of V31.
#define THREE2(STEP, j, t) \
	LDPQO(1, j, 16, 17); \
	LDPQO(2, j, 18, 19); \
	LDPQO(3, j, 20+((j)&6), 21+((j)&6)); \
	FMLAV(18, 16, j); \
	FMLAV(19, 17, (j)+1); \
	FMLAV(31, 16, 20+((j)&6)); \
	FMLAV(31, 17, 21+((j)&6)); \
	STPQO(20+((j)&6), 21+((j)&6), 3, j)
#define THREE1 \
	LDRQ(1, 16); LDRQ(2, 17); LDRQ(3, 20); \
	FMLAV(31, 16, 20); \
	STRQ(20, 3); \
	ADD  $16, R1; ADD $16, R2; ADD $16, R3
#define THREESTEP ADD $256, R1; ADD $256, R2; ADD $256, R3

// func(t T, a, x, y []T) T
#define DOTAXPY \
	FMOV1 t+0(FP), F31; \
	DUPE(0, 31, 31); \
	MOVD a_base+8(FP), R1; \
	MOVD a_len+16(FP), R0; \
	MOVD x_base+32(FP), R2; \
	MOVD y_base+56(FP), R3; \
	REDUCE(DOTSTEP, THREE2, THREE1, THREESTEP, R2, FADDV); \
	CBZ  R0, stored; \
single: \
	LDR1(1, 16); \
	LDR1(3, 17); \
	FMLAV(31, 16, 17); \
	STR1(17, 3); \
	ADD  $(1<<SHIFT), R1; \
	ADD  $(1<<SHIFT), R3; \
	SUB  $1, R0; \
	CBNZ R0, single; \
stored: \
	FMOV1 F0, ret+80(FP); \
	RET

// func(x []T, v T) int: the first i with |x[i]| = v, which there is.
#define INDEXABS \
	MOVD x_base+0(FP), R1; \
	MOVD x_len+8(FP), R0; \
	FMOV1 v+24(FP), F31; \
	DUPE(0, 31, 31); \
	MOVD R1, R2; \
	SUBS $(4*VL), R0; \
	BLT  narrow; \
wide: \
	LDPQO(1, 0, 0, 1); \
	LDPQO(1, 2, 2, 3); \
	FABSV(0, 0); FABSV(1, 1); FABSV(2, 2); FABSV(3, 3); \
	FCMEQV(31, 0, 0); FCMEQV(31, 1, 1); FCMEQV(31, 2, 2); FCMEQV(31, 3, 3); \
	VORR V0.B16, V1.B16, V0.B16; \
	VORR V2.B16, V3.B16, V2.B16; \
	VORR V0.B16, V2.B16, V0.B16; \
	VMOV V0.D[0], R3; \
	VMOV V0.D[1], R4; \
	ORR  R3, R4; \
	CBNZ R4, narrow; \
	ADD  $64, R1; \
	SUBS $(4*VL), R0; \
	BGE  wide; \
narrow: \
	LDR1(1, 0); \
	FABSV(0, 0); \
	FCMEQV(31, 0, 0); \
	FMOVS F0, R3; \
	CBNZW R3, found; \
	ADD  $(1<<SHIFT), R1; \
	B    narrow; \
found: \
	SUB  R2, R1; \
	ASR  $SHIFT, R1; \
	MOVD R1, ret+32(FP); \
	RET
