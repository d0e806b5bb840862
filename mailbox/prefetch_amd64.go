package mailbox

import "unsafe"

// prefetchForWrite begins to fetch the cache lines of n bytes, n > 0, for stores to come (PREFETCHW, a hint: without the
// instruction, which came with 3DNow!, it is a NOP of the same length). Nothing waits for it.
//
//go:noescape
func prefetchForWrite(p unsafe.Pointer, n int)
