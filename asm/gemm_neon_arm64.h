// The strip kernel of the matrix product for both element types. ENTRY is the name
// of the function.
//
// The register tile is 8 rows times 3 registers of columns, V0 … V23; fewer
// rows have tiles of their own. A row of B takes V24 … V26. At the end of a strip
// there are tiles of 2 registers, of 1 and of the powers of two below; where the
// columns are not a multiple of a register, the last register overlaps the one
// before it: these columns are computed twice, to the same bits, and every load of
// a row of C comes before its stores.
//
// A with rsa = 1 (packed, or a transposed matrix in place) is loaded a column at
// a time and multiplied by element. A with csa = 1 (row-major in place) is loaded
// two elements of a row at a time, for two steps of the inner index.
//
// Registers from ENTRY to the end:
//
//	R0 columns left   R1 k              R2 a, R3 csa      R4 b, R5 ldb, R6 psb
//	R7 c, R8 ldc      R12 offset of the last register of columns
//	R13 mode          R15 columns of this tile            R19 … R26 rows of a
//
// all strides in bytes. R9, R10, R11, R14 are scratch.

// Rows, one by one and in pairs.
#define ROWS1(F) F(0)
#define ROWS2(F) F(0); F(1)
#define ROWS3(F) F(0); F(1); F(2)
#define ROWS4(F) F(0); F(1); F(2); F(3)
#define ROWS5(F) F(0); F(1); F(2); F(3); F(4)
#define ROWS6(F) F(0); F(1); F(2); F(3); F(4); F(5)
#define ROWS7(F) F(0); F(1); F(2); F(3); F(4); F(5); F(6)
#define ROWS8(F) F(0); F(1); F(2); F(3); F(4); F(5); F(6); F(7)
#define PAIRS1(F, G) G(0)
#define PAIRS2(F, G) F(0)
#define PAIRS3(F, G) F(0); G(2)
#define PAIRS4(F, G) F(0); F(2)
#define PAIRS5(F, G) F(0); F(2); G(4)
#define PAIRS6(F, G) F(0); F(2); F(4)
#define PAIRS7(F, G) F(0); F(2); F(4); G(6)
#define PAIRS8(F, G) F(0); F(2); F(4); F(6)

// Row i of the accumulators += element l of Va times the row of B in Vb.
#define MAC1(a, l, b, i) FMLAE(a, l, b, ACC(i, 0))
#define MAC2(a, l, b, i) FMLAE(a, l, b, ACC(i, 0)); FMLAE(a, l, (b)+1, ACC(i, 1))
#define MAC3(a, l, b, i) FMLAE(a, l, b, ACC(i, 0)); FMLAE(a, l, (b)+1, ACC(i, 1)); FMLAE(a, l, (b)+2, ACC(i, 2))

// A step of the inner index, row i, A from a column.
#define COL1(i) MAC1(AREG(i), ALANE(i), 24, i)
#define COL2(i) MAC2(AREG(i), ALANE(i), 24, i)
#define COL3(i) MAC3(AREG(i), ALANE(i), 24, i)

// Two steps of the inner index, rows i and i+1 or row i alone, A from rows.
#define DUAL(MAC, i) \
	LDR2X(19+(i), 14, 30); \
	LDR2X(20+(i), 14, 31); \
	MAC(30, 0, 24, i); \
	MAC(31, 0, 24, i+1); \
	MAC(30, 1, 27, i); \
	MAC(31, 1, 27, i+1)
#define SOLO(MAC, i) \
	LDR2X(19+(i), 14, 30); \
	MAC(30, 0, 24, i); \
	MAC(30, 1, 27, i)
#define DUAL1(i) DUAL(MAC1, i)
#define DUAL2(i) DUAL(MAC2, i)
#define DUAL3(i) DUAL(MAC3, i)
#define SOLO1(i) SOLO(MAC1, i)
#define SOLO2(i) SOLO(MAC2, i)
#define SOLO3(i) SOLO(MAC3, i)

