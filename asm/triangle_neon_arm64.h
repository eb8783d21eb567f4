// A triangle of at most eight rows times columns in place, for both element types:
// SOLVE and MUL name the functions. What kernels_neon_arm64.go hands over is
//
//	t    the triangle: row i has its elements left of the diagonal at t[8·i],
//	     and at t[8·i+7] the diagonal (MUL) or its reciprocal (SOLVE)
//	b    m rows of n columns with stride ldb, read and written
//	w    MUL: what is to be added before, m rows with stride ldw
//
// Row i of b is in V(3·i) … while the rows below it need it, its row of t in
// V27 …; w is in V24 … V26, alpha in V31.
//
// Registers: R0 m, R1 columns left, R2 t, R3 b, R4 ldb, R5 w, R6 ldw, R7 columns
// of this tile, R12 see columns_neon_arm64.h; R9, R10, R11, R13 are scratch.

// Elements p of the row of t times row p, subtracted from row i.
#define MINUS1(i, p) FMLSE(AREG(p), ALANE(p), ACC(p, 0), ACC(i, 0))
#define MINUS2(i, p) MINUS1(i, p); FMLSE(AREG(p), ALANE(p), ACC(p, 1), ACC(i, 1))
#define MINUS3(i, p) MINUS2(i, p); FMLSE(AREG(p), ALANE(p), ACC(p, 2), ACC(i, 2))

// Row p times element q of the row of t, added to w.
#define ADDTO1(q, p) FMLAE(AREG(q), ALANE(q), ACC(p, 0), 24)
#define ADDTO2(q, p) ADDTO1(q, p); FMLAE(AREG(q), ALANE(q), ACC(p, 1), 25)
#define ADDTO3(q, p) ADDTO2(q, p); FMLAE(AREG(q), ALANE(q), ACC(p, 2), 26)

#define TIMES1(a, l, n, d) FMULE(a, l, n, d)
#define TIMES2(a, l, n, d) FMULE(a, l, n, d); FMULE(a, l, (n)+1, (d)+1)
#define TIMES3(a, l, n, d) TIMES2(a, l, n, d); FMULE(a, l, (n)+2, (d)+2)

// What row i takes from the rows above it.
#define SOLVEROW0(MINUS)
#define SOLVEROW1(MINUS) MINUS(1, 0)
#define SOLVEROW2(MINUS) MINUS(2, 0); MINUS(2, 1)
#define SOLVEROW3(MINUS) MINUS(3, 0); MINUS(3, 1); MINUS(3, 2)
#define SOLVEROW4(MINUS) MINUS(4, 0); MINUS(4, 1); MINUS(4, 2); MINUS(4, 3)
#define SOLVEROW5(MINUS) MINUS(5, 0); MINUS(5, 1); MINUS(5, 2); MINUS(5, 3); MINUS(5, 4)
#define SOLVEROW6(MINUS) MINUS(6, 0); MINUS(6, 1); MINUS(6, 2); MINUS(6, 3); MINUS(6, 4); MINUS(6, 5)
#define SOLVEROW7(MINUS) MINUS(7, 0); MINUS(7, 1); MINUS(7, 2); MINUS(7, 3); MINUS(7, 4); MINUS(7, 5); MINUS(7, 6)
#define MULROW0(ADDTO)
#define MULROW1(ADDTO) ADDTO(0, 0)
#define MULROW2(ADDTO) ADDTO(0, 0); ADDTO(1, 1)
#define MULROW3(ADDTO) ADDTO(0, 0); ADDTO(1, 1); ADDTO(2, 2)
#define MULROW4(ADDTO) ADDTO(0, 0); ADDTO(1, 1); ADDTO(2, 2); ADDTO(3, 3)
#define MULROW5(ADDTO) ADDTO(0, 0); ADDTO(1, 1); ADDTO(2, 2); ADDTO(3, 3); ADDTO(4, 4)
#define MULROW6(ADDTO) ADDTO(0, 0); ADDTO(1, 1); ADDTO(2, 2); ADDTO(3, 3); ADDTO(4, 4); ADDTO(5, 5)
#define MULROW7(ADDTO) ADDTO(0, 0); ADDTO(1, 1); ADDTO(2, 2); ADDTO(3, 3); ADDTO(4, 4); ADDTO(5, 5); ADDTO(6, 6)

#define SOLVESTEP(i, FROM, LDROW, STROW, MINUS, TIMES) \
	LOADA8; \
	ADD  $(8<<SHIFT), R9; \
	LDROW(10, ACC(i, 0)); \
	FROM(MINUS); \
	TIMES(AREG(7), ALANE(7), ACC(i, 0), ACC(i, 0)); \
	STROW(ACC(i, 0), 10); \
	ADD  R4, R10; \
	SUB  $1, R11; \
	CBZ  R11, done

#define MULSTEP(i, FROM, LDROW, STROW, ADDTO, TIMES) \
	LOADA8; \
	ADD  $(8<<SHIFT), R9; \
	LDROW(10, ACC(i, 0)); \
	LDROW(13, 24); \
	FROM(ADDTO); \
	ADDTO(7, i); \
	TIMES(31, 0, 24, 24); \
	STROW(24, 10); \
	ADD  R4, R10; \
	ADD  R6, R13; \
	SUB  $1, R11; \
	CBZ  R11, done

