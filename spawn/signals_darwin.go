package spawn

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// childAttributes says what the kernel does for a child between fork and exec.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

// emptySignalMask does nothing: there is no pthread_sigmask without cgo.
func emptySignalMask() error { return nil }

// resetIgnoredSignals gives every ignored signal its default action. See
// sigaction(2): os/signal cannot, as it goes back to the inherited action.
func resetIgnoredSignals() {
	const (
		lastSignal = 31
		sigIgn     = 1
	)
	// xnu's struct __sigaction: handler, trampoline (unused without a
	// handler), mask, flags. What it gives back has no trampoline.
	type sigaction struct {
		handler, trampoline uintptr
		mask, flags         uint32
	}
	for sig := uintptr(1); sig <= lastSignal; sig++ {
		var old, dfl sigaction
		_, _, errno := unix.RawSyscall(unix.SYS_SIGACTION, sig, 0, uintptr(unsafe.Pointer(&old)))
		if errno != 0 || old.handler != sigIgn {
			continue
		}
		unix.RawSyscall(unix.SYS_SIGACTION, sig, uintptr(unsafe.Pointer(&dfl)), 0)
	}
}