// The last step of the inner index, row i, A from rows.
#define LAST1(i) LDR1X(19+(i), 14, 30); MAC1(30, 0, 24, i)
#define LAST2(i) LDR1X(19+(i), 14, 30); MAC2(30, 0, 24, i)
#define LAST3(i) LDR1X(19+(i), 14, 30); MAC3(30, 0, 24, i)

#define ZERO1(i) VZERO(ACC(i, 0))
#define ZERO2(i) VZERO(ACC(i, 0)); VZERO(ACC(i, 1))
#define ZERO3(i) VZERO(ACC(i, 0)); VZERO(ACC(i, 1)); VZERO(ACC(i, 2))

#define SCALE1(i) FMULE(31, 0, ACC(i, 0), ACC(i, 0))
#define SCALE2(i) FMULE(31, 0, ACC(i, 0), ACC(i, 0)); FMULE(31, 0, ACC(i, 1), ACC(i, 1))
#define SCALE3(i) FMULE(31, 0, ACC(i, 0), ACC(i, 0)); FMULE(31, 0, ACC(i, 1), ACC(i, 1)); FMULE(31, 0, ACC(i, 2), ACC(i, 2))

// Row i of C at R14: load into the accumulators, store them, or store C + alpha·acc.
#define GETROW(LDROW, i) LDROW(14, ACC(i, 0)); ADD R8, R14
#define PUTROW(STROW, i) STROW(ACC(i, 0), 14); ADD R8, R14
#define ADDROW1(LDROW, STROW, i) \
	LDROW(14, 24); \
	FMLAE(31, 0, ACC(i, 0), 24); \
	STROW(24, 14); ADD R8, R14
#define ADDROW2(LDROW, STROW, i) \
	LDROW(14, 24); \
	FMLAE(31, 0, ACC(i, 0), 24); FMLAE(31, 0, ACC(i, 1), 25); \
	STROW(24, 14); ADD R8, R14
#define ADDROW3(LDROW, STROW, i) \
	LDROW(14, 24); \
	FMLAE(31, 0, ACC(i, 0), 24); FMLAE(31, 0, ACC(i, 1), 25); FMLAE(31, 0, ACC(i, 2), 26); \
	STROW(24, 14); ADD R8, R14
#define GETROW3(i) GETROW(LDROW3, i)
#define GETROW2(i) GETROW(LDROW2, i)
#define GETROWQ(i) GETROW(LDROWQ, i)
#define GETROWD(i) GETROW(LDROWD, i)
#define GETROW1(i) GETROW(LDROW1, i)
#define PUTROW3(i) PUTROW(STROW3, i)
#define PUTROW2(i) PUTROW(STROW2, i)
#define PUTROWQ(i) PUTROW(STROWQ, i)
#define PUTROWD(i) PUTROW(STROWD, i)
#define PUTROW1(i) PUTROW(STROW1, i)
#define PLUSROW3(i) ADDROW3(LDROW3, STROW3, i)
#define PLUSROW2(i) ADDROW2(LDROW2, STROW2, i)
#define PLUSROWQ(i) ADDROW1(LDROWQ, STROWQ, i)
#define PLUSROWD(i) ADDROW1(LDROWD, STROWD, i)
#define PLUSROW1(i) ADDROW1(LDROW1, STROW1, i)

#define COLSTEP(ROWS, LOADA, LDROW, COL) \
	LOADA; \
	LDROW(10, 24); \
	ADD R3, R9; \
	ADD R5, R10; \
	ROWS(COL)

// One tile at c (R7), with R12 set: all of a function but what follows it.
#define TILE(ROWS, PAIRS, LOADA, LDROW, COL, DUAL, SOLO, LAST, ZERO, SCALE, GET, PUT, PLUS) \
	MOVD R4, R10; \
	CMP  $2, R13; \
	BEQ  chain; \
	ROWS(ZERO); \
	B    start; \
chain: \
	MOVD R7, R14; \
	ROWS(GET); \
start: \
	MOVD rsa+40(FP), R11; \
	CMP  $1, R11; \
	BNE  rows; \
	MOVD R2, R9; \
	LSR  $2, R1, R11; \
	CBZ  R11, coltail; \
