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
