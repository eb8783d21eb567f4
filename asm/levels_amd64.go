//go:build amd64 && !purego

package asm

//go:generate go run -C gen . -family level1 -isa avx2 -out ../level1_avx2_amd64.s -stubs ../level1_avx2_amd64.go -pkg asm
//go:generate go run -C gen . -family level1 -isa avx512 -out ../level1_avx512_amd64.s -stubs ../level1_avx512_amd64.go -pkg asm
//go:generate go run -C gen . -family fused -isa avx2 -out ../fused_avx2_amd64.s -stubs ../fused_avx2_amd64.go -pkg asm
//go:generate go run -C gen . -family fused -isa avx512 -out ../fused_avx512_amd64.s -stubs ../fused_avx512_amd64.go -pkg asm
//go:generate go run -C gen . -family level2 -isa avx2 -out ../level2_avx2_amd64.s -stubs ../level2_avx2_amd64.go -pkg asm
//go:generate go run -C gen . -family level2 -isa avx512 -out ../level2_avx512_amd64.s -stubs ../level2_avx512_amd64.go -pkg asm
//go:generate go run -C gen . -family symv -isa avx2 -out ../symv_avx2_amd64.s -stubs ../symv_avx2_amd64.go -pkg asm
//go:generate go run -C gen . -family symv -isa avx512 -out ../symv_avx512_amd64.s -stubs ../symv_avx512_amd64.go -pkg asm
//go:generate go run -C gen . -family secular -isa avx2 -out ../secular_avx2_amd64.s -stubs ../secular_avx2_amd64.go -pkg asm
//go:generate go run -C gen . -family secular -isa avx512 -out ../secular_avx512_amd64.s -stubs ../secular_avx512_amd64.go -pkg asm

// levelsAVX2 enters the kernels of levels 1 and 2 and the fused updates.
func levelsAVX2(t *tables) {
	k32 := &t.f32
	k32.Dot, k32.Sum, k32.AbsSum, k32.SumSq, k32.MaxAbs = dotAVX2F32, sumAVX2F32, absSumAVX2F32, sumSqAVX2F32, maxAbsAVX2F32
	k32.IMaxAbs = iMaxAbsBy(maxNumAVX2F32, indexAbsAVX2F32)
	k32.Axpy, k32.Axpby, k32.Scal, k32.ScalTo, k32.Swap, k32.Rot = axpyAVX2F32, axpbyAVX2F32, scalAVX2F32, scalToAVX2F32, swapAVX2F32, rotAVX2F32
	k32.AddTo, k32.SubTo, k32.MulTo, k32.DivTo, k32.MulAdd = addToAVX2F32, subToAVX2F32, mulToAVX2F32, divToAVX2F32, mulAddAVX2F32
	k32.SqrtTo, k32.SqrtDivTo, k32.EMA, k32.EMASq = sqrtToAVX2F32, sqrtDivToAVX2F32, emaAVX2F32, emaSqAVX2F32
	k32.Momentum, k32.Adam, k32.AdaMax = momentumAVX2F32, adamAVX2F32, adaMaxAVX2F32
	k32.GemvN, k32.GemvT, k32.Ger, k32.DotAxpy = gemvNAVX2F32, gemvTAVX2F32, gerAVX2F32, dotAxpyAVX2F32
	k32.GemvNT = gemvNTAVX2F32
	k32.Secular, k32.Loewner, k32.Cauchy = secularAVX2F32, loewnerAVX2F32, cauchyAVX2F32

	k64 := &t.f64
	k64.Dot, k64.Sum, k64.AbsSum, k64.SumSq, k64.MaxAbs = dotAVX2F64, sumAVX2F64, absSumAVX2F64, sumSqAVX2F64, maxAbsAVX2F64
	k64.IMaxAbs = iMaxAbsBy(maxNumAVX2F64, indexAbsAVX2F64)
	k64.Axpy, k64.Axpby, k64.Scal, k64.ScalTo, k64.Swap, k64.Rot = axpyAVX2F64, axpbyAVX2F64, scalAVX2F64, scalToAVX2F64, swapAVX2F64, rotAVX2F64
	k64.AddTo, k64.SubTo, k64.MulTo, k64.DivTo, k64.MulAdd = addToAVX2F64, subToAVX2F64, mulToAVX2F64, divToAVX2F64, mulAddAVX2F64
	k64.SqrtTo, k64.SqrtDivTo, k64.EMA, k64.EMASq = sqrtToAVX2F64, sqrtDivToAVX2F64, emaAVX2F64, emaSqAVX2F64
	k64.Momentum, k64.Adam, k64.AdaMax = momentumAVX2F64, adamAVX2F64, adaMaxAVX2F64
	k64.GemvN, k64.GemvT, k64.Ger, k64.DotAxpy = gemvNAVX2F64, gemvTAVX2F64, gerAVX2F64, dotAxpyAVX2F64
	k64.GemvNT = gemvNTAVX2F64
	k64.Secular, k64.Loewner, k64.Cauchy = secularAVX2F64, loewnerAVX2F64, cauchyAVX2F64
}