col: \
	COLSTEP(ROWS, LOADA, LDROW, COL); \
	COLSTEP(ROWS, LOADA, LDROW, COL); \
	COLSTEP(ROWS, LOADA, LDROW, COL); \
	COLSTEP(ROWS, LOADA, LDROW, COL); \
	SUB  $1, R11; \
	CBNZ R11, col; \
coltail: \
	AND  $3, R1, R11; \
	CBZ  R11, finish; \
collast: \
	COLSTEP(ROWS, LOADA, LDROW, COL); \
	SUB  $1, R11; \
	CBNZ R11, collast; \
	B    finish; \
rows: \
	MOVD $0, R14; \
	LSR  $1, R1, R11; \
	CBZ  R11, rowtail; \
row: \
	LDROW(10, 24); \
	ADD  R5, R10; \
	LDROW(10, 27); \
	ADD  R5, R10; \
	PAIRS(DUAL, SOLO); \
	ADD  $(2<<SHIFT), R14; \
	SUB  $1, R11; \
	CBNZ R11, row; \
rowtail: \
	TBZ  $0, R1, finish; \
	LDROW(10, 24); \
	ROWS(LAST); \
finish: \
	MOVD R7, R14; \
	CMP  $1, R13; \
	BEQ  plus; \
	BGT  put; \
	FMOV1 alpha+24(FP), F31; \
	ROWS(SCALE); \
put: \
	ROWS(PUT); \
	B    done; \
plus: \
	FMOV1 alpha+24(FP), F31; \
	ROWS(PLUS); \
done:

// Functions of the tiles of one number of rows: 3, 2 and 1 registers of columns,
// half a register and one element. REST jumps to the one for the columns that are
// left, at most two registers of them, and returns if there are none.
#define STRIP3(NAME, REST, ROWS, PAIRS, LOADA) \
TEXT NAME(SB), NOSPLIT, $0-104; \
panel: \
	CMP  $(3*VL), R0; \
	MOVD $(3*VL), R15; \
	CSEL LT, R0, R15, R15; \
	SUB  $VL, R15, R12; \
	LSL  $SHIFT, R12; \
	TILE(ROWS, PAIRS, LOADA, LDROW3, COL3, DUAL3, SOLO3, LAST3, ZERO3, SCALE3, GETROW3, PUTROW3, PLUSROW3) \
	ADD  R15<<SHIFT, R7; \
	ADD  R6, R4; \
	SUB  R15, R0; \
	CMP  $(2*VL), R0; \
	BGT  panel; \
	B    REST(SB)

#define STRIP2(NAME, ROWS, PAIRS, LOADA) \
TEXT NAME(SB), NOSPLIT, $0-104; \
	SUB  $VL, R0, R12; \
	LSL  $SHIFT, R12; \
	TILE(ROWS, PAIRS, LOADA, LDROW2, COL2, DUAL2, SOLO2, LAST2, ZERO2, SCALE2, GETROW2, PUTROW2, PLUSROW2) \
	RET

#define STRIPQ(NAME, ROWS, PAIRS, LOADA) \
TEXT NAME(SB), NOSPLIT, $0-104; \
	TILE(ROWS, PAIRS, LOADA, LDROWQ, COL1, DUAL1, SOLO1, LAST1, ZERO1, SCALE1, GETROWQ, PUTROWQ, PLUSROWQ) \
	RET

#define STRIPD(NAME, ONE, ROWS, PAIRS, LOADA) \
TEXT NAME(SB), NOSPLIT, $0-104; \
	TILE(ROWS, PAIRS, LOADA, LDROWD, COL1, DUAL1, SOLO1, LAST1, ZERO1, SCALE1, GETROWD, PUTROWD, PLUSROWD) \
	ADD  $8, R7; \
	ADD  $8, R4; \
	SUB  $2, R0; \
	CBNZ R0, odd; \
	RET; \
odd: \
	B    ONE(SB)

#define STRIP1(NAME, ROWS, PAIRS, LOADA) \
TEXT NAME(SB), NOSPLIT, $0-104; \
	TILE(ROWS, PAIRS, LOADA, LDROW1, COL1, DUAL1, SOLO1, LAST1, ZERO1, SCALE1, GETROW1, PUTROW1, PLUSROW1) \
	RET

