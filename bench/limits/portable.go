package limits

import "unsafe"

// portable are the loops in Go. Their multiply-adds are x·y+z, which the
// compiler fuses where the target has the instruction.
var portable = loops{
	fma32: fmaGo[float32], flops32: 16,
	fma64: fmaGo[float64], flops64: 16,
	pass: [streams][]pass{
		Read:   {readGo},
		Update: {updateGo},
		Axpy:   {axpyGo},
		Copy:   {copyGo},
		Write:  {writeGo},
	},
}

func fmaGo[T float32 | float64](n int, px, py *T) {
	x, y := *px, *py
	var a, b, c, d, e, f, g, h T
	for range n {
		a = a*x + y
		b = b*x + y
		c = c*x + y
		d = d*x + y
		e = e*x + y
		f = f*x + y
		g = g*x + y
		h = h*x + y
	}
	if s := a + b + c + d + e + f + g + h; s < 0 {
		*px = s // never, but the compiler does not know
	}
}

func readGo(px, _ *float64, n int) {
	x := unsafe.Slice(px, n/8)
	var a, b, c, d, e, f, g, h float64
	for i := 0; i+8 <= len(x); i += 8 {
		v := x[i : i+8 : i+8]
		a += v[0]
		b += v[1]
		c += v[2]
		d += v[3]
		e += v[4]
		f += v[5]
		g += v[6]
		h += v[7]
	}
	if s := a + b + c + d + e + f + g + h; s < 0 {
		*px = s
	}
}

func updateGo(_, py *float64, n int) {
	y := unsafe.Slice(py, n/8)
	for i := 0; i+4 <= len(y); i += 4 {
		v := y[i : i+4 : i+4]
		v[0] *= -1
		v[1] *= -1
		v[2] *= -1
		v[3] *= -1
	}
}

func axpyGo(px, py *float64, n int) {
	x, y := unsafe.Slice(px, n/8), unsafe.Slice(py, n/8)
	for i := 0; i+4 <= len(y) && i+4 <= len(x); i += 4 {
		u, v := x[i:i+4:i+4], y[i:i+4:i+4]
		v[0] += u[0]
		v[1] += u[1]
		v[2] += u[2]
		v[3] += u[3]
	}
}

func copyGo(px, py *float64, n int) { copy(unsafe.Slice(py, n/8), unsafe.Slice(px, n/8)) }

func writeGo(_, py *float64, n int) {
	y := unsafe.Slice(py, n/8)
	for i := range y {
		y[i] = 1
	}
}
