package random

import (
	"math"
	"sync"

	"github.com/precond-go/precond/dense"
)

// chunk is the number of normal variates made at a time: the logarithms of the
// tails are taken together.
const chunk = 128

// The rational approximations of the normal quantile: Wichura, Algorithm AS 241
// (PPND16), Applied Statistics 37 (1988), with a relative error of about 1e-16.
// Lowest coefficient first.
var (
	centreNum = [8]float64{3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
		4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3}
	centreDen = [8]float64{1, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
		2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3}
	middleNum = [8]float64{1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
		1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4}
	middleDen = [8]float64{1, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
		1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9}
	farNum = [8]float64{6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,
		2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7}
	farDen = [8]float64{1, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
		7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15}
)

// horner evaluates the polynomial with coefficients c at x.
func horner(c *[8]float64, x float64) float64 {
	y := c[7]
	for i := 6; i >= 0; i-- {
		y = math.FMA(y, x, c[i])
	}
	return y
}

// tails is a pool of buffers: behind the function value that takes logarithms, one
// on the stack would move to the heap.
var tails = sync.Pool{New: func() any { return new([chunk]float64) }}

// Normal fills dst with the standard normal variates at indices from, from+1, …:
// the normal quantiles of the stream's uniform numbers.
func Normal[T dense.Float](s Stream, from uint64, dst []T) {
	var q [chunk]float64                  // p − 1/2
	tail := tails.Get().(*[chunk]float64) // min(p, 1−p) of the tails, and its logarithm
	defer tails.Put(tail)
	for len(dst) > 0 {
		n := min(len(dst), chunk)
		k := 0 // tails so far
		for i := range n {
			p := s.Float64(from + uint64(i))
			q[i] = p - 0.5
			if math.Abs(q[i]) > 0.425 {
				tail[k] = min(p, 1-p)
				k++
			}
		}
		dense.Log(tail[:k], tail[:k], nil)
		k = 0
		for i, q := range q[:n] {
			if math.Abs(q) <= 0.425 {
				r := 0.180625 - float64(q*q)
				dst[i] = T(q * (horner(&centreNum, r) / horner(&centreDen, r)))
				continue
			}
			r := math.Sqrt(-tail[k])
			k++
			var z float64
			if r <= 5 {
				z = horner(&middleNum, r-1.6) / horner(&middleDen, r-1.6)
			} else {
				z = horner(&farNum, r-5) / horner(&farDen, r-5)
			}
			dst[i] = T(math.Copysign(z, q))
		}
		dst = dst[n:]
		from += uint64(n)
	}
}
