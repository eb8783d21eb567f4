// The elementary functions for both element types; the generic twins say what is
// computed and why. The constants are those of the twins, packed in V20 … V30: the
// .s files define KREG(k) and KLANE(k), where constant k is, and
// LOADEXP and LOADLOG, which load the tables from R6.
//
// X is the argument and then the result of a register of elements; what else is
// needed is in V4 … V19 and V31, used anew for each register. T and the other
// names of sweep_neon_arm64.h do not apply but for X.

#define KMUL(k, n, d) FMULE(KREG(k), KLANE(k), n, d)
#define KMLA(k, n, d) FMLAE(KREG(k), KLANE(k), n, d)
#define KMLS(k, n, d) FMLSE(KREG(k), KLANE(k), n, d)
#define KDUP(k, d) DUPE(KLANE(k), KREG(k), d)

// One step of Horner's rule: d = p·x + k. p and d differ.
#define HORNER(k, p, x, d) KDUP(k, d); FMLAV(x, p, d)

// Twin expReduce: y in V4 becomes r, t in V5, q in V6. V7 and V8 are scratch.
// EXPREDUCE2 also has rl, in V19.
#define EXPREDUCE_N \
	KDUP(const_kMagic, 7); \
	KDUP(const_kMagic, 5); \
	KMLA(const_kLog2E, 4, 5); \
	FSUBV(7, 5, 7); \
	KMLS(const_kLn2Hi, 7, 4)
#define EXPREDUCE \
	EXPREDUCE_N; \
	KMLS(const_kLn2Lo, 7, 4); \
	POLYQ
#define EXPREDUCE2 \
	EXPREDUCE_N; \
	VORR_B16(4, 4, 19); \
	KMLS(const_kLn2Lo, 7, 4); \
	FSUBV(4, 19, 19); \
	KMLS(const_kLn2Lo, 7, 19); \
	POLYQ

// Twin powers: t in V5 becomes s1, s2 in V7.
#define POWERS \
	USHRV(1, 5, 8); \
	SUBV(8, 5, 7); \
	SHLV(MANTISSA, 8, 5); \
	SHLV(MANTISSA, 7, 7)

// Twin expm1Parts: r in V4, rl in V19, q in V6; h in V8, l in V9. V10 is scratch.
#define EXPM1PARTS \
	FMULV(4, 4, 10); \
	VORR_B16(4, 4, 8); \
	FMLAV(6, 10, 8); \
	FSUBV(8, 4, 9); \
	FMLAV(6, 10, 9); \
	FADDV(19, 9, 9); \
	FMLAV(19, 8, 9)

// Twin quotient: (V11 + V12)/(V13 + V14), to V15. V16 and V11 are scratch.
#define QUOTIENT \
	KDUP(const_kOne, 16); \
	FDIVV(13, 16, 16); \
	FMULV(16, 11, 15); \
	FMLSV(15, 13, 11); \
	FADDV(12, 11, 11); \
	FMLSV(15, 14, 11); \
	FMLAV(16, 11, 15)

#define EXPOP(i) \
	KDUP(const_kExpLo, 4); \
	FMAXV(4, X(i), 4); \
	KDUP(const_kExpHi, 5); \
	FMINV(5, 4, 4); \
	EXPREDUCE; \
	POWERS; \
	HORNER(const_kOne, 6, 4, 8); \
	HORNER(const_kOne, 8, 4, 9); \
	FMULV(5, 9, 9); \
	FMULV(7, 9, X(i))

#define TANHOP(i) \
	FABSV(X(i), 4); \
	KDUP(const_kTanhHi, 5); \
	FMINV(5, 4, 4); \
	KMUL(const_kTwo, 4, 4); \
	FNEGV(4, 4); \
	EXPREDUCE2; \
	EXPM1PARTS; \
	POWERS2; \
	KDUP(const_kOne, 17); \
	FSUBV(17, 5, 17); /* u = s − 1 */ \
	VORR_B16(17, 17, 11); \
	FMLAV(8, 5, 11); /* w = s·h + u */ \
	KDUP(const_kOne, 16); \
	FADDV(17, 16, 16); \
	FSUBV(16, 5, 16); /* ul = s − (u + 1) */ \
	FSUBV(11, 17, 17); \
	FADDV(16, 17, 17); \
	FMLAV(8, 5, 17); \
	FMLAV(9, 5, 17); \
	VORR_B16(17, 17, 12); /* wl = s·l + (s·h + ((u − w) + ul)) */ \
	KDUP(const_kTwo, 14); \
	FADDV(11, 14, 13); /* d = 2 + w */ \
	FSUBV(13, 14, 14); \
	FADDV(11, 14, 14); \
	FADDV(12, 14, 14); /* dl = ((2 − d) + w) + wl */ \
	QUOTIENT; \
	KDUP(const_kSign, 16); \
	VBIT_B16(16, X(i), 15); \
	VORR_B16(15, 15, X(i))

