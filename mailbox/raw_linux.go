//go:build linux && !race

package mailbox

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// rawRead and rawWrite are read(2) and write(2) without a word to Go's scheduler. It takes a call
// for one that may last: it wakes its watcher, which is another thread, and in a
// process with one processor that one passes the processor on to a third.

func rawRead(fd int, b []byte) (int, error) { return rawCall(unix.SYS_READ, fd, b) }

func rawWrite(fd int, b []byte) (int, error) { return rawCall(unix.SYS_WRITE, fd, b) }

func rawCall(call uintptr, fd int, b []byte) (int, error) {
	n, _, errno := unix.RawSyscall(call, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
