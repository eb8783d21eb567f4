package asm

//go:generate go run -C gen . -family lanes -isa avx2 -out ../lanes_avx2_amd64.s -stubs ../lanes_avx2_amd64.go -pkg asm
//go:generate go run -C gen . -family lanes -isa avx512 -out ../lanes_avx512_amd64.s -stubs ../lanes_avx512_amd64.go -pkg asm
