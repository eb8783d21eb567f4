// What the headers shared by both element types need for float32.

#define SHIFT 2 // log2 of the size of an element
#define VL 4    // elements per register

#define FMLAE(m, i, n, d) VFMLAE_S4(m, i, n, d)
#define FMLSE(m, i, n, d) VFMLSE_S4(m, i, n, d)
#define FMULE(m, i, n, d) VFMULE_S4(m, i, n, d)
#define LDR1(n, t) LDRS(n, t)
#define STR1(t, n) STRS(t, n)
#define LDR1X(n, m, t) LDRSX(n, m, t)
#define LDR2X(n, m, t) LDRDX(n, m, t)
#define FMOV1 FMOVS

// Up to eight contiguous elements at R9, of which the i-th goes to lane ALANE(i) of
// register AREG(i).
#define AREG(i) (27+((i)>>2))
#define ALANE(i) ((i)&3)
#define LOADA1 FMOVS (R9), F27
#define LOADA2 FMOVD (R9), F27
#define LOADA3 FMOVD (R9), F27; ADD $8, R9, R14; VLD1 (R14), V27.S[2]
#define LOADA4 FMOVQ (R9), F27
#define LOADA5 FMOVQ (R9), F27; FMOVS 16(R9), F28
#define LOADA6 FMOVQ (R9), F27; FMOVD 16(R9), F28
#define LOADA7 FMOVQ (R9), F27; FMOVD 16(R9), F28; ADD $24, R9, R14; VLD1 (R14), V28.S[2]
#define LOADA8 FLDPQ (R9), (F27, F28)

// Arithmetic on whole registers.
#define FADDV(m, n, d) VFADD_S4(m, n, d)
#define FSUBV(m, n, d) VFSUB_S4(m, n, d)
#define FMULV(m, n, d) VFMUL_S4(m, n, d)
#define FDIVV(m, n, d) VFDIV_S4(m, n, d)
#define FMAXV(m, n, d) VFMAX_S4(m, n, d)
#define FMAXNMV(m, n, d) VFMAXNM_S4(m, n, d)
#define FCMEQV(m, n, d) VFCMEQ_S4(m, n, d)
#define FMLAV(m, n, d) VFMLA_S4(m, n, d)
#define FMLSV(m, n, d) VFMLS_S4(m, n, d)
#define FABSV(n, d) VFABS_S4(n, d)
#define FNEGV(n, d) VFNEG_S4(n, d)
#define FSQRTV(n, d) VFSQRT_S4(n, d)
#define FMINV(m, n, d) VFMIN_S4(m, n, d)
#define FCMGTV(m, n, d) VFCMGT_S4(m, n, d)
#define ADDV(m, n, d) VADD_S4(m, n, d)
#define SUBV(m, n, d) VSUB_S4(m, n, d)
#define SHLV(s, n, d) VSHL_S4(s, n, d)
#define USHRV(s, n, d) VUSHR_S4(s, n, d)
#define MANTISSA 23 // explicit bits of the significand
#define DUPE(i, n, d) VDUPE_S4(i, n, d)
#define FSUB1 FSUBS

// FOLD2 combines the two halves of V0 by OP, and then the two quarters: lane 0 is
// the fold of the lanes. V1 is scratch.
#define FOLD2(OP) \
	VDUPE_D2(1, 0, 1); \
	OP(1, 0, 0); \
	VDUPE_S4(1, 0, 1); \
	OP(1, 0, 0)

// The n mod VL elements at Xp and Xq to V18 and V19, of which the other lanes stay.
// R12 is scratch.
#define PARTIAL(n, Xp, Xq) \
	TBZ  $1, n, odd; \
	VLD1 (Xp), V18.D[0]; \
	VLD1 (Xq), V19.D[0]; \
	TBZ  $0, n, loaded; \
	ADD  $8, Xp, R12; \
	VLD1 (R12), V18.S[2]; \
	ADD  $8, Xq, R12; \
	VLD1 (R12), V19.S[2]; \
	B    loaded; \
odd: \
	TBZ  $0, n, loaded; \
	VLD1 (Xp), V18.S[0]; \
	VLD1 (Xq), V19.S[0]; \
loaded:
