// Package bench holds the benchmarks of the library, over the cases of
// bench/cases:
//
//	go test -run xxx -bench Gemm/f32/NN ./bench
//	go test -run xxx -bench . -short -benchtime 100ms ./bench
//
// With -short they are the cases of a quick run. Names are like
// Gemm/f32/NT/n=512/threads=1/isa=avx512; each reports its rate in GFLOP/s or
// GB/s and, as share, that rate over the limit of the machine, which the same run
// measures. benchstat reads them. bench/report prints one table of everything,
// with gonum; bench/peers compares with OpenBLAS. bench/train trains networks on MNIST,
// and bench/peers/train_torch.py sets its step with Adam beside PyTorch's.
package bench
