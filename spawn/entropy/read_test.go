package entropy

import (
	"bytes"
	"testing"
)

// All of b is filled, however long it is: getrandom(2) may give less than was asked for from 257
// bytes on.
func TestRead(t *testing.T) {
	for _, size := range []int{0, 1, 16, 256, 257, 1 << 20} {
		a, b := make([]byte, size), make([]byte, size)
		Read(a)
		Read(b)
		if size >= 16 && (bytes.Equal(a, b) || bytes.Equal(a[size-16:], make([]byte, 16))) {
			t.Errorf("%d bytes: twice the same, or not filled", size)
		}
	}
}
