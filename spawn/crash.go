package spawn

import "bytes"

// crashSize is how much of the runtime's last words is kept, in bytes.
const crashSize = 64 << 10

// trimCrash returns a copy of what was written into memory that was all zeros.
func trimCrash(memory []byte) []byte {
	return bytes.Clone(bytes.TrimRight(memory, "\x00"))
}
