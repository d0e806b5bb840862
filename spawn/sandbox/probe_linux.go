package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Probe asks the kernel what there is for this user. The process stays as it
// is. Whether user namespaces can be made is found out by making one, in a
// child that executes nothing and is gone when Probe returns; that takes most
// of a millisecond or more, and the rest a few microseconds.
func Probe() Capabilities {
	abi, landlock := landlockABI()
	_, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
	return Capabilities{
		NoNewPrivileges: os.NewSyscallError("prctl PR_GET_NO_NEW_PRIVS", err),
		Seccomp:         seccompAvailable(),
		Landlock:        landlock,
		LandlockABI:     abi,
		UserNamespaces:  userNamespaces(),
		SetUser:         setUser(),
	}
}

// landlockABI returns the version of Landlock, or 0 and why there is none.
func landlockABI() (int, error) {
	abi, _, errno := unix.RawSyscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	switch errno {
	case 0:
		return int(abi), nil
	case unix.ENOSYS:
		return 0, fmt.Errorf("this kernel has no Landlock, which came with Linux 5.13: %w", errno)
	case unix.EOPNOTSUPP:
		return 0, fmt.Errorf("this kernel was booted with Landlock switched off: %w", errno)
	}
	return 0, os.NewSyscallError("landlock_create_ruleset", errno)
}

// seccompAvailable returns why no filter can be installed, or nil.
func seccompAvailable() error {
	if !seccompKnown {
		return errNoFilter
	}
	action := uint32(unix.SECCOMP_RET_ERRNO)
	_, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_ACTION_AVAIL, 0, uintptr(unsafe.Pointer(&action)))
	if errno != 0 {
		return os.NewSyscallError("seccomp SECCOMP_GET_ACTION_AVAIL", errno)
	}
	return nil
}

// userNamespaces returns why this user can make none, or nil.
func userNamespaces() error {
	// ForkExec reports the first thing that fails in the child. When that is
	// the exec of nothing, the namespace was made.
	_, err := syscall.ForkExec("", []string{""}, &syscall.ProcAttr{
		Sys: &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER},
	})
	if err != nil && !errors.Is(err, unix.ENOENT) {
		return os.NewSyscallError("clone CLONE_NEWUSER", err)
	}
	const restricted = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns"
	if value, err := os.ReadFile(restricted); err == nil && os.Geteuid() != 0 && !bytes.HasPrefix(value, []byte("0")) {
		return fmt.Errorf("AppArmor leaves an unprivileged user's namespaces without rights (%s)", restricted)
	}
	return nil
}
