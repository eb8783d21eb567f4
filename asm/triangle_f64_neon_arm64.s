//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"
#include "f64_neon_arm64.h"

#define SOLVE ·triangleSolveNEONF64
#define MUL ·triangleMulNEONF64

#include "columns_neon_arm64.h"
#include "triangle_neon_arm64.h"
