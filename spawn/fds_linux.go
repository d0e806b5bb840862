package spawn

import (
	"math"
	"os"

	"golang.org/x/sys/unix"
)

const fdDirectory = "/proc/self/fd"

// pipe returns a read end and a write end, blocking, close-on-exec.
func pipe() ([2]int, error) {
	var fds [2]int
	err := unix.Pipe2(fds[:], unix.O_CLOEXEC)
	return fds, os.NewSyscallError("pipe2", err)
}

// countFds returns how many descriptors are open, or 0 if the kernel (before 6.2)
// does not say.
func countFds() int64 {
	var st unix.Stat_t
	if err := unix.Stat(fdDirectory, &st); err != nil {
		return 0
	}
	return st.Size
}

// closeFrom closes the descriptors from fd on. An error means a kernel before
// 5.9, and then they stay.
func closeFrom(fd int) {
	_ = unix.CloseRange(uint(fd), math.MaxInt32, 0)
}
