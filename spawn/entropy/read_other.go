//go:build !linux

package entropy

import "crypto/rand"

// Read fills b with bytes that nobody can guess. It never fails.
func Read(b []byte) { rand.Read(b) }
