package cgroup

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

var pageSize = int64(os.Getpagesize())

// residentBuffers hold the path, then what is read.
var residentBuffers = sync.Pool{New: func() any { return new([128]byte) }}

// Resident returns how much memory a process has in use, in bytes: for a watcher
// where no group can count. Pages that it shares with others are included.
// It is 0 for a zombie; for a process that is gone the error wraps
// [os.ErrProcessDone]. The pid must not have been reaped: it may be a stranger's.
//
// It takes three system calls and allocates nothing. Any goroutine may call it.
func Resident(pid int) (int64, error) {
	buffer := residentBuffers.Get().(*[128]byte)
	defer residentBuffers.Put(buffer)
	statm, err := readStatm(pid, buffer)
	if err == unix.ENOENT || err == unix.ESRCH {
		err = os.ErrProcessDone
	}
	if err != nil {
		return 0, fmt.Errorf("resident memory of pid %d: %w", pid, err)
	}
	return parseStatm(statm) * pageSize, nil
}

// readStatm reads /proc/PID/statm. It calls the kernel itself, because unix.Open
// allocates to add the NUL to a path.
func readStatm(pid int, buffer *[128]byte) ([]byte, error) {
	path := append(buffer[:0], "/proc/"...)
	path = strconv.AppendInt(path, int64(pid), 10)
	path = append(path, "/statm\x00"...)
	cwd := unix.AT_FDCWD
	fd, _, errno := unix.Syscall6(unix.SYS_OPENAT, uintptr(cwd), uintptr(unsafe.Pointer(&path[0])),
		unix.O_RDONLY|unix.O_CLOEXEC, 0, 0, 0)
	if errno != 0 { // /proc does not sleep, so EINTR is not among them
		return nil, errno
	}
	defer unix.Close(int(fd))
	n, err := unix.Read(int(fd), buffer[:]) // seven numbers, so all of it
	return buffer[:max(n, 0)], err
}

// parseStatm returns the second number, in pages. See proc_pid_statm(5).
func parseStatm(statm []byte) int64 {
	var pages int64
	field := 1
	for _, c := range statm {
		switch {
		case c == ' ':
			field++
		case field == 2:
			pages = 10*pages + int64(c-'0')
		}
	}
	return pages
}
