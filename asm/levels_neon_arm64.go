//go:build !purego

package asm

// levelsNEON enters the kernels of levels 1 and 2 and the fused updates.
func levelsNEON(t *tables) {
	k32 := &t.f32
	k32.Dot, k32.Sum, k32.AbsSum, k32.SumSq, k32.MaxAbs = dotNEONF32, sumNEONF32, absSumNEONF32, sumSqNEONF32, maxAbsNEONF32
	k32.IMaxAbs = iMaxAbsBy(maxNumNEONF32, indexAbsNEONF32)
	k32.Axpy, k32.Axpby, k32.Scal, k32.ScalTo, k32.Swap, k32.Rot = axpyNEONF32, axpbyNEONF32, scalNEONF32, scalToNEONF32, swapNEONF32, rotNEONF32
	k32.AddTo, k32.SubTo, k32.MulTo, k32.DivTo, k32.MulAdd = addToNEONF32, subToNEONF32, mulToNEONF32, divToNEONF32, mulAddNEONF32
	k32.SqrtTo, k32.SqrtDivTo, k32.EMA, k32.EMASq = sqrtToNEONF32, sqrtDivToNEONF32, emaNEONF32, emaSqNEONF32
	k32.Momentum, k32.Adam, k32.AdaMax = momentumNEONF32, adamNEONF32, adaMaxNEONF32
	k32.GemvN, k32.GemvT, k32.Ger, k32.DotAxpy = gemvNNEONF32, gemvTNEONF32, gerNEONF32, dotAxpyNEONF32

	k64 := &t.f64
	k64.Dot, k64.Sum, k64.AbsSum, k64.SumSq, k64.MaxAbs = dotNEONF64, sumNEONF64, absSumNEONF64, sumSqNEONF64, maxAbsNEONF64
	k64.IMaxAbs = iMaxAbsBy(maxNumNEONF64, indexAbsNEONF64)
	k64.Axpy, k64.Axpby, k64.Scal, k64.ScalTo, k64.Swap, k64.Rot = axpyNEONF64, axpbyNEONF64, scalNEONF64, scalToNEONF64, swapNEONF64, rotNEONF64
	k64.AddTo, k64.SubTo, k64.MulTo, k64.DivTo, k64.MulAdd = addToNEONF64, subToNEONF64, mulToNEONF64, divToNEONF64, mulAddNEONF64
	k64.SqrtTo, k64.SqrtDivTo, k64.EMA, k64.EMASq = sqrtToNEONF64, sqrtDivToNEONF64, emaNEONF64, emaSqNEONF64
	k64.Momentum, k64.Adam, k64.AdaMax = momentumNEONF64, adamNEONF64, adaMaxNEONF64
	k64.GemvN, k64.GemvT, k64.Ger, k64.DotAxpy = gemvNNEONF64, gemvTNEONF64, gerNEONF64, dotAxpyNEONF64
}

// gemvTNEONF32 is Kernels.GemvT, four rows at a time.
func gemvTNEONF32(m, n int, alpha float32, a []float32, lda int, x, y []float32) {
	if n == 0 {
		return
	}
	i := 0
	for ; i+4 <= m; i += 4 {
		t := [4]float32{float32(alpha * x[i]), float32(alpha * x[i+1]), float32(alpha * x[i+2]), float32(alpha * x[i+3])}
		axpyFourNEONF32(n, &t, &a[i*lda], lda, &y[0])
	}
	for ; i < m; i++ {
		axpyNEONF32(float32(alpha*x[i]), a[i*lda:i*lda+n], y)
	}
}

// gerNEONF32 is Kernels.Ger.
func gerNEONF32(m, n int, alpha float32, x, y []float32, a []float32, lda int) {
	if n == 0 {
		return
	}
	for i := range m {
		axpyNEONF32(float32(alpha*x[i]), y[:n], a[i*lda:i*lda+n])
	}
}

// gemvTNEONF64 is Kernels.GemvT, four rows at a time.
func gemvTNEONF64(m, n int, alpha float64, a []float64, lda int, x, y []float64) {
	if n == 0 {
		return
	}
	i := 0
	for ; i+4 <= m; i += 4 {
		t := [4]float64{float64(alpha * x[i]), float64(alpha * x[i+1]), float64(alpha * x[i+2]), float64(alpha * x[i+3])}
		axpyFourNEONF64(n, &t, &a[i*lda], lda, &y[0])
	}
	for ; i < m; i++ {
		axpyNEONF64(float64(alpha*x[i]), a[i*lda:i*lda+n], y)
	}
}

// gerNEONF64 is Kernels.Ger.
func gerNEONF64(m, n int, alpha float64, x, y []float64, a []float64, lda int) {
	if n == 0 {
		return
	}
	for i := range m {
		axpyNEONF64(float64(alpha*x[i]), y[:n], a[i*lda:i*lda+n])
	}
}
