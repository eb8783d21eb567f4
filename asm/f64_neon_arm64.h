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
