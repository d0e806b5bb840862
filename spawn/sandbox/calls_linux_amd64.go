package sandbox

import "golang.org/x/sys/unix"

const (
	nativeArch = unix.AUDIT_ARCH_X86_64

	// foreignNumbers is __X32_SYSCALL_BIT: numbers from here on are those of x32.
	foreignNumbers = 0x40000000
)

var (
	forkCalls       = []uintptr{unix.SYS_FORK, unix.SYS_VFORK}
	archSystemCalls = []uintptr{unix.SYS_IOPL, unix.SYS_IOPERM, unix.SYS_MODIFY_LDT, unix.SYS_USELIB, unix.SYS__SYSCTL}
	mknodCalls      = []mknodCall{{unix.SYS_MKNOD, 1}, {unix.SYS_MKNODAT, 2}}
)
