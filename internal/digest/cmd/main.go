// Command cmd prints the digests of package digest as this machine computes
// them:
//
//	go run ./internal/digest/cmd [-threads n]
//
// Without -threads it computes everything with 1, 2 and 3 threads and fails if
// they differ. Compare the output with internal/digest/testdata/digest.txt.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/internal/digest"
)

func main() {
	threads := flag.Int("threads", 0, "number of threads; 0 compares 1, 2 and 3")
	flag.Parse()
	fmt.Fprintf(os.Stderr, "digest: %s/%s, instruction set %s\n", runtime.GOOS, runtime.GOARCH, asm.ISA())
	if *threads > 0 {
		fmt.Print(digest.Format(digest.Compute(*threads)))
		return
	}
	one := digest.Format(digest.Compute(1))
	fmt.Print(one)
	for t := 2; t <= 3; t++ {
		if diff := digest.Diff(digest.Format(digest.Compute(t)), one); len(diff) > 0 {
			fmt.Fprintf(os.Stderr, "digest: %d threads differ from 1 in %s\n", t, strings.Join(diff, ", "))
			os.Exit(1)
		}
	}
}
