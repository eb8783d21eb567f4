package asm

//go:generate go run -C gen . -family chol -isa avx2 -out ../chol_avx2_amd64.s -stubs ../chol_avx2_amd64.go -pkg asm
//go:generate go run -C gen . -family chol -isa avx512 -out ../chol_avx512_amd64.s -stubs ../chol_avx512_amd64.go -pkg asm
