package sandbox

import "golang.org/x/sys/unix"

const (
	nativeArch     = unix.AUDIT_ARCH_AARCH64
	foreignNumbers = 0 // all numbers are its own
)

var (
	forkCalls       []uintptr
	archSystemCalls []uintptr
	mknodCalls      = []mknodCall{{unix.SYS_MKNODAT, 2}}
)
