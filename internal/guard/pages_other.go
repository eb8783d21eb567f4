//go:build !(linux || darwin || freebsd || netbsd || openbsd)

package guard

import "testing"

// New returns a buffer for at least n elements, which is zero and lives until
// the end of the test. The stretches beside it hold a pattern, which is checked at
// the end of the test.
func New[T Elem](tb testing.TB, n int) *Buffer[T] {
	tb.Helper()
	return newPattern[T](tb, n)
}
