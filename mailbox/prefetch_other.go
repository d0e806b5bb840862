//go:build !amd64

package mailbox

import "unsafe"

// prefetchForWrite is a hint, and does nothing here.
func prefetchForWrite(unsafe.Pointer, int) {}
