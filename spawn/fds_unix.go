//go:build linux || darwin

package spawn

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// maxScan bounds the descriptors looked at one by one where no directory lists
// those that are open.
const maxScan = 1 << 16

// claim sets an inherited descriptor close-on-exec. One that is so already was
// opened by this process, hence not inherited.
func claim(fd int) error {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	if err != nil {
		return fmt.Errorf("fd %d: %w", fd, err)
	}
	if flags&unix.FD_CLOEXEC != 0 {
		return fmt.Errorf("fd %d was not inherited", fd)
	}
	unix.CloseOnExec(fd)
	return nil
}

// closeUnclaimed closes every descriptor from 3 on that is not close-on-exec: it
// got through an exec and nobody has claimed it.
func closeUnclaimed() {
	const few = 64
	if closeCounted(few) {
		return
	}
	fds, err := openFds()
	if err != nil { // in a sandbox there is no such directory
		if !closeCounted(maxScan) {
			scanUnclaimed()
		}
		return
	}
	for _, fd := range fds {
		closeIfUnclaimed(fd)
	}
}

// closeCounted does it one number after the other, as far as limit, and reports whether
// it has seen all that are open: the kernel's count of them says so. For 64 that takes
// 14 µs of a start where listing the directory takes 70 or more, and fails only if some
// descriptor has a higher number.
func closeCounted(limit int) bool {
	left := countFds()
	if left == 0 {
		return false
	}
	for fd := 0; fd < limit && left > 0; fd++ {
		if closeIfUnclaimed(fd) {
			left--
		}
	}
	return left == 0
}

// openFds lists the descriptors that are open.
func openFds() ([]int, error) {
	dir, err := os.Open(fdDirectory)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	fds := make([]int, 0, len(names))
	for _, name := range names {
		if fd, err := strconv.Atoi(name); err == nil {
			fds = append(fds, fd)
		}
	}
	if len(fds) == 0 {
		return nil, errors.New("no descriptors in " + fdDirectory)
	}
	return fds, nil
}

// scanUnclaimed does the same without the directory.
func scanUnclaimed() {
	limit := uint64(maxScan)
	var rlimit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &rlimit); err == nil {
		limit = min(limit, uint64(rlimit.Cur))
	}
	for fd := range int(limit) {
		closeIfUnclaimed(fd)
	}
	// The limit may have been lowered below what was open.
	closeFrom(int(limit))
}

// closeIfUnclaimed reports whether fd was open.
func closeIfUnclaimed(fd int) bool {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	if err != nil {
		return false
	}
	if fd >= inboxFd && flags&unix.FD_CLOEXEC == 0 {
		unix.Close(fd)
	}
	return true
}

// duplicate returns a second descriptor, close-on-exec, of the same open file.
func duplicate(f *os.File) (*os.File, error) {
	conn, err := f.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("file %s: %w", f.Name(), err)
	}
	dup, dupErr := -1, error(nil)
	err = conn.Control(func(fd uintptr) { dup, dupErr = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, inboxFd) })
	if err == nil {
		err = os.NewSyscallError("dup", dupErr)
	}
	if err != nil {
		return nil, fmt.Errorf("file %s: %w", f.Name(), err)
	}
	return os.NewFile(uintptr(dup), f.Name()), nil
}
