// Element-wise kernels for both element types. R0 counts elements, the vectors are
// at R1, R2, …. One round takes four registers of each vector, X(0) … X(3) of the
// first and so on; then it goes register by register, and then element by element,
// in lane 0. Scalars are in all lanes of V20 … V29.

#define X(i) (i)
#define Y(i) (4+(i))
#define Z(i) (8+(i))
#define P(i) (12+(i))
#define T(i) (16+(i))

// Vector at Xs to or from the registers from v on: four, one, and one element.
#define LD4(s, v) LDPQO(s, 0, v, (v)+1); LDPQO(s, 2, (v)+2, (v)+3)
#define ST4(v, s) STPQO(v, (v)+1, s, 0); STPQO((v)+2, (v)+3, s, 2)

#define NEXT1(d) ADD $(d), R1
#define NEXT2(d) ADD $(d), R1; ADD $(d), R2
#define NEXT3(d) ADD $(d), R1; ADD $(d), R2; ADD $(d), R3
#define NEXT4(d) ADD $(d), R1; ADD $(d), R2; ADD $(d), R3; ADD $(d), R4
#define NEXT5(d) ADD $(d), R1; ADD $(d), R2; ADD $(d), R3; ADD $(d), R4; ADD $(d), R5

// The loops: IN and OUT load and store, OP(i) computes with X(i), Y(i), ….
#define SWEEP(IN, OP, OUT, NEXT) \
	SUBS $(4*VL), R0; \
	BLT  rest; \
four: \
	IN(LD4); \
	OP(0); \
	OP(1); \
	OP(2); \
	OP(3); \
	OUT(ST4); \
	NEXT(64); \
	SUBS $(4*VL), R0; \
	BGE  four; \
rest: \
	ADDS $(3*VL), R0; \
	BLT  last; \
register: \
	IN(LDRQ); \
	OP(0); \
	OUT(STRQ); \
	NEXT(16); \
	SUBS $VL, R0; \
	BGE  register; \
last: \
	ADDS $VL, R0; \
	BEQ  end; \
element: \
	IN(LDR1); \
	OP(0); \
	OUT(STR1); \
	NEXT(1<<SHIFT); \
	SUBS $1, R0; \
	BNE  element; \
end: \
	RET

#define IN1(LD) LD(1, X(0))
#define IN2(LD) LD(1, X(0)); LD(2, Y(0))
#define IN3(LD) LD(1, X(0)); LD(2, Y(0)); LD(3, Z(0))
#define IN4(LD) LD(1, X(0)); LD(2, Y(0)); LD(3, Z(0)); LD(4, P(0))
#define OUTX1(ST) ST(X(0), 1)
#define OUTX2(ST) ST(X(0), 2)
#define OUTX3(ST) ST(X(0), 3)
#define OUTY2(ST) ST(Y(0), 2)
#define OUTZ3(ST) ST(Z(0), 3)

// func(alpha T, x, y []T): y = fma(alpha, x, y)
#define AXPYOP(i) FMLAV(20, X(i), Y(i))
#define AXPY \
	FMOV1 alpha+0(FP), F20; \
	DUPE(0, 20, 20); \
	MOVD x_base+8(FP), R1; \
	MOVD x_len+16(FP), R0; \
	MOVD y_base+32(FP), R2; \
	SWEEP(IN2, AXPYOP, OUTY2, NEXT2)

// func(alpha T, x []T, beta T, y []T): y = fma(alpha, x, beta·y)
#define AXPBYOP(i) FMULV(21, Y(i), Y(i)); FMLAV(20, X(i), Y(i))
#define AXPBY \
	FMOV1 alpha+0(FP), F20; \
	FMOV1 beta+32(FP), F21; \
	DUPE(0, 20, 20); \
	DUPE(0, 21, 21); \
	MOVD x_base+8(FP), R1; \
	MOVD x_len+16(FP), R0; \
	MOVD y_base+40(FP), R2; \
	SWEEP(IN2, AXPBYOP, OUTY2, NEXT2)

// func(alpha T, x []T): x = alpha·x
#define SCALOP(i) FMULV(20, X(i), X(i))
#define SCAL \
	FMOV1 alpha+0(FP), F20; \
	DUPE(0, 20, 20); \
	MOVD x_base+8(FP), R1; \
	MOVD x_len+16(FP), R0; \
	SWEEP(IN1, SCALOP, OUTX1, NEXT1)

// func(alpha T, x, dst []T): dst = alpha·x
#define SCALTO \
	FMOV1 alpha+0(FP), F20; \
	DUPE(0, 20, 20); \
	MOVD x_base+8(FP), R1; \
	MOVD x_len+16(FP), R0; \
	MOVD dst_base+32(FP), R2; \
	SWEEP(IN1, SCALOP, OUTX2, NEXT2)

// func(x, y []T): x, y = y, x
#define SWAPOP(i)
#define SWAPOUT(ST) ST(X(0), 2); ST(Y(0), 1)
#define SWAP \
	MOVD x_base+0(FP), R1; \
	MOVD x_len+8(FP), R0; \
	MOVD y_base+24(FP), R2; \
	SWEEP(IN2, SWAPOP, SWAPOUT, NEXT2)

