package asm

// generic fills the table with the portable twins.
func generic(t *tables) {
	t.f32, t.f64 = genericKernels[float32](), genericKernels[float64]()
}

func genericKernels[T Float]() Kernels[T] {
	return Kernels[T]{
		MR: genericMR, NR: genericNR,
		Gemm: gemm[T], Pack: pack[T], PackT: packT[T], Trsm: trsm[T], TransTo: transTo[T],
	}
}
