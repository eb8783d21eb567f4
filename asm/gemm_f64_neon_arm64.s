//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"
#include "f64_neon_arm64.h"

#define ENTRY ·gemmNEONF64

#include "columns_neon_arm64.h"
#include "gemm_neon_arm64.h"