// levelsAVX512 enters the kernels of levels 1 and 2 and the fused updates.
func levelsAVX512(t *tables) {
	k32 := &t.f32
	k32.Dot, k32.Sum, k32.AbsSum, k32.SumSq, k32.MaxAbs = dotAVX512F32, sumAVX512F32, absSumAVX512F32, sumSqAVX512F32, maxAbsAVX512F32
	k32.IMaxAbs = iMaxAbsBy(maxNumAVX512F32, indexAbsAVX512F32)
	k32.Axpy, k32.Axpby, k32.Scal, k32.ScalTo, k32.Swap, k32.Rot = axpyAVX512F32, axpbyAVX512F32, scalAVX512F32, scalToAVX512F32, swapAVX512F32, rotAVX512F32
	k32.AddTo, k32.SubTo, k32.MulTo, k32.DivTo, k32.MulAdd = addToAVX512F32, subToAVX512F32, mulToAVX512F32, divToAVX512F32, mulAddAVX512F32
	k32.SqrtTo, k32.SqrtDivTo, k32.EMA, k32.EMASq = sqrtToAVX512F32, sqrtDivToAVX512F32, emaAVX512F32, emaSqAVX512F32
	k32.Momentum, k32.Adam, k32.AdaMax = momentumAVX512F32, adamAVX512F32, adaMaxAVX512F32
	k32.GemvN, k32.GemvT, k32.Ger, k32.DotAxpy = gemvNAVX512F32, gemvTAVX512F32, gerAVX512F32, dotAxpyAVX512F32
	k32.GemvNT = gemvNTAVX512F32
	k32.Secular, k32.Loewner, k32.Cauchy = secularAVX512F32, loewnerAVX512F32, cauchyAVX512F32

	k64 := &t.f64
	k64.Dot, k64.Sum, k64.AbsSum, k64.SumSq, k64.MaxAbs = dotAVX512F64, sumAVX512F64, absSumAVX512F64, sumSqAVX512F64, maxAbsAVX512F64
	k64.IMaxAbs = iMaxAbsBy(maxNumAVX512F64, indexAbsAVX512F64)
	k64.Axpy, k64.Axpby, k64.Scal, k64.ScalTo, k64.Swap, k64.Rot = axpyAVX512F64, axpbyAVX512F64, scalAVX512F64, scalToAVX512F64, swapAVX512F64, rotAVX512F64
	k64.AddTo, k64.SubTo, k64.MulTo, k64.DivTo, k64.MulAdd = addToAVX512F64, subToAVX512F64, mulToAVX512F64, divToAVX512F64, mulAddAVX512F64
	k64.SqrtTo, k64.SqrtDivTo, k64.EMA, k64.EMASq = sqrtToAVX512F64, sqrtDivToAVX512F64, emaAVX512F64, emaSqAVX512F64
	k64.Momentum, k64.Adam, k64.AdaMax = momentumAVX512F64, adamAVX512F64, adaMaxAVX512F64
	k64.GemvN, k64.GemvT, k64.Ger, k64.DotAxpy = gemvNAVX512F64, gemvTAVX512F64, gerAVX512F64, dotAxpyAVX512F64
	k64.GemvNT = gemvNTAVX512F64
	k64.Secular, k64.Loewner, k64.Cauchy = secularAVX512F64, loewnerAVX512F64, cauchyAVX512F64
}
