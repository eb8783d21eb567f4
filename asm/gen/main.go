// Command gen writes the amd64 assembly of package asm.
//
// Each family of kernels is one function of this package; one run of the
// command writes one .s file and the Go declarations that belong to it:
//
//	go run ./gen -family gemm -isa avx512 -out gemm_avx512_amd64.s -stubs gemm_avx512_amd64.go
//
// Run it through go generate in package asm.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/mmcloughlin/avo/build"
)

// families maps -family to what emits it for an instruction set.
var families = map[string]func(isa string){}

func main() {
	family := flag.String("family", "", "kernel family to generate")
	isa := flag.String("isa", "", "avx2 or avx512")
	// -out, -stubs and -pkg belong to avo; they are registered by its build package.
	flag.Parse()
	emit, ok := families[*family]
	if !ok || (*isa != "avx2" && *isa != "avx512") {
		fmt.Fprintf(os.Stderr, "gen: no family %q for instruction set %q\n", *family, *isa)
		os.Exit(2)
	}
	build.ConstraintExpr("amd64,!purego")
	emit(*isa)
	build.Generate()
}
