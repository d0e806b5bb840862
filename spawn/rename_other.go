//go:build !linux

package spawn

func keepArgv0() {}

// Rename does nothing here.
func (b *Birth) Rename(name string) {}