// Twin powers where h and l are in V8 and V9: s1 in V18, s2 in V7, s = s1·s2 in V5.
#define POWERS2 \
	USHRV(1, 5, 18); \
	SUBV(18, 5, 7); \
	SHLV(MANTISSA, 18, 18); \
	SHLV(MANTISSA, 7, 7); \
	FMULV(7, 18, 5)

#define SIGMOIDOP(i) \
	FABSV(X(i), 4); \
	FNEGV(4, 4); \
	KDUP(const_kExpLo, 5); \
	FMAXV(5, 4, 4); \
	EXPREDUCE2; \
	EXPM1PARTS; \
	POWERS2; \
	KDUP(const_kOne, 17); \
	FADDV(8, 17, 11); /* e = 1 + h */ \
	FSUBV(11, 17, 12); \
	FADDV(8, 12, 12); \
	FADDV(9, 12, 12); /* el = ((1 − e) + h) + l */ \
	VORR_B16(17, 17, 13); \
	FMLAV(11, 5, 13); /* d = s·e + 1 */ \
	FSUBV(13, 17, 14); \
	FMLAV(11, 5, 14); \
	FMLAV(12, 5, 14); /* dl = s·el + (s·e + (1 − d)) */ \
	VZERO(19); \
	FCMGTV(X(i), 19, 19); /* x < 0 */ \
	VAND_B16(19, 12, 12); /* numerator 1 + 0 where not */ \
	VORR_B16(17, 17, 4); \
	VBIT_B16(19, 11, 4); \
	VORR_B16(4, 4, 11); \
	QUOTIENT; \
	FMULV(18, 15, 16); \
	FMULV(7, 16, 16); \
	VBIT_B16(19, 16, 15); \
	VORR_B16(15, 15, X(i))

// Twin logTo. m, then f in V4, e in V5; V31 is where x > 0.
#define LOGOP(i) \
	KDUP(const_lMinNormal, 6); \
	FCMGTV(X(i), 6, 6); /* x is subnormal, or negative */ \
	KMUL(const_lUp, X(i), 7); \
	VORR_B16(X(i), X(i), 4); \
	VBIT_B16(6, 7, 4); \
	KDUP(const_lUpExp, 7); \
	VAND_B16(6, 7, 7); /* up */ \
	KDUP(const_lOffset, 8); \
	ADDV(8, 4, 4); \
	USHRV(MANTISSA, 4, 5); \
	KDUP(const_lToFloat, 8); \
	VORR_B16(8, 5, 5); \
	KDUP(const_lToFloat2, 8); \
	FSUBV(8, 5, 5); \
	FSUBV(7, 5, 5); /* e */ \
	KDUP(const_lMantissa, 8); \
	VAND_B16(8, 4, 4); \
	KDUP(const_lBottom, 8); \
	ADDV(8, 4, 4); \
	KDUP(const_lOne, 8); \
	FSUBV(8, 4, 4); /* f */ \
	KDUP(const_lTwo, 8); \
	FADDV(4, 8, 8); \
	FDIVV(8, 4, 6); /* s */ \
	FMULV(6, 6, 7); /* z */ \
	KMUL(const_lHalf, 4, 8); /* g */ \
	POLYL; /* l(z) to V9 */ \
	FMULV(4, 8, 10); \
	FMLAV(9, 7, 10); /* z·l + g·f */ \
	KMUL(const_lLo, 5, 11); \
	FMLAV(10, 6, 11); /* w */ \
	KMUL(const_lHi, 5, 12); /* c */ \
	FADDV(4, 12, 13); /* a */ \
	FSUBV(13, 12, 14); \
	FADDV(4, 14, 14); /* al */ \
	FMLSV(8, 4, 11); \
	FADDV(11, 14, 14); \
	FADDV(14, 13, 13); /* v */ \
	VZERO(15); \
	FCMGTV(15, X(i), 31); \
	FCMEQV(15, X(i), 15); \
	VORN_B16(31, 13, 13); /* NaN where not x > 0 */ \
	KDUP(const_lMinusInf, 16); \
	VBIT_B16(15, 16, 13); /* −Inf where x = 0 */ \
	KDUP(const_lInf, 16); \
	FCMEQV(16, X(i), 17); \
	VBIT_B16(17, 16, 13); \
	VORR_B16(13, 13, X(i))

// func(x, dst []T)
#define ELEMENTARY(TABLE, LOAD, OP) \
	MOVD $TABLE(SB), R6; \
	LOAD; \
	MOVD x_base+0(FP), R1; \
	MOVD x_len+8(FP), R0; \
	MOVD dst_base+24(FP), R2; \
	SWEEP(IN1, OP, OUTX2, NEXT2)
