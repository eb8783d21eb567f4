//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"
#include "f32_neon_arm64.h"

#define SOLVE ·triangleSolveNEONF32
#define MUL ·triangleMulNEONF32

#include "columns_neon_arm64.h"
#include "triangle_neon_arm64.h"
