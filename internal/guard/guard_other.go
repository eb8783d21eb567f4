//go:build !linux

package guard

import "testing"

// New skips the test: pages are protected on Linux only.
func New[T Elem](tb testing.TB, n int) *Buffer[T] {
	tb.Helper()
	tb.Skip("guard: no protected pages on this operating system")
	return nil
}
