//go:build !purego

#include "textflag.h"
#include "go_asm.h"
#include "neon_arm64.h"
#include "f64_neon_arm64.h"
#include "sweep_neon_arm64.h"

#define KREG(k) (20+((k)>>1))
#define KLANE(k) ((k)&1)
#define LOADEXP \
	FLDPQ (R6), (F20, F21); \
	FLDPQ 32(R6), (F22, F23); \
	FLDPQ 64(R6), (F24, F25); \
	FLDPQ 96(R6), (F26, F27); \
	FLDPQ 128(R6), (F28, F29); \
	FMOVQ 160(R6), F30
#define LOADLOG LOADEXP

// q(r) of exp, r in V4, to V6, and l(z) of log, z in V7, to V9; with V8 and V10.
#define POLYQ \
	KDUP(const_kQ, 6); \
	HORNER(const_kQ+1, 6, 4, 8); \
	HORNER(const_kQ+2, 8, 4, 6); \
	HORNER(const_kQ+3, 6, 4, 8); \
	HORNER(const_kQ+4, 8, 4, 6); \
	HORNER(const_kQ+5, 6, 4, 8); \
	HORNER(const_kQ+6, 8, 4, 6); \
	HORNER(const_kQ+7, 6, 4, 8); \
	HORNER(const_kQ+8, 8, 4, 6); \
	HORNER(const_kQ+9, 6, 4, 8); \
	HORNER(const_kQ+10, 8, 4, 6)
#define POLYL \
	KDUP(const_lL, 9); \
	HORNER(const_lL+1, 9, 7, 10); \
	HORNER(const_lL+2, 10, 7, 9); \
	HORNER(const_lL+3, 9, 7, 10); \
	HORNER(const_lL+4, 10, 7, 9); \
	HORNER(const_lL+5, 9, 7, 10); \
	HORNER(const_lL+6, 10, 7, 9)

#include "elementary_neon_arm64.h"

TEXT ·expNEONF64(SB), NOSPLIT, $0-48
	ELEMENTARY(·expTable64, LOADEXP, EXPOP)

TEXT ·logNEONF64(SB), NOSPLIT, $0-48
	ELEMENTARY(·logTable64, LOADLOG, LOGOP)

TEXT ·tanhNEONF64(SB), NOSPLIT, $0-48
	ELEMENTARY(·expTable64, LOADEXP, TANHOP)

TEXT ·sigmoidNEONF64(SB), NOSPLIT, $0-48
	ELEMENTARY(·expTable64, LOADEXP, SIGMOIDOP)
