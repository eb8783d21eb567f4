package asm

//go:generate go run -C gen . -family triangle -isa avx2 -out ../triangle_avx2_amd64.s -stubs ../triangle_avx2_amd64.go -pkg asm
//go:generate go run -C gen . -family triangle -isa avx512 -out ../triangle_avx512_amd64.s -stubs ../triangle_avx512_amd64.go -pkg asm
