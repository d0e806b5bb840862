//go:build !linux

package spawntest

// addSystem adds nothing: only Linux tells it all without a system library.
func addSystem(snapshot) {}
