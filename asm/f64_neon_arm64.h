// What the headers shared by both element types need for float64.

#define SHIFT 3 // log2 of the size of an element
#define VL 2    // elements per register

#define FMLAE(m, i, n, d) VFMLAE_D2(m, i, n, d)
#define FMLSE(m, i, n, d) VFMLSE_D2(m, i, n, d)
#define FMULE(m, i, n, d) VFMULE_D2(m, i, n, d)
#define LDR1(n, t) LDRD(n, t)
#define STR1(t, n) STRD(t, n)
#define LDR1X(n, m, t) LDRDX(n, m, t)
#define LDR2X(n, m, t) LDRQX(n, m, t)
#define FMOV1 FMOVD

// Up to eight contiguous elements at R9, of which the i-th goes to lane ALANE(i) of
// register AREG(i).
#define AREG(i) (27+((i)>>1))
#define ALANE(i) ((i)&1)
#define LOADA1 FMOVD (R9), F27
#define LOADA2 FMOVQ (R9), F27
#define LOADA3 FMOVQ (R9), F27; FMOVD 16(R9), F28
#define LOADA4 FLDPQ (R9), (F27, F28)
#define LOADA5 FLDPQ (R9), (F27, F28); FMOVD 32(R9), F29
#define LOADA6 FLDPQ (R9), (F27, F28); FMOVQ 32(R9), F29
#define LOADA7 FLDPQ (R9), (F27, F28); FMOVQ 32(R9), F29; FMOVD 48(R9), F30
#define LOADA8 FLDPQ (R9), (F27, F28); FLDPQ 32(R9), (F29, F30)

// Arithmetic on whole registers.
#define FADDV(m, n, d) VFADD_D2(m, n, d)
#define FSUBV(m, n, d) VFSUB_D2(m, n, d)
#define FMULV(m, n, d) VFMUL_D2(m, n, d)
#define FDIVV(m, n, d) VFDIV_D2(m, n, d)
#define FMAXV(m, n, d) VFMAX_D2(m, n, d)
#define FMAXNMV(m, n, d) VFMAXNM_D2(m, n, d)
#define FCMEQV(m, n, d) VFCMEQ_D2(m, n, d)
#define FMLAV(m, n, d) VFMLA_D2(m, n, d)
#define FMLSV(m, n, d) VFMLS_D2(m, n, d)
#define FABSV(n, d) VFABS_D2(n, d)
#define FNEGV(n, d) VFNEG_D2(n, d)
#define FSQRTV(n, d) VFSQRT_D2(n, d)
#define FMINV(m, n, d) VFMIN_D2(m, n, d)
#define FCMGTV(m, n, d) VFCMGT_D2(m, n, d)
#define ADDV(m, n, d) VADD_D2(m, n, d)
#define SUBV(m, n, d) VSUB_D2(m, n, d)
#define SHLV(s, n, d) VSHL_D2(s, n, d)
#define USHRV(s, n, d) VUSHR_D2(s, n, d)
#define MANTISSA 52 // explicit bits of the significand
#define DUPE(i, n, d) VDUPE_D2(i, n, d)
#define FSUB1 FSUBD

// FOLD2 combines the two halves of V0 by OP: lane 0 is the fold of the lanes. V1 is
// scratch.
#define FOLD2(OP) \
	VDUPE_D2(1, 0, 1); \
	OP(1, 0, 0)

// The n mod VL elements at Xp and Xq to V18 and V19, of which the other lanes stay.
#define PARTIAL(n, Xp, Xq) \
	TBZ  $0, n, loaded; \
	VLD1 (Xp), V18.D[0]; \
	VLD1 (Xq), V19.D[0]; \
loaded:
