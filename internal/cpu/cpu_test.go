package cpu

import (
	"strings"
	"testing"
)

func TestChoose(t *testing.T) {
	have := []string{AVX2, Generic}
	if got, err := choose("", have); got != AVX2 || err != nil {
		t.Errorf("no force: got %q, %v", got, err)
	}
	if got, err := choose(Generic, have); got != Generic || err != nil {
		t.Errorf("forced generic: got %q, %v", got, err)
	}
	for _, bad := range []string{AVX512, NEON, "sse9", "AVX2", " avx2"} {
		got, err := choose(bad, have)
		if err == nil {
			t.Fatalf("forced %q: got %q, want an error", bad, got)
		}
		for _, want := range []string{bad, "avx2, generic", Env} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("forced %q: error %q does not name %q", bad, err, want)
			}
		}
	}
}

func TestAvailableEndsWithGeneric(t *testing.T) {
	a := Available()
	if a[len(a)-1] != Generic {
		t.Fatalf("Available() = %v, want generic last", a)
	}
	c := CacheSizes()
	if c.L1D < 4<<10 || c.L2 < c.L1D || c.L3 <= 0 {
		t.Errorf("implausible cache sizes %+v", c)
	}
}
