package bench

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/precond-go/precond/asm"
	"github.com/precond-go/precond/bench/cases"
	"github.com/precond-go/precond/bench/limits"
)

func TestMain(m *testing.M) {
	flag.Parse()
	if flag.Lookup("test.bench").Value.String() != "" {
		// Tells benchstat which way is better.
		for _, unit := range []string{cases.GFLOPs, cases.GBs, "share"} {
			fmt.Println("Unit", unit, "better=higher")
		}
	}
	os.Exit(m.Run())
}

// machine holds the limits, measured where a benchmark first needs them.
var machine = limits.New(asm.ISA())

// run runs the cases of one kernel.
func run(b *testing.B, kernel string) {
	threads := []int{1}
	if n := runtime.GOMAXPROCS(0); n > 1 {
		threads = append(threads, n)
	}
	for _, c := range cases.List(threads...) {
		if c.Kernel != kernel || testing.Short() && !c.Quick {
			continue
		}
		name := strings.TrimPrefix(c.Name(asm.ISA()), kernel+"/")
		b.Run(name, func(b *testing.B) {
			in := c.New()
			in.Ours(1)
			b.ReportAllocs()
			for b.Loop() {
				in.Ours(1)
			}
			rate := c.Cost.Work() * float64(b.N) / float64(b.Elapsed().Nanoseconds())
			b.ReportMetric(rate, c.Cost.Unit)
			b.ReportMetric(rate/c.LimitLoop(machine).Best(), "share")
		})
	}
}

func BenchmarkGemm(b *testing.B)             { run(b, "Gemm") }
func BenchmarkSyrk(b *testing.B)             { run(b, "Syrk") }
func BenchmarkTrmm(b *testing.B)             { run(b, "Trmm") }
func BenchmarkTrsm(b *testing.B)             { run(b, "Trsm") }
func BenchmarkGemv(b *testing.B)             { run(b, "Gemv") }
func BenchmarkGer(b *testing.B)              { run(b, "Ger") }
func BenchmarkSymv(b *testing.B)             { run(b, "Symv") }
func BenchmarkTranspose(b *testing.B)        { run(b, "Transpose") }
func BenchmarkDot(b *testing.B)              { run(b, "Dot") }
func BenchmarkAbsSum(b *testing.B)           { run(b, "AbsSum") }
func BenchmarkSumSq(b *testing.B)            { run(b, "SumSq") }
func BenchmarkIMaxAbs(b *testing.B)          { run(b, "IMaxAbs") }
func BenchmarkAxpy(b *testing.B)             { run(b, "Axpy") }
func BenchmarkScal(b *testing.B)             { run(b, "Scal") }
func BenchmarkMulTo(b *testing.B)            { run(b, "MulTo") }
func BenchmarkDivTo(b *testing.B)            { run(b, "DivTo") }
func BenchmarkSqrtDivTo(b *testing.B)        { run(b, "SqrtDivTo") }
func BenchmarkEMA(b *testing.B)              { run(b, "EMA") }
func BenchmarkEMASq(b *testing.B)            { run(b, "EMASq") }
func BenchmarkMomentum(b *testing.B)         { run(b, "Momentum") }
func BenchmarkAdam(b *testing.B)             { run(b, "Adam") }
func BenchmarkSyr2k(b *testing.B)            { run(b, "Syr2k") }
func BenchmarkSymm(b *testing.B)             { run(b, "Symm") }
func BenchmarkExp(b *testing.B)              { run(b, "Exp") }
func BenchmarkLog(b *testing.B)              { run(b, "Log") }
func BenchmarkTanh(b *testing.B)             { run(b, "Tanh") }
func BenchmarkSigmoid(b *testing.B)          { run(b, "Sigmoid") }
func BenchmarkToBF16(b *testing.B)           { run(b, "ToBF16") }
func BenchmarkFromBF16(b *testing.B)         { run(b, "FromBF16") }
func BenchmarkGemmBatch(b *testing.B)        { run(b, "GemmBatch") }
func BenchmarkGemmStrided(b *testing.B)      { run(b, "GemmStrided") }
func BenchmarkCholesky(b *testing.B)         { run(b, "Cholesky") }
func BenchmarkSPDInverse(b *testing.B)       { run(b, "SPDInverse") }
func BenchmarkCholeskyBatch(b *testing.B)    { run(b, "CholeskyBatch") }
func BenchmarkLU(b *testing.B)               { run(b, "LU") }
func BenchmarkLDL(b *testing.B)              { run(b, "LDL") }
func BenchmarkCholeskyPivoted(b *testing.B)  { run(b, "CholeskyPivoted") }
func BenchmarkCholeskyUpdate(b *testing.B)   { run(b, "CholeskyUpdate") }
func BenchmarkCholeskyDowndate(b *testing.B) { run(b, "CholeskyDowndate") }
func BenchmarkEigenSymRefresh(b *testing.B)  { run(b, "EigenSymRefresh") }
func BenchmarkPolar(b *testing.B)            { run(b, "Polar") }
func BenchmarkQR(b *testing.B)               { run(b, "QR") }
func BenchmarkQRPivoted(b *testing.B)        { run(b, "QRPivoted") }
func BenchmarkSVD(b *testing.B)              { run(b, "SVD") }
func BenchmarkSingularValues(b *testing.B)   { run(b, "SingularValues") }
func BenchmarkEigenSym(b *testing.B)         { run(b, "EigenSym") }
func BenchmarkEigenSymValues(b *testing.B)   { run(b, "EigenSymValues") }
func BenchmarkKronRearranged(b *testing.B)   { run(b, "KronRearranged") }
func BenchmarkKhatriRaoGram(b *testing.B)    { run(b, "KhatriRaoGram") }
func BenchmarkConvMoment(b *testing.B)       { run(b, "ConvMoment") }
func BenchmarkKronMoment(b *testing.B)       { run(b, "KronMoment") }
func BenchmarkKronSolve(b *testing.B)        { run(b, "KronSolve") }
func BenchmarkKronApply(b *testing.B)        { run(b, "KronApply") }

// Every kernel of the list has its benchmark function.
func TestAllKernels(t *testing.T) {
	src, err := os.ReadFile("bench_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases.List(1) {
		if !strings.Contains(string(src), fmt.Sprintf("\nfunc Benchmark%s(b *testing.B)", c.Kernel)) {
			t.Fatalf("no benchmark of %s", c.Kernel)
		}
	}
}
