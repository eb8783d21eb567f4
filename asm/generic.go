package asm

// generic fills the table with the portable twins.
func generic(t *tables) {
	t.f32, t.f64 = genericKernels[float32](), genericKernels[float64]()
	t.conv = Conversions{ToBF16: toBF16, FromBF16: fromBF16}
}

func genericKernels[T Float]() Kernels[T] {
	return Kernels[T]{
		Dot: dot[T], Sum: sum[T], AbsSum: absSum[T], SumSq: sumSq[T], MaxAbs: maxAbs[T], IMaxAbs: iMaxAbs[T],
		Axpy: axpy[T], Axpby: axpby[T], Scal: scal[T], ScalTo: scalTo[T], Swap: swap[T], Rot: rot[T],
		AddTo: addTo[T], SubTo: subTo[T], MulTo: mulTo[T], DivTo: divTo[T], MulAdd: mulAdd[T],
		SqrtTo: sqrtTo[T], SqrtDivTo: sqrtDivTo[T], EMA: ema[T], EMASq: emaSq[T],
		Momentum: momentum[T], Adam: adam[T], AdaMax: adaMax[T],
		GemvN: gemvN[T], GemvT: gemvT[T], Ger: ger[T], DotAxpy: dotAxpy[T], GemvNT: gemvNT[T],
		Secular: secular[T], Loewner: loewner[T], Cauchy: cauchy[T],
		ExpTo: expTo[T], LogTo: logTo[T], TanhTo: tanhTo[T], SigmoidTo: sigmoidTo[T],
		MR: genericMR, NR: genericNR, CholMax: genericCholMax, Chol: chol[T], CholLanes: cholLanes[T], SolveLanes: solveLanes[T],
		Gemm: gemm[T], Pack: pack[T], PackT: packT[T], Trsm: trsm[T], Trmm: trmm[T], CopyTo: copyTo[T], TransTo: transTo[T],
	}
}
