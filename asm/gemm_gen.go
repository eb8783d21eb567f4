package asm

//go:generate go run -C gen . -family gemm -isa avx2 -out ../gemm_avx2_amd64.s -stubs ../gemm_avx2_amd64.go -pkg asm
//go:generate go run -C gen . -family gemm -isa avx512 -out ../gemm_avx512_amd64.s -stubs ../gemm_avx512_amd64.go -pkg asm
