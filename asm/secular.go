package asm

// This file holds the generic twins of the kernels of the divide-and-conquer
// eigenvalue algorithm. The poles d are those of the secular function
//
//	f(λ) = 1/ρ + Σ z_i² / (d_i − λ),
//
// and λ is given as org + tau, where org is one of the poles, since the differences
// δ_i = (d_i − org) − tau are then accurate where they matter.

// secular is the generic twin of Kernels.Secular: it returns Σ z²/δ and Σ (z/δ)².
// len(z) ≥ len(d).
//
// Order: half as many lanes as those of Dot. With q = z/δ, lane i mod Lanes/2 takes
// fma(z, q, lane) in the first sum and fma(q, q, lane) in the second, i increasing; then
// fold.
func secular[T Float](d, z []T, org, tau T) (f, df T) {
	var lanes [2][maxLanes / 2]T
	h := Lanes[T]() / 2
	for i, v := range d {
		q := z[i] / ((v - org) - tau)
		l := i % h
		lanes[0][l] = fma(z[i], q, lanes[0][l])
		lanes[1][l] = fma(q, q, lanes[1][l])
	}
	return fold(lanes[0][:h]), fold(lanes[1][:h])
}

// loewner is the generic twin of Kernels.Loewner: w = w·(δ/(d − s)), one factor of
// Löwner's formula for z² from poles and roots. len(w) ≥ len(d).
func loewner[T Float](d []T, org, tau, s T, w []T) {
	w = w[:len(d)]
	for i, v := range d {
		w[i] = T(w[i] * (((v - org) - tau) / (v - s)))
	}
}

// cauchy is the generic twin of Kernels.Cauchy: dst = z/δ, an eigenvector of
// diag(d) + ρ·z·zᵀ up to its length. len(z), len(dst) ≥ len(d).
func cauchy[T Float](d, z []T, org, tau T, dst []T) {
	z, dst = z[:len(d)], dst[:len(d)]
	for i, v := range d {
		dst[i] = z[i] / ((v - org) - tau)
	}
}
