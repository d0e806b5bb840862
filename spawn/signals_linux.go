package spawn

import (
	"os"
	"runtime"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// childAttributes says what the kernel does for a child between fork and exec.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// emptySignalMask unblocks all signals on this thread, for its children to
// inherit.
func emptySignalMask() error {
	return os.NewSyscallError("rt_sigprocmask", unix.PthreadSigmask(unix.SIG_SETMASK, &unix.Sigset_t{}, nil))
}

// resetIgnoredSignals gives every ignored signal its default action. See
// rt_sigaction(2): os/signal cannot, as it goes back to the inherited action.
func resetIgnoredSignals() {
	const (
		lastSignal = 64
		sigIgn     = 1
	)
	// The kernel's struct sigaction differs by architecture, but one of zeros is
	// SIG_DFL, no flags and an empty mask in all, and none is larger than this.
	// The handler is its first word; only on MIPS the flags come first.
	type sigaction [8]uint64
	handler, maskSize := uintptr(0), uintptr(8)
	if strings.HasPrefix(runtime.GOARCH, "mips") {
		handler, maskSize = unsafe.Sizeof(uintptr(0)), 16
	}
	for sig := uintptr(1); sig <= lastSignal; sig++ {
		var old, dfl sigaction
		_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, sig, 0, uintptr(unsafe.Pointer(&old)), maskSize, 0, 0)
		if errno != 0 || *(*uintptr)(unsafe.Add(unsafe.Pointer(&old), handler)) != sigIgn {
			continue
		}
		unix.RawSyscall6(unix.SYS_RT_SIGACTION, sig, uintptr(unsafe.Pointer(&dfl)), 0, maskSize, 0, 0)
	}
}
