//go:build amd64 && !purego

package asm

// elementaryAVX2 overlays the elementary functions and the conversions.
func elementaryAVX2(t *tables) {
	t.f32.ExpTo, t.f32.LogTo, t.f32.TanhTo, t.f32.SigmoidTo = expAVX2F32, logAVX2F32, tanhAVX2F32, sigmoidAVX2F32
	t.f64.ExpTo, t.f64.LogTo, t.f64.TanhTo, t.f64.SigmoidTo = expAVX2F64, logAVX2F64, tanhAVX2F64, sigmoidAVX2F64
	t.conv = Conversions{ToBF16: toBF16AVX2, FromBF16: fromBF16AVX2}
}

// elementaryAVX512 overlays the elementary functions and the conversions.
func elementaryAVX512(t *tables) {
	t.f32.ExpTo, t.f32.LogTo, t.f32.TanhTo, t.f32.SigmoidTo = expAVX512F32, logAVX512F32, tanhAVX512F32, sigmoidAVX512F32
	t.f64.ExpTo, t.f64.LogTo, t.f64.TanhTo, t.f64.SigmoidTo = expAVX512F64, logAVX512F64, tanhAVX512F64, sigmoidAVX512F64
	t.conv = Conversions{ToBF16: toBF16AVX512, FromBF16: fromBF16AVX512}
}
