package asm

// This file holds the generic twins of the fused element-wise updates that
// optimisers are made of. Each makes one pass over its vectors, whose length is
// that of the first; all of them are updated in place except the gradient g,
// which is only read. As for level 1, callers cut vectors into chunks of at most
// [Chunk] elements. The scalars come in an array that the kernel only reads;
// since kernels are called through function values, keep it in memory that
// outlives the call (a field of the optimiser), or it is allocated anew.
//
// What depends on the step number alone is computed by the caller, in float64,
// and rounded once. An operation with a zero coefficient is carried out all the
// same: 0·Inf is NaN.

// Indices of the scalars of Kernels.Momentum.
const (
	MomentumMu    = iota // μ, weight of the old momentum
	MomentumGain         // weight of the new gradient: 1 − dampening
	MomentumLookM        // weight of the new momentum in the step: 1, or μ for Nesterov
	MomentumLookG        // weight of the gradient in the step: 0, or 1 for Nesterov
	MomentumRate         // learning rate η
	MomentumDecay        // decoupled weight decay per step, η·λ
	MomentumL2           // L2 penalty: weight of p that is added to the gradient
	MomentumScale        // factor of the gradient (clipping, loss scaling)
	MomentumLen          // number of scalars
)

// Indices of the scalars of Kernels.Adam and Kernels.AdaMax.
const (
	AdamBeta1 = iota // β1, weight of the old first moment
	AdamBeta2        // β2, weight of the old second moment (AdaMax: of the old infinity norm)
	AdamEps          // ε, added to the root (AdaMax: to |g|)
	AdamRate         // η/(1−β1ᵗ), learning rate with the bias correction of the first moment
	AdamRoot         // 1/√(1−β2ᵗ), bias correction of the root (AdaMax does not use it)
	AdamDecay        // decoupled weight decay per step, η·λ
	AdamL2           // L2 penalty: weight of p that is added to the gradient
	AdamScale        // factor of the gradient (clipping, loss scaling)
	AdamLen          // number of scalars
)

// ema is the generic twin of Kernels.EMA, the exponential moving average
// y = fma(beta, y, T((1−beta)·x)). beta is the weight of the old value; 1−beta
// is rounded, which it needs only for beta < 1/2.
func ema[T Float](beta T, x, y []T) {
	y = y[:len(x)]
	w := 1 - beta
	for i, v := range x {
		y[i] = fma(beta, y[i], T(w*v))
	}
}

// emaSq is the generic twin of Kernels.EMASq, the exponential moving average of
// squares y = fma(beta, y, T(T((1−beta)·x)·x)).
func emaSq[T Float](beta T, x, y []T) {
	y = y[:len(x)]
	w := 1 - beta
	for i, v := range x {
		y[i] = fma(beta, y[i], T(T(w*v)*v))
	}
}

// sqrtDivTo is the generic twin of Kernels.SqrtDivTo: dst = x / (√v + eps), the
// direction of RMSProp, AdaGrad and Adam, also as a graft. Bias corrections can
// go into eps and into what scales dst afterwards.
func sqrtDivTo[T Float](eps T, x, v, dst []T) {
	v, dst = v[:len(x)], dst[:len(x)]
	for i, xi := range x {
		dst[i] = xi / (sqrt(v[i]) + eps)
	}
}

// momentum is the generic twin of Kernels.Momentum, stochastic gradient descent
// with momentum m over the parameters p:
//
//	g' = fma(L2, p, T(Scale·g))
//	m  = fma(Mu, m, T(Gain·g'))
//	d  = fma(LookM, m, T(LookG·g'))
//	p  = fma(−Rate, d, fma(−Decay, p, p))
//
// With LookM, LookG = 1, 0 this is Polyak's heavy ball, with μ, 1 Nesterov's
// momentum in the form of Sutskever, Martens, Dahl and Hinton (On the importance
// of initialization and momentum in deep learning, ICML 2013), both with the
// learning rate outside the momentum and with dampening as in PyTorch's SGD; its
// first step, m = g', is Mu, Gain = 0, 1. Decay is the decoupled weight decay of
// Loshchilov and Hutter (ICLR 2019), algorithm 1; L2 the coupled one.
func momentum[T Float](h *[MomentumLen]T, g, m, p []T) {
	m, p = m[:len(g)], p[:len(g)]
	for i := range g {
		gi := fma(h[MomentumL2], p[i], T(h[MomentumScale]*g[i]))
		mi := fma(h[MomentumMu], m[i], T(h[MomentumGain]*gi))
		d := fma(h[MomentumLookM], mi, T(h[MomentumLookG]*gi))
		m[i] = mi
		p[i] = fma(-h[MomentumRate], d, fma(-h[MomentumDecay], p[i], p[i]))
	}
}

// adam is the generic twin of Kernels.Adam, a step of Adam with the first and
// second moments m and v over the parameters p:
//
//	g' = fma(L2, p, T(Scale·g))
//	m  = fma(Beta1, m, T((1−Beta1)·g'))
//	v  = fma(Beta2, v, T(T((1−Beta2)·g')·g'))
//	d  = m / (T(√v·Root) + Eps)
//	p  = fma(−Rate, d, fma(−Decay, p, p))
//
// Source: Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015,
// algorithm 1, the bias corrections being in Rate and Root. With Decay it is
// AdamW (Loshchilov and Hutter, Decoupled weight decay regularization, ICLR
// 2019, algorithm 2), with L2 Adam on the penalised loss.
func adam[T Float](h *[AdamLen]T, g, m, v, p []T) {
	m, v, p = m[:len(g)], v[:len(g)], p[:len(g)]
	w1, w2 := 1-h[AdamBeta1], 1-h[AdamBeta2]
	for i := range g {
		gi := fma(h[AdamL2], p[i], T(h[AdamScale]*g[i]))
		mi := fma(h[AdamBeta1], m[i], T(w1*gi))
		vi := fma(h[AdamBeta2], v[i], T(T(w2*gi)*gi))
		d := mi / (T(sqrt(vi)*h[AdamRoot]) + h[AdamEps])
		m[i], v[i] = mi, vi
		p[i] = fma(-h[AdamRate], d, fma(-h[AdamDecay], p[i], p[i]))
	}
}

// adaMax is the generic twin of Kernels.AdaMax, a step of AdaMax with the first
// moment m and the infinity norm u over the parameters p:
//
//	g' = fma(L2, p, T(Scale·g))
//	m  = fma(Beta1, m, T((1−Beta1)·g'))
//	u  = max(|g'| + Eps, T(Beta2·u)), NaN if either is NaN
//	p  = fma(−Rate, m/u, fma(−Decay, p, p))
//
// Source: Kingma and Ba, algorithm 2. Eps, which PyTorch adds at this place too,
// keeps 0/0 away where a gradient has always been zero. Where the two sides of
// max are equal the second is taken, which is seen in signed zeros only.
func adaMax[T Float](h *[AdamLen]T, g, m, u, p []T) {
	m, u, p = m[:len(g)], u[:len(g)], p[:len(g)]
	w1 := 1 - h[AdamBeta1]
	for i := range g {
		gi := fma(h[AdamL2], p[i], T(h[AdamScale]*g[i]))
		mi := fma(h[AdamBeta1], m[i], T(w1*gi))
		ui := T(h[AdamBeta2] * u[i])
		if a := abs(gi) + h[AdamEps]; a > ui || isNaN(a) {
			ui = a
		}
		m[i], u[i] = mi, ui
		p[i] = fma(-h[AdamRate], mi/ui, fma(-h[AdamDecay], p[i], p[i]))
	}
}