// func(c, s T, x, y []T): x, y = fma(c, x, s·y), fma(c, y, −s·x)
#define ROTOP(i) \
	FMULV(21, Y(i), T(i)); \
	FMULV(21, X(i), Z(i)); \
	FMLAV(20, X(i), T(i)); \
	FNEGV(Z(i), Z(i)); \
	FMLAV(20, Y(i), Z(i))
#define ROTOUT(ST) ST(T(0), 1); ST(Z(0), 2)
#define ROTFROM(c, s, x, len, y) \
	FMOV1 c, F20; \
	FMOV1 s, F21; \
	DUPE(0, 20, 20); \
	DUPE(0, 21, 21); \
	MOVD x, R1; \
	MOVD len, R0; \
	MOVD y, R2; \
	SWEEP(IN2, ROTOP, ROTOUT, NEXT2)

// func(x, y, dst []T): dst = x + y, x − y, x·y, x / y
#define ADDOP(i) FADDV(Y(i), X(i), X(i))
#define SUBOP(i) FSUBV(Y(i), X(i), X(i))
#define MULOP(i) FMULV(Y(i), X(i), X(i))
#define DIVOP(i) FDIVV(Y(i), X(i), X(i))
#define BINARY(OP) \
	MOVD x_base+0(FP), R1; \
	MOVD x_len+8(FP), R0; \
	MOVD y_base+24(FP), R2; \
	MOVD dst_base+48(FP), R3; \
	SWEEP(IN2, OP, OUTX3, NEXT3)

// func(x, y, z []T): z = fma(x, y, z)
#define MULADDOP(i) FMLAV(Y(i), X(i), Z(i))
#define MULADD \
	MOVD x_base+0(FP), R1; \
	MOVD x_len+8(FP), R0; \
	MOVD y_base+24(FP), R2; \
	MOVD z_base+48(FP), R3; \
	SWEEP(IN3, MULADDOP, OUTZ3, NEXT3)

// func(x, dst []T): dst = √x
#define SQRTOP(i) FSQRTV(X(i), X(i))
#define SQRTTO \
	MOVD x_base+0(FP), R1; \
	MOVD x_len+8(FP), R0; \
	MOVD dst_base+24(FP), R2; \
	SWEEP(IN1, SQRTOP, OUTX2, NEXT2)

// func(eps T, x, v, dst []T): dst = x / (√v + eps)
#define SQRTDIVOP(i) FSQRTV(Y(i), Y(i)); FADDV(20, Y(i), Y(i)); FDIVV(Y(i), X(i), X(i))
#define SQRTDIVTO \
	FMOV1 eps+0(FP), F20; \
	DUPE(0, 20, 20); \
	MOVD x_base+8(FP), R1; \
	MOVD x_len+16(FP), R0; \
	MOVD v_base+32(FP), R2; \
	MOVD dst_base+56(FP), R3; \
	SWEEP(IN2, SQRTDIVOP, OUTX3, NEXT3)

// func(beta T, x, y []T): y = fma(beta, y, (1−beta)·x), or with x² for x
#define EMAOP(i) FMULV(21, X(i), X(i)); FMLAV(20, Y(i), X(i))
#define EMASQOP(i) FMULV(21, X(i), T(i)); FMULV(T(i), X(i), X(i)); FMLAV(20, Y(i), X(i))
#define EMA(OP) \
	FMOV1 beta+0(FP), F20; \
	FMOV1 $1.0, F21; \
	FSUB1 F20, F21, F21; \
	DUPE(0, 20, 20); \
	DUPE(0, 21, 21); \
	MOVD x_base+8(FP), R1; \
	MOVD x_len+16(FP), R0; \
	MOVD y_base+32(FP), R2; \
	SWEEP(IN2, OP, OUTX2, NEXT2)

// The scalars h[0] … h[7] at R6 to V20 … V27.
#define SCALARS \
	MOVD h+0(FP), R6; \
	FMOV1 (R6), F20; \
	FMOV1 (1<<SHIFT)(R6), F21; \
	FMOV1 (2<<SHIFT)(R6), F22; \
	FMOV1 (3<<SHIFT)(R6), F23; \
	FMOV1 (4<<SHIFT)(R6), F24; \
	FMOV1 (5<<SHIFT)(R6), F25; \
	FMOV1 (6<<SHIFT)(R6), F26; \
	FMOV1 (7<<SHIFT)(R6), F27; \
	DUPE(0, 20, 20); \
	DUPE(0, 21, 21); \
	DUPE(0, 22, 22); \
	DUPE(0, 23, 23); \
	DUPE(0, 24, 24); \
	DUPE(0, 25, 25); \
	DUPE(0, 26, 26); \
	DUPE(0, 27, 27)

