package main

import (
	"github.com/precond-go/precond/solvers"
	"github.com/precond-go/precond/solvers/firstorder"
	"github.com/precond-go/precond/solvers/kfac"
	"github.com/precond-go/precond/solvers/shampoo"
)

type tensors = []solvers.Tensor[float32]

// method is a solver with its hyper-parameters. The rates of the first-order methods on the
// autoencoder are the best of 0.001, 0.005, 0.02, 0.05 (SGD, 8 to 10 s) and of 0.0005, 0.001,
// 0.002, 0.003, 0.006 (Adam, 8 to 15 s), seed 1, batch 1000. Those of Shampoo, SOAP and Muon are
// the best of a few by the error after 30 steps. Those on cnn are not tuned.
type method struct {
	name string
	// part and sampled are the shares of the batch that curvature products and layer statistics
	// are taken of; 0 for the whole.
	part, sampled float64
	make          func(params tensors, o options) *solvers.Optimizer[float32]
}

// l2 is the weight of the penalty η/2·‖θ‖² with the quadratic model (Martens and Grosse 2015,
// section 13).
const l2 = 1e-5

var methods = []method{
	{name: "sgd", make: func(p tensors, o options) *solvers.Optimizer[float32] {
		return solvers.NewOptimizer(p, solvers.NewIdentity(p), momentum(p, o, 0.9, map[string]float64{"autoencoder": 0.005, "cnn": 0.05}))
	}},
	{name: "adam", make: func(p tensors, o options) *solvers.Optimizer[float32] {
		return solvers.NewOptimizer(p, firstorder.NewAdam(p, firstorder.Config{Threads: o.threads}),
			momentum(p, o, 0, map[string]float64{"autoencoder": 0.001, "cnn": 0.002}))
	}},
	{name: "kfac", part: 0.125, sampled: 0.125, make: func(p tensors, o options) *solvers.Optimizer[float32] {
		return quadratic(p, o, kfac.Cholesky)
	}},
	{name: "ekfac", part: 0.125, sampled: 0.125, make: func(p tensors, o options) *solvers.Optimizer[float32] {
		return quadratic(p, o, kfac.Corrected)
	}},
	{name: "shampoo", make: func(p tensors, o options) *solvers.Optimizer[float32] {
		s := shampoo.New(p, shampoo.Options{BlockSize: blockSize, Threads: o.threads})
		c := rated(o, map[string]float64{"autoencoder": 0.006, "cnn": 0.002})
		c.Momentum, c.EMA, c.Nesterov = solvers.Constant(0.9), true, true
		return solvers.NewOptimizer(p, solvers.NewGraft(p, solvers.Preconditioner[float32](firstorder.NewAdam(p, firstorder.Config{Threads: o.threads})), s, 0, o.threads),
			solvers.NewMomentum(p, c))
	}},
	{name: "soap", make: func(p tensors, o options) *solvers.Optimizer[float32] {
		s := shampoo.NewSOAP(p, shampoo.SOAPOptions{Beta1: solvers.Constant(0.9), Options: shampoo.Options{BlockSize: blockSize, RefreshEvery: 20, Threads: o.threads}})
		return solvers.NewOptimizer(p, s, momentum(p, o, 0, map[string]float64{"autoencoder": 0.02, "cnn": 0.002}))
	}},
	{name: "muon", make: func(p tensors, o options) *solvers.Optimizer[float32] {
		s := shampoo.NewMuon(p, shampoo.MuonOptions{Scale: shampoo.AdamScale, Threads: o.threads})
		return solvers.NewOptimizer(p, s, momentum(p, o, 0, map[string]float64{"autoencoder": 0.03, "cnn": 0.005}))
	}},
}

// blockSize is the largest dimension of the blocks of Shampoo and SOAP.
const blockSize = 256

// momentum returns the policy with the rate of -rate or of the network.
func momentum(p tensors, o options, mu float64, rates map[string]float64) *solvers.Momentum[float32] {
	c := rated(o, rates)
	if mu > 0 {
		c.Momentum = solvers.Constant(mu)
	}
	return solvers.NewMomentum(p, c)
}

// rated returns a policy's parameters with the rate of -rate or of the network.
func rated(o options, rates map[string]float64) solvers.MomentumConfig {
	rate := o.rate
	if rate == 0 {
		rate = rates[o.net]
	}
	return solvers.MomentumConfig{Rate: solvers.Constant(rate), Threads: o.threads}
}

// quadratic is the method of Martens and Grosse: statistics and quadratic model of an eighth of
// the batch, inverses every 20 steps and in the beginning more often, γ² = λ + η. On the
// autoencoder a first λ of 0.003 comes further in 40 steps than 0.03, 0.3 and 3 (reconstruction
// error 11.8 against 14.8 and 23.2 with 0.03 and 0.3, seed 1); from 0.001 to 0.01 there is hardly a
// difference. Left alone λ falls to 1e-7 in 200 steps, where float32 has no inverses any more; the
// floor of 0.001 costs nothing in 260 steps.
func quadratic(p tensors, o options, form kfac.Form) *solvers.Optimizer[float32] {
	lambda := map[string]float64{"autoencoder": 0.003, "cnn": 1}[o.net]
	e := kfac.New(p, kfac.Options{Form: form, Threads: o.threads})
	opt := solvers.NewOptimizer(p, e, kfac.NewQuadratic(p, e, kfac.QuadraticOptions{
		Lambda: lambda, LambdaMin: 0.001, GammaEvery: -1, L2: l2, Threads: o.threads}))
	opt.L2 = solvers.Constant(l2)
	return opt
}

func solverNames() (names []string) {
	for _, m := range methods {
		names = append(names, m.name)
	}
	return names
}

func methodOf(name string) method {
	for _, m := range methods {
		if m.name == name {
			return m
		}
	}
	panic("train: no solver " + name)
}
