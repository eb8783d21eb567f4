//go:build !purego

#include "textflag.h"
#include "go_asm.h"
#include "neon_arm64.h"
#include "f32_neon_arm64.h"
#include "sweep_neon_arm64.h"

#define KREG(k) (20+((k)>>2))
#define KLANE(k) ((k)&3)
#define LOADEXP FLDPQ (R6), (F20, F21); FLDPQ 32(R6), (F22, F23); FMOVS 64(R6), F24
#define LOADLOG FLDPQ (R6), (F20, F21); FLDPQ 32(R6), (F22, F23); FMOVD 64(R6), F24

// q(r) of exp, r in V4, to V6, and l(z) of log, z in V7, to V9; with V8 and V10.
#define POLYQ \
	KDUP(const_kQ, 8); \
	HORNER(const_kQ+1, 8, 4, 6); \
	HORNER(const_kQ+2, 6, 4, 8); \
	HORNER(const_kQ+3, 8, 4, 6); \
	HORNER(const_kQ+4, 6, 4, 8); \
	HORNER(const_kQ+5, 8, 4, 6)
#define POLYL \
	KDUP(const_lL, 9); \
	HORNER(const_lL+1, 9, 7, 10); \
	HORNER(const_lL+2, 10, 7, 9)

#include "elementary_neon_arm64.h"

TEXT ·expNEONF32(SB), NOSPLIT, $0-48
	ELEMENTARY(·expTable32, LOADEXP, EXPOP)

TEXT ·logNEONF32(SB), NOSPLIT, $0-48
	ELEMENTARY(·logTable32, LOADLOG, LOGOP)

TEXT ·tanhNEONF32(SB), NOSPLIT, $0-48
	ELEMENTARY(·expTable32, LOADEXP, TANHOP)

TEXT ·sigmoidNEONF32(SB), NOSPLIT, $0-48
	ELEMENTARY(·expTable32, LOADEXP, SIGMOIDOP)