#define REST(NAME, S2, SQ, SD, S1) \
TEXT NAME(SB), NOSPLIT, $0-104; \
	CMP  $VL, R0; \
	BGT  two; \
	BEQ  quad; \
	CMP  $1, R0; \
	BGT  pair; \
	BEQ  one; \
	RET; \
two: \
	B    S2(SB); \
quad: \
	B    SQ(SB); \
pair: \
	B    SD(SB); \
one: \
	B    S1(SB)

// A strip of one number of rows.
#define STRIP(NAME, S3, REST) \
TEXT NAME(SB), NOSPLIT, $0-104; \
	CMP  $(2*VL), R0; \
	BGT  wide; \
	B    REST(SB); \
wide: \
	B    S3(SB)

// With doubles, half a register is one element: REST never jumps to STRIPD.
REST(rest8<>, gemm8x2<>, gemm8xQ<>, gemm8xD<>, gemm8x1<>)
REST(rest7<>, gemm7x2<>, gemm7xQ<>, gemm7xD<>, gemm7x1<>)
REST(rest6<>, gemm6x2<>, gemm6xQ<>, gemm6xD<>, gemm6x1<>)
REST(rest5<>, gemm5x2<>, gemm5xQ<>, gemm5xD<>, gemm5x1<>)
REST(rest4<>, gemm4x2<>, gemm4xQ<>, gemm4xD<>, gemm4x1<>)
REST(rest3<>, gemm3x2<>, gemm3xQ<>, gemm3xD<>, gemm3x1<>)
REST(rest2<>, gemm2x2<>, gemm2xQ<>, gemm2xD<>, gemm2x1<>)
REST(rest1<>, gemm1x2<>, gemm1xQ<>, gemm1xD<>, gemm1x1<>)

STRIP(gemm8<>, gemm8x3<>, rest8<>)
STRIP(gemm7<>, gemm7x3<>, rest7<>)
STRIP(gemm6<>, gemm6x3<>, rest6<>)
STRIP(gemm5<>, gemm5x3<>, rest5<>)
STRIP(gemm4<>, gemm4x3<>, rest4<>)
STRIP(gemm3<>, gemm3x3<>, rest3<>)
STRIP(gemm2<>, gemm2x3<>, rest2<>)
STRIP(gemm1<>, gemm1x3<>, rest1<>)

STRIP3(gemm8x3<>, rest8<>, ROWS8, PAIRS8, LOADA8)
STRIP3(gemm7x3<>, rest7<>, ROWS7, PAIRS7, LOADA7)
STRIP3(gemm6x3<>, rest6<>, ROWS6, PAIRS6, LOADA6)
STRIP3(gemm5x3<>, rest5<>, ROWS5, PAIRS5, LOADA5)
STRIP3(gemm4x3<>, rest4<>, ROWS4, PAIRS4, LOADA4)
STRIP3(gemm3x3<>, rest3<>, ROWS3, PAIRS3, LOADA3)
STRIP3(gemm2x3<>, rest2<>, ROWS2, PAIRS2, LOADA2)
STRIP3(gemm1x3<>, rest1<>, ROWS1, PAIRS1, LOADA1)

STRIP2(gemm8x2<>, ROWS8, PAIRS8, LOADA8)
STRIP2(gemm7x2<>, ROWS7, PAIRS7, LOADA7)
STRIP2(gemm6x2<>, ROWS6, PAIRS6, LOADA6)
STRIP2(gemm5x2<>, ROWS5, PAIRS5, LOADA5)
STRIP2(gemm4x2<>, ROWS4, PAIRS4, LOADA4)
STRIP2(gemm3x2<>, ROWS3, PAIRS3, LOADA3)
STRIP2(gemm2x2<>, ROWS2, PAIRS2, LOADA2)
STRIP2(gemm1x2<>, ROWS1, PAIRS1, LOADA1)

