package gonumblas_test

import (
	"testing"

	"github.com/precond-go/precond/gonumblas"
	"gonum.org/v1/gonum/lapack/testlapack"
)

// TestLapackSuite runs gonum's own suite for implementations of LAPACK, for the routines
// that we have, and for those that are built on them.
func TestLapackSuite(t *testing.T) {
	var impl gonumblas.Lapack
	for _, test := range []struct {
		name string
		run  func(t *testing.T)
	}{
		{"Dpotrf", func(t *testing.T) { testlapack.DpotrfTest(t, impl) }},
		{"Dpotri", func(t *testing.T) { testlapack.DpotriTest(t, impl) }},
		{"Dpotrs", func(t *testing.T) { testlapack.DpotrsTest(t, impl) }},
		{"Dpocon", func(t *testing.T) { testlapack.DpoconTest(t, impl) }},
		{"Dtrtri", func(t *testing.T) { testlapack.DtrtriTest(t, impl) }},
		{"Dgetrf", func(t *testing.T) { testlapack.DgetrfTest(t, impl) }},
		{"Dgetri", func(t *testing.T) { testlapack.DgetriTest(t, impl) }},
		{"Dgetrs", func(t *testing.T) { testlapack.DgetrsTest(t, impl) }},
		{"Dgecon", func(t *testing.T) { testlapack.DgeconTest(t, impl) }},
		{"Dgeqrf", func(t *testing.T) { testlapack.DgeqrfTest(t, impl) }},
		{"Dorgqr", func(t *testing.T) { testlapack.DorgqrTest(t, impl) }},
		{"Dormqr", func(t *testing.T) { testlapack.DormqrTest(t, impl) }},
		{"Dsyev", func(t *testing.T) { testlapack.DsyevTest(t, impl) }},
		{"Dgesvd", func(t *testing.T) {
			if testing.Short() {
				t.Skip("takes most of the time")
			}
			testlapack.DgesvdTest(t, impl, 1e-13)
		}},
	} {
		t.Run(test.name, test.run)
	}
}
