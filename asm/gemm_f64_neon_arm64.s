//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"

#define ENTRY ·gemmNEON64
#define SHIFT 3
#define VL 2
#define FMLAE(m, i, n, d) VFMLAE_D2(m, i, n, d)
#define FMULE(m, i, n, d) VFMULE_D2(m, i, n, d)
#define LDR1(n, t) LDRD(n, t)
#define STR1(t, n) STRD(t, n)
#define LDR1X(n, m, t) LDRDX(n, m, t)
#define LDR2X(n, m, t) LDRQX(n, m, t)
#define LOADALPHA FMOVD alpha+24(FP), F31

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

#include "gemm_neon_arm64.h"
