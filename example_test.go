package precond_test

import (
	"fmt"
	"os"
	"regexp"
	"testing"

	"github.com/precond-go/precond/gonumblas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack/lapack64"
	"gonum.org/v1/gonum/mat"
)

func Example() {
	blas64.Use(gonumblas.Implementation{})
	lapack64.Use(gonumblas.Lapack{}) // mat.Cholesky, LU, QR, EigenSym, SVD
	x, gram := mat.NewDense(2, 3, []float64{1, 2, 3, 4, 5, 6}), new(mat.Dense)
	gram.Mul(x.T(), x)
	fmt.Println(mat.Formatted(gram))
	// Output:
	// ⎡17  22  27⎤
	// ⎢22  29  36⎥
	// ⎣27  36  45⎦
}

// TestReadme compares the program in README.md with Example, which runs.
func TestReadme(t *testing.T) {
	body := func(file, head, end string) string {
		t.Helper()
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		m := regexp.MustCompile(`(?s)\n` + regexp.QuoteMeta(head) + `\n(.*?\n)` + end).FindSubmatch(text)
		if m == nil {
			t.Fatalf("%s: no %q", file, head)
		}
		return string(m[1])
	}
	got := body("README.md", "func main() {", "}\n")
	if want := body("example_test.go", "func Example() {", "\t// Output:\n"); got != want {
		t.Errorf("the program in README.md is\n%s, Example is\n%s", got, want)
	}
}