// func(h *[8]T, g, m, p []T); g is X, m is Y, p is Z. V20 Mu, V21 Gain, V22 LookM,
// V23 LookG, V24 Rate, V25 Decay, V26 L2, V27 Scale.
#define MOMENTUMOP(i) \
	FMULV(27, X(i), T(i)); \
	FMLAV(26, Z(i), T(i)); \
	FMULV(21, T(i), X(i)); \
	FMLAV(20, Y(i), X(i)); \
	FMULV(23, T(i), T(i)); \
	FMLAV(22, X(i), T(i)); \
	FMLSV(25, Z(i), Z(i)); \
	FMLSV(24, T(i), Z(i))
#define MOMENTUMOUT(ST) ST(X(0), 2); ST(Z(0), 3)
#define MOMENTUM \
	SCALARS; \
	MOVD g_base+8(FP), R1; \
	MOVD g_len+16(FP), R0; \
	MOVD m_base+32(FP), R2; \
	MOVD p_base+56(FP), R3; \
	SWEEP(IN3, MOMENTUMOP, MOMENTUMOUT, NEXT3)

// func(h *[8]T, g, m, v, p []T); g is X, m is Y, v is Z, p is P. V20 Beta1, V21 Beta2,
// V22 Eps, V23 Rate, V24 Root, V25 Decay, V26 L2, V27 Scale, V28 1−Beta1, V29 1−Beta2.
#define ADAMOP(i) \
	FMULV(27, X(i), T(i)); \
	FMLAV(26, P(i), T(i)); \
	FMULV(28, T(i), X(i)); \
	FMLAV(20, Y(i), X(i)); \
	FMULV(29, T(i), Y(i)); \
	FMULV(T(i), Y(i), Y(i)); \
	FMLAV(21, Z(i), Y(i)); \
	FSQRTV(Y(i), T(i)); \
	FMULV(24, T(i), T(i)); \
	FADDV(22, T(i), T(i)); \
	FDIVV(T(i), X(i), T(i)); \
	FMLSV(25, P(i), P(i)); \
	FMLSV(23, T(i), P(i))
#define ADAMOUT(ST) ST(X(0), 2); ST(Y(0), 3); ST(P(0), 4)

// AdaMax; v is u. The larger of a = |g'| + Eps and ui = Beta2·u is ui where they are
// equal, which tells −0 from +0.
#define ADAMAXOP(i) \
	FMULV(27, X(i), T(i)); \
	FMLAV(26, P(i), T(i)); \
	FMULV(28, T(i), X(i)); \
	FMLAV(20, Y(i), X(i)); \
	FMULV(21, Z(i), Z(i)); \
	FABSV(T(i), Y(i)); \
	FADDV(22, Y(i), Y(i)); \
	FCMEQV(Y(i), Z(i), 30); \
	FMAXV(Y(i), Z(i), Y(i)); \
	VBIT_B16(30, Z(i), Y(i)); \
	FDIVV(Y(i), X(i), T(i)); \
	FMLSV(25, P(i), P(i)); \
	FMLSV(23, T(i), P(i))
#define ADAM(OP) \
	SCALARS; \
	FMOV1 $1.0, F28; \
	FSUB1 F21, F28, F29; \
	FSUB1 F20, F28, F28; \
	DUPE(0, 28, 28); \
	DUPE(0, 29, 29); \
	MOVD g_base+8(FP), R1; \
	MOVD g_len+16(FP), R0; \
	MOVD m_base+32(FP), R2; \
	MOVD v_base+56(FP), R3; \
	MOVD p_base+80(FP), R4; \
	SWEEP(IN4, OP, ADAMOUT, NEXT4)

// func(n int, t *[4]T, a *T, lda int, y *T): four rows of a, times t, added to y one
// after the other. y is in T.
#define FOURIN(LD) LD(1, X(0)); LD(2, Y(0)); LD(3, Z(0)); LD(4, P(0)); LD(5, T(0))
#define FOUROUT(ST) ST(T(0), 5)
#define FOUROP(i) \
	FMLAV(20, X(i), T(i)); \
	FMLAV(21, Y(i), T(i)); \
	FMLAV(22, Z(i), T(i)); \
	FMLAV(23, P(i), T(i))
#define AXPYFOUR \
	MOVD n+0(FP), R0; \
	MOVD t+8(FP), R6; \
	MOVD a+16(FP), R1; \
	MOVD lda+24(FP), R7; \
	MOVD y+32(FP), R5; \
	FMOV1 (R6), F20; \
	FMOV1 (1<<SHIFT)(R6), F21; \
	FMOV1 (2<<SHIFT)(R6), F22; \
	FMOV1 (3<<SHIFT)(R6), F23; \
	DUPE(0, 20, 20); \
	DUPE(0, 21, 21); \
	DUPE(0, 22, 22); \
	DUPE(0, 23, 23); \
	ADD  R7<<SHIFT, R1, R2; \
	ADD  R7<<SHIFT, R2, R3; \
	ADD  R7<<SHIFT, R3, R4; \
	SWEEP(FOURIN, FOUROP, FOUROUT, NEXT5)