// One tile of columns: all rows.
#define SOLVETILE(LDROW, STROW, MINUS, TIMES) \
	MOVD R0, R11; \
	MOVD R2, R9; \
	MOVD R3, R10; \
	SOLVESTEP(0, SOLVEROW0, LDROW, STROW, MINUS, TIMES); \
	SOLVESTEP(1, SOLVEROW1, LDROW, STROW, MINUS, TIMES); \
	SOLVESTEP(2, SOLVEROW2, LDROW, STROW, MINUS, TIMES); \
	SOLVESTEP(3, SOLVEROW3, LDROW, STROW, MINUS, TIMES); \
	SOLVESTEP(4, SOLVEROW4, LDROW, STROW, MINUS, TIMES); \
	SOLVESTEP(5, SOLVEROW5, LDROW, STROW, MINUS, TIMES); \
	SOLVESTEP(6, SOLVEROW6, LDROW, STROW, MINUS, TIMES); \
	SOLVESTEP(7, SOLVEROW7, LDROW, STROW, MINUS, TIMES); \
done:

#define MULTILE(LDROW, STROW, ADDTO, TIMES) \
	MOVD R0, R11; \
	MOVD R2, R9; \
	MOVD R3, R10; \
	MOVD R5, R13; \
	MULSTEP(0, MULROW0, LDROW, STROW, ADDTO, TIMES); \
	MULSTEP(1, MULROW1, LDROW, STROW, ADDTO, TIMES); \
	MULSTEP(2, MULROW2, LDROW, STROW, ADDTO, TIMES); \
	MULSTEP(3, MULROW3, LDROW, STROW, ADDTO, TIMES); \
	MULSTEP(4, MULROW4, LDROW, STROW, ADDTO, TIMES); \
	MULSTEP(5, MULROW5, LDROW, STROW, ADDTO, TIMES); \
	MULSTEP(6, MULROW6, LDROW, STROW, ADDTO, TIMES); \
	MULSTEP(7, MULROW7, LDROW, STROW, ADDTO, TIMES); \
done:

// The functions of the tiles of columns, as for the matrix product.
#define WIDE(NAME, REST, TILE) \
TEXT NAME(SB), NOSPLIT, $0; \
panel: \
	CMP  $(3*VL), R1; \
	MOVD $(3*VL), R7; \
	CSEL LT, R1, R7, R7; \
	SUB  $VL, R7, R12; \
	LSL  $SHIFT, R12; \
	TILE \
	ADD  R7<<SHIFT, R3; \
	ADD  R7<<SHIFT, R5; \
	SUB  R7, R1; \
	CMP  $(2*VL), R1; \
	BGT  panel; \
	B    REST(SB)

#define NARROW(NAME, TILE) \
TEXT NAME(SB), NOSPLIT, $0; \
	SUB  $VL, R1, R12; \
	LSL  $SHIFT, R12; \
	TILE \
	RET

#define HALF(NAME, ONE, TILE) \
TEXT NAME(SB), NOSPLIT, $0; \
	TILE \
	ADD  $8, R3; \
	ADD  $8, R5; \
	SUB  $2, R1; \
	CBNZ R1, odd; \
	RET; \
odd: \
	B    ONE(SB)

#define REST(NAME, T2, TQ, TD, T1) \
TEXT NAME(SB), NOSPLIT, $0; \
	CMP  $VL, R1; \
	BGT  two; \
	BEQ  quad; \
	CMP  $1, R1; \
	BGT  pair; \
	BEQ  one; \
	RET; \
two: \
	B    T2(SB); \
quad: \
	B    TQ(SB); \
pair: \
	B    TD(SB); \
one: \
	B    T1(SB)

REST(solveRest<>, solve2<>, solveQ<>, solveD<>, solve1<>)
WIDE(solve3<>, solveRest<>, SOLVETILE(LDROW3, STROW3, MINUS3, TIMES3))
NARROW(solve2<>, SOLVETILE(LDROW2, STROW2, MINUS2, TIMES2))
NARROW(solveQ<>, SOLVETILE(LDROWQ, STROWQ, MINUS1, TIMES1))
HALF(solveD<>, solve1<>, SOLVETILE(LDROWD, STROWD, MINUS1, TIMES1))
NARROW(solve1<>, SOLVETILE(LDROW1, STROW1, MINUS1, TIMES1))

REST(mulRest<>, mul2<>, mulQ<>, mulD<>, mul1<>)
WIDE(mul3<>, mulRest<>, MULTILE(LDROW3, STROW3, ADDTO3, TIMES3))
NARROW(mul2<>, MULTILE(LDROW2, STROW2, ADDTO2, TIMES2))
NARROW(mulQ<>, MULTILE(LDROWQ, STROWQ, ADDTO1, TIMES1))
HALF(mulD<>, mul1<>, MULTILE(LDROWD, STROWD, ADDTO1, TIMES1))
NARROW(mul1<>, MULTILE(LDROW1, STROW1, ADDTO1, TIMES1))

// func(m, n int, t *T, b *T, ldb int)
TEXT SOLVE(SB), NOSPLIT, $0-40
	MOVD m+0(FP), R0
	MOVD n+8(FP), R1
	MOVD t+16(FP), R2
	MOVD b+24(FP), R3
	MOVD ldb+32(FP), R4
	LSL  $SHIFT, R4
	MOVD $0, R5
	CMP  $(2*VL), R1
	BGT  wide
	B    solveRest<>(SB)
wide:
	B    solve3<>(SB)

// func(m, n int, alpha T, t *T, b *T, ldb int, w *T, ldw int)
TEXT MUL(SB), NOSPLIT, $0-64
	MOVD m+0(FP), R0
	MOVD n+8(FP), R1
	FMOV1 alpha+16(FP), F31
	MOVD t+24(FP), R2
	MOVD b+32(FP), R3
	MOVD ldb+40(FP), R4
	MOVD w+48(FP), R5
	MOVD ldw+56(FP), R6
	LSL  $SHIFT, R4
	LSL  $SHIFT, R6
	CMP  $(2*VL), R1
	BGT  wide
	B    mulRest<>(SB)
wide:
	B    mul3<>(SB)