STRIPQ(gemm8xQ<>, ROWS8, PAIRS8, LOADA8)
STRIPQ(gemm7xQ<>, ROWS7, PAIRS7, LOADA7)
STRIPQ(gemm6xQ<>, ROWS6, PAIRS6, LOADA6)
STRIPQ(gemm5xQ<>, ROWS5, PAIRS5, LOADA5)
STRIPQ(gemm4xQ<>, ROWS4, PAIRS4, LOADA4)
STRIPQ(gemm3xQ<>, ROWS3, PAIRS3, LOADA3)
STRIPQ(gemm2xQ<>, ROWS2, PAIRS2, LOADA2)
STRIPQ(gemm1xQ<>, ROWS1, PAIRS1, LOADA1)

STRIPD(gemm8xD<>, gemm8x1<>, ROWS8, PAIRS8, LOADA8)
STRIPD(gemm7xD<>, gemm7x1<>, ROWS7, PAIRS7, LOADA7)
STRIPD(gemm6xD<>, gemm6x1<>, ROWS6, PAIRS6, LOADA6)
STRIPD(gemm5xD<>, gemm5x1<>, ROWS5, PAIRS5, LOADA5)
STRIPD(gemm4xD<>, gemm4x1<>, ROWS4, PAIRS4, LOADA4)
STRIPD(gemm3xD<>, gemm3x1<>, ROWS3, PAIRS3, LOADA3)
STRIPD(gemm2xD<>, gemm2x1<>, ROWS2, PAIRS2, LOADA2)
STRIPD(gemm1xD<>, gemm1x1<>, ROWS1, PAIRS1, LOADA1)

STRIP1(gemm8x1<>, ROWS8, PAIRS8, LOADA8)
STRIP1(gemm7x1<>, ROWS7, PAIRS7, LOADA7)
STRIP1(gemm6x1<>, ROWS6, PAIRS6, LOADA6)
STRIP1(gemm5x1<>, ROWS5, PAIRS5, LOADA5)
STRIP1(gemm4x1<>, ROWS4, PAIRS4, LOADA4)
STRIP1(gemm3x1<>, ROWS3, PAIRS3, LOADA3)
STRIP1(gemm2x1<>, ROWS2, PAIRS2, LOADA2)
STRIP1(gemm1x1<>, ROWS1, PAIRS1, LOADA1)

// func(m, n, k int, alpha T, a *T, rsa, csa int, b *T, ldb, psb int, c *T, ldc int, mode int)
TEXT ENTRY(SB), NOSPLIT, $0-104
	MOVD n+8(FP), R0
	MOVD k+16(FP), R1
	MOVD a+32(FP), R2
	MOVD rsa+40(FP), R14
	MOVD csa+48(FP), R3
	MOVD b+56(FP), R4
	MOVD ldb+64(FP), R5
	MOVD psb+72(FP), R6
	MOVD c+80(FP), R7
	MOVD ldc+88(FP), R8
	MOVD mode+96(FP), R13
	LSL  $SHIFT, R14
	LSL  $SHIFT, R3
	LSL  $SHIFT, R5
	LSL  $SHIFT, R6
	LSL  $SHIFT, R8
	MOVD R2, R19
	ADD  R14, R19, R20
	ADD  R14, R20, R21
	ADD  R14, R21, R22
	ADD  R14, R22, R23
	ADD  R14, R23, R24
	ADD  R14, R24, R25
	ADD  R14, R25, R26
	MOVD m+0(FP), R9
	CMP  $8, R9
	BEQ  m8
	CMP  $4, R9
	BGT  m567
	BEQ  m4
	CMP  $2, R9
	BGT  m3
	BEQ  m2
	CBNZ R9, m1
	RET
m567:
	CMP  $6, R9
	BLT  m5
	BEQ  m6
	B    gemm7<>(SB)
m8:
	B    gemm8<>(SB)
m6:
	B    gemm6<>(SB)
m5:
	B    gemm5<>(SB)
m4:
	B    gemm4<>(SB)
m3:
	B    gemm3<>(SB)
m2:
	B    gemm2<>(SB)
m1:
	B    gemm1<>(SB)
