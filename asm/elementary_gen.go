package asm

//go:generate go run -C gen . -family elementary -isa avx2 -out ../elementary_avx2_amd64.s -stubs ../elementary_avx2_amd64.go -pkg asm
//go:generate go run -C gen . -family elementary -isa avx512 -out ../elementary_avx512_amd64.s -stubs ../elementary_avx512_amd64.go -pkg asm
