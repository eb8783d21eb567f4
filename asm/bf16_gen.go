package asm

//go:generate go run -C gen . -family bf16 -isa avx2 -out ../bf16_avx2_amd64.s -stubs ../bf16_avx2_amd64.go -pkg asm
//go:generate go run -C gen . -family bf16 -isa avx512 -out ../bf16_avx512_amd64.s -stubs ../bf16_avx512_amd64.go -pkg asm
