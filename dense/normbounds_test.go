package dense

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/precond-go/precond/internal/hard"
)

func TestNormBounds(t *testing.T) { both(t, testNormBounds[float32], testNormBounds[float64]) }

// testNormBounds checks that the norms lie between their bounds, with no allowance but for
// the error of the norms themselves, and how far apart these are.
func testNormBounds[T Float](t *testing.T) {
	for _, class := range hard.Classes() {
		for _, s := range [][2]int{{1, 1}, {2, 2}, {5, 5}, {33, 33}, {9, 40}, {60, 25}, {1, 70}, {70, 1}, {130, 120}} {
			m, n := s[0], s[1]
			a := hardMatrix[T](class, m, n, (m+n)%3)
			k := min(m, n)
			values := make([]float64, k)
			shift := shiftOf(a)
			if err := SingularValues(wide(a, shift), values, nil); err != nil {
				t.Fatal(err)
			}
			spectral, nuclear := values[0], Sum(values, nil)
			for _, squarings := range []int{0, 1, 2, 4, 8, 30} {
				sb, err := SpectralBounds(a, squarings, nil)
				nb, err2 := NuclearBounds(a, squarings, nil)
				if err != nil || err2 != nil {
					t.Fatal(err, err2)
				}
				lo, hi := math.Ldexp(float64(sb.Lower), shift), math.Ldexp(float64(sb.Upper), shift)
				nlo, nhi := math.Ldexp(float64(nb.Lower), shift), math.Ldexp(float64(nb.Upper), shift)
				own := 10 * float64(k) * 0x1p-52 // error of the values
				if !(lo <= spectral*(1+own) && hi >= spectral*(1-own) && nlo <= nuclear*(1+own) && nhi >= nuclear*(1-own)) {
					t.Errorf("%v %dx%d, %d squarings: %g in [%g, %g], %g in [%g, %g]", class, m, n, squarings, spectral, lo, hi, nuclear, nlo, nhi)
				}
				few := 8*math.Ldexp(hard.Tiny[T](), shift) + 1e3*hard.Epsilon[T]()*spectral
				sharp := math.Pow(float64(k), math.Ldexp(1, -1-min(squarings, 20)))
				if squarings == 0 {
					sharp = math.Sqrt(float64(k))
				}
				if hi > spectral*sharp*1.01+few || squarings > 3 && lo < spectral*0.95-few || squarings == 0 && lo < spectral*0.5-few {
					t.Errorf("%v %dx%d, %d squarings: %g in [%g, %g]", class, m, n, squarings, spectral, lo, hi)
				}
				if nlo < spectral*0.9-float64(k)*few || nhi > math.Sqrt(float64(k))*nuclear*1.01+float64(k)*few {
					t.Errorf("%v %dx%d, %d squarings: nuclear %g in [%g, %g]", class, m, n, squarings, nuclear, nlo, nhi)
				}
			}
			two, err := NormSpectral(a, nil)
			sum, err2 := NormNuclear(a, nil)
			few := 10*hard.Epsilon[T]()*spectral + math.Ldexp(hard.Tiny[T](), shift)
			if err != nil || err2 != nil || !(math.Abs(math.Ldexp(float64(two), shift)-spectral) <= few) || !(math.Abs(math.Ldexp(float64(sum), shift)-nuclear) <= float64(k)*few) {
				t.Errorf("%v %dx%d: %g and %g, %v, %v, want %g and %g", class, m, n, two, sum, err, err2, spectral, nuclear)
			}
		}
	}
}

func TestNormBoundsCall(t *testing.T) {
	both(t, testNormBoundsCall[float32], testNormBoundsCall[float64])
}

func testNormBoundsCall[T Float](t *testing.T) {
	for _, s := range [][2]int{{1, 1}, {30, 20}, {70, 100}} {
		m, n := s[0], s[1]
		a := draw[T](1, m, n, 0)
		for _, threads := range []int{1, 2, 3} {
			out := draw[T](2, 1, 2, 0)
			for name, f := range map[string]func(c Matrix[T], o *Opts[T]) error{
				"NormSpectral": func(c Matrix[T], o *Opts[T]) (err error) { c.Data[0], err = NormSpectral(a, o); return },
				"NormNuclear":  func(c Matrix[T], o *Opts[T]) (err error) { c.Data[0], err = NormNuclear(a, o); return },
			} {
				checkWorkspace(t, fmt.Sprint(name, s), threads, NormNuclearWork[T](m, n, threads), out, func(c Matrix[T], o *Opts[T]) {
					if err := f(c, o); err != nil {
						panic(err)
					}
				})
			}
			for squarings := range 3 {
				checkWorkspace(t, fmt.Sprint("bounds ", s, squarings), threads, NuclearBoundsWork[T](m, n, squarings, threads), out, func(c Matrix[T], o *Opts[T]) {
					b, err := NuclearBounds(a, squarings, o)
					d, err2 := SpectralBounds(a, squarings, o)
					if err != nil || err2 != nil {
						panic("no bounds")
					}
					c.Data[0], c.Data[1] = b.Lower+d.Lower, b.Upper+d.Upper
				})
			}
		}
	}
	a := draw[T](1, 3, 4, 1)
	a.Set(1, 1, T(math.Inf(-1)))
	var e *NonFiniteError
	_, err := SpectralBounds(a, 1, nil)
	_, err2 := NuclearBounds(a, 0, nil)
	_, err3 := NormNuclear(a, nil)
	if !errors.As(err, &e) || !errors.As(err2, &e) || !errors.As(err3, &e) {
		t.Errorf("Inf: %v, %v, %v", err, err2, err3)
	}
	a.Fill(0)
	zero, err := SpectralBounds(a, 2, nil)
	none, err2 := NuclearBounds(Matrix[T]{}, 2, nil)
	if zero != (NormBounds[T]{}) || none != (NormBounds[T]{}) || err != nil || err2 != nil {
		t.Errorf("bounds of zero and nothing: %v, %v, %v, %v", zero, none, err, err2)
	}
	panicsWith(t, "dense: SpectralBounds: -1 squarings", func() { _, _ = SpectralBounds(a, -1, nil) })
}
