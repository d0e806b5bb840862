//go:build !cgo

package scene

// hasC is whether the program was built with a C compiler.
const hasC = false

func segfault() {}
